/// The few facts about a file that the state store decides by.

import CLinux
import Linux

/// A file's type, owner and identity.
///
/// Source: statx(2).
struct FileStatus: Equatable {
    /// Type and permission bits.
    var mode: UInt32
    /// The owner.
    var owner: UInt32
    /// The size in bytes.
    var size: UInt64
    /// What tells it from every other file: device and inode.
    private var device: UInt64
    private var inode: UInt64

    /// Reads the status of a path, without following a link at its end, or with the empty path of the descriptor itself.
    init(_ path: CString, at directory: Int) throws(Errno) {
        var raw = statx()
        let flags = Int(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)
        try withUnsafeMutablePointer(to: &raw) { buffer throws(Errno) in
            _ = try kernel(__NR_statx, directory, path.address, flags, Int(STATX_BASIC_STATS), Int(bitPattern: buffer))
        }
        mode = UInt32(raw.stx_mode)
        owner = raw.stx_uid
        size = raw.stx_size
        device = UInt64(raw.stx_dev_major) << 32 | UInt64(raw.stx_dev_minor)
        inode = raw.stx_ino
    }

    /// Reads the status of an open file.
    init(of file: borrowing OwnedFD) throws(Errno) {
        try self.init(emptyPath, at: file.number)
    }

    var isDirectory: Bool { mode & 0o170000 == 0o040000 }
    var isRegular: Bool { mode & 0o170000 == 0o100000 }

    /// Whether both are the same file.
    func isSameFile(as other: FileStatus) -> Bool {
        device == other.device && inode == other.inode
    }
}

/// The effective user id.
func effectiveUser() -> UInt32 {
    UInt32(truncatingIfNeeded: cl_syscall(Int(__NR_geteuid), 0, 0, 0, 0, 0, 0))
}

/// The names in an open directory, without `.` and `..`, in the kernel's order.
///
/// Source: getdents64(2).
func directoryNames(_ directory: borrowing OwnedFD) throws(Errno) -> [String] {
    var names: [String] = []
    let size = 32 << 10
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
    defer { buffer.deallocate() }
    try kernel(__NR_lseek, directory.number, 0, 0)
    while true {
        let count = try kernel(__NR_getdents64, directory.number, Int(bitPattern: buffer), size)
        if count == 0 { return names }
        var at = 0
        while at < count {
            // The name follows inode, offset, length and type: 8 + 8 + 2 + 1 bytes.
            let length = buffer.load(fromByteOffset: at + 16, as: UInt16.self)
            let name = String(cString: (buffer + at + 19).assumingMemoryBound(to: CChar.self))
            if name != "." && name != ".." { names.append(name) }
            at += Int(length)
        }
    }
}

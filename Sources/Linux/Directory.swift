/// Who the caller is, and what is in a directory: for the programs that have a heap.

import CLinux

/// The effective user id.
public func effectiveUser() -> UInt32 {
    UInt32(truncatingIfNeeded: cl_syscall(Int(__NR_geteuid), 0, 0, 0, 0, 0, 0))
}

/// The names in an open directory, without `.` and `..`, in the kernel's order.
///
/// Source: getdents64(2).
public func directoryNames(_ directory: borrowing OwnedFD) throws(Errno) -> [String] {
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

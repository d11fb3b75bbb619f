/// What a file is, by statx(2).

import CLinux

/// The parts of a file's status that decide what may be done with it.
public struct FileStatus: Equatable, Sendable {
    /// Type and permission bits (S_IF*, 0o7777).
    public var mode: UInt32
    /// The owner.
    public var uid: UInt32
    /// The group.
    public var gid: UInt32
    /// A device node's major number.
    public var deviceMajor: UInt32
    /// A device node's minor number.
    public var deviceMinor: UInt32
    /// The file's inode number.
    public var inode: UInt64
    /// The major and minor number of the file system it is on.
    public var fileSystem: UInt64
    /// Its size in bytes.
    public var size: UInt64
    /// How many names it has.
    public var linkCount: UInt32

    /// The type bits of ``mode``.
    public var kind: UInt32 { mode & UInt32(S_IFMT) }
    /// Whether it is a directory.
    public var isDirectory: Bool { kind == UInt32(S_IFDIR) }
    /// Whether it is a regular file.
    public var isRegular: Bool { kind == UInt32(S_IFREG) }
    /// Whether it is a symbolic link.
    public var isLink: Bool { kind == UInt32(S_IFLNK) }
    /// Whether it is the character device of those numbers.
    public func isCharacterDevice(_ major: UInt32, _ minor: UInt32) -> Bool {
        kind == UInt32(S_IFCHR) && deviceMajor == major && deviceMinor == minor
    }

    /// Whether both are the same file.
    public func isSameFile(as other: FileStatus) -> Bool { inode == other.inode && fileSystem == other.fileSystem }

    /// The status of what is at a path; with the empty path, of the descriptor itself.
    ///
    /// Source: statx(2).
    public static func of(_ path: CString = emptyPath, at directory: Int, follow: Bool = false) throws(Errno) -> FileStatus {
        var buffer = statx()
        let flags = Int(AT_EMPTY_PATH) | (follow ? 0 : Int(AT_SYMLINK_NOFOLLOW))
        try withUnsafeMutablePointer(to: &buffer) { pointer throws(Errno) in
            _ = try kernel(
                __NR_statx, directory, path.address, flags, Int(STATX_BASIC_STATS), Int(bitPattern: pointer))
        }
        return FileStatus(
            mode: UInt32(buffer.stx_mode), uid: buffer.stx_uid, gid: buffer.stx_gid, deviceMajor: buffer.stx_rdev_major,
            deviceMinor: buffer.stx_rdev_minor, inode: buffer.stx_ino,
            fileSystem: UInt64(buffer.stx_dev_major) << 32 | UInt64(buffer.stx_dev_minor), size: buffer.stx_size,
            linkCount: buffer.stx_nlink)
    }
}

/// The id of the mount that an open file was reached through.
///
/// Source: statx(2), Linux 5.8.
public func mountID(_ descriptor: Int) throws(Errno) -> UInt64 {
    var buffer = statx()
    try withUnsafeMutablePointer(to: &buffer) { pointer throws(Errno) in
        _ = try kernel(
            __NR_statx, descriptor, emptyPath.address, Int(AT_EMPTY_PATH), Int(STATX_MNT_ID), Int(bitPattern: pointer))
    }
    return buffer.stx_mnt_id
}

/// Whether an open file is the root of a mount.
///
/// Source: statx(2), Linux 5.8.
public func isMountRoot(_ descriptor: Int) throws(Errno) -> Bool {
    var buffer = statx()
    try withUnsafeMutablePointer(to: &buffer) { pointer throws(Errno) in
        _ = try kernel(__NR_statx, descriptor, emptyPath.address, Int(AT_EMPTY_PATH), 0, Int(bitPattern: pointer))
    }
    return buffer.stx_attributes & UInt64(STATX_ATTR_MOUNT_ROOT) != 0
}

/// The magic number of the file system an open file is on (linux/magic.h).
///
/// Source: fstatfs(2).
public func fileSystemMagic(_ descriptor: Int) throws(Errno) -> Int64 {
    var buffer = cl_statfs()
    try withUnsafeMutablePointer(to: &buffer) { pointer throws(Errno) in
        _ = try kernel(__NR_fstatfs, descriptor, Int(bitPattern: pointer))
    }
    return buffer.type
}

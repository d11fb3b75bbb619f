/// Open file descriptors that close themselves, and the plain reads and writes on them.

import CLinux

/// An open file descriptor, closed with its last use.
@frozen
public struct OwnedFD: ~Copyable {
    /// The descriptor's number, valid while this value lives.
    public let raw: Int32

    /// Takes over an open descriptor.
    @inline(__always)
    public init(_ raw: Int32) {
        self.raw = raw
    }

    /// Takes over the descriptor that a system call returned.
    @inline(__always)
    public init(_ result: Int) {
        raw = Int32(truncatingIfNeeded: result)
    }

    deinit {
        kernelIgnoringFailure(__NR_close, Int(raw))
    }

    /// The number, as a system call takes it.
    @inline(__always)
    public var number: Int { Int(raw) }

    /// Gives the descriptor away, open.
    public consuming func release() -> Int32 {
        let raw = raw
        discard self
        return raw
    }

    /// A second descriptor of the same open file, close-on-exec.
    public borrowing func duplicate(atLeast minimum: Int32 = 3) throws(Errno) -> OwnedFD {
        OwnedFD(try kernel(__NR_fcntl, number, Int(F_DUPFD_CLOEXEC), Int(minimum)))
    }

    /// Lets the descriptor stay open across the next execve.
    public borrowing func inheritByExec() throws(Errno) {
        try kernel(__NR_fcntl, number, Int(F_SETFD), 0)
    }
}

/// How an open file is used: the flags of open(2) that swoci needs.
///
/// Every descriptor is opened close-on-exec.
public struct OpenFlags: OptionSet, Sendable {
    /// The bits of open(2).
    public let rawValue: Int32

    /// Makes flags of open(2)'s bits.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// For reading.
    public static let read = OpenFlags([])
    /// For writing.
    public static let write = OpenFlags(rawValue: O_WRONLY)
    /// For both.
    public static let readWrite = OpenFlags(rawValue: O_RDWR)
    /// Only as a place in the file system, not for its content (O_PATH).
    public static let path = OpenFlags(rawValue: O_PATH)
    /// Fails unless it is a directory.
    public static let directory = OpenFlags(rawValue: O_DIRECTORY)
    /// Fails (or, with `path`, opens the link itself) where the last component is a symbolic link.
    public static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
    /// Made if missing.
    public static let create = OpenFlags(rawValue: O_CREAT)
    /// Fails if it exists.
    public static let exclusive = OpenFlags(rawValue: O_EXCL)
    /// Emptied.
    public static let truncate = OpenFlags(rawValue: O_TRUNC)
    /// Written at its end.
    public static let append = OpenFlags(rawValue: O_APPEND)
    /// Does not wait for a peer or for data.
    public static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    /// Does not become the controlling terminal.
    public static let noControllingTerminal = OpenFlags(rawValue: O_NOCTTY)
}

/// Where a relative path starts: the working directory.
public let workingDirectory = Int(AT_FDCWD)

extension OwnedFD {
    /// Opens a path of the caller's own file system view.
    ///
    /// Source: openat(2).
    public static func open(
        _ path: CString, _ flags: OpenFlags, at directory: Int = workingDirectory, mode: UInt32 = 0
    ) throws(Errno) -> OwnedFD {
        OwnedFD(try kernel(__NR_openat, directory, path.address, Int(flags.rawValue | O_CLOEXEC), Int(mode)))
    }

    /// Reads at most `count` bytes; 0 is the end.
    public borrowing func read(into buffer: UnsafeMutableRawPointer, count: Int) throws(Errno) -> Int {
        try kernel(__NR_read, number, Int(bitPattern: buffer), count)
    }

    /// Writes at most `count` bytes and returns how many were written.
    public borrowing func write(_ bytes: UnsafeRawPointer, count: Int) throws(Errno) -> Int {
        try kernel(__NR_write, number, Int(bitPattern: bytes), count)
    }

    /// Writes all bytes.
    public borrowing func writeAll(_ bytes: UnsafeRawPointer, count: Int) throws(Errno) {
        var done = 0
        while done < count {
            done += try write(bytes + done, count: count - done)
        }
    }
}

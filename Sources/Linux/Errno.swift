/// A failed system call: the error number the kernel gave, and which call it was.
public struct Errno: Error, Sendable {
    /// The number: positive, as in errno(3).
    public let code: Int32
    /// The system call's number in the build's architecture (asm/unistd.h), or -1 for a failure that no call reported.
    public let call: Int32

    /// Makes an error of its number.
    public init(code: Int32, call: Int32 = -1) {
        self.code = code
        self.call = call
    }
}

extension Errno: Equatable {
    /// Whether the error numbers are the same, whichever calls failed.
    public static func == (left: Errno, right: Errno) -> Bool { left.code == right.code }
}

extension Errno {
    /// Operation not permitted (EPERM).
    public static let notPermitted = Errno(code: 1)
    /// No such file or directory (ENOENT).
    public static let noEntry = Errno(code: 2)
    /// No such process (ESRCH).
    public static let noProcess = Errno(code: 3)
    /// Interrupted system call (EINTR).
    public static let interrupted = Errno(code: 4)
    /// Input/output error (EIO).
    public static let inputOutput = Errno(code: 5)
    /// No such device or address (ENXIO).
    public static let noDeviceOrAddress = Errno(code: 6)
    /// Argument list too long (E2BIG).
    public static let tooBig = Errno(code: 7)
    /// Exec format error (ENOEXEC).
    public static let execFormat = Errno(code: 8)
    /// Bad file descriptor (EBADF).
    public static let badDescriptor = Errno(code: 9)
    /// No child processes (ECHILD).
    public static let noChild = Errno(code: 10)
    /// Resource temporarily unavailable (EAGAIN).
    public static let again = Errno(code: 11)
    /// Cannot allocate memory (ENOMEM).
    public static let noMemory = Errno(code: 12)
    /// Permission denied (EACCES).
    public static let accessDenied = Errno(code: 13)
    /// Device or resource busy (EBUSY).
    public static let busy = Errno(code: 16)
    /// File exists (EEXIST).
    public static let exists = Errno(code: 17)
    /// Invalid cross-device link (EXDEV).
    public static let crossDevice = Errno(code: 18)
    /// No such device (ENODEV).
    public static let noDevice = Errno(code: 19)
    /// Not a directory (ENOTDIR).
    public static let notDirectory = Errno(code: 20)
    /// Is a directory (EISDIR).
    public static let isDirectory = Errno(code: 21)
    /// Invalid argument (EINVAL).
    public static let invalidArgument = Errno(code: 22)
    /// Inappropriate ioctl for device (ENOTTY).
    public static let notTerminal = Errno(code: 25)
    /// File too large (EFBIG).
    public static let fileTooLarge = Errno(code: 27)
    /// No space left on device (ENOSPC).
    public static let noSpace = Errno(code: 28)
    /// Illegal seek (ESPIPE).
    public static let illegalSeek = Errno(code: 29)
    /// Read-only file system (EROFS).
    public static let readOnly = Errno(code: 30)
    /// Broken pipe (EPIPE).
    public static let brokenPipe = Errno(code: 32)
    /// Numerical result out of range (ERANGE).
    public static let outOfRange = Errno(code: 34)
    /// File name too long (ENAMETOOLONG).
    public static let nameTooLong = Errno(code: 36)
    /// Function not implemented (ENOSYS).
    public static let notImplemented = Errno(code: 38)
    /// Directory not empty (ENOTEMPTY).
    public static let notEmpty = Errno(code: 39)
    /// Too many levels of symbolic links (ELOOP).
    public static let loop = Errno(code: 40)
    /// No data available (ENODATA).
    public static let noData = Errno(code: 61)
    /// Protocol error (EPROTO).
    public static let protocolError = Errno(code: 71)
    /// Bad message (EBADMSG).
    public static let badMessage = Errno(code: 74)
    /// Value too large for defined data type (EOVERFLOW).
    public static let overflow = Errno(code: 75)
    /// Operation not supported (EOPNOTSUPP).
    public static let notSupported = Errno(code: 95)
    /// Connection reset by peer (ECONNRESET).
    public static let connectionReset = Errno(code: 104)
    /// Connection timed out (ETIMEDOUT).
    public static let timedOut = Errno(code: 110)
    /// Connection refused (ECONNREFUSED).
    public static let connectionRefused = Errno(code: 111)
}

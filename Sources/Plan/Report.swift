/// What the init says back to the runtime, one message a packet.

/// The kinds of messages, in both directions.
public enum MessageKind: UInt32, Equatable, Sendable {
    /// Init: the process that goes on is this one (its id comes as the packet's credentials), and its id mappings may be written.
    case cloned = 1
    /// Init: waits at the ``SyncPoint`` in `value`.
    case synchronize = 2
    /// Init: the terminal's other end comes with this packet.
    case console = 3
    /// Init: the payload's process is set up; its id comes as the packet's credentials.
    case ready = 4
    /// Init: a step failed.
    case failed = 5
    /// Runtime: go on.
    case proceed = 6
    /// Runtime: the container is recorded; from now on it waits for start.
    case commit = 7
    /// Init, to start: nothing in the way, execve is next. Start: go.
    case start = 8
    /// Init: something to tell a person, which is no failure.
    case warning = 9
    /// Init, to start: the filter's listener comes with this packet; the payload waits until it has been handed on.
    case listener = 10
    /// Runtime: set this resource limit of yours, a ``LimitMessage``.
    ///
    /// Init: it is set.
    case limit = 11
}

/// Why a step failed, where a system call's errno does not say it all.
public enum FailureReason: UInt32, Equatable, Sendable {
    /// A system call failed: its number and errno.
    case systemCall = 0
    /// No directory of PATH has the program (P-08). The text is its name.
    case notInPath = 1
    /// The program is there but cannot be executed: errno says why. The text is its path.
    case notExecutable = 2
    /// A path leads out of the container or to something it must not be. The text is the path.
    case unsafePath = 3
    /// A file at a device's path is something else (D-03).
    case wrongNode = 4
    /// A hook ended with a status other than 0: `value`. The text is what it wrote.
    case hookFailed = 5
    /// A hook was ended by the signal in `value`.
    case hookKilled = 6
    /// A hook took longer than its timeout, the seconds in `value`. The text is what it wrote.
    case hookTimedOut = 7
    /// The kernel refused a mount parameter. The text is the parameter, NUL, and the kernel's message.
    case mountParameter = 8
    /// The kernel's mount flags are locked by a user namespace (M-11). `value` has the MOUNT_ATTR_* bits.
    case lockedFlags = 9
    /// The plan is damaged.
    case badPlan = 10
    /// The working directory cannot be entered or lies outside the root (P-06).
    case workingDirectory = 11
    /// A remount's target is no mount (MO-16).
    case notMounted = 12
    /// A directory cannot be mounted on a file, nor a file on a directory: `value` is 1 where the target is the directory.
    case otherKind = 13
}

/// What the payload's process is called from its last word to start until its execve: no program's name has a slash (prctl(2), PR_SET_NAME).
public let nameBeforeExecve: StaticString = "swoci/start"

/// A packet's fixed part; up to ``Message/maximumText`` bytes of text follow it.
public struct Message: Equatable, Sendable {
    /// What it says.
    public var kind: UInt32
    /// The step's number in the plan.
    public var step: UInt32 = 0
    /// The errno of a failure.
    public var errno: Int32 = 0
    /// The system call's number of a failure.
    public var call: Int32 = -1
    /// The ``FailureReason``.
    public var reason: UInt32 = 0
    /// A number that belongs to the kind or the reason.
    public var value: UInt32 = 0
    /// A failed hook's number in its list.
    public var hook: UInt32 = 0
    /// How long a failed hook took.
    public var milliseconds: UInt32 = 0

    /// The longest text.
    public static let maximumText = 4096
    /// The fixed part's size in bytes.
    public static let size = 32

    /// Makes a message.
    public init(_ kind: MessageKind, value: UInt32 = 0) {
        self.kind = kind.rawValue
        self.value = value
    }
}

/// A message of kind ``MessageKind/limit``: `value` is the resource's number.
public struct LimitMessage: Equatable, Sendable {
    /// The message itself.
    public var message: Message
    /// The soft limit.
    public var soft: UInt64
    /// The hard limit.
    public var hard: UInt64

    /// The size in bytes.
    public static let size = 48
    /// RLIMIT_NOFILE (getrlimit(2)).
    public static let openFiles: Int32 = 7
    /// A soft limit of open files below this one is the last thing before execve: until then the waiting process opens some itself.
    public static let fewFiles: UInt64 = 1024

    /// Whether the process keeps the limit for the moment before its execve.
    public var comesLast: Bool { message.value == UInt32(LimitMessage.openFiles) && soft < LimitMessage.fewFiles }

    /// Makes a message.
    public init(resource: Int32, soft: UInt64, hard: UInt64) {
        message = Message(.limit, value: UInt32(bitPattern: resource))
        self.soft = soft
        self.hard = hard
    }
}

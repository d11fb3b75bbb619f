/// The system call filter. Source: config-linux.md#seccomp; rows SE.

/// `linux.seccomp`.
public struct Seccomp: Equatable, Sendable {
    /// The object's place in the document.
    public var origin = Origin.none
    /// What happens to a call that no rule names (SE-02, SE-03).
    public var defaultAction: SeccompAction
    /// The architectures beside the native one, as the document names them: "SCMP_ARCH_X86" (SE-04).
    public var architectures: [Located<String>] = []
    /// SECCOMP_FILTER_FLAG_* names; nil: the member is absent, which is not the same as empty (SE-05).
    public var flags: [Located<String>]?
    /// The socket that takes the notification descriptor (SE-06).
    public var listenerPath: Located<String>?
    /// What the listener is told (SE-07).
    public var listenerMetadata: Located<String>?
    /// The rules in their order (SE-08).
    public var syscalls: [SeccompRule] = []

    /// Makes a filter without rules.
    public init(defaultAction: SeccompAction) { self.defaultAction = defaultAction }
}

/// What the filter does with a call, with the errno that `ERRNO` and `TRACE` carry (SE-10, SE-11).
public enum SeccompAction: Equatable, Sendable {
    /// KILL, KILL_THREAD
    case killThread
    /// KILL_PROCESS
    case killProcess
    /// TRAP
    case trap
    /// ERRNO, with the errno
    case errno(UInt16)
    /// TRACE, with the value a tracer sees
    case trace(UInt16)
    /// ALLOW
    case allow
    /// LOG
    case log
    /// NOTIFY
    case notify
}

/// A rule for some calls.
public struct SeccompRule: Equatable, Sendable {
    /// Its place in the document.
    public var origin = Origin.none
    /// The calls' names; libseccomp knows their numbers (SE-09).
    public var names: [String]
    /// What happens.
    public var action: SeccompAction
    /// Conditions on the arguments (SE-12 to SE-15).
    public var args: [SeccompCondition] = []

    /// Makes a rule without conditions.
    public init(names: [String], action: SeccompAction) {
        self.names = names
        self.action = action
    }
}

/// A condition on a call's argument.
public struct SeccompCondition: Hashable, Sendable {
    /// The comparisons, in the order of libseccomp's enum scmp_compare, which starts at 1.
    public enum Operator: UInt32, Hashable, Sendable {
        /// SCMP_CMP_NE
        case notEqual = 1
        /// SCMP_CMP_LT
        case less
        /// SCMP_CMP_LE
        case lessOrEqual
        /// SCMP_CMP_EQ
        case equal
        /// SCMP_CMP_GE
        case greaterOrEqual
        /// SCMP_CMP_GT
        case greater
        /// SCMP_CMP_MASKED_EQ: value is the mask, valueTwo what the masked argument equals
        case maskedEqual
    }

    /// Which argument: 0...5.
    public var index: UInt32
    /// What it is compared with.
    public var value: UInt64
    /// The second value of a masked comparison.
    public var valueTwo: UInt64
    /// The comparison.
    public var operation: Operator

    /// Makes a condition.
    public init(index: UInt32, value: UInt64, valueTwo: UInt64 = 0, operation: Operator) {
        self.index = index
        self.value = value
        self.valueTwo = valueTwo
        self.operation = operation
    }
}

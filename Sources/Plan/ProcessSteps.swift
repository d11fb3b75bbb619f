/// The steps that turn the init's process, or its child, into the payload.

/// ``Step/setSysctl(_:)``.
public struct SetSysctl: Equatable, Sendable {
    /// The path below /proc/sys: "net/ipv4/ip_forward".
    public var path: Text
    /// What is written.
    public var value: Text
    /// Makes a parameter step.
    public init(path: Text, value: Text) {
        self.path = path
        self.value = value
    }
}

/// ``Step/openConsole(_:)``.
public struct OpenConsole: Equatable, Sendable {
    /// Rows, 0 for the kernel's default.
    public var rows: UInt32
    /// Columns.
    public var columns: UInt32
    /// The terminal's owner.
    public var uid: UInt32
    /// 1: the terminal is mounted on /dev/console too.
    public var mountsConsole: UInt32
    /// Makes a terminal step.
    public init(rows: UInt32, columns: UInt32, uid: UInt32, mountsConsole: Bool = true) {
        self.rows = rows
        self.columns = columns
        self.uid = uid
        self.mountsConsole = mountsConsole ? 1 : 0
    }
}

/// ``Step/supervise(_:)``: what the supervising process keeps.
public struct Supervise: Equatable, Sendable {
    /// Its user: the payload's.
    public var user: SetUser
    /// Capabilities it keeps: CAP_KILL at most, and only where the payload has it.
    public var capabilities: UInt64
    /// The AppArmor profile it changes to, the payload's; empty: it stays in the runtime's.
    ///
    /// Row P-14.
    public var profile: Text
    /// The SELinux label it changes to if the policy lets it, the payload's; empty: none.
    ///
    /// Row P-15.
    public var label: Text
    /// Makes the step.
    public init(user: SetUser, capabilities: UInt64, profile: Text = .empty, label: Text = .empty) {
        self.user = user
        self.capabilities = capabilities
        self.profile = profile
        self.label = label
    }
}

/// ``Step/startSession(_:)``.
public struct StartSession: Equatable, Sendable {
    /// 1: stdin is the terminal, which the session takes over.
    public var terminal: UInt32
    /// Makes the step.
    public init(terminal: Bool) { self.terminal = terminal ? 1 : 0 }
}

/// ``Step/setScheduler(_:)``: sched_setattr(2).
public struct SetScheduler: Equatable, Sendable {
    /// SCHED_*.
    public var policy: UInt32
    /// -20...19, as two's complement.
    public var nice: UInt32
    /// 1...99 for FIFO and RR.
    public var priority: UInt32
    /// SCHED_FLAG_*.
    public var flags: UInt64
    /// Nanoseconds.
    public var runtime: UInt64
    /// Nanoseconds.
    public var deadline: UInt64
    /// Nanoseconds.
    public var period: UInt64
    /// Makes the step.
    public init(policy: UInt32, nice: Int32, priority: UInt32, flags: UInt64, runtime: UInt64, deadline: UInt64, period: UInt64) {
        self.policy = policy
        self.nice = UInt32(bitPattern: nice)
        self.priority = priority
        self.flags = flags
        self.runtime = runtime
        self.deadline = deadline
        self.period = period
    }
}

/// ``Step/setIOPriority(_:)``: ioprio_set(2).
public struct SetIOPriority: Equatable, Sendable {
    /// class << 13 | priority.
    public var value: UInt32
    /// Makes the step.
    public init(priorityClass: UInt32, priority: UInt32) { value = priorityClass << 13 | priority }
}

/// ``Step/setMemoryPolicy(_:)``: set_mempolicy(2).
public struct SetMemoryPolicy: Equatable, Sendable {
    /// MPOL_* with MPOL_F_* flags.
    public var mode: UInt32
    /// The node mask: 8-byte little-endian words in the text area.
    public var mask: Text
    /// Makes the step.
    public init(mode: UInt32, mask: Text) {
        self.mode = mode
        self.mask = mask
    }
}

/// ``Step/setExecLabel(_:)``.
public struct SetExecLabel: Equatable, Sendable {
    /// The security modules that take a label.
    public enum Module: UInt32, Equatable, Sendable {
        /// attr/apparmor/exec, or attr/exec on older kernels.
        case appArmor = 1
        /// attr/exec
        case seLinux = 2
        /// attr/keycreate of SELinux: for the session keyring, and gone with the execve.
        case keys = 3
    }

    /// The module.
    public var module: UInt32
    /// The profile or label.
    public var label: Text
    /// Makes the step.
    public init(_ module: Module, label: Text) {
        self.module = module.rawValue
        self.label = label
    }
}

/// ``Step/setUser(_:)``.
public struct SetUser: Equatable, Sendable {
    /// The user id inside.
    public var uid: UInt32
    /// The group id inside.
    public var gid: UInt32
    /// Further groups, 4-byte little-endian each in the text area.
    public var groups: Text
    /// 1: the user namespace forbids setgroups(2), and there are no further groups to set.
    public var skipsGroups: UInt32
    /// Makes the step.
    public init(uid: UInt32, gid: UInt32, groups: Text, skipsGroups: Bool) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.skipsGroups = skipsGroups ? 1 : 0
    }
}

/// ``Step/setCapabilities(_:)``: bit N stands for capability N.
public struct SetCapabilities: Equatable, Sendable {
    /// What is in force.
    public var effective: UInt64
    /// What can be put in force.
    public var permitted: UInt64
    /// What files may inherit.
    public var inheritable: UInt64
    /// What execve keeps.
    public var ambient: UInt64
    /// Makes the step.
    public init(effective: UInt64, permitted: UInt64, inheritable: UInt64, ambient: UInt64) {
        self.effective = effective
        self.permitted = permitted
        self.inheritable = inheritable
        self.ambient = ambient
    }
}

/// ``Step/findExecutable(_:)``.
public struct FindExecutable: Equatable, Sendable {
    /// args[0].
    public var file: Text
    /// The directories of PATH, for a file without a slash.
    public var searchPath: TextList
    /// Makes the step.
    public init(file: Text, searchPath: TextList) {
        self.file = file
        self.searchPath = searchPath
    }
}

/// ``Step/loadSeccomp(_:)``.
public struct LoadSeccomp: Equatable, Sendable {
    /// The BPF program: 8 bytes an instruction, in the text area.
    public var program: Text
    /// SECCOMP_FILTER_FLAG_*.
    public var flags: UInt32
    /// Whether start gets a descriptor that answers the filter's questions (SECCOMP_FILTER_FLAG_NEW_LISTENER; row SE-06).
    public var hasListener: Bool { flags & 8 != 0 }
    /// Makes the step.
    public init(program: Text, flags: UInt32) {
        self.program = program
        self.flags = flags
    }
}

/// ``Step/execute(_:)``.
public struct Execute: Equatable, Sendable {
    /// The arguments with argv[0].
    public var arguments: TextList
    /// The environment.
    public var environment: TextList
    /// How many descriptors from 3 on stay open.
    public var preservedDescriptors: UInt32
    /// Makes the step.
    public init(arguments: TextList, environment: TextList, preservedDescriptors: UInt32) {
        self.arguments = arguments
        self.environment = environment
        self.preservedDescriptors = preservedDescriptors
    }
}

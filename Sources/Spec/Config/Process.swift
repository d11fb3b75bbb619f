/// The container's process. Source: config.md#process; rows P.

/// What runs, as whom, and with which limits.
///
/// Also the content of `exec --process`.
public struct Process: Equatable, Sendable {
    /// The object's place in the document.
    public var origin = Origin.none
    /// Whether it gets a terminal of its own (P-02).
    public var terminal = false
    /// The terminal's size; ignored without one (P-03).
    public var consoleSize: ConsoleSize?
    /// The working directory: absolute (P-06).
    public var cwd: Located<String>
    /// NAME=VALUE entries (P-07).
    public var env: [Located<String>] = []
    /// The program and its arguments (P-08); empty only where the document has none.
    public var args: [Located<String>] = []
    /// Resource limits, each type once (P-10).
    public var rlimits: [Rlimit] = []
    /// The AppArmor profile to exec under (P-14).
    public var apparmorProfile: Located<String>?
    /// The SELinux label to exec under (P-15).
    public var selinuxLabel: Located<String>?
    /// The capability sets; absent: unchanged (P-16).
    public var capabilities: CapabilitySets?
    /// Whether execve may no longer grant privileges (P-22).
    public var noNewPrivileges = false
    /// -1000...1000; absent: unchanged (P-23).
    public var oomScoreAdj: Located<Int>?
    /// The CPU scheduler's parameters (P-24).
    public var scheduler: Scheduler?
    /// The I/O priority (P-32).
    public var ioPriority: IOPriority?
    /// CPUs of processes added by exec (P-35).
    public var execCPUAffinity: ExecCPUAffinity?
    /// The ids it runs with (P-38).
    public var user = User()

    /// Makes a process of its working directory.
    public init(cwd: Located<String>) { self.cwd = cwd }
}

/// A terminal's size in characters, each 0...65535 (P-04, P-05).
public struct ConsoleSize: Equatable, Sendable {
    /// Rows.
    public var height: UInt16
    /// Columns.
    public var width: UInt16

    /// Makes a size.
    public init(height: UInt16, width: UInt16) {
        self.height = height
        self.width = width
    }
}

/// The user of a process (P-38 to P-43).
///
/// No id is 4294967295, which the kernel reads as "unchanged".
public struct User: Equatable, Sendable {
    /// The user id inside the container.
    public var uid: Located<UInt32> = Located(0)
    /// The group id inside the container.
    public var gid: Located<UInt32> = Located(0)
    /// The file mode creation mask; absent: 0o022, as runc and crun have it.
    public var umask: UInt32?
    /// Further groups.
    public var additionalGids: [Located<UInt32>] = []

    /// Makes root.
    public init() {}
}

/// One resource limit (P-11 to P-13).
///
/// 18446744073709551615 is "no limit".
public struct Rlimit: Equatable, Sendable {
    /// Its place in the document.
    public var origin = Origin.none
    /// The resource's number in asm-generic/resource.h.
    public var resource: Int32
    /// The name, "RLIMIT_NOFILE".
    public var name: String
    /// The soft limit, at most `hard`.
    public var soft: UInt64
    /// The hard limit.
    public var hard: UInt64

    /// Makes a limit.
    public init(resource: Int32, name: String, soft: UInt64, hard: UInt64) {
        self.resource = resource
        self.name = name
        self.soft = soft
        self.hard = hard
    }
}

/// A set of capabilities: bit N stands for capability number N (capabilities(7)).
public struct CapabilitySet: OptionSet, Equatable, Hashable, Sendable {
    /// The bits, as the kernel has them.
    public let rawValue: UInt64

    /// Makes a set of its bits.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// The five sets of a process (P-17 to P-21).
public struct CapabilitySets: Equatable, Sendable {
    /// The object's place in the document.
    public var origin = Origin.none
    /// The limit for what execve can grant.
    public var bounding = CapabilitySet()
    /// What is in force.
    public var effective = CapabilitySet()
    /// What can be put in force.
    public var permitted = CapabilitySet()
    /// What execve may keep for files that inherit it.
    public var inheritable = CapabilitySet()
    /// What execve of an ordinary program keeps.
    public var ambient = CapabilitySet()

    /// Makes empty sets.
    public init() {}
}

/// sched_setattr(2)'s parameters (P-24 to P-31).
public struct Scheduler: Equatable, Sendable {
    /// Its place in the document.
    public var origin = Origin.none
    /// The policy's number: SCHED_OTHER 0, FIFO 1, RR 2, BATCH 3, IDLE 5, DEADLINE 6.
    public var policy: UInt32
    /// The nice value, -20...19.
    public var nice: Int32 = 0
    /// 1...99 for FIFO and RR, else 0.
    public var priority: UInt32 = 0
    /// SCHED_FLAG_* bits.
    public var flags: UInt64 = 0
    /// Nanoseconds, for DEADLINE.
    public var runtime: UInt64 = 0
    /// Nanoseconds, for DEADLINE.
    public var deadline: UInt64 = 0
    /// Nanoseconds, for DEADLINE.
    public var period: UInt64 = 0

    /// Makes parameters of a policy.
    public init(policy: UInt32) { self.policy = policy }
}

/// ioprio_set(2)'s parameters (P-32 to P-34).
public struct IOPriority: Equatable, Sendable {
    /// Its place in the document.
    public var origin = Origin.none
    /// RT 1, BE 2, IDLE 3.
    public var priorityClass: UInt32
    /// The level, from 0, the highest, to 7.
    public var priority: UInt32

    /// Makes a priority.
    public init(priorityClass: UInt32, priority: UInt32) {
        self.priorityClass = priorityClass
        self.priority = priority
    }
}

/// CPU lists for processes added by exec (P-36, P-37), in the form "0-3,7".
public struct ExecCPUAffinity: Equatable, Sendable {
    /// Before the process joins the container's cgroup.
    public var initial: Located<String>?
    /// Afterwards.
    public var final: Located<String>?

    /// Makes lists that change nothing.
    public init() {}
}

/// Names of resource limits, scheduling policies and flags, and I/O classes.

/// Resource limits by number.
///
/// Source: asm-generic/resource.h (P-11).
enum RlimitNames {
    static let table: [Named<Int32>] = [
        Named("RLIMIT_CPU", 0), Named("RLIMIT_FSIZE", 1), Named("RLIMIT_DATA", 2), Named("RLIMIT_STACK", 3), Named("RLIMIT_CORE", 4),
        Named("RLIMIT_RSS", 5), Named("RLIMIT_NPROC", 6), Named("RLIMIT_NOFILE", 7), Named("RLIMIT_MEMLOCK", 8), Named("RLIMIT_AS", 9),
        Named("RLIMIT_LOCKS", 10), Named("RLIMIT_SIGPENDING", 11), Named("RLIMIT_MSGQUEUE", 12), Named("RLIMIT_NICE", 13),
        Named("RLIMIT_RTPRIO", 14), Named("RLIMIT_RTTIME", 15),
    ]
}

extension Rlimit {
    /// Makes a limit of its name, "RLIMIT_NOFILE"; nil where the name is unknown.
    public init?(name: String, soft: UInt64, hard: UInt64) {
        guard let resource = find(name, in: RlimitNames.table) else { return nil }
        self.init(resource: resource, name: name, soft: soft, hard: hard)
    }

    /// The names that a config may use.
    public static var names: [String] { Spec.names(of: RlimitNames.table) }
}

/// Scheduling policies and flags.
///
/// Source: linux/sched.h (P-25, P-28).
enum SchedulerNames {
    static let policies: [Named<UInt32>] = [
        Named("SCHED_OTHER", 0), Named("SCHED_FIFO", 1), Named("SCHED_RR", 2), Named("SCHED_BATCH", 3), Named("SCHED_ISO", 4),
        Named("SCHED_IDLE", 5), Named("SCHED_DEADLINE", 6),
    ]

    static let flags: [Named<UInt64>] = [
        Named("SCHED_FLAG_RESET_ON_FORK", 0x01), Named("SCHED_FLAG_RECLAIM", 0x02), Named("SCHED_FLAG_DL_OVERRUN", 0x04),
        Named("SCHED_FLAG_KEEP_POLICY", 0x08), Named("SCHED_FLAG_KEEP_PARAMS", 0x10), Named("SCHED_FLAG_UTIL_CLAMP_MIN", 0x20),
        Named("SCHED_FLAG_UTIL_CLAMP_MAX", 0x40),
    ]

    static let utilClamp: UInt64 = 0x60
    static let fifo: UInt32 = 1
    static let roundRobin: UInt32 = 2
    static let unimplemented: UInt32 = 4
    static let deadline: UInt32 = 6

    /// A policy's name.
    static func name(_ policy: UInt32) -> String {
        for row in policies where row.value == policy { return row.name.text }
        return "\(policy)"
    }

    /// I/O classes.
    ///
    /// Source: linux/ioprio.h (P-33).
    static let ioClasses: [Named<UInt32>] = [Named("IOPRIO_CLASS_RT", 1), Named("IOPRIO_CLASS_BE", 2), Named("IOPRIO_CLASS_IDLE", 3)]
}

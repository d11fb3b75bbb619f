/// Names of the `linux` section: namespaces, clocks, propagation, memory policies.

enum LinuxNames {
    /// Namespace types (N-02).
    static let namespaces: [Named<NamespaceType>] = [
        Named("pid", .pid), Named("network", .network), Named("mount", .mount), Named("ipc", .ipc), Named("uts", .uts),
        Named("user", .user), Named("cgroup", .cgroup), Named("time", .time),
    ]

    /// What people write instead.
    static let namespaceAliases: [Named<NamespaceType>] = [
        Named("net", .network), Named("mnt", .mount), Named("userns", .user), Named("hostname", .uts), Named("cgroups", .cgroup),
    ]

    /// Clocks with an offset (T-01).
    static let clocks: [Named<TimeOffset.Clock>] = [Named("monotonic", .monotonic), Named("boottime", .boottime)]

    /// Propagation types (X-01, MO-18 to MO-21).
    static let propagation: [Named<Propagation>] = [
        Named("shared", Propagation(.shared, recursive: false)), Named("rshared", Propagation(.shared, recursive: true)),
        Named("slave", Propagation(.slave, recursive: false)), Named("rslave", Propagation(.slave, recursive: true)),
        Named("private", Propagation(.private, recursive: false)), Named("rprivate", Propagation(.private, recursive: true)),
        Named("unbindable", Propagation(.unbindable, recursive: false)),
        Named("runbindable", Propagation(.unbindable, recursive: true)),
    ]

    /// Execution domains.
    static let personalities: [Named<Personality>] = [Named("LINUX", .linux), Named("LINUX32", .linux32)]

    /// Memory policies.
    ///
    /// Source: linux/mempolicy.h (MP-01).
    static let memoryPolicies: [Named<UInt32>] = [
        Named("MPOL_DEFAULT", 0), Named("MPOL_PREFERRED", 1), Named("MPOL_BIND", 2), Named("MPOL_INTERLEAVE", 3), Named("MPOL_LOCAL", 4),
        Named("MPOL_PREFERRED_MANY", 5), Named("MPOL_WEIGHTED_INTERLEAVE", 6),
    ]

    /// Their flags (MP-03).
    static let memoryPolicyFlags: [Named<UInt32>] = [
        Named("MPOL_F_NUMA_BALANCING", 1 << 13), Named("MPOL_F_RELATIVE_NODES", 1 << 14), Named("MPOL_F_STATIC_NODES", 1 << 15),
    ]
}

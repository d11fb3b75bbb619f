/// The `linux` section but for resources and seccomp. Source: config-linux.md; rows N, I, T, D, W, RT, MP, SY, X.

/// What only Linux has.
public struct Linux: Equatable, Sendable {
    /// The namespaces the container gets, each type once (N-01).
    public var namespaces: [Namespace] = []
    /// The user namespace's user ids (I-01).
    public var uidMappings: [IDMapping] = []
    /// The user namespace's group ids (I-02).
    public var gidMappings: [IDMapping] = []
    /// The time namespace's clocks (T-01).
    public var timeOffsets: [TimeOffset] = []
    /// Device nodes beside the default ones (D-01).
    public var devices: [Device] = []
    /// Where the container's cgroup is (CG-01).
    public var cgroupsPath: Located<String>?
    /// The cgroup's limits; absent: none (RU-02).
    public var resources: Resources?
    /// Cache and memory bandwidth allocation (RT-01).
    public var intelRdt: IntelRdt?
    /// Kernel parameters, in the document's order (SY-01).
    public var sysctl: [Pair] = []
    /// The system call filter (SE-01).
    public var seccomp: Seccomp?
    /// The root mount's propagation.
    public var rootfsPropagation: Located<Propagation>?
    /// Paths made unreadable.
    public var maskedPaths: [Located<String>] = []
    /// Paths made read-only.
    public var readonlyPaths: [Located<String>] = []
    /// The SELinux label of mounts.
    public var mountLabel: Located<String>?
    /// The execution domain.
    public var personality: Located<Personality>?
    /// Network devices that move into the container (W-01).
    public var netDevices: [NetDevice] = []
    /// The NUMA memory policy (MP-01).
    public var memoryPolicy: MemoryPolicy?

    /// Some namespaces could not be read: what needs one is not blamed for its absence.
    var lacksNamespaces = false
    /// Some id mappings could not be read: ids are not blamed for being unmapped.
    var lacksMappings = false

    /// Makes an empty section.
    public init() {}

    /// The namespace of that type, if the config lists it.
    public func namespace(_ type: NamespaceType) -> Namespace? {
        for namespace in namespaces where namespace.type == type { return namespace }
        return nil
    }
}

/// The eight kinds of namespaces (N-02).
public enum NamespaceType: UInt8, Equatable, Sendable, CaseIterable {
    /// Process ids.
    case pid
    /// Network devices, addresses, routes.
    case network
    /// The mount table.
    case mount
    /// System V IPC and POSIX message queues.
    case ipc
    /// Host and domain name.
    case uts
    /// User ids and capabilities.
    case user
    /// The cgroup tree's root.
    case cgroup
    /// The monotonic and boot clocks.
    case time

    /// The spec's name: "network".
    public var name: String {
        switch self {
        case .pid: "pid"
        case .network: "network"
        case .mount: "mount"
        case .ipc: "ipc"
        case .uts: "uts"
        case .user: "user"
        case .cgroup: "cgroup"
        case .time: "time"
        }
    }
}

/// A namespace, new or joined.
public struct Namespace: Equatable, Sendable {
    /// Its place in the document.
    public var origin = Origin.none
    /// Its type.
    public var type: NamespaceType
    /// The file of the namespace to join; absent: a new one (N-03).
    public var path: Located<String>?

    /// Makes a namespace of its type.
    public init(_ type: NamespaceType, path: Located<String>? = nil) {
        self.type = type
        self.path = path
    }
}

/// A clock's offset in a time namespace (T-02, T-03).
public struct TimeOffset: Equatable, Sendable {
    /// The clocks that have one.
    public enum Clock: UInt8, Equatable, Sendable {
        /// CLOCK_MONOTONIC.
        case monotonic
        /// CLOCK_BOOTTIME.
        case boottime
    }

    /// Its place in the document.
    public var origin = Origin.none
    /// The clock.
    public var clock: Clock
    /// Seconds.
    public var seconds: Int64 = 0
    /// Nanoseconds, 0...999999999.
    public var nanoseconds: UInt32 = 0

    /// Makes a zero offset.
    public init(_ clock: Clock) { self.clock = clock }
}

/// A device node (D-02 to D-06).
public struct Device: Equatable, Sendable {
    /// The kinds of nodes; `u` in the document is `.character`.
    public enum Kind: UInt8, Equatable, Sendable {
        /// `c`, `u`
        case character
        /// `b`
        case block
        /// `p`
        case fifo
    }

    /// Its place in the document.
    public var origin = Origin.none
    /// The kind.
    public var kind: Kind
    /// Its absolute path in the container.
    public var path: Located<String>
    /// The major number.
    public var major: UInt32 = 0
    /// The minor number.
    public var minor: UInt32 = 0
    /// Permission bits (at most 0o7777).
    public var fileMode: UInt32 = 0o666
    /// The owner inside the container; absent: 0.
    public var uid: UInt32?
    /// The group inside the container; absent: 0.
    public var gid: UInt32?

    /// Makes a device of its path.
    public init(_ kind: Kind, path: Located<String>) {
        self.kind = kind
        self.path = path
    }
}

/// A network device of the host (W-02, W-03).
public struct NetDevice: Equatable, Sendable {
    /// Its place in the document.
    public var origin = Origin.none
    /// Its name on the host.
    public var hostName: String
    /// Its name in the container, possibly with `%d`; absent: the same.
    public var name: String?

    /// Makes a device that keeps its name.
    public init(hostName: String) { self.hostName = hostName }
}

/// Resource allocation by resctrl (RT-01 to RT-06).
public struct IntelRdt: Equatable, Sendable {
    /// Its place in the document.
    public var origin = Origin.none
    /// The class of service; absent: the container's id.
    public var closID: Located<String>?
    /// Lines for `schemata`, L3 first, in the order they are written.
    public var l3CacheSchema: Located<String>?
    /// The memory bandwidth line.
    public var memBwSchema: Located<String>?
    /// Further lines.
    public var schemata: [Located<String>] = []
    /// Whether a monitoring group is made.
    public var enableMonitoring = false

    /// Makes an empty section.
    public init() {}
}

/// The execution domains.
public enum Personality: UInt32, Equatable, Sendable {
    /// LINUX
    case linux = 0
    /// LINUX32
    case linux32 = 8
}

/// set_mempolicy(2)'s parameters (MP-01 to MP-03).
public struct MemoryPolicy: Equatable, Sendable {
    /// Its place in the document.
    public var origin = Origin.none
    /// MPOL_* number: DEFAULT 0, PREFERRED 1, BIND 2, INTERLEAVE 3, LOCAL 4, PREFERRED_MANY 5, WEIGHTED_INTERLEAVE 6.
    public var mode: UInt32
    /// MPOL_F_* bits.
    public var flags: UInt32 = 0
    /// Node numbers, ascending.
    public var nodes: [UInt32] = []

    /// Makes a policy of its mode.
    public init(mode: UInt32) { self.mode = mode }
}

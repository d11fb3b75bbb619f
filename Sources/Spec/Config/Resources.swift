/// Limits of the container's cgroup. Source: config-linux.md#control-groups; rows RD, RM, RC, RB, RH, RU.
///
/// Also the content of `update --resources`. A value that is absent is left alone.

/// All limits.
public struct Resources: Equatable, Sendable {
    /// The object's place in the document.
    public var origin = Origin.none
    /// The device rules in their order (RD-01); nil: no rules at all (RD-07).
    public var devices: [DeviceRule]?
    /// Memory (RM-01).
    public var memory: Memory?
    /// CPU (RC-01).
    public var cpu: CPU?
    /// Block devices (RB-01).
    public var blockIO: BlockIO?
    /// Huge pages (RH-01).
    public var hugepageLimits: [HugepageLimit] = []
    /// Network classes and priorities, cgroup v1 only (RH-04).
    public var network: Network?
    /// The number of processes: -1 is no limit (RH-07).
    public var pids: Located<Int64>?
    /// RDMA handles and objects (RH-08).
    public var rdma: [RDMALimit] = []
    /// Files of cgroup v2, written as they are (RU-01).
    public var unified: [Pair] = []

    /// Makes no limits.
    public init() {}

    /// A rule of the device allow list (RD-02 to RD-05).
    public struct DeviceRule: Equatable, Sendable {
        /// Its place in the document.
        public var origin = Origin.none
        /// Which devices: `a`, `b` or `c`.
        public enum Kind: UInt8, Equatable, Sendable {
            /// All devices: the numbers do not count.
            case all
            /// Block devices.
            case block
            /// Character devices.
            case character
        }
        /// Whether access is granted or taken away.
        public var allow: Bool
        /// The kind.
        public var kind = Kind.all
        /// The major number; nil: any.
        public var major: UInt32?
        /// The minor number; nil: any.
        public var minor: UInt32?
        /// Reading.
        public var read = true
        /// Writing.
        public var write = true
        /// Making nodes.
        public var mknod = true

        /// Makes a rule for all access to all devices.
        public init(allow: Bool) { self.allow = allow }
    }

    /// Memory limits in bytes; -1 is no limit (RM-02 to RM-11).
    public struct Memory: Equatable, Sendable {
        /// The hard limit; 0 counts as absent.
        public var limit: Located<Int64>?
        /// The soft limit.
        public var reservation: Located<Int64>?
        /// Memory and swap together.
        public var swap: Located<Int64>?
        /// Kernel memory, deprecated and ignored.
        public var kernel: Located<Int64>?
        /// Kernel TCP memory, deprecated and ignored.
        public var kernelTCP: Located<Int64>?
        /// A percentage, 0...100.
        public var swappiness: Located<UInt64>?
        /// Whether the OOM killer is off.
        public var disableOOMKiller: Located<Bool>?
        /// Whether children count towards the limit.
        public var useHierarchy: Located<Bool>?
        /// Whether an update below the current usage is refused.
        public var checkBeforeUpdate: Located<Bool>?

        /// Makes no limits.
        public init() {}
    }

    /// CPU limits (RC-01 to RC-09).
    public struct CPU: Equatable, Sendable {
        /// Relative weight, 2...262144; 0 counts as absent.
        public var shares: Located<UInt64>?
        /// Microseconds a period; -1 is no limit.
        public var quota: Located<Int64>?
        /// Microseconds.
        public var burst: Located<UInt64>?
        /// Microseconds.
        public var period: Located<UInt64>?
        /// Microseconds.
        public var realtimeRuntime: Located<Int64>?
        /// Microseconds.
        public var realtimePeriod: Located<UInt64>?
        /// A list such as "0-3,7".
        public var cpus: Located<String>?
        /// A list of memory nodes.
        public var mems: Located<String>?
        /// 0 or 1.
        public var idle: Located<Int64>?

        /// Makes no limits.
        public init() {}
    }

    /// Block device limits (RB-01 to RB-07).
    public struct BlockIO: Equatable, Sendable {
        /// 10...1000; 0 counts as absent.
        public var weight: Located<UInt16>?
        /// 10...1000, cgroup v1 only.
        public var leafWeight: Located<UInt16>?
        /// Weights of single devices.
        public var weightDevice: [WeightDevice] = []
        /// Bytes a second.
        public var throttleReadBps: [Throttle] = []
        /// Bytes a second.
        public var throttleWriteBps: [Throttle] = []
        /// Operations a second.
        public var throttleReadIOPS: [Throttle] = []
        /// Operations a second.
        public var throttleWriteIOPS: [Throttle] = []

        /// Makes no limits.
        public init() {}
    }

    /// A device's weight (RB-04, RB-05).
    public struct WeightDevice: Equatable, Sendable {
        /// Its place in the document.
        public var origin = Origin.none
        /// The device's major number.
        public var major: UInt32
        /// The device's minor number.
        public var minor: UInt32
        /// The weight, 10...1000.
        public var weight: UInt16?
        /// The weight, 10...1000.
        public var leafWeight: UInt16?

        /// Makes a device without weights.
        public init(major: UInt32, minor: UInt32) {
            self.major = major
            self.minor = minor
        }
    }

    /// A device's rate (RB-06, RB-07); 0 removes the limit.
    public struct Throttle: Equatable, Sendable {
        /// Its place in the document.
        public var origin = Origin.none
        /// The device's major number.
        public var major: UInt32
        /// The device's minor number.
        public var minor: UInt32
        /// The rate.
        public var rate: UInt64

        /// Makes a limit.
        public init(major: UInt32, minor: UInt32, rate: UInt64) {
            self.major = major
            self.minor = minor
            self.rate = rate
        }
    }

    /// A limit of huge pages of one size (RH-02, RH-03).
    public struct HugepageLimit: Equatable, Sendable {
        /// Its place in the document.
        public var origin = Origin.none
        /// The size, as "2MB".
        public var pageSize: String
        /// Bytes.
        public var limit: UInt64

        /// Makes a limit.
        public init(pageSize: String, limit: UInt64) {
            self.pageSize = pageSize
            self.limit = limit
        }
    }

    /// net_cls and net_prio (RH-04 to RH-06).
    public struct Network: Equatable, Sendable {
        /// The class of the container's packets.
        public var classID: Located<UInt32>?
        /// Interfaces' priorities.
        public var priorities: [Located<Priority>] = []

        /// An interface's priority.
        public struct Priority: Equatable, Sendable {
            /// The interface in the runtime's network namespace.
            public var name: String
            /// Its priority.
            public var priority: UInt32

            /// Makes a priority.
            public init(name: String, priority: UInt32) {
                self.name = name
                self.priority = priority
            }
        }

        /// Makes no limits.
        public init() {}
    }

    /// An RDMA device's limits (RH-08, RH-09).
    public struct RDMALimit: Equatable, Sendable {
        /// Its place in the document.
        public var origin = Origin.none
        /// The device's name.
        public var device: String
        /// Handles.
        public var hcaHandles: UInt32?
        /// Objects.
        public var hcaObjects: UInt32?

        /// Makes a device without limits.
        public init(device: String) { self.device = device }
    }
}

/// What the kernel has counted for a container, as data: the same for every layout of hierarchies.
///
/// Times are nanoseconds, sizes bytes. What a host does not count is zero or absent.

/// The statistics of a container's cgroup.
public struct CgroupStatistics: Equatable, Sendable {
    /// Processor time.
    public var cpu = CPU()
    /// The processors and memory nodes it may use.
    public var cpuset = CPUSet()
    /// Memory.
    public var memory = Memory()
    /// Processes.
    public var pids = Pids()
    /// Block devices.
    public var blockIO = BlockIO()
    /// Huge pages, a row for each size.
    public var hugePages: [HugePages] = []
    /// What of RDMA devices is in use.
    public var rdmaCurrent: [RDMADevice] = []
    /// How much of RDMA devices may be used.
    public var rdmaLimit: [RDMADevice] = []
    /// Resources of the controller misc.
    public var misc: [Misc] = []

    /// Makes statistics of nothing.
    public init() {}

    /// Processor time.
    public struct CPU: Equatable, Sendable {
        /// All of it.
        public var total: UInt64 = 0
        /// In the kernel.
        public var kernel: UInt64 = 0
        /// Outside of the kernel.
        public var user: UInt64 = 0
        /// By processor, where the host counts so (v1).
        public var perCPU: [UInt64] = []
        /// In the kernel, by processor.
        public var perCPUKernel: [UInt64] = []
        /// Outside of the kernel, by processor.
        public var perCPUUser: [UInt64] = []
        /// Periods in which the quota was enforced.
        public var periods: UInt64 = 0
        /// Those in which it was used up.
        public var throttledPeriods: UInt64 = 0
        /// How long processes waited for the next period.
        public var throttledTime: UInt64 = 0
        /// Pressure.
        public var pressure: Pressure?
    }

    /// A cpuset.
    public struct CPUSet: Equatable, Sendable {
        /// Processors.
        public var cpus: [UInt32] = []
        /// Memory nodes.
        public var mems: [UInt32] = []
        /// The flags of cgroup v1 by the names of their files less "cpuset.", in the order of the file names' table.
        public var flags: [UInt64] = [UInt64](repeating: 0, count: CPUSet.flagNames.count)
        /// v1's sched_relax_domain_level.
        public var relaxDomainLevel: Int64 = 0

        /// The flags' names.
        public static let flagNames = [
            "cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page", "memory_spread_slab",
            "memory_pressure", "sched_load_balance",
        ]
    }

    /// One of the counters of memory.
    public struct MemoryUse: Equatable, Sendable {
        /// The limit; the highest number: none.
        public var limit: UInt64 = 0
        /// What is in use.
        public var usage: UInt64 = 0
        /// The most that ever was in use.
        public var maximum: UInt64 = 0
        /// How often the limit was hit.
        public var failures: UInt64 = 0
    }

    /// A named number.
    public struct Counter: Equatable, Sendable {
        /// Its name.
        public var name: String
        /// The number.
        public var value: UInt64
    }

    /// Memory.
    public struct Memory: Equatable, Sendable {
        /// The page cache.
        public var cache: UInt64 = 0
        /// All memory.
        public var usage = MemoryUse()
        /// Memory and swap together.
        public var swap = MemoryUse()
        /// The kernel's memory.
        public var kernel = MemoryUse()
        /// The memory of TCP's buffers.
        public var kernelTCP = MemoryUse()
        /// memory.stat, in the kernel's order.
        public var raw: [Counter] = []
        /// How often limits had consequences, by the names of memory.events.
        public var events: [Counter] = []
        /// Pressure.
        public var pressure: Pressure?
    }

    /// Processes.
    public struct Pids: Equatable, Sendable {
        /// How many there are.
        public var current: UInt64 = 0
        /// How many there may be; 0: no limit.
        public var limit: UInt64 = 0
    }

    /// A count of one block device.
    public struct BlockIOEntry: Equatable, Sendable {
        /// The device's major number.
        public var major: UInt64
        /// Its minor number.
        public var minor: UInt64
        /// What is counted: "Read", "Write"; empty where the kernel does not tell apart.
        public var operation = ""
        /// The count.
        public var value: UInt64
    }

    /// Block devices.
    public struct BlockIO: Equatable, Sendable {
        /// Bytes moved.
        public var serviceBytes: [BlockIOEntry] = []
        /// Operations done.
        public var serviced: [BlockIOEntry] = []
        /// Operations that wait.
        public var queued: [BlockIOEntry] = []
        /// Time that operations took.
        public var serviceTime: [BlockIOEntry] = []
        /// Time that operations waited.
        public var waitTime: [BlockIOEntry] = []
        /// Operations merged into others.
        public var merged: [BlockIOEntry] = []
        /// Time that devices worked for the cgroup.
        public var time: [BlockIOEntry] = []
        /// Sectors moved.
        public var sectors: [BlockIOEntry] = []
        /// Pressure.
        public var pressure: Pressure?
    }

    /// Huge pages of one size.
    public struct HugePages: Equatable, Sendable {
        /// The size as cgroup files have it: "2MB".
        public var pageSize: String
        /// Bytes in use.
        public var usage: UInt64 = 0
        /// The most that ever were in use (v1).
        public var maximum: UInt64 = 0
        /// How often the limit was hit.
        public var failures: UInt64 = 0
    }

    /// An RDMA device.
    public struct RDMADevice: Equatable, Sendable {
        /// Its name.
        public var name: String
        /// Handles; nil: without a limit.
        public var handles: UInt64?
        /// Objects; nil: without a limit.
        public var objects: UInt64?
    }

    /// A resource of the controller misc.
    public struct Misc: Equatable, Sendable {
        /// Its name.
        public var name: String
        /// How much of it is in use.
        public var usage: UInt64 = 0
        /// How often its limit was hit.
        public var events: UInt64 = 0
    }
}

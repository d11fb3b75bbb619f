/// Which files of v1 hierarchies tell what. Pure: how a file is read comes in.

extension CgroupStatistics {
    /// Reads the statistics of v1 hierarchies, and what pressure the unified one beside them knows.
    ///
    /// - Parameter pageSizes: The host's sizes of huge pages: "2MB".
    /// - Source: Documentation/admin-guide/cgroup-v1.
    init(v1 files: StatisticsReader, pageSizes: [String]) throws(CgroupError) {
        cpu = try CPU(v1: files)
        cpuset = try CPUSet(v1: files)
        memory = try Memory(v1: files)
        pids = try Pids(files)
        blockIO = try BlockIO(v1: files)
        for size in pageSizes {
            guard let usage = try files.read("hugetlb", "hugetlb.\(size).usage_in_bytes") else { continue }
            hugePages.append(
                HugePages(
                    pageSize: size, usage: try usage.number(), maximum: try files.number("hugetlb", "hugetlb.\(size).max_usage_in_bytes"),
                    failures: try files.number("hugetlb", "hugetlb.\(size).failcnt")))
        }
        try readDevices(files)
    }

    /// What is the same in both versions.
    mutating func readDevices(_ files: StatisticsReader) throws(CgroupError) {
        rdmaCurrent = try files.read("rdma", "rdma.current")?.rdmaDevices() ?? []
        rdmaLimit = try files.read("rdma", "rdma.max")?.rdmaDevices() ?? []
        let events = try files.counters("misc", "misc.events")
        for counter in try files.counters("misc", "misc.current") {
            misc.append(Misc(name: counter.name, usage: counter.value, events: events[counter.name + ".max"]))
        }
    }
}

/// USER_HZ, in which cpuacct.stat counts: 100 on every architecture.
private let nanosecondsPerTick: UInt64 = 10_000_000

extension CgroupStatistics.CPU {
    fileprivate init(v1 files: StatisticsReader) throws(CgroupError) {
        total = try files.number("cpuacct", "cpuacct.usage")
        perCPU = try files.read("cpuacct", "cpuacct.usage_percpu")?.numbers() ?? []
        if let modes = try files.read("cpuacct", "cpuacct.usage_all")?.usageByMode() {
            perCPUKernel = modes.kernel
            perCPUUser = modes.user
        }
        let ticks = try files.counters("cpuacct", "cpuacct.stat")
        user = ticks["user"] &* nanosecondsPerTick
        kernel = ticks["system"] &* nanosecondsPerTick
        let bandwidth = try files.counters("cpu", "cpu.stat")
        periods = bandwidth["nr_periods"]
        throttledPeriods = bandwidth["nr_throttled"]
        throttledTime = bandwidth["throttled_time"]
        pressure = try files.read("", "cpu.pressure")?.pressure()
    }
}

extension CgroupStatistics.CPUSet {
    fileprivate init(v1 files: StatisticsReader) throws(CgroupError) {
        cpus = try files.read("cpuset", "cpuset.cpus")?.list() ?? []
        mems = try files.read("cpuset", "cpuset.mems")?.list() ?? []
        for (index, name) in Self.flagNames.enumerated() { flags[index] = try files.number("cpuset", "cpuset." + name) }
        relaxDomainLevel = try files.read("cpuset", "cpuset.sched_relax_domain_level")?.signedNumber() ?? 0
    }
}

extension CgroupStatistics.Memory {
    fileprivate init(v1 files: StatisticsReader) throws(CgroupError) {
        raw = try files.counters("memory", "memory.stat")
        cache = raw["cache"]
        usage = try .init(v1: files, "memory")
        swap = try .init(v1: files, "memory.memsw")
        kernel = try .init(v1: files, "memory.kmem")
        kernelTCP = try .init(v1: files, "memory.kmem.tcp")
        // oom_kill is there since Linux 4.13; the other numbers are settings.
        events = try files.counters("memory", "memory.oom_control").filter { $0.name == "oom_kill" }
        pressure = try files.read("", "memory.pressure")?.pressure()
    }
}

extension CgroupStatistics.MemoryUse {
    fileprivate init(v1 files: StatisticsReader, _ prefix: String) throws(CgroupError) {
        limit = try files.number("memory", prefix + ".limit_in_bytes")
        usage = try files.number("memory", prefix + ".usage_in_bytes")
        maximum = try files.number("memory", prefix + ".max_usage_in_bytes")
        failures = try files.number("memory", prefix + ".failcnt")
    }
}

extension CgroupStatistics.Pids {
    /// The files are the same in both versions.
    init(_ files: StatisticsReader) throws(CgroupError) {
        current = try files.number("pids", "pids.current")
        let maximum = try files.number("pids", "pids.max")
        limit = maximum == .max ? 0 : maximum
    }
}

extension CgroupStatistics.BlockIO {
    /// Which scheduler counts depends on the kernel and the device: BFQ, the old CFQ, or none, and then throttling does.
    fileprivate init(v1 files: StatisticsReader) throws(CgroupError) {
        func first(_ name: String, orThrottle: Bool = false) throws(CgroupError) -> [CgroupStatistics.BlockIOEntry] {
            let throttling = orThrottle ? ["blkio.throttle.\(name)_recursive", "blkio.throttle.\(name)"] : []
            for file in ["blkio.bfq.\(name)_recursive", "blkio.\(name)_recursive"] + throttling {
                if let entries = try files.read("blkio", file)?.blockIOEntries(), !entries.isEmpty { return entries }
            }
            return []
        }
        serviceBytes = try first("io_service_bytes", orThrottle: true)
        serviced = try first("io_serviced", orThrottle: true)
        queued = try first("io_queued")
        serviceTime = try first("io_service_time")
        waitTime = try first("io_wait_time")
        merged = try first("io_merged")
        time = try first("time")
        sectors = try first("sectors")
        pressure = try files.read("", "io.pressure")?.pressure()
    }
}

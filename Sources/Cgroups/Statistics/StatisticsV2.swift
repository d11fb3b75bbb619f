/// Which files of cgroup v2 tell what. Pure: how a file is read comes in.

extension CgroupStatistics {
    /// Reads the statistics of cgroup v2.
    ///
    /// - Parameter pageSizes: The host's sizes of huge pages: "2MB".
    /// - Source: Documentation/admin-guide/cgroup-v2.rst.
    init(v2 files: StatisticsReader, pageSizes: [String]) throws(CgroupError) {
        cpu = try CPU(v2: files)
        cpuset.cpus = try files.read("cpuset", "cpuset.cpus.effective")?.list() ?? []
        cpuset.mems = try files.read("cpuset", "cpuset.mems.effective")?.list() ?? []
        memory = try Memory(v2: files)
        pids = try Pids(files)
        blockIO = try files.read("io", "io.stat")?.ioStat() ?? BlockIO()
        blockIO.pressure = try files.read("io", "io.pressure")?.pressure()
        for size in pageSizes {
            guard let usage = try files.read("hugetlb", "hugetlb.\(size).current") else { continue }
            let failures = try files.counters("hugetlb", "hugetlb.\(size).events")["max"]
            hugePages.append(HugePages(pageSize: size, usage: try usage.number(), failures: failures))
        }
        try readDevices(files)
    }
}

extension CgroupStatistics.CPU {
    /// cpu.stat counts microseconds.
    fileprivate init(v2 files: StatisticsReader) throws(CgroupError) {
        let counters = try files.counters("cpu", "cpu.stat")
        total = counters["usage_usec"] &* 1000
        user = counters["user_usec"] &* 1000
        kernel = counters["system_usec"] &* 1000
        periods = counters["nr_periods"]
        throttledPeriods = counters["nr_throttled"]
        throttledTime = counters["throttled_usec"] &* 1000
        pressure = try files.read("cpu", "cpu.pressure")?.pressure()
    }
}

extension CgroupStatistics.Memory {
    fileprivate init(v2 files: StatisticsReader) throws(CgroupError) {
        raw = try files.counters("memory", "memory.stat")
        cache = raw["file"]
        events = try files.counters("memory", "memory.events")
        usage.usage = try files.number("memory", "memory.current")
        usage.limit = try files.number("memory", "memory.max")
        usage.maximum = try files.number("memory", "memory.peak")
        usage.failures = events["max"]
        kernel.usage = raw["kernel"]
        if let swapped = try files.read("memory", "memory.swap.current")?.number() {
            // Engines know the sum, as v1 has it: v2 counts swap alone. The highest sum of both is not known.
            let swapLimit = try files.number("memory", "memory.swap.max")
            let (sum, isTooMuch) = swapLimit.addingReportingOverflow(usage.limit)
            swap.usage = swapped &+ usage.usage
            swap.limit = isTooMuch ? .max : sum
            swap.failures = try files.counters("memory", "memory.swap.events")["max"]
        }
        pressure = try files.read("memory", "memory.pressure")?.pressure()
    }
}

import Testing

@testable import Cgroups

/// A host's statistics files; files of controllers as "controller/file", those of the unified hierarchy beside v1 as "/file".
private func reader(_ files: [String: String], takesControllers: Bool = true) -> StatisticsReader {
    StatisticsReader { controller, file throws(CgroupError) in
        files[takesControllers ? "\(controller)/\(file)" : file].map { StatisticsText(path: "/cg/\(file)", text: $0) }
    }
}

private func text(_ text: String) -> StatisticsText { StatisticsText(path: "/cg/file", text: text) }

@Suite("Statistics files, form by form")
struct StatisticsFormTests {
    @Test("a number, and the highest for \"max\"")
    func number() throws {
        #expect(try text("0").number() == 0)
        #expect(try text("9223372036854771712").number() == 9_223_372_036_854_771_712)
        #expect(try text("max").number() == .max)
        #expect(try text("-1").signedNumber() == -1)
    }

    @Test("what is no number is an error that names the file", arguments: ["", "x", "-1", "1 2", "18446744073709551616"])
    func noNumber(_ content: String) {
        #expect(throws: CgroupError("read", "/cg/file", problem: "it holds something unexpected", value: content)) {
            try text(content).number()
        }
    }

    @Test("named numbers keep the kernel's order")
    func counters() throws {
        let counters = try text("nr_periods 10\nnr_throttled 3\nthrottled_time 0").counters()
        #expect(counters.map(\.name) == ["nr_periods", "nr_throttled", "throttled_time"])
        #expect(counters["nr_throttled"] == 3)
        #expect(counters["nothing"] == 0)
        #expect(throws: CgroupError.self) { try text("nr_periods").counters() }
        #expect(throws: CgroupError.self) { try text("nr_periods many").counters() }
    }

    @Test(
        "lists of processors",
        arguments: [("", []), ("0", [0]), ("0-2", [0, 1, 2]), ("0-1,4,6-7", [0, 1, 4, 6, 7])] as [(String, [UInt32])])
    func list(_ content: String, _ expected: [UInt32]) throws { #expect(try text(content).list() == expected) }

    @Test("what is no list is refused", arguments: ["a", "1-", "-1", "2-1", "0-1-2", "0-99999999"])
    func noList(_ content: String) { #expect(throws: CgroupError.self) { try text(content).list() } }

    @Test("pressure is exact to the hundredth")
    func pressure() throws {
        let pressure = try text(
            """
            some avg10=1.50 avg60=0.07 avg300=12.34 total=123456
            full avg10=0.00 avg60=0.00 avg300=100.00 total=7
            """
        ).pressure()
        #expect(pressure.some.average10.text == "1.5")
        #expect(pressure.some.average60.text == "0.07")
        #expect(pressure.some.average300.text == "12.34")
        #expect(pressure.some.total == 123_456)
        #expect(pressure.full.average10.text == "0")
        #expect(pressure.full.average300.text == "100")
    }

    @Test(
        "what is no pressure is refused",
        arguments: [
            "half avg10=0.00 avg60=0.00 avg300=0.00 total=0", "some avg10=0.0 avg60=0.00 avg300=0.00 total=0", "some", "some a b c d",
        ])
    func noPressure(_ content: String) { #expect(throws: CgroupError.self) { try text(content).pressure() } }

    @Test("blkio counts have a device and perhaps an operation; the sum of all is left out")
    func blockIO() throws {
        let entries = try text("8:0 Read 4096\n8:0 Total 4096\n253:1 7\nTotal 4096").blockIOEntries()
        #expect(
            entries == [
                .init(major: 8, minor: 0, operation: "Read", value: 4096), .init(major: 8, minor: 0, operation: "Total", value: 4096),
                .init(major: 253, minor: 1, value: 7),
            ])
        #expect(throws: CgroupError.self) { try text("8 Read 1").blockIOEntries() }
    }

    @Test("io.stat counts bytes and operations by device; others' words are passed over, and a device without any")
    func ioStat() throws {
        let result = try text("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.usage=9\n7:0\n").ioStat()
        #expect(
            result.serviceBytes.map { "\($0.major):\($0.minor) \($0.operation) \($0.value)" } == [
                "8:0 Read 1", "8:0 Write 2", "8:0 Discard 5",
            ])
        #expect(result.serviced.map(\.value) == [3, 4, 6])
    }

    @Test("RDMA devices, with a limit or without")
    func rdma() throws {
        #expect(
            try text("mlx4_0 hca_handle=2 hca_object=max").rdmaDevices() == [.init(name: "mlx4_0", handles: 2, objects: nil)])
    }

    @Test(
        "page sizes have the names that cgroup files have",
        arguments: [("hugepages-64kB", "64KB"), ("hugepages-2048kB", "2MB"), ("hugepages-1048576kB", "1GB"), ("other", nil)]
            as [(String, String?)])
    func pageSizes(_ directory: String, _ expected: String?) { #expect(StatisticsText.pageSize(directory: directory) == expected) }
}

@Suite("Statistics of a container")
struct StatisticsTests {
    @Test("nothing is zero where a host has nothing")
    func nothing() throws {
        #expect(try CgroupStatistics(v1: reader([:]), pageSizes: ["2MB"]) == CgroupStatistics())
        #expect(try CgroupStatistics(v2: reader([:]), pageSizes: ["2MB"]) == CgroupStatistics())
    }

    @Test("v1: each value comes from its controller, times are nanoseconds")
    func versionOne() throws {
        let files = [
            "cpuacct/cpuacct.usage": "10482919", "cpuacct/cpuacct.usage_percpu": "7526154 2956765",
            "cpuacct/cpuacct.usage_all": "cpu user system\n0 4000000 4000001\n1 2 3", "cpuacct/cpuacct.stat": "user 2\nsystem 3",
            "cpu/cpu.stat": "nr_periods 5\nnr_throttled 4\nthrottled_time 300", "/cpu.pressure": pressureFile,
            "cpuset/cpuset.cpus": "0-1", "cpuset/cpuset.mems": "0", "cpuset/cpuset.sched_load_balance": "1",
            "cpuset/cpuset.sched_relax_domain_level": "-1", "memory/memory.stat": "cache 4096\nrss 53248",
            "memory/memory.usage_in_bytes": "512000", "memory/memory.limit_in_bytes": "9223372036854771712",
            "memory/memory.max_usage_in_bytes": "2527232", "memory/memory.failcnt": "1", "memory/memory.memsw.usage_in_bytes": "512001",
            "memory/memory.kmem.usage_in_bytes": "274432", "memory/memory.kmem.tcp.limit_in_bytes": "7",
            "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2", "pids/pids.current": "3", "pids/pids.max": "max",
            "blkio/blkio.bfq.io_service_bytes_recursive": "Total 0", "blkio/blkio.throttle.io_service_bytes_recursive": "8:0 Read 4096",
            "blkio/blkio.throttle.io_serviced": "8:0 Read 1", "blkio/blkio.time_recursive": "8:0 9",
            "hugetlb/hugetlb.2MB.usage_in_bytes": "2097152", "hugetlb/hugetlb.2MB.max_usage_in_bytes": "4194304",
            "hugetlb/hugetlb.2MB.failcnt": "6", "rdma/rdma.current": "mlx4_0 hca_handle=2 hca_object=3",
            "misc/misc.current": "sev 3", "misc/misc.events": "sev.max 1",
        ]
        let statistics = try CgroupStatistics(v1: reader(files), pageSizes: ["1GB", "2MB"])
        var expected = CgroupStatistics()
        expected.cpu.total = 10_482_919
        expected.cpu.perCPU = [7_526_154, 2_956_765]
        expected.cpu.perCPUUser = [4_000_000, 2]
        expected.cpu.perCPUKernel = [4_000_001, 3]
        (expected.cpu.user, expected.cpu.kernel) = (20_000_000, 30_000_000)
        (expected.cpu.periods, expected.cpu.throttledPeriods, expected.cpu.throttledTime) = (5, 4, 300)
        expected.cpu.pressure = .init(some: .init(total: 8), full: .init(total: 9))
        (expected.cpuset.cpus, expected.cpuset.mems, expected.cpuset.relaxDomainLevel) = ([0, 1], [0], -1)
        expected.cpuset.flags[7] = 1
        expected.memory.raw = [.init(name: "cache", value: 4096), .init(name: "rss", value: 53_248)]
        expected.memory.cache = 4096
        expected.memory.usage = .init(limit: 9_223_372_036_854_771_712, usage: 512_000, maximum: 2_527_232, failures: 1)
        expected.memory.swap.usage = 512_001
        expected.memory.kernel.usage = 274_432
        expected.memory.kernelTCP.limit = 7
        expected.memory.events = [.init(name: "oom_kill", value: 2)]
        expected.pids.current = 3
        expected.blockIO.serviceBytes = [.init(major: 8, minor: 0, operation: "Read", value: 4096)]
        expected.blockIO.serviced = [.init(major: 8, minor: 0, operation: "Read", value: 1)]
        expected.blockIO.time = [.init(major: 8, minor: 0, value: 9)]
        expected.hugePages = [.init(pageSize: "2MB", usage: 2_097_152, maximum: 4_194_304, failures: 6)]
        expected.rdmaCurrent = [.init(name: "mlx4_0", handles: 2, objects: 3)]
        expected.misc = [.init(name: "sev", usage: 3, events: 1)]
        #expect(statistics == expected)
    }

    @Test("v2: microseconds become nanoseconds, swap is the sum of both, limits of none are the highest number")
    func versionTwo() throws {
        let files = [
            "cpu.stat": "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 1\nnr_throttled 1\nthrottled_usec 4",
            "cpu.pressure": pressureFile,
            "cpuset.cpus.effective": "0,2", "cpuset.mems.effective": "0", "memory.stat": "anon 1\nfile 4096\nkernel 77",
            "memory.current": "8192", "memory.max": "max", "memory.peak": "9000", "memory.swap.current": "100", "memory.swap.max": "500",
            "memory.swap.events": "high 0\nmax 2\nfail 0", "memory.events": "low 0\nhigh 1\nmax 5\noom 2\noom_kill 1",
            "memory.pressure": pressureFile,
            "pids.current": "1", "pids.max": "100", "io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6",
            "io.pressure": pressureFile, "hugetlb.2MB.current": "2097152", "hugetlb.2MB.events": "max 3",
            "rdma.max": "mlx4_0 hca_handle=max hca_object=9",
        ]
        let statistics = try CgroupStatistics(v2: reader(files, takesControllers: false), pageSizes: ["2MB"])
        var expected = CgroupStatistics()
        (expected.cpu.total, expected.cpu.user, expected.cpu.kernel) = (5000, 3000, 2000)
        (expected.cpu.periods, expected.cpu.throttledPeriods, expected.cpu.throttledTime) = (1, 1, 4000)
        let pressure = Pressure(some: .init(total: 8), full: .init(total: 9))
        (expected.cpu.pressure, expected.memory.pressure, expected.blockIO.pressure) = (pressure, pressure, pressure)
        (expected.cpuset.cpus, expected.cpuset.mems) = ([0, 2], [0])
        expected.memory.raw = [.init(name: "anon", value: 1), .init(name: "file", value: 4096), .init(name: "kernel", value: 77)]
        expected.memory.cache = 4096
        expected.memory.usage = .init(limit: .max, usage: 8192, maximum: 9000, failures: 5)
        expected.memory.swap = .init(limit: .max, usage: 8292, failures: 2)
        expected.memory.kernel.usage = 77
        expected.memory.events = [("low", 0), ("high", 1), ("max", 5), ("oom", 2), ("oom_kill", 1)].map { .init(name: $0.0, value: $0.1) }
        (expected.pids.current, expected.pids.limit) = (1, 100)
        expected.blockIO.serviceBytes = [("Read", 1), ("Write", 2), ("Discard", 5)].map {
            .init(major: 8, minor: 0, operation: $0.0, value: $0.1)
        }
        expected.blockIO.serviced = [("Read", 3), ("Write", 4), ("Discard", 6)].map {
            .init(major: 8, minor: 0, operation: $0.0, value: $0.1)
        }
        expected.hugePages = [.init(pageSize: "2MB", usage: 2_097_152, failures: 3)]
        expected.rdmaLimit = [.init(name: "mlx4_0", handles: nil, objects: 9)]
        #expect(statistics == expected)
    }

    @Test("a controller's directory is the one below its own mount point, the unified one for what needs none")
    func directories() {
        var record = CgroupRecord()
        record.paths = ["/cg/cpu,cpuacct/c", "/cg/memory/c", "/cg/freezer/c", "/cg/unified/c"]
        record.unified = "/cg/unified/c"
        #expect(record.directory(of: "cpuacct", in: Host.hybrid) == "/cg/cpu,cpuacct/c")
        #expect(record.directory(of: "memory", in: Host.hybrid) == "/cg/memory/c")
        #expect(record.directory(of: "pids", in: Host.hybrid) == nil)
        #expect(record.directory(of: "", in: Host.hybrid) == "/cg/unified/c")
        record.paths = ["/cg/c"]
        record.unified = "/cg/c"
        #expect(record.directory(of: "memory", in: Host.v2) == "/cg/c")
    }
}

private let pressureFile = """
    some avg10=0.00 avg60=0.00 avg300=0.00 total=8
    full avg10=0.00 avg60=0.00 avg300=0.00 total=9
    """

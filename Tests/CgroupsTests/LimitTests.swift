import Spec
import Testing

@testable import Cgroups

private let half: Int64 = 536_870_912
private let whole: Int64 = 1_073_741_824

@Suite("Limits as writes")
struct LimitTests {
    @Test(
        "shares become weights (RC-01)",
        arguments: [
            (1, 1), (2, 1), (3, 2), (10, 4), (100, 17), (256, 35), (512, 59), (1000, 99), (1024, 100), (1025, 101), (2048, 174),
            (4096, 303), (8192, 532), (65536, 3023), (131072, 5478), (262143, 10000), (262144, 10000), (300000, 10000),
        ] as [(UInt64, UInt64)])
    func weight(shares: UInt64, weight: UInt64) throws {
        #expect(try writes(Host.v2) { $0.cpu = cpu { $0.shares = at(shares) } } == ["cpu.weight=\(weight)"])
    }

    @Test(
        "memory and swap on v2 (RM-04)",
        arguments: [
            (nil, nil, []), (half, nil, ["memory.max=536870912"]), (half, half, ["memory.swap.max=0", "memory.max=536870912"]),
            (half, whole, ["memory.swap.max=536870912", "memory.max=536870912"]),
            (half, -1, ["memory.swap.max=max", "memory.max=536870912"]), (half, 0, ["memory.max=536870912"]),
            (-1, nil, ["memory.swap.max=max", "memory.max=max"]), (-1, whole, ["memory.swap.max=1073741824", "memory.max=max"]),
            (0, 0, []),
        ] as [(Int64?, Int64?, [String])])
    func swapV2(limit: Int64?, swap: Int64?, expected: [String]) throws {
        #expect(try writes(Host.v2) { $0.memory = memory(limit, swap) } == expected)
    }

    @Test(
        "memory and swap on v1 (RM-04)",
        arguments: [
            (half, nil, ["memory.limit_in_bytes=536870912"]),
            (half, half, ["memory.limit_in_bytes=536870912", "memory.memsw.limit_in_bytes=536870912"]),
            (half, -1, ["memory.limit_in_bytes=536870912", "memory.memsw.limit_in_bytes=-1"]),
            (-1, nil, ["memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1"]), (0, 0, []),
        ] as [(Int64?, Int64?, [String])])
    func swapV1(limit: Int64?, swap: Int64?, expected: [String]) throws {
        #expect(try writes(Host.v1) { $0.memory = memory(limit, swap) } == expected)
    }

    @Test(
        "swap without a limit or below it is refused on both versions (RM-04)",
        arguments: [(nil, whole), (whole, half)] as [(Int64?, Int64)])
    func badSwap(limit: Int64?, swap: Int64) {
        for layout in [Host.v1, Host.v2] {
            let error = refusal(layout) { $0.memory = memory(limit, swap) }
            #expect(error?.origin == somewhere)
            #expect(error?.value == "\(swap)")
        }
    }

    @Test("a missing swap file is only tolerated where it changes nothing (RM-04)")
    func swapAccounting() throws {
        for (layout, swap, isTolerated) in [
            (Host.v1, half, true), (Host.v1, whole, false), (Host.v1, -1, true), (Host.v2, half, true), (Host.v2, whole, false),
            (Host.v2, -1, true),
        ] {
            var resources = Resources()
            resources.memory = memory(half, swap)
            let plan = try CgroupPlan(cgroupsPath: nil, id: "c", layout: layout, resources: resources)
            let write = try #require(plan.writes.first { $0.file.contains("sw") })
            if case .tolerates = write.leniency { #expect(isTolerated) } else { #expect(!isTolerated) }
        }
    }

    @Test("limit and swap of v1 may change places, as the order depends on the old values (RM-05)")
    func order() throws {
        var resources = Resources()
        resources.memory = memory(half, whole)
        let plan = try CgroupPlan(cgroupsPath: nil, id: "c", layout: Host.v1, resources: resources)
        #expect(plan.writes.map(\.leniency) == [.mayFollowNext, .none])
        #expect(plan.writes.map(\.directory) == ["/cg/memory/swoci/c", "/cg/memory/swoci/c"])
        #expect(plan.writes.map(\.origin) == [somewhere, somewhere])
    }

    @Test("every limit on cgroup v1 (RM-08 to RM-10, RC-05, RC-06, RB-02 to RB-07, RH-08, RH-09)")
    func allV1() throws {
        let all = try writes(Host.v1, everything)
        #expect(
            all == [
                "memory.soft_limit_in_bytes=1000", "memory.use_hierarchy=1", "memory.limit_in_bytes=536870912",
                "memory.oom_control=1", "memory.swappiness=0",
                "cpu.idle=0", "cpu.shares=512", "cpu.cfs_period_us=50000", "cpu.cfs_quota_us=20000", "cpu.cfs_burst_us=1000",
                "cpu.rt_period_us=1000000", "cpu.rt_runtime_us=950000", "cpuset.cpus=0-1", "cpuset.mems=0", "pids.max=7",
                "hugetlb.2MB.rsvd.limit_in_bytes=0", "hugetlb.2MB.limit_in_bytes=0",
                "blkio.weight=500", "blkio.leaf_weight=300", "blkio.weight_device=8:0 100", "blkio.leaf_weight_device=8:0 200",
                "blkio.throttle.read_bps_device=8:0 5", "blkio.throttle.write_bps_device=8:0 0",
                "blkio.throttle.read_iops_device=8:0 6", "blkio.throttle.write_iops_device=8:0 7",
                "net_cls.classid=1048577", "net_prio.ifpriomap=eth0 5", "rdma.max=mlx5_0 hca_handle=3 hca_object=10000",
            ])
    }

    @Test("every limit that cgroup v2 has")
    func allV2() throws {
        let all = try writes(Host.v2) {
            everything(&$0)
            $0.memory?.disableOOMKiller = at(false)
            $0.memory?.swappiness = nil
            $0.cpu?.realtimePeriod = at(0)
            $0.cpu?.realtimeRuntime = nil
            $0.blockIO?.leafWeight = nil
            $0.blockIO?.weightDevice[0].leafWeight = nil
            $0.network = nil
            $0.unified = [
                Pair(key: "io.max", value: "8:16 rbps=1\n8:32 wbps=2", origin: Origin(node: 1)),
                Pair(key: "memory.high", value: "400", origin: Origin(node: 2)),
                Pair(key: "cgroup.max.depth", value: "3", origin: Origin(node: 3)),
            ]
        }
        #expect(
            all == [
                "memory.low=1000", "memory.max=536870912", "cpu.idle=0", "cpu.weight=59", "cpu.max=20000 50000",
                "cpu.max.burst=1000", "cpuset.cpus=0-1", "cpuset.mems=0", "pids.max=7", "hugetlb.2MB.rsvd.max=0", "hugetlb.2MB.max=0",
                "io.bfq.weight=500", "io.bfq.weight=8:0 100", "io.max=8:0 rbps=5", "io.max=8:0 wbps=max", "io.max=8:0 riops=6",
                "io.max=8:0 wiops=7", "rdma.max=mlx5_0 hca_handle=3 hca_object=10000", "io.max=8:16 rbps=1", "io.max=8:32 wbps=2",
                "memory.high=400", "cgroup.max.depth=3",
            ])
    }

    @Test("the controllers of v2 limits are needed, each once, with the first limit's place (CG-05)")
    func needed() throws {
        var resources = Resources()
        resources.memory = memory(half, whole)
        resources.pids = Located(3, Origin(node: 5))
        resources.unified = [Pair(key: "memory.high", value: "1", origin: Origin(node: 6))]
        let plan = try CgroupPlan(cgroupsPath: nil, id: "c", layout: Host.v2, resources: resources)
        #expect(plan.neededControllers.map(\.controller) == ["memory", "pids"])
        #expect(plan.neededControllers.map(\.origin) == [somewhere, Origin(node: 5)])
    }

    @Test(
        "weights of block devices have another file and scale without BFQ (RB-01)",
        arguments: [(10, 1), (11, 11), (100, 910), (500, 4950), (1000, 10000)] as [(UInt16, Int)])
    func ioWeight(weight: UInt16, expected: Int) throws {
        var resources = Resources()
        resources.blockIO = Resources.BlockIO()
        resources.blockIO?.weight = at(weight)
        let plan = try CgroupPlan(cgroupsPath: nil, id: "c", layout: Host.v2, resources: resources)
        #expect(plan.writes[0].leniency == .otherwise(file: "io.weight", value: "\(expected)"))
    }

    @Test("processes: -1 is max, 0 leaves the first one alone (RH-07)", arguments: [(-1, "max"), (0, "1"), (5, "5")] as [(Int64, String)])
    func pids(limit: Int64, expected: String) throws {
        for layout in [Host.v1, Host.v2] { #expect(try writes(layout) { $0.pids = at(limit) } == ["pids.max=\(expected)"]) }
    }

    @Test("one process more fits while a launch has two stages (RH-07)", arguments: [(1, "2"), (2, "2"), (5, "5")] as [(Int64, String)])
    func roomForStage(limit: Int64, expected: String) throws {
        var resources = Resources()
        resources.pids = at(limit)
        let plan = try CgroupPlan(cgroupsPath: nil, id: "c", layout: Host.v2, resources: resources)
        #expect(plan.writes.map(\.value) == ["\(limit)"])
        #expect(plan.withRoomForStage.writes.map(\.value) == [expected])
    }

    @Test("zeros of an update leave everything alone")
    func zeros() throws {
        for layout in [Host.v1, Host.v2] {
            let all = try writes(layout) {
                $0.memory = memory(0, 0)
                $0.memory?.reservation = at(0)
                $0.memory?.kernel = at(0)
                $0.cpu = cpu {
                    $0.shares = at(0)
                    $0.quota = at(0)
                    $0.period = at(0)
                    $0.realtimePeriod = at(0)
                    $0.realtimeRuntime = at(0)
                    $0.cpus = at("")
                    $0.mems = at("")
                }
                $0.blockIO = Resources.BlockIO()
                $0.blockIO?.weight = at(0)
                $0.blockIO?.leafWeight = at(0)
                $0.network = Resources.Network()
                $0.network?.classID = at(0)
            }
            #expect(all.isEmpty)
        }
    }

    @Test("a period without a quota keeps the quota, a quota without a period the period (RC-04)")
    func period() throws {
        var resources = Resources()
        resources.cpu = cpu { $0.period = at(50_000) }
        let plan = try CgroupPlan(cgroupsPath: nil, id: "c", layout: Host.v2, resources: resources)
        #expect(plan.writes.map(\.leniency) == [.keepsFirstField])
        #expect(plan.writes.map(\.value) == ["50000"])
        #expect(try writes(Host.v2) { $0.cpu = cpu { $0.quota = at(-1) } } == ["cpu.max=max"])
    }

    @Test("obsolete or clamped limits are remarked on, not refused (RM-06, RM-07, RC-01)")
    func warnings() throws {
        var resources = Resources()
        resources.memory = memory(half, nil)
        resources.memory?.kernel = at(5)
        resources.memory?.kernelTCP = at(5)
        resources.memory?.reservation = at(whole)
        resources.cpu = cpu { $0.shares = at(262_145) }
        let plan = try CgroupPlan(cgroupsPath: nil, id: "c", layout: Host.v1, resources: resources)
        #expect(plan.warnings.count == 4)
        #expect(plan.warnings.allSatisfy { $0.origin == somewhere })
        #expect(plan.writes.map(\.value) == ["5", "5", "\(whole)", "\(half)", "262144"])
        #expect(plan.writes.prefix(2).map(\.file) == ["memory.kmem.limit_in_bytes", "memory.kmem.tcp.limit_in_bytes"])
        for write in plan.writes.prefix(2) {
            guard case .tolerates = write.leniency else {
                Issue.record("\(write.file) is not tolerated where the kernel does not have it")
                continue
            }
        }
        resources.memory?.limit = nil
        #expect(try writes(Host.v2) { $0.memory = resources.memory }.map { $0.prefix(11) } == ["memory.low="])
    }

    private func everything(_ resources: inout Resources) {
        resources.memory = memory(half, nil)
        resources.memory?.reservation = at(1000)
        resources.memory?.useHierarchy = at(true)
        resources.memory?.disableOOMKiller = at(true)
        resources.memory?.swappiness = at(0)
        resources.cpu = cpu {
            $0.shares = at(512)
            $0.quota = at(20_000)
            $0.period = at(50_000)
            $0.burst = at(1000)
            $0.idle = at(0)
            $0.realtimePeriod = at(1_000_000)
            $0.realtimeRuntime = at(950_000)
            $0.cpus = at("0-1")
            $0.mems = at("0")
        }
        resources.pids = at(7)
        resources.hugepageLimits = [.init(pageSize: "2MB", limit: 0)]
        var blockIO = Resources.BlockIO()
        blockIO.weight = at(500)
        blockIO.leafWeight = at(300)
        blockIO.weightDevice = [.init(major: 8, minor: 0)]
        blockIO.weightDevice[0].weight = 100
        blockIO.weightDevice[0].leafWeight = 200
        blockIO.throttleReadBps = [.init(major: 8, minor: 0, rate: 5)]
        blockIO.throttleWriteBps = [.init(major: 8, minor: 0, rate: 0)]
        blockIO.throttleReadIOPS = [.init(major: 8, minor: 0, rate: 6)]
        blockIO.throttleWriteIOPS = [.init(major: 8, minor: 0, rate: 7)]
        resources.blockIO = blockIO
        resources.network = Resources.Network()
        resources.network?.classID = at(0x100001)
        resources.network?.priorities = [at(.init(name: "eth0", priority: 5))]
        resources.rdma = [.init(device: "mlx5_0")]
        resources.rdma[0].hcaHandles = 3
        resources.rdma[0].hcaObjects = 10_000
    }
}

/// Limits that are refused, with a name: the control file or the row.
struct Refused: Sendable {
    let name: String
    let change: @Sendable (inout Resources) -> Void

    init(_ name: String, _ change: @escaping @Sendable (inout Resources) -> Void) {
        self.name = name
        self.change = change
    }
}

@Suite("Limits that are refused name their place")
struct RefusalTests {
    @Test(
        "what only v1 has is an error on v2 (RU-01, RM-08 to RM-10, RC-05, RC-06, RB-02, RH-04, RH-05)",
        arguments: [
            Refused("memory.swappiness") { $0.memory = memory(nil, nil) { $0.swappiness = at(10) } },
            Refused("memory.oom_control") { $0.memory = memory(nil, nil) { $0.disableOOMKiller = at(true) } },
            Refused("memory.use_hierarchy") { $0.memory = memory(nil, nil) { $0.useHierarchy = at(false) } },
            Refused("cpu.rt_runtime_us") { $0.cpu = cpu { $0.realtimeRuntime = at(1) } },
            Refused("cpu.rt_period_us") { $0.cpu = cpu { $0.realtimePeriod = at(1) } },
            Refused("blkio.leaf_weight") { $0.blockIO = blockIO { $0.leafWeight = at(10) } },
            Refused("net_cls.classid") { $0.network = network { $0.classID = at(1) } },
            Refused("net_prio.ifpriomap") { $0.network = network { $0.priorities = [at(.init(name: "e", priority: 1))] } },
        ])
    func onlyV1(row: Refused) throws {
        let refused = refusal(Host.v2, row.change)
        let error = try #require(refused)
        #expect(error.path == row.name)
        #expect(error.origin == somewhere)
        #expect(refusal(Host.v1, row.change) == nil)
    }

    @Test(
        "values that no kernel takes are errors on both versions",
        arguments: [
            Refused("swappiness (RM-08)") { $0.memory = memory(nil, nil) { $0.swappiness = at(101) } },
            Refused("quota (RC-02)") { $0.cpu = cpu { $0.quota = at(999) } },
            Refused("negative quota (RC-02)") { $0.cpu = cpu { $0.quota = at(-2) } },
            Refused("period (RC-04)") { $0.cpu = cpu { $0.period = at(999) } },
            Refused("burst (RC-03)") {
                $0.cpu = cpu {
                    $0.quota = at(5000)
                    $0.burst = at(5001)
                }
            },
            Refused("idle (RC-09)") { $0.cpu = cpu { $0.idle = at(2) } },
            Refused("weight (RB-01)") { $0.blockIO = blockIO { $0.weight = at(9) } },
            Refused("weight (RB-01)") { $0.blockIO = blockIO { $0.weight = at(1001) } },
            Refused("pids (RH-07)") { $0.pids = at(-2) },
        ])
    func invalid(row: Refused) {
        for layout in [Host.v1, Host.v2] { #expect(refusal(layout, row.change)?.origin == somewhere, "\(row.name)") }
    }

    @Test("a page size that is not one is no file name (RH-02)", arguments: ["../x", "2MB/..", "", "MB", "0MB", "2", "2mb"])
    func pageSize(size: String) {
        let error = refusal(Host.v2) {
            $0.hugepageLimits = [.init(pageSize: size, limit: 1)]
            $0.hugepageLimits[0].origin = somewhere
        }
        #expect(error?.origin == somewhere)
    }

    @Test("a limit without its controller is an error that names it, never left out")
    func missingController() throws {
        let refused = refusal(Host.hybrid) { $0.pids = at(5) }
        let error = try #require(refused)
        #expect(error.problem == "this host has no cgroup controller \"pids\"")
        #expect(error.path == "pids.max")
        #expect(error.origin == somewhere)
    }

    @Test("beside v1 hierarchies, limits of what only cgroup v2 has go there, and its controllers are enabled (CG-03, CG-05)")
    func hybrid() throws {
        var layout = Host.hybrid
        layout.hierarchies[3].controllers = ["hugetlb", "io", "rdma", "misc"]
        var resources = Resources()
        resources.memory = memory(half, nil)
        resources.hugepageLimits = [.init(pageSize: "2MB", limit: 4096)]
        resources.blockIO = blockIO { $0.throttleReadBps = [.init(major: 8, minor: 0, rate: 5)] }
        resources.unified = [
            Pair(key: "misc.max", value: "sgx 1", origin: somewhere), Pair(key: "cgroup.max.depth", value: "3", origin: somewhere),
        ]
        let plan = try CgroupPlan(cgroupsPath: nil, id: "c", layout: layout, resources: resources)
        #expect(
            plan.writes.map { "\($0.directory)/\($0.file)" } == [
                "/cg/memory/swoci/c/memory.limit_in_bytes", "/cg/unified/swoci/c/hugetlb.2MB.rsvd.max",
                "/cg/unified/swoci/c/hugetlb.2MB.max", "/cg/unified/swoci/c/io.max", "/cg/unified/swoci/c/misc.max",
                "/cg/unified/swoci/c/cgroup.max.depth",
            ])
        #expect(plan.neededControllers.map { $0.controller } == ["hugetlb", "io", "misc"])
        let refused = refusal(layout) { $0.unified = [Pair(key: "memory.high", value: "1", origin: somewhere)] }
        #expect(refused?.problem == "resources.unified needs cgroup v2, and this host has cgroup v1")
        #expect(refusal(layout) { $0.memory = memory(half, nil) { $0.swappiness = at(7) } } == nil)
    }

    @Test("a key of unified is a file name and needs v2 (RU-01)", arguments: ["", ".", "..", "a/b", "../memory.max", "nosuch.file"])
    func unifiedKey(key: String) {
        #expect(refusal(Host.v2) { $0.unified = [Pair(key: key, value: "1", origin: somewhere)] }?.origin == somewhere)
        #expect(refusal(Host.v1) { $0.unified = [Pair(key: "memory.max", value: "1", origin: somewhere)] }?.origin == somewhere)
    }

    @Test("a unified key that contradicts a limit is an error, one that repeats it is not (RU-01)")
    func conflict() throws {
        func change(_ value: String) -> (inout Resources) -> Void {
            {
                $0.memory = memory(half, nil)
                $0.unified = [Pair(key: "memory.max", value: value, origin: Origin(node: 2))]
            }
        }
        #expect(refusal(Host.v2, change("5"))?.problem == "another limit of the config already sets this file to 536870912")
        #expect(try writes(Host.v2, change("536870912")) == ["memory.max=536870912"])
    }
}

private func memory(_ limit: Int64?, _ swap: Int64?, _ change: (inout Resources.Memory) -> Void = { _ in }) -> Resources.Memory {
    var memory = Resources.Memory()
    memory.limit = limit.map { at($0) }
    memory.swap = swap.map { at($0) }
    change(&memory)
    return memory
}

private func cpu(_ change: (inout Resources.CPU) -> Void) -> Resources.CPU {
    var cpu = Resources.CPU()
    change(&cpu)
    return cpu
}

private func blockIO(_ change: (inout Resources.BlockIO) -> Void) -> Resources.BlockIO {
    var blockIO = Resources.BlockIO()
    change(&blockIO)
    return blockIO
}

private func network(_ change: (inout Resources.Network) -> Void) -> Resources.Network {
    var network = Resources.Network()
    change(&network)
    return network
}

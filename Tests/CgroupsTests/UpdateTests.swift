import Foundation
import Linux
import Spec
import Testing

@testable import Cgroups

private let mebibyte: Int64 = 1 << 20

private func record(of layout: CgroupLayout) -> CgroupRecord {
    var record = CgroupRecord()
    record.paths = layout.hierarchies.map { $0.mountPoint + "/swoci/c" }
    return record
}

private func memory(_ limit: Int64?, _ swap: Int64? = nil, _ change: (inout Resources.Memory) -> Void = { _ in }) -> Resources {
    var memory = Resources.Memory()
    memory.limit = limit.map { at($0) }
    memory.swap = swap.map { at($0) }
    change(&memory)
    var resources = Resources()
    resources.memory = memory
    return resources
}

private func cpu(_ change: (inout Resources.CPU) -> Void) -> Resources {
    var resources = Resources()
    resources.cpu = Resources.CPU()
    change(&resources.cpu!)
    return resources
}

private func devices(_ rules: String...) -> Resources {
    var resources = Resources()
    resources.devices = rules.map { text in
        let words = text.split(separator: " ")
        var rule = Resources.DeviceRule(allow: words[0] == "allow")
        guard words.count > 1 else { return rule }
        rule.kind = words[1] == "c" ? .character : .block
        let numbers = words[2].split(separator: ":")
        rule.major = UInt32(numbers[0])
        rule.minor = UInt32(numbers[1])
        rule.read = words[3].contains("r")
        rule.write = words[3].contains("w")
        rule.mknod = words[3].contains("m")
        return rule
    }
    return resources
}

private func writes(_ layout: CgroupLayout, _ update: Resources, over recorded: Resources = Resources()) throws -> [String] {
    try CgroupUpdate(update, recorded: recorded, record: record(of: layout), layout: layout).writes.map { "\($0.file)=\($0.value)" }
}

@Suite("Updates as writes")
struct UpdateTests {
    @Test("only what is named is written")
    func named() throws {
        for layout in [Host.v1, Host.v2] {
            #expect(try writes(layout, Resources(), over: memory(64 * mebibyte, 128 * mebibyte)).isEmpty)
            #expect(try writes(layout, cpu { $0.shares = at(1024) }, over: memory(64 * mebibyte)).count == 1)
        }
    }

    @Test("the limit of memory and swap stays what it was when the memory limit moves (RM-04)")
    func swapOnV2() throws {
        let recorded = memory(64 * mebibyte, 128 * mebibyte)
        #expect(
            try writes(Host.v2, memory(100 * mebibyte), over: recorded) == [
                "memory.swap.max=\(28 * mebibyte)", "memory.max=\(100 * mebibyte)",
            ])
        #expect(try writes(Host.v2, memory(nil, 256 * mebibyte), over: recorded) == ["memory.swap.max=\(192 * mebibyte)"])
        #expect(try writes(Host.v1, memory(100 * mebibyte), over: recorded) == ["memory.limit_in_bytes=\(100 * mebibyte)"])
        #expect(try writes(Host.v1, memory(nil, 256 * mebibyte), over: recorded) == ["memory.memsw.limit_in_bytes=\(256 * mebibyte)"])
        #expect(try writes(Host.v2, memory(-1), over: recorded) == ["memory.swap.max=max", "memory.max=max"])
        #expect(try writes(Host.v2, memory(100 * mebibyte), over: memory(64 * mebibyte, -1)) == ["memory.max=\(100 * mebibyte)"])
    }

    @Test("a memory limit above that of memory and swap in force is refused, and swap without any memory limit (RM-04)")
    func swapInTheWay() {
        for layout in [Host.v1, Host.v2] {
            #expect(throws: CgroupError.self) { try writes(layout, memory(129 * mebibyte), over: memory(64 * mebibyte, 128 * mebibyte)) }
            #expect(throws: CgroupError.self) { try writes(layout, memory(nil, mebibyte)) }
        }
    }

    @Test("the OOM killer of v1 comes back on, and a usage that is looked at is looked at later as well (RM-09, RM-11)")
    func switches() throws {
        let off = memory(nil) { $0.disableOOMKiller = at(true) }
        let on = memory(nil) { $0.disableOOMKiller = at(false) }
        #expect(try writes(Host.v1, on, over: off) == ["memory.oom_control=0"])
        #expect(try writes(Host.v1, on).isEmpty)
        let checked = memory(nil) { $0.checkBeforeUpdate = at(true) }
        let update = try CgroupUpdate(
            memory(mebibyte, 2 * mebibyte), recorded: checked, record: record(of: Host.v1), layout: Host.v1)
        #expect(update.writes.map(\.usage?.file) == ["memory.usage_in_bytes", "memory.memsw.usage_in_bytes"])
    }

    @Test("an idle group takes no shares, and gets them back when it is idle no more (RC-01, RC-09)")
    func idle() throws {
        let idle = cpu {
            $0.idle = at(1)
            $0.shares = at(512)
        }
        #expect(try writes(Host.v2, cpu { $0.shares = at(700) }, over: idle).isEmpty)
        #expect(try writes(Host.v2, cpu { $0.idle = at(0) }, over: idle) == ["cpu.idle=0", "cpu.weight=59"])
        #expect(try writes(Host.v1, cpu { $0.idle = at(0) }, over: idle) == ["cpu.idle=0", "cpu.shares=512"])
    }

    @Test("a burst in force bounds the quota, a quota in force the burst (RC-03)")
    func burst() {
        let recorded = cpu {
            $0.quota = at(50_000)
            $0.burst = at(20_000)
        }
        for layout in [Host.v1, Host.v2] {
            #expect(throws: CgroupError.self) { try writes(layout, cpu { $0.quota = at(10_000) }, over: recorded) }
            #expect(throws: CgroupError.self) { try writes(layout, cpu { $0.burst = at(60_000) }, over: recorded) }
            #expect(throws: Never.self) { try writes(layout, cpu { $0.quota = at(-1) }, over: recorded) }
        }
    }

    @Test("only the container's own directories are written to, wherever the record says they are")
    func directories() throws {
        var record = CgroupRecord()
        record.paths = ["/cg/memory/other/place", "/cg/unified/other/place"]
        let update = try CgroupUpdate(memory(mebibyte), recorded: Resources(), record: record, layout: Host.hybrid)
        #expect(update.writes.map(\.path) == ["/cg/memory/other/place/memory.limit_in_bytes"])
        #expect(throws: CgroupError.self) {
            try CgroupUpdate(cpu { $0.shares = at(2) }, recorded: Resources(), record: record, layout: Host.hybrid)
        }
    }

    @Test("device rules of v1 change one by one, without a moment in which more or less is allowed than before or after (RD-01)")
    func deviceSteps() throws {
        let before = devices("deny", "allow c 10:200 rwm", "allow b 8:0 rw")
        #expect(try writes(Host.v1, before, over: before).isEmpty)
        #expect(
            try writes(Host.v1, devices("deny", "allow c 10:200 r", "allow b 8:1 r"), over: before) == [
                "devices.allow=b 8:1 r", "devices.deny=c 10:200 wm", "devices.deny=b 8:0 rw",
            ])
        #expect(try writes(Host.v1, devices("allow"), over: before) == ["devices.allow=a"])
        #expect(throws: CgroupError.self) { try writes(Host.v1, devices("allow", "deny b 8:0 rwm"), over: before) }
        let update = try CgroupUpdate(
            devices("deny", "allow b 8:1 r"), recorded: before, record: record(of: Host.v1), layout: Host.v1)
        #expect(
            Cgroup.undo(of: update).map(\.value) == ["c 10:200 rwm", "b 8:0 rw", "b 8:1 r"], "first what is missing, then what is too much")
    }

    @Test(
        "files of cgroup v2 that are no limits are refused, with the reason (RU-01, CG-04)",
        arguments: ["cgroup.type", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "cgroup.freeze", "cgroup.kill"])
    func acts(file: String) throws {
        let error = try #require(refusal(Host.v2) { $0.unified = [Pair(key: file, value: "1", origin: somewhere)] })
        #expect(error.path == file)
        #expect(error.origin == somewhere)
        #expect(try CgroupsTests.writes(Host.v2) { $0.unified = [Pair(key: "cgroup.max.descendants", value: "1")] }.count == 1)
    }

    @Test("no rules in an update leave the filter alone (RD-07)")
    func noDevices() throws {
        var empty = Resources()
        empty.devices = []
        let recorded = devices("deny", "allow c 10:200 rwm")
        for update in [empty, Resources(), recorded] {
            let plan = try CgroupUpdate(update, recorded: recorded, record: record(of: Host.v2), layout: Host.v2)
            #expect(plan.deviceProgram == nil)
        }
        let plan = try CgroupUpdate(devices("deny"), recorded: recorded, record: record(of: Host.v2), layout: Host.v2)
        #expect(plan.deviceProgram != nil)
        #expect(plan.oldProgram != nil)
    }
}

@Suite("The way back from a write")
struct UndoTests {
    @Test(
        "what a file says is what is written back, line by line where it has lines",
        arguments: [
            ("pids.max", "5", "max", "max"), ("cpuset.cpus", "0", "", "\n"), ("cpu.max", "20000 50000", "max 100000", "max 100000"),
            ("memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 3", "0"),
            ("io.max", "8:0 rbps=5", "8:16 rbps=1 wbps=max riops=max wiops=max", "8:0 rbps=max"),
            ("io.max", "8:0 rbps=5", "8:0 rbps=7 wbps=max riops=max wiops=max", "8:0 rbps=7 wbps=max riops=max wiops=max"),
            ("blkio.throttle.read_bps_device", "8:0 5", "", "8:0 0"), ("blkio.throttle.read_bps_device", "8:0 5", "8:0 9\n8:16 4", "8:0 9"),
            ("blkio.weight_device", "8:0 100", "8:16 3", "8:0 default"), ("io.weight", "200", "default 100\n8:0 50", "100"),
            ("io.weight", "8:16 200", "default 100\n8:0 50", "8:16 default"), ("io.bfq.weight", "200", "100", "100"),
            ("net_prio.ifpriomap", "eth0 5", "lo 0\neth0 3", "eth0 3"),
            ("rdma.max", "mlx5_0 hca_handle=3", "mlx5_0 hca_handle=max hca_object=max", "mlx5_0 hca_handle=max hca_object=max"),
            ("misc.max", "sev 3", "sev max\nsev_es 4", "sev max"),
        ] as [(String, String, String, String)])
    func oldValue(file: String, value: String, text: String, expected: String) {
        #expect(CgroupUndo.oldValue(of: file, for: value, in: text) == expected)
    }

    @Test("what was written is written back, the last first, and what is refused again after the rest")
    func restore() throws {
        let directory = NSTemporaryDirectory() + "swoci-undo-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (name, text) in [("a", "1\n"), ("b", "2\n"), ("cpu.idle", "0\n"), ("cpu.shares", "512\n")] {
            try Data(text.utf8).write(to: URL(filePath: directory + "/" + name))
        }
        func write(_ file: String, _ value: String) -> CgroupWrite { CgroupWrite(directory: directory, file: file, value: value) }
        let undo = ["a", "gone", "b", "cpu.idle"].flatMap { CgroupUndo.before(write($0, "9")) }
        #expect(undo.map(\.value) == ["1", "2", "512", "0"])
        Cgroup.restore(undo.reversed() + [CgroupUndo(path: directory + "/gone", value: "3")])
        #expect(try readText(directory + "/a").hasPrefix("1"))
    }
}

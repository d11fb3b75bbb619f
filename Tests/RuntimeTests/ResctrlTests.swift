import Foundation
import Linux
import Spec
import Testing

@testable import Runtime

private func plan(_ change: (inout IntelRdt) -> Void) -> ResctrlPlan {
    var config = IntelRdt()
    change(&config)
    return ResctrlPlan(config, containerID: "box")
}

@Suite("Resource control: what a config asks for")
struct ResctrlPlanTests {
    @Test("without closID the class is the container's own, named like it (RT-02)")
    func own() {
        let plan = plan { $0.l3CacheSchema = Located("L3:0=f") }
        #expect(plan.kind == .own)
        #expect(plan.group == "box")
        #expect(plan.monitor == nil)
        #expect(ResctrlRecord(plan, root: "/r").directories == ["/r/box"])
    }

    @Test("closID with a schema is made or compared, without one it must exist, and / is the default class (RT-02)")
    func named() {
        #expect(plan { ($0.closID, $0.schemata) = (Located("gold"), [Located("L2:0=1")]) }.kind == .shared)
        #expect(plan { $0.closID = Located("gold") }.kind == .existing)
        let standard = plan { ($0.closID, $0.l3CacheSchema) = (Located("/"), Located("L3:0=f")) }
        #expect(standard.kind == .standard)
        #expect(standard.group == "")
        #expect(ResctrlRecord(plan { $0.closID = Located("gold") }, root: "/r").directories == [])
    }

    @Test("the cache's line is first, then the bandwidth's, then the rest, in one text (RT-03 to RT-05)")
    func order() {
        let plan = plan {
            $0.schemata = [Located("L2:0=3"), Located("SMBA:0=8")]
            $0.memBwSchema = Located("MB:0=50")
            $0.l3CacheSchema = Located("L3:0=f")
        }
        #expect(plan.text == "L3:0=f\nMB:0=50\nL2:0=3\nSMBA:0=8\n")
    }

    @Test("a monitoring group goes before its class, and alone where the class stays (RT-06, RT-08)")
    func monitoring() {
        #expect(ResctrlRecord(plan { $0.enableMonitoring = true }, root: "/r").directories == ["/r/box/mon_groups/box", "/r/box"])
        let shared = plan { ($0.closID, $0.enableMonitoring) = (Located("gold"), true) }
        #expect(ResctrlRecord(shared, root: "/r").directories == ["/r/gold/mon_groups/box"])
        let standard = plan { ($0.closID, $0.enableMonitoring) = (Located("/"), true) }
        #expect(ResctrlRecord(standard, root: "/r").directories == ["/r/mon_groups/box"])
    }

    @Test(
        "a schema is compared by resource and domain, however its numbers are written",
        arguments: [
            ("L3:0=7f0;1=1f", nil), ("L3:1=1F", nil), ("L3:0=000007f0", nil), ("MB:0=100", nil), ("L3:0=7f1", "L3:0=7f1"),
            ("L3:2=1f", "L3:2=1f"), ("L2:0=1", "L2:0=1"), ("MB:0=10", "MB:0=10"),
        ] as [(String, String?)])
    func comparison(line: String, mismatch: String?) {
        let plan = plan { ($0.closID, $0.schemata) = (Located("gold"), [Located(line)]) }
        #expect(plan.mismatch(with: "    L3:0=007f0;1=0001f\n    MB:0= 100;1= 100")?.value == mismatch)
    }

    @Test("resctrl is found in the mount table by its type")
    func mountTable() {
        let table = """
            22 1 0:20 / /sys rw - sysfs sysfs rw
            30 22 0:28 / /sys/fs/resctrl rw,relatime shared:7 - resctrl resctrl rw
            """
        #expect(Resctrl.mountPoint(in: table) == "/sys/fs/resctrl")
        #expect(Resctrl.mountPoint(in: "22 1 0:20 / /resctrl rw - sysfs resctrl rw") == nil)
    }
}

/// A directory that looks like a resctrl tree.
private final class FakeTree {
    let root = NSTemporaryDirectory() + "resctrl-\(UUID().uuidString)"
    var tree: Resctrl { Resctrl(root: root) }

    init() throws { try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: root) }

    func group(_ name: String, schemata: String) throws {
        try FileManager.default.createDirectory(atPath: "\(root)/\(name)/mon_groups", withIntermediateDirectories: true)
        try schemata.write(toFile: "\(root)/\(name)/schemata", atomically: false, encoding: .utf8)
    }

    func text(_ name: String) -> String? { try? String(contentsOfFile: "\(root)/\(name)", encoding: .utf8) }
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(name)") }
}

@Suite("Resource control: on a tree")
struct ResctrlTests {
    @Test("a class is made, gets its lines and the process, and is removed (RT-01, RT-02, RT-08)")
    func own() throws {
        let fake = try FakeTree()
        let plan = plan { ($0.l3CacheSchema, $0.memBwSchema) = (Located("L3:0=f"), Located("MB:0=50")) }
        try fake.tree.check(plan)
        try fake.tree.make(plan)
        try fake.tree.place(4242, plan)
        #expect(fake.text("box/schemata") == "L3:0=f\nMB:0=50\n")
        #expect(fake.text("box/tasks") == "4242")
        // The kernel's files go with their directory; these do not.
        for file in ["schemata", "tasks"] { try FileManager.default.removeItem(atPath: "\(fake.root)/box/\(file)") }
        let record = ResctrlRecord(plan, root: fake.root)
        try Resctrl.remove(record)
        #expect(!fake.has("box"))
        try Resctrl.remove(record)
    }

    @Test("a class of the container's name that is there already is refused, not taken over")
    func taken() throws {
        let fake = try FakeTree()
        try fake.group("box", schemata: "L3:0=f")
        #expect(throws: Failure.self) { try fake.tree.check(plan { $0.l3CacheSchema = Located("L3:0=f") }) }
    }

    @Test("a named class with the same schema is used as it is, with another it is refused (RT-02)")
    func shared() throws {
        let fake = try FakeTree()
        try fake.group("gold", schemata: "    L3:0=0f\n")
        let same = plan { ($0.closID, $0.l3CacheSchema) = (Located("gold"), Located("L3:0=f")) }
        try fake.tree.check(same)
        try fake.tree.make(same)
        #expect(fake.text("gold/schemata") == "    L3:0=0f\n")
        let other = plan { ($0.closID, $0.l3CacheSchema) = (Located("gold"), Located("L3:0=ff")) }
        do throws(Failure) {
            try fake.tree.check(other)
            Issue.record("another schema was accepted")
        } catch {
            #expect(error.message.contains("another schema than \"L3:0=ff\""))
        }
    }

    @Test("a named class without a schema must be there (RT-02)")
    func existing() throws {
        let fake = try FakeTree()
        let gold = plan { $0.closID = Located("gold") }
        #expect(throws: Failure.self) { try fake.tree.check(gold) }
        try fake.group("gold", schemata: "L3:0=f")
        try fake.tree.check(gold)
    }

    @Test("a monitoring group is made below its class and gets the process as well (RT-06)")
    func monitoring() throws {
        let fake = try FakeTree()
        try fake.group("gold", schemata: "L3:0=f")
        let plan = plan { ($0.closID, $0.enableMonitoring) = (Located("gold"), true) }
        try fake.tree.check(plan)
        try fake.tree.make(plan)
        try fake.tree.place(7, plan)
        #expect(fake.text("gold/tasks") == "7")
        #expect(fake.text("gold/mon_groups/box/tasks") == "7")
        #expect(throws: Failure.self) { try fake.tree.check(plan) }
    }

    @Test("where the monitoring group cannot be made, the class made before it is gone, and the kernel's words are told (RT-06)")
    func undone() throws {
        let fake = try FakeTree()
        try FileManager.default.createDirectory(atPath: "\(fake.root)/info", withIntermediateDirectories: true)
        try "unknown domain\n".write(toFile: "\(fake.root)/info/last_cmd_status", atomically: false, encoding: .utf8)
        // No mon_groups below a directory that is no class: the kernel makes it, this tree does not.
        do throws(Failure) {
            try fake.tree.make(plan { $0.enableMonitoring = true })
            Issue.record("made a monitoring group nowhere")
        } catch {
            #expect(error.message.contains("unknown domain"))
        }
        #expect(!fake.has("box"))
    }

    @Test("an update writes lines into the container's own class at once, and can take them back (RT-03, RT-04, CLI-13)")
    func change() throws {
        let fake = try FakeTree()
        try fake.group("box", schemata: "L3:0=ff\nMB:0=90\n")
        let record = ResctrlRecord(plan { _ in }, root: fake.root)
        let lines = [(option: "l3-cache-schema", line: "L3:0=0f"), (option: "mem-bw-schema", line: "MB:0=50")]
        let undo = try #require(try Resctrl.change(record, lines))
        #expect(fake.text("box/schemata") == "L3:0=0f\nMB:0=50\n")
        undo.restore()
        #expect(fake.text("box/schemata") == "L3:0=ff\nMB:0=90\n")
        #expect(try Resctrl.change(record, []) == nil)
    }

    @Test("an update changes no class that others share, and none that is gone (RT-02, CLI-13)")
    func changeRefused() throws {
        let fake = try FakeTree()
        try fake.group("gold", schemata: "L3:0=f")
        let line = [(option: "l3-cache-schema", line: "L3:0=1")]
        for shared in [
            plan { $0.closID = Located("gold") }, plan { ($0.closID, $0.enableMonitoring) = (Located("gold"), true) },
            plan { ($0.closID, $0.enableMonitoring) = (Located("/"), true) },
        ] {
            let refused = failure { () throws(Failure) in _ = try Resctrl.change(ResctrlRecord(shared, root: fake.root), line) }
            #expect(refused?.message.contains("--l3-cache-schema") == true)
            #expect(refused?.message.contains("no class of service of its own") == true)
        }
        #expect(fake.text("gold/schemata") == "L3:0=f")
        let own = ResctrlRecord(plan { $0.l3CacheSchema = Located("L3:0=f") }, root: fake.root)
        #expect(failure { () throws(Failure) in _ = try Resctrl.change(own, line) }?.errno == .noEntry)
        #expect(!fake.has("box"))
    }
}

import Dispatch
import Foundation
import Linux
import Spec
import Testing

@testable import Cgroups

/// Whether this process may make cgroups on this host.
private let mayMakeCgroups = geteuid() == 0 && (try? CgroupLayout.detect()).map { access($0.hierarchies[0].mountPoint, W_OK) == 0 } ?? false

/// A sleeping child of this process.
private final class Sleeper {
    let process = Process()
    var pid: Int32 { process.processIdentifier }

    init(_ script: String = "exec sleep 100") throws {
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script]
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
}

@Suite("On this host's cgroups, as root", .enabled(if: mayMakeCgroups), .serialized)
struct LiveTests {
    private let name = "swoci-test-\(getpid())"

    private func plan(_ path: String, _ change: (inout Resources) -> Void = { _ in }) throws -> CgroupPlan {
        var resources = Resources()
        change(&resources)
        return try CgroupPlan(cgroupsPath: at(path), id: "c", layout: try CgroupLayout.detect(), resources: resources)
    }

    private func leftovers(_ name: String) throws -> [String] {
        try CgroupLayout.detect().hierarchies.map { "\($0.mountPoint)/\(name)" }.filter { access($0, F_OK) == 0 }
    }

    private func isIn(_ pid: Int32, _ path: String) throws -> Bool {
        let lines = try String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8).split(separator: "\n")
        return lines.allSatisfy { $0.hasSuffix(path) }
    }

    @Test("directories of the same names that others made are not the container's (CG-09)")
    func identity() throws {
        let plan = try plan("/\(name)-identity")
        try Cgroup.make(plan)
        let record = try plan.record(exists: { _ in false }).identified()
        #expect(record.inodes.count == record.paths.count)
        #expect(try record.verified() == record)
        for path in record.paths {
            rmdir(path)
            mkdir(path, 0o755)
        }
        defer { for path in record.paths { rmdir(path) } }
        let verified = try record.verified()
        #expect(verified.paths.isEmpty && verified.created.isEmpty && verified.unified == nil && verified.freezer == nil)
        try Cgroup.remove(record)
        #expect(try leftovers("\(name)-identity").count == record.paths.count)
    }

    @Test("the root of a hierarchy is nobody's cgroup, and neither is what is no cgroup (CG-09)")
    func roots() throws {
        for path in [try CgroupLayout.detect().hierarchies[0].mountPoint, "/", "/tmp"] {
            var record = CgroupRecord()
            record.paths = [path]
            record.created = [path]
            #expect(throws: CgroupError.self) { try Cgroup.remove(record) }
            #expect(throws: CgroupError.self) { try Cgroup.killAll(record, signal: 0) }
            #expect(throws: CgroupError.self) { try Cgroup.pids(record) }
        }
    }

    @Test("a process placed in a cgroup is in every hierarchy; removal kills it and leaves nothing")
    func makePlaceRemove() throws {
        let plan = try plan("/\(name)/pod/c") { $0.pids = at(9) }
        let record = plan.record()
        try Cgroup.make(plan)
        let sleeper = try Sleeper()
        try Cgroup.place(sleeper.pid, in: record)
        #expect(try isIn(sleeper.pid, "/\(name)/pod/c"))
        #expect(try Cgroup.pids(record) == [sleeper.pid])
        #expect(throws: CgroupError.self) { try Cgroup.make(plan) }
        try Cgroup.remove(record)
        sleeper.process.waitUntilExit()
        #expect(sleeper.process.terminationStatus == SIGKILL)
        #expect(try leftovers(name).isEmpty)
        // Again, as after an interruption.
        try Cgroup.remove(record)
    }

    @Test("a process that is in the cgroup is named where a container wants it (CG-02)")
    func notEmpty() throws {
        let plan = try plan("/\(name)")
        try Cgroup.make(plan)
        let sleeper = try Sleeper()
        try Cgroup.place(sleeper.pid, in: plan.record())
        do {
            try Cgroup.make(plan)
            Issue.record("took a cgroup that is in use")
        } catch {
            #expect(error.problem == "container's cgroup is not empty: 1 process(es) found")
            #expect(error.value == "\(sleeper.pid)")
        }
        let mine = plan.record { _ in false }
        try Cgroup.remove(mine)
        #expect(try leftovers(name).isEmpty)
    }

    @Test("limits arrive in their files")
    func limits() throws {
        let plan = try plan("/\(name)") {
            $0.pids = at(7)
            $0.memory = Resources.Memory()
            $0.memory?.limit = at(64 << 20)
            $0.memory?.swap = at(64 << 20)
            $0.cpu = Resources.CPU()
            $0.cpu?.shares = at(512)
            $0.cpu?.quota = at(20_000)
            $0.cpu?.period = at(40_000)
            $0.cpu?.cpus = at("0")
        }
        let record = plan.record()
        try Cgroup.make(plan)
        defer { #expect(throws: Never.self) { try Cgroup.remove(record) } }
        for write in plan.writes where !write.file.contains("sw") { #expect(try readText(write.path) == write.value, "\(write.path)") }
        // Lowering and raising both limits, in whichever order the kernel takes them (RM-05).
        for amount: Int64 in [32 << 20, 128 << 20] {
            var resources = Resources()
            resources.memory = Resources.Memory()
            resources.memory?.limit = at(amount)
            resources.memory?.swap = at(amount)
            let update = try CgroupUpdate(resources, recorded: Resources(), record: record, layout: try CgroupLayout.detect())
            try Cgroup.apply(update, undo: Cgroup.undo(of: update))
            for write in update.writes where write.value != "0" { #expect(try readText(write.path) == "\(amount)") }
        }
    }

    @Test("a value that the kernel refuses is an error with file, value and place")
    func refusedValue() throws {
        let plan = try plan("/\(name)") {
            $0.cpu = Resources.CPU()
            $0.cpu?.cpus = at("7777")
        }
        let record = plan.record()
        defer { #expect(throws: Never.self) { try Cgroup.remove(record) } }
        do {
            try Cgroup.make(plan)
            Issue.record("the kernel took CPU 7777")
        } catch {
            #expect(error.errno != nil)
            #expect(error.value == "7777")
            #expect(error.origin == somewhere)
            #expect(error.path.hasSuffix("/\(name)/cpuset.cpus"))
        }
    }

    @Test("a frozen container stands still, is killed all the same, and is removed (CG-10)")
    func freezer() throws {
        let plan = try plan("/\(name)")
        let record = plan.record()
        try Cgroup.make(plan)
        let sleeper = try Sleeper("while :; do :; done")
        try Cgroup.place(sleeper.pid, in: record)
        #expect(try !Cgroup.isFrozen(record))
        try Cgroup.freeze(record)
        #expect(try Cgroup.isFrozen(record))
        try Cgroup.thaw(record)
        #expect(try !Cgroup.isFrozen(record))
        try Cgroup.freeze(record)
        try Cgroup.remove(record)
        sleeper.process.waitUntilExit()
        #expect(try leftovers(name).isEmpty)
    }

    @Test("the v1 freezer alone works too, and does not keep SIGKILL from arriving")
    func freezerV1() throws {
        let plan = try plan("/\(name)")
        var record = plan.record()
        guard record.freezer != nil else { return }
        try Cgroup.make(plan)
        let sleeper = try Sleeper()
        try Cgroup.place(sleeper.pid, in: record)
        let unified = record.unified
        record.unified = nil
        try Cgroup.freeze(record)
        #expect(try Cgroup.isFrozen(record))
        try Cgroup.remove(record)
        record.unified = unified
        sleeper.process.waitUntilExit()
        #expect(sleeper.process.terminationStatus == SIGKILL)
        #expect(try leftovers(name).isEmpty)
    }

    @Test("processes that the container froze itself in a v1 freezer are killed too")
    func frozenByItself() throws {
        let plan = try plan("/\(name)")
        let record = plan.record()
        guard let freezer = record.freezer else { return }
        try Cgroup.make(plan)
        try makeDirectory(freezer + "/inner")
        let sleeper = try Sleeper()
        try Cgroup.place(sleeper.pid, in: record)
        try writeText("\(sleeper.pid)", to: freezer + "/inner/cgroup.procs")
        try writeText("FROZEN", to: freezer + "/inner/freezer.state")
        try Cgroup.remove(record)
        sleeper.process.waitUntilExit()
        #expect(try leftovers(name).isEmpty)
    }

    @Test("a signal for all reaches each process, and a paused container stays paused")
    func signalAll() throws {
        let plan = try plan("/\(name)")
        let record = plan.record()
        try Cgroup.make(plan)
        let sleepers = [try Sleeper(), try Sleeper()]
        for sleeper in sleepers { try Cgroup.place(sleeper.pid, in: record) }
        try Cgroup.freeze(record)
        // Children of a test inherit a mask that blocks most other signals.
        try Cgroup.killAll(record, signal: SIGPIPE)
        #expect(try Cgroup.isFrozen(record))
        try Cgroup.thaw(record)
        for sleeper in sleepers {
            sleeper.process.waitUntilExit()
            #expect(sleeper.process.terminationStatus == SIGPIPE)
        }
        try Cgroup.remove(record)
        #expect(try leftovers(name).isEmpty)
    }

    @Test("cgroups that the container made are removed with their processes, deepest first")
    func nested() throws {
        let plan = try plan("/\(name)")
        var record = plan.record()
        try Cgroup.make(plan)
        var inner = record
        inner.paths = record.paths.map { $0 + "/a" }
        for path in inner.paths {
            try makeDirectory(path)
            try makeDirectory(path + "/b")
        }
        let sleeper = try Sleeper()
        // Only where no cpuset needs filling first.
        inner.paths = record.paths.filter { !$0.contains("cpuset") }.map { $0 + "/a/b" }
        try Cgroup.place(sleeper.pid, in: inner)
        #expect(try Cgroup.pids(record) == [sleeper.pid])
        try Cgroup.remove(record)
        record.created = []
        #expect(try leftovers(name).isEmpty)
    }

    @Test("what was there before stays, without what the container left in it (LC-12)")
    func foreign() throws {
        let first = try plan("/\(name)")
        let owner = first.record()
        try Cgroup.make(first)
        let second = try plan("/\(name)")
        let record = second.record()
        #expect(record.created.isEmpty)
        try Cgroup.make(second)
        let sleeper = try Sleeper()
        try Cgroup.place(sleeper.pid, in: record)
        try Cgroup.remove(record)
        sleeper.process.waitUntilExit()
        #expect(try leftovers(name).count == owner.paths.count)
        try Cgroup.remove(owner)
        #expect(try leftovers(name).isEmpty)
    }

    @Test("a damaged record does not kill in the root of a hierarchy or outside of all")
    func damagedRecord() throws {
        let root = try CgroupLayout.detect().hierarchies[0].mountPoint
        for path in [root, "/tmp", root + "/.."] {
            var record = CgroupRecord()
            record.paths = [path]
            record.created = [path]
            #expect(throws: CgroupError.self) { try Cgroup.remove(record) }
        }
    }

    @Test("an entrance moves the calling thread and nobody else, into every v1 hierarchy")
    func entrance() throws {
        let plan = try plan("/\(name)")
        let record = plan.record()
        try Cgroup.make(plan)
        defer { #expect(throws: Never.self) { try Cgroup.remove(record) } }
        let count = record.paths.count - (record.unified == nil ? 0 : 1)
        let seen = Seen()
        let thread = Thread {
            guard let entrance = try? CgroupEntrance(record, skippingUnified: true) else { return }
            seen.refusal = entrance.enter().map { "\(entrance.path(of: $0.index)): \($0.errno.name)" }
            seen.thread = (try? String(contentsOfFile: "/proc/thread-self/cgroup", encoding: .utf8)) ?? ""
            seen.done.signal()
        }
        thread.start()
        #expect(seen.done.wait(timeout: .now() + 10) == .success)
        #expect(seen.refusal == nil)
        let others = try String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)
        #expect(seen.thread.split(separator: "\n").filter { $0.hasSuffix("/\(name)") }.count == count)
        #expect(!others.contains(name))
    }
}

/// What a thread saw.
private final class Seen: @unchecked Sendable {
    var refusal: String?
    var thread = ""
    let done = DispatchSemaphore(value: 0)
}

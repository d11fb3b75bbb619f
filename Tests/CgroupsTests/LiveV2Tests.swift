import Foundation
import Linux
import Spec
import Testing

@testable import Cgroups

/// The v2 hierarchy of this host, also where v1 hierarchies are beside it, with the controllers it really has.
private let unifiedHost: CgroupLayout? = {
    guard geteuid() == 0, let place = (try? CgroupLayout.detect())?.hierarchies.first(where: \.isUnified) else { return nil }
    guard access(place.mountPoint, W_OK) == 0 else { return nil }
    let controllers = (try? readText(place.mountPoint + "/cgroup.controllers")) ?? ""
    return CgroupLayout(hierarchies: [
        .init(mountPoint: place.mountPoint, controllers: split(controllers, " "), isUnified: true)
    ])
}()

@Suite("On this host's cgroup v2, as root", .enabled(if: unifiedHost != nil), .serialized)
final class LiveV2Tests {
    private let name = "swoci-test2-\(getpid())"
    private let host = unifiedHost ?? CgroupLayout(hierarchies: [])
    private let root: String
    private let enabledBefore: [String]

    init() throws {
        root = host.hierarchies[0].mountPoint + "/cgroup.subtree_control"
        enabledBefore = split(try readText(root), " ")
    }

    /// Leaves the host's controllers as they were.
    deinit {
        let enabled = (try? readText(root)).map { split($0, " ") } ?? []
        for name in enabled where !enabledBefore.contains(name) { try? writeText("-" + name, to: root) }
    }

    private func plan(_ path: String, _ change: (inout Resources) -> Void) throws -> CgroupPlan {
        var resources = Resources()
        change(&resources)
        return try CgroupPlan(cgroupsPath: at(path), id: "c", layout: host, resources: resources)
    }

    /// What a shell in the cgroup of a record prints.
    private func output(of script: String, in record: CgroupRecord) throws -> String {
        let shell = Process()
        let (input, output) = (Pipe(), Pipe())
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = ["-c", "read line; " + script]
        shell.standardInput = input
        shell.standardOutput = output
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        try Cgroup.place(shell.processIdentifier, in: record)
        try input.fileHandleForWriting.write(contentsOf: Data("go\n".utf8))
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        shell.waitUntilExit()
        return text
    }

    @Test("the kernel takes the device program and refuses what it refuses; an update replaces it (RD-01)")
    func deviceProgram() throws {
        var rule = Resources.DeviceRule(allow: true)
        rule.kind = .character
        rule.major = 1
        rule.minor = 11
        rule.write = false
        let first = try plan("/\(name)") { $0.devices = [rule] }
        let record = first.record()
        try Cgroup.make(first)
        defer { #expect(throws: Never.self) { try Cgroup.remove(record) } }
        let script = """
            for f in /dev/null /dev/zero /dev/kmsg; do
                (: < $f) && echo -n "r"
                (: >> $f) && echo -n "w"
                echo -n " "
            done
            """
        #expect(try output(of: script, in: record) == "rw rw r ")
        var recorded = Resources()
        recorded.devices = [rule]
        func update(to rules: [Resources.DeviceRule]) throws {
            var resources = Resources()
            resources.devices = rules
            let update = try CgroupUpdate(resources, recorded: recorded, record: record, layout: host)
            try Cgroup.apply(update, undo: Cgroup.undo(of: update))
            recorded = recorded.updated(by: resources)
        }
        try update(to: [.init(allow: false)])
        #expect(try output(of: script, in: record) == "rw rw  ")
        try update(to: [.init(allow: true)])
        #expect(try output(of: script, in: record) == "rw rw rw ")
        try update(to: [])
        #expect(try output(of: script, in: record) == "rw rw rw ")
    }

    @Test("the kernel takes programs of a thousand rules (RD-01)")
    func longProgram() throws {
        let rules = (0..<1000).map { index in
            var rule = Resources.DeviceRule(allow: index % 3 != 0)
            rule.kind = index % 2 == 0 ? .character : .block
            rule.major = UInt32(index % 300)
            if index % 5 != 0 { rule.minor = UInt32(index) }
            rule.read = index % 7 != 0
            rule.mknod = index % 4 == 0
            return rule
        }
        let plan = try plan("/\(name)") { $0.devices = rules }
        let record = plan.record()
        defer { #expect(throws: Never.self) { try Cgroup.remove(record) } }
        try Cgroup.make(plan)
    }

    @Test("controllers are enabled down to the leaf's parent, and limits arrive (CG-05)")
    func controllers() throws {
        guard host.hierarchies[0].controllers.contains("hugetlb") else { return }
        let plan = try plan("/\(name)/a/c") { $0.hugepageLimits = [.init(pageSize: "2MB", limit: 4 << 20)] }
        let record = plan.record()
        #expect(record.created.count == 3)
        try Cgroup.make(plan)
        #expect(try readText(record.paths[0] + "/hugetlb.2MB.max") == "4194304")
        #expect(try readText(record.paths[0] + "/hugetlb.2MB.rsvd.max") == "4194304")
        #expect(try split(readText(record.paths[0] + "/cgroup.controllers"), " ").contains("hugetlb"))
        try Cgroup.remove(record)
        #expect(access(host.hierarchies[0].mountPoint + "/" + name, F_OK) != 0)
    }

    @Test("a needed controller that a parent does not have is named with the parent and the limit's place (CG-05)")
    func missingController() throws {
        let lying = CgroupLayout(hierarchies: [
            .init(mountPoint: host.hierarchies[0].mountPoint, controllers: ["nosuch"], isUnified: true)
        ])
        var resources = Resources()
        resources.unified = [Pair(key: "nosuch.max", value: "1", origin: somewhere)]
        let plan = try CgroupPlan(cgroupsPath: at("/\(name)"), id: "c", layout: lying, resources: resources)
        let record = plan.record()
        defer { #expect(throws: Never.self) { try Cgroup.remove(record) } }
        do {
            try Cgroup.make(plan)
            Issue.record("the kernel knows a controller named nosuch")
        } catch {
            #expect(error.path == host.hierarchies[0].mountPoint + "/cgroup.subtree_control")
            #expect(error.origin == somewhere)
            #expect(error.value == "+nosuch")
        }
    }

    @Test("delegation gives the directory and the kernel's list of files, nothing else (CG-07)")
    func delegation() throws {
        let plan = try plan("/\(name)") { _ in }
        let record = plan.record()
        try Cgroup.make(plan)
        defer { #expect(throws: Never.self) { try Cgroup.remove(record) } }
        let path = try #require(record.unified)
        try Cgroup.delegate(path, toUser: 4242)
        func owner(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.ownerAccountID] as? Int
        }
        #expect(try owner(path) == 4242)
        let listed = split(try readText("/sys/kernel/cgroup/delegate"), "\n")
        #expect(listed.contains("cgroup.procs"))
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            #expect(try owner(path + "/" + name) == (listed.contains(name) ? 4242 : 0), "\(name)")
        }
    }

    @Test("the directory for CLONE_INTO_CGROUP is that of v2")
    func directory() throws {
        let plan = try plan("/\(name)") { _ in }
        let record = plan.record()
        try Cgroup.make(plan)
        defer { #expect(throws: Never.self) { try Cgroup.remove(record) } }
        guard let directory = try Cgroup.unifiedDirectory(record) else {
            Issue.record("no directory")
            return
        }
        let number = directory.raw
        let link = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
        #expect(link == record.unified)
    }
}

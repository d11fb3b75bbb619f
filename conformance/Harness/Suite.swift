/// Runs cases one after the other, cleans up behind each, and counts.

import Foundation

final class Suite {
    /// How long a case may take.
    static let seconds = ProcessInfo.processInfo.environment["CONFORMANCE_SECONDS"].flatMap(Double.init) ?? 15

    /// How often a case may fail before it counts as failed; one that passes later is named as unsteady.
    static let tries = max(1, ProcessInfo.processInfo.environment["CONFORMANCE_TRIES"].flatMap { Int($0) } ?? 1)

    private let runtime: RuntimeUnderTest
    private let children = Children()
    private let tree = "\(Isolation.scratch)/tree"
    private let mountsBefore: Int
    private var passed = 0
    private var failed = 0
    private var skipped = 0
    private var unsteady = 0
    private var left: [String] = []

    init(runtime path: String) throws {
        runtime = try RuntimeUnderTest(path: path, children: children)
        try Rootfs.build(at: tree)
        mountsBefore = Self.mounts().count
        say("runtime: \(path): \(runtime.version)")
    }

    /// Runs the cases, then the one about what they left; true when nothing failed.
    func run(_ cases: [(String, Case)]) -> Bool {
        for (number, (topic, claim)) in cases.enumerated() { judge(topic, claim, number) }
        for path in Cgroups.marked(by: Isolation.token) {
            if path.hasSuffix(Isolation.parentCgroup) { rmdir(path) } else { noteLeft("at the end", ["cgroup \(path)"]) }
        }
        if Isolation.usesSystemd { stopSlice() }
        report(
            "leftovers", "no process, mount, cgroup or state is left behind", ["LC-12", "LC-15"],
            left.isEmpty ? nil : left.joined(separator: "; "))
        if unsteady > 0 { say("unsteady: \(unsteady) passed only when tried again") }
        say("\(passed) passed, \(failed) failed, \(skipped) skipped")
        return failed == 0
    }

    private func judge(_ topic: String, _ claim: Case, _ number: Int) {
        guard runtime.supports(spec: claim.since) else {
            return skip(topic, claim, "the runtime does not declare spec \(claim.since)")
        }
        if let missing = claim.commands.first(where: { !runtime.commands.contains($0) }) {
            return skip(topic, claim, "the runtime has no command \(missing)")
        }
        for remaining in (0..<Self.tries).reversed() {
            let verdict = attempt(claim, "\(Isolation.scratch)/\(number)")
            switch verdict {
            case .passed: report(topic, claim.name, claim.rows, nil)
            case .skipped(let reason): skip(topic, claim, reason)
            case .failed(let problem) where remaining > 0:
                say("unsteady \(topic): \(claim.name): \(Self.oneLine(problem)); tried again")
                continue
            case .failed(let problem): report(topic, claim.name, claim.rows, problem)
            }
            if verdict == .passed, remaining < Self.tries - 1 { unsteady += 1 }
            return
        }
    }

    /// Runs a case once, in a directory of its own, and tidies up behind it.
    private func attempt(_ claim: Case, _ directory: String) -> Verdict {
        var notes: [String] = []
        let verdict = Verdict(of: {
            let lab = try Lab(runtime: runtime, children: children, tree: tree, directory: directory, seconds: Self.seconds)
            defer {
                lab.close()
                notes = lab.notes
            }
            try claim.body(lab)
        })
        for note in notes { say("        \(note)") }
        tidy(claim.name, directory)
        return verdict
    }

    /// Finds what the case left behind, and removes it.
    private func tidy(_ name: String, _ directory: String) {
        Cgroups.thaw(Cgroups.marked(by: Isolation.token))
        noteLeft(name, children.sweep())
        let cgroups = Cgroups.marked(by: Isolation.token).filter { !$0.hasSuffix(Isolation.parentCgroup) }
        noteLeft(name, cgroups.map { "cgroup \($0)" })
        cgroups.forEach { rmdir($0) }
        let points = Self.mounts().dropFirst(mountsBefore)
        noteLeft(name, points.map { "mount \($0)" })
        points.reversed().forEach { umount2($0, Int32(MNT_DETACH)) }
        let states = (try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/state")) ?? []
        noteLeft(name, states.filter { $0.hasPrefix(Isolation.token) }.map { "state \($0)" })
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Ends the run's slice, and finds scopes that have outlived their containers.
    private func stopSlice() {
        let slice = "\(Isolation.token).slice"
        let listing = "\(Isolation.scratch)/units"
        for words in [
            ["systemctl", "list-units", "--all", "--no-legend", "--plain", "cf-\(Isolation.token)*"], ["systemctl", "stop", slice],
        ] {
            guard let pid = try? children.start(Launch(arguments: words, output: listing)) else { continue }
            _ = try? children.wait(for: pid, until: Deadline(seconds: Self.seconds), words[1])
        }
        let units = (try? String(contentsOfFile: listing, encoding: .utf8)) ?? ""
        noteLeft("at the end", units.split(separator: "\n").map { "unit \($0)" })
    }

    private func noteLeft(_ name: String, _ things: [String]) {
        guard let first = things.first else { return }
        left.append("\"\(name)\": \(first)\(things.count > 1 ? " and \(things.count - 1) more" : "")")
    }

    private func report(_ topic: String, _ name: String, _ rows: [String], _ problem: String?) {
        if problem == nil { passed += 1 } else { failed += 1 }
        let verdict = problem == nil ? "ok     " : "FAILED "
        say("\(verdict) \(topic): \(name) [\(rows.joined(separator: " "))]\(problem.map { ": " + Self.oneLine($0) } ?? "")")
    }

    private func skip(_ topic: String, _ claim: Case, _ reason: String) {
        skipped += 1
        say("skipped \(topic): \(claim.name) [\(claim.rows.joined(separator: " "))]: \(reason)")
    }

    /// A line of the report, seen at once.
    private func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private static func oneLine(_ text: String) -> String {
        text.trimmingCharacters(in: .newlines).replacingOccurrences(of: "\n", with: "\\n")
    }

    private static func mounts() -> [String] {
        let text = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { String($0.split(separator: " ")[4]) }
    }
}

/// Runs scenarios engine by engine, cleans up behind each, and counts.

import Foundation

final class EngineSuite {
    private let runtime: RuntimeUnderTest
    private let children = Children()
    private var passed = 0
    private var failed = 0
    private var skipped = 0
    private var unsteady = 0
    private var left: [String] = []
    private var counter = 0

    init(runtime path: String) throws {
        runtime = try RuntimeUnderTest(path: path, children: children)
        say("runtime: \(path): \(runtime.version)")
    }

    /// Runs the scenarios, then judges what they left; true when nothing failed.
    func run(_ scenarios: [Scenario]) throws -> Bool {
        try withLab(seconds: 60) { try Images.build($0) }
        for name in EngineName.allCases {
            let chosen = scenarios.filter { $0.engine == name }
            guard !chosen.isEmpty else { continue }
            let engine = Engines.make(name, runtime)
            if case .failed(let problem) = Verdict(of: { try withLab(seconds: 60) { try engine.start($0) } }) {
                say("        \(name.rawValue): \(Self.oneLine(problem))")
                chosen.forEach { report($0.name, "the engine did not start") }
                continue
            }
            left = []
            for scenario in chosen { judge(scenario, engine) }
            try withLab(seconds: 30) { engine.stop($0) }
            noteLeft("the engine", children.sweep())
            noteLeft("the engine", stale(engine))
            report("\(name.rawValue): no process, cgroup or state is left behind", left.isEmpty ? nil : left.joined(separator: "; "))
        }
        if unsteady > 0 { say("unsteady: \(unsteady) passed only when tried again") }
        say("\(passed) passed, \(failed) failed, \(skipped) skipped")
        return failed == 0
    }

    private func judge(_ scenario: Scenario, _ engine: any Engine) {
        for remaining in (0..<Suite.tries).reversed() {
            let verdict = attempt(scenario, engine)
            tidy(scenario, engine)
            switch verdict {
            case .passed: report(scenario.name, nil)
            case .skipped(let reason):
                skipped += 1
                say("skipped \(scenario.name): \(reason)")
            case .failed(let problem) where remaining > 0:
                say("unsteady \(scenario.name): \(Self.oneLine(problem)); tried again")
                continue
            case .failed(let problem): report(scenario.name, problem)
            }
            if verdict == .passed, remaining < Suite.tries - 1 { unsteady += 1 }
            return
        }
    }

    private func attempt(_ scenario: Scenario, _ engine: any Engine) -> Verdict {
        Verdict(of: {
            try withLab(seconds: scenario.seconds) { lab in
                let verdict = Result { try scenario.body(Session(engine: engine, lab: lab)) }
                lab.limit(seconds: 40)
                engine.reset(lab)
                try verdict.get()
            }
        })
    }

    /// Finds what the scenario left behind.
    private func tidy(_ scenario: Scenario, _ engine: any Engine) {
        let deadline = Deadline(seconds: 3)
        var found: [String] = []
        repeat {
            _ = children.status(of: 0)
            found = strays(engine).map { "process \($0.pid) \($0.name)" } + stale(engine)
            if found.isEmpty { return }
            usleep(50_000)
        } while !deadline.passed
        noteLeft("\"\(scenario.claim)\"", found)
        // Cgroups can be removed once those that were in them have ended.
        let end = Deadline(seconds: 3)
        while case let strays = strays(engine), !strays.isEmpty, !end.passed {
            for stray in strays { kill(stray.pid, SIGKILL) }
            usleep(10_000)
            _ = children.status(of: 0)
        }
        for path in cgroups() { rmdir(path) }
        for path in states(engine) { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Processes that are none of the engine's daemons.
    private func strays(_ engine: any Engine) -> [(pid: pid_t, name: String)] {
        children.living().map { ($0, Self.name(of: $0)) }.filter { !engine.daemons.contains($0.1) && !$0.1.isEmpty }
    }

    private func stale(_ engine: any Engine) -> [String] {
        cgroups().map { "cgroup \($0)" } + states(engine).map { "state \($0)" }
    }

    /// Cgroups that are neither the suite's nor the engine's own, deepest first.
    private func cgroups() -> [String] {
        Cgroups.hierarchies.flatMap { hierarchy in
            Cgroups.descendants(of: hierarchy.directory).filter { path in
                let inside = String(path.dropFirst(hierarchy.directory.count))
                return !Self.keptCgroups.contains(inside)
            }
        }
    }

    /// The suite's own, and the parents that the engines and the runtime share among containers.
    private static let keptCgroups: Set<String> = [
        "/suite", "/libpod_parent", "/libpod_parent/conmon", "/docker", "/default", "/k8s.io", "/swoci",
    ]

    /// Containers that the runtime still knows.
    private func states(_ engine: any Engine) -> [String] {
        engine.stateRoots.flatMap { root in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
            return names.filter { !$0.hasPrefix("@") && !$0.hasPrefix(".") && !$0.hasSuffix(".lock") }.map { "\(root)/\($0)" }
        }
    }

    private static func name(of pid: pid_t) -> String {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) ?? ""
        return text.trimmingCharacters(in: .newlines)
    }

    /// Runs something with a lab of its own.
    private func withLab(seconds: Double, _ body: (Lab) throws -> Void) throws {
        counter += 1
        let directory = "\(EngineIsolation.scratch)/\(counter)"
        let lab = try Lab(runtime: runtime, children: children, tree: "", directory: directory, seconds: seconds)
        defer {
            lab.close()
            lab.notes.forEach { say("        \($0)") }
            try? FileManager.default.removeItem(atPath: directory)
        }
        try body(lab)
    }

    private func noteLeft(_ what: String, _ things: [String]) {
        guard let first = things.first else { return }
        left.append("\(what): \(first)\(things.count > 1 ? " and \(things.count - 1) more" : "")")
    }

    private func report(_ name: String, _ problem: String?) {
        if problem == nil { passed += 1 } else { failed += 1 }
        say("\(problem == nil ? "ok     " : "FAILED ") \(name)\(problem.map { ": " + Self.oneLine($0) } ?? "")")
    }

    private func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private static func oneLine(_ text: String) -> String {
        text.trimmingCharacters(in: .newlines).replacingOccurrences(of: "\n", with: "\\n").replacingOccurrences(of: "\r", with: "")
    }
}

import Foundation
import Plan
import Spec
import Testing

@testable import Runtime

/// Configs of real engines and the plans they become, in words, each step with its place in the config.
///
/// `UPDATE_GOLDEN=1 swift test --filter PlanningGoldenTests` writes the plans anew: what changed is then for `git diff` to show and for
/// people to judge.
@Suite("Plans of engines' configs")
struct PlanningGoldenTests {
    static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    @Test(
        "the plan is the one in Golden/",
        arguments: [
            "buildah-01", "containerd-01", "containerd-07", "docker-02", "docker-22", "docker-28", "podman-02", "podman-04", "podman-08",
            "podman-12", "podman-36",
        ])
    func golden(name: String) throws {
        let config = Self.tests.appendingPathComponent("SpecTests/Configs/\(name).json")
        let document = try JSONDocument([UInt8](Data(contentsOf: config)))
        let text = try rendered(document)
        let golden = Self.tests.appendingPathComponent("RuntimeTests/Golden/\(name).txt")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" { try text.write(to: golden, atomically: true, encoding: .utf8) }
        let expected = try String(contentsOf: golden, encoding: .utf8)
        for (found, wanted) in zip(text.split(separator: "\n"), expected.split(separator: "\n")) where found != wanted {
            Issue.record("\(name): found \(found)\nwanted \(wanted)")
            return
        }
        #expect(text == expected)
    }

    private func rendered(_ document: JSONDocument) throws -> String {
        let (config, diagnostics) = Config.check(document)
        #expect(!diagnostics.hasErrors)
        let launch = try Planner.plan(config, facts(of: config))
        func place(_ origin: Origin) -> String {
            origin == .none ? "" : "   [\(document.pointer(of: origin))]"
        }
        var text = "The runtime\n"
        for action in launch.describeRuntimeActions() { text += "    \(action.text)\(place(action.origin))\n" }
        text += "The init\n"
        for (index, planned) in launch.plan.steps.enumerated() {
            let number = index < 9 ? " \(index + 1)" : "\(index + 1)"
            text += "\(number). \(launch.plan.describe(planned))\(place(Origin(node: planned.origin)))\n"
        }
        for warning in launch.warnings { text += "warning: \(warning.message)\(place(warning.origin)) [\(warning.row)]\n" }
        return text
    }

    private func facts(of config: Config) -> PlanningFacts {
        var facts = PlanningFacts(bundle: "/bundle", containerID: "box", rootfsPath: "/bundle/rootfs")
        facts.cgroupV2Directory = "/sys/fs/cgroup/box"
        facts.seccompProgram = config.linux.seccomp.map { _ in PlanningFacts.SeccompProgram(bytes: [UInt8](repeating: 0, count: 80)) }
        for (index, namespace) in config.linux.namespaces.enumerated() where namespace.path != nil {
            facts.joinedNamespaces.append(.init(type: namespace.type, descriptor: UInt32(10 + index)))
        }
        return facts
    }
}

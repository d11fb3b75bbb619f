import Plan
import Spec
import Testing

@testable import Runtime

/// A config in the making, for tests of the planner.
extension Config {
    /// A container with a root, new namespaces and a shell.
    static func sample(_ namespaces: [NamespaceType] = [.mount, .pid], _ change: (inout Config) -> Void = { _ in }) -> Config {
        var config = Config()
        config.root = Root(path: Located("rootfs"))
        config.process = Process(cwd: Located("/"))
        config.process?.args = [Located("sh")]
        config.process?.env = [Located("PATH=/bin"), Located("HOME=/root")]
        config.linux.namespaces = namespaces.map { Namespace($0) }
        if namespaces.contains(.user) {
            config.linux.uidMappings = [IDMapping(containerID: 0, hostID: 100_000, size: 1000)]
            config.linux.gidMappings = [IDMapping(containerID: 0, hostID: 200_000, size: 1000)]
        }
        change(&config)
        return config
    }

    mutating func mount(_ destination: String, type: String? = nil, source: String? = nil, _ options: String...) {
        var mount = Mount(destination: Located(destination))
        mount.type = type.map { Located($0) }
        mount.source = source.map { Located($0) }
        mount.options = options.map { Located(MountOption($0)) }
        mounts.append(mount)
    }
}

extension PlanningFacts {
    static func sample(_ change: (inout PlanningFacts) -> Void = { _ in }) -> PlanningFacts {
        var facts = PlanningFacts(bundle: "/b", containerID: "box", rootfsPath: "/b/rootfs")
        facts.cgroupV2Directory = "/sys/fs/cgroup/box"
        change(&facts)
        return facts
    }
}

/// The plan's steps of some kinds, in words.
///
/// A kind is the case's name.
func words(_ launch: LaunchPlan, _ kinds: String...) -> [String] {
    launch.plan.steps
        .filter { kinds.isEmpty || kinds.contains(String("\($0.step)".prefix { $0 != "(" })) }
        .map { launch.plan.describe($0) }
}

/// The error of planning, where there is one.
func planningError(_ config: Config, _ facts: PlanningFacts = .sample()) -> PlanningError? {
    do throws(PlanningError) {
        _ = try Planner.plan(config, facts)
        return nil
    } catch {
        return error
    }
}

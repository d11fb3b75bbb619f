/// What the runtime itself does in a launch, in words.

internal import Plan
public import Spec

extension LaunchPlan {
    /// The runtime's actions and where they come from, in their order: for `swoci plan`, before the init's steps.
    public func describeRuntimeActions() -> [(text: String, origin: Origin)] {
        var actions: [(text: String, origin: Origin)] = []
        for source in sources { actions.append((describe(source), source.origin)) }
        if isStaged {
            actions.append(("start the init, which joins and makes its namespaces itself", .none))
        } else if cloneFlags == 0 {
            actions.append(("start the init", .none))
        } else {
            actions.append(("start the init in new \(namespaceNames(cloneFlags)) namespaces", .none))
        }
        for mapping in uidMappings { actions.append(("map user ids\(describe(uidMethod)): \(describe(mapping))", mapping.origin)) }
        if gidMethod == .writtenWithoutSetgroups {
            actions.append(("forbid setgroups in the user namespace", gidMappings.first?.origin ?? .none))
        }
        for mapping in gidMappings { actions.append(("map group ids\(describe(gidMethod)): \(describe(mapping))", mapping.origin)) }
        if let resctrl {
            let group = resctrl.kind == .standard ? "default class of service" : "class of service \(shownText(resctrl.group))"
            actions.append(("put the container into resctrl's \(group)", resctrl.origin))
        }
        for limit in rlimits {
            actions.append(("set \(limit.name) to \(describe(limit.soft)), at most \(describe(limit.hard))", limit.origin))
        }
        for device in netDevices {
            let name = device.name ?? device.hostName
            actions.append(
                ("move the network device \(shownText(device.hostName)) into the container as \(shownText(name))", device.origin))
        }
        if let oomScoreAdj { actions.append(("set oom_score_adj to \(oomScoreAdj.value)", oomScoreAdj.origin)) }
        return actions
    }

    private func describe(_ source: Source) -> String {
        var text = "open \(shownText(source.path)) as slot \(source.slot)"
        if source.isRecursive { text += ", with everything below it" }
        if source.noFollow { text += ", a link itself" }
        guard let idMap = source.idMap else { return text }
        text += idMap.isRecursive ? ", all with ids mapped " : ", with ids mapped "
        switch idMap.namespace {
        case .mapped(let uids, let gids):
            let users = uids.map { describe($0) }.joined(separator: ", ")
            let groups = gids.map { describe($0) }.joined(separator: ", ")
            return text + (users == groups ? users : "\(users); groups \(groups)")
        case .joined: return text + "as the joined user namespace does"
        }
    }

    private func describe(_ method: MappingMethod) -> String {
        if case .program(let path) = method { " by \(path)" } else { "" }
    }

    private func describe(_ mapping: IDMapping) -> String {
        mapping.size == 1
            ? "\(mapping.containerID) to \(mapping.hostID)"
            : "\(mapping.containerID) to \(mapping.hostID), \(mapping.size) of them"
    }

    private func describe(_ limit: UInt64) -> String { limit == .max ? "unlimited" : "\(limit)" }
}

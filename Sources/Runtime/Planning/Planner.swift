/// Planning: config and facts in, launch plan out. Pure, so that `swoci plan` can print it and tests can compare it.

internal import Plan
public import Spec

/// Makes launch plans.
public enum Planner {
    /// Plans the launch of a container whose config is valid.
    ///
    /// The order of the steps is the story of a create: namespaces, the root, mounts, devices, terminal, hooks, what makes things
    /// read-only, the new root, and last the payload's own process.
    /// - Source: spec row LC-14.
    public static func plan(_ config: Config, _ facts: PlanningFacts) throws(PlanningError) -> LaunchPlan {
        var draft = PlanDraft(config, facts)
        try draft.planNamespaces()
        try draft.planRoot()
        draft.planIdentity()
        try draft.planMounts()
        draft.planDevices()
        draft.planTerminal()
        draft.planCreateHooks()
        try draft.planProtection()
        draft.planEntry()
        try draft.planProcess()
        return draft.launch
    }
}

/// A launch plan in the making.
struct PlanDraft {
    let config: Config
    let facts: PlanningFacts
    var launch = LaunchPlan()
    /// The slots of binds that the init opens before it cuts itself off from the host's mounts, by mount.
    var sharedSlots: [Int: UInt32] = [:]

    init(_ config: Config, _ facts: PlanningFacts) {
        self.config = config
        self.facts = facts
    }

    /// Whether the container has a user namespace, new or joined.
    var hasUserNamespace: Bool { config.linux.namespace(.user) != nil }

    /// Whether the runtime opens the trees that such a container mounts: with rights that the init has not any more.
    var runtimeOpensTrees: Bool { hasUserNamespace && facts.opensTrees }

    /// Whether the init opens them, before it takes on the ids of the container: nobody else may (open_tree(2) needs CAP_SYS_ADMIN).
    var initOpensTrees: Bool { hasUserNamespace && !facts.opensTrees }

    /// Whether that namespace is made for the container.
    func isNew(_ type: NamespaceType) -> Bool {
        guard let namespace = config.linux.namespace(type) else { return false }
        return namespace.path == nil
    }

    /// Whether that namespace exists already and others may live in it.
    func joins(_ type: NamespaceType) -> Bool { config.linux.namespace(type)?.path != nil }

    mutating func add(_ step: Step, _ origin: Origin = .none) {
        launch.plan.append(step, origin: origin.node)
    }

    mutating func text(_ string: String) -> Text { launch.plan.add(string) }

    mutating func texts(_ strings: [String]) -> TextList { launch.plan.add(strings) }

    mutating func warn(_ message: String, _ origin: Origin, row: String) {
        launch.warnings.append(PlanningWarning(message, origin: origin, row: row))
    }
}

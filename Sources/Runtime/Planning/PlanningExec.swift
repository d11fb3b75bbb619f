/// Planning a further process in a running container: config, process and facts in, launch plan out. Pure, like a create's.

internal import Plan
public import Spec

/// What is to be known of the container that a process joins, beside ``PlanningFacts``.
public struct ContainerFacts: Equatable, Sendable {
    /// The CLONE_NEW* flags of the namespaces in which the container's first process is and the runtime is not (N-01).
    public var namespaces: UInt64
    /// The number of the inherited pidfd of that process.
    public var process: UInt32
    /// The number of the inherited directory that is that process's root; it counts where the container lives in a mount namespace of
    /// somebody else's, whose root is another one.
    public var root: UInt32
    /// The CPUs to run on from the time in the container's cgroup on; nil: those that the kernel gives (P-37).
    public var affinity: Located<[ClosedRange<UInt32>]>?

    /// Makes the facts of an ordinary container.
    public init(namespaces: UInt64, process: UInt32, root: UInt32) {
        self.namespaces = namespaces
        self.process = process
        self.root = root
    }
}

extension Planner {
    /// Plans a process that joins a container; the config's own process is the one to be run.
    ///
    /// Labels are set while the host's /proc is in sight: the container's is never trusted. The process appears in the container's PID
    /// namespace as late as it can, with the rights of the payload and not those of the runtime: who may trace processes in there would
    /// have these.
    /// - Source: setns(2); rows CLI-08, P-14 to P-43.
    public static func plan(exec config: Config, _ facts: PlanningFacts, in container: ContainerFacts) throws(PlanningError) -> LaunchPlan {
        var draft = PlanDraft(config, facts)
        guard let process = config.process else { throw PlanningError("there is no process to run", origin: .none, row: "P-01") }
        try draft.planJoiner(process, container)
        return draft.launch
    }
}

extension PlanDraft {
    fileprivate mutating func planJoiner(_ process: Process, _ container: ContainerFacts) throws(PlanningError) {
        launch.rlimits = process.rlimits
        launch.oomScoreAdj = process.oomScoreAdj
        launch.resctrl = config.linux.intelRdt.map { ResctrlPlan($0, containerID: facts.containerID) }
        launch.isStaged = container.namespaces & NamespaceType.pid.cloneFlag != 0
        let sets: CapabilitySets? = if let given = process.capabilities { reduced(given) } else { nil }
        try checkLabels(process)
        planLabels(process)
        if let affinity = container.affinity {
            add(.setAffinity(OneText(launch.plan.add(bytes: bitMask(affinity.value.flatMap { Array($0) })))), affinity.origin)
        }
        planJoin(container)
        if process.terminal {
            let size = process.consoleSize
            let step = OpenConsole(
                rows: UInt32(size?.height ?? 0), columns: UInt32(size?.width ?? 0), uid: process.user.uid.value, mountsConsole: false)
            add(.openConsole(step), process.origin)
        }
        if let personality = config.linux.personality { add(.setPersonality(OneNumber(personality.value.rawValue)), personality.origin) }
        // Scheduling takes a capability that the payload may lack, and a child does not always inherit it (SCHED_FLAG_RESET_ON_FORK).
        if process.scheduler != nil { planAppearance(process) }
        planScheduling(process)
        // Before the change of user and after it: either may be the one who can enter (P-06).
        add(.changeDirectory(OneText(text(process.cwd.value))), process.cwd.origin)
        if let sets { add(.limitBoundingSet(OneNumber64(sets.bounding.rawValue)), sets.origin) }
        add(.setUser(try planUser(process)), process.user.uid.origin)
        let filter = try planFilterCapabilities(process, sets)
        if process.scheduler == nil { planAppearance(process) }
        let environment = planProgram(process)
        add(.awaitCommit)
        try planExecution(process, environment, filter)
    }

    /// Plans the way into the container's namespaces and root.
    private mutating func planJoin(_ container: ContainerFacts) {
        let flags = container.namespaces
        if flags != 0 {
            add(.joinNamespace(JoinNamespace(type: UInt32(truncatingIfNeeded: flags), descriptor: container.process)))
        }
        if joins(.mount) || flags & NamespaceType.mount.cloneFlag == 0 {
            add(.takeRoot(OneNumber(container.root)))
            add(.enterRoot(EnterRoot(.changing)))
        }
        if flags & NamespaceType.user.cloneFlag != 0, let namespace = config.linux.namespace(.user) {
            planOwner(namespace)
        }
        planKeyring()
    }

    /// Plans the birth of the process that stays, in the joined PID namespace, which takes children only.
    private mutating func planAppearance(_ process: Process) {
        if launch.isStaged { add(.enterNewNamespaces(EnterNewNamespaces(flags: 0, awaitsMappings: false))) }
        planSession(process)
    }
}

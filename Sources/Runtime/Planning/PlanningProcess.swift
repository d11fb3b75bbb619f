/// From the container's set-up process to the payload. Rows P, MP, X-05, SE-17, H-05.

internal import Plan
internal import Spec

extension PlanDraft {
    /// Plans the last part of the plan.
    mutating func planProcess() throws(PlanningError) {
        if let personality = config.linux.personality { add(.setPersonality(OneNumber(personality.value.rawValue)), personality.origin) }
        launch.resctrl = config.linux.intelRdt.map { ResctrlPlan($0, containerID: facts.containerID) }
        guard let process = config.process else {
            // Such a container can be created; start refuses it (P-01).
            add(.awaitStart)
            return
        }
        launch.rlimits = process.rlimits
        launch.oomScoreAdj = process.oomScoreAdj
        launch.payloadIsPIDOne = try execsInPlace(process)
        let sets: CapabilitySets? = if let given = process.capabilities { reduced(given) } else { nil }
        try checkLabels(process)
        let user = try planUser(process)
        if !launch.payloadIsPIDOne {
            // The supervisor signals the payload, which may have another user by then: only with what the payload itself may.
            let effective = sets?.effective ?? (process.user.uid.value == 0 ? grantable : [])
            let profile = appArmorProfile(process).map { text($0.value) } ?? .empty
            let label = process.selinuxLabel.map { text($0.value) } ?? .empty
            let kept = effective.intersection(.kill).rawValue
            add(.supervise(Supervise(user: user, capabilities: kept, profile: profile, label: label)), process.origin)
        }
        planSession(process)
        planScheduling(process)
        if let sets { add(.limitBoundingSet(OneNumber64(sets.bounding.rawValue)), sets.origin) }
        planLabels(process)
        add(.setUser(user), process.user.uid.origin)
        let filter = try planFilterCapabilities(process, sets)
        let environment = planProgram(process)
        add(.awaitStart)
        for (index, hook) in config.hooks.startContainer.enumerated() {
            planHook(hook, .startContainer, index, environment: hook.env ?? environment)
        }
        try planExecution(process, environment, filter)
    }

    private func execsInPlace(_ process: Process) throws(PlanningError) -> Bool {
        let placement = PayloadPlacement(
            arguments: process.args.map { $0.value }, script: facts.payloadScript, hasNewPIDNamespace: isNew(.pid),
            pidLimit: config.linux.resources?.pids?.value, passesSockets: !facts.listenEnvironment.isEmpty,
            wish: config.annotation(.initPlacement))
        if let result = placement.execsInPlace { return result }
        let origin = config.annotations.first { $0.key == KnownAnnotation.initPlacement.rawValue }?.origin ?? .none
        throw PlanningError("\(KnownAnnotation.initPlacement.rawValue) must be \"exec\" or \"supervise\"", origin: origin)
    }

    mutating func planUser(_ process: Process) throws(PlanningError) -> SetUser {
        let user = process.user
        let keepsGroups = config.isSet(.keepOriginalGroups)
        if keepsGroups, let group = user.additionalGids.first {
            warn(
                "additionalGids are left out: \(KnownAnnotation.keepOriginalGroups.rawValue) keeps the caller's groups", group.origin,
                row: "P-43")
        } else if facts.setgroupsDenied, let group = user.additionalGids.first {
            throw PlanningError(
                "additional groups need setgroups(2), which this user namespace denies", origin: group.origin,
                hint: "map groups by newgidmap, or leave additionalGids out", row: "P-43")
        }
        let groups =
            keepsGroups || user.additionalGids.isEmpty ? Text.empty : launch.plan.add(numbers: user.additionalGids.map { $0.value })
        return SetUser(uid: user.uid.value, gid: user.gid.value, groups: groups, skipsGroups: keepsGroups || facts.setgroupsDenied)
    }

    /// Refuses labels that no security module of this host knows: a payload without its confinement must not run.
    func checkLabels(_ process: Process) throws(PlanningError) {
        if let profile = appArmorProfile(process), !facts.hasAppArmor {
            throw PlanningError(
                "the AppArmor profile \(quoted(profile.value)) cannot be used: this host has no AppArmor", origin: profile.origin,
                hint: "leave apparmorProfile out", row: "P-14")
        }
        if let label = process.selinuxLabel, !label.value.isEmpty, !facts.isSELinuxEnabled {
            throw PlanningError(
                "the SELinux label \(quoted(label.value)) cannot be used: SELinux is off on this host", origin: label.origin,
                hint: "leave selinuxLabel out", row: "P-15")
        }
    }

    /// The profile to be set: none where there is nothing to be unconfined from.
    private func appArmorProfile(_ process: Process) -> Located<String>? {
        guard let profile = process.apparmorProfile, !profile.value.isEmpty else { return nil }
        return profile.value == "unconfined" && !facts.hasAppArmor ? nil : profile
    }

    /// Plans what belongs to the one process alone, not to a child of it.
    mutating func planSession(_ process: Process) {
        add(.startSession(StartSession(terminal: process.terminal)), process.origin)
        if let scheduler = process.scheduler {
            let step = SetScheduler(
                policy: scheduler.policy, nice: scheduler.nice, priority: scheduler.priority, flags: scheduler.flags,
                runtime: scheduler.runtime, deadline: scheduler.deadline, period: scheduler.period)
            add(.setScheduler(step), scheduler.origin)
        }
    }

    /// Plans what a child inherits.
    mutating func planScheduling(_ process: Process) {
        if let priority = process.ioPriority {
            add(.setIOPriority(SetIOPriority(priorityClass: priority.priorityClass, priority: priority.priority)), priority.origin)
        }
        if let policy = config.linux.memoryPolicy {
            let mask = launch.plan.add(bytes: bitMask(policy.nodes))
            add(.setMemoryPolicy(SetMemoryPolicy(mode: policy.mode | policy.flags, mask: mask)), policy.origin)
        }
        add(.setUmask(OneNumber(process.user.umask ?? 0o022)), process.user.umask == nil ? .none : process.origin)
    }

    mutating func planLabels(_ process: Process) {
        if let profile = appArmorProfile(process) {
            add(.setExecLabel(SetExecLabel(.appArmor, label: text(profile.value))), profile.origin)
        }
        if let label = process.selinuxLabel, !label.value.isEmpty {
            add(.setExecLabel(SetExecLabel(.seLinux, label: text(label.value))), label.origin)
        }
    }
}

// Capabilities around the filter
extension PlanDraft {
    /// Plans the payload's capabilities.
    ///
    /// Without no_new_privs a filter can only be loaded with CAP_SYS_ADMIN (seccomp(2)). Where the payload has none, the process keeps it
    /// permitted, but effective for that one call only. Nothing takes it away again but the execve, which never grants what is in neither
    /// the bounding nor the inheritable set (capabilities(7)): so the filter need not allow capset(2). The result is the set for the call.
    mutating func planFilterCapabilities(_ process: Process, _ sets: CapabilitySets?) throws(PlanningError) -> CapabilitySets? {
        let needed = CapabilitySet.systemAdministration
        let isEnough = sets?.effective.contains(needed) ?? (process.user.uid.value == 0 && grantable.contains(needed))
        if facts.seccompProgram == nil || process.noNewPrivileges || isEnough {
            if let sets { add(.setCapabilities(SetCapabilities(sets)), sets.origin) }
            return nil
        }
        guard grantable.contains(needed) else {
            throw PlanningError(
                "a system call filter without noNewPrivileges needs CAP_SYS_ADMIN, which swoci does not have", origin: process.origin,
                hint: "set process.noNewPrivileges to true", row: "SE-17")
        }
        var waiting = sets ?? CapabilitySets()
        waiting.permitted.formUnion(needed)
        add(.setCapabilities(SetCapabilities(waiting)), waiting.origin)
        var loading = waiting
        loading.effective.formUnion(needed)
        return loading
    }

    /// Plans the search for the program.
    ///
    /// - Returns: The environment it is executed with.
    mutating func planProgram(_ process: Process) -> [String] {
        if process.noNewPrivileges { add(.setNoNewPrivileges, process.origin) }
        let environment = environment(of: process)
        let home = environment.first { name(of: $0) == "HOME" }
        if home == nil || home == "HOME=" { add(.setHome(OneNumber(process.user.uid.value)), process.user.uid.origin) }
        add(.changeDirectory(OneText(text(process.cwd.value))), process.cwd.origin)
        if let program = process.args.first {
            let isPath = program.value.utf8.contains(UInt8(ascii: "/"))
            let directories = isPath ? [] : searchPath(environment)
            add(.findExecutable(FindExecutable(file: text(program.value), searchPath: texts(directories))), program.origin)
        }
        return environment
    }

    /// Plans the filter and the execve.
    mutating func planExecution(
        _ process: Process, _ environment: [String], _ forFilter: CapabilitySets?
    ) throws(PlanningError) {
        try planFilter(forFilter)
        guard !process.args.isEmpty else { return }
        let step = Execute(
            arguments: texts(process.args.map { $0.value }), environment: texts(environment),
            preservedDescriptors: facts.preservedDescriptors)
        add(.execute(step), process.origin)
    }

    private mutating func planFilter(_ forFilter: CapabilitySets?) throws(PlanningError) {
        guard let seccomp = config.linux.seccomp else { return }
        guard let program = facts.seccompProgram else {
            throw PlanningError("the system call filter is not compiled", origin: seccomp.origin, row: "SE-01")
        }
        if let forFilter { add(.setCapabilities(SetCapabilities(forFilter)), forFilter.origin) }
        add(.loadSeccomp(LoadSeccomp(program: launch.plan.add(bytes: program.bytes), flags: program.flags)), seccomp.origin)
    }

    /// The payload's environment: each name once, where it first stood, with what was last said (P-07).
    private mutating func environment(of process: Process) -> [String] {
        var entries = process.env.map { $0.value }
        if !facts.listenEnvironment.isEmpty {
            entries += facts.listenEnvironment
            entries.append("LISTEN_PID=1")
            if !isNew(.pid) {
                warn("LISTEN_PID is 1, but without a PID namespace of its own the payload is not", process.origin, row: "P-07")
            }
        }
        var places: [String: Int] = [:]
        var result: [String] = []
        for entry in entries {
            if let place = places[name(of: entry)] {
                result[place] = entry
            } else {
                places[name(of: entry)] = result.count
                result.append(entry)
            }
        }
        return result
    }

    private func name(of entry: String) -> String {
        String(decoding: entry.utf8.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
    }
}

/// The directories in which an environment has programs looked for: its last PATH counts.
func searchPath(_ environment: [String]) -> [String] {
    let prefix = Array("PATH=".utf8)
    let own = environment.last { $0.utf8.starts(with: prefix) }.map { Array($0.utf8.dropFirst(prefix.count)) }
    return (own ?? Array(defaultSearchPath.utf8)).split(separator: UInt8(ascii: ":")).map { String(decoding: $0, as: UTF8.self) }
}

/// Where programs are looked for without a PATH.
private let defaultSearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

extension SetCapabilities {
    /// The step of the config's sets.
    fileprivate init(_ sets: CapabilitySets) {
        self.init(
            effective: sets.effective.rawValue, permitted: sets.permitted.rawValue, inheritable: sets.inheritable.rawValue,
            ambient: sets.ambient.rawValue)
    }
}

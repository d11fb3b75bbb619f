/// What follows from who calls: for namespaces, mounts, ids and cgroups.

import Cgroups
import Linux
import Spec

extension PlanningFacts {
    /// Takes over what the caller may do.
    ///
    /// - Throws: What it may not and the container needs.
    mutating func add(_ caller: Caller, _ config: Config) throws(PlanningError) {
        let linux = config.linux
        let user = linux.namespace(.user)
        guard caller.mayMakeNamespaces || user != nil else {
            throw PlanningError(
                "rootless containers require user namespaces: who is not root can make no other ones",
                origin: linux.namespaces.first?.origin ?? .none,
                hint:
                    "add {\"type\": \"user\"} to linux.namespaces, with uidMappings and gidMappings; \"swoci spec --rootless\" writes such a config",
                row: "N-09")
        }
        isInUserNamespace = caller.isInUserNamespace
        if isInUserNamespace { mappedGroups = caller.groups }
        opensTrees = caller.ownsMounts
        mayJoinNamespaces = caller.mayMakeNamespaces
        setgroupsDenied = caller.deniesSetgroups
        if let user, user.path == nil {
            uidMethod = try caller.method(for: linux.uidMappings, .user) { MappingProgram.find(.user, for: caller) }
            gidMethod = try caller.method(for: linux.gidMappings, .group) { MappingProgram.find(.group, for: caller) }
            if gidMethod == .writtenWithoutSetgroups { setgroupsDenied = true }
        }
        try checkLimits(caller, config)
    }

    /// Refuses limits above what is inherited, which only CAP_SYS_RESOURCE of the host could grant.
    private func checkLimits(_ caller: Caller, _ config: Config) throws(PlanningError) {
        if !caller.isInUserNamespace && caller.capabilities.contains(.systemResources) { return }
        for limit in config.process?.rlimits ?? [] {
            guard let most = try? hardResourceLimit(limit.resource), limit.hard > most else { continue }
            throw PlanningError(
                "\(limit.name) cannot be raised to \(limit.hard): the caller's own hard limit is \(most)", origin: limit.origin,
                hint: "raising a hard limit needs CAP_SYS_RESOURCE", row: "P-13")
        }
    }

    /// Takes over where the container's cgroups are, for its cgroup mount.
    mutating func add(_ plan: CgroupPlan, _ layout: CgroupLayout) {
        isCgroupV2 = layout.isUnified
        if let place = plan.unified { cgroupV2Directory = place.directory }
        if isCgroupV2 { return }
        cgroupMounts = plan.places.map { place in
            let point = place.hierarchy.mountPoint
            let name = String(point[point.index(after: point.lastIndex(of: "/") ?? point.startIndex)...])
            let links = place.hierarchy.controllers.count > 1 && !place.hierarchy.isUnified ? place.hierarchy.controllers : []
            return CgroupMount(name: name, directory: place.directory, links: links)
        }
    }

    /// Takes the caller's cgroup for that of a container without one: it may be seen there, but never written to.
    mutating func addOwnCgroup(_ layout: CgroupLayout) {
        isCgroupV2 = layout.isUnified
        cgroupIsCallers = true
        guard isCgroupV2, let own = CgroupLayout.ownCgroup() else { return }
        cgroupV2Directory = layout.hierarchies[0].mountPoint + (own == "/" ? "" : own)
    }
}

extension Preparation {
    /// The remark on device rules that the caller may not set.
    static let noDeviceRules = "device rules are left out: only root of the host may set them, or make device nodes [RD-01]"

    /// Plans the container's cgroup; nil where the caller may have none and the config does not insist on one.
    static func planCgroup(
        _ config: Config, _ id: ContainerID, _ caller: Caller, _ options: LaunchOptions, _ store: StateStore?,
        _ facts: inout PlanningFacts, _ remarks: inout [String]
    ) throws(CgroupError) -> CgroupPlan? {
        let layout = try CgroupLayout.detect()
        var resources = config.linux.resources
        if !caller.ownsHost, resources?.devices != nil {
            // The kernel takes device rules from the host's root alone, and gives no device node to anybody else.
            resources?.devices = nil
            remarks.append(Preparation.noDeviceRules)
        }
        let scope = options.cgroupManager == .systemd ? try scopeRequest(config, id, caller, options, store) : nil
        // systemd makes scopes for whoever it answers.
        let isRootless = scope == nil && (options.isRootless ?? !caller.ownsHost)
        let own = isRootless && layout.isUnified ? CgroupLayout.ownCgroup() : nil
        let path = config.linux.cgroupsPath
        var plan = try CgroupPlan(
            cgroupsPath: path, id: id.name, layout: layout, resources: resources, base: own.map { CgroupLayout.delegationBase(own: $0) },
            scope: scope)
        if isRootless, try !plan.isGranted(CgroupAccess(plan, own: own), path: path) {
            if let path, !path.value.isEmpty { remarks.append("no cgroup \(path.value) is made: the caller may make none [CG-01]") }
            return nil
        }
        // Only the host's root can give files away, and it needs no gift.
        if caller.ownsHost, let owner = config.cgroupOwner(isCgroupV2: layout.isUnified), owner != 0 { plan.owner = owner }
        for warning in plan.warnings { remarks.append(warning.text) }
        facts.add(plan, layout)
        return plan
    }

    /// What a scope needs to know.
    private static func scopeRequest(
        _ config: Config, _ id: ContainerID, _ caller: Caller, _ options: LaunchOptions, _ store: StateStore?
    ) throws(CgroupError) -> ScopeRequest {
        let managers = ServiceManager.candidates(
            for: .init(
                user: caller.uid, isInUserNamespace: caller.isInUserNamespace, runtimeDirectory: options.runtimeDirectory,
                sessionBus: options.sessionBus))
        // The same id may be in use in another state root.
        let isUsual = store.map { !$0.isExplicit } ?? true
        return ScopeRequest(
            facts: try Cgroup.findServiceManager(managers), annotations: config.annotations,
            container: isUsual ? id.name : "\(id.name) of \(store?.root ?? "")")
    }
}

extension Failure {
    /// Takes over why a config cannot be planned.
    init(_ error: PlanningError, place: Place?) {
        self.init(
            "plan the container", detail: error.message + (error.row.isEmpty ? "" : " [\(error.row)]"), place: place,
            hint: error.hint.isEmpty ? nil : error.hint)
    }
}

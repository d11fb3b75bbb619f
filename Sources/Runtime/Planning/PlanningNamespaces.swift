/// Which namespaces are made by the clone, which by the init; and what the init does first in them. Rows N-01 to N-12, T, I.

internal import Plan
internal import Spec

extension NamespaceType {
    /// The CLONE_NEW* flag.
    ///
    /// Source: linux/sched.h.
    var cloneFlag: UInt64 {
        switch self {
        case .time: 0x80
        case .mount: 0x2_0000
        case .cgroup: 0x200_0000
        case .uts: 0x400_0000
        case .ipc: 0x800_0000
        case .user: 0x1000_0000
        case .pid: 0x2000_0000
        case .network: 0x4000_0000
        }
    }
}

extension TimeOffset.Clock {
    /// The name in /proc/PID/timens_offsets.
    fileprivate var name: String { self == .monotonic ? "monotonic" : "boottime" }
}

extension PlanDraft {
    /// Decides between a direct and a staged launch, and plans the latter's steps.
    ///
    /// Staged: setns(2) and clock offsets act on a process that then has a child, so the init needs one step more than the clone.
    mutating func planNamespaces() throws(PlanningError) {
        let linux = config.linux
        let created = linux.namespaces.filter { $0.path == nil }
        let joined = linux.namespaces.filter { $0.path != nil }
        let offsetsClocks = isNew(.time) && !linux.timeOffsets.isEmpty
        launch.isStaged = !joined.isEmpty || offsetsClocks
        // A cgroup namespace's root is the cgroup its maker is in: the init makes it when it has been placed (N-10).
        var flags: UInt64 = 0
        for namespace in created where namespace.type != .cgroup && !(offsetsClocks && namespace.type == .time) {
            flags |= namespace.type.cloneFlag
        }
        if isNew(.user) {
            launch.createsUserNamespace = true
            launch.uidMappings = linux.uidMappings
            launch.gidMappings = linux.gidMappings
            (launch.uidMethod, launch.gidMethod) = (facts.uidMethod, facts.gidMethod)
        }
        guard launch.isStaged else {
            launch.cloneFlags = flags
            return
        }
        // With the host's credentials first: the user namespace may have no rights over the others (N-12). An ordinary user has rights
        // over them only as a member of the user namespace.
        for namespace in joined where (namespace.type != .user) == facts.mayJoinNamespaces { try join(namespace) }
        for namespace in joined where (namespace.type != .user) != facts.mayJoinNamespaces { try join(namespace) }
        if offsetsClocks { try planClocks() }
        let entered = EnterNewNamespaces(flags: flags, awaitsMappings: launch.createsUserNamespace)
        add(.enterNewNamespaces(entered), (created.first ?? joined.first)?.origin ?? .none)
    }

    private mutating func join(_ namespace: Namespace) throws(PlanningError) {
        for opened in facts.joinedNamespaces where opened.type == namespace.type {
            let type = UInt32(truncatingIfNeeded: namespace.type.cloneFlag)
            add(.joinNamespace(JoinNamespace(type: type, descriptor: opened.descriptor)), namespace.origin)
            return
        }
        throw PlanningError("the \(namespace.type.name) namespace to join is not open", origin: namespace.origin, row: "N-03")
    }

    private mutating func planClocks() throws(PlanningError) {
        // The most that a clock may show: half of what fits into the kernel's nanoseconds. Source: time_namespaces(7).
        let limit: Int64 = 9_223_372_036 / 2
        for (offset, clock) in zip(config.linux.timeOffsets, facts.clocks) {
            let (sum, hasOverflowed) = clock.addingReportingOverflow(offset.seconds)
            if hasOverflowed ? offset.seconds < 0 : sum < 0 {
                throw PlanningError(
                    "the offset of \(offset.seconds) s makes the \(offset.clock.name) clock negative", origin: offset.origin,
                    hint: "the clock is at \(clock) s", row: "T-02")
            }
            if hasOverflowed || sum > limit {
                throw PlanningError(
                    "the offset of \(offset.seconds) s takes the \(offset.clock.name) clock beyond its end", origin: offset.origin,
                    hint: "it ends at \(limit) s", row: "T-02")
            }
        }
        var lines = ""
        for offset in config.linux.timeOffsets {
            lines += "\(offset.clock.name) \(offset.seconds) \(offset.nanoseconds)\n"
        }
        add(.offsetClocks(OffsetClocks(lines: text(lines))), config.linux.timeOffsets[0].origin)
    }

    /// The steps that need the host's ids no more: the container's root, its cgroup view, keyring and loopback device.
    mutating func planIdentity() {
        let linux = config.linux
        if let namespace = linux.namespace(.user) {
            planOwner(namespace)
        }
        if let namespace = linux.namespace(.cgroup), namespace.path == nil { add(.unshareCgroupNamespace, namespace.origin) }
        planKeyring()
        if let namespace = linux.namespace(.network), namespace.path == nil { add(.bringLoopbackUp, namespace.origin) }
    }

    /// Plans the session keyring, with the payload's label where there is one: a payload may use no key of another label (P-15).
    mutating func planKeyring() {
        if facts.noNewKeyring { return }
        if let label = config.process?.selinuxLabel, !label.value.isEmpty, facts.isSELinuxEnabled {
            add(.setExecLabel(SetExecLabel(.keys, label: text(label.value))), label.origin)
        }
        add(.joinSessionKeyring(OneText(text("_ses.\(facts.containerID)"))))
    }

    /// Plans to take ids of a user namespace: those of its root, or the payload's where 0 is not mapped (I-05).
    ///
    /// With ids that the namespace does not know nothing could be made in its file systems.
    mutating func planOwner(_ namespace: Namespace) {
        let linux = config.linux
        if namespace.path != nil || (hostID(0, in: linux.uidMappings) != nil && hostID(0, in: linux.gidMappings) != nil) {
            add(.becomeRoot, namespace.origin)
            return
        }
        let user = config.process?.user
        func mapped(_ id: UInt32?, _ mappings: [IDMapping]) -> UInt32 {
            if let id, hostID(id, in: mappings) != nil { return id }
            return hostID(0, in: mappings) != nil ? 0 : mappings.first?.containerID ?? 0
        }
        let owner = Owner(uid: mapped(user?.uid.value, linux.uidMappings), gid: mapped(user?.gid.value, linux.gidMappings))
        add(.becomeOwner(owner), namespace.origin)
    }
}

/// The mounts of the config, in their order. Rows M, MO.

internal import Plan
internal import Spec

extension PlanDraft {
    /// Plans all mounts.
    mutating func planMounts() throws(PlanningError) {
        for index in config.mounts.indices { try planMount(index) }
    }

    /// Opens the sources of mounts that are to stay peers of the host's, while they still can (MO-19); where the runtime may open none, all
    /// sources, while the init still has the caller's ids.
    ///
    /// Their slots follow those of the runtime: without a user namespace it opens the id-mapped ones only.
    mutating func openSharedSources() throws(PlanningError) {
        if runtimeOpensTrees { return }
        let binds = config.mounts.indices.filter { config.mounts[$0].isBind }
        var slot = UInt32(binds.filter { isIDMapped(config.mounts[$0]) && copiedLink($0) == nil }.count)
        for index in binds where !isIDMapped(config.mounts[index]) && copiedLink(index) == nil {
            let mount = config.mounts[index]
            let options = MountOptions(mount.options)
            guard options.wantsPeer || initOpensTrees, !options.isRemount else { continue }
            let path = text(try bindSource(mount))
            let source = TreeSource(path: path, recursive: options.bind == true, noFollow: options.sourceNoFollow)
            add(.openSource(OpenSource(slot: slot, source: source)), mount.origin)
            sharedSlots[index] = slot
            slot += 1
        }
    }

    private mutating func planMount(_ index: Int) throws(PlanningError) {
        let mount = config.mounts[index]
        let options = MountOptions(mount.options)
        if options.propagation.count > 2 {
            throw PlanningError("a mount takes two changes of propagation at most", origin: mount.origin, row: "MO-18")
        }
        let type = mount.type?.value ?? ""
        if options.bind == nil && isIDMapped(mount) {
            throw PlanningError("only a bind mount can be id-mapped", origin: mount.origin, row: "MO-33")
        }
        if options.isRemount {
            planRemount(mount, options)
        } else if options.bind != nil {
            try planBind(index, mount, options)
        } else if type == "cgroup" || type == "cgroup2" {
            try planCgroups(mount, options)
        } else {
            try planFilesystem(mount, options)
        }
    }

    /// Where a mount goes.
    ///
    /// Links are refused where a fake could pass for the real thing: /proc and /sys.
    mutating func target(_ mount: Mount, _ options: MountOptions, mustExist: Bool = false) -> Target {
        let path = cleanPath(mount.destination.value)
        let noFollow = options.destinationNoFollow || path == "/proc" || path == "/sys"
        return Target(
            path: text(path), noFollow: noFollow, mustExist: mustExist, takesOnlyProcfs: path == "/proc",
            mayBeInProcfs: path == "/proc" || path.hasPrefix("/proc/"))
    }

    private mutating func planRemount(_ mount: Mount, _ options: MountOptions) {
        // A remount of a bind is one of the mount alone: its file system may be the host's.
        let parameters = options.bind == nil ? options.parameters.map { $0.text } : []
        let remount = Remount(
            target: target(mount, options, mustExist: true), attributes: options.treeAttributes,
            propagation: propagationChange(options.propagation, mustLeaveHost: false), parameters: texts(parameters))
        add(.remount(remount), mount.origin)
    }
}

// New file systems
extension PlanDraft {
    private mutating func planFilesystem(_ mount: Mount, _ options: MountOptions) throws(PlanningError) {
        guard let type = mount.type, !type.value.isEmpty else {
            throw PlanningError(
                "the mount on \(mount.destination.value) has no type", origin: mount.origin,
                hint: "give it a type, or for a bind mount the option bind or rbind", row: "M-04")
        }
        if type.value == "bind" || type.value == "none" {
            throw PlanningError(
                "\"\(type.value)\" is not a file system", origin: type.origin, hint: "add bind or rbind to the options", row: "M-03")
        }
        var extras: MountFilesystem.Options = []
        if options.copiesUp {
            extras.insert(.copyUp)
            if !options.parameters.contains(where: { $0.key == "uid" || $0.key == "gid" }) { extras.insert(.inheritOwner) }
        }
        if type.value == "tmpfs" && !options.parameters.contains(where: { $0.key == "mode" }) { extras.insert(.inheritMode) }
        if (hasUserNamespace || facts.isInUserNamespace) && isRefusable(type.value) { extras.insert(.bindWhenRefused) }
        let parameters = parameters(of: mount, type.value, options)
        let step = MountFilesystem(
            type: text(type.value), source: text(mount.source?.value ?? type.value), target: target(mount, options),
            parameters: texts(parameters), attributes: options.newAttributes,
            propagation: propagationChange(options.propagation, mustLeaveHost: false), options: extras)
        add(.mountFilesystem(step), mount.origin)
    }

    /// Whether a user namespace may be refused a new file system of that type where the host's own shows the same: the kernel ties a sysfs to
    /// the owner of the network namespace, an mqueue to that of the IPC namespace, a procfs to that of the PID namespace (M-13, M-14).
    private func isRefusable(_ type: String) -> Bool {
        switch type {
        case "sysfs": true
        case "mqueue": config.linux.namespace(.ipc) == nil
        case "proc": config.linux.namespace(.pid) == nil
        default: false
        }
    }

    private mutating func parameters(of mount: Mount, _ type: String, _ options: MountOptions) -> [String] {
        var result: [String] = []
        for parameter in options.parameters {
            if type == "devpts", let gid = unmappedGroup(parameter.text) {
                warn("gid=\(gid) is left out: the user namespace does not map group \(gid)", parameter.origin, row: "M-15")
                continue
            }
            result.append(parameter.text)
        }
        // A file system on a device must not even be opened for writing. The others are one with their mount.
        if options.isReadOnly && !Self.withoutDevice.contains(type) { result.append("ro") }
        if let label = config.linux.mountLabel, facts.isSELinuxEnabled, !Self.withoutContext.contains(type) {
            result.append("\(config.annotation(.mountContextType) ?? "context")=\(label.value)")
        }
        return result
    }

    /// The group of a `gid=` that the container's user namespace, its own or the runtime's, does not map.
    private func unmappedGroup(_ parameter: String) -> UInt32? {
        guard parameter.hasPrefix("gid="), let gid = UInt32(parameter.dropFirst(4)) else { return nil }
        let mappings = launch.createsUserNamespace ? config.linux.gidMappings : hasUserNamespace ? [] : facts.mappedGroups
        return mappings.isEmpty || hostID(gid, in: mappings) != nil ? nil : gid
    }

    /// File systems of the kernel's own.
    ///
    /// mqueue is that of the IPC namespace that the init is in by then (M-14).
    private static let withoutDevice = [
        "proc", "sysfs", "tmpfs", "devpts", "mqueue", "ramfs", "overlay", "debugfs", "tracefs", "securityfs",
    ]
    private static let withoutContext = ["proc", "sysfs", "mqueue"]
}

// Binds
extension PlanDraft {
    private func bindSource(_ mount: Mount) throws(PlanningError) -> String {
        guard let source = mount.source, !source.value.isEmpty else {
            throw PlanningError("the bind mount on \(mount.destination.value) has no source", origin: mount.origin, row: "M-03")
        }
        return absolutePath(source.value, in: facts.bundle)
    }

    /// Whether a bind is id-mapped: by an option, or by mappings of its own.
    private func isIDMapped(_ mount: Mount) -> Bool {
        if !mount.uidMappings.isEmpty || !mount.gidMappings.isEmpty { return true }
        return MountOptions(mount.options).idMap != nil
    }

    /// What the source of a `copy-symlink` mount points at, if it is a link.
    private func copiedLink(_ index: Int) -> String? {
        guard MountOptions(config.mounts[index].options).copiesSymlink else { return nil }
        for link in facts.copiedLinks where link.mount == index { return link.target }
        return nil
    }

    private mutating func planBind(_ index: Int, _ mount: Mount, _ options: MountOptions) throws(PlanningError) {
        let isRecursive = options.bind == true
        if let content = copiedLink(index) {
            let path = cleanPath(mount.destination.value)
            add(.makeSymlink(MakeSymlink(target: text(content), path: text(path), keepExisting: false)), mount.origin)
            return
        }
        let path = try bindSource(mount)
        let idMap = try idMap(of: mount, options)
        let source: TreeSource
        var mustLeaveHost = false
        if let slot = sharedSlots[index] {
            source = TreeSource(slot: slot, path: text(path), recursive: isRecursive)
        } else if runtimeOpensTrees || idMap != nil {
            source = open(path, isRecursive: isRecursive, noFollow: options.sourceNoFollow, idMap: idMap, mount.origin)
            mustLeaveHost = hasUserNamespace || !options.wantsPeer
        } else {
            source = TreeSource(path: text(path), recursive: isRecursive, noFollow: options.sourceNoFollow)
        }
        let step = Bind(
            source: source, target: target(mount, options), attributes: options.treeAttributes,
            propagation: propagationChange(options.propagation, mustLeaveHost: mustLeaveHost))
        add(.bind(step), mount.origin)
    }

    /// Has the runtime open a tree.
    mutating func open(
        _ path: String, isRecursive: Bool, noFollow: Bool = false, idMap: LaunchPlan.IDMap? = nil, _ origin: Origin
    ) -> TreeSource {
        var source = LaunchPlan.Source(slot: UInt32(launch.sources.count), path: path, isRecursive: isRecursive, origin: origin)
        source.noFollow = noFollow
        source.idMap = idMap
        launch.sources.append(source)
        return TreeSource(slot: source.slot, path: text(path), recursive: isRecursive)
    }

    /// The mapping of an id-mapped bind: its option's, its own, or the container's.
    ///
    /// Rows M-07 to M-09.
    private func idMap(of mount: Mount, _ options: MountOptions) throws(PlanningError) -> LaunchPlan.IDMap? {
        guard isIDMapped(mount) else { return nil }
        guard facts.opensTrees else {
            throw PlanningError(
                "an ordinary user cannot map the ids of a mount", origin: mount.origin, hint: "leave the mount's mappings out", row: "M-07")
        }
        let linux = config.linux
        let isRecursive = options.idMap?.isRecursive ?? false
        if let mapping = options.idMap?.mapping {
            let origin = options.idMap?.origin ?? mount.origin
            let parsed = IDMapOption(mapping, containerUIDs: linux.uidMappings, containerGIDs: linux.gidMappings, origin: origin)
            guard let parsed else {
                throw PlanningError(
                    "\"\(mapping)\" is not an id mapping", origin: origin,
                    hint: "write uids=FIRST-HOST-COUNT;gids=FIRST-HOST-COUNT, several ranges with # between", row: "MO-33")
            }
            return LaunchPlan.IDMap(.mapped(uids: parsed.uids, gids: parsed.gids), isRecursive: isRecursive)
        }
        if !mount.uidMappings.isEmpty || !mount.gidMappings.isEmpty {
            return LaunchPlan.IDMap(.mapped(uids: mount.uidMappings, gids: mount.gidMappings), isRecursive: isRecursive)
        }
        if launch.createsUserNamespace {
            return LaunchPlan.IDMap(.mapped(uids: linux.uidMappings, gids: linux.gidMappings), isRecursive: isRecursive)
        }
        for opened in facts.joinedNamespaces where opened.type == .user && hasUserNamespace {
            return LaunchPlan.IDMap(.joined(descriptor: opened.descriptor), isRecursive: isRecursive)
        }
        throw PlanningError("idmap needs uidMappings and gidMappings, or a user namespace", origin: mount.origin, row: "M-09")
    }
}

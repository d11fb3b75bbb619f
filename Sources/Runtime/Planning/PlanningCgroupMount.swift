/// What a mount of type `cgroup` shows: the container's own part of the host's tree. Row M-12.

internal import Plan
internal import Spec

extension PlanDraft {
    /// Plans the steps of a cgroup mount.
    mutating func planCgroups(_ mount: Mount, _ options: MountOptions) throws(PlanningError) {
        // The hierarchies are mounted already, and their settings are the host's.
        if let parameter = options.parameters.first {
            throw PlanningError(
                "the option \(parameter.text) has no effect on a cgroup mount, which shows the host's hierarchies",
                origin: parameter.origin,
                row: "M-12")
        }
        if !facts.isCgroupV2 && mount.type?.value == "cgroup" {
            planHierarchies(mount, options)
        } else if facts.isCgroupV2 && config.linux.namespace(.cgroup) == nil {
            var options = options
            // Whoever could write there would set limits of the caller and of others.
            if facts.cgroupIsCallers { options.own.apply(.readOnly, set: true) }
            bindCgroup(facts.cgroupV2Directory, on: cleanPath(mount.destination.value), mount, options)
        } else {
            let step = MountFilesystem(
                type: text("cgroup2"), source: text("cgroup2"), target: target(mount, options), parameters: .empty,
                attributes: options.newAttributes, propagation: propagationChange(options.propagation, mustLeaveHost: false))
            add(.mountFilesystem(step), mount.origin)
        }
    }

    /// cgroup v1: a directory of hierarchies, each with the container's own cgroup as its root.
    private mutating func planHierarchies(_ mount: Mount, _ options: MountOptions) {
        let directory = cleanPath(mount.destination.value)
        var attributes = AttributeChange()
        attributes.set = AttributeBit.noSuid | AttributeBit.noDev | AttributeBit.noExec
        let step = MountFilesystem(
            type: text("tmpfs"), source: text("cgroup"), target: target(mount, options), parameters: texts(["mode=755", "size=64k"]),
            attributes: attributes, propagation: propagationChange(options.propagation, mustLeaveHost: false))
        add(.mountFilesystem(step), mount.origin)
        for hierarchy in facts.cgroupMounts {
            let path = "\(directory)/\(hierarchy.name)"
            add(.makeDirectory(MakeDirectory(path: text(path), mode: 0o755)), mount.origin)
            bindCgroup(hierarchy.directory, on: path, mount, options)
            for name in hierarchy.links where name != hierarchy.name {
                add(.makeSymlink(MakeSymlink(target: text(hierarchy.name), path: text("\(directory)/\(name)"))), mount.origin)
            }
        }
        if options.isReadOnly {
            attributes = AttributeChange()
            attributes.set = AttributeBit.readOnly
            let remount = Remount(
                target: target(mount, options, mustExist: true), attributes: attributes, propagation: PropagationChange(),
                parameters: .empty)
            add(.remount(remount), mount.origin)
        }
    }

    private mutating func bindCgroup(_ directory: String, on path: String, _ mount: Mount, _ options: MountOptions) {
        let source =
            runtimeOpensTrees
            ? open(directory, isRecursive: false, mount.origin) : TreeSource(path: text(directory), recursive: false)
        let step = Bind(
            source: source, target: Target(path: text(path)), attributes: options.treeAttributes,
            propagation: propagationChange(options.propagation, mustLeaveHost: hasUserNamespace))
        add(.bind(step), mount.origin)
    }
}

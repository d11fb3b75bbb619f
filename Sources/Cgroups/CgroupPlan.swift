/// What a container's cgroup will be: its directories, its limits and what has to be undone, before anything is made.

public import Spec

/// A container's cgroup as data.
public struct CgroupPlan: Equatable, Sendable {
    /// The path below every mount point: "/swoci/web".
    public let path: String
    /// The hierarchies, each with the container's directory in it, in the layout's order.
    public let places: [Place]
    /// The limits, in the order in which they are written.
    public private(set) var writes: [CgroupWrite]
    /// The controllers of cgroup v2 that the limits need, and that must be there (CG-05).
    public let neededControllers: [Requirement]
    /// The device filter of cgroup v2; nil: none.
    public let deviceProgram: DeviceProgram?
    /// Remarks for the user.
    public let warnings: [CgroupWarning]
    /// The user who gets the cgroup, to make cgroups below it; nil: nobody (CG-06).
    public var owner: UInt32?
    /// The unit of systemd that the cgroup belongs to; nil where nobody but the runtime manages it.
    public let scope: ScopePlan?

    /// A directory of the container.
    public struct Place: Equatable, Sendable {
        /// The hierarchy.
        public var hierarchy: CgroupHierarchy
        /// The container's cgroup in it, absolute.
        public var directory: String
        /// The directories between the mount point and it, outermost first.
        public var parents: [String]
    }

    /// A controller and the first limit that needs it.
    public struct Requirement: Equatable, Sendable {
        /// The controller's name.
        public var controller: String
        /// The limit's place in the document.
        public var origin: Origin
    }

    /// Plans the cgroup of a container.
    ///
    /// The same arguments always give the same plan; nothing is read from the host.
    ///
    /// - Parameter base: Where the paths begin that are not absolute; nil: at the root.
    /// - Throws: An error with its origin for a path or a limit that this host cannot take.
    /// - Source: rows CG-01, RD, RM, RC, RB, RH, RU.
    public init(
        cgroupsPath: Located<String>?, id: String, layout: CgroupLayout, resources: Resources?, base: String? = nil,
        scope: ScopeRequest? = nil
    ) throws(CgroupError) {
        let name = try scope.map { scope throws(CgroupError) in
            try ScopeName(cgroupsPath, id: id, isUser: scope.facts.manager.isUser)
        }
        let path: CgroupPath
        if let name, let scope {
            path = CgroupPath(name, below: scope.facts.cgroup)
        } else {
            path = try CgroupPath(cgroupsPath, id: id, base: base)
        }
        let text = path.text
        self.path = text
        var places: [Place] = []
        for hierarchy in layout.hierarchies {
            let parents = path.parents(below: hierarchy.mountPoint)
            places.append(Place(hierarchy: hierarchy, directory: hierarchy.mountPoint + text, parents: parents))
        }
        self.places = places
        var translation = Translation(layout: layout, places: places)
        if let resources { try translation.translate(resources) }
        writes = translation.writes
        neededControllers = translation.needed
        deviceProgram = translation.deviceProgram
        warnings = translation.warnings
        if let name, let scope {
            var properties = unitProperties(writes, version: scope.facts.version)
            if !layout.isUnified, let devices = resources?.devices {
                properties += deviceProperties(DeviceRules.complete(devices, origin: .none))
            }
            self.scope = ScopePlan(
                unit: name.unit, slice: name.slice, description: "swoci container " + scope.container, manager: scope.facts.manager,
                properties: properties + (try annotatedProperties(scope.annotations)))
        } else {
            self.scope = nil
        }
    }

    /// The same plan with room for the second process that a staged launch has for a moment.
    ///
    /// Once there is one process again, ``Cgroup/limitProcesses(_:)`` with the plan itself sets the limit that is wanted.
    public var withRoomForStage: CgroupPlan {
        var plan = self
        for index in plan.writes.indices where plan.writes[index].file == "pids.max" && plan.writes[index].value == "1" {
            plan.writes[index].value = "2"
        }
        return plan
    }

    /// The place in the unified hierarchy.
    public var unified: Place? { places.first { $0.hierarchy.isUnified } }

    /// What removing the cgroup must know, to be kept on disk before the cgroup is made.
    ///
    /// Ownership is decided here: a directory that is there already belongs to somebody else and is never removed, be it a parent
    /// (a pod's cgroup with its limits) or the leaf. The shared parent `/swoci` is never removed either.
    /// - Parameter exists: Asks the host for a directory.
    public func record(exists: (String) -> Bool) -> CgroupRecord {
        var record = CgroupRecord()
        for place in places {
            record.paths.append(place.directory)
            if place.hierarchy.isUnified { record.unified = place.directory }
            if place.hierarchy.controllers.contains("freezer") { record.freezer = place.directory }
            // A scope's cgroup is made with the scope, which tells whose it is; its slices are systemd's.
            if scope == nil && exists(place.directory) { continue }
            if scope != nil && place.hierarchy.isSystemds {
                record.created.append(place.directory)
                continue
            }
            var missing = [place.directory]
            for parent in place.parents.reversed() {
                if place.isBelowShared || exists(parent) { break }
                missing.append(parent)
            }
            record.created += missing.reversed()
        }
        if let scope { record.scope = ScopeRecord(unit: scope.unit, description: scope.description, manager: scope.manager) }
        return record
    }

    /// What removing the cgroup must know, by a look at the host.
    public func record() -> CgroupRecord {
        record(exists: Cgroups.exists)
    }
}

extension CgroupPlan.Place {
    /// Whether the cgroup is directly below the shared directory.
    var isBelowShared: Bool {
        parents.count == 1 && parents[0] == hierarchy.mountPoint + "/" + CgroupPath.shared
    }
}

/// What a container has in the cgroup hierarchies: enough to act on it and to remove it, without the config.
public struct CgroupRecord: Equatable, Sendable {
    /// The container's directory in each hierarchy, absolute.
    public var paths: [String] = []
    /// The directories that were missing before, in the order in which they are made: only these are removed.
    public var created: [String] = []
    /// The inode numbers of `paths`, once they are there: what tells them from others of the same names.
    public var inodes: [UInt64] = []
    /// The container's state directory, with which the first of `paths` is marked; nil: it has no mark.
    public var owner: String?
    /// The one of `paths` that is cgroup v2.
    public var unified: String?
    /// The one of `paths` that has the v1 freezer.
    public var freezer: String?
    /// The unit of systemd that the cgroup belongs to.
    public var scope: ScopeRecord?

    /// Makes a record of nothing.
    public init() {}

    /// The record less the directories that were there before: what may be taken back before a process of the container's is known to
    /// be in the others, where somebody else's may be.
    public var onlyCreated: CgroupRecord {
        // A scope that is in the way of ours has its cgroup where ours would have been.
        if scope != nil { return CgroupRecord() }
        var result = self
        result.paths = paths.filter { created.contains($0) }
        result.inodes = []
        for (index, path) in paths.enumerated() where index < inodes.count && created.contains(path) { result.inodes.append(inodes[index]) }
        if let unified, !created.contains(unified) { result.unified = nil }
        if let freezer, !created.contains(freezer) { result.freezer = nil }
        return result
    }
}

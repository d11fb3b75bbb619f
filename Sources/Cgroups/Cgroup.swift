/// Making a container's cgroup and setting its limits: the plan carried out.

import CLinux
public import Linux
import Spec

/// The acts on a planned cgroup.
public enum Cgroup {
    /// Makes the cgroup in every hierarchy, sets its limits and its device filter.
    ///
    /// No process joins yet.
    ///
    /// A cgroup that is there already is taken only if it is empty, not frozen and no other container's (CG-02). After a failure what was
    /// made is left for ``remove(_:)`` with the record, which the caller has on disk.
    /// - Parameter record: The plan's record; what it says to have been missing and somebody else has made by now comes out of it.
    /// - Source: rows CG-01, CG-02, CG-05.
    public static func make(_ plan: CgroupPlan, _ record: inout CgroupRecord) throws(CgroupError) {
        for (index, place) in plan.places.enumerated() {
            if try !makeLeaf(place) {
                try take(place, of: plan, &record)
            } else if index == 0, let owner = record.owner {
                _ = CgroupMarker.set(owner, on: place.directory)
            }
            if place.hierarchy.controllers.contains("cpuset"), !place.hierarchy.isUnified { try fillCpuset(place) }
        }
        if let place = plan.unified, plan.places.count == 1 || !plan.neededControllers.isEmpty {
            try enableControllers(place, needed: plan.neededControllers)
        }
        try setLimits(plan)
    }

    /// Sets the limits, the device filter and the owner of a cgroup that stands.
    static func setLimits(_ plan: CgroupPlan) throws(CgroupError) {
        try WriteRun().run(plan.writes)
        guard let place = plan.unified else { return }
        if let program = plan.deviceProgram { try DeviceFilter.attach(program, to: place.directory) }
        if let owner = plan.owner { try delegate(place.directory, toUser: owner) }
    }

    /// Sets the limit of processes alone.
    public static func limitProcesses(_ plan: CgroupPlan) throws(CgroupError) {
        try WriteRun().run(plan.writes.filter { $0.file == "pids.max" })
    }

    /// Makes the leaf, and where its parents are missing, these too.
    ///
    /// - Returns: Whether the leaf is new.
    static func makeLeaf(_ place: CgroupPlan.Place) throws(CgroupError) -> Bool {
        // Again, because whoever removes the last cgroup of a parent that we found may remove the parent as well.
        for _ in 0..<10 {
            do throws(Errno) {
                try makeDirectory(place.directory)
                return true
            } catch {
                if error == .exists { return false }
                guard error == .noEntry, !place.parents.isEmpty else { throw failure(place, error) }
            }
            for parent in place.parents {
                do throws(Errno) { try makeDirectory(parent) } catch  where error == .exists {
                } catch  where error == .noEntry { break } catch { throw failure(place, error) }
            }
        }
        throw failure(place, .noEntry)
    }

    private static func failure(_ place: CgroupPlan.Place, _ error: Errno) -> CgroupError {
        let isReadOnly = error.code == 30
        return CgroupError(
            "make cgroup", place.directory, error, hint: isReadOnly ? "\(place.hierarchy.mountPoint) is mounted read-only" : nil)
    }

    /// Refuses a cgroup in which a container could not live alone or at all (CG-02).
    static func checkIsFit(_ place: CgroupPlan.Place) throws(CgroupError) {
        let inside = try processes(below: place.directory)
        if !inside.isEmpty {
            throw CgroupError(
                "take the cgroup", place.directory, problem: "container's cgroup is not empty: \(inside.count) process(es) found",
                value: list(inside))
        }
        if try isFrozen(directory: place.directory, isUnified: place.hierarchy.isUnified) {
            throw CgroupError("take the cgroup", place.directory, problem: "container's cgroup unexpectedly frozen")
        }
    }

    /// Gives a new v1 cpuset the CPUs and memory nodes of its parents: no process can join an empty one.
    ///
    /// Below a parent with `cgroup.clone_children` the kernel has done so, which the shared parent gets for that: then one look is all.
    /// - Source: cpuset(7).
    static func fillCpuset(_ place: CgroupPlan.Place) throws(CgroupError) {
        let cpus = place.directory + "/cpuset.cpus"
        if !(try attempt("read", cpus) { () throws(Errno) in try readText(cpus) }).isEmpty { return }
        if place.isBelowShared {
            let file = place.parents[0] + "/cgroup.clone_children"
            try attempt("write", file) { () throws(Errno) in try writeText("1", to: file) }
        }
        var parent = place.hierarchy.mountPoint
        for child in place.parents + [place.directory] {
            for name in ["/cpuset.cpus", "/cpuset.mems"] {
                let file = child + name
                try attempt("fill from the parent", file) { () throws(Errno) in
                    if try readText(file).isEmpty { try writeText(try readText(parent + name), to: file) }
                }
            }
            parent = child
        }
    }
}

/// The controllers of cgroup v2 that are enabled for a container where they are available: limits or statistics want them.
private let wantedControllers = ["cpu", "cpuset", "hugetlb", "io", "memory", "misc", "pids", "rdma"]

extension Cgroup {
    /// Enables controllers for the leaf in each of its parents (CG-05).
    ///
    /// A needed one that cannot be enabled is an error; the others are enabled as far as they can be.
    static func enableControllers(_ place: CgroupPlan.Place, needed: [CgroupPlan.Requirement]) throws(CgroupError) {
        let wanted = wantedControllers.filter { name in place.hierarchy.controllers.contains(name) }
        let others = needed.map { $0.controller }.filter { name in !wanted.contains(name) }
        var missing = try controllers(of: place.directory, lackingOf: wanted + others)
        if missing.isEmpty { return }
        let path = [place.hierarchy.mountPoint] + place.parents + [place.directory]
        for (index, parent) in path.dropLast().enumerated() {
            // What the next one has already was enabled by somebody else, whose cgroup the parent may be.
            let lacking = try controllers(of: path[index + 1], lackingOf: missing)
            let enabled = try enable(lacking, in: parent, needed: needed)
            missing = missing.filter { name in !lacking.contains(name) || enabled.contains(name) }
        }
    }

    /// Enables controllers for a cgroup's children.
    ///
    /// - Returns: Those that are enabled now.
    private static func enable(
        _ names: [String], in parent: String, needed: [CgroupPlan.Requirement]
    ) throws(CgroupError) -> [String] {
        if names.isEmpty { return names }
        let file = parent + "/cgroup.subtree_control"
        let all = names.map { "+" + $0 }.joined(separator: " ")
        if (try? writeText(all, to: file)) != nil { return names }
        var enabled: [String] = []
        for name in names {
            do throws(Errno) {
                try writeText("+" + name, to: file)
                enabled.append(name)
            } catch {
                guard let requirement = needed.first(where: { $0.controller == name }) else { continue }
                throw CgroupError(
                    "enable the controller \(name)", file, error, value: "+" + name, origin: requirement.origin,
                    hint: enablingHint(error, parent))
            }
        }
        return enabled
    }

    /// Why a controller cannot be enabled in a parent, and what helps (CG-04, CG-05).
    private static func enablingHint(_ error: Errno, _ parent: String) -> String? {
        switch error {
        case .busy:
            let inside = (try? processes(of: parent)) ?? []
            return "a cgroup with processes cannot enable controllers for its children; move these away: \(list(inside))"
        case .noEntry: return "\(parent) does not have this controller: its own parent must enable it (systemd: Delegate=yes)"
        case .notSupported: return "\(parent) is threaded"
        default: return nil
        }
    }

    /// Which of these controllers a cgroup does not have.
    private static func controllers(of directory: String, lackingOf names: [String]) throws(CgroupError) -> [String] {
        let file = directory + "/cgroup.controllers"
        let present = split(try attempt("read", file) { () throws(Errno) in try readText(file) }, " ")
        return names.filter { name in !present.contains(name) }
    }
}

extension Cgroup {
    /// The container's directory in cgroup v2, for clone3's CLONE_INTO_CGROUP; nil on a host without v2 (CG-08).
    public static func unifiedDirectory(_ record: CgroupRecord) throws(CgroupError) -> OwnedFD? {
        guard let path = record.unified else { return nil }
        do throws(Errno) { return try OwnedFD.open(path, [.path, .directory]) } catch { throw CgroupError("open", path, error) }
    }

    /// Moves a process into the container's cgroup of every hierarchy.
    ///
    /// The kernel stops all forks and exits of the host for each move. ``CgroupEntrance`` avoids that.
    public static func place(_ pid: Int32, in record: CgroupRecord) throws(CgroupError) {
        for path in record.paths {
            let file = path + "/cgroup.procs"
            do throws(Errno) { try writeText("\(pid)", to: file) } catch {
                throw CgroupError("move the process into the cgroup", file, error, value: "\(pid)", hint: placingHint(error))
            }
        }
    }

    static func placingHint(_ error: Errno) -> String? {
        switch error {
        case .noSpace: "the cpuset has no cpus or no mems"
        case .busy: "a cgroup v2 with children that have controllers takes no processes itself"
        case .notSupported: "the cgroup is threaded"
        case .invalidArgument: "the kernel does not let a real-time process into a cgroup without a real-time budget"
        default: nil
        }
    }
}

/// Cgroups for a caller who does not own the host's: what is delegated to it, and what may be left out.
///
/// A user manager of systemd has a subtree of cgroup v2 of its own, and so has whoever is in it. A process can be moved there only by
/// who may write to the `cgroup.procs` of the closest cgroup above both places. Source: cgroups(7), "Delegation"; rows CG-01, CG-08.

import CLinux
public import Linux
public import Spec

/// What a caller may do with a planned cgroup.
public struct CgroupAccess: Equatable, Sendable {
    /// The first directory or file that it would have to write to and may not; nil: none.
    public var closed: String?
    /// The controllers that it can have for a container; those of v1 hierarchies do not count.
    public var controllers: [String] = []
    /// Where they end: the highest cgroup of the caller's.
    public var top = ""
    /// The cgroup that the caller itself is in.
    public var own = ""
    /// Whether the host has cgroup v2 alone.
    public var isUnified = true

    /// Makes the access of a caller that may do everything.
    public init() {}
}

extension CgroupLayout {
    /// The caller's own cgroup in v2, below the mount point: "/user.slice/x.scope".
    ///
    /// - Source: proc_pid_cgroup(5).
    public static func ownCgroup() -> String? {
        guard let listing = try? readText("/proc/self/cgroup") else { return nil }
        return ownCgroup(listing: listing)
    }

    static func ownCgroup(listing: String) -> String? {
        for line in split(listing, "\n") where line.hasPrefix("0::/") { return String(line.dropFirst(3)) }
        return nil
    }

    /// Where the containers of a caller in that cgroup go: beside it, because a cgroup with processes cannot hand controllers on; in it, if
    /// there is nothing else in sight.
    public static func delegationBase(own: String) -> String {
        String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])
    }
}

extension CgroupAccess {
    /// Looks at what the caller may do for a planned cgroup.
    public init(_ plan: CgroupPlan, own: String?) {
        isUnified = plan.places.count == 1 && plan.unified != nil
        self.own = own ?? ""
        for place in plan.places where closed == nil { closed = CgroupAccess.obstacle(place, own: own) }
        guard closed == nil, let place = plan.unified, isUnified else { return }
        let directories = ([place.hierarchy.mountPoint] + place.parents).filter { exists($0) }
        // From the bottom up, as long as the caller may hand controllers on.
        for directory in directories.reversed() {
            guard isWritable(directory + "/cgroup.subtree_control") else { break }
            top = directory
        }
        let file = top.isEmpty ? (directories.last ?? "") + "/cgroup.subtree_control" : top + "/cgroup.controllers"
        controllers = (try? readText(file)).map { split($0, " ") } ?? []
        if top.isEmpty { top = directories.last ?? "" }
    }

    /// What keeps the caller from making and entering a cgroup.
    private static func obstacle(_ place: CgroupPlan.Place, own: String?) -> String? {
        let path = [place.hierarchy.mountPoint] + place.parents + [place.directory]
        guard let there = path.last(where: { exists($0) }) else { return place.hierarchy.mountPoint }
        let entrance = place.hierarchy.isUnified ? "/cgroup.procs" : "/tasks"
        if there == place.directory {
            if !isWritable(there + entrance) { return there + entrance }
        } else if !isWritable(there) {
            return there
        }
        guard place.hierarchy.isUnified, let own else { return nil }
        let procs = commonAncestor(place.hierarchy.mountPoint + (own == "/" ? "" : own), place.directory) + "/cgroup.procs"
        return isWritable(procs) ? nil : procs
    }

    /// The closest directory above two cgroups, or one of them.
    static func commonAncestor(_ first: String, _ second: String) -> String {
        var result = ""
        for (one, other) in zip(first.split(separator: "/"), second.split(separator: "/")) {
            if one != other { break }
            result += "/" + one
        }
        return result
    }
}

/// Whether the caller may write to a file or directory.
///
/// Source: faccessat2(2), with AT_EACCESS.
private func isWritable(_ path: String) -> Bool {
    (try? path.withPath { path throws(Errno) in try kernel(__NR_faccessat2, workingDirectory, path.address, 2, 0x200) }) != nil
}

extension CgroupAccess {
    /// What keeps a process from being born into or moved to a cgroup whose files its caller may write to; nil: something else.
    public static func movingHint(_ error: Errno, to directory: String?) -> String? {
        guard error == .accessDenied, let directory, let own = CgroupLayout.ownCgroup() else { return nil }
        var mountPoint = ""
        for component in directory.split(separator: "/") {
            mountPoint += "/" + component
            if fileSystemType(mountPoint) == Int64(CGROUP2_SUPER_MAGIC) { break }
        }
        let above = commonAncestor(mountPoint + (own == "/" ? "" : own), directory)
        return "this process is in \(own): from there only who may write to \(above)/cgroup.procs can put one into the other; "
            + "start swoci in a cgroup beside the container's (systemd-run --user --scope)"
    }
}

extension CgroupPlan {
    /// Whether a caller with that access gets the cgroup, or goes without.
    ///
    /// Without is good enough where nothing asks for a cgroup: no limit, and no absolute path.
    ///
    /// - Throws: What asks for it, and what the caller could do.
    /// - Source: rows CG-01, CG-05.
    public func isGranted(_ access: CgroupAccess, path: Located<String>?) throws(CgroupError) -> Bool {
        if let closed = access.closed {
            if let write = writes.first {
                throw CgroupError(
                    "set the limit", write.file, problem: "the caller may not make cgroups: no right to write to \(closed)",
                    value: write.value, origin: write.origin, hint: access.remedy)
            }
            if let path, path.value.utf8.first == UInt8(ascii: "/") {
                throw CgroupError(
                    "make cgroup", path.value, problem: "the caller may not: no right to write to \(closed)", origin: path.origin,
                    hint: "without cgroupsPath and limits the container stays in the caller's cgroup; or " + access.remedy)
            }
            return false
        }
        for requirement in neededControllers where !access.controllers.contains(requirement.controller) {
            let has = access.controllers.isEmpty ? "none" : access.controllers.joined(separator: " ")
            throw CgroupError(
                "set the limit", requirement.controller,
                problem: "the controller \(requirement.controller) is not delegated to the caller: \(access.top) has \(has)",
                origin: requirement.origin, hint: access.dropIn(for: requirement.controller))
        }
        return true
    }
}

extension CgroupAccess {
    /// How to get to a delegated cgroup.
    fileprivate var remedy: String {
        guard isUnified else { return "cgroup v1 has no delegation to ordinary users: cgroup v2 has" }
        return "start it in a cgroup of the user manager (systemd-run --user --scope), or use --systemd-cgroup; this process is in "
            + (own.isEmpty ? "none" : own)
    }

    /// What has a user manager hand a controller on.
    fileprivate func dropIn(for controller: String) -> String {
        let all = (controllers + [controller]).sorted().joined(separator: " ")
        return
            "root can delegate it by a file /etc/systemd/system/user@.service.d/delegate.conf with \"[Service]\" and \"Delegate=\(all)\", "
            + "systemctl daemon-reload, and a new login"
    }
}

/// A container's scope: made, changed and removed together with its cgroups.

import DBus
import Linux

extension Cgroup {
    /// Finds the service manager that answers first.
    ///
    /// - Throws: An error that says why each could not be reached: this host has none for the caller.
    public static func findServiceManager(_ candidates: [ServiceManager]) throws(CgroupError) -> ServiceManagerFacts {
        var reasons: [String] = []
        for candidate in candidates {
            do throws(DBusError) {
                var systemd = try Systemd.reach(candidate)
                let facts = try systemd.facts()
                if systemd.seesOurProcesses { return facts }
                reasons.append("\(candidate.socket): it is in another PID namespace, where our processes have other numbers")
            } catch {
                reasons.append("\(candidate.socket): \(error.words)")
            }
        }
        throw CgroupError(
            "find systemd", candidates.first?.socket ?? "", problem: "no systemd answers: " + reasons.joined(separator: ", "),
            hint: "use --cgroup-manager cgroupfs")
    }

    /// Makes a container's scope around its first process, which waits, and sets its limits.
    ///
    /// What systemd leaves to us is done as for other cgroups: the hierarchies of v1 that it does not manage, controllers that it does not
    /// know, limits that it has no property for.
    /// - Source: rows CG-01, CG-05, CG-08.
    public static func make(_ plan: CgroupPlan, _ scope: ScopePlan, around pid: Int32) throws(CgroupError) {
        do throws(DBusError) {
            var systemd = try Systemd.reach(scope.manager)
            try systemd.start(scope, around: pid)
        } catch {
            throw CgroupError("start the scope", scope.unit, error, hint: error.hint(scope))
        }
        let listing = "/proc/\(pid)/cgroup"
        let actual = try attempt("read", listing) { () throws(Errno) in try readText(listing) }
        try check(plan, actual, scope)
        for place in plan.places where !place.hierarchy.isUnified {
            _ = try makeLeaf(place)
            if place.hierarchy.controllers.contains("cpuset") { try fillCpuset(place) }
            if !isListed(plan.path, of: place.hierarchy, in: actual) { try move(pid, into: place.directory) }
        }
        if let place = plan.unified, plan.places.count == 1 || !plan.neededControllers.isEmpty {
            try enableControllers(place, needed: plan.neededControllers)
        }
        try setLimits(plan)
    }

    /// Refuses to go on where systemd has put the process elsewhere than its cgroup was looked for.
    private static func check(_ plan: CgroupPlan, _ listing: String, _ scope: ScopePlan) throws(CgroupError) {
        for place in plan.places where place.hierarchy.controllers.isEmpty || place.hierarchy.isUnified {
            if !isListed(plan.path, of: place.hierarchy, in: listing) {
                throw CgroupError(
                    "start the scope", scope.unit, problem: "its cgroup is not \(place.directory)",
                    value: split(listing, "\n").joined(separator: " "), hint: "a cgroup namespace hides where it is")
            }
        }
    }

    /// Whether a process is in a cgroup of that path, as its /proc/PID/cgroup says.
    private static func isListed(_ path: String, of hierarchy: CgroupHierarchy, in listing: String) -> Bool {
        for line in split(listing, "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3, fields[2] == path else { continue }
            let names = split(fields[1], ",")
            if hierarchy.isUnified ? fields[0] == "0" : names == hierarchy.controllers { return true }
            if hierarchy.controllers.isEmpty, !hierarchy.isUnified, fields[1] == "name=" + hierarchy.name { return true }
        }
        return false
    }

    private static func move(_ pid: Int32, into directory: String) throws(CgroupError) {
        let file = directory + "/cgroup.procs"
        do throws(Errno) { try writeText("\(pid)", to: file) } catch {
            throw CgroupError("move the process into the cgroup", file, error, value: "\(pid)", hint: placingHint(error))
        }
    }

    /// Has systemd move a process into a scope.
    public static func move(_ pid: Int32, into scope: ScopeRecord) throws(CgroupError) {
        do throws(DBusError) {
            var systemd = try Systemd.reach(scope.manager)
            try systemd.attach(pid, to: scope.unit)
        } catch { throw CgroupError("move the process into the scope", scope.unit, error) }
    }

    /// Removes a container's scope and what is in it.
    ///
    /// A unit of that name that is described otherwise has come after ours, and stays with its cgroup.
    static func removeScope(_ scope: ScopeRecord, _ record: CgroupRecord, within nanoseconds: Int64) throws(CgroupError) {
        var systemd: Systemd
        do throws(DBusError) { systemd = try Systemd.reach(scope.manager) } catch {
            // A user's manager ends with his last session, and its units with it.
            if error == .system(.noEntry) || error == .system(.connectionRefused) {
                return try removeDirectories(record, within: nanoseconds)
            }
            throw CgroupError("reach systemd", scope.manager.socket, error)
        }
        let description: String
        do throws(DBusError) { description = try systemd.description(of: scope.unit) } catch {
            throw CgroupError("look at the unit", scope.unit, error)
        }
        let isOurs = description == scope.description
        // Where there is no unit, systemd gives its name for the description.
        guard isOurs || description == scope.unit else { return }
        try removeDirectories(record, within: nanoseconds)
        guard isOurs else { return }
        do throws(DBusError) { try systemd.stop(scope.unit) } catch { throw CgroupError("stop the unit", scope.unit, error) }
    }
}

extension CgroupError {
    /// Makes an error of a conversation with systemd.
    init(_ operation: String, _ path: String, _ error: DBusError, hint: String? = nil) {
        self.init(operation, path, problem: error.words, hint: hint)
    }
}

extension DBusError {
    /// What went wrong, in words.
    fileprivate var words: String {
        switch self {
        case .system(let error): error.text
        case .timedOut: "no answer in time"
        case .malformed(let what): "it sent \(what)"
        case .rejected(let line): "it does not let us in: \(line)"
        case .reply(let name, let message): message.isEmpty ? name : message
        }
    }

    /// What may be done about a scope that does not start.
    fileprivate func hint(_ scope: ScopePlan) -> String? {
        guard case .reply(let name, _) = self else { return nil }
        return switch name {
        case "org.freedesktop.systemd1.UnitExists": "another container or service has this unit: see systemctl status \(scope.unit)"
        case "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired":
            "only root may start units of the system's manager"
        default: nil
        }
    }
}

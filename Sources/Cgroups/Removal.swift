/// Removing a container's cgroup, from its record alone.

import CLinux
import Linux

extension Cgroup {
    /// Ends what is left in the cgroup and removes it: the leaf with the cgroups below it, and the parents that were made for it as
    /// far as they are empty.
    ///
    /// What is gone already counts as removed, so this may be repeated after any interruption.
    ///
    /// - Throws: After the time is over, an error that names the processes that hold the cgroup.
    /// - Source: row CG-09.
    public static func remove(_ record: CgroupRecord, within nanoseconds: Int64 = 10_000_000_000) throws(CgroupError) {
        if let scope = record.scope {
            try removeScope(scope, record, within: nanoseconds)
        } else {
            try removeDirectories(record, within: nanoseconds)
        }
    }

    /// Removes the cgroup's directories.
    static func removeDirectories(_ record: CgroupRecord, within nanoseconds: Int64) throws(CgroupError) {
        let record = try record.verified()
        var rest: [String] = []
        for path in record.paths where try !removeOrFindBusy(path, record) { rest.append(path) }
        if !rest.isEmpty { try empty(rest, record, until: monotonicTime() + nanoseconds) }
        for path in record.created.reversed() where !record.paths.contains(path) {
            do throws(Errno) { try removeDirectory(path) } catch {
                // Another container has moved in, or has taken it away with its own.
                if error != .busy && error != .notEmpty && error != .noEntry { throw CgroupError("remove cgroup", path, error) }
            }
        }
    }

    /// Removes a leaf without processes and children.
    ///
    /// - Returns: false where there is something in it.
    private static func removeOrFindBusy(_ path: String, _ record: CgroupRecord) throws(CgroupError) -> Bool {
        guard record.created.contains(path) else {
            // It was there before us: it stays, but nothing of the container may stay in it.
            guard try processes(below: path).isEmpty, ((try? subdirectories(of: path)) ?? []).isEmpty else { return false }
            if let owner = record.owner { CgroupMarker.remove(owner, from: path) }
            return true
        }
        do throws(Errno) {
            try removeDirectory(path)
            return true
        } catch {
            switch error {
            case .noEntry: return true
            case .busy, .notEmpty: return false
            default: throw CgroupError("remove cgroup", path, error)
            }
        }
    }

    /// Kills and removes until nothing is left or the time is over.
    private static func empty(_ paths: [String], _ record: CgroupRecord, until deadline: Int64) throws(CgroupError) {
        var rest = paths
        var moment: Int64 = 200_000
        while true {
            try kill(rest, record)
            // Not to the end at once: a process that a fork made behind the signal's back wants one of its own.
            try waitUntilEmpty(rest, record, until: min(deadline, monotonicTime() + 1_000_000_000))
            var still: [String] = []
            for path in rest where try !removeTree(path, record) { still.append(path) }
            if still.isEmpty { return }
            rest = still
            if monotonicTime() >= deadline { break }
            // The kernel takes a moment to let go of the last process, and says nothing when it has.
            pause(nanoseconds: moment)
            moment = min(moment * 2, 20_000_000)
        }
        let inside = (try? processes(below: rest[0])) ?? []
        throw CgroupError(
            "remove cgroup", rest[0], .busy, value: list(inside),
            hint: inside.isEmpty
                ? "something outside holds the cgroup"
                : "these processes do not end, as in an uninterruptible system call: \(describe(inside))")
    }

    /// Kills all processes of the cgroup; those that only one hierarchy has, too.
    private static func kill(_ paths: [String], _ record: CgroupRecord) throws(CgroupError) {
        try killAll(record, signal: 9)
        let known = record.unified ?? record.freezer
        for path in paths where path != known {
            var single = CgroupRecord()
            single.paths = [path]
            if try !processes(below: path).isEmpty { try killAll(single, signal: 9) }
        }
    }

    /// Removes a cgroup and those below it, deepest first.
    ///
    /// What is below the leaf is the container's, also where the leaf itself is not ours.
    ///
    /// - Returns: Whether nothing of it is left.
    private static func removeTree(_ path: String, _ record: CgroupRecord) throws(CgroupError) -> Bool {
        var order = [path]
        var next = 0
        while next < order.count {
            for name in (try? subdirectories(of: order[next])) ?? [] { order.append(order[next] + "/" + name) }
            next += 1
        }
        for child in order.dropFirst().reversed() { try? removeDirectory(child) }
        return try removeOrFindBusy(path, record)
    }

    /// Refuses to act on the root of a hierarchy or outside of all: a damaged record must not end the host.
    static func checkIsBelowRoot(_ path: String) throws(CgroupError) {
        let components = path.split(separator: "/")
        let parent = "/" + components.dropLast().joined(separator: "/")
        let type = fileSystemType(path)
        let isCgroup = type == Int64(CGROUP_SUPER_MAGIC) || type == Int64(CGROUP2_SUPER_MAGIC)
        guard path.utf8.first == UInt8(ascii: "/"), !components.contains(".."), isCgroup, type == fileSystemType(parent) else {
            throw CgroupError("act on the cgroup", path, problem: "this is not a cgroup below the root of its hierarchy")
        }
    }
}

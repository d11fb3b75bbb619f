/// The host's cgroup hierarchies and where they are mounted.
///
/// Detection runs with every `create`, so the usual path reads one short file and never the mount table, which grows with the
/// number of containers.

import CLinux
import Linux

/// One mounted hierarchy.
public struct CgroupHierarchy: Equatable, Sendable {
    /// Its mount point, absolute, without a slash at its end.
    public var mountPoint: String
    /// Its controllers.
    ///
    /// Empty for a named hierarchy. The unified one beside v1 hierarchies has those that these have not.
    public var controllers: [String]
    /// Whether it is cgroup v2.
    public var isUnified = false

    /// Makes a hierarchy.
    public init(mountPoint: String, controllers: [String], isUnified: Bool = false) {
        self.mountPoint = mountPoint
        self.controllers = controllers
        self.isUnified = isUnified
    }
}

/// All hierarchies of a host (CG-03).
public struct CgroupLayout: Equatable, Sendable {
    /// The hierarchies.
    ///
    /// On a v2 host this is the unified one alone; beside v1 hierarchies it comes last.
    public var hierarchies: [CgroupHierarchy]

    /// Makes a layout.
    public init(hierarchies: [CgroupHierarchy]) { self.hierarchies = hierarchies }

    /// Whether the host has cgroup v2 alone.
    public var isUnified: Bool { hierarchies.count == 1 && hierarchies[0].isUnified }

    /// Whether limits of a controller are set through cgroup v2.
    public func isUnified(_ controller: String) -> Bool { index(of: controller).map { hierarchies[$0].isUnified } ?? isUnified }

    /// The hierarchy that has a controller.
    public func index(of controller: String) -> Int? {
        for index in hierarchies.indices where hierarchies[index].controllers.contains(controller) { return index }
        return nil
    }

    /// Finds the hierarchies of this host.
    ///
    /// A hierarchy of /proc/self/cgroup is expected at the mount point that carries its name, as everyone mounts them; only where
    /// one is missing there, /proc/self/mountinfo is searched.
    /// - Source: cgroups(7); row CG-03.
    public static func detect(root: String = "/sys/fs/cgroup") throws(CgroupError) -> CgroupLayout {
        let type = fileSystemType(root)
        if type == Int64(CGROUP2_SUPER_MAGIC) {
            let file = root + "/cgroup.controllers"
            let controllers = try attempt("read", file) { () throws(Errno) in try readText(file) }
            return CgroupLayout(hierarchies: [.init(mountPoint: root, controllers: split(controllers, " "), isUnified: true)])
        }
        let listing = "/proc/self/cgroup"
        let text = try attempt("read", listing) { () throws(Errno) in try readText(listing) }
        var expected = parse(listing: text, root: root)
        // The kernel lists v2 also where it is not mounted, and nothing is lost without it: not worth a search.
        if let last = expected.last, last.isUnified, fileSystemType(last.mountPoint) != last.fileSystem { expected.removeLast() }
        let isComplete = expected.allSatisfy { fileSystemType($0.mountPoint) == $0.fileSystem }
        if !isComplete {
            let table = "/proc/self/mountinfo"
            let mounts = parse(mountTable: try attempt("read", table) { () throws(Errno) in try readLongText(table) })
            expected = locate(expected, in: mounts)
        }
        if let last = expected.indices.last, expected[last].isUnified {
            let file = expected[last].mountPoint + "/cgroup.controllers"
            expected[last].controllers = split(try attempt("read", file) { () throws(Errno) in try readText(file) }, " ")
        }
        if expected.isEmpty {
            throw CgroupError(
                "find the cgroup hierarchies", root, problem: "no cgroup hierarchy is mounted",
                hint: "mount cgroup2 on \(root), or ask for no cgroup manager")
        }
        return CgroupLayout(hierarchies: expected)
    }
}

extension CgroupHierarchy {
    /// Whether systemd makes and removes the cgroups of its units in it.
    ///
    /// On v1 it cares for few controllers. Source: systemd's cgroup_supported_mask.
    var isSystemds: Bool {
        controllers.isEmpty || isUnified
            || controllers.contains { name in ["cpu", "cpuacct", "blkio", "memory", "devices", "pids"].contains(name) }
    }

    /// The last component of its mount point: the name of a named hierarchy.
    var name: String { mountPoint.split(separator: "/").last.map(String.init) ?? "" }

    /// The magic number that statfs(2) gives for it.
    var fileSystem: Int64 { isUnified ? Int64(CGROUP2_SUPER_MAGIC) : Int64(CGROUP_SUPER_MAGIC) }
}

extension CgroupLayout {
    /// The v1 and hybrid hierarchies of /proc/self/cgroup, at the mount points they are expected at.
    static func parse(listing: String, root: String) -> [CgroupHierarchy] {
        var result: [CgroupHierarchy] = []
        var unified: CgroupHierarchy?
        for line in split(listing, "\n") {
            // "4:cpu,cpuacct:/path", "1:name=systemd:/path", "0::/path"; the path may hold colons.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[1].isEmpty {
                unified = .init(mountPoint: root + "/unified", controllers: [], isUnified: true)
            } else if fields[1].hasPrefix("name=") {
                result.append(.init(mountPoint: "\(root)/\(fields[1].dropFirst(5))", controllers: []))
            } else {
                let name = String(fields[1])
                result.append(.init(mountPoint: "\(root)/\(name)", controllers: split(name, ",")))
            }
        }
        result.reverse()
        if let unified { result.append(unified) }
        return result
    }

    /// A cgroup file system of the mount table.
    struct Mount: Equatable {
        var mountPoint: String
        var isUnified: Bool
        var options: [String]
    }

    /// The cgroup mounts of /proc/self/mountinfo.
    ///
    /// Source: proc_pid_mountinfo(5).
    static func parse(mountTable: String) -> [Mount] {
        var result: [Mount] = []
        for line in split(mountTable, "\n") {
            let fields = split(line, " ")
            guard let dash = fields.firstIndex(of: "-"), dash >= 5, fields.count > dash + 3 else { continue }
            let type = fields[dash + 1]
            guard type == "cgroup" || type == "cgroup2" else { continue }
            result.append(Mount(mountPoint: fields[4], isUnified: type == "cgroup2", options: split(fields[dash + 3], ",")))
        }
        return result
    }

    /// The expected hierarchies that are mounted somewhere, at the mount points they really have.
    ///
    /// A hierarchy that is mounted nowhere is left out: nobody can reach it, and no limit of it can be set.
    static func locate(_ expected: [CgroupHierarchy], in mounts: [Mount]) -> [CgroupHierarchy] {
        var result: [CgroupHierarchy] = []
        for hierarchy in expected {
            let options = hierarchy.controllers.isEmpty ? ["name=" + hierarchy.name] : hierarchy.controllers
            for mount in mounts where mount.isUnified == hierarchy.isUnified {
                guard mount.isUnified || options.allSatisfy({ mount.options.contains($0) }) else { continue }
                var found = hierarchy
                found.mountPoint = mount.mountPoint
                result.append(found)
                break
            }
        }
        return result
    }
}

/// The cgroups that a further process of a container joins: the container's own, or some below them.

import CLinux
public import Linux
import Spec

/// A cgroup below a container's own, as `exec --cgroup` names it: "PATH", or "CONTROLLER[,CONTROLLER]:PATH" where each controller may
/// have its own hierarchy.
public struct SubCgroup: Equatable, Sendable {
    /// The controllers whose hierarchies it is in; none stands for all hierarchies.
    public let controllers: [String]
    /// The names that lead from the container's cgroup to it; none: the container's cgroup itself.
    public let components: [String]

    /// Takes the option's value apart.
    ///
    /// - Throws: For a path that leads out of the container's cgroup, which any ".." could.
    public init(_ text: String) throws(CgroupError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        controllers = parts.count == 2 ? Cgroups.split(String(parts[0]), ",") : []
        if parts.count == 2, controllers.isEmpty { throw SubCgroup.refuse(text, "no controller before the colon") }
        var components: [String] = []
        for component in parts[parts.count - 1].split(separator: "/") where component != "." {
            if component == ".." { throw SubCgroup.refuse(text, "bad sub cgroup path: \"..\" is not allowed") }
            if component.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
                throw SubCgroup.refuse(text, "bad sub cgroup path: it has a control character")
            }
            components.append(String(component))
        }
        self.components = components
    }

    fileprivate static func refuse(_ text: String, _ problem: String, hint: String? = nil) -> CgroupError {
        CgroupError("take the cgroup", text, problem: problem, hint: hint)
    }

    /// A directory below a container's.
    fileprivate func path(below directory: String) -> String {
        var path = directory
        for component in components { path += "/" + component }
        return path
    }
}

extension CgroupRecord {
    /// The same container's cgroups with some of them exchanged for others below them; of this only the paths to join are of use.
    ///
    /// - Source: row CLI-08.
    public func joining(_ subs: [SubCgroup], _ layout: CgroupLayout) throws(CgroupError) -> CgroupRecord {
        var result = self
        for sub in subs {
            let named = sub.controllers.joined(separator: ",")
            if sub.controllers.isEmpty, subs.count > 1 {
                throw SubCgroup.refuse("/" + sub.components.joined(separator: "/"), "one path for all hierarchies stands alone")
            }
            if layout.isUnified, !sub.controllers.isEmpty {
                throw SubCgroup.refuse(named, "unknown controller \(named)", hint: "cgroup v2 has one hierarchy: leave the controller out")
            }
            for name in sub.controllers where !layout.hierarchies.contains(where: { $0.isCalled(name) }) {
                throw SubCgroup.refuse(named, "unknown controller \(name)")
            }
            for hierarchy in layout.hierarchies {
                guard sub.controllers.isEmpty || sub.controllers.contains(where: { hierarchy.isCalled($0) }) else { continue }
                result.exchange(hierarchy, sub, self)
            }
        }
        return result
    }

    private mutating func exchange(_ hierarchy: CgroupHierarchy, _ sub: SubCgroup, _ own: CgroupRecord) {
        guard let index = own.paths.firstIndex(where: { $0.hasPrefix(hierarchy.mountPoint + "/") }) else { return }
        let path = sub.path(below: own.paths[index])
        // Beside v1 hierarchies the unified one limits little, and nobody need have made the same cgroup there.
        if hierarchy.isUnified, own.paths.count > 1, sub.controllers.isEmpty, !exists(path) { return }
        paths[index] = path
        if hierarchy.isUnified { unified = path }
    }
}

extension CgroupHierarchy {
    /// Whether a controller's name, or the name of a hierarchy without controllers, means this one.
    fileprivate func isCalled(_ name: String) -> Bool {
        if isUnified || !controllers.isEmpty { return controllers.contains(name) }
        return mountPoint.hasSuffix("/" + name) || "name=" + (mountPoint.split(separator: "/").last.map(String.init) ?? "") == name
    }
}

extension Cgroup {
    /// The cgroup v2 directory that a process is in.
    ///
    /// - Source: proc_pid_cgroup(5).
    public static func unifiedDirectory(ofProcess pid: Int32, _ layout: CgroupLayout) throws(CgroupError) -> OwnedFD {
        let file = "/proc/\(pid)/cgroup"
        let text = try attempt("read", file) { () throws(Errno) in try readText(file) }
        let mountPoint = layout.hierarchies.first { $0.isUnified }?.mountPoint
        for line in split(text, "\n") where line.hasPrefix("0::/") {
            guard let mountPoint, !line.hasPrefix("0::/..") else { break }
            let path = mountPoint + line.dropFirst(3)
            do throws(Errno) { return try OwnedFD.open(path, [.path, .directory]) } catch { throw CgroupError("open", path, error) }
        }
        throw CgroupError("find the cgroup of the container's first process", file, problem: "it is out of sight")
    }
}

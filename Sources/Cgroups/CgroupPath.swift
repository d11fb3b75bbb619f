/// From `cgroupsPath` to a path below every hierarchy's mount point.

import Spec

/// A checked path below a hierarchy's mount point: "/swoci/web".
struct CgroupPath: Equatable {
    /// Its components, at least one.
    let components: [String]

    /// The directory that all containers without a `cgroupsPath` share.
    ///
    /// It stays when they are gone: its cgroups have no limits, and
    /// making and removing one in each hierarchy costs more than the container's own.
    static let shared = "swoci"

    /// The path of a container.
    ///
    /// An absent or empty `cgroupsPath` is `/swoci/ID`. A relative one is taken from the hierarchy's root too, so that the same
    /// value always names the same place.
    ///
    /// - Parameter base: The cgroup that takes the place of the root for both, where the root is not the caller's.
    /// - Source: config-linux.md#cgroups-path; row CG-01.
    init(_ cgroupsPath: Located<String>?, id: String, base: String? = nil) throws(CgroupError) {
        let above = (base ?? "").split(separator: "/").map(String.init)
        guard let located = cgroupsPath, !located.value.isEmpty else {
            // Nothing is shared below a base: an empty parent there would be nobody's to remove.
            components = base == nil ? [Self.shared, id] : above + ["\(Self.shared)-\(id)"]
            return
        }
        let path = located.value
        func refuse(_ problem: String, hint: String? = nil) -> CgroupError {
            CgroupError("take the cgroup path", path, problem: problem, origin: located.origin, hint: hint)
        }
        var components: [String] = []
        for component in path.split(separator: "/") where component != "." {
            if component == ".." { throw refuse("\"..\" is not allowed in a cgroup path") }
            if component.utf8.count > 255 { throw refuse("a component is longer than 255 bytes") }
            if component.utf8.contains(where: { $0 < 32 || $0 == 127 }) { throw refuse("a component has a control character") }
            components.append(String(component))
        }
        if components.isEmpty { throw refuse("the root of the hierarchy cannot be a container's cgroup", hint: "name a cgroup below it") }
        if components == [Self.shared] {
            throw refuse("it is the parent of all containers' cgroups", hint: "a container there would end the others when it is deleted")
        }
        self.components = path.utf8.first == UInt8(ascii: "/") ? components : above + components
    }

    /// The path of a scope, below a service manager's own cgroup.
    init(_ scope: ScopeName, below cgroup: String) {
        components = split(cgroup, "/") + scope.slicePath + [scope.unit]
    }

    /// The path as text: "/swoci/web".
    var text: String {
        var text = ""
        for component in components {
            text += "/"
            text += component
        }
        return text
    }

    /// The directories below a mount point that lead to the leaf, outermost first, without the leaf.
    func parents(below mountPoint: String) -> [String] {
        var result: [String] = []
        var path = mountPoint
        for component in components.dropLast() {
            path += "/" + component
            result.append(path)
        }
        return result
    }

    /// Whether the leaf's parent is the shared directory.
    var isShared: Bool { components.count == 2 && components[0] == Self.shared }
}

/// The root file system: cut off from the host's mounts, attached, protected and entered. Rows R, X, U, SY, H.

internal import Plan
internal import Spec

/// mount(2)'s propagation flags.
///
/// Source: linux/mount.h.
enum PropagationFlag {
    static let recursive: UInt32 = 0x4000
    static let unbindable: UInt32 = 1 << 17
    static let `private`: UInt32 = 1 << 18
    static let slave: UInt32 = 1 << 19
    static let shared: UInt32 = 1 << 20
}

extension Propagation {
    /// The MS_* flags.
    var flags: UInt32 {
        let type =
            switch kind {
            case .shared: PropagationFlag.shared
            case .slave: PropagationFlag.slave
            case .private: PropagationFlag.private
            case .unbindable: PropagationFlag.unbindable
            }
        return recursive ? type | PropagationFlag.recursive : type
    }
}

extension PlanDraft {
    /// Opens what must stay a peer of the host's, cuts the rest off, attaches the root.
    mutating func planRoot() throws(PlanningError) {
        guard let root = config.root else { throw PlanningError("there is no root file system", origin: .none, row: "R-01") }
        try openSharedSources()
        let source = TreeSource(path: text(facts.rootfsPath), recursive: true)
        if joins(.mount) {
            // Others live in that namespace: its mounts and its root stay as they are, and what comes into this root stays in it.
            add(.attachRoot(AttachRoot(source: source)), root.path.origin)
            add(.setRootPropagation(PropagationChange(PropagationFlag.private | PropagationFlag.recursive)))
            return
        }
        let propagation = config.linux.rootfsPropagation
        let type = propagation?.value.kind == .private ? PropagationFlag.private : PropagationFlag.slave
        add(.isolateMounts(PropagationChange(type | PropagationFlag.recursive)), propagation?.origin ?? .none)
        add(.attachRoot(AttachRoot(source: source)), root.path.origin)
    }

    /// Plans names, kernel parameters and what the payload may not read or write.
    ///
    /// Kernel parameters come after the names (N-08) and before /proc/sys becomes read-only (SY-01).
    mutating func planProtection() throws(PlanningError) {
        let linux = config.linux
        if let name = config.hostname { add(.setHostname(OneText(text(name.value))), name.origin) }
        if let name = config.domainname { add(.setDomainname(OneText(text(name.value))), name.origin) }
        for parameter in linux.sysctl {
            guard let path = Sysctl.path(parameter.key) else {
                throw PlanningError("\"\(parameter.key)\" is not a kernel parameter's name", origin: parameter.origin, row: "SY-01")
            }
            add(.setSysctl(SetSysctl(path: text(path), value: text(parameter.value))), parameter.origin)
        }
        for path in distinct(linux.readonlyPaths) { add(.makeReadonly(OneText(text(path.value))), path.origin) }
        for path in distinct(linux.maskedPaths) { add(.mask(OneText(text(path.value))), path.origin) }
        if let root = config.root, root.readonly { add(.makeRootReadonly, root.path.origin) }
    }

    /// Plans the step into the root.
    mutating func planEntry() {
        let way = joins(.mount) ? EnterRoot.Way.changing : facts.noPivot ? .moving : .pivoting
        add(.enterRoot(EnterRoot(way)), config.root?.path.origin ?? .none)
        if let propagation = config.linux.rootfsPropagation {
            // The root mount alone: what is mounted in it has options of its own.
            let flags = propagation.value.flags & ~PropagationFlag.recursive
            add(.setRootPropagation(PropagationChange(flags)), propagation.origin)
        }
    }

    /// The paths, each once, in their order.
    private func distinct(_ paths: [Located<String>]) -> [Located<String>] {
        var seen: Set<String> = []
        return paths.filter { seen.insert($0.value).inserted }
    }
}

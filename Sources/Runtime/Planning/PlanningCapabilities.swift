/// The five sets as the kernel will take them: what cannot be granted is left out with a warning. Rows P-16 to P-21.

internal import Plan
internal import Spec

/// Capability numbers planning has to know. Source: capabilities(7).
extension CapabilitySet {
    static let kill = CapabilitySet(rawValue: 1 << 5)
    static let setGroupID = CapabilitySet(rawValue: 1 << 6)
    static let setUserID = CapabilitySet(rawValue: 1 << 7)
    static let systemAdministration = CapabilitySet(rawValue: 1 << 21)
    static let systemResources = CapabilitySet(rawValue: 1 << 24)
}

extension PlanDraft {
    /// What can be granted.
    ///
    /// A user namespace gives its first process everything inside it.
    var grantable: CapabilitySet { hasUserNamespace ? CapabilitySet(rawValue: .max) : facts.capabilitiesHeld }

    /// The config's sets, reduced to what the kernel accepts.
    ///
    /// Validation has warned of what the sets alone rule out.
    mutating func reduced(_ sets: CapabilitySets) -> CapabilitySets {
        var result = sets
        let all = sets.bounding.union(sets.effective).union(sets.permitted).union(sets.inheritable).union(sets.ambient)
        leaveOut(all.subtracting(grantable), "swoci itself may not have them", sets.origin, row: "P-16")
        result.bounding.formIntersection(grantable)
        result.permitted.formIntersection(grantable)
        result.effective.formIntersection(result.permitted)
        // capset(2): EPERM for an inheritable capability outside the bounding set.
        result.inheritable.formIntersection(grantable)
        leaveOut(result.inheritable.subtracting(result.bounding), "inheritable, but not in bounding", sets.origin, row: "P-20")
        result.inheritable.formIntersection(result.bounding)
        result.ambient.formIntersection(result.permitted.intersection(result.inheritable))
        return result
    }

    private mutating func leaveOut(_ lost: CapabilitySet, _ reason: String, _ origin: Origin, row: String) {
        if lost.isEmpty { return }
        warn("capabilities left out (\(reason)): \(lost.names.joined(separator: ", "))", origin, row: row)
    }
}

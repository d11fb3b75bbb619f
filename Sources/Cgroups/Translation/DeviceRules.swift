/// The device allow list. Source: config-linux.md#allowed-device-list; rows RD-01 to RD-07.
///
/// The list starts from nothing allowed and its rules apply in their order; then come the rules that the default devices need.

import Spec

extension Translation {
    mutating func translate(_ rules: [Resources.DeviceRule], origin: Origin) throws(CgroupError) {
        let rules = DeviceRules.complete(rules, origin: origin)
        if isUnified {
            deviceProgram = DeviceProgram(rules)
            return
        }
        for rule in rules {
            try write("devices", rule.allow ? "devices.allow" : "devices.deny", DeviceRules.text(rule), rule.origin)
        }
    }
}

/// The list as it takes effect.
enum DeviceRules {
    /// The rules with those that are implied: first that nothing is allowed, last the default devices (RD-06).
    static func complete(_ rules: [Resources.DeviceRule], origin: Origin) -> [Resources.DeviceRule] {
        var result: [Resources.DeviceRule] = []
        if rules.first?.kind != .all {
            var nothing = Resources.DeviceRule(allow: false)
            nothing.origin = origin
            result.append(nothing)
        }
        for rule in rules where rule.kind == .all || rule.read || rule.write || rule.mknod { result.append(rule) }
        // What the list allows last needs no second rule; engines list the default devices themselves.
        let settled = result[(result.lastIndex { !$0.allow || $0.kind == .all } ?? 0)...]
        for var rule in implied where !settled.contains(where: { covers($0, rule) }) {
            rule.origin = origin
            result.append(rule)
        }
        return result
    }

    /// The rule as the files of cgroup v1 take it: "c 10:* rwm"; "a" for all devices.
    static func text(_ rule: Resources.DeviceRule) -> String {
        if rule.kind == .all { return "a" }
        var text = rule.kind == .block ? "b " : "c "
        text += rule.major.map { "\($0)" } ?? "*"
        text += ":"
        text += rule.minor.map { "\($0)" } ?? "*"
        text += " "
        if rule.read { text += "r" }
        if rule.write { text += "w" }
        if rule.mknod { text += "m" }
        return text
    }

    /// The default devices, and making any node: without the right to open it that gives nothing (RD-06).
    static let implied: [Resources.DeviceRule] = [
        allow(.character, nil, nil, onlyMknod: true),
        allow(.block, nil, nil, onlyMknod: true),
        allow(.character, 1, 3), allow(.character, 1, 5), allow(.character, 1, 7), allow(.character, 1, 8), allow(.character, 1, 9),
        allow(.character, 5, 0), allow(.character, 5, 2), allow(.character, 136, nil),
    ]

    private static func allow(
        _ kind: Resources.DeviceRule.Kind, _ major: UInt32?, _ minor: UInt32?, onlyMknod: Bool = false
    ) -> Resources.DeviceRule {
        var rule = Resources.DeviceRule(allow: true)
        rule.kind = kind
        rule.major = major
        rule.minor = minor
        rule.read = !onlyMknod
        rule.write = !onlyMknod
        return rule
    }

    /// Whether a rule allows all that another one allows.
    private static func covers(_ rule: Resources.DeviceRule, _ other: Resources.DeviceRule) -> Bool {
        guard rule.allow else { return false }
        if rule.kind == .all { return true }
        guard rule.kind == other.kind, rule.major == nil || rule.major == other.major, rule.minor == nil || rule.minor == other.minor else {
            return false
        }
        return (rule.read || !other.read) && (rule.write || !other.write) && (rule.mknod || !other.mknod)
    }
}

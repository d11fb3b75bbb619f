/// The device allow list. Source: config-linux.md#allowed-device-list; rows RD-01 to RD-07.
///
/// The list starts from nothing allowed and its rules apply in their order; then come the rules that the default devices need.

import Spec

extension Translation {
    mutating func translate(_ rules: [Resources.DeviceRule], origin: Origin) throws(CgroupError) {
        let rules = DeviceRules.complete(rules, origin: origin)
        if layout.isUnified {
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

extension DeviceRules {
    /// A write that changes the rules of a v1 cgroup.
    struct Step: Equatable {
        var file: String
        var value: String
        var origin: Origin
    }

    /// Whether two lists are the same rules in the same order.
    static func areSame(_ list: [Resources.DeviceRule], _ other: [Resources.DeviceRule]?) -> Bool {
        func plain(_ rules: [Resources.DeviceRule]) -> [Resources.DeviceRule] {
            rules.map { rule in
                var rule = rule
                rule.origin = .none
                return rule
            }
        }
        return other.map { plain(list) == plain($0) } ?? false
    }

    /// From one list to another while processes go on: no device is refused that both allow, and none allowed that neither does.
    ///
    /// Both lists are complete.
    /// - Parameter old: nil: not known.
    static func steps(from old: [Resources.DeviceRule]?, to new: [Resources.DeviceRule]) throws(CgroupError) -> [Step] {
        if let old, let before = Granted(old), let after = Granted(new) {
            return after.less(before).map { Step(file: "devices.allow", value: text($0), origin: $0.origin) }
                + before.less(after).map { Step(file: "devices.deny", value: text($0), origin: $0.origin) }
        }
        let lastWhole = new.lastIndex { $0.kind == .all } ?? 0
        let rules = new[lastWhole...]
        if let first = rules.first, first.allow, let taken = rules.first(where: { !$0.allow }) {
            throw CgroupError(
                "set the device rules", "devices.allow", problem: "cgroup v1 cannot change to \"all devices but\" without a moment of all",
                value: text(taken), origin: taken.origin, hint: "list the devices that are allowed")
        }
        return rules.map { Step(file: $0.allow ? "devices.allow" : "devices.deny", value: text($0), origin: $0.origin) }
    }

    /// A list that begins with nothing and only grants, as the kernel keeps it: accesses by device.
    private struct Granted {
        var rules: [Resources.DeviceRule] = []

        init?(_ list: [Resources.DeviceRule]) {
            guard let start = list.lastIndex(where: { $0.kind == .all }), !list[start].allow else { return nil }
            for rule in list[(start + 1)...] {
                guard rule.allow else { return nil }
                if let index = rules.firstIndex(where: { Self.isSame($0, rule) }) {
                    rules[index].read = rules[index].read || rule.read
                    rules[index].write = rules[index].write || rule.write
                    rules[index].mknod = rules[index].mknod || rule.mknod
                } else {
                    rules.append(rule)
                }
            }
        }

        /// What this list grants and the other one does not.
        func less(_ other: Granted) -> [Resources.DeviceRule] {
            var result: [Resources.DeviceRule] = []
            for var rule in rules {
                if let same = other.rules.first(where: { Self.isSame($0, rule) }) {
                    rule.read = rule.read && !same.read
                    rule.write = rule.write && !same.write
                    rule.mknod = rule.mknod && !same.mknod
                }
                if rule.read || rule.write || rule.mknod { result.append(rule) }
            }
            return result
        }

        private static func isSame(_ rule: Resources.DeviceRule, _ other: Resources.DeviceRule) -> Bool {
            rule.kind == other.kind && rule.major == other.major && rule.minor == other.minor
        }
    }
}

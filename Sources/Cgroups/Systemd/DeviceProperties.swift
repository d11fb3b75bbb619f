/// The device rules of cgroup v1 as properties of a unit.
///
/// On v1 systemd writes a unit's device list again at every daemon-reload, from what it knows. On v2 the container's own program stays
/// attached beside whatever systemd attaches, so there it needs to know nothing.

import DBus
import Spec

/// The properties for device rules; none where all devices are allowed, which is what systemd takes the absence for.
///
/// An allowing rule that a later one takes something away from is left out, because systemd has no word for the rest: after a
/// daemon-reload such devices are refused. So are those of any major number.
/// - Parameter rules: The complete rules, in their order.
/// - Source: systemd.resource-control(5), DeviceAllow=.
func deviceProperties(_ rules: [Resources.DeviceRule]) -> [UnitProperty] {
    var allowed: [Resources.DeviceRule] = []
    var isOpen = true
    for rule in rules {
        if rule.kind == .all {
            allowed = []
            isOpen = rule.allow
        } else if rule.allow {
            allowed.append(rule)
        } else {
            allowed.removeAll { meet($0, rule) }
            // All devices but some cannot be said either.
            isOpen = false
        }
    }
    if isOpen { return [] }
    var list: [DBusValue] = []
    for rule in allowed {
        guard let path = path(rule) else { continue }
        list.append(.structure([.string(path), .string(access(rule))]))
    }
    return [UnitProperty("DevicePolicy", .string("strict")), UnitProperty("DeviceAllow", .array(of: "(ss)", list))]
}

/// Whether two rules have a device in common.
private func meet(_ rule: Resources.DeviceRule, _ other: Resources.DeviceRule) -> Bool {
    rule.kind == other.kind && (rule.major == nil || other.major == nil || rule.major == other.major)
        && (rule.minor == nil || other.minor == nil || rule.minor == other.minor)
}

private func path(_ rule: Resources.DeviceRule) -> String? {
    let isBlock = rule.kind == .block
    guard let major = rule.major else { return rule.minor == nil ? (isBlock ? "block-*" : "char-*") : nil }
    guard let minor = rule.minor else {
        // A driver's name or, since systemd 240, its number stands for all its devices.
        return "\(isBlock ? "block" : "char")-\(major)"
    }
    return "/dev/\(isBlock ? "block" : "char")/\(major):\(minor)"
}

private func access(_ rule: Resources.DeviceRule) -> String {
    (rule.read ? "r" : "") + (rule.write ? "w" : "") + (rule.mknod ? "m" : "")
}

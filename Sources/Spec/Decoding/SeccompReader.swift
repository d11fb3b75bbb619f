/// The system call filter. Source: config-linux.md#seccomp; rows SE.

extension Reader {
    mutating func seccomp(_ value: JSONValue) -> Seccomp {
        var seccomp = Seccomp(defaultAction: .allow)
        seccomp.origin = value.origin
        var action: JSONValue?
        var errno: JSONValue?
        for member in members(value, "SE-01") {
            let value = member.value
            switch member.name {
            case "defaultAction": action = value
            case "defaultErrnoRet": errno = value
            case "architectures": seccomp.architectures = locatedStrings(value, "SE-04")
            case "flags": seccomp.flags = locatedStrings(value, "SE-05")
            case "listenerPath": seccomp.listenerPath = nonEmpty(value, "SE-06")
            case "listenerMetadata": seccomp.listenerMetadata = nonEmpty(value, "SE-07")
            case "syscalls":
                seccomp.syscalls.reserveCapacity(value.count)
                for element in elements(value, "SE-08") {
                    if let rule = rule(element) { seccomp.syscalls.append(rule) }
                }
            default:
                unknown(member, among: "defaultAction defaultErrnoRet architectures flags listenerPath listenerMetadata syscalls")
            }
        }
        if action == nil { missing("defaultAction", in: value, "SE-02") }
        // Without an action the rest is still checked.
        guard let action, let known = self.action(action, errno: errno, rows: ("SE-02", "SE-03")) else { return seccomp }
        if known == .notify {
            findings.error(
                action.origin, "SCMP_ACT_NOTIFY cannot be the default: the container's start would wait for itself", "SE-02")
        }
        seccomp.defaultAction = known
        return seccomp
    }

    private mutating func rule(_ value: JSONValue) -> SeccompRule? {
        var rule = SeccompRule(names: [], action: .allow)
        rule.origin = value.origin
        var action: JSONValue?
        var errno: JSONValue?
        var hasNames = false
        for member in members(value, "SE-08") {
            let value = member.value
            switch member.name {
            case "names":
                hasNames = true
                rule.names = strings(value, "SE-09")
                if value.kind == .array, value.count == 0 { findings.error(value.origin, "must have at least one name", "SE-09") }
            case "action": action = value
            case "errnoRet": errno = value
            case "args":
                for element in elements(value, "SE-12") {
                    if let condition = condition(element) { rule.args.append(condition) }
                }
            default: unknown(member, among: "names action errnoRet args")
            }
        }
        if !hasNames { missing("names", in: value, "SE-09") }
        if action == nil { missing("action", in: value, "SE-10") }
        guard let action, let known = self.action(action, errno: errno, rows: ("SE-10", "SE-11")) else { return nil }
        rule.action = known
        return rule
    }

    /// An action with its errno, which only two of them carry.
    private mutating func action(_ value: JSONValue, errno: JSONValue?, rows: (action: String, errno: String)) -> SeccompAction? {
        guard let action = choice(value, "seccomp action", SeccompNames.actions, rows.action) else { return nil }
        guard let errno else { return action }
        guard let number: UInt16 = integer(errno, in: 0...4095, rows.errno) else { return action }
        switch action {
        case .errno: return .errno(number)
        case .trace: return .trace(number)
        default:
            findings.error(
                errno.origin, "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE carry an errno", got: "\(number) with \(value.string ?? "")",
                rows.errno)
            return action
        }
    }

    private mutating func condition(_ value: JSONValue) -> SeccompCondition? {
        var index: UInt32?
        var datum: UInt64?
        var second: Located<UInt64>?
        var operation: SeccompCondition.Operator?
        for member in members(value, "SE-12") {
            let value = member.value
            switch member.name {
            case "index": index = integer(value, in: 0...5, "SE-12")
            case "value": datum = integer(value, "SE-13")
            case "valueTwo": second = locatedInteger(value, "SE-14")
            case "op": operation = choice(value, "seccomp operator", SeccompNames.operators, "SE-15")
            default: unknown(member, among: "index value valueTwo op")
            }
        }
        if index == nil { missing("index", in: value, "SE-12") }
        if datum == nil { missing("value", in: value, "SE-13") }
        if operation == nil { missing("op", in: value, "SE-15") }
        guard let index, let datum, let operation else { return nil }
        if let second, second.value != 0, operation != .maskedEqual {
            findings.warning(second.origin, "valueTwo only counts with SCMP_CMP_MASKED_EQ", got: "\(second.value)", "SE-14")
        }
        return SeccompCondition(index: index, value: datum, valueTwo: second?.value ?? 0, operation: operation)
    }
}

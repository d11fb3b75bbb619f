/// What of a filter has no effect: told to those who ask for it, for engines' own profiles are full of it.

import Spec

/// The names of a filter that this libseccomp does not know, each once, with the rules that have them (SE-09).
func unknownSystemCalls(_ seccomp: Seccomp) -> [Located<String>] {
    var seen = Set<String>()
    var result: [Located<String>] = []
    for rule in seccomp.syscalls {
        for name in rule.names where seen.insert(name).inserted && syscallNumber(name) == nil {
            result.append(Located(name, rule.origin))
        }
    }
    return result
}

/// Two rules that want different things of the same call.
struct SeccompDisagreement: Equatable {
    /// The call's name.
    var name: String
    /// The rule that counts.
    var first: Origin
    /// The one that does not.
    var second: Origin
}

/// The rules that disagree under the same conditions: libseccomp keeps the first, and one that says what the default says is none (SE-10).
///
/// See docs/decisions/017-seccomp-disagreement.md.
func disagreements(_ seccomp: Seccomp) -> [SeccompDisagreement] {
    struct Case: Hashable {
        var name: String
        var conditions: [SeccompCondition]
    }
    var known: [Case: SeccompRule] = [:]
    var result: [SeccompDisagreement] = []
    for rule in seccomp.syscalls where rule.action != seccomp.defaultAction {
        for name in rule.names {
            let place = Case(name: name, conditions: rule.args)
            guard let first = known[place] else {
                known[place] = rule
                continue
            }
            if first.action != rule.action { result.append(SeccompDisagreement(name: name, first: first.origin, second: rule.origin)) }
        }
    }
    return result
}

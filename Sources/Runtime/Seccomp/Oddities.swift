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

/// The names for which two rules without conditions want different things, with the later rule: libseccomp keeps the first, and one that says
/// what the default says is none (SE-10).
func disagreeingSystemCalls(_ seccomp: Seccomp) -> [Located<String>] {
    var actions: [String: SeccompAction] = [:]
    var result: [Located<String>] = []
    for rule in seccomp.syscalls where rule.args.isEmpty {
        for name in rule.names {
            if let first = actions[name] {
                if first != rule.action { result.append(Located(name, rule.origin)) }
            } else {
                actions[name] = rule.action
            }
        }
    }
    return result
}

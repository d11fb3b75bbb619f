/// Rules for the system call filter. Rows SE.

func checkSeccomp(_ seccomp: Seccomp?, _ findings: inout Findings) {
    guard let seccomp else { return }
    checkConstants(seccomp.architectures, "architecture", SeccompNames.architectures, row: "SE-04", &findings)
    checkConstants(seccomp.flags ?? [], "seccomp flag", SeccompNames.flags, row: "SE-05", &findings)
    let notifying = seccomp.syscalls.first { $0.action == .notify }
    if let notifying, seccomp.listenerPath == nil {
        findings.error(notifying.origin, "SCMP_ACT_NOTIFY is used but listenerPath is not set", "SE-06")
    }
    if let path = seccomp.listenerPath, !isAbsolute(path.value) {
        findings.warning(path.origin, "listenerPath is relative to wherever the runtime is started", got: shown(path.value), "SE-06")
    }
    if let metadata = seccomp.listenerMetadata, seccomp.listenerPath == nil {
        findings.error(metadata.origin, "listenerMetadata needs listenerPath", "SE-07")
    }
    for flag in seccomp.flags ?? [] where flag.value == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" && notifying == nil {
        findings.warning(flag.origin, "the flag only counts with SCMP_ACT_NOTIFY", got: shown(flag.value), "SE-05")
    }
    if seccomp.syscalls.isEmpty, seccomp.defaultAction == .killThread || seccomp.defaultAction == .killProcess {
        findings.warning(seccomp.origin, "the filter kills the process at its first system call", "SE-08")
    }
    for rule in seccomp.syscalls {
        for name in rule.names where name.isEmpty { findings.error(rule.origin, "a system call's name is empty", "SE-09") }
    }
}

/// Names that go to libseccomp or the kernel as they are.
private func checkConstants(
    _ values: [Located<String>], _ kind: String, _ known: [StaticString], row: String, _ findings: inout Findings
) {
    for value in values where !known.contains(where: { $0.utf8CodeUnitCount == value.value.utf8.count && $0.text == value.value }) {
        let hint = suggestion(for: value.value, among: known.map { $0.text })
        findings.error(value.origin, "unknown \(kind)", got: shown(value.value), hint: hint, row)
    }
}

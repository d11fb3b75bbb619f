/// Rules for the root file system, names, hooks and annotations. Rows R, N-06, U, H, A.

func checkRoot(_ config: Config, _ findings: inout Findings) {
    if let root = config.root, root.path.value.isEmpty { findings.error(root.path.origin, "the root's path is empty", "R-02") }
    if !config.linux.has(.mount) {
        let origin = config.root?.path.origin ?? config.mounts.first?.origin ?? Origin(node: 0)
        findings.error(
            origin,
            "the root file system, mounts, masked and read-only paths need a mount namespace: without one they would change the host",
            hint: "add {\"type\": \"mount\"} to linux.namespaces", "N-06")
    }
    if config.process == nil {
        findings.warning(Origin(node: 0), "process is not set: the container can be created, but not started", "P-01")
    }
}

func checkNames(_ config: Config, _ findings: inout Findings) {
    for (name, value, row) in [("hostname", config.hostname, "U-01"), ("domainname", config.domainname, "U-02")] {
        guard let value else { continue }
        if value.value.utf8.count > 64 {
            findings.error(value.origin, "\(name) is longer than 64 bytes", got: "\(value.value.utf8.count) bytes", row)
        }
        if !config.linux.has(.uts) {
            findings.error(value.origin, "\(name) needs a \"uts\" entry in linux.namespaces", row)
        }
    }
}

func checkHooks(_ hooks: Hooks, _ findings: inout Findings) {
    let lists = [hooks.prestart, hooks.createRuntime, hooks.createContainer, hooks.startContainer, hooks.poststart, hooks.poststop]
    for list in lists {
        for hook in list {
            if let args = hook.args, args.isEmpty {
                findings.warning(hook.origin, "args is empty: the hook has no argv[0]", hint: "leave args out to get [path]", "H-09")
            }
        }
    }
    if let first = hooks.prestart.first {
        findings.note(first.origin, "prestart hooks are deprecated", hint: "use createRuntime, createContainer or startContainer", "H-02")
    }
}

/// NAME=VALUE with a name.
func checkEnvironmentEntry(_ entry: Located<String>, _ row: String, _ findings: inout Findings) {
    guard let equals = entry.value.utf8.firstIndex(of: UInt8(ascii: "=")) else {
        findings.error(entry.origin, "environment entry has no \"=\"", got: shown(entry.value), row)
        return
    }
    if equals == entry.value.utf8.startIndex {
        findings.error(entry.origin, "environment entry has no name", got: shown(entry.value), row)
    }
}

func checkAnnotations(_ annotations: [Pair], _ findings: inout Findings) {
    for pair in annotations {
        if pair.key.isEmpty { findings.error(pair.origin, "annotation with an empty key", "A-01") }
        if pair.key == "org.opencontainers.image.stopSignal", !isSignal(pair.value) {
            findings.warning(
                pair.origin, "stop signal is no signal", got: shown(pair.value), hint: "want a name such as SIGTERM or 1...64", "A-03")
        }
    }
}

/// A signal's number, or its name with or without "SIG".
private func isSignal(_ text: String) -> Bool {
    if let number = Int(text) { return (1...64).contains(number) }
    var name = text.uppercased()
    if name.hasPrefix("SIG") { name = String(name.dropFirst(3)) }
    if let sign = name.utf8.firstIndex(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }) {
        guard Int(name[sign...]) != nil else { return false }
        name = String(name[..<sign])
    }
    return signalNames.contains { $0.text == name }
}

/// Source: signal(7), without what only some architectures have.
private let signalNames: [StaticString] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "IOT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
    "CHLD", "CLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "POLL", "PWR", "SYS",
    "RTMIN", "RTMAX",
]

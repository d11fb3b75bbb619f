/// Rules for the root file system, names, hooks. Rows R, N-06, U, H.

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

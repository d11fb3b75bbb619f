/// Rules for kernel parameters: only what a namespace of the container owns may be set. Rows SY.

/// A kernel parameter's name, taken apart.
public enum Sysctl {
    /// The path below /proc/sys of a name in either form: "net.ipv4.ip_forward", or with "/" where it comes first; nil for a bad name.
    ///
    /// In the first form a "/" stands for a "." in a component. Source: sysctl(8), row SY-01.
    public static func path(_ name: String) -> String? {
        guard let separator = name.utf8.first(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") }) else { return nil }
        var path: [UInt8] = []
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "."): path.append(separator == byte ? UInt8(ascii: "/") : byte)
            case UInt8(ascii: "/"): path.append(separator == byte ? byte : UInt8(ascii: "."))
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "_"), UInt8(ascii: "-"):
                path.append(byte)
            default: return nil
            }
        }
        let text = String(decoding: path, as: UTF8.self)
        for component in text.split(separator: "/", omittingEmptySubsequences: false)
        where component.isEmpty || component == "." || component == ".." {
            return nil
        }
        return text
    }

    /// A row of the list of what may be set: a path, or a directory with "/" at its end, and the namespace that owns it.
    private static let allowed: [Named<NamespaceType>] = [
        // SY-02
        Named("kernel/msgmax", .ipc), Named("kernel/msgmnb", .ipc), Named("kernel/msgmni", .ipc), Named("kernel/sem", .ipc),
        Named("kernel/shmall", .ipc), Named("kernel/shmmax", .ipc), Named("kernel/shmmni", .ipc), Named("kernel/shm_rmid_forced", .ipc),
        Named("kernel/msg_next_id", .ipc), Named("kernel/sem_next_id", .ipc), Named("kernel/shm_next_id", .ipc), Named("fs/mqueue/", .ipc),
        // SY-03, SY-04, SY-05
        Named("net/", .network), Named("kernel/domainname", .uts), Named("user/", .user),
        // SY-06
        Named("kernel/pid_max", .pid), Named("vm/memfd_noexec", .pid), Named("kernel/ns_last_pid", .pid),
    ]

    /// The namespace that owns a parameter; nil where the whole host has only one.
    public static func owner(ofPath path: String) -> NamespaceType? {
        for row in allowed {
            let name = row.name.text
            if name.hasSuffix("/") ? path.hasPrefix(name) : path == name { return row.value }
        }
        return nil
    }

    /// The row of the rule about a namespace's parameters.
    public static func row(_ type: NamespaceType) -> String {
        switch type {
        case .ipc: "SY-02"
        case .network: "SY-03"
        case .uts: "SY-04"
        case .user: "SY-05"
        default: "SY-06"
        }
    }
}

func checkSysctls(_ config: Config, _ findings: inout Findings) {
    var paths: Set<String> = []
    for pair in config.linux.sysctl {
        guard let path = Sysctl.path(pair.key) else {
            let hint = "want components joined by \".\" or by \"/\""
            findings.error(pair.origin, "bad sysctl name", got: shown(pair.key), hint: hint, "SY-01")
            continue
        }
        if !paths.insert(path).inserted {
            findings.error(pair.origin, "sysctl \(shown(pair.key)) is set twice in different spellings", "SY-01")
        }
        checkSysctl(pair, path, config, &findings)
    }
}

private func checkSysctl(_ pair: Pair, _ path: String, _ config: Config, _ findings: inout Findings) {
    if path == "kernel/hostname" {
        findings.error(pair.origin, "sysctl kernel.hostname is not for configs", hint: "use /hostname", "SY-04")
        return
    }
    guard let owner = Sysctl.owner(ofPath: path) else {
        findings.error(pair.origin, "sysctl \(shown(pair.key)) is not namespaced; it would change the host", "SY-07")
        return
    }
    if !config.linux.has(owner) {
        findings.error(
            pair.origin, "sysctl \(shown(pair.key)) needs \"\(owner.name)\" in linux.namespaces; it would change the host",
            Sysctl.row(owner))
    }
    if path == "kernel/domainname", let domainname = config.domainname, domainname.value != pair.value {
        findings.error(pair.origin, "sysctl kernel.domainname and /domainname disagree", got: shown(pair.value), "SY-04")
    }
}

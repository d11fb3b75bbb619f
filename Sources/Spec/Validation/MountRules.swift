/// Rules for mounts. Rows M, MO.

func checkMounts(_ mounts: [Mount], _ linux: Linux, _ findings: inout Findings) {
    for mount in mounts {
        checkDestination(mount, &findings)
        checkBind(mount, &findings)
        checkMappedMount(mount, linux, &findings)
        checkOptions(mount, &findings)
    }
}

private func checkDestination(_ mount: Mount, _ findings: inout Findings) {
    let destination = mount.destination
    if destination.value.isEmpty {
        findings.error(destination.origin, "destination is empty", "M-02")
        return
    }
    if !isAbsolute(destination.value) {
        findings.warning(
            destination.origin, "a relative destination is deprecated and counts from \"/\"", got: shown(destination.value), "M-02")
    }
    if isRoot(destination.value), !mount.options.contains(where: { $0.value == .remount }) {
        findings.error(
            destination.origin, "a mount over the whole root would hide it", got: shown(destination.value),
            hint: "what the container's root is, root.path says", "M-02")
        return
    }
    guard mentionsProc(destination.value) else { return }
    let path = lexicallyCleaned(destination.value)
    if path == "/proc" {
        let type = mount.type?.value ?? ""
        if !mount.isBind, type != "proc", !mount.options.contains(where: { $0.value == .remount }) {
            findings.error(
                destination.origin, "cannot mount \(type.isEmpty ? "this" : type) over /proc: it would defeat masking and LSM setup",
                hint: "only a fresh proc or a bind of one goes there", "M-10")
        }
    } else if path.hasPrefix("/proc/"), !allowedBelowProc.contains(where: { $0.text == path }) {
        findings.error(
            destination.origin, "cannot mount below /proc: it would defeat masking and LSM setup", got: shown(destination.value), "M-10")
    }
}

/// Whether a path means the root itself: a few bytes, and none but those of slashes and dots.
func isRoot(_ path: String) -> Bool {
    guard path.utf8.allSatisfy({ $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ".") }) || path.utf8.contains(UInt8(ascii: ".")) else {
        return false
    }
    return lexicallyCleaned(path) == "/"
}

/// Files that lxcfs and the like put in the place of the kernel's.
private let allowedBelowProc: [StaticString] = [
    "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime", "/proc/loadavg", "/proc/slabinfo",
    "/proc/net/dev", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
]

/// Whether a path has the letters "proc" at all: few do, and only they are taken apart.
private func mentionsProc(_ path: String) -> Bool {
    var word: UInt32 = 0
    for byte in path.utf8 {
        word = word << 8 | UInt32(byte)
        if word == 0x7072_6F63 { return true }
    }
    return false
}

/// An absolute path without empty components, "." and "..": what it names where there are no links.
func lexicallyCleaned(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") {
        if part == "." { continue }
        if part == ".." {
            if !parts.isEmpty { parts.removeLast() }
        } else {
            parts.append(part)
        }
    }
    var cleaned = ""
    for part in parts {
        cleaned += "/"
        cleaned += part
    }
    return cleaned.isEmpty ? "/" : cleaned
}

private func checkBind(_ mount: Mount, _ findings: inout Findings) {
    if mount.isBind {
        let isRemount = mount.options.contains { $0.value == .remount }
        if mount.source == nil, !isRemount { findings.error(mount.origin, "a bind mount needs a source", "M-03") }
        return
    }
    if let type = mount.type, type.value == "bind" {
        findings.error(type.origin, "type \"bind\" alone makes no bind mount", hint: "add \"bind\" or \"rbind\" to options", "M-03")
    }
}

/// Id mappings and the options that ask for them.
private func checkMappedMount(_ mount: Mount, _ linux: Linux, _ findings: inout Findings) {
    if mount.uidMappings.isEmpty != mount.gidMappings.isEmpty {
        findings.error(
            mount.origin, "uidMappings and gidMappings must be given together", mount.uidMappings.isEmpty ? "M-08" : "M-07")
    }
    checkRanges(mount.uidMappings, "uidMappings", row: "M-07", &findings)
    checkRanges(mount.gidMappings, "gidMappings", row: "M-08", &findings)
    guard mount.uidMappings.isEmpty, mount.gidMappings.isEmpty, !linux.has(.user) else { return }
    for option in mount.options {
        if case .idmap(_, mapping: nil) = option.value {
            findings.error(option.origin, "idmap needs uidMappings and gidMappings or a user namespace", "M-09")
        }
    }
}

private func checkOptions(_ mount: Mount, _ findings: inout Findings) {
    let isBind = mount.isBind
    for option in mount.options {
        switch option.value {
        case .data(let key, let value):
            guard isBind else { continue }
            let text = value.map { "\(key)=\($0)" } ?? key
            let hint = value == nil ? nearest(to: key, among: MountOption.names).map { "did you mean \"\($0)\"?" } : nil
            findings.error(option.origin, "\(shown(text)) has no effect on a bind mount", hint: hint, "M-06")
        case .superblock(.mandatoryLocks, _):
            findings.note(option.origin, "kernels since 5.15 ignore mandatory locks", "MO-15")
        case .superblock:
            guard isBind else { continue }
            findings.warning(option.origin, "the option belongs to the file system and has no effect on a bind mount", "MO-06")
        case .copyUp:
            if mount.type?.value != "tmpfs" || isBind { findings.error(option.origin, "tmpcopyup works with tmpfs only", "MO-32") }
        case .remount:
            if mount.options.contains(where: { $0.value == .copyUp }) {
                findings.error(option.origin, "remount and tmpcopyup exclude each other", "MO-16")
            }
        case .copySymlink, .sourceNoFollow:
            if !isBind { findings.warning(option.origin, "the option concerns the source of a bind mount, which this is not", "MO-35") }
        case .defaults, .bind, .attribute, .propagation, .idmap, .destinationNoFollow: break
        }
    }
}

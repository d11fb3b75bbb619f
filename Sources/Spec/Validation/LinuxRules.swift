/// Rules for devices, paths, network devices, resctrl and the memory policy. Rows D, X, CG-01, W, RT, MP.

func checkDevices(_ linux: Linux, _ findings: inout Findings) {
    var firstOfNumber: [UInt64: Int] = [:]
    for (index, device) in linux.devices.enumerated() {
        if !isAbsolute(device.path.value) {
            findings.error(device.path.origin, "a device's path must be absolute", got: shown(device.path.value), "D-03")
        }
        if let uid = device.uid {
            checkMapped(Located(uid, device.origin), "uid", linux.uidMappings, linux, row: "D-06", &findings)
        }
        if let gid = device.gid {
            checkMapped(Located(gid, device.origin), "gid", linux.gidMappings, linux, row: "D-06", &findings)
        }
        if device.kind == .fifo { continue }
        let number = UInt64(device.kind.rawValue) << 62 | UInt64(device.major) << 31 | UInt64(device.minor)
        if let first = firstOfNumber[number] {
            findings.warning(device.origin, "devices[\(index)] is the same device as devices[\(first)]", "D-07")
        } else {
            firstOfNumber[number] = index
        }
    }
}

func checkPaths(_ linux: Linux, _ findings: inout Findings) {
    for (paths, name, row) in [(linux.maskedPaths, "masked", "X-02"), (linux.readonlyPaths, "read-only", "X-03")] {
        for path in paths where !isAbsolute(path.value) {
            findings.error(path.origin, "a \(name) path must be absolute", got: shown(path.value), row)
        }
        for path in paths where isAbsolute(path.value) && isRoot(path.value) {
            let hint = row == "X-03" ? "root.readonly makes the root read-only" : nil
            findings.error(path.origin, "the root itself cannot be a \(name) path", got: shown(path.value), hint: hint, row)
        }
    }
    if let path = linux.cgroupsPath, path.value.split(separator: "/").contains(where: { $0 == ".." }) {
        findings.error(path.origin, "cgroupsPath may not contain \"..\"", got: shown(path.value), "CG-01")
    }
}

func checkNetDevices(_ linux: Linux, _ findings: inout Findings) {
    if let first = linux.netDevices.first, !linux.has(.network) {
        findings.error(first.origin, "netDevices need a \"network\" entry in linux.namespaces", "W-01")
    }
    var taken: Set<String> = []
    for device in linux.netDevices {
        if !isInterfaceName(device.hostName, allowsTemplate: false) {
            findings.error(
                device.origin, "bad interface name", got: shown(device.hostName),
                hint: "1 to 15 bytes without \"/\", \":\" and white space", "W-02")
        }
        let name = device.name ?? device.hostName
        if device.name != nil, !isInterfaceName(name, allowsTemplate: true) {
            findings.error(
                device.origin, "bad interface name in the container", got: shown(name),
                hint: "1 to 15 bytes without \"/\", \":\" and white space; \"%d\" at most once", "W-03")
        } else if !name.utf8.contains(UInt8(ascii: "%")), !taken.insert(name).inserted {
            findings.error(device.origin, "two devices have the name \(shown(name)) in the container", "W-03")
        }
    }
}

/// What the kernel takes as an interface's name.
///
/// Source: dev_valid_name(); a template has one "%d".
private func isInterfaceName(_ name: String, allowsTemplate: Bool) -> Bool {
    let bytes = Array(name.utf8)
    guard (1...15).contains(bytes.count), name != ".", name != ".." else { return false }
    for byte in bytes where byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":") || byte <= UInt8(ascii: " ") { return false }
    let percents = bytes.indices.filter { bytes[$0] == UInt8(ascii: "%") }
    if percents.isEmpty { return true }
    guard allowsTemplate, percents.count == 1, percents[0] + 1 < bytes.count else { return false }
    return bytes[percents[0] + 1] == UInt8(ascii: "d")
}

func checkIntelRdt(_ rdt: IntelRdt?, _ findings: inout Findings) {
    guard let rdt else { return }
    if let id = rdt.closID, id.value != "/" {
        if id.value == "." || id.value == ".." || id.value.utf8.contains(UInt8(ascii: "/")) {
            findings.error(id.origin, "closID must be a directory's name, or \"/\" for the default class", got: shown(id.value), "RT-02")
        }
    }
    if let schema = rdt.l3CacheSchema {
        checkLine(schema, row: "RT-03", &findings)
        if !schema.value.hasPrefix("L3:") {
            findings.warning(schema.origin, "l3CacheSchema should start with \"L3:\"", got: shown(schema.value), "RT-03")
        }
    }
    if let schema = rdt.memBwSchema {
        checkLine(schema, row: "RT-04", &findings)
        if !schema.value.hasPrefix("MB:") {
            findings.error(schema.origin, "memBwSchema must start with \"MB:\"", got: shown(schema.value), "RT-04")
        }
    }
    for schema in rdt.schemata { checkLine(schema, row: "RT-05", &findings) }
}

private func checkLine(_ schema: Located<String>, row: String, _ findings: inout Findings) {
    if schema.value.utf8.contains(UInt8(ascii: "\n")) {
        findings.error(schema.origin, "a schema may not contain a newline", got: shown(schema.value), row)
    }
}

func checkMemoryPolicy(_ policy: MemoryPolicy?, _ findings: inout Findings) {
    guard let policy else { return }
    let mode = LinuxNames.memoryPolicies.first { $0.value == policy.mode }?.name.text ?? "\(policy.mode)"
    switch mode {
    case "MPOL_DEFAULT", "MPOL_LOCAL":
        if !policy.nodes.isEmpty { findings.error(policy.origin, "\(mode) takes no nodes", "MP-02") }
    case "MPOL_PREFERRED": break
    default:
        if policy.nodes.isEmpty { findings.error(policy.origin, "\(mode) needs at least one node", "MP-02") }
    }
    let staticAndRelative: UInt32 = 1 << 15 | 1 << 14
    if policy.flags & staticAndRelative == staticAndRelative {
        findings.error(policy.origin, "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other", "MP-03")
    } else if policy.flags & staticAndRelative != 0, policy.nodes.isEmpty {
        findings.error(policy.origin, "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES need nodes", "MP-03")
    }
    if policy.flags & (1 << 13) != 0, mode != "MPOL_BIND", mode != "MPOL_PREFERRED_MANY" {
        findings.error(policy.origin, "MPOL_F_NUMA_BALANCING needs MPOL_BIND or MPOL_PREFERRED_MANY, not \(mode)", "MP-03")
    }
}

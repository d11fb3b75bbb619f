/// Rules for namespaces, id mappings and time offsets. Rows N, I, T.

func checkNamespaces(_ linux: Linux, _ findings: inout Findings) {
    var firstOfType = [Int?](repeating: nil, count: NamespaceType.allCases.count)
    for (index, namespace) in linux.namespaces.enumerated() {
        if let first = firstOfType[Int(namespace.type.rawValue)] {
            findings.error(
                namespace.origin, "namespaces[\(index)] repeats \"\(namespace.type.name)\" of namespaces[\(first)]", "N-01")
        } else {
            firstOfType[Int(namespace.type.rawValue)] = index
        }
        if let path = namespace.path, !isAbsolute(path.value) {
            findings.error(path.origin, "a namespace's path must be absolute", got: shown(path.value), "N-03")
        }
    }
}

/// The most lines that the kernel takes in a map, since 4.15.
private let maximumMappings = 340

func checkMappings(_ linux: Linux, _ findings: inout Findings) {
    checkRanges(linux.uidMappings, "uidMappings", row: "I-01", &findings)
    checkRanges(linux.gidMappings, "gidMappings", row: "I-02", &findings)
    guard let user = linux.namespace(.user) else {
        guard !linux.lacksNamespaces else { return }
        for (mappings, row) in [(linux.uidMappings, "I-01"), (linux.gidMappings, "I-02")] {
            guard let first = mappings.first else { continue }
            findings.error(first.origin, "id mappings need a \"user\" entry in linux.namespaces", row)
        }
        return
    }
    guard !linux.lacksMappings else { return }
    let hasNone = linux.uidMappings.isEmpty && linux.gidMappings.isEmpty
    if let path = user.path {
        // Podman adds a mapping of its own making, containerd and CRI-O repeat the namespace's: only the host can tell them apart.
        if !hasNone { findings.warning(path.origin, "mappings are ignored: a user namespace that is joined has its own", "N-09") }
    } else if linux.uidMappings.isEmpty || linux.gidMappings.isEmpty {
        findings.error(user.origin, "a user namespace needs uidMappings and gidMappings or a path", "N-09")
    }
}

/// Ends and overlaps of ranges, on both sides.
func checkRanges(_ mappings: [IDMapping], _ name: String, row: String, _ findings: inout Findings) {
    if mappings.count > maximumMappings {
        findings.error(
            mappings[maximumMappings].origin, "\(name) has more than \(maximumMappings) entries", got: "\(mappings.count)", row)
        return
    }
    for (index, mapping) in mappings.enumerated() {
        let limit: UInt64 = 1 << 32
        if UInt64(mapping.containerID) + UInt64(mapping.size) > limit || UInt64(mapping.hostID) + UInt64(mapping.size) > limit {
            findings.error(mapping.origin, "the range ends above 4294967295", "I-03")
        }
        for (other, earlier) in mappings[..<index].enumerated() {
            if overlap(mapping.containerID, mapping.size, earlier.containerID, earlier.size) {
                findings.error(mapping.origin, "\(name)[\(index)] overlaps \(name)[\(other)] inside the container", row)
            } else if overlap(mapping.hostID, mapping.size, earlier.hostID, earlier.size) {
                findings.error(mapping.origin, "\(name)[\(index)] overlaps \(name)[\(other)] on the host", row)
            }
        }
    }
}

private func overlap(_ start: UInt32, _ size: UInt32, _ otherStart: UInt32, _ otherSize: UInt32) -> Bool {
    UInt64(start) < UInt64(otherStart) + UInt64(otherSize) && UInt64(otherStart) < UInt64(start) + UInt64(size)
}

func checkTimeOffsets(_ linux: Linux, _ findings: inout Findings) {
    guard let first = linux.timeOffsets.first, !linux.lacksNamespaces else { return }
    guard let time = linux.namespace(.time) else {
        findings.error(first.origin, "timeOffsets need a \"time\" entry in linux.namespaces", "T-01")
        return
    }
    if time.path != nil { findings.error(first.origin, "timeOffsets need a new time namespace, not one that is joined", "T-01") }
    for offset in linux.timeOffsets where offset.nanoseconds > 999_999_999 {
        findings.error(offset.origin, "nanosecs must be in 0...999999999", got: "\(offset.nanoseconds)", "T-03")
    }
}

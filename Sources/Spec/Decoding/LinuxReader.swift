/// The `linux` section. Source: config-linux.md; rows N, I, T, D, W, RT, MP, SY, X.

extension Reader {
    mutating func linux(_ value: JSONValue) -> Linux {
        var linux = Linux()
        if value.kind != .object { linux.lacksNamespaces = true }
        for member in members(value, "G-09") {
            let value = member.value
            let errorsBefore = findings.errorCount
            switch member.name {
            case "namespaces":
                linux.namespaces = namespaces(value)
                linux.lacksNamespaces = findings.errorCount > errorsBefore
            case "uidMappings":
                linux.uidMappings = mappings(value, "I-01")
                if findings.errorCount > errorsBefore { linux.lacksMappings = true }
            case "gidMappings":
                linux.gidMappings = mappings(value, "I-02")
                if findings.errorCount > errorsBefore { linux.lacksMappings = true }
            case "timeOffsets": linux.timeOffsets = timeOffsets(value)
            case "devices": linux.devices = devices(value)
            case "cgroupsPath": linux.cgroupsPath = nonEmpty(value, "CG-01")
            case "resources": linux.resources = resources(value)
            case "intelRdt": linux.intelRdt = intelRdt(value)
            case "sysctl": linux.sysctl = pairs(value, "SY-08")
            case "seccomp": linux.seccomp = seccomp(value)
            case "rootfsPropagation": linux.rootfsPropagation = propagation(value)
            case "maskedPaths": linux.maskedPaths = locatedStrings(value, "X-02")
            case "readonlyPaths": linux.readonlyPaths = locatedStrings(value, "X-03")
            case "mountLabel": linux.mountLabel = nonEmpty(value, "X-04")
            case "personality": linux.personality = personality(value)
            case "netDevices": linux.netDevices = netDevices(value)
            case "memoryPolicy": linux.memoryPolicy = memoryPolicy(value)
            default:
                unknown(
                    member,
                    among: """
                        namespaces uidMappings gidMappings timeOffsets devices cgroupsPath resources intelRdt sysctl seccomp \
                        rootfsPropagation maskedPaths readonlyPaths mountLabel personality netDevices memoryPolicy
                        """)
            }
        }
        return linux
    }

    // MARK: Namespaces

    private mutating func namespaces(_ value: JSONValue) -> [Namespace] {
        var namespaces: [Namespace] = []
        namespaces.reserveCapacity(value.count)
        for element in elements(value, "N-01") {
            var type: NamespaceType?
            var path: Located<String>?
            var hasType = false
            for member in members(element, "N-01") {
                switch member.name {
                case "type":
                    hasType = true
                    type = namespaceType(member.value)
                case "path": path = nonEmpty(member.value, "N-03")
                default: unknown(member, among: "type path")
                }
            }
            if !hasType { missing("type", in: element, "N-02") }
            guard let type else { continue }
            var namespace = Namespace(type, path: path)
            namespace.origin = element.origin
            namespaces.append(namespace)
        }
        return namespaces
    }

    private mutating func namespaceType(_ value: JSONValue) -> NamespaceType? {
        if let text = value.text, let meant = find(text, in: LinuxNames.namespaceAliases) {
            findings.error(value.origin, "unknown namespace type", got: shown(value), hint: "did you mean \"\(meant.name)\"?", "N-02")
            return nil
        }
        return choice(value, "namespace type", LinuxNames.namespaces, "N-02")
    }

    private mutating func timeOffsets(_ value: JSONValue) -> [TimeOffset] {
        var offsets: [TimeOffset] = []
        for member in members(value, "T-01") {
            guard let clock = find(member.name, in: LinuxNames.clocks) else {
                let hint = suggestion(for: member.key, among: names(of: LinuxNames.clocks))
                findings.error(member.nameOrigin, "unknown clock", got: JSONWriter.quoted(member.key), hint: hint, "T-01")
                continue
            }
            var offset = TimeOffset(clock)
            offset.origin = member.value.origin
            for part in members(member.value, "T-01") {
                switch part.name {
                case "secs": offset.seconds = integer(part.value, "T-02") ?? 0
                case "nanosecs": offset.nanoseconds = integer(part.value, in: 0...999_999_999, "T-03") ?? 0
                default: unknown(part, among: "secs nanosecs")
                }
            }
            offsets.append(offset)
        }
        return offsets
    }

    // MARK: Devices

    private static let deviceKinds: [Named<Device.Kind>] = [
        Named("c", .character), Named("b", .block), Named("u", .character), Named("p", .fifo),
    ]

    private mutating func devices(_ value: JSONValue) -> [Device] {
        var devices: [Device] = []
        devices.reserveCapacity(value.count)
        for element in elements(value, "D-01") {
            if let device = device(element) { devices.append(device) }
        }
        return devices
    }

    private mutating func device(_ value: JSONValue) -> Device? {
        var device = Device(.fifo, path: Located(""))
        device.origin = value.origin
        var kind: Device.Kind?
        var major: UInt32?
        var minor: UInt32?
        var mode: Located<UInt32>?
        for member in members(value, "D-01") {
            let value = member.value
            switch member.name {
            case "type": kind = choice(value, "device type", Reader.deviceKinds, "D-02")
            case "path":
                if let path = located(value, "D-03") { device.path = path }
            case "major": major = integer(value, in: 0...4095, "D-04")
            case "minor": minor = integer(value, in: 0...1_048_575, "D-04")
            case "fileMode": mode = locatedInteger(value, "D-05")
            case "uid": device.uid = integer(value, in: 0...(UInt32.max - 1), "D-06")
            case "gid": device.gid = integer(value, in: 0...(UInt32.max - 1), "D-06")
            default: unknown(member, among: "type path major minor fileMode uid gid")
            }
        }
        if kind == nil { missing("type", in: value, "D-02") }
        if device.path.origin == .none { missing("path", in: value, "D-03") }
        if let kind, kind != .fifo {
            if major == nil { missing("major", in: value, "D-04") }
            if minor == nil { missing("minor", in: value, "D-04") }
        }
        guard let kind, device.path.origin != .none else { return nil }
        device.kind = kind
        device.major = major ?? 0
        device.minor = minor ?? 0
        if let mode { device.fileMode = fileMode(mode, kind) }
        return device
    }

    /// The permission bits; the type bits that some engines leave in must fit the type (D-05).
    private mutating func fileMode(_ mode: Located<UInt32>, _ kind: Device.Kind) -> UInt32 {
        let typeBits: UInt32 =
            switch kind {
            case .character: 0o020000
            case .block: 0o060000
            case .fifo: 0o010000
            }
        let format = mode.value & ~0o7777
        if format != 0, format != typeBits {
            findings.error(mode.origin, "the mode's file type is not that of \"type\"", got: "\(mode.value)", "D-05")
        } else if format == 0, mode.value > 0o777, let octal = UInt32(String(mode.value), radix: 8), octal <= 0o777 {
            findings.warning(
                mode.origin, "the mode looks like octal digits in a decimal number", got: "\(mode.value)",
                hint: "0o\(mode.value) is \(octal)", "D-05")
        }
        return mode.value & 0o7777
    }

    // MARK: The rest

    private mutating func intelRdt(_ value: JSONValue) -> IntelRdt {
        var rdt = IntelRdt()
        rdt.origin = value.origin
        for member in members(value, "RT-01") {
            let value = member.value
            switch member.name {
            case "closID": rdt.closID = nonEmpty(value, "RT-02")
            case "l3CacheSchema": rdt.l3CacheSchema = nonEmpty(value, "RT-03")
            case "memBwSchema": rdt.memBwSchema = nonEmpty(value, "RT-04")
            case "schemata": rdt.schemata = locatedStrings(value, "RT-05")
            case "enableMonitoring": rdt.enableMonitoring = bool(value, "RT-06") ?? false
            case "enableCMT", "enableMBM":
                findings.note(member.nameOrigin, "property of spec 1.1 and 1.2 is ignored", hint: "use \"enableMonitoring\"", "RT-07")
            default: unknown(member, among: "closID l3CacheSchema memBwSchema schemata enableMonitoring")
            }
        }
        return rdt
    }

    private mutating func propagation(_ value: JSONValue) -> Located<Propagation>? {
        if value.string == "" { return nil }
        return choice(value, "propagation", LinuxNames.propagation, "X-01").map { Located($0, value.origin) }
    }

    private mutating func personality(_ value: JSONValue) -> Located<Personality>? {
        var personality: Located<Personality>?
        var hasDomain = false
        for member in members(value, "X-05") {
            let value = member.value
            switch member.name {
            case "domain":
                hasDomain = true
                personality = choice(value, "execution domain", LinuxNames.personalities, "X-05").map { Located($0, value.origin) }
            case "flags":
                for element in elements(value, "X-06") {
                    findings.error(element.origin, "no personality flag is defined", got: shown(element), "X-06")
                }
            default: unknown(member, among: "domain flags")
            }
        }
        if !hasDomain { missing("domain", in: value, "X-05") }
        return personality
    }

    private mutating func netDevices(_ value: JSONValue) -> [NetDevice] {
        var devices: [NetDevice] = []
        for member in members(value, "W-01") {
            var device = NetDevice(hostName: member.key)
            device.origin = member.nameOrigin
            for part in members(member.value, "W-01") {
                switch part.name {
                case "name": device.name = nonEmpty(part.value, "W-03")?.value
                default: unknown(part, among: "name")
                }
            }
            devices.append(device)
        }
        return devices
    }

    private mutating func memoryPolicy(_ value: JSONValue) -> MemoryPolicy? {
        var policy = MemoryPolicy(mode: 0)
        policy.origin = value.origin
        var mode: UInt32?
        for member in members(value, "MP-01") {
            let value = member.value
            switch member.name {
            case "mode": mode = choice(value, "memory policy", LinuxNames.memoryPolicies, "MP-01")
            case "nodes":
                guard let nodes = nodes(value) else { return nil }
                policy.nodes = nodes
            case "flags":
                for element in elements(value, "MP-03") {
                    policy.flags |= choice(element, "memory policy flag", LinuxNames.memoryPolicyFlags, "MP-03") ?? 0
                }
            default: unknown(member, among: "mode nodes flags")
            }
        }
        if mode == nil { missing("mode", in: value, "MP-01") }
        guard let mode else { return nil }
        policy.mode = mode
        return policy
    }

    private mutating func nodes(_ value: JSONValue) -> [UInt32]? {
        guard let list = string(value, "MP-02") else { return nil }
        switch IndexList.parse(list) {
        case .success(let ranges): return ranges.flatMap { Array($0) }
        case .failure(let problem):
            findings.error(value.origin, problem.message, got: shown(value), "MP-02")
            return nil
        }
    }
}

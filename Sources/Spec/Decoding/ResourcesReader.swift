/// Limits of the cgroup. Source: config-linux.md#control-groups; rows RD, RM, RC, RB, RH, RU.

extension Resources {
    /// Reads limits by themselves: the content of `update --resources`, or a value of another document.
    public static func decode(_ document: JSONDocument, at value: JSONValue? = nil) -> (resources: Resources, diagnostics: [Diagnostic]) {
        var reader = Reader(document)
        let resources = reader.resources(value ?? document.root)
        return (resources, reader.findings.sorted)
    }
}

extension Reader {
    mutating func resources(_ value: JSONValue) -> Resources {
        var resources = Resources()
        resources.origin = value.origin
        for member in members(value, "RU-02") {
            let value = member.value
            switch member.name {
            case "devices": resources.devices = deviceRules(value)
            case "memory": resources.memory = memory(value)
            case "cpu": resources.cpu = cpu(value)
            case "blockIO": resources.blockIO = blockIO(value)
            case "hugepageLimits": resources.hugepageLimits = hugepageLimits(value)
            case "network": resources.network = network(value)
            case "pids": resources.pids = pids(value)
            case "rdma": resources.rdma = rdma(value)
            case "unified": resources.unified = pairs(value, "RU-01")
            default: unknown(member, among: "devices memory cpu blockIO hugepageLimits network pids rdma unified")
            }
        }
        return resources
    }

    // MARK: Devices

    private static let ruleKinds: [Named<Resources.DeviceRule.Kind>] = [Named("a", .all), Named("b", .block), Named("c", .character)]

    private mutating func deviceRules(_ value: JSONValue) -> [Resources.DeviceRule] {
        var rules: [Resources.DeviceRule] = []
        rules.reserveCapacity(value.count)
        for element in elements(value, "RD-01") {
            var rule = Resources.DeviceRule(allow: false)
            rule.origin = element.origin
            var allow: Bool?
            for member in members(element, "RD-01") {
                let value = member.value
                switch member.name {
                case "allow": allow = bool(value, "RD-02")
                case "type":
                    if value.string != "" { rule.kind = choice(value, "device type", Reader.ruleKinds, "RD-03") ?? .all }
                case "major": rule.major = deviceNumber(value)
                case "minor": rule.minor = deviceNumber(value)
                case "access": access(value, &rule)
                default: unknown(member, among: "allow type major minor access")
                }
            }
            if allow == nil { missing("allow", in: element, "RD-02") }
            guard let allow else { continue }
            rule.allow = allow
            rules.append(rule)
        }
        return rules
    }

    /// A number, or nil for any: -1 (RD-04).
    private mutating func deviceNumber(_ value: JSONValue) -> UInt32? {
        guard let number: Int64 = integer(value, in: -1...Int64(UInt32.max), "RD-04"), number >= 0 else { return nil }
        return UInt32(number)
    }

    private mutating func access(_ value: JSONValue, _ rule: inout Resources.DeviceRule) {
        guard let access = string(value, "RD-05") else { return }
        rule.read = false
        rule.write = false
        rule.mknod = false
        var isKnown = !access.isEmpty
        for letter in access.utf8 {
            switch letter {
            case UInt8(ascii: "r"): rule.read = true
            case UInt8(ascii: "w"): rule.write = true
            case UInt8(ascii: "m"): rule.mknod = true
            default: isKnown = false
            }
        }
        if !isKnown { findings.error(value.origin, "access must be some of the letters r, w and m", got: shown(value), "RD-05") }
    }

    // MARK: Memory and CPU

    private mutating func memory(_ value: JSONValue) -> Resources.Memory {
        var memory = Resources.Memory()
        for member in members(value, "RM-01") {
            let value = member.value
            switch member.name {
            case "limit": memory.limit = memoryLimit(value, "RM-02")
            case "reservation": memory.reservation = memoryLimit(value, "RM-03")
            case "swap": memory.swap = memoryLimit(value, "RM-04")
            case "kernel": memory.kernel = memoryLimit(value, "RM-06")
            case "kernelTCP": memory.kernelTCP = memoryLimit(value, "RM-07")
            case "swappiness": memory.swappiness = locatedInteger(value, in: 0...100, "RM-08")
            case "disableOOMKiller": memory.disableOOMKiller = locatedBool(value, "RM-09")
            case "useHierarchy": memory.useHierarchy = locatedBool(value, "RM-10")
            case "checkBeforeUpdate": memory.checkBeforeUpdate = locatedBool(value, "RM-11")
            default:
                unknown(
                    member,
                    among: "limit reservation swap kernel kernelTCP swappiness disableOOMKiller useHierarchy checkBeforeUpdate")
            }
        }
        return memory
    }

    private mutating func memoryLimit(_ value: JSONValue, _ row: String) -> Located<Int64>? {
        locatedInteger(value, in: -1...Int64.max, row)
    }

    private mutating func cpu(_ value: JSONValue) -> Resources.CPU {
        var cpu = Resources.CPU()
        for member in members(value, "RC-01") {
            let value = member.value
            switch member.name {
            case "shares": cpu.shares = locatedInteger(value, "RC-01")
            case "quota": cpu.quota = locatedInteger(value, "RC-02")
            case "burst": cpu.burst = locatedInteger(value, "RC-03")
            case "period": cpu.period = locatedInteger(value, "RC-04")
            case "realtimeRuntime": cpu.realtimeRuntime = locatedInteger(value, "RC-05")
            case "realtimePeriod": cpu.realtimePeriod = locatedInteger(value, "RC-06")
            case "cpus": cpu.cpus = nonEmpty(value, "RC-07")
            case "mems": cpu.mems = nonEmpty(value, "RC-08")
            case "idle": cpu.idle = locatedInteger(value, in: 0...1, "RC-09")
            default: unknown(member, among: "shares quota burst period realtimeRuntime realtimePeriod cpus mems idle")
            }
        }
        return cpu
    }

    // MARK: Block devices

    private mutating func blockIO(_ value: JSONValue) -> Resources.BlockIO {
        var blockIO = Resources.BlockIO()
        for member in members(value, "RB-01") {
            let value = member.value
            switch member.name {
            case "weight": blockIO.weight = locatedInteger(value, "RB-01")
            case "leafWeight": blockIO.leafWeight = locatedInteger(value, "RB-02")
            case "weightDevice":
                for element in elements(value, "RB-03") {
                    if let device = weightDevice(element) { blockIO.weightDevice.append(device) }
                }
            case "throttleReadBpsDevice": blockIO.throttleReadBps = throttles(value, "RB-06")
            case "throttleWriteBpsDevice": blockIO.throttleWriteBps = throttles(value, "RB-06")
            case "throttleReadIOPSDevice": blockIO.throttleReadIOPS = throttles(value, "RB-07")
            case "throttleWriteIOPSDevice": blockIO.throttleWriteIOPS = throttles(value, "RB-07")
            default:
                unknown(
                    member,
                    among: """
                        weight leafWeight weightDevice throttleReadBpsDevice throttleWriteBpsDevice throttleReadIOPSDevice \
                        throttleWriteIOPSDevice
                        """)
            }
        }
        return blockIO
    }

    private mutating func weightDevice(_ value: JSONValue) -> Resources.WeightDevice? {
        var major: UInt32?
        var minor: UInt32?
        var weight: UInt16?
        var leafWeight: UInt16?
        var hasWeight = value.kind != .object
        for member in members(value, "RB-03") {
            switch member.name {
            case "major": major = integer(member.value, "RB-04")
            case "minor": minor = integer(member.value, "RB-04")
            case "weight":
                hasWeight = true
                weight = integer(member.value, in: 10...1000, "RB-05")
            case "leafWeight":
                hasWeight = true
                leafWeight = integer(member.value, in: 10...1000, "RB-05")
            default: unknown(member, among: "major minor weight leafWeight")
            }
        }
        if major == nil { missing("major", in: value, "RB-04") }
        if minor == nil { missing("minor", in: value, "RB-04") }
        if !hasWeight { findings.error(value.origin, "needs \"weight\", \"leafWeight\" or both", "RB-05") }
        guard let major, let minor else { return nil }
        var device = Resources.WeightDevice(major: major, minor: minor)
        device.origin = value.origin
        device.weight = weight
        device.leafWeight = leafWeight
        return device
    }

    private mutating func throttles(_ value: JSONValue, _ row: String) -> [Resources.Throttle] {
        var throttles: [Resources.Throttle] = []
        for element in elements(value, row) {
            var major: UInt32?
            var minor: UInt32?
            var rate: UInt64?
            for member in members(element, row) {
                switch member.name {
                case "major": major = integer(member.value, row)
                case "minor": minor = integer(member.value, row)
                case "rate": rate = integer(member.value, row)
                default: unknown(member, among: "major minor rate")
                }
            }
            if major == nil { missing("major", in: element, row) }
            if minor == nil { missing("minor", in: element, row) }
            if rate == nil { missing("rate", in: element, row) }
            guard let major, let minor, let rate else { continue }
            var throttle = Resources.Throttle(major: major, minor: minor, rate: rate)
            throttle.origin = element.origin
            throttles.append(throttle)
        }
        return throttles
    }

    // MARK: Huge pages, network, pids, RDMA

    private mutating func hugepageLimits(_ value: JSONValue) -> [Resources.HugepageLimit] {
        var limits: [Resources.HugepageLimit] = []
        for element in elements(value, "RH-01") {
            var pageSize: String?
            var limit: UInt64?
            for member in members(element, "RH-01") {
                switch member.name {
                case "pageSize": pageSize = hugepageSize(member.value)
                case "limit": limit = integer(member.value, "RH-03")
                default: unknown(member, among: "pageSize limit")
                }
            }
            if pageSize == nil { missing("pageSize", in: element, "RH-02") }
            if limit == nil { missing("limit", in: element, "RH-03") }
            guard let pageSize, let limit else { continue }
            var entry = Resources.HugepageLimit(pageSize: pageSize, limit: limit)
            entry.origin = element.origin
            limits.append(entry)
        }
        return limits
    }

    /// `[1-9][0-9]*[KMG]B` (RH-02).
    private mutating func hugepageSize(_ value: JSONValue) -> String? {
        guard let size = string(value, "RH-02") else { return nil }
        let bytes = Array(size.utf8)
        let digits = bytes.dropLast(2)
        let isSize =
            bytes.count >= 3 && bytes[bytes.count - 1] == UInt8(ascii: "B")
            && [UInt8(ascii: "K"), UInt8(ascii: "M"), UInt8(ascii: "G")].contains(bytes[bytes.count - 2])
            && digits.first != UInt8(ascii: "0") && digits.allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
        if !isSize { findings.error(value.origin, "page size must be such as \"2MB\"", got: shown(value), "RH-02") }
        return size
    }

    private mutating func network(_ value: JSONValue) -> Resources.Network {
        var network = Resources.Network()
        for member in members(value, "RH-04") {
            switch member.name {
            case "classID": network.classID = locatedInteger(member.value, "RH-04")
            case "priorities":
                for element in elements(member.value, "RH-05") {
                    if let priority = networkPriority(element) { network.priorities.append(Located(priority, element.origin)) }
                }
            default: unknown(member, among: "classID priorities")
            }
        }
        return network
    }

    private mutating func networkPriority(_ value: JSONValue) -> Resources.Network.Priority? {
        var name: String?
        var priority: UInt32?
        for member in members(value, "RH-05") {
            switch member.name {
            case "name": name = string(member.value, "RH-05")
            case "priority": priority = integer(member.value, "RH-06")
            default: unknown(member, among: "name priority")
            }
        }
        if name == nil { missing("name", in: value, "RH-05") }
        if priority == nil { missing("priority", in: value, "RH-06") }
        guard let name, let priority else { return nil }
        return Resources.Network.Priority(name: name, priority: priority)
    }

    private mutating func pids(_ value: JSONValue) -> Located<Int64>? {
        var limit: Located<Int64>?
        for member in members(value, "RH-07") {
            switch member.name {
            case "limit": limit = locatedInteger(member.value, in: -1...Int64.max, "RH-07")
            default: unknown(member, among: "limit")
            }
        }
        return limit
    }

    private mutating func rdma(_ value: JSONValue) -> [Resources.RDMALimit] {
        var limits: [Resources.RDMALimit] = []
        for member in members(value, "RH-08") {
            var limit = Resources.RDMALimit(device: member.key)
            limit.origin = member.value.origin
            var isLimited = member.value.kind != .object
            for part in members(member.value, "RH-08") {
                switch part.name {
                case "hcaHandles":
                    isLimited = true
                    limit.hcaHandles = integer(part.value, "RH-09")
                case "hcaObjects":
                    isLimited = true
                    limit.hcaObjects = integer(part.value, "RH-09")
                default: unknown(part, among: "hcaHandles hcaObjects")
                }
            }
            if !isLimited { findings.error(limit.origin, "needs \"hcaHandles\", \"hcaObjects\" or both", "RH-08") }
            limits.append(limit)
        }
        return limits
    }
}

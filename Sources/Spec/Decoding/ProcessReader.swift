/// The process. Source: config.md#process; rows P.

extension Process {
    /// Reads a process by itself: the content of `exec --process`.
    public static func decode(_ document: JSONDocument) -> (process: Process, diagnostics: [Diagnostic]) {
        var reader = Reader(document)
        let process = reader.process(document.root)
        return (process, reader.findings.sorted)
    }
}

extension Reader {
    mutating func process(_ value: JSONValue) -> Process {
        var process = Process(cwd: Located(""))
        process.origin = value.origin
        var hasCwd = false
        var hasArgs = false
        for member in members(value, "P-01") {
            let value = member.value
            switch member.name {
            case "terminal": process.terminal = bool(value, "P-02") ?? false
            case "consoleSize": process.consoleSize = consoleSize(value)
            case "cwd":
                hasCwd = true
                if let cwd = located(value, "P-06") { process.cwd = cwd }
            case "env": process.env = locatedStrings(value, "P-07")
            case "args":
                hasArgs = true
                process.args = locatedStrings(value, "P-08")
                if value.kind == .array, value.count == 0 { findings.error(value.origin, "args must have at least one element", "P-08") }
            case "rlimits": process.rlimits = rlimits(value)
            case "apparmorProfile": process.apparmorProfile = nonEmpty(value, "P-14")
            case "selinuxLabel": process.selinuxLabel = nonEmpty(value, "P-15")
            case "capabilities": process.capabilities = capabilities(value)
            case "noNewPrivileges": process.noNewPrivileges = bool(value, "P-22") ?? false
            case "oomScoreAdj": process.oomScoreAdj = locatedInteger(value, "P-23")
            case "scheduler": process.scheduler = scheduler(value)
            case "ioPriority": process.ioPriority = ioPriority(value)
            case "execCPUAffinity": process.execCPUAffinity = execCPUAffinity(value)
            case "user": process.user = user(value)
            case "commandLine": findings.note(member.nameOrigin, "property for another platform is ignored", "P-09")
            default:
                unknown(
                    member,
                    among: """
                        terminal consoleSize cwd env args rlimits apparmorProfile selinuxLabel capabilities noNewPrivileges oomScoreAdj \
                        scheduler ioPriority execCPUAffinity user
                        """)
            }
        }
        if !hasCwd { missing("cwd", in: value, "P-06") }
        if !hasArgs { missing("args", in: value, "P-08") }
        return process
    }

    private mutating func consoleSize(_ value: JSONValue) -> ConsoleSize? {
        var height: UInt16?
        var width: UInt16?
        for member in members(value, "P-03") {
            switch member.name {
            case "height": height = integer(member.value, "P-04")
            case "width": width = integer(member.value, "P-05")
            default: unknown(member, among: "height width")
            }
        }
        if height == nil { missing("height", in: value, "P-04") }
        if width == nil { missing("width", in: value, "P-05") }
        guard let height, let width else { return nil }
        return ConsoleSize(height: height, width: width)
    }

    private mutating func rlimits(_ value: JSONValue) -> [Rlimit] {
        var limits: [Rlimit] = []
        for element in elements(value, "P-10") {
            if let limit = rlimit(element) { limits.append(limit) }
        }
        return limits
    }

    private mutating func rlimit(_ value: JSONValue) -> Rlimit? {
        var type: (name: String, resource: Int32?)?
        var soft: UInt64?
        var hard: UInt64?
        for member in members(value, "P-10") {
            let value = member.value
            switch member.name {
            case "type": type = (value.string ?? "", choice(value, "resource limit", RlimitNames.table, "P-11"))
            case "soft": soft = integer(value, "P-12")
            case "hard": hard = integer(value, "P-13")
            default: unknown(member, among: "type soft hard")
            }
        }
        if type == nil { missing("type", in: value, "P-11") }
        if soft == nil { missing("soft", in: value, "P-12") }
        if hard == nil { missing("hard", in: value, "P-13") }
        guard let type, let resource = type.resource, let soft, let hard else { return nil }
        var limit = Rlimit(resource: resource, name: type.name, soft: soft, hard: hard)
        limit.origin = value.origin
        return limit
    }

    // MARK: Capabilities

    private mutating func capabilities(_ value: JSONValue) -> CapabilitySets {
        var sets = CapabilitySets()
        sets.origin = value.origin
        for member in members(value, "P-16") {
            let value = member.value
            switch member.name {
            case "bounding": sets.bounding = capabilitySet(value, "P-17")
            case "effective": sets.effective = capabilitySet(value, "P-18")
            case "permitted": sets.permitted = capabilitySet(value, "P-19")
            case "inheritable": sets.inheritable = capabilitySet(value, "P-20")
            case "ambient": sets.ambient = capabilitySet(value, "P-21")
            default: unknown(member, among: "bounding effective permitted inheritable ambient")
            }
        }
        return sets
    }

    /// The capabilities of a list; what the kernel does not have is a warning, by the specification.
    private mutating func capabilitySet(_ value: JSONValue, _ row: String) -> CapabilitySet {
        var set = CapabilitySet()
        for element in elements(value, row) {
            guard let text = text(element, row) else { continue }
            if let capability = Capability(text) {
                set.insert(CapabilitySet(capability))
            } else {
                let hint = suggestion(for: text.string, among: Capability.names)
                findings.warning(element.origin, "unknown capability is ignored", got: shown(element), hint: hint, "P-16")
            }
        }
        return set
    }

    // MARK: Scheduling

    private mutating func scheduler(_ value: JSONValue) -> Scheduler? {
        var scheduler = Scheduler(policy: 0)
        scheduler.origin = value.origin
        var policy: UInt32?
        for member in members(value, "P-24") {
            let value = member.value
            switch member.name {
            case "policy": policy = choice(value, "scheduling policy", SchedulerNames.policies, "P-25")
            case "nice": scheduler.nice = integer(value, in: -20...19, "P-26") ?? 0
            case "priority": scheduler.priority = integer(value, in: 0...99, "P-27") ?? 0
            case "flags":
                for element in elements(value, "P-28") {
                    scheduler.flags |= choice(element, "scheduler flag", SchedulerNames.flags, "P-28") ?? 0
                }
            case "runtime": scheduler.runtime = integer(value, "P-29") ?? 0
            case "deadline": scheduler.deadline = integer(value, "P-30") ?? 0
            case "period": scheduler.period = integer(value, "P-31") ?? 0
            default: unknown(member, among: "policy nice priority flags runtime deadline period")
            }
        }
        if policy == nil { missing("policy", in: value, "P-25") }
        guard let policy else { return nil }
        scheduler.policy = policy
        return scheduler
    }

    private mutating func ioPriority(_ value: JSONValue) -> IOPriority? {
        var priorityClass: UInt32?
        var priority: UInt32 = 0
        for member in members(value, "P-32") {
            switch member.name {
            case "class": priorityClass = choice(member.value, "I/O class", SchedulerNames.ioClasses, "P-33")
            case "priority": priority = integer(member.value, in: 0...7, "P-34") ?? 0
            default: unknown(member, among: "class priority")
            }
        }
        if priorityClass == nil { missing("class", in: value, "P-33") }
        return priorityClass.map { IOPriority(priorityClass: $0, priority: priority) }
    }

    private mutating func execCPUAffinity(_ value: JSONValue) -> ExecCPUAffinity {
        var affinity = ExecCPUAffinity()
        for member in members(value, "P-35") {
            switch member.name {
            case "initial": affinity.initial = nonEmpty(member.value, "P-36")
            case "final": affinity.final = nonEmpty(member.value, "P-37")
            default: unknown(member, among: "initial final")
            }
        }
        return affinity
    }

    // MARK: User

    private mutating func user(_ value: JSONValue) -> User {
        var user = User()
        // 4294967295 means "unchanged" to the kernel.
        let ids: ClosedRange<UInt32> = 0...(UInt32.max - 1)
        for member in members(value, "P-38") {
            let value = member.value
            switch member.name {
            case "uid":
                if let uid = locatedInteger(value, in: ids, "P-39") { user.uid = uid }
            case "gid":
                if let gid = locatedInteger(value, in: ids, "P-40") { user.gid = gid }
            case "umask": user.umask = umask(value)
            case "additionalGids":
                for element in elements(value, "P-43") {
                    if let gid = locatedInteger(element, in: ids, "P-43") { user.additionalGids.append(gid) }
                }
            case "username": findings.note(member.nameOrigin, "property for another platform is ignored", "P-41")
            default: unknown(member, among: "uid gid umask additionalGids")
            }
        }
        return user
    }

    /// The umask; numbers that are only usual in octal are pointed out (P-42).
    private mutating func umask(_ value: JSONValue) -> UInt32? {
        guard let umask: UInt32 = integer(value, in: 0...0o777, "P-42") else { return nil }
        switch umask {
        case 22: findings.warning(value.origin, "22 decimal is 0o026", hint: "0o022 is 18", "P-42")
        case 27: findings.warning(value.origin, "27 decimal is 0o033", hint: "0o027 is 23", "P-42")
        case 77: findings.warning(value.origin, "77 decimal is 0o115", hint: "0o077 is 63", "P-42")
        default: break
        }
        return umask
    }
}

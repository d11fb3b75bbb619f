/// The root of config.json, its root file system, hooks and annotations. Source: config.md; rows G, R, U, H, A.

extension Config {
    /// Reads a whole config, with everything that is wrong in it by itself.
    ///
    /// ``validate()`` finds what is wrong in context.
    public static func decode(_ document: JSONDocument) -> (config: Config, diagnostics: [Diagnostic]) {
        var reader = Reader(document)
        let config = reader.config(document.root)
        return (config, reader.findings.sorted)
    }

    /// Reads a config and validates it: all problems together, in the document's order.
    public static func check(_ document: JSONDocument) -> (config: Config, diagnostics: [Diagnostic]) {
        var reader = Reader(document)
        let config = reader.config(document.root)
        return (config, Findings.sorted(reader.findings.list + config.validate()))
    }
}

extension Reader {
    mutating func config(_ value: JSONValue) -> Config {
        var config = Config()
        if value.kind != .object { config.linux.lacksNamespaces = true }
        var hasVersion = false
        var hasRoot = false
        for member in members(value, "G-01") {
            let value = member.value
            switch member.name {
            case "ociVersion":
                hasVersion = true
                config.ociVersion = version(value)
            case "root":
                hasRoot = true
                config.root = root(value)
            case "mounts": config.mounts = mounts(value)
            case "process": config.process = process(value)
            case "hostname": config.hostname = nonEmpty(value, "U-01")
            case "domainname": config.domainname = nonEmpty(value, "U-02")
            case "hooks": config.hooks = hooks(value)
            case "annotations": config.annotations = pairs(value, "A-01")
            case "linux": config.linux = linux(value)
            case "solaris", "windows", "vm", "zos", "freebsd":
                findings.note(member.nameOrigin, "section for another platform is ignored", "G-08")
            default: unknown(member, among: "ociVersion root mounts process hostname domainname hooks annotations linux")
            }
        }
        if !hasVersion { missing("ociVersion", in: value, "G-03") }
        if !hasRoot { missing("root", in: value, "R-01") }
        return config
    }

    /// A string that counts as absent when it is empty, as Go programs write it.
    mutating func nonEmpty(_ value: JSONValue, _ row: String) -> Located<String>? {
        guard let string = located(value, row), !string.value.isEmpty else { return nil }
        return string
    }

    /// The specification's version (G-03).
    private mutating func version(_ value: JSONValue) -> String {
        guard let version = string(value, "G-03") else { return "" }
        guard let parsed = SemanticVersion(version) else {
            findings.error(value.origin, "is not SemVer", got: shown(value), hint: "want MAJOR.MINOR.PATCH", "G-03")
            return version
        }
        let supported = "min \(SpecVersion.minimum), max \(SpecVersion.maximum)"
        if parsed.major != 1 {
            findings.error(value.origin, "spec major \(parsed.major) is unsupported (\(supported))", got: shown(value), "G-03")
        } else if parsed.minor > SpecVersion.minor {
            findings.warning(value.origin, "written for a newer spec than this runtime knows (\(supported))", got: shown(value), "G-03")
        }
        return version
    }

    private mutating func root(_ value: JSONValue) -> Root? {
        var path: Located<String>?
        var readonly = false
        var hasPath = false
        for member in members(value, "R-01") {
            switch member.name {
            case "path":
                hasPath = true
                path = located(member.value, "R-02")
            case "readonly": readonly = bool(member.value, "R-03") ?? false
            default: unknown(member, among: "path readonly")
            }
        }
        if !hasPath { missing("path", in: value, "R-02") }
        return path.map { Root(path: $0, readonly: readonly) }
    }

    // MARK: Hooks

    private mutating func hooks(_ value: JSONValue) -> Hooks {
        var hooks = Hooks()
        for member in members(value, "H-01") {
            let value = member.value
            switch member.name {
            case "prestart": hooks.prestart = hookList(value, "H-02")
            case "createRuntime": hooks.createRuntime = hookList(value, "H-03")
            case "createContainer": hooks.createContainer = hookList(value, "H-04")
            case "startContainer": hooks.startContainer = hookList(value, "H-05")
            case "poststart": hooks.poststart = hookList(value, "H-06")
            case "poststop": hooks.poststop = hookList(value, "H-07")
            default: unknown(member, among: "prestart createRuntime createContainer startContainer poststart poststop")
            }
        }
        return hooks
    }

    private mutating func hookList(_ value: JSONValue, _ row: String) -> [Hook] {
        var list: [Hook] = []
        for element in elements(value, row) {
            if let hook = hook(element, row) { list.append(hook) }
        }
        return list
    }

    private mutating func hook(_ value: JSONValue, _ row: String) -> Hook? {
        var hook = Hook(path: "")
        hook.origin = value.origin
        var hasPath = false
        for member in members(value, row) {
            let value = member.value
            switch member.name {
            case "path":
                hasPath = true
                hook.path = hookPath(value)
            case "args": hook.args = strings(value, "H-09")
            case "env": hook.env = hookEnvironment(value)
            case "timeout": hook.timeout = integer(value, in: 1...Int(Int32.max), "H-11")
            default: unknown(member, among: "path args env timeout")
            }
        }
        if !hasPath { missing("path", in: value, "H-08") }
        return hook.path.isEmpty ? nil : hook
    }

    private mutating func hookPath(_ value: JSONValue) -> String {
        guard let path = string(value, "H-08") else { return "" }
        if path.utf8.first != UInt8(ascii: "/") {
            findings.error(value.origin, "a hook's path must be absolute", got: shown(value), "H-08")
        }
        return path
    }

    private mutating func hookEnvironment(_ value: JSONValue) -> [String] {
        var list: [String] = []
        for entry in locatedStrings(value, "H-10") {
            checkEnvironmentEntry(entry, "H-10", &findings)
            list.append(entry.value)
        }
        return list
    }
}

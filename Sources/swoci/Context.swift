/// What every command has at hand: its options and operands, the state root, the reporter.

import Runtime

/// The surroundings of a command.
struct Context {
    let options: Options
    let operands: [String]
    let globals: Options
    let environment: Environment
    let reporter: Reporter

    init(_ invocation: Invocation, _ environment: Environment, _ reporter: Reporter) {
        options = invocation.options
        operands = invocation.operands
        globals = invocation.globals
        self.environment = environment
        self.reporter = reporter
    }

    /// The container's id: the first operand.
    func containerID() throws(Failure) -> ContainerID { try ContainerID(operands[0]) }

    /// The state root: `--root`, or the user's own.
    func store() throws(Failure) -> StateStore {
        if let root = globals["root"] {
            guard !root.isEmpty else { throw Failure("use the state root", detail: "--root is empty", kind: .usage) }
            return StateStore(root: root)
        }
        return try StateStore.standard(runtimeDirectory: environment["XDG_RUNTIME_DIR"])
    }

    /// Who manages cgroups.
    func cgroupManager() throws(Failure) -> CgroupManager {
        if globals.isSet("systemd-cgroup") { return .systemd }
        guard let name = globals["cgroup-manager"] else { return .cgroupfs }
        guard let manager = CgroupManager(rawValue: name) else {
            throw Failure("use the cgroup manager", name, hint: "cgroupfs, systemd or disabled", kind: .usage)
        }
        return manager
    }

    /// Whether a cgroup may be left out where the caller may make none; nil: found out.
    func isRootless() throws(Failure) -> Bool? {
        switch globals["rootless"] ?? "auto" {
        case "auto", "": nil
        case "true": true
        case "false": false
        case let word: throw Failure("use the mode", word, hint: "--rootless is auto, true or false", kind: .usage)
        }
    }

    /// The bundle that `--bundle` or an operand names; the working directory otherwise.
    func bundle(operand: Int) throws(Failure) -> String {
        let named = operands.count > operand ? operands[operand] : nil
        if let named, let option = options["bundle"], named != option {
            throw Failure("find the bundle", detail: "both --bundle and an operand name one", kind: .usage)
        }
        return named ?? options["bundle"] ?? "."
    }

    /// An option that is a number of descriptors.
    func number(_ option: String) throws(Failure) -> UInt32? {
        guard let text = options[option] else { return nil }
        return try descriptorCount(text, of: "--\(option)")
    }

    /// How many sockets of socket activation the caller passes on.
    func listenDescriptors() throws(Failure) -> UInt32 {
        guard let text = environment["LISTEN_FDS"] else { return 0 }
        return try descriptorCount(text, of: "LISTEN_FDS")
    }

    private func descriptorCount(_ text: String, of name: String) throws(Failure) -> UInt32 {
        // No process has more (fs.nr_open).
        guard let number = UInt32(text), number <= 1 << 20 else {
            throw Failure("read \(name)", text, detail: "not a number of descriptors", kind: .usage)
        }
        return number
    }
}

extension Reporter {
    /// Reads the global options about the log.
    init(_ globals: Options) throws(Failure) {
        self.init()
        log = globals["log"].flatMap { Log($0) }
        if let name = globals["log-format"], !name.isEmpty {
            guard let format = Format(rawValue: name) else { throw Failure("use the log format", name, hint: "text or json", kind: .usage) }
            self.format = format
        }
        logsWarnings = globals.isSet("debug") || ["warning", "warn", "info", "debug"].contains(globals["log-level"] ?? "error")
    }
}

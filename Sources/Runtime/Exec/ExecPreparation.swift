/// What has to be known before a further process is made: the process, the host's facts, and with them the plan.

import CLinux
import Linux
import Plan
import Spec

/// A further process, decided but not begun.
struct ExecPreparation {
    /// The plan and what the runtime does around it.
    let launch: LaunchPlan
    /// The container's config with the process that is to be run.
    let config: Config
    /// What people should know.
    let remarks: [String]
    /// Where something stands in the document that the process comes from.
    let place: (Origin) -> Failure.Place?

    /// Decides everything; makes nothing but perhaps a cache entry for the container's system call filter.
    init(_ request: ExecRequest, _ container: borrowing JoinedContainer, _ store: StateStore) throws(Failure) {
        let base = try ProcessSource(request, container)
        var remarks = base.remarks
        let process = base.process.changed(by: try request.options(base.process.user, container, &remarks))
        try base.check(process, container.config.linux)
        try checkTerminal(process.terminal, socket: request.consoleSocket, isDetached: request.isDetached)
        var config = base.isOfConfig ? container.config : container.config.withoutPlaces()
        config.process = process
        place = base.place

        let facts = try request.facts(config, container, store, place)
        var joined = ContainerFacts(
            namespaces: container.namespaces, process: UInt32(container.process.raw), root: UInt32(container.root.raw))
        joined.affinity = try adoptInitialAffinity(process.execCPUAffinity, place)
        do throws(PlanningError) { launch = try Planner.plan(exec: config, facts, in: joined) } catch {
            throw Failure(
                "plan the process", detail: error.message + (error.row.isEmpty ? "" : " [\(error.row)]"), place: place(error.origin),
                hint: error.hint.isEmpty ? nil : error.hint)
        }
        for warning in launch.warnings { remarks.append(warning.message) }
        self.config = config
        self.remarks = remarks
    }
}

/// The document that a process comes from: the container's config, or the one that `--process` names.
private struct ProcessSource {
    let process: Process
    let document: JSONDocument
    let file: String
    /// Whether it is the config.
    let isOfConfig: Bool
    private(set) var remarks: [String] = []
    private let findings: [Diagnostic]

    init(_ request: ExecRequest, _ container: borrowing JoinedContainer) throws(Failure) {
        guard let path = request.processFile else {
            guard let process = container.config.process else {
                throw Failure("run a process", detail: "the container's config has none to begin with", hint: "give --process FILE")
            }
            self.process = process
            document = container.document
            file = "config.json"
            isOfConfig = true
            findings = []
            return
        }
        file = path == "-" ? "standard input" : path
        isOfConfig = false
        let text = try readDocument(path, "read the process")
        do throws(JSONDocument.SyntaxError) { document = try JSONDocument(text) } catch {
            throw Failure(problems: [Diagnostic(error).rendered(file: file, document: nil)])
        }
        let (process, findings) = Process.decode(document)
        self.process = process.completed(from: container.config.process)
        self.findings = findings
        for finding in findings where finding.severity == .warning { remarks.append(finding.unmarked(file: file, document: document)) }
    }

    /// Refuses a process that makes no sense, with all problems at once.
    func check(_ process: Process, _ linux: Linux) throws(Failure) {
        let problems = (findings + process.validate(linux: linux)).filter { $0.severity == .error }
        if problems.isEmpty { return }
        throw Failure(problems: problems.map { $0.rendered(file: file, document: document) })
    }

    func place(_ origin: Origin) -> Failure.Place? {
        if origin == .none { return nil }
        let (line, column) = document.position(of: origin)
        return Failure.Place(file: file, pointer: document.pointer(of: origin), line: line, column: column)
    }
}

extension ExecRequest {
    /// The options, checked, with the user found.
    fileprivate func options(
        _ base: User, _ container: borrowing JoinedContainer, _ remarks: inout [String]
    ) throws(Failure) -> ProcessOptions {
        var options = ProcessOptions()
        options.arguments = arguments
        options.cwd = cwd
        options.environment = environment
        options.hasTerminal = hasTerminal
        options.noNewPrivileges = noNewPrivileges
        options.appArmorProfile = appArmorProfile
        options.processLabel = processLabel
        if let user { options.user = try container.user(UserOption(user), base: base) }
        for text in additionalGroups {
            guard let gid = userOrGroupNumber(text) else {
                throw Failure("take the group", text, detail: "ids are numbers from 0 to 4294967294", kind: .usage)
            }
            options.additionalGroups.append(gid)
        }
        var unknown: [String] = []
        for name in capabilities {
            if let capability = Capability(name: name) {
                options.capabilities.insert(CapabilitySet(capability))
            } else {
                unknown.append(name)
            }
        }
        if !unknown.isEmpty { remarks.append("ignoring unknown or unavailable capabilities: [\(unknown.joined(separator: " "))]") }
        return options
    }

    /// What planning has to know.
    fileprivate func facts(
        _ config: Config, _ container: borrowing JoinedContainer, _ store: StateStore, _ place: (Origin) -> Failure.Place?
    ) throws(Failure) -> PlanningFacts {
        var facts = PlanningFacts(bundle: container.record.bundle, containerID: id.name, rootfsPath: container.record.rootfs)
        facts.preservedDescriptors = preservedDescriptors
        facts.capabilitiesHeld = try Preparation.capabilitiesHeld(config)
        facts.setgroupsDenied = container.setgroupsDenied
        if config.process?.selinuxLabel != nil { facts.isSELinuxEnabled = try Preparation.isSELinuxEnabled() }
        if config.process?.apparmorProfile != nil { facts.hasAppArmor = Preparation.hasAppArmor }
        if let seccomp = config.linux.seccomp {
            // The text of the container's own config: create has compiled it, and the cache has it by its text.
            let source = container.document.bytes(of: container.config.linux.seccomp?.origin ?? .none)
            let program = try cachedSeccomp(seccomp, source: source, store: store, place: place)
            facts.seccompProgram = PlanningFacts.SeccompProgram(bytes: program.instructions, flags: program.flags)
        }
        return facts
    }
}

extension JoinedContainer {
    /// The user of an option; names are looked up in the container's own files, by paths that do not leave it.
    fileprivate borrowing func user(_ option: UserOption, base: User) throws(Failure) -> User {
        var accounts = Accounts()
        if option.hasName {
            accounts.users = try text(of: "/etc/passwd")
            accounts.groups = try text(of: "/etc/group")
        }
        return try accounts.user(option, config: base)
    }

    /// The text of a regular file of the container's; of a missing one none.
    private borrowing func text(of path: String) throws(Failure) -> String {
        let root = RootDirectory(root.number)
        do throws(Errno) {
            let file = OwnedFD(
                try path.withPath { path throws(Errno) in
                    try root.resolve(path, [.read, .nonBlocking, .noControllingTerminal]).release()
                })
            guard try FileStatus.of(at: file.number).isRegular else { return "" }
            return String(decoding: try file.readAll(limit: 1 << 20), as: UTF8.self)
        } catch {
            if error == .noEntry { return "" }
            throw Failure("read the container's file", path, errno: error)
        }
    }
}

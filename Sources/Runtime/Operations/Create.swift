/// The create operation: from a bundle to a process that waits for start.
///
/// First everything is decided, then what will be made is written down, then it is made. Whatever dies in between, `delete` finds the
/// record of it. Source: runtime.md#create; rows OP-02, LC-01 to LC-05, LC-15.

import CLinux
import Cgroups
public import Linux
import Plan
import Spec

/// A container that waits for start.
public struct CreatedContainer: ~Copyable {
    /// Its first process.
    public let process: ProcessIdentity
    /// The other end of its terminal, where no console socket took it.
    public let console: OwnedFD?
    /// What people should know though it stopped nothing.
    public let remarks: [String]

    /// The number of ``console``, -1 for none.
    var consoleNumber: Int32 {
        switch console {
        case .some(let console): console.raw
        case nil: -1
        }
    }
}

/// Creates a container.
///
/// - Throws: The reason; nothing is left of the container then.
public func createContainer(_ request: CreateRequest, store: StateStore) throws(Failure) -> CreatedContainer {
    let bundle = try Bundle(request.bundle, config: request.config)
    try checkTerminal(bundle.config.process?.terminal ?? false, socket: request.consoleSocket, isDetached: request.isDetached)
    let options = try request.launchOptions()
    let joined = try JoinedNamespaces(bundle.config, place: bundle.place)
    let preparation = try Preparation(
        bundle, id: request.id, options: options, store: store,
        descriptors: joined.joined.map { PlanningFacts.JoinedNamespace(type: $0.type, descriptor: UInt32($0.descriptor)) })

    let resctrl = try openResctrl(preparation.launch.resctrl, bundle)

    var entry = try store.reserve(request.id)
    var record = Record(bundle, request.id, preparation.cgroup)
    if let resctrl, let plan = preparation.launch.resctrl { record.resctrl = ResctrlRecord(plan, root: resctrl.root) }
    if !record.cgroup.paths.isEmpty && record.cgroup.scope == nil { record.cgroup.owner = entry.realPath }
    do throws(Failure) {
        try entry.saveConfig(bundle.text)
        try entry.writeIntent(record)
        return try launch(request, options, bundle, preparation, joined, resctrl, &entry, &record)
    } catch {
        undo(&entry, record, store)
        throw error
    }
}

/// Makes what the plan says.
private func launch(
    _ request: CreateRequest, _ options: LaunchOptions, _ bundle: Bundle, _ preparation: Preparation,
    _ joined: borrowing JoinedNamespaces, _ resctrl: Resctrl?, _ entry: inout Entry, _ record: inout Record
) throws(Failure) -> CreatedContainer {
    let startSocket = try entry.listenForStart()
    if let cgroup = preparation.cgroup, cgroup.scope == nil {
        do throws(CgroupError) {
            try Cgroup.make(preparation.launch.isStaged ? cgroup.withRoomForStage : cgroup, &record.cgroup)
            record.cgroup = try record.cgroup.identified()
        } catch { throw Failure(error, place: bundle.place(of: error.origin)) }
    }
    if let resctrl, let plan = preparation.launch.resctrl { try resctrl.make(plan) }
    let launcher = Launcher(launch: preparation.launch, options: options, place: bundle.place)
    // A scope is made around a process: it is born outside and waits.
    let isBornInside = preparation.cgroup != nil && preparation.cgroup?.scope == nil
    let started = try launcher.start(startSocket: startSocket, joined: joined, cgroup: isBornInside ? record.cgroup : nil)
    var handshake = Handshake(started, preparation.launch, of: bundle, place: bundle.place)
    let devices = NetworkDevices(preparation.launch.netDevices, place: bundle.place)
    do throws(Failure) {
        if let cgroup = preparation.cgroup, let scope = cgroup.scope {
            do throws(CgroupError) {
                try Cgroup.make(cgroup, scope, around: handshake.initPID)
                record.cgroup = try record.cgroup.identified()
            } catch { throw Failure(error, place: bundle.place(of: error.origin)) }
        }
        try handshake.run(devices: devices) { () throws(Failure) in
            guard let cgroup = preparation.cgroup, cgroup.scope == nil else { return }
            do throws(CgroupError) { try Cgroup.limitProcesses(cgroup) } catch {
                throw Failure(error, place: bundle.place(of: error.origin))
            }
        } runHooks: { pid, pidfd throws(Failure) in
            // From here on the create may hang in a hook, or die: who deletes the container must know whom to end, and what answers the hooks.
            record.hasPoststop = !bundle.config.hooks.poststop.isEmpty
            try record.note(process: pid)
            try entry.commit(record)
            try runCreationHooks(of: bundle, request.id, pid: pid, pidfd: pidfd)
        }
        if let resctrl, let plan = preparation.launch.resctrl {
            try resctrl.place(handshake.initPID, plan)
            if handshake.payloadPID != handshake.initPID { try resctrl.place(handshake.payloadPID, plan) }
        }
        var console = handshake.takeConsole()
        if let socket = request.consoleSocket, let terminal = console.take() { try sendConsole(terminal, to: socket) }
        record.hasPoststop = !bundle.config.hooks.poststop.isEmpty
        try record.complete(process: handshake.initPID, payload: handshake.payloadPID)
        try entry.commit(record)
        if let file = request.pidFile { try writePIDFile(file, handshake.initPID) }
        for socket in request.pidfdReceivers(bundle.config) { try sendProcess(handshake.initProcess, to: socket, word: "standard") }
        try handshake.commit()
        return CreatedContainer(process: record.process, console: console, remarks: preparation.remarks + handshake.remarks)
    } catch {
        // Before the last process goes: a network namespace takes its virtual devices with it.
        devices.putBack()
        handshake.kill()
        record.hasPoststop = handshake.hasReachedHooks && !bundle.config.hooks.poststop.isEmpty
        throw error
    }
}

/// Finds the resctrl tree where the config asks for one, and sees whether it can have what it asks for.
func openResctrl(_ plan: ResctrlPlan?, _ bundle: Bundle) throws(Failure) -> Resctrl? {
    guard let plan else { return nil }
    let resctrl = try Resctrl(finding: plan.origin, place: bundle.place)
    try resctrl.check(plan)
    return resctrl
}

/// Takes back what was made.
///
/// What was there before stays.
private func undo(_ entry: inout Entry, _ record: Record, _ store: StateStore) {
    // The failure that led here is the one to tell. What cannot be removed keeps its record, so that delete can try again.
    _ = try? store.destroy(entry, record)
}

/// Runs the hooks of the runtime's namespaces (LC-03, LC-04).
func runCreationHooks(of bundle: Bundle, _ id: ContainerID, pid: Int32, pidfd: Int32) throws(Failure) {
    let state = HookState(id: id.name, bundle: bundle.path, rootfs: bundle.rootfs, annotations: bundle.config.annotations)
        .document(status: ContainerStatus.creating.name, pid: pid)
    let hooks = bundle.config.hooks
    try runRuntimeHooks(hooks.prestart, kind: .prestart, state: state, bundle: bundle.path, until: pidfd)
    try runRuntimeHooks(hooks.createRuntime, kind: .createRuntime, state: state, bundle: bundle.path, until: pidfd)
}

extension Record {
    /// The record of what is about to be made.
    init(_ bundle: Bundle, _ id: ContainerID, _ cgroup: CgroupPlan?) {
        self.init(id: id, bundle: bundle.path)
        rootfs = bundle.rootfs
        created = Timestamp.now().text
        annotations = bundle.config.annotations
        if let cgroup { self.cgroup = cgroup.record() }
        let namespace = bundle.config.linux.namespace(.pid)
        ownsPIDNamespace = namespace != nil && namespace?.path == nil
        hasProcess = bundle.config.process != nil
        hasPoststart = !bundle.config.hooks.poststart.isEmpty
    }

    /// Notes the processes: the container stands.
    mutating func complete(process: Int32, payload: Int32) throws(Failure) {
        try note(process: process)
        do throws(Errno) {
            self.payload = payload == process ? self.process : try ProcessIdentity(of: payload)
        } catch {
            throw Failure("look at the container's processes", "\(payload)", errno: error)
        }
        intent = .created
    }

    /// Notes the first process.
    mutating func note(process: Int32) throws(Failure) {
        do throws(Errno) {
            self.process = try ProcessIdentity(of: process)
            bootID = try currentBootID()
        } catch {
            throw Failure("look at the container's processes", "\(process)", errno: error)
        }
    }
}

extension Entry {
    /// Makes the socket on which the container waits for start.
    fileprivate func listenForStart() throws(Failure) -> OwnedFD {
        do throws(Errno) {
            return OwnedFD(
                try "/proc/self/fd/\(directory.raw)/\(File.start)".withPath { path throws(Errno) in
                    try listenForPackets(path: path).release()
                })
        } catch {
            throw Failure("make the start socket", "\(path)/\(File.start)", errno: error)
        }
    }
}

extension CreateRequest {
    /// The sockets that take a pidfd of the container: the option's, and that of crun's annotation (CLI-07).
    fileprivate func pidfdReceivers(_ config: Config) -> [String] {
        let annotated = config.annotation(.pidfdReceiver)
        return [pidfdSocket, annotated].compactMap { $0 }.filter { !$0.isEmpty }
    }

    /// The options of a launch that passes nothing on.
    func options() -> LaunchOptions {
        var options = LaunchOptions()
        options.explains = explains
        options.take(self)
        return options
    }

    /// The options of the launch; every descriptor that the payload is to get must be open.
    fileprivate func launchOptions() throws(Failure) -> LaunchOptions {
        var options = LaunchOptions()
        options.noPivot = noPivot
        options.explains = explains
        options.noNewKeyring = noNewKeyring
        options.take(self)
        options.notifySocket = notifySocket
        options.preservedDescriptors = preservedDescriptors + listenDescriptors
        if listenDescriptors > 0 {
            options.listenEnvironment = ["LISTEN_FDS=\(listenDescriptors)"] + (listenNames.map { ["LISTEN_FDNAMES=\($0)"] } ?? [])
        }
        try passDescriptors(options.preservedDescriptors)
        return options
    }
}

extension LaunchOptions {
    /// Takes over what the cgroup's manager is found by.
    fileprivate mutating func take(_ request: CreateRequest) {
        cgroupManager = request.cgroupManager
        isRootless = request.isRootless
        runtimeDirectory = request.runtimeDirectory
        sessionBus = request.sessionBus
    }
}

/// What `swoci plan` prints: the steps of a create and a start in their order, each with its config line.
public func describePlan(_ request: CreateRequest) throws(Failure) -> [String] {
    let bundle = try Bundle(request.bundle, config: request.config)
    var options = LaunchOptions()
    options.take(request)
    let joined = bundle.config.linux.namespaces.filter { $0.path != nil }
        .map { PlanningFacts.JoinedNamespace(type: $0.type, descriptor: 0) }
    let preparation = try Preparation(bundle, id: request.id, options: options, store: nil, descriptors: joined)
    return preparation.described(bundle)
}

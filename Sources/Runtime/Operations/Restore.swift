/// The restore operation: a container is made again from what `checkpoint` wrote.
///
/// It goes as create does: all is decided, what will be made is written down, then it is made. What the init does on a create, criu does
/// here: it makes the namespaces, mounts and processes as they were; cgroup, hooks and the sources of mounts are those of the bundle.
/// Source: decision 016; row CLI-14.

import CLinux
import Cgroups
import Linux
import Spec

/// Restores a container.
///
/// - Throws: The reason; nothing is left of the container then.
public func restoreContainer(_ request: RestoreRequest, store: StateStore) throws(Failure) -> CreatedContainer {
    let create = request.create
    let bundle = try Bundle(create.bundle)
    try checkTerminal(bundle.config.process?.terminal ?? false, socket: create.consoleSocket, isDetached: create.isDetached)
    try checkCallerOfCriu("restore the container", create.id)
    let program = try request.settings.program.find()
    let configFile = try criuConfigFile(bundle.config)
    let directories = try CriuDirectories(request.settings, logFile: "restore.log", isNew: false)
    let checkpoint = try readCheckpoint(directories, request.settings.imagePath)
    try passDescriptors(create.preservedDescriptors)
    let joined = try JoinedNamespaces(bundle.config, place: bundle.place)
    let preparation = try Preparation(
        bundle, id: create.id, options: create.options(), store: store,
        descriptors: joined.joined.map { .init(type: $0.type, descriptor: UInt32($0.descriptor)) })
    let files = try RestoreFiles(checkpoint, joined: joined, preserved: create.preservedDescriptors)
    let resctrl = try openResctrl(preparation.launch.resctrl, bundle)

    var entry = try store.reserve(create.id)
    var record = Record(bundle, create.id, preparation.cgroup)
    if let resctrl, let plan = preparation.launch.resctrl { record.resctrl = ResctrlRecord(plan, root: resctrl.root) }
    if !record.cgroup.paths.isEmpty && record.cgroup.scope == nil { record.cgroup.owner = entry.realPath }
    let devices = NetworkDevices(preparation.launch.netDevices, place: bundle.place)
    do throws(Failure) {
        try entry.saveConfig(bundle.text)
        try entry.writeIntent(record)
        let restore = Restore(
            request: request, bundle: bundle, preparation: preparation, checkpoint: checkpoint, configFile: configFile,
            resctrl: resctrl, devices: devices)
        let console = try restore.run(program, directories, files, &entry, &record)
        return CreatedContainer(
            process: record.process, console: console >= 0 ? OwnedFD(console) : nil, remarks: preparation.remarks)
    } catch {
        // Before the last process goes: a network namespace takes its virtual devices with it.
        devices.putBack()
        _ = try? store.destroy(entry, record)
        throw error
    }
}

/// Reads what `checkpoint` kept beside criu's images.
private func readCheckpoint(_ directories: borrowing CriuDirectories, _ path: String) throws(Failure) -> CheckpointRecord {
    let text: [UInt8]
    do throws(Errno) {
        text = try OwnedFD.open(CheckpointRecord.file, [.read, .nonBlocking], at: directories.images.number).readAll()
    } catch {
        throw Failure(
            "read the checkpoint", "\(path)/\(CheckpointRecord.file)", errno: error,
            hint: "only a checkpoint that swoci has finished can be restored")
    }
    guard let record = CheckpointRecord(text) else {
        throw Failure("read the checkpoint", "\(path)/\(CheckpointRecord.file)", detail: "it is not of the known form")
    }
    return record
}

/// A restore that is at work.
private struct Restore {
    let request: RestoreRequest
    let bundle: Bundle
    let preparation: Preparation
    let checkpoint: CheckpointRecord
    let configFile: String?
    let resctrl: Resctrl?
    let devices: NetworkDevices

    /// Makes what was decided.
    ///
    /// - Returns: The other end of the container's terminal, where nobody else took it; -1 for none.
    func run(
        _ program: String, _ directories: borrowing CriuDirectories, _ files: borrowing RestoreFiles, _ entry: inout Entry,
        _ record: inout Record
    ) throws(Failure) -> Int32 {
        if let cgroup = preparation.cgroup, cgroup.scope == nil {
            do throws(CgroupError) {
                try Cgroup.make(cgroup, &record.cgroup)
                record.cgroup = try record.cgroup.identified()
            } catch { throw Failure(error, place: bundle.place(of: error.origin)) }
        }
        if let resctrl, let plan = preparation.launch.resctrl { try resctrl.make(plan) }
        let criu = try start(program, directories, inheriting: files.named.map { $0.value }, record)
        var console: Int32 = -1
        var response: CriuResponse?
        do throws(Failure) {
            try requireVersion(criu)
            if let cgroup = preparation.cgroup, let scope = cgroup.scope {
                do throws(CgroupError) {
                    try Cgroup.make(cgroup, scope, around: criu.pid)
                    record.cgroup = try record.cgroup.identified()
                } catch { throw Failure(error, place: bundle.place(of: error.origin)) }
            }
            let options = try self.options(criu.pid, directories, files, record)
            response = try criu.ask(CriuRequestKind.restore.request(options)) { response, descriptor throws(Failure) in
                switch response.stage {
                case .setUpNamespaces: try setUp(response.pid, &entry, &record)
                case .orphanTerminal: console = try hand(over: descriptor)
                case .postRestore: try complete(response.pid, &entry, &record)
                default: break
                }
            }
        } catch {
            criu.kill()
            if error.operation != CriuProcess.operation { throw error }
            throw directories.failure("restore the container", request.create.id, criu, response, error)
        }
        criu.awaitEnd()
        guard let response, response.isSuccess else {
            throw directories.failure("restore the container", request.create.id, criu, response, nil)
        }
        return console
    }

    /// Starts criu in the container's cgroups, where what it restores is born.
    private func start(
        _ program: String, _ directories: borrowing CriuDirectories, inheriting files: [Int32], _ record: Record
    ) throws(Failure) -> CriuProcess {
        let root = RestoreRoot(bundle.config, path: bundle.rootfs, bundle: bundle.path)
        let inside = preparation.cgroup?.scope == nil ? record.cgroup : CgroupRecord()
        let entrance = try open(inside)
        var options = CloneOptions()
        options.cgroup = try openUnified(inside)
        defer { kernelIgnoringFailure(__NR_close, Int(options.cgroup)) }
        return try CriuProcess(program, in: [directories.images.raw, directories.work.raw], inheriting: files, options) {
            object throws(Errno) in
            if let refused = entrance.enter() {
                object = entrance.path(of: refused.index)
                throw refused.errno
            }
            try root.prepare(&object)
        }
    }

    /// The way into the v1 hierarchies, which criu's process takes by itself.
    private func open(_ cgroup: CgroupRecord) throws(Failure) -> CgroupEntrance {
        do throws(CgroupError) { return try CgroupEntrance(cgroup, skippingUnified: true) } catch { throw Failure(error) }
    }

    /// The cgroup v2 directory to be born into, for the caller to close; -1 for none.
    private func openUnified(_ cgroup: CgroupRecord) throws(Failure) -> Int32 {
        do throws(CgroupError) { return try Cgroup.unifiedDirectory(cgroup)?.release() ?? -1 } catch { throw Failure(error) }
    }

    /// What criu is told.
    private func options(
        _ criu: Int32, _ directories: borrowing CriuDirectories, _ files: borrowing RestoreFiles, _ record: Record
    ) throws(Failure) -> CriuOptions {
        let listing = "/proc/\(criu)/cgroup"
        let text = try Failure.during("look at criu's cgroups", listing) { () throws(Errno) in try readText(listing) }
        let layout = try? CgroupLayout.detect()
        var options = try restoreOptions(
            request, bundle.config, checkpoint, root: RestoreRoot.mountPoint, images: directories.images.raw, work: directories.work.raw,
            configFile: configFile)
        options.cgroupRoots = cgroupRoots(text)
        if record.cgroup.paths.isEmpty { options.cgroupMode = .ignore }
        options.inherited = files.named
        options.ignoresPermissions = files.ignoresPermissions
        options.mounts = try outsideSources(checkpoint.mounts, bundle.config, bundle: bundle.path) { controller in
            record.cgroup.directory(of: controller, layout)
        }
        return options
    }

    /// The first process and its namespaces are there: what a create does at this point.
    private func setUp(_ pid: Int32, _ entry: inout Entry, _ record: inout Record) throws(Failure) {
        // From here on the restore may hang in a hook: who deletes the container must know whom to end.
        try record.note(process: pid)
        record.hasPoststop = !bundle.config.hooks.poststop.isEmpty
        try entry.commit(record)
        try devices.move(toNamespaceOf: pid)
        let process = try Failure.during("look at the restored process", "\(pid)") { () throws(Errno) in try openProcess(pid) }
        try runCreationHooks(of: bundle, request.create.id, pid: pid, pidfd: process.raw)
    }

    /// Hands the terminal's other end to who is to have it, or keeps it.
    private func hand(over descriptor: Int32) throws(Failure) -> Int32 {
        guard descriptor >= 0 else { return -1 }
        guard let socket = request.create.consoleSocket else { return descriptor }
        try sendConsole(OwnedFD(descriptor), to: socket)
        return -1
    }

    /// All processes are there, and stand still: the container is recorded before they go on.
    private func complete(_ pid: Int32, _ entry: inout Entry, _ record: inout Record) throws(Failure) {
        let payload = try Failure.during("find the restored payload", "\(pid)") { () throws(Errno) in
            try findPayload(checkpoint.payload, below: pid)
        }
        if let resctrl, let plan = preparation.launch.resctrl {
            for process in Set([pid, payload]) { try resctrl.place(process, plan) }
        }
        try record.complete(process: pid, payload: payload)
        try entry.commit(record)
        if let file = request.create.pidFile { try writePIDFile(file, pid) }
    }
}

/// What criu is told for a restore, as far as options and config say it.
func restoreOptions(
    _ request: RestoreRequest, _ config: Config, _ checkpoint: CheckpointRecord, root: String, images: Int32, work: Int32,
    configFile: String?
) throws(Failure) -> CriuOptions {
    var options = CriuOptions(imageDirectory: images, workDirectory: work, logFile: "restore.log", root: root)
    options.take(request.settings)
    options.isRestore = true
    options.tcpClose = request.tcpClose
    options.lsmProfile = request.lsmProfile
    options.lsmMountContext = request.lsmMountContext
    options.emptiesNetwork = checkpoint.emptiesNetwork || config.emptiesNetwork(asked: request.settings.emptiesNetwork)
    options.configFile = configFile
    for namespace in config.linux.namespaces where ![.network, .pid].contains(namespace.type) {
        guard let path = namespace.path else { continue }
        if namespace.type == .cgroup {
            throw Failure("restore the container", path.value, detail: "criu cannot join a cgroup namespace")
        }
        options.joined.append(CriuOptions.Named(namespace.type.fileName, path.value))
    }
    return options
}

/// The cgroup of each hierarchy, out of a /proc/PID/cgroup.
///
/// - Source: cgroups(7).
func cgroupRoots(_ listing: String) -> [CriuOptions.Named<String>] {
    listing.split(separator: "\n").compactMap { line in
        let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count == 3 ? CriuOptions.Named(String(parts[1]), String(parts[2])) : nil
    }
}

/// The process that has an id in the container's PID namespace: its first process, or a child of that.
private func findPayload(_ id: Int32, below first: Int32) throws(Errno) -> Int32 {
    let children = try readText("/proc/\(first)/task/\(first)/children").split(separator: " ").compactMap { Int32($0) }
    for pid in [first] + children where innermostPID(try readText("/proc/\(pid)/status")) == id { return pid }
    throw .noProcess
}

extension CgroupRecord {
    /// The directory in the hierarchy of a controller or of a name ("name=..."); with none, in cgroup v2.
    fileprivate func directory(of controller: String, _ layout: CgroupLayout?) -> String? {
        if controller.isEmpty { return unified }
        let name = controller.utf8.starts(with: "name=".utf8) ? "/" + controller.dropFirst(5) : nil
        let hierarchy = layout?.hierarchies.first { hierarchy in
            if let name { return hierarchy.mountPoint.utf8.reversed().starts(with: name.utf8.reversed()) }
            return hierarchy.controllers.contains(controller)
        }
        guard let hierarchy else { return nil }
        return paths.first { $0.utf8.starts(with: (hierarchy.mountPoint + "/").utf8) }
    }
}

/// The checkpoint operation: criu writes a container's processes to files, from which `restore` makes them again.
///
/// Source: decision 016; row CLI-14.

import CLinux
import Cgroups
import Linux
import Spec

extension StateStore {
    /// Checkpoints a container that runs or is paused; unless it is to go on, it is deleted then.
    ///
    /// After a failure it goes on as before.
    /// - Returns: Remarks on poststop hooks that failed.
    public func checkpoint(_ request: CheckpointRequest) throws(Failure) -> [String] {
        let id = request.id
        var entry = try find(id)
        guard try entry.lock(within: 10_000) else {
            throw Failure("checkpoint the container", id.name, detail: "another call has been at work on it for 10 seconds")
        }
        guard try entry.isCurrent() else { throw Failure("checkpoint the container", id.name, kind: .notFound) }
        let record = try entry.readRecord()
        let status = try entry.status(record)
        guard let record, status == .running || status == .paused else {
            throw Failure("checkpoint the container", id.name, detail: "it cannot be checkpointed in \(status.name) state")
        }
        try checkCallerOfCriu("checkpoint the container", id)
        let program = try request.settings.program.find()
        try request.check()
        let text = try entry.readConfig()
        guard let document = try? JSONDocument(text) else {
            throw Failure("checkpoint the container", id.name, detail: "its config is gone")
        }
        let config = Config.decode(document).config
        try refuseSupervisedTerminal(record, config)
        let configFile = try criuConfigFile(config)
        let survey = try ContainerSurvey(record, config, emptiesNetwork: request.settings.emptiesNetwork)
        let directories = try CriuDirectories(request.settings, logFile: "dump.log", isNew: true)
        do throws(Failure) { try request.checkParent() } catch {
            directories.removeIfEmpty()
            throw error
        }
        do throws(Failure) {
            try request.dump(record, config, survey, program, configFile, directories)
        } catch {
            // criu thaws what it froze, unless it was killed.
            if status == .running, record.isPaused { try? Cgroup.thaw(record.cgroup) }
            directories.removeIfEmpty()
            throw error
        }
        if request.leavesRunning || request.isPreDump { return [] }
        return try destroy(entry, record)
    }
}

/// Refuses a terminal that criu could not restore: it looks for the terminal's session where the first process has it open, which is the
/// payload's session only if the payload is the first process.
private func refuseSupervisedTerminal(_ record: Record, _ config: Config) throws(Failure) {
    guard config.process?.terminal ?? false, record.payload != record.process else { return }
    throw Failure(
        "checkpoint the container", record.id.name, detail: "criu cannot restore a terminal whose payload has the init as its supervisor",
        hint: "create it with the annotation org.swoci.init=exec")
}

/// Refuses callers for whom criu could not do its work.
func checkCallerOfCriu(_ operation: String, _ id: ContainerID) throws(Failure) {
    guard try Caller.current().ownsHost else {
        throw Failure(operation, id.name, detail: "criu needs root of the host, in no user namespace")
    }
}

extension CheckpointRequest {
    /// Refuses options that make no sense, before anything is made.
    fileprivate func check() throws(Failure) {
        if let parentPath, parentPath.utf8.first == UInt8(ascii: "/") {
            throw Failure("use --parent-path", parentPath, detail: "--parent-path must be relative to --image-path", kind: .usage)
        }
        guard let statusDescriptor else { return }
        do throws(Errno) {
            let flags = try kernel(__NR_fcntl, Int(statusDescriptor), Int(F_GETFL))
            if flags & Int(O_ACCMODE) == Int(O_RDONLY) { throw Errno.badDescriptor }
        } catch {
            throw Failure("use --status-fd", "\(statusDescriptor)", detail: "no descriptor that can be written to", kind: .usage)
        }
    }

    /// Refuses a parent that is not there.
    fileprivate func checkParent() throws(Failure) {
        guard let parentPath else { return }
        let path = "\(settings.imagePath)/\(parentPath)"
        do throws(Errno) { _ = try OwnedFD.open(path, [.path, .directory]) } catch {
            throw Failure("use --parent-path", path, detail: "invalid --parent-path", errno: error, kind: .usage)
        }
    }

    /// Has criu dump the container.
    fileprivate func dump(
        _ record: Record, _ config: Config, _ survey: ContainerSurvey, _ program: String, _ configFile: String?,
        _ directories: borrowing CriuDirectories
    ) throws(Failure) {
        let criu = try CriuProcess(program, in: [directories.images.raw, directories.work.raw], inheriting: [])
        let options = dumpOptions(
            self, record, config, survey, images: directories.images.raw, work: directories.work.raw,
            configFile: configFile)
        let images = directories.images.raw
        var response: CriuResponse?
        do throws(Failure) {
            try requireVersion(criu)
            let kind = isPreDump ? CriuRequestKind.preDump : .dump
            response = try criu.ask(kind.request(options)) { response, _ throws(Failure) in
                switch response.stage {
                case .postDump: try keep(survey.record, in: images)
                case .statusReady: tellStatus()
                default: break
                }
            }
        } catch {
            criu.kill()
            if error.operation != CriuProcess.operation { throw error }
            throw directories.failure("checkpoint the container", id, criu, response, error)
        }
        criu.awaitEnd()
        if let response, response.isSuccess { return }
        throw directories.failure("checkpoint the container", id, criu, response, nil)
    }

    /// Tells who waits for it that pages can be asked for.
    private func tellStatus() {
        guard let statusDescriptor else { return }
        var zero: UInt8 = 0
        withUnsafeMutablePointer(to: &zero) { kernelIgnoringFailure(__NR_write, Int(statusDescriptor), Int(bitPattern: $0), 1) }
        kernelIgnoringFailure(__NR_close, Int(statusDescriptor))
    }
}

/// The oldest criu that has what is asked of it: external namespaces, and the terminal's other end.
func requireVersion(_ criu: borrowing CriuProcess) throws(Failure) {
    let response = try criu.ask(CriuRequestKind.version.request(keepsOpen: true))
    guard response.isSuccess, response.version >= 31500 else {
        throw Failure("use criu", detail: "it is older than 3.15")
    }
}

/// Completes the images while the processes still stand, and writes what the runtime needs to know of them.
private func keep(_ record: CheckpointRecord, in images: Int32) throws(Failure) {
    let directory = Int(images)
    if let key = record.program {
        let (memory, files) = try Failure.during("read criu's images") { () throws(Errno) in
            (
                try OwnedFD.open("mm-1.img", [.read, .noFollow], at: directory).readAll(),
                try OwnedFD.open("files.img", [.read, .noFollow], at: directory).readAll()
            )
        }
        guard let entry = CriuImages.programEntry(memory: memory, files: files, key: key) else {
            throw Failure("read criu's images", detail: "mm-1.img and files.img are not of the known form")
        }
        try Failure.during("complete criu's images", "files.img") { () throws(Errno) in
            try OwnedFD.open("files.img", [.write, .append, .noFollow], at: directory).writeAll(entry)
        }
    }
    try Failure.during("write", CheckpointRecord.file) { () throws(Errno) in
        try OwnedFD.open(CheckpointRecord.file, [.write, .create, .truncate, .noFollow], at: directory, mode: 0o600)
            .writeAll(record.encoded)
    }
}

/// The file of options that count more than those of the command line: the annotation's, none where that is empty, and else the first
/// that is there of swoci's and runc's.
///
/// Such a file can name commands that criu runs as root, and users set annotations: only the administrator's directory counts.
func criuConfigFile(_ config: Config) throws(Failure) -> String? {
    if let named = config.annotation(.criuConfig) {
        if named.isEmpty { return nil }
        guard named.utf8.starts(with: "/etc/criu/".utf8), cleanPath(named) == named else {
            throw Failure(
                "use the annotation \(KnownAnnotation.criuConfig.rawValue)", named, detail: "it names no file of /etc/criu",
                hint: "options for criu may name commands, so only files of that directory are taken")
        }
        return named
    }
    for path in ["/etc/criu/swoci.conf", "/etc/criu/runc.conf"] where (try? OwnedFD.open(path, .path)) != nil { return path }
    return nil
}

/// What criu is told for a dump.
func dumpOptions(
    _ request: CheckpointRequest, _ record: Record, _ config: Config, _ survey: ContainerSurvey, images: Int32, work: Int32,
    configFile: String?
) -> CriuOptions {
    var options = CriuOptions(imageDirectory: images, workDirectory: work, logFile: "dump.log", root: record.rootfs)
    options.take(request.settings)
    options.pid = record.process.pid
    options.leavesRunning = request.leavesRunning
    options.tcpSkipInFlight = request.tcpSkipInFlight
    options.linkRemap = request.linkRemap
    options.parentImages = request.parentPath
    options.pageServer = request.pageServer
    options.freezeCgroup = record.cgroup.freezer ?? record.cgroup.unified
    if record.cgroup.paths.isEmpty { options.cgroupMode = .ignore }
    options.emptiesNetwork = survey.record.emptiesNetwork
    options.externals = survey.externals
    options.configFile = configFile
    if !request.isPreDump { options.mounts = survey.record.mounts.map { CriuOptions.Named($0.key, $0.key) } }
    return options
}

extension CriuOptions {
    /// Takes over what checkpoint and restore have in common.
    mutating func take(_ settings: CriuSettings) {
        tcpEstablished = settings.tcpEstablished
        extUnixSockets = settings.extUnixSockets
        shellJob = settings.shellJob
        fileLocks = settings.fileLocks
        lazyPages = settings.lazyPages
        autoDedup = settings.autoDedup
        cgroupMode = settings.cgroupMode
        locksByNftables = settings.program.locksByNftables
    }
}

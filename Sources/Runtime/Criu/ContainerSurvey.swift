/// A running container, looked at for what of it is not its own: what criu has to be told of.

import CLinux
import Linux
import Spec

/// What a checkpoint has to know of a container.
struct ContainerSurvey {
    /// What is kept for the restore.
    var record = CheckpointRecord()
    /// The namespaces and files that come from outside, as criu's options name them.
    var externals: [String] = []

    init() {}

    /// Looks at a container whose first process lives.
    init(_ container: Record, _ config: Config, emptiesNetwork: Bool) throws(Failure) {
        let directory = "/proc/\(container.process.pid)"
        let text = try Failure.during("look at the container's mounts", directory) { () throws(Errno) in
            try OwnedFD.open("\(directory)/mountinfo", .read).readAll()
        }
        let table = ContainerMount.table(String(decoding: text, as: UTF8.self))
        if let mount = mountThatCannotBeRestored(table) {
            throw Failure("checkpoint the mount", mount.point, detail: "criu cannot restore id-mapped mounts")
        }
        let root = try Failure.during("open the container's root", directory) { () throws(Errno) in
            try OwnedFD.open("\(directory)/root", [.path, .directory])
        }
        record.emptiesNetwork = config.emptiesNetwork(asked: emptiesNetwork)
        record.mounts = outsideMounts(
            table, ContainerSurvey.paths(config, below: root), hasCgroupNamespace: config.linux.namespace(.cgroup) != nil)
        for namespace in config.linux.namespaces where [.network, .pid].contains(namespace.type) {
            guard namespace.path != nil else { continue }
            let file = "\(directory)/ns/\(namespace.type.fileName)"
            let inode = try Failure.during("look at the namespace", file) { () throws(Errno) in
                try file.withPath { path throws(Errno) in try FileStatus.of(path, at: workingDirectory, follow: true) }.inode
            }
            externals.append("\(namespace.type.fileName)[\(inode)]:\(namespace.type.criuKey)")
        }
        try look(at: container, mounts: Set(table.map { $0.id }))
    }

    /// Where in the container the config's mounts and masked paths are.
    private static func paths(_ config: Config, below root: borrowing OwnedFD) -> ResolvedPaths {
        let directory = RootDirectory(root.number)
        func resolved(_ path: String) -> String {
            let clean = cleanPath(path)
            let file = try? clean.withPath { path throws(Errno) in try directory.resolve(path).release() }
            guard let file else { return clean }
            let owned = OwnedFD(file)
            return (try? readLink("/proc/self/fd/\(owned.raw)")) ?? clean
        }
        var paths = ResolvedPaths()
        for mount in config.mounts where mount.isBind {
            paths.binds.append((resolved(mount.destination.value), cleanPath(mount.destination.value)))
        }
        paths.masked = config.linux.maskedPaths.map { resolved($0.value) }
        let nodes = ["null", "zero", "full", "random", "urandom", "tty"].map { "/dev/\($0)" } + config.linux.devices.map { $0.path.value }
        for node in nodes { paths.devices.append((resolved(node), node)) }
        return paths
    }

    /// Finds the files from outside that the first process and the payload have open, and the supervising init's program.
    private mutating func look(at container: Record, mounts: Set<UInt64>) throws(Failure) {
        let first = "/proc/\(container.process.pid)"
        // What the first process has as standard files is what the container was given; the payload may have opened others since.
        for number in 0..<3 { note(Int32(number), of: first, mounts) }
        let payload = "/proc/\(container.payload.pid)"
        let names = try Failure.during("look at the payload's files", payload) { () throws(Errno) in
            try directoryNames(OwnedFD.open("\(payload)/fd", [.read, .directory]))
        }
        for number in names.compactMap({ Int32($0) }).sorted() where number > 2 { note(number, of: payload, mounts) }
        let status = try Failure.during("look at the payload", payload) { () throws(Errno) in try readText("\(payload)/status") }
        record.payload = innermostPID(status) ?? 1
        guard let program = try? readLink("\(first)/exe"), program.utf8.starts(with: "/memfd:".utf8) else { return }
        let key = try Failure.during("look at the init's program", first) { () throws(Errno) in try outsideKey("\(first)/exe") }
        record.program = key
        externals.append(key)
    }

    /// Notes an open file if it comes from outside.
    private mutating func note(_ number: Int32, of process: String, _ mounts: Set<UInt64>) {
        let path = "\(process)/fd/\(number)"
        guard let target = try? readLink(path) else { return }
        let bytes = target.utf8
        if bytes.starts(with: "pipe:".utf8) || bytes.starts(with: "socket:".utf8) {
            record.files.append(OutsideFile(descriptor: number, key: target, kind: .channel, path: target))
            return
        }
        guard bytes.first == UInt8(ascii: "/"), !bytes.starts(with: "/memfd:".utf8),
            let info = try? readText("\(process)/fdinfo/\(number)"), let mount = mountField(info), !mounts.contains(mount),
            let status = try? path.withPath({ path throws(Errno) in try FileStatus.of(path, at: workingDirectory, follow: true) }),
            status.isRegular || status.kind == UInt32(S_IFCHR), !status.isTerminal
        else { return }
        let key = outsideKey(mount: mount, inode: status.inode)
        let kind = status.isCharacterDevice(1, 3) ? OutsideFile.Kind.null : .file
        record.files.append(
            OutsideFile(
                descriptor: number, key: key, kind: kind, path: target, fileSystem: kind == .file ? status.fileSystem : 0,
                inode: kind == .file ? status.inode : 0))
        if !externals.contains(key) { externals.append(key) }
    }
}

extension Config {
    /// Whether the network namespace is the business of others: of who asks for it to be left empty, of the hooks that fill it and
    /// run again on restore, or of devices that the host gives.
    func emptiesNetwork(asked: Bool) -> Bool {
        guard let namespace = linux.namespace(.network), namespace.path == nil else { return false }
        return asked || !hooks.prestart.isEmpty || !hooks.createRuntime.isEmpty || !linux.netDevices.isEmpty
    }
}

extension NamespaceType {
    /// What a joined namespace is called in the images; as runc and crun have it.
    var criuKey: String { self == .network ? "extRootNetNS" : "extRootPidNS" }
}

extension FileStatus {
    /// Whether it is a terminal: /dev/tty and consoles, serial lines, the ends of pseudo-terminals.
    ///
    /// Source: the kernel's admin-guide/devices.txt.
    fileprivate var isTerminal: Bool { kind == UInt32(S_IFCHR) && ([4, 5].contains(deviceMajor) || (136...143).contains(deviceMajor)) }
}

/// What criu calls a file from outside.
func outsideKey(mount: UInt64, inode: UInt64) -> String {
    "file[\(String(mount, radix: 16)):\(String(inode, radix: 16))]"
}

/// What criu calls the file that a path leads to.
private func outsideKey(_ path: String) throws(Errno) -> String {
    let file = try OwnedFD.open(path, .path)
    guard let mount = mountField(try readText("/proc/self/fdinfo/\(file.raw)")) else { throw .badMessage }
    return outsideKey(mount: mount, inode: try FileStatus.of(at: file.number).inode)
}

/// The mount that an open file was reached by.
///
/// - Source: proc_pid_fdinfo(5).
func mountField(_ info: String) -> UInt64? {
    for line in info.split(separator: "\n") where line.utf8.starts(with: "mnt_id:".utf8) {
        return line.split(whereSeparator: { $0 == "\t" || $0 == " " }).last.flatMap { UInt64($0) }
    }
    return nil
}

/// A process's id in the innermost PID namespace that it is in.
///
/// - Source: proc_pid_status(5), NSpid.
func innermostPID(_ status: String) -> Int32? {
    for line in status.split(separator: "\n") where line.utf8.starts(with: "NSpid:".utf8) {
        return line.split(whereSeparator: { $0 == "\t" || $0 == " " }).last.flatMap { Int32($0) }
    }
    return nil
}

/// The container that a further process joins: found, looked at, and held by descriptors.

import CLinux
import Linux
import Plan
import Spec

/// A container with its first process, which lives.
struct JoinedContainer: ~Copyable {
    /// The container's record.
    let record: Record
    /// Its status: created, running, or paused.
    let status: ContainerStatus
    /// The config that it was made of, as JSON.
    let document: JSONDocument
    /// The config.
    let config: Config
    /// The handle of its first process, by which its namespaces are joined: its id could become another's.
    let process: OwnedFD
    /// That process's root directory, for paths inside.
    let root: OwnedFD
    /// The CLONE_NEW* flags of the namespaces in which it is and the runtime is not.
    let namespaces: UInt64
    /// Whether its user namespace forbids setgroups(2).
    let setgroupsDenied: Bool

    /// Finds a container that is created or running.
    ///
    /// - Parameter ignoringPause: Takes a paused one as well; the process then stands still until somebody resumes it.
    init(_ id: ContainerID, _ store: StateStore, ignoringPause: Bool) throws(Failure) {
        let entry = try store.find(id)
        guard let record = try entry.readRecord(), record.intent == .created, let process = try record.openProcess() else {
            throw try entry.status(entry.readRecord()) == .creating
                ? Failure("cannot exec in a container that is still being created") : Failure("cannot exec in a stopped container")
        }
        let status = entry.statusOfLiving(record)
        if status == .paused, !ignoringPause {
            throw Failure("cannot exec in a paused container (use --ignore-paused to override)")
        }
        let text = try entry.readConfig()
        let document: JSONDocument
        do throws(JSONDocument.SyntaxError) { document = try JSONDocument(text) } catch {
            throw Failure("read the container's config", detail: error.message)
        }
        let config = Config.decode(document).config
        let directory = "/proc/\(record.process.pid)"
        let root = try JoinedContainer.look(at: directory) { () throws(Errno) in try OwnedFD.open("\(directory)/root", [.path, .directory])
        }
        let namespaces = try JoinedContainer.look(at: directory) { () throws(Errno) in
            try JoinedContainer.differences(directory, config.linux)
        }
        let setgroups = try? readText("\(directory)/setgroups")
        // Whatever was read by its id was its own if it still lives.
        if hasEnded(process) { throw Failure("cannot exec in a stopped container") }
        self.status = status
        self.record = record
        self.document = document
        self.config = config
        self.root = root
        self.namespaces = namespaces
        setgroupsDenied = setgroups == "deny"
        self.process = process
    }

    /// Reads what /proc tells of a process, which may end meanwhile.
    private static func look<R: ~Copyable>(at directory: String, _ body: () throws(Errno) -> R) throws(Failure) -> R {
        do { return try body() } catch {
            if error == .noEntry || error == .noProcess { throw Failure("cannot exec in a stopped container") }
            throw Failure("look at the container's first process", directory, errno: error)
        }
    }

    /// The namespaces of a container's process that are not the caller's.
    ///
    /// Those made for the container are. Of the others the kernel itself is asked: a config does not tell of what a shared namespace was
    /// when the container was made. To join the own user namespace is an error (setns(2)), and to join another own one may be forbidden.
    private static func differences(_ directory: String, _ linux: Spec.Linux) throws(Errno) -> UInt64 {
        var flags: UInt64 = 0
        for type in NamespaceType.allCases {
            let isOwn = linux.namespace(type).map { $0.path == nil } ?? false
            let isJoined = isOwn && type != .user ? true : try differs(type, directory)
            if isJoined { flags |= type.cloneFlag }
        }
        return flags
    }

    /// Whether a process, by its directory in /proc, is in another namespace of a type than the caller.
    static func differs(_ type: NamespaceType, _ directory: String) throws(Errno) -> Bool {
        let own: FileStatus
        do throws(Errno) { own = try status("/proc/self/ns/\(type.fileName)") } catch {
            // A kernel without namespaces of the type.
            if error == .noEntry { return false }
            throw error
        }
        return try !status("\(directory)/ns/\(type.fileName)").isSameFile(as: own)
    }

    private static func status(_ path: String) throws(Errno) -> FileStatus {
        try path.withPath { path throws(Errno) in try FileStatus.of(path, at: workingDirectory, follow: true) }
    }
}

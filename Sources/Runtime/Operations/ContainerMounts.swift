/// The mounts operation: what a running container has mounted, and changes of it.

import CLinux
import Linux
import Plan
import Spec

extension StateStore {
    /// The mounts that a container's first process sees, as JSON.
    public func mounts(_ id: ContainerID) throws(Failure) -> String {
        guard let record = try find(id).readRecord(), try record.isAlive() else {
            throw Failure("list the mounts", id.name, kind: .notRunning)
        }
        let table = "/proc/\(record.process.pid)/mountinfo"
        let text = try Failure.during("read", table) { () throws(Errno) in try OwnedFD.open(table, .read).readAll() }
        return mountListJSON(mountTable: String(decoding: text, as: UTF8.self))
    }

    /// Mounts something in a running container: all of it or nothing.
    ///
    /// - Parameter text: An array of mounts as config.json has it.
    public func addMounts(_ id: ContainerID, _ text: [UInt8]) throws(Failure) {
        let container = try RunningContainer(self, id)
        var prepared: [PreparedMount] = []
        // The trees live as long as the call.
        for mount in try checkedMounts(text) { prepared.append(try PreparedMount(mount, bundle: container.record.bundle)) }
        try MountChange.add(prepared).perform(inside: container.process, container.root, joining: container.foreignNamespaces())
    }

    /// Takes mounts of a running container away.
    ///
    /// - Parameter text: An array of mounts, of which the destination counts.
    public func removeMounts(_ id: ContainerID, _ text: [UInt8]) throws(Failure) {
        let container = try RunningContainer(self, id)
        let paths = try checkedMounts(text).map { cleanPath($0.destination.value) }
        if let path = paths.first(where: { isProtected($0) }) {
            throw Failure("unmount", path, detail: "it confines the container")
        }
        try MountChange.remove(paths).perform(inside: container.process, container.root, joining: container.foreignNamespaces())
    }

    private func checkedMounts(_ text: [UInt8]) throws(Failure) -> [Mount] {
        let document: JSONDocument
        do throws(JSONDocument.SyntaxError) { document = try JSONDocument(text) } catch {
            throw Failure("read the mounts", detail: Diagnostic(error).rendered(document: nil))
        }
        let (mounts, findings) = Mount.check(document)
        if let first = findings.first(where: { $0.severity == .error }) {
            throw Failure("read the mounts", detail: first.rendered(document: document))
        }
        return mounts
    }
}

/// What confines a container: its root, and the file systems through which the kernel is reached, with what masks them.
private func isProtected(_ path: String) -> Bool {
    ["/", "/proc", "/sys", "/dev"].contains(path) || path.hasPrefix("/proc/") || path.hasPrefix("/sys/")
}

/// A container that lives, locked so that it is not deleted meanwhile.
private struct RunningContainer: ~Copyable {
    let entry: Entry
    let record: Record
    let process: OwnedFD
    /// Its root directory, which is not that of its mount namespace where it has joined one.
    let root: OwnedFD

    init(_ store: StateStore, _ id: ContainerID) throws(Failure) {
        var entry = try store.find(id)
        guard try entry.lock() else { throw Failure("change the mounts", id.name, kind: .notFound) }
        guard let record = try entry.readRecord(), record.intent == .created, let process = try record.openProcess() else {
            throw Failure("change the mounts", id.name, kind: .notRunning)
        }
        let path = "/proc/\(record.process.pid)/root"
        let root = try Failure.during("look at the container's root", path) { () throws(Errno) in
            try OwnedFD.open(path, [.path, .directory])
        }
        // What was read by its id was its own if it still lives.
        if hasEnded(process) { throw Failure("change the mounts", id.name, kind: .notRunning) }
        self.entry = entry
        self.record = record
        self.process = process
        self.root = root
    }

    /// The CLONE_NEW* flags of the namespaces that the container has and the caller is not in.
    func foreignNamespaces() throws(Failure) -> UInt64 {
        let directory = "/proc/\(record.process.pid)"
        let flags = try Failure.during("look at the container's namespaces", directory) { () throws(Errno) -> UInt64 in
            var flags: UInt64 = 0
            for type in NamespaceType.allCases where try JoinedContainer.differs(type, directory) { flags |= type.cloneFlag }
            return flags
        }
        guard flags & NamespaceFlag.mount != 0 else {
            throw Failure("change the mounts", record.id.name, detail: "the container has no mount namespace of its own")
        }
        return flags
    }
}

extension PreparedMount {
    /// Prepares a mount: opens the source of a bind and changes its attributes, while it is nobody's.
    fileprivate init(_ mount: Mount, bundle: String) throws(Failure) {
        let destination = cleanPath(mount.destination.value)
        let options = MountOptions(mount.options)
        let type = mount.type?.value ?? ""
        if options.isRemount || options.copiesUp || options.copiesSymlink || options.idMap != nil || !mount.uidMappings.isEmpty
            || type.hasPrefix("cgroup")
        {
            throw Failure(
                "mount on", destination, detail: "remount, tmpcopyup, copy-symlink, idmap and cgroup are for create only", kind: .usage)
        }
        guard destination != "/" else { throw Failure("mount on", destination, detail: "the root cannot be covered") }
        let change = propagationChange(options.propagation, mustLeaveHost: options.bind != nil)
        let propagation = [change.first, change.second].filter { $0 != 0 }
        let content: Content
        if options.bind != nil {
            guard let source = mount.source?.value else { throw Failure("mount on", destination, detail: "a bind mount needs a source") }
            let path = source.utf8.first == UInt8(ascii: "/") ? source : "\(bundle)/\(source)"
            content = try Failure.during("open the source", path) { () throws(Errno) in try Content(binding: path, options) }
        } else {
            guard !type.isEmpty else { throw Failure("mount on", destination, detail: "it has no type and is no bind mount") }
            content = .filesystem(
                type: type, source: mount.source?.value, parameters: options.parameters.map { $0.text },
                attributes: options.newAttributes.set)
        }
        self.init(destination: destination, noFollow: options.destinationNoFollow, propagation: propagation, content: content)
    }
}

extension PreparedMount.Content {
    fileprivate init(binding path: String, _ options: MountOptions) throws(Errno) {
        let raw = try path.withPath { path throws(Errno) in
            try MountTree.copy(of: path, recursive: options.bind == true, noFollow: options.sourceNoFollow).release()
        }
        let tree = MountTree(OwnedFD(raw))
        let change = options.treeAttributes
        try tree.change(set: change.recursiveSet, clear: change.recursiveClear, recursive: true)
        try tree.change(set: change.set, clear: change.clear, recursive: false)
        let isDirectory = try FileStatus.of(at: tree.descriptor.number).isDirectory
        self = .tree(tree.release(), isDirectory: isDirectory)
    }
}

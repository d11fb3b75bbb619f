/// The state root: a directory with a directory for each container.

import CLinux
import Linux

/// The containers of a state root.
public struct StateStore: Equatable, Sendable {
    /// The state root's path.
    public let root: String
    /// Whether the user named it, and so expects it to be there.
    public let isExplicit: Bool

    /// Names a state root.
    public init(root: String, isExplicit: Bool = true) {
        self.root = root
        self.isExplicit = isExplicit
    }

    /// Makes the entry of a new container, locked.
    ///
    /// The directory is the lock and the id's uniqueness in one.
    public func reserve(_ id: ContainerID) throws(Failure) -> Entry {
        let directory = try openRoot(making: true)
        do {
            try id.name.withPath { name throws(Errno) in _ = try kernel(__NR_mkdirat, directory.number, name.address, 0o700) }
        } catch {
            if error == .exists { throw Failure("create the container", id.name, kind: .exists) }
            throw Failure("make the container's state directory", path(id), errno: error)
        }
        do throws(Failure) { return try openReserved(id, in: directory) } catch {
            // Empty, it is ours or nobody's.
            _ = try? id.name.withPath { name throws(Errno) in
                try kernel(__NR_unlinkat, directory.number, name.address, Int(AT_REMOVEDIR))
            }
            throw error
        }
    }

    private func openReserved(_ id: ContainerID, in directory: borrowing OwnedFD) throws(Failure) -> Entry {
        guard var entry = try openEntry(id, in: directory), try entry.lock() else {
            throw Failure("create the container", id.name, detail: "it was deleted meanwhile")
        }
        return entry
    }

    /// Opens the entry of a container; nil if there is none.
    public func open(_ id: ContainerID) throws(Failure) -> Entry? {
        let directory: OwnedFD
        do { directory = try openDirectory() } catch {
            if error == .noEntry || error == .notDirectory { return nil }
            throw Failure("open the state root", root, errno: error)
        }
        try check(directory)
        return try openEntry(id, in: directory)
    }

    /// Opens the entry of a container that must be there.
    public func find(_ id: ContainerID) throws(Failure) -> Entry {
        guard let entry = try open(id) else { throw Failure("find the container", id.name, kind: .notFound) }
        return entry
    }

    /// The ids of all containers, sorted.
    ///
    /// A default root that is not there yet has none.
    public func ids() throws(Failure) -> [ContainerID] {
        guard isExplicit || isPresent else { return [] }
        let directory = try openRoot(making: false)
        let names = try Failure.during("read the state root", root) { () throws(Errno) in try directoryNames(directory) }
        return names.compactMap { ContainerID(directory: $0) }.sorted { $0.name < $1.name }
    }

    private var isPresent: Bool { (try? openDirectory()) != nil }

    func path(_ id: ContainerID) -> String { "\(root)/\(id.name)" }

    private func openEntry(_ id: ContainerID, in directory: borrowing OwnedFD) throws(Failure) -> Entry? {
        let entry: OwnedFD
        do { entry = try OwnedFD.open(id.name, [.read, .directory, .noFollow], at: directory.number) } catch {
            if error == .noEntry || error == .notDirectory { return nil }
            throw Failure("open the container's state directory", path(id), errno: error)
        }
        try checkOwner(of: entry, path(id), use: "use the container's state directory")
        let root = try Failure.during("open the state root", root) { () throws(Errno) in try directory.duplicate() }
        return Entry(id: id, path: path(id), directory: entry, root: root)
    }

    private func openDirectory() throws(Errno) -> OwnedFD {
        try OwnedFD.open(root, [.read, .directory])
    }

    /// Opens the root, made with its parents where it is missing.
    func openRoot(making: Bool) throws(Failure) -> OwnedFD {
        let directory: OwnedFD
        do {
            if making && !isPresent { try makeRoot() }
            directory = try openDirectory()
        } catch {
            throw Failure("open the state root", root, errno: error)
        }
        try check(directory)
        return directory
    }

    private func makeRoot() throws(Errno) {
        let components = root.split(separator: "/", omittingEmptySubsequences: true)
        var path = root.utf8.first == UInt8(ascii: "/") ? "" : "."
        for (index, component) in components.enumerated() {
            path += "/" + component
            let mode = index == components.count - 1 ? 0o700 : 0o755
            do {
                try path.withPath { name throws(Errno) in _ = try kernel(__NR_mkdirat, workingDirectory, name.address, mode) }
            } catch {
                // A parent that is a mount point of a read-only file system says EROFS though it exists; opening will tell.
                guard error == .exists || error == .readOnly else { throw error }
            }
        }
    }

    /// Refuses a root that somebody else could have filled: what stands in it is trusted.
    private func check(_ directory: borrowing OwnedFD) throws(Failure) {
        let status = try checkOwner(of: directory, root, use: "use the state root", hint: "give --root a directory of your own")
        guard status.mode & 0o002 == 0 || status.mode & 0o1000 != 0 else {
            throw Failure("use the state root", root, detail: "everybody may write to it", hint: "chmod o-w \(root)")
        }
    }

    /// Refuses a directory of another user's: a sticky root, such as /tmp, is everybody's to put containers into, and what a record or a
    /// config there says would be done with the caller's rights.
    @discardableResult
    private func checkOwner(
        of directory: borrowing OwnedFD, _ path: String, use operation: String, hint: String? = nil
    ) throws(Failure) -> FileStatus {
        let number = directory.number
        let status = try Failure.during(operation, path) { () throws(Errno) in try FileStatus.of(at: number) }
        guard status.uid == effectiveUser() else {
            throw Failure(operation, path, detail: "it belongs to user \(status.uid)", hint: hint)
        }
        return status
    }
}

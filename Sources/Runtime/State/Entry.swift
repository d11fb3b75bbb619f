/// A container's directory under the state root, open, and perhaps locked.
///
/// The lock is flock(2) on the directory itself: the kernel drops it when its holder dies, so there are no stale ones.

import CLinux
public import Linux

/// A container's state directory.
public struct Entry: ~Copyable {
    /// The container's id.
    public let id: ContainerID
    /// The directory's path.
    public let path: String
    /// The directory.
    public let directory: OwnedFD
    private let root: OwnedFD
    private var holdsLock = false

    init(id: ContainerID, path: String, directory: consuming OwnedFD, root: consuming OwnedFD) {
        self.id = id
        self.path = path
        self.directory = directory
        self.root = root
    }

    /// The files' names.
    public enum File {
        /// The record.
        public static let record = "record.json"
        /// The record while it is written.
        static let newRecord = "record.json.new"
        /// The copy of the config that start and delete work from (LC-02: later edits do not count).
        public static let config = "config.json"
        /// The limits in force, once an update has changed the config's.
        static let resources = "resources.json"
        /// The same while an update is at work.
        static let newResources = "resources.json.new"
        /// The socket on which the container waits for start.
        public static let start = "start"
        /// How the container ended, once somebody has seen it.
        static let exit = "exit.json"
        /// The same socket while start is at work.
        public static let starting = "starting"
        /// The pipe by which a poststart hook is ended, while one runs.
        static let hook = "hook"
    }

    /// Where the directory is, without links or a relative part.
    var realPath: String { (try? readLink("/proc/self/fd/\(directory.raw)")) ?? path }

    // MARK: Lock

    /// Takes the lock, waiting for whoever has it.
    ///
    /// - Returns: Whether the directory still is the container's: false if it was deleted meanwhile.
    public mutating func lock() throws(Failure) -> Bool {
        do { try kernel(__NR_flock, directory.number, Int(LOCK_EX)) } catch {
            throw Failure("lock the container", id.name, errno: error)
        }
        holdsLock = true
        return try isCurrent()
    }

    /// Takes the lock if nobody has it before the time is over.
    ///
    /// - Returns: Whether the lock was taken.
    public mutating func lock(within milliseconds: Int) throws(Failure) -> Bool {
        var waited = 0
        while true {
            do {
                try kernel(__NR_flock, directory.number, Int(LOCK_EX | LOCK_NB))
                holdsLock = true
                return true
            } catch {
                guard error == .again else { throw Failure("lock the container", id.name, errno: error) }
            }
            guard waited < milliseconds else { return false }
            var nothing = cl_pollfd()
            _ = try? poll(&nothing, 0, milliseconds: 10)
            waited += 10
        }
    }

    /// Gives the lock back before the end of the call.
    mutating func unlock() {
        kernelIgnoringFailure(__NR_flock, directory.number, Int(LOCK_UN))
        holdsLock = false
    }

    /// Whether another call works on the container.
    ///
    /// Asks for a shared lock, so that those who only look do not see each other.
    var isBusy: Bool {
        if holdsLock { return false }
        guard (try? kernel(__NR_flock, directory.number, Int(LOCK_SH | LOCK_NB))) != nil else { return true }
        kernelIgnoringFailure(__NR_flock, directory.number, Int(LOCK_UN))
        return false
    }

    /// Whether the directory still stands at the container's path.
    func isCurrent() throws(Failure) -> Bool {
        do { return try isInPlace() } catch { throw Failure("look at the container's state directory", path, errno: error) }
    }

    private func isInPlace() throws(Errno) -> Bool {
        let mine = try FileStatus.of(at: directory.number)
        do {
            return try id.name.withPath { name throws(Errno) in try FileStatus.of(name, at: root.number) }.isSameFile(as: mine)
        } catch {
            if error == .noEntry { return false }
            throw error
        }
    }

    // MARK: Record

    /// Writes the first record, before anything that it names is made.
    public func writeIntent(_ record: Record) throws(Failure) {
        try write(record.encoded, to: File.record, [.create, .exclusive])
    }

    /// Replaces the record.
    public func commit(_ record: Record) throws(Failure) {
        try write(record.encoded, to: File.newRecord, [.create, .truncate])
        do { try rename(File.newRecord, to: File.record) } catch {
            throw Failure("replace the container's record", "\(path)/\(File.record)", errno: error)
        }
    }

    /// The record; nil where there is none, or where what is there is none.
    ///
    /// - Throws: Where it cannot be read now. Whoever took that for no record would forget a container that lives.
    public func readRecord() throws(Failure) -> Record? {
        do {
            return Record(try OwnedFD.open(File.record, [.read, .noFollow], at: directory.number).readAll())
        } catch {
            if error == .noEntry { return nil }
            throw Failure("read the container's record", "\(path)/\(File.record)", errno: error)
        }
    }

    // MARK: Config

    /// Keeps a copy of the config.
    public func saveConfig(_ text: [UInt8]) throws(Failure) {
        try write(text, to: File.config, [.create, .truncate])
    }

    /// The copy of the config.
    public func readConfig() throws(Failure) -> [UInt8] {
        do { return try OwnedFD.open(File.config, [.read, .noFollow], at: directory.number).readAll() } catch {
            throw Failure("read the container's config", "\(path)/\(File.config)", errno: error)
        }
    }

    // MARK: Files

    /// Writes a file of the container's, in the place of the one that was there.
    func save(_ text: [UInt8], as file: String) throws(Failure) {
        let new = file + ".new"
        try write(text, to: new, [.create, .truncate])
        try Failure.during("write the container's state", "\(path)/\(file)") { () throws(Errno) in try rename(new, to: file) }
    }

    /// Removes the entry with all its files, the record last: what was interrupted can be done again.
    public func remove() throws(Failure) {
        do {
            for name in try directoryNames(directory) where name != File.record { try unlink(name) }
            try unlink(File.record)
            guard try isInPlace() else { return }
            try id.name.withPath { name throws(Errno) in
                _ = try kernel(__NR_unlinkat, root.number, name.address, Int(AT_REMOVEDIR))
            }
        } catch {
            if error == .noEntry { return }
            throw Failure("remove the container's state", path, errno: error)
        }
    }

    /// The content of a file; nil where there is none.
    func read(_ file: String) throws(Failure) -> [UInt8]? {
        do { return try OwnedFD.open(file, [.read, .noFollow], at: directory.number).readAll() } catch {
            if error == .noEntry { return nil }
            throw Failure("read the container's state", "\(path)/\(file)", errno: error)
        }
    }

    /// Whether the directory has a file.
    func has(_ file: String) -> Bool {
        (try? file.withPath { name throws(Errno) in try FileStatus.of(name, at: directory.number) }) != nil
    }

    /// Removes a file, if it is there.
    func unlink(_ file: String) throws(Errno) {
        do {
            try file.withPath { name throws(Errno) in _ = try kernel(__NR_unlinkat, directory.number, name.address, 0) }
        } catch {
            if error != .noEntry { throw error }
        }
    }

    /// Renames a file.
    func rename(_ old: String, to new: String) throws(Errno) {
        try old.withPath { old throws(Errno) in
            try new.withPath { new throws(Errno) in
                _ = try kernel(__NR_renameat2, directory.number, old.address, directory.number, new.address, 0)
            }
        }
    }

    func write(_ text: [UInt8], to name: String, _ flags: OpenFlags) throws(Failure) {
        do {
            let file = try OwnedFD.open(name, [.write, .noFollow, flags], at: directory.number, mode: 0o600)
            try file.writeAll(text)
        } catch {
            throw Failure("write the container's state", "\(path)/\(name)", errno: error)
        }
    }
}

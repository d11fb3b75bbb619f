import Foundation

@testable import Runtime

/// A state root of its own for a test, removed at its end.
final class TemporaryStore {
    let store: StateStore

    init() {
        let path = NSTemporaryDirectory() + "state-\(UUID().uuidString)"
        precondition(mkdir(path, 0o700) == 0, path)
        store = StateStore(root: path)
    }

    deinit { try? FileManager.default.removeItem(atPath: store.root) }
}

/// A process that sleeps until it is killed.
final class Sleeper: @unchecked Sendable {
    let pid: pid_t
    private var isReaped = false

    init() {
        // The test library's threads have all signals blocked, which a child would inherit.
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        posix_spawnattr_init(&attributes)
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("600"), nil]
        var pid: pid_t = 0
        precondition(posix_spawn(&pid, "/bin/sleep", nil, &attributes, arguments, nil) == 0)
        self.pid = pid
    }

    var identity: ProcessIdentity { Sleeper.identity(of: pid) }

    /// A living process's identity.
    static func identity(of pid: pid_t) -> ProcessIdentity {
        guard let identity = try? ProcessIdentity(of: pid) else { preconditionFailure("no process \(pid)") }
        return identity
    }

    /// The signal that ended it.
    func waitForSignal() -> Int32 {
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        isReaped = true
        return status & 0x7F
    }

    deinit {
        // A pid that is free again may be anybody's.
        if isReaped { return }
        Glibc.kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }
}

extension StateStore {
    /// The record of a created container whose first process is the given one.
    func makeContainer(_ name: String, _ process: ProcessIdentity, change: (inout Record) -> Void = { _ in }) throws {
        let entry = try reserve(ContainerID(name))
        var record = Record(id: try ContainerID(name), bundle: "/bundle")
        try entry.writeIntent(record)
        record.intent = .created
        record.process = process
        record.payload = process
        record.bootID = try currentBootID()
        change(&record)
        try entry.commit(record)
    }
}

/// What a throwing call failed with.
func failure<R: ~Copyable>(_ body: () throws(Failure) -> R) -> Failure? {
    do {
        _ = try body()
        return nil
    } catch {
        return error
    }
}

import Foundation

@testable import Runtime

/// A state root of its own for a test, removed at its end.
final class TemporaryStore {
    let store: StateStore

    init() {
        let path = NSTemporaryDirectory() + "state-\(UUID().uuidString)"
        // swift-format-ignore: NeverUseForceTry
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        store = StateStore(root: path)
    }

    deinit { try? FileManager.default.removeItem(atPath: store.root) }
}

/// A process that sleeps until it is killed.
final class Sleeper: @unchecked Sendable {
    let process = Process()

    init() {
        process.executableURL = URL(fileURLWithPath: "/bin/sleep")
        process.arguments = ["600"]
        // swift-format-ignore: NeverUseForceTry
        try! process.run()
    }

    // swift-format-ignore: NeverUseForceTry
    var identity: ProcessIdentity { try! ProcessIdentity(of: process.processIdentifier) }

    deinit { if process.isRunning { process.terminate() } }
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

/// The start operation: the waiting container executes its payload.

import CLinux
import Linux
import Plan
import Spec

extension StateStore {
    /// Starts a created container, and returns when its payload runs.
    ///
    /// - Returns: Remarks of the container's init.
    /// - Source: runtime.md#start; rows OP-03, LC-06 to LC-09.
    public func start(_ id: ContainerID) throws(Failure) -> [String] {
        var entry = try find(id)
        guard try entry.lock(within: 10_000) else {
            throw Failure("start the container", id.name, detail: "another call has been at work on it for 10 seconds")
        }
        guard try entry.isCurrent() else { throw Failure("start the container", id.name, kind: .notFound) }
        let record = try entry.readRecord()
        let status = try entry.status(record)
        guard let record, status == .created, let process = try record.openProcess() else { throw refusal(id, status) }
        guard record.hasProcess else { throw Failure("start the container", id.name, kind: .noProcess) }

        let connection = try announce(entry)
        let warnings: [String]
        do throws(Failure) {
            let hookPath: (Int) -> String? = { index in
                let hooks = readHooks(entry)?.startContainer ?? []
                return index < hooks.count ? hooks[index].path : nil
            }
            warnings = try awaitPayload(connection, process, record.payload.pid, hookPath: hookPath) { listener throws(Failure) in
                guard let text = try? entry.readConfig(), let document = try? JSONDocument(text),
                    let seccomp = Config.decode(document).config.linux.seccomp
                else { throw Failure("hand the seccomp listener over", detail: "the container's config is gone") }
                try sendListener(OwnedFD(listener), of: record, record.payload.pid, .creating, seccomp)
            }
        } catch {
            try? entry.unlinkSocket()
            // A failed startContainer hook destroys the container (LC-07); a failed execve leaves it stopped, as engines expect.
            if error.isOfStartContainerHook { _ = try? destroy(entry, record) }
            throw error
        }
        try entry.unlinkSocket()
        if record.hasPoststart { try runPoststart(entry, record) }
        return warnings
    }

    private func refusal(_ id: ContainerID, _ status: ContainerStatus) -> Failure {
        let kind: Failure.Kind =
            switch status {
            case .running, .paused: .alreadyStarted
            case .created, .stopped: .hasStopped
            case .creating: .general
            }
        return Failure("start the container", id.name, detail: kind == .general ? "it is still being created" : nil, kind: kind)
    }

    /// Connects to the init and gives the word.
    ///
    /// From the renaming on the status is the init's to tell.
    private func announce(_ entry: borrowing Entry) throws(Failure) -> OwnedFD {
        do throws(Errno) {
            let isFirst = entry.has(Entry.File.start)
            let connection = try entry.connect(to: isFirst ? Entry.File.start : Entry.File.starting)
            if isFirst { try entry.rename(Entry.File.start, to: Entry.File.starting) }
            try send(Message(.start), over: connection)
            return connection
        } catch {
            throw Failure("reach the container's waiting process", entry.id.name, errno: error)
        }
    }

    /// Runs the poststart hooks; if one fails the container is destroyed (LC-09).
    private func runPoststart(_ entry: borrowing Entry, _ record: Record) throws(Failure) {
        do throws(Failure) {
            guard let hooks = readHooks(entry) else { throw Failure("run the poststart hooks", detail: "the container's config is gone") }
            let state = record.stateForHooks(.running)
            let end = try entry.openHookEnd()
            try runRuntimeHooks(hooks.poststart, kind: .poststart, state: state, bundle: record.bundle, until: end.raw)
            try? entry.unlink(Entry.File.hook)
        } catch {
            _ = try? destroy(entry, record)
            throw error
        }
    }
}

extension Entry {
    /// Makes the pipe by which a forced delete ends a poststart hook, and opens it for reading.
    ///
    /// The payload's end does not: it may well be done before the hook is.
    fileprivate func openHookEnd() throws(Failure) -> OwnedFD {
        try Failure.during("make the pipe", "\(path)/\(File.hook)") { () throws(Errno) in
            try unlink(File.hook)
            try File.hook.withPath { name throws(Errno) in
                _ = try kernel(__NR_mknodat, directory.number, name.address, Int(S_IFIFO | 0o600), 0)
            }
            return try OwnedFD.open(File.hook, [.read, .nonBlocking, .noFollow], at: directory.number)
        }
    }

    /// Has a start end the poststart hook that it waits for, if there is one: the reader sees that a writer came and went.
    ///
    /// - Source: fifo(7).
    func endPoststartHook() {
        _ = try? OwnedFD.open(File.hook, [.write, .nonBlocking, .noFollow], at: directory.number)
    }

    fileprivate func unlinkSocket() throws(Failure) {
        do throws(Errno) { try unlink(File.starting) } catch {
            throw Failure("remove the start socket", "\(path)/\(File.starting)", errno: error)
        }
    }
}

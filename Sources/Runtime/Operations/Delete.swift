/// The delete operation: everything that create made is gone afterwards, whatever became of create.

import Cgroups
import Linux
import Spec

extension StateStore {
    /// Deletes a container that has stopped or has not been started; with `force` any, or none.
    ///
    /// - Returns: Remarks on poststop hooks that failed, which undo nothing (LC-13).
    /// - Source: runtime.md#delete; rows OP-05, LC-11 to LC-13, CLI-09.
    public func delete(_ id: ContainerID, force: Bool) throws(Failure) -> [String] {
        guard var entry = try open(id) else {
            if force { return [] }
            throw Failure("delete the container", id.name, kind: .notFound)
        }
        guard try force ? entry.lockByForce() : entry.lock(within: 10_000) else {
            throw Failure("delete the container", id.name, detail: "another call has been at work on it for 10 seconds")
        }
        guard try entry.isCurrent() else {
            if force { return [] }
            throw Failure("delete the container", id.name, kind: .notFound)
        }
        let record = try entry.readRecord()
        let status = try entry.status(record)
        guard force || status == .stopped || status == .created else {
            throw Failure("delete the container", id.name, detail: status.name, kind: .notStopped)
        }
        return try destroy(entry, record)
    }

    /// Ends what is left of a container and removes what create made, step by step, each of which may have been done already.
    ///
    /// The state goes last, so that an interrupted delete can be repeated.
    func destroy(_ entry: borrowing Entry, _ record: Record?) throws(Failure) -> [String] {
        guard let record else {
            try entry.remove()
            return []
        }
        try record.waitForEnd()
        do throws(CgroupError) {
            // Whose a scope is, systemd tells.
            let isKnown = record.intent == .created || record.cgroup.scope != nil
            try Cgroup.remove(isKnown ? record.cgroup : record.cgroup.onlyCreated)
        } catch { throw Failure(error) }
        try Resctrl.remove(record.resctrl)
        let hooks = record.hasPoststop ? readHooks(entry) : nil
        try entry.remove()
        guard let hooks else { return record.hasPoststop ? ["poststop hooks not run: the container's config is gone"] : [] }
        let state = record.stateForHooks(.stopped)
        var warnings: [String] = []
        for (index, hook) in hooks.poststop.enumerated() {
            do throws(Failure) {
                try runRuntimeHook(hook, kind: .poststop, index: index, state: state, bundle: record.bundle)
            } catch {
                warnings.append(error.message)
            }
        }
        return warnings
    }
}

/// The hooks of the container's own copy of the config.
func readHooks(_ entry: borrowing Entry) -> Hooks? {
    guard let text = try? entry.readConfig(), let document = try? JSONDocument(text) else { return nil }
    return Config.decode(document).config.hooks
}

extension Entry {
    /// Takes the lock from whoever works on the container.
    ///
    /// That may be a create or a start whose hook hangs: with the container's end, or told so, it ends the hook and takes back what it made.
    ///
    /// - Returns: Whether nobody has the container any more; the directory may be gone by then.
    fileprivate mutating func lockByForce() throws(Failure) -> Bool {
        // Again and again: what is ended now may not have been there a moment ago.
        for _ in 0..<100 {
            if try lock(within: 0) { return true }
            if try !isCurrent() { return true }
            try readRecord()?.endWhatRuns()
            endPoststartHook()
            if try lock(within: 100) { return true }
        }
        return false
    }
}

extension Record {
    /// Sends SIGKILL to the first process, if it is known and lives, and to all in a cgroup that was made for the container.
    fileprivate func endWhatRuns() throws(Failure) {
        if let process = try openProcess() { try? send(.kill, to: process) }
        if intent == .creating { try? Cgroup.killAll(cgroup.onlyCreated, signal: 9) }
    }

    /// Sends SIGKILL to the first process and waits until it has ended.
    func waitForEnd() throws(Failure) {
        guard let process = try openProcess() else { return }
        do throws(Errno) { try send(.kill, to: process) } catch {
            if error != .noProcess { throw Failure("end the container's first process", "\(self.process.pid)", errno: error) }
        }
        // A v1 freezer holds even SIGKILL back.
        if isPaused { try? Cgroup.thaw(cgroup) }
        guard hasEnded(process, within: 10_000) else {
            throw Failure(
                "end the container's first process", "\(self.process.pid)", detail: "it has not ended 10 seconds after SIGKILL",
                hint: "it may be in an uninterruptible system call: see /proc/\(self.process.pid)/stack")
        }
    }
}

/// The kill operation: a signal for the container's process.

import CLinux
import Cgroups
import Linux
import Spec

extension StateStore {
    /// Sends a signal to the container's payload, or to all its processes.
    ///
    /// Takes no lock: a container that hangs in a hook can be killed.
    /// - Parameter signal: The signal; nil: what the image says, or TERM.
    /// - Source: runtime.md#kill; rows OP-04, CLI-09.
    public func kill(_ id: ContainerID, _ signal: SignalNumber?, all: Bool = false) throws(Failure) {
        let entry = try find(id)
        guard let record = try entry.readRecord() else { throw Failure("signal the container", id.name, kind: .notRunning) }
        let signal = if let signal { signal } else { try record.stopSignal() }
        let status = try entry.status(record)
        guard status.hasProcess else {
            // Without a pid namespace the rest of the container outlives its first process.
            if (all || signal == .kill) && !record.ownsPIDNamespace && record.intent == .created { try record.signalAll(signal) }
            if all { return }
            throw Failure("signal the container", id.name, kind: .notRunning)
        }
        let isForAll = all || signal == .kill && (!record.ownsPIDNamespace || status == .paused)
        if isForAll { try record.signalAll(signal) }
        // A frozen process takes SIGKILL at last because signalAll has thawed it.
        if !all || signal == .kill {
            do throws(Failure) { try record.signal(signal) } catch {
                // The first signal may have done it already.
                if !isForAll || error.kind != .notRunning { throw error }
            }
        }
    }
}

extension Record {
    /// The signal that the image wants to be stopped with.
    fileprivate func stopSignal() throws(Failure) -> SignalNumber {
        guard let name = annotation(KnownAnnotation.stopSignal.rawValue), !name.isEmpty else { return .terminate }
        return try SignalNumber(name)
    }

    /// Signals the payload; SIGKILL ends the first process, and the container with it.
    ///
    /// The payload and not the init above it: a process cannot pass on SIGSTOP, which it cannot catch.
    fileprivate func signal(_ signal: SignalNumber) throws(Failure) {
        guard let process = try signal == .kill || payload.pid == 0 ? openProcess() : openPayload() else {
            throw Failure("signal the container", id.name, kind: .notRunning)
        }
        do throws(Errno) { try send(signal, to: process) } catch {
            if error == .noProcess { throw Failure("signal the container", id.name, kind: .notRunning) }
            throw Failure("signal the container", id.name, errno: error, systemCall: "pidfd_send_signal")
        }
    }

    /// Signals all processes of the container: those of its cgroup, if it has one.
    fileprivate func signalAll(_ signal: SignalNumber) throws(Failure) {
        if cgroup.paths.isEmpty { return try signalWithoutCgroup(signal) }
        do throws(CgroupError) {
            try Cgroup.killAll(cgroup, signal: signal.rawValue, supervisor: supervisor?.pid)
        } catch {
            throw Failure(error)
        }
    }
}

/// Sends a signal to a pidfd's process.
///
/// Source: pidfd_send_signal(2).
func send(_ signal: SignalNumber, to process: borrowing OwnedFD) throws(Errno) {
    try kernel(__NR_pidfd_send_signal, process.number, Int(signal.rawValue), 0, 0)
}

extension Failure {
    /// Takes over a failure of the cgroup room.
    init(_ error: CgroupError, place: Place? = nil) {
        self.init(
            error.operation, error.path.isEmpty ? nil : error.path, detail: error.problem.isEmpty ? nil : error.problem,
            errno: error.errno, place: place, hint: error.hint ?? Failure.cgroupHint(error.errno))
        if let value = error.value, error.errno != nil, !value.isEmpty { detail = "value \(value)" }
    }

    /// What to do where the caller may not touch cgroups.
    private static func cgroupHint(_ errno: Errno?) -> String? {
        guard errno == .accessDenied || errno == .notPermitted || errno == .readOnly else { return nil }
        return "without rights over this cgroup, --cgroup-manager disabled runs the container in the caller's"
    }
}

/// Staying with a container until it ends: what `run` does where it is not detached.

import CLinux
import Linux

/// Makes the runtime the parent of what the container leaves behind.
///
/// - Source: prctl(2), PR_SET_CHILD_SUBREAPER.
public func becomeSubreaper() throws(Failure) {
    do throws(Errno) { try kernel(__NR_prctl, Int(PR_SET_CHILD_SUBREAPER), 1) } catch {
        throw Failure("become a subreaper", errno: error, systemCall: "prctl")
    }
}

/// All signals, held back to be taken one by one.
public struct HeldSignals: Sendable {
    fileprivate init() {}

    /// Waits for a signal.
    fileprivate func next() throws(Errno) -> Int32 {
        var all = ~UInt64(0)
        return try withUnsafeMutablePointer(to: &all) { all throws(Errno) in
            Int32(truncatingIfNeeded: try kernel(__NR_rt_sigtimedwait, Int(bitPattern: all), 0, 0, 8))
        }
    }
}

/// Holds all signals back from now on.
public func holdSignals() throws(Failure) -> HeldSignals {
    var all = ~UInt64(0)
    let block = 0  // SIG_BLOCK
    do throws(Errno) {
        try withUnsafeMutablePointer(to: &all) { all throws(Errno) in
            _ = try kernel(__NR_rt_sigprocmask, block, Int(bitPattern: all), 0, 8)
        }
    } catch {
        throw Failure("hold signals back", errno: error, systemCall: "rt_sigprocmask")
    }
    return HeldSignals()
}

/// SIGCHLD, and what a terminal sends to a background process: they mean the runtime, not the container.
private let ownSignals: [Int32] = [Signal.child, 21, 22]

extension StateStore {
    /// Waits until a container's first process ends, passing signals on to the payload, and what is typed and printed where it has a
    /// terminal that nobody else took.
    ///
    /// - Returns: The payload's exit status, 128+N if signal N ended it.
    public func waitForEnd(_ id: ContainerID, _ container: borrowing CreatedContainer, _ signals: HeldSignals) throws(Failure) -> Int32 {
        let console = container.consoleNumber
        if console >= 0 { return try relay(id, container.process.pid, console) }
        while true {
            if let status = try reap(container.process.pid) { return status }
            do throws(Errno) {
                let signal = try signals.next()
                if !ownSignals.contains(signal) { pass(signal, to: id) }
            } catch {
                throw Failure("wait for a signal", errno: error, systemCall: "rt_sigtimedwait")
            }
        }
    }

    /// Waits as ``waitForEnd(_:_:_:)`` does, between the caller and the container's terminal.
    private func relay(_ id: ContainerID, _ pid: Int32, _ console: Int32) throws(Failure) -> Int32 {
        do throws(Errno) {
            var relay = try TerminalRelay(console: console)
            var status = try? reap(pid)
            while true {
                switch try relay.next(draining: status != nil) {
                case .drained: if let status { return status }
                case .signal(Signal.child): if status == nil { status = try? reap(pid) }
                case .signal(Signal.windowChange): relay.adoptSize()
                case .signal(let signal):
                    if ownSignals.contains(signal) { continue }
                    // Nobody may want the rest of the output any more.
                    if let status { return status }
                    pass(signal, to: id)
                }
            }
        } catch {
            throw Failure("relay the container's terminal", errno: error)
        }
    }

    /// A payload that has ended meanwhile needs no signal.
    private func pass(_ number: Int32, to id: ContainerID) {
        guard let signal = try? SignalNumber("\(number)") else { return }
        try? kill(id, signal)
    }

    /// Reaps all that has ended; the status of one pid if it was among them.
    private func reap(_ pid: Int32) throws(Failure) -> Int32? {
        var result: Int32?
        while true {
            var raw: Int32 = 0
            let withoutWaiting = 1  // WNOHANG
            do throws(Errno) {
                let ended = try withUnsafeMutablePointer(to: &raw) { raw throws(Errno) in
                    try kernel(__NR_wait4, -1, Int(bitPattern: raw), withoutWaiting, 0)
                }
                if ended == 0 { return result }
                if ended == Int(pid) { result = raw & 0x7F == 0 ? raw >> 8 & 0xFF : 128 + (raw & 0x7F) }
            } catch {
                if let result { return result }
                throw Failure("wait for the container's first process", "\(pid)", errno: error, systemCall: "wait4")
            }
        }
    }
}

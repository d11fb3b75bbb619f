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
        let process = ForegroundProcess(pid: container.process.pid, console: container.consoleNumber) { try? kill(id, $0) }
        return try process.waitForEnd(signals)
    }
}

/// A process that the runtime stays with.
struct ForegroundProcess {
    /// Its id; it is the runtime's child.
    let pid: Int32
    /// The outer end of its terminal, where nobody else took it; -1 for none.
    let console: Int32
    /// Passes a signal on to it; one that has ended meanwhile needs none.
    let pass: (SignalNumber) -> Void

    /// Waits until it ends, passing signals on, and what is typed and printed where it has a terminal.
    ///
    /// - Returns: Its exit status, 128+N if signal N ended it.
    func waitForEnd(_ signals: HeldSignals) throws(Failure) -> Int32 {
        if console >= 0 { return try relay() }
        while true {
            if let status = try reap() { return status }
            do throws(Errno) { passOn(try signals.next()) } catch {
                throw Failure("wait for a signal", errno: error, systemCall: "rt_sigtimedwait")
            }
        }
    }

    /// Waits as ``waitForEnd(_:)`` does, between the caller and the process's terminal.
    private func relay() throws(Failure) -> Int32 {
        do throws(Errno) {
            var relay = try TerminalRelay(console: console)
            var status = try? reap()
            while true {
                switch try relay.next(draining: status != nil) {
                case .drained: if let status { return status }
                case .signal(Signal.child): if status == nil { status = try? reap() }
                case .signal(Signal.windowChange): relay.adoptSize()
                case .signal(let signal):
                    if ownSignals.contains(signal) { continue }
                    // Nobody may want the rest of the output any more.
                    if let status { return status }
                    passOn(signal)
                }
            }
        } catch {
            throw Failure("relay the container's terminal", errno: error)
        }
    }

    private func passOn(_ signal: Int32) {
        guard !ownSignals.contains(signal), let number = try? SignalNumber("\(signal)") else { return }
        pass(number)
    }

    /// Reaps all that has ended; the process's status if it was among them.
    private func reap() throws(Failure) -> Int32? {
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

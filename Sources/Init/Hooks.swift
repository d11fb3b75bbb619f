/// The hooks that run inside: createContainer in the container's namespaces but the host's root, startContainer in the container.
/// Rows H-04, H-05, H-11, H-12.

import Linux
import Plan

extension Executor {
    mutating func runHook(_ step: RunHook) throws(Errno) {
        let state = try stateFile(step)
        var pipe: (Int32, Int32) = (-1, -1)
        try withUnsafeMutablePointer(to: &pipe) { pointer throws(Errno) in
            // O_CLOEXEC
            _ = try kernel(SystemCallNumber.pipe2, Int(bitPattern: pointer), 0o2000000)
        }
        let output = OwnedFD(pipe.0)
        let arguments = pointers(step.arguments, extra: nil)
        let environment = pointers(step.environment, extra: nil)
        let hook = try cloneProcess(CloneOptions())
        if hook.isChild {
            // Does not return; the compiler is not told, because it has no place for the owned values above then.
            return becomeHook(
                plan.cString(step.path), arguments, environment, standardInput: state.number, standardOutput: Int(pipe.1))
        }
        let pidfd = OwnedFD(hook.pidfd)
        // Its other end stays open in the hook only, so that the output ends with it.
        _ = OwnedFD(pipe.1)
        try awaitHook(hook.pid, pidfd, output, step)
    }

    /// The container's state with this process's id as the container sees it, in a file: a hook that never reads it blocks nobody.
    private func stateFile(_ step: RunHook) throws(Errno) -> OwnedFD {
        let file = try makeMemoryFile(literal("state"))
        var number = PathBuffer()
        try number.append(number: Int(ownProcessID()))
        try file.writeAll(plan.cString(step.stateBeforePID), count: Int(step.stateBeforePID.count))
        try file.writeAll(number.cString, count: number.count)
        try file.writeAll(plan.cString(step.stateAfterPID), count: Int(step.stateAfterPID.count))
        // Back to its start: SEEK_SET 0.
        try seekToStart(file)
        return file
    }

    private func becomeHook(
        _ path: UnsafePointer<CChar>, _ arguments: UnsafeMutablePointer<UnsafePointer<CChar>?>,
        _ environment: UnsafeMutablePointer<UnsafePointer<CChar>?>, standardInput: Int, standardOutput: Int
    ) {
        do throws(Errno) {
            try kernel(SystemCallNumber.setpgid, 0, 0)
            // PR_SET_PDEATHSIG 1: what is killed with the container's init leaves no hook behind, whatever namespaces the container has.
            try kernel(SystemCallNumber.prctl, 1, Int(Signal.kill))
            try kernel(SystemCallNumber.dup3, standardInput, 0, 0)
            try kernel(SystemCallNumber.dup3, standardOutput, 1, 0)
            try kernel(SystemCallNumber.dup3, standardOutput, 2, 0)
            resetSignalDispositions()
            try SignalSet.none.block()
            try closeDescriptorsOnExec(from: 3)
            try kernel(SystemCallNumber.umask, 0o022)
            try kernel(SystemCallNumber.execve, Int(bitPattern: path), Int(bitPattern: arguments), Int(bitPattern: environment))
        } catch {
            exitProcess(error == .noEntry ? 127 : 126)
        }
        exitProcess(126)
    }

    /// Collects what the hook writes until it ends, bounded in size and time.
    private mutating func awaitHook(
        _ pid: Int32, _ pidfd: borrowing OwnedFD, _ output: borrowing OwnedFD, _ step: RunHook
    ) throws(Errno) {
        let capacity = Message.maximumText
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: 512, alignment: 16)
        var count = 0
        var isOpen = true
        let begin = monotonicMilliseconds()
        let deadline = begin + Int(step.timeout) * 1000
        while true {
            let left = step.timeout == 0 ? -1 : max(0, deadline - monotonicMilliseconds())
            let ready = try poll(pidfd.raw, isOpen ? output.raw : -1, timeout: left)
            if ready.second {
                // A full buffer goes on being read, so that a talkative hook does not block.
                let room = capacity - count
                let got = try output.read(into: room > 0 ? UnsafeMutableRawPointer(buffer + count) : scratch, count: room > 0 ? room : 512)
                if got == 0 { isOpen = false } else if room > 0 { count += got }
            }
            // What a child of the hook goes on writing when the hook has ended is nobody's.
            if ready.first && (!ready.second || count == capacity) { break }
            if ready.first || left != 0 { continue }
            // Time is up. The whole process group goes.
            kernelIgnoringFailure(SystemCallNumber.kill, Int(-pid), Int(Signal.kill))
            _ = try wait(for: pidfd.number)
            detail = Detail(reason: .hookTimedOut, value: step.timeout, text: buffer, count: count)
            detail.tell(step, since: begin)
            throw .timedOut
        }
        switch try wait(for: pidfd.number) {
        case .exited(0): return
        case .exited(let status):
            detail = Detail(reason: .hookFailed, value: UInt32(status), text: buffer, count: count)
        case .killed(let signal):
            detail = Detail(reason: .hookKilled, value: UInt32(signal), text: buffer, count: count)
        }
        detail.tell(step, since: begin)
        throw .inputOutput
    }
}

extension Detail {
    /// Tells which hook failed and how long it took (H-13).
    fileprivate mutating func tell(_ step: RunHook, since begin: Int) {
        hook = step.index
        milliseconds = UInt32(clamping: monotonicMilliseconds() - begin)
    }
}

/// PID 1 beside the payload: forwards signals, reaps, ends with the payload's status.
///
/// From the split on nothing of the runtime's is left in this process: no descriptor but stdio, no plan, no capability that the payload
/// lacks. So it may be dumpable, and `/proc/1/fd/1` works for the payload as if it were PID 1 itself.

import CInit
import CLinux
import Linux
import Plan

extension Executor {
    /// Splits.
    ///
    /// Returns in the child, which becomes the payload.
    mutating func supervise(_ step: Supervise) throws(Errno) {
        // Blocked before the split: what arrives in between is forwarded, not lost.
        try SignalSet.forwardable.block()
        var options = CloneOptions()
        options.exitSignal = earlyEnd
        let payload = try cloneProcess(options)
        if payload.isChild { return }
        do throws(Errno) {
            if step.profile.count + step.label.count > 0 { try openProcfs() }
            // Out of the caller's process group: what its terminal sends there is not meant for the container.
            try kernel(SystemCallNumber.setsid)
            try setUser(step.user)
            try Linux.setCapabilities(effective: step.capabilities, permitted: step.capabilities, inheritable: 0)
            try setAmbientCapabilities(0)
            // Last of what a profile could forbid, and before no_new_privs, which forbids most changes of it.
            if step.profile.count > 0 { try changeProfile(step.profile) }
            if step.label.count > 0, !takeLabel(step.label) {
                let text = literal(
                    "the supervising init keeps swoci's own SELinux label: the policy lets it take the payload's by execve only")
                try channel.send(Message(.warning), detail: Detail(reason: .systemCall, text: text))
            }
            try setNoNewPrivileges()
            // Nothing of the runtime's may be left once the payload can look into this process.
            closeDescriptors(from: 3)
            try setDumpable(true)
            try loadSupervisorFilter()
        } catch {
            // The payload must not run under a supervisor that has more rights than it.
            channel.fail(error, detail, step: self.step)
            exitProcess(InitStatus.failed)
        }
        unmap(plan.bytes.baseAddress!, count: plan.bytes.count)
        ci_release_memory()
        watch(payload.pid)
    }
}

/// What the kernel tells of a payload's end by, as long as it has not been executed: execve makes it SIGCHLD.
///
/// Source: clone(2), execve(2).
private let earlyEnd = Signal.urgent

/// Waits for signals for ever: one that tells of a child's end is for reaping, any other is for the payload.
private func watch(_ payload: Int32) -> Never {
    while true {
        var info = cl_siginfo()
        guard let signal = try? SignalSet.forwardable.wait(&info) else { continue }
        // What the kernel itself says has a code above 0: CLD_EXITED 1, CLD_KILLED 2, CLD_DUMPED 3.
        let isOfChild = signal == Signal.child || signal == earlyEnd && info.code > 0
        // A payload that was killed before its execve stays a zombie for a second, in which start sees that it never ran: both ends close
        // its connection.
        if isOfChild, signal == earlyEnd, info.code != 1 { SignalSet.pause(milliseconds: 1000) }
        // Somebody else's SIGURG may hide the kernel's: one of a kind is pending at most.
        if isOfChild || signal == earlyEnd, let status = reap(payload) { exitProcess(status) }
        if !isOfChild { kernelIgnoringFailure(SystemCallNumber.kill, Int(payload), Int(signal)) }
    }
}

/// Reaps every zombie.
///
/// Returns the exit code to end with if the payload was among them.
private func reap(_ payload: Int32) -> Int32? {
    var result: Int32?
    while true {
        var status: Int32 = 0
        // WNOHANG 1, __WALL: a payload that was not executed has another exit signal than SIGCHLD.
        let pid = withUnsafeMutablePointer(to: &status) { pointer in
            (try? kernel(SystemCallNumber.wait4, -1, Int(bitPattern: pointer), 0x4000_0001, 0)) ?? 0
        }
        if pid <= 0 { return result }
        if pid == Int(payload) { result = ExitStatus(waitStatus: status).code }
    }
}

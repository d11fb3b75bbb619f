/// Loading a filter whose listener somebody else answers. Rows SE-06, SE-17.
///
/// From the load on any system call of this thread may wait for an answer, so it makes none until the listener has been handed over.
/// A second thread, which the filter does not bind, does that, and the payload's execve ends it.

import CInit
import Linux
import Plan

/// What the two threads share.
struct ListenerHandover {
    /// The listener's descriptor, -1 before the load.
    var listener: Int32 = -1
    /// 1: the listener has been taken.
    var isTaken: Int32 = 0
    /// 1: a later step failed, for the reason below.
    var hasFailed: Int32 = 0
    var error = Errno.badMessage
    var detail = Detail()
    var step = 0
    var status: Int32 = 0
    let channel: Channel

    init(_ channel: Channel) { self.channel = channel }
}

extension Executor {
    /// Loads the payload's filter, as late as possible.
    mutating func loadSeccomp(_ step: LoadSeccomp) throws(Errno) {
        try prepareExecution()
        let program = plan.cString(step.program)
        guard step.hasListener else {
            try loadSeccompFilter(program, count: Int(step.program.count), flags: step.flags)
            return
        }
        let shared = UnsafeMutablePointer<ListenerHandover>.allocate(capacity: 1)
        shared.initialize(to: ListenerHandover(channel))
        let stackSize = 16 << 10
        let stack = UnsafeMutableRawPointer.allocate(byteCount: stackSize, alignment: 16)
        let thread = ci_start_thread(stack + stackSize, { handOver($0!.assumingMemoryBound(to: ListenerHandover.self)) }, shared)
        if thread < 0 { throw Errno(code: Int32(truncatingIfNeeded: -thread), call: SystemCallNumber.clone) }
        let listener = try loadSeccompFilter(program, count: Int(step.program.count), flags: step.flags)
        handover = shared
        ci_store(&shared.pointee.listener, Int32(truncatingIfNeeded: listener))
        while ci_load(&shared.pointee.isTaken) == 0 { ci_relax() }
    }

    /// Leaves the report of a failure to the thread that still may make system calls.
    func fail(_ shared: UnsafeMutablePointer<ListenerHandover>, _ error: Errno, status: Int32) -> Never {
        shared.pointee.error = error
        shared.pointee.detail = detail
        shared.pointee.step = step
        shared.pointee.status = status
        ci_store(&shared.pointee.hasFailed, 1)
        while true { ci_relax() }
    }
}

/// The second thread: sends the listener to start, waits for its word, and then stands by for a failure.
private func handOver(_ shared: UnsafeMutablePointer<ListenerHandover>) {
    // Asking again and again, because the other thread cannot wake this one without a system call.
    while ci_load(&shared.pointee.listener) < 0 { pause(microseconds: 20) }
    let channel = shared.pointee.channel
    do throws(Errno) { try channel.send(Message(.listener), descriptor: shared.pointee.listener) } catch {
        exitProcess(InitStatus.failed)
    }
    if !channel.awaitWord(.proceed) { exitProcess(InitStatus.failed) }
    ci_store(&shared.pointee.isTaken, 1)
    while ci_load(&shared.pointee.hasFailed) == 0 { pause(microseconds: 1000) }
    channel.fail(shared.pointee.error, shared.pointee.detail, step: shared.pointee.step)
    exitProcess(shared.pointee.status)
}

private func pause(microseconds: Int64) {
    var time: (seconds: Int64, nanoseconds: Int64) = (0, microseconds * 1000)
    withUnsafeMutablePointer(to: &time) { kernelIgnoringFailure(SystemCallNumber.nanosleep, Int(bitPattern: $0), 0) }
}

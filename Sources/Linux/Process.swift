/// Processes: made by clone3, known by pidfds, waited for.

import CLinux

/// How clone3(2) makes a process.
public struct CloneOptions: Sendable {
    /// CLONE_* flags: new namespaces and the like.
    public var flags: UInt64
    /// A cgroup v2 directory to be born into, or -1.
    public var cgroup: Int32 = -1
    /// Whether the child becomes a child of the caller's parent (CLONE_PARENT).
    public var asSibling = false
    /// The signal that tells of its end; after an execve it is SIGCHLD in any case.
    public var exitSignal = Signal.child

    /// Makes options of CLONE_* flags.
    public init(flags: UInt64 = 0) { self.flags = flags }
}

/// What clone3(2) returns in each of the two processes.
public struct Cloned: Sendable {
    /// The child's id in the parent, 0 in the child.
    public let pid: Int32
    /// The child's pidfd in the parent, for the caller to own; -1 in the child.
    public let pidfd: Int32
    /// Whether this is the child.
    public var isChild: Bool { pid == 0 }
}

/// Makes a child process that goes on from here on a copy of the memory.
///
/// Source: clone3(2), Linux 5.3.
///
/// The program has one thread, so the copy is whole. Handled signals go back to their defaults in the child.
@inline(never)
public func cloneProcess(_ options: CloneOptions) throws(Errno) -> Cloned {
    var pidfd: Int32 = -1
    var arguments = clone_args()
    arguments.flags = options.flags | UInt64(CLONE_PIDFD)
    arguments.exit_signal = options.asSibling ? 0 : UInt64(options.exitSignal)
    if options.asSibling { arguments.flags |= UInt64(CLONE_PARENT) }
    if options.cgroup >= 0 {
        arguments.flags |= CL_CLONE_INTO_CGROUP
        arguments.cgroup = UInt64(options.cgroup)
    }
    let pid = try withUnsafeMutablePointer(to: &pidfd) { pidfd throws(Errno) in
        arguments.pidfd = UInt64(UInt(bitPattern: pidfd))
        return try withUnsafeMutablePointer(to: &arguments) { pointer throws(Errno) in
            try kernel(__NR_clone3, Int(bitPattern: pointer), MemoryLayout<clone_args>.size)
        }
    }
    return Cloned(pid: Int32(truncatingIfNeeded: pid), pidfd: pid == 0 ? -1 : pidfd)
}

/// A handle on a process that stays on that process, whatever happens to its id.
///
/// Source: pidfd_open(2).
public func openProcess(_ pid: Int32) throws(Errno) -> OwnedFD {
    OwnedFD(try kernel(__NR_pidfd_open, Int(pid), 0))
}

/// Sends a signal to a process by its handle.
///
/// Source: pidfd_send_signal(2).
public func send(signal: Int32, to pidfd: Int) throws(Errno) {
    try kernel(__NR_pidfd_send_signal, pidfd, Int(signal), 0, 0)
}

/// How a process ended.
public enum ExitStatus: Equatable, Sendable {
    /// By exit, with a status of 0...255.
    case exited(Int32)
    /// By a signal.
    case killed(Int32)

    /// The status as a shell has it: 128 + N for signal N.
    public var code: Int32 {
        switch self {
        case .exited(let code): code
        case .killed(let signal): 128 + signal
        }
    }

    /// Reads the status word of wait4(2).
    public init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .killed(signal)
    }
}

/// Waits for a child by its handle and reaps it.
///
/// Source: waitid(2).
public func wait(for pidfd: Int) throws(Errno) -> ExitStatus {
    var info = cl_siginfo()
    try withUnsafeMutablePointer(to: &info) { pointer throws(Errno) in
        // P_PIDFD 3, WEXITED 4, __WALL for a child whose exit signal is not SIGCHLD.
        _ = try kernel(__NR_waitid, 3, pidfd, Int(bitPattern: pointer), 4 | 0x4000_0000, 0)
    }
    return info.code == 1 ? .exited(info.status) : .killed(info.status)
}

/// Sets a resource limit of a process; 0 is the caller.
///
/// Source: prlimit(2).
public func setResourceLimit(of process: Int32, _ resource: Int32, soft: UInt64, hard: UInt64) throws(Errno) {
    var value = cl_rlimit64(current: soft, maximum: hard)
    try withUnsafeMutablePointer(to: &value) { pointer throws(Errno) in
        _ = try kernel(__NR_prlimit64, Int(process), Int(resource), Int(bitPattern: pointer), 0)
    }
}

/// The caller's own hard limit of a resource.
///
/// Source: prlimit(2).
public func hardResourceLimit(_ resource: Int32) throws(Errno) -> UInt64 {
    var value = cl_rlimit64(current: 0, maximum: 0)
    try withUnsafeMutablePointer(to: &value) { pointer throws(Errno) in
        _ = try kernel(__NR_prlimit64, 0, Int(resource), 0, Int(bitPattern: pointer))
    }
    return value.maximum
}

/// Ends the process at once, without running anything more.
public func exitProcess(_ status: Int32) -> Never {
    kernelIgnoringFailure(__NR_exit_group, Int(status))
    // A payload's own filter may forbid even that.
    cl_trap()
}

/// The caller's process id in its own namespace.
public func ownProcessID() -> Int32 {
    Int32(truncatingIfNeeded: (try? kernel(__NR_getpid)) ?? 0)
}

/// What poll(2) waits for on one descriptor.
public struct PollEntry {
    /// The descriptor.
    public var descriptor: Int32
    /// Whether it became readable or was closed by its peer.
    public var isReady = false

    /// Waits for a descriptor.
    public init(_ descriptor: Int32) { self.descriptor = descriptor }
}

/// Waits until one of two descriptors is readable; -1 as the second stands for none.
///
/// - Returns: Which are. None after `timeout` milliseconds; -1 waits for ever.
public func poll(_ first: Int32, _ second: Int32 = -1, timeout: Int = -1) throws(Errno) -> (first: Bool, second: Bool) {
    var entries = (cl_pollfd(fd: first, events: 1, revents: 0), cl_pollfd(fd: second, events: 1, revents: 0))
    var time = cl_timespec(seconds: Int64(timeout / 1000), nanoseconds: Int64(timeout % 1000) * 1_000_000)
    _ = try withUnsafeMutablePointer(to: &entries) { entries throws(Errno) in
        try withUnsafeMutablePointer(to: &time) { time throws(Errno) in
            // ppoll updates the time left, so that a call repeated after a signal does not start again.
            try kernel(__NR_ppoll, Int(bitPattern: entries), 2, timeout < 0 ? 0 : Int(bitPattern: time), 0, 8)
        }
    }
    return (entries.0.revents != 0, entries.1.revents != 0)
}

/// Closes every descriptor from `first` on.
///
/// Source: close_range(2), Linux 5.9.
public func closeDescriptors(from first: Int32) {
    kernelIgnoringFailure(__NR_close_range, Int(first), Int(UInt32.max), 0)
}

/// Makes every descriptor from `first` on close-on-exec.
///
/// Linux 5.11.
public func closeDescriptorsOnExec(from first: Int32) throws(Errno) {
    try kernel(__NR_close_range, Int(first), Int(UInt32.max), 4)
}

/// Which process a record means. A pid alone may have been given to another process since.

import CLinux
public import Linux

/// A process, told from every other of the same pid by its start time (ST-04).
public struct ProcessIdentity: Equatable, Sendable {
    /// The pid in the runtime's pid namespace; 0: no process.
    public var pid: Int32
    /// Clock ticks after boot: field 22 of /proc/PID/stat.
    public var startTime: UInt64

    /// No process.
    public static let none = ProcessIdentity(pid: 0, startTime: 0)

    /// Names a process.
    public init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// Reads a living process's start time.
    public init(of pid: Int32) throws(Errno) {
        guard let time = startTimeField(try readText("/proc/\(pid)/stat")) else { throw .badMessage }
        self.init(pid: pid, startTime: time)
    }

    /// A pidfd of the process; nil if it has ended, zombies included, or if the pid is another process's.
    ///
    /// The pidfd comes first: what it names cannot change any more while the start time is compared.
    /// - Throws: Where it is not known whether the process lives: too many open files, for one. Then it is not to be taken for dead.
    public func open() throws(Errno) -> OwnedFD? {
        guard pid > 0 else { return nil }
        do throws(Errno) {
            let handle = OwnedFD(try kernel(__NR_pidfd_open, Int(pid), 0))
            guard !hasEnded(handle), try ProcessIdentity(of: pid) == self else { return nil }
            return handle
        } catch {
            // ENOENT: its directory in /proc is gone. EINVAL: the id is a thread's by now.
            if error == .noProcess || error == .noEntry || error == .invalidArgument { return nil }
            throw error
        }
    }
}

/// Whether all threads of a pidfd's process have ended; nobody need have reaped it.
///
/// Source: pidfd_open(2).
func hasEnded(_ process: borrowing OwnedFD, within milliseconds: Int = 0) -> Bool {
    var entry = cl_pollfd(fd: process.raw, events: PollEvents.readable, revents: 0)
    let count = try? poll(&entry, 1, milliseconds: milliseconds)
    return count == 1
}

/// Bits of poll(2).
enum PollEvents {
    static let readable: Int16 = 1
    static let writable: Int16 = 4
    static let hangUp: Int16 = 16
}

/// Waits until one of some descriptors has something to say; 0 if the time is over.
///
/// -1: no limit. Source: poll(2).
func poll(_ entries: UnsafeMutablePointer<cl_pollfd>, _ count: Int, milliseconds: Int) throws(Errno) -> Int {
    guard milliseconds >= 0 else { return try kernel(__NR_ppoll, Int(bitPattern: entries), count, 0, 0, 0) }
    var time = cl_timespec(seconds: Int64(milliseconds / 1000), nanoseconds: Int64(milliseconds % 1000) * 1_000_000)
    return try withUnsafeMutablePointer(to: &time) { time throws(Errno) in
        try kernel(__NR_ppoll, Int(bitPattern: entries), count, Int(bitPattern: time), 0, 0)
    }
}

/// Field 22 of a line of /proc/PID/stat.
///
/// Field 2 is the command in parentheses and may contain anything, parentheses too.
func startTimeField(_ line: String) -> UInt64? {
    let bytes = Array(line.utf8)
    guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
    // The first of these is field 3.
    guard fields.count > 19 else { return nil }
    return UInt64(String(decoding: fields[19], as: UTF8.self))
}

/// The id of this boot of the host: no process of a record from another one is alive.
public func currentBootID() throws(Errno) -> String {
    try readText("/proc/sys/kernel/random/boot_id")
}

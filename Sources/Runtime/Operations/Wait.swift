/// The wait operation: a container's end, and how it came.
///
/// Only a parent is told how its child ends, and after create the engine is that. But whoever holds a pidfd from before the end may ask
/// the kernel afterwards (Linux 6.15), and a zombie's status stands in /proc. See docs/decisions/011-exit-status.md.

import CLinux
import Linux
import Spec

extension StateStore {
    /// Waits until a container has ended, and says how.
    ///
    /// - Throws: Where the container ended while nobody looked, or on a kernel that does not tell.
    public func waitForExit(_ id: ContainerID) throws(Failure) -> ExitRecord {
        var entry = try find(id)
        guard let record = try entry.readRecord(), record.intent == .created else {
            throw Failure("wait for the container's end", id.name, detail: "it has not been created completely")
        }
        if let known = entry.readExit() { return known }
        let process = try record.openProcess()
        let time = try awaitEnd(of: process)
        guard let status = exitStatus(of: record, process) else {
            // Another one may have seen more.
            if let known = entry.readExit() { return known }
            let isTooLate = time == nil
            throw Failure(
                "learn the container's exit status", id.name,
                detail: isTooLate ? "it ended while nobody waited for it" : "this kernel tells nobody but the parent",
                hint: isTooLate ? "wait must begin before the end" : "needs Linux 6.15")
        }
        let exit = ExitRecord(status: status, time: time)
        entry.keep(exit)
        return exit
    }

    /// Notes how a container ended that the caller itself saw end.
    public func noteExit(_ id: ContainerID, status: Int32) {
        guard var entry = try? open(id) else { return }
        entry.keep(ExitRecord(status: status, time: Timestamp.now().text))
    }

    /// Waits until a process has ended, and says when; nil where it had before.
    private func awaitEnd(of process: borrowing OwnedFD?) throws(Failure) -> String? {
        let descriptor: Int32
        switch process {
        case .some(let process): descriptor = process.raw
        case nil: return nil
        }
        try Failure.during("wait for the container's end") { () throws(Errno) in
            var entry = cl_pollfd(fd: descriptor, events: PollEvents.readable, revents: 0)
            _ = try poll(&entry, 1, milliseconds: -1)
        }
        return Timestamp.now().text
    }

    /// Asks the kernel and, while nobody has reaped the process, /proc; twice, for it may be reaped in between.
    private func exitStatus(of record: Record, _ process: borrowing OwnedFD?) -> Int32? {
        for _ in 0..<2 {
            if let raw = reapedStatus(process) { return ExitStatus(waitStatus: raw).code }
            if let raw = record.process.zombieStatus() { return ExitStatus(waitStatus: raw).code }
        }
        return nil
    }
}

/// The wait status of a pidfd's process that has been reaped; nil where it is not known.
///
/// - Source: linux/pidfd.h, PIDFD_GET_INFO with PIDFD_INFO_EXIT (Linux 6.15).
private func reapedStatus(_ process: borrowing OwnedFD?) -> Int32? {
    // struct pidfd_info, its first version: 8 bytes mask, 8 cgroup id, 11 ids of 4 bytes, the exit code.
    let size = 64
    let getInfo = 0xC000_0000 | size << 16 | 0xFF0B
    let exitBit: UInt64 = 1 << 3
    let descriptor: Int
    switch process {
    case .some(let process): descriptor = process.number
    case nil: return nil
    }
    var buffer = [UInt64](repeating: 0, count: size / 8)
    buffer[0] = exitBit
    let answer = buffer.withUnsafeMutableBufferPointer { buffer in
        try? kernel(__NR_ioctl, descriptor, getInfo, Int(bitPattern: buffer.baseAddress))
    }
    guard answer != nil, buffer[0] & exitBit != 0 else { return nil }
    return Int32(truncatingIfNeeded: buffer[7] >> 32)
}

extension ProcessIdentity {
    /// The wait status of a process that has ended and that nobody has reaped yet.
    ///
    /// - Source: proc_pid_stat(5), field 52.
    func zombieStatus() -> Int32? {
        guard let line = try? readText("/proc/\(pid)/stat"), startTimeField(line) == startTime else { return nil }
        let fields = line.utf8.suffix(from: line.utf8.lastIndex(of: UInt8(ascii: ")"))!).dropFirst().split(separator: UInt8(ascii: " "))
        // The first of these is field 3.
        guard fields.count > 49, fields[0].elementsEqual("Z".utf8) else { return nil }
        return Int32(String(decoding: fields[49], as: UTF8.self))
    }
}

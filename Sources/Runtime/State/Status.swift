/// What a container's status is, from what its directory and its process say now: an ended process is seen
/// at once (LC-10).

import CLinux
import Cgroups
import Linux
import Spec

extension Entry {
    /// The status of the container with that record.
    func status(_ record: Record?) throws(Failure) -> ContainerStatus {
        guard let record, record.intent == .created else {
            // Whoever creates the container holds the lock; if nobody does, it never got that far and never will.
            return isBusy ? .creating : .stopped
        }
        return try record.isAlive() ? statusOfLiving(record) : .stopped
    }

    /// The status of a container whose first process lives.
    func statusOfLiving(_ record: Record) -> ContainerStatus {
        if has(File.start) { return .created }
        guard has(File.starting) else { return record.isPaused ? .paused : .running }
        // start renames the socket before it gives the word and removes it afterwards. If it was killed in between, the container
        // itself knows: it closes the socket when it goes on.
        if isBusy { return .created }
        return (try? connect(to: File.starting)) == nil ? .running : .created
    }

    /// Connects to the container that waits for start.
    ///
    /// The path goes through the directory's descriptor: it is short, whatever the state root, and cannot be exchanged.
    func connect(to socket: String) throws(Errno) -> OwnedFD {
        let connection = OwnedFD(try kernel(__NR_socket, Socket.unix, Socket.sequencedPackets | Int(O_CLOEXEC | O_NONBLOCK), 0))
        var address = cl_sockaddr_un()
        address.family = UInt16(Socket.unix)
        let path = Array("/proc/self/fd/\(directory.raw)/\(socket)".utf8)
        withUnsafeMutableBytes(of: &address.path) { $0.copyBytes(from: path) }
        try withUnsafePointer(to: &address) { address throws(Errno) in
            // The NUL counts: 2 bytes of family, the path, NUL.
            _ = try kernel(__NR_connect, connection.number, Int(bitPattern: address), 2 + path.count + 1)
        }
        return connection
    }
}

/// Numbers of socket(2) and send(2), which are in no kernel header.
enum Socket {
    static let unix = 1
    static let sequencedPackets = 5
    static let doNotSignal = 0x4000
}

extension Record {
    /// Whether the container's cgroup is frozen.
    var isPaused: Bool { (try? Cgroup.isFrozen(cgroup)) ?? false }

    /// Whether the first process lives.
    func isAlive() throws(Failure) -> Bool { try openProcess() != nil }

    /// A pidfd of the first process, if it lives.
    func openProcess() throws(Failure) -> OwnedFD? { try open(process) }

    /// A pidfd of the payload's process, if it lives.
    func openPayload() throws(Failure) -> OwnedFD? { try open(payload) }

    private func open(_ process: ProcessIdentity) throws(Failure) -> OwnedFD? {
        if process.pid == 0 { return nil }
        do throws(Errno) { return try currentBootID() == bootID ? process.open() : nil } catch {
            throw Failure("look at the container's process", "\(process.pid)", errno: error)
        }
    }
}

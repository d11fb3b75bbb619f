/// The start operation: the waiting container executes its payload.

import CLinux
import Linux
import Plan
import Spec

extension StateStore {
    /// Starts a created container, and returns when its payload runs.
    ///
    /// - Returns: Remarks of the container's init.
    /// - Source: runtime.md#start; rows OP-03, LC-06 to LC-09.
    public func start(_ id: ContainerID) throws(Failure) -> [String] {
        var entry = try find(id)
        guard try entry.lock(within: 10_000) else {
            throw Failure("start the container", id.name, detail: "another call has been at work on it for 10 seconds")
        }
        guard try entry.isCurrent() else { throw Failure("start the container", id.name, kind: .notFound) }
        let record = try entry.readRecord()
        let status = try entry.status(record)
        guard let record, status == .created, let process = try record.openProcess() else { throw refusal(id, status) }
        guard record.hasProcess else { throw Failure("start the container", id.name, kind: .noProcess) }

        let connection = try announce(entry)
        let warnings: [String]
        do throws(Failure) {
            warnings = try awaitPayload(connection, process) { listener throws(Failure) in
                guard let text = try? entry.readConfig(), let document = try? JSONDocument(text),
                    let seccomp = Config.decode(document).config.linux.seccomp
                else { throw Failure("hand the seccomp listener over", detail: "the container's config is gone") }
                try sendListener(OwnedFD(listener), of: record, seccomp)
            }
        } catch {
            try? entry.unlinkSocket()
            // A failed startContainer hook destroys the container (LC-07); a failed execve leaves it stopped, as engines expect.
            if error.operation == Failure.startContainerHook { _ = try? destroy(entry, record) }
            throw error
        }
        try entry.unlinkSocket()
        if record.hasPoststart { try runPoststart(entry, record) }
        return warnings
    }

    private func refusal(_ id: ContainerID, _ status: ContainerStatus) -> Failure {
        let kind: Failure.Kind =
            switch status {
            case .running, .paused: .alreadyStarted
            case .created, .stopped: .hasStopped
            case .creating: .general
            }
        return Failure("start the container", id.name, detail: kind == .general ? "it is still being created" : nil, kind: kind)
    }

    /// Connects to the init and gives the word.
    ///
    /// From the renaming on the status is the init's to tell.
    private func announce(_ entry: borrowing Entry) throws(Failure) -> OwnedFD {
        do throws(Errno) {
            let isFirst = entry.has(Entry.File.start)
            let connection = try entry.connect(to: isFirst ? Entry.File.start : Entry.File.starting)
            if isFirst { try entry.rename(Entry.File.start, to: Entry.File.starting) }
            try send(Message(.start), over: connection)
            return connection
        } catch {
            throw Failure("reach the container's waiting process", entry.id.name, errno: error)
        }
    }

    /// Reads what the init says until its end of the connection closes, which the payload's execve does.
    ///
    /// A payload whose filter has a listener waits until that is handed over; if it cannot be, the container ends here.
    private func awaitPayload(
        _ connection: borrowing OwnedFD, _ process: borrowing OwnedFD, handOver: (Int32) throws(Failure) -> Void
    ) throws(Failure) -> [String] {
        var warnings: [String] = []
        var isAnnounced = false
        var entries = (
            cl_pollfd(fd: connection.raw, events: PollEvents.readable, revents: 0),
            cl_pollfd(fd: process.raw, events: PollEvents.readable, revents: 0)
        )
        while true {
            do throws(Errno) {
                _ = try withUnsafeMutablePointer(to: &entries) { both throws(Errno) in
                    let both = UnsafeMutableRawPointer(both).assumingMemoryBound(to: cl_pollfd.self)
                    return try poll(both, 2, milliseconds: -1)
                }
            } catch {
                throw Failure("wait for the payload", errno: error)
            }
            // What was said before the end counts: the connection comes first.
            guard entries.0.revents != 0 else { throw Failure.endedEarly }
            guard let (message, text, descriptor) = try receive(connection) else {
                // execve closes the connection; so does an end without a word.
                if isAnnounced { return warnings }
                throw Failure.endedEarly
            }
            switch MessageKind(rawValue: message.kind) {
            case .listener:
                do throws(Failure) {
                    try handOver(descriptor)
                    try proceed(connection)
                } catch {
                    try? send(.kill, to: process)
                    _ = hasEnded(process, within: 1000)
                    throw error
                }
            case .failed: throw Failure(message, text: text)
            case .warning: warnings.append(text)
            case .start: isAnnounced = true
            default: continue
            }
        }
    }

    private func proceed(_ connection: borrowing OwnedFD) throws(Failure) {
        do throws(Errno) { try send(Message(.proceed), over: connection) } catch {
            throw Failure("tell the container's process to go on", errno: error)
        }
    }

    private func receive(_ connection: borrowing OwnedFD) throws(Failure) -> (Message, String, Int32)? {
        do throws(Errno) { return try receiveMessage(from: connection) } catch {
            // The init died with our word unread: nothing of it is left to wait for.
            if error == .connectionReset { throw Failure.endedEarly }
            throw Failure("hear the container's process", errno: error)
        }
    }

    /// Runs the poststart hooks; if one fails the container is destroyed (LC-09).
    private func runPoststart(_ entry: borrowing Entry, _ record: Record) throws(Failure) {
        do throws(Failure) {
            guard let hooks = readHooks(entry) else { throw Failure("run the poststart hooks", detail: "the container's config is gone") }
            let state = record.stateForHooks(.running)
            try runRuntimeHooks(hooks.poststart, kind: .poststart, state: state, bundle: record.bundle)
        } catch {
            _ = try? destroy(entry, record)
            throw error
        }
    }
}

extension Failure {
    /// The init died before its word that the payload comes next.
    fileprivate static let endedEarly = Failure(
        "start the container", detail: "the container's process ended before the payload was started")
}

extension Entry {
    fileprivate func unlinkSocket() throws(Failure) {
        do throws(Errno) { try unlink(File.starting) } catch {
            throw Failure("remove the start socket", "\(path)/\(File.starting)", errno: error)
        }
    }
}

/// Sends a message as a packet of its own.
func send(_ message: Message, over connection: borrowing OwnedFD) throws(Errno) {
    try withUnsafePointer(to: message) { bytes throws(Errno) in
        _ = try kernel(__NR_sendto, connection.number, Int(bitPattern: bytes), Message.size, Socket.doNotSignal)
    }
}

/// Receives a packet and the descriptor that came with it, -1 for none; nil at the connection's end.
func receiveMessage(from connection: borrowing OwnedFD) throws(Errno) -> (Message, String, Int32)? {
    var buffer = [UInt8](repeating: 0, count: Message.size + Message.maximumText)
    let descriptor = connection.number
    let info = try buffer.withUnsafeMutableBufferPointer { buffer throws(Errno) in
        try receivePacket(descriptor, buffer.baseAddress!, buffer.count)
    }
    if info.count == 0 { return nil }
    guard info.count >= Message.size else { throw .badMessage }
    let message = buffer.withUnsafeBytes { $0.loadUnaligned(as: Message.self) }
    return (message, String(decoding: buffer[Message.size..<info.count], as: UTF8.self), info.descriptor)
}

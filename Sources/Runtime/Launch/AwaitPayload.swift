/// From the word "start" or "commit" to the running payload: what its process says until its execve closes the connection.

import CLinux
import Linux
import Plan

/// Reads what the init says until its end of the connection closes, which the payload's execve does.
///
/// A payload whose filter has a listener waits until that is handed over; if it cannot be, the container ends here.
///
/// - Parameters:
///   - process: The process whose end is the container's, or the payload's own.
///   - payload: The payload's pid.
///   - hookPath: The program of a startContainer hook by its number.
func awaitPayload(
    _ connection: borrowing OwnedFD, _ process: borrowing OwnedFD, _ payload: Int32, hookPath: (Int) -> String? = { _ in nil },
    handOver: (Int32) throws(Failure) -> Void
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
            // execve closes the connection; so does an end before it.
            if isAnnounced, hasExecuted(payload, process) { return warnings }
            // Whoever hears of it shall find the container stopped.
            _ = hasEnded(process, within: 3000)
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
        case .failed: throw Failure(message, text: text, hook: (.startContainer, hookPath(Int(message.hook))))
        case .warning: warnings.append(text)
        case .start: isAnnounced = true
        default: continue
        }
    }
}

/// Whether the payload's process, which has closed its connection, did so by execve: it has a new name then.
///
/// One that is gone already had its execve, as far as anybody can tell: the supervising init leaves one that had none in sight for a second,
/// but where the payload is the first process its parent may reap it at once.
private func hasExecuted(_ payload: Int32, _ process: borrowing OwnedFD) -> Bool {
    let unchanged = Array("(\(nameBeforeExecve.description)) ".utf8)
    // execve closes descriptors before it changes the name.
    for _ in 0..<1000 {
        guard let line = try? readText("/proc/\(payload)/stat") else { return true }
        let name = line.utf8.drop { $0 != UInt8(ascii: "(") }
        guard name.starts(with: unchanged) else { return true }
        let state = name.dropFirst(unchanged.count).first
        if state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") { return false }
        _ = hasEnded(process, within: 1)
    }
    return true
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

extension Failure {
    /// The init died before its word that the payload comes next.
    fileprivate static let endedEarly = Failure(
        "start the container", detail: "the container's process ended before the payload was started")
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

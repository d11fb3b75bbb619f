/// The seccomp agent: who answers the calls that a filter asks about. Rows SE-06, SE-18 to SE-20.

import Linux
import Spec

/// Hands a filter's listener to the agent: one connection with one packet, the process's state and the descriptor.
///
/// - Parameters:
///   - record: The container.
///   - pid: The process that the filter binds.
///   - status: The container's.
/// - Source: config-linux.md#containerprocessstate.
func sendListener(
    _ listener: borrowing OwnedFD, of record: Record, _ pid: Int32, _ status: ContainerStatus, _ seccomp: Seccomp
) throws(Failure) {
    guard let path = seccomp.listenerPath?.value else {
        throw Failure("start the container", detail: "the filter has a listener, but the config names no listenerPath")
    }
    let text = processState(record, pid, status, metadata: seccomp.listenerMetadata?.value)
    do throws(Errno) {
        let connection = try connectToStream(path)
        try sendAll(Array(text.utf8), over: connection, descriptor: listener.raw)
    } catch {
        throw Failure(
            "failed to connect with seccomp agent", path, errno: error, hint: "the filter needs its agent before the payload runs")
    }
}

/// The container process state.
func processState(_ record: Record, _ pid: Int32, _ status: ContainerStatus, metadata: String?) -> String {
    var state = State(id: record.id.name, status: status, pid: record.process.pid, bundle: record.bundle)
    state.ociVersion = record.ociVersion
    state.annotations = record.annotations
    var writer = JSONWriter()
    writer.object { writer in
        writer.member("ociVersion", record.ociVersion)
        writer.member("fds", ["seccompFd"])
        writer.member("pid", pid)
        if let metadata { writer.member("metadata", metadata) }
        writer.name("state")
        state.write(to: &writer)
    }
    return writer.string
}

/// Sends all bytes; the descriptor goes with the first.
private func sendAll(_ bytes: [UInt8], over connection: borrowing OwnedFD, descriptor: Int32) throws(Errno) {
    let socket = connection.number
    try bytes.withUnsafeBufferPointer { buffer throws(Errno) in
        var done = 0
        while done < buffer.count {
            done += try sendPacket(socket, buffer.baseAddress! + done, buffer.count - done, descriptor: done == 0 ? descriptor : -1)
        }
    }
}

/// The line to the runtime: the handshake socket during create, then the connection that start makes.

import Linux
import Plan

/// What a failure says beyond its errno.
struct Detail {
    var reason = FailureReason.systemCall
    var value: UInt32 = 0
    var hook: UInt32 = 0
    var milliseconds: UInt32 = 0
    var text: UnsafePointer<CChar>?
    var count = 0

    init() {}

    init(reason: FailureReason, value: UInt32 = 0) {
        self.reason = reason
        self.value = value
    }

    /// A detail whose text is a NUL-terminated string.
    init(reason: FailureReason, value: UInt32 = 0, text: UnsafePointer<CChar>) {
        self.init(reason: reason, value: value)
        self.text = text
        while text[count] != 0 { count += 1 }
    }

    /// A detail whose text is some bytes.
    init(reason: FailureReason, value: UInt32 = 0, text: UnsafeRawPointer, count: Int) {
        self.init(reason: reason, value: value)
        self.text = text.assumingMemoryBound(to: CChar.self)
        self.count = count
    }
}

/// A socket on which messages go to and fro.
struct Channel {
    private let socket: Int32

    init(_ socket: Int32) { self.socket = socket }

    /// Closes the socket.
    func close() {
        _ = OwnedFD(socket)
    }

    /// Sends a message, with a descriptor if there is one.
    func send(_ message: Message, detail: Detail = Detail(), descriptor: Int32 = -1) throws(Errno) {
        var message = message
        try withUnsafePointer(to: &message) { pointer throws(Errno) in
            _ = try sendPacket(
                Int(socket), pointer, Message.size, detail.text.map { UnsafeRawPointer($0) }, min(detail.count, Message.maximumText),
                descriptor: descriptor)
        }
    }

    /// Reports a failed step.
    ///
    /// Nothing more can be done where even that fails: the runtime then sees the socket close.
    func fail(_ error: Errno, _ detail: Detail, step: Int) {
        var message = Message(.failed, value: detail.value)
        message.step = UInt32(step)
        message.errno = error.code
        message.call = error.call
        message.reason = detail.reason.rawValue
        message.hook = detail.hook
        message.milliseconds = detail.milliseconds
        try? send(message, detail: detail)
    }

    /// Waits for the commit; a limit that is to be set comes before.
    ///
    /// Anything else ends the process.
    func awaitLimitOrCommit() -> LimitMessage? {
        var limit = LimitMessage(resource: 0, soft: 0, hard: 0)
        let info = withUnsafeMutablePointer(to: &limit) { pointer in try? receivePacket(Int(socket), pointer, LimitMessage.size) }
        switch (info?.count, MessageKind(rawValue: limit.message.kind)) {
        case (LimitMessage.size, .limit): return limit
        case (Message.size, .commit): return nil
        default: exitProcess(InitStatus.failed)
        }
    }

    /// Waits for the peer's next word; false if it is another one or the peer is gone.
    func awaitWord(_ word: MessageKind) -> Bool {
        var message = Message(.failed)
        let info = withUnsafeMutablePointer(to: &message) { pointer in try? receivePacket(Int(socket), pointer, Message.size) }
        guard let info, info.count == Message.size else { return false }
        return message.kind == word.rawValue
    }
}

/// A connection to a D-Bus peer or bus over a local socket. Source: D-Bus Specification, "Authentication Protocol", "Message Bus".
///
/// One call at a time, every wait with an end. Who we are the kernel tells the other end (EXTERNAL); no identity is sent, so that it is
/// right inside a user namespace as well.

import Linux

/// An authenticated connection.
public struct DBusConnection: ~Copyable {
    private let socket: OwnedFD
    /// What has come in and is not yet used.
    private var buffer: [UInt8] = []
    /// Signals that came in between.
    private var signals: [DBusMessage] = []
    private var lastSerial: UInt32 = 0
    /// The other end's process in our PID namespace; 0 where it cannot be seen from here.
    public let peer: Int32

    /// More signals than this are nobody's who waits for one.
    private static let maximumSignals = 4096

    private init(_ socket: consuming OwnedFD, peer: Int32) {
        self.socket = socket
        self.peer = peer
    }

    /// Connects to a socket.
    ///
    /// - Parameters:
    ///   - path: The socket.
    ///   - isBus: Whether it is a bus's, which wants a greeting, and not a peer's own.
    public static func open(_ path: String, isBus: Bool, until deadline: Int) throws(DBusError) -> DBusConnection {
        let socket = try connected(to: path, until: deadline)
        let peer: Int32
        do throws(Errno) { peer = try peerProcess(socket.number) } catch { throw .system(error) }
        var connection = DBusConnection(socket, peer: peer)
        try connection.authenticate(until: deadline)
        if isBus { _ = try connection.call(bus, "Hello", [], until: deadline) }
        return connection
    }

    /// An object that methods are called on.
    public struct Object: Sendable {
        /// Whose it is.
        public var destination: String
        /// Its path.
        public var path: String
        /// Its interface.
        public var interface: String

        /// Names an object's interface.
        public init(destination: String, path: String, interface: String) {
            self.destination = destination
            self.path = path
            self.interface = interface
        }
    }

    /// The bus itself.
    public static let bus = Object(
        destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus")

    /// Calls a method and waits for its answer.
    public mutating func call(
        _ object: Object, _ method: String, _ arguments: [DBusValue], until deadline: Int
    ) throws(DBusError) -> [DBusValue] {
        var message = DBusMessage(call: method, of: object.interface, on: object.path, at: object.destination, arguments)
        lastSerial += 1
        message.serial = lastSerial
        try send(message.encoded)
        while true {
            let answer = try receive(until: deadline)
            switch answer.kind {
            case .reply where answer.replySerial == message.serial: return try answer.arguments()
            case .error where answer.replySerial == message.serial:
                // An error's text is its first argument, if it has one.
                throw .reply(name: answer.errorName, message: (try? answer.arguments())?.first?.text ?? "")
            case .signal: try keep(answer)
            default: break
            }
        }
    }

    /// Waits for a signal.
    ///
    /// - Parameter isWanted: Tells by its arguments whether it is the one.
    public mutating func signal(
        _ interface: String, _ member: String, until deadline: Int, where isWanted: ([DBusValue]) -> Bool
    ) throws(DBusError) -> [DBusValue] {
        while true {
            let message = signals.isEmpty ? try receive(until: deadline) : signals.removeFirst()
            guard message.kind == .signal, message.interface == interface, message.member == member else { continue }
            let arguments = try message.arguments()
            if isWanted(arguments) { return arguments }
        }
    }

    private mutating func keep(_ signal: DBusMessage) throws(DBusError) {
        if signals.count >= Self.maximumSignals { throw .malformed("a flood of signals") }
        signals.append(signal)
    }

    // MARK: Bytes

    private static func connected(to path: String, until deadline: Int) throws(DBusError) -> OwnedFD {
        let seconds = max(1, (deadline - monotonicMilliseconds()) / 1000)
        do throws(Errno) {
            return OwnedFD(try path.withPath { path throws(Errno) in try connect(to: path, .stream, within: seconds).release() })
        } catch { throw .system(error) }
    }

    /// Says who we are; a server that agrees answers "OK".
    private mutating func authenticate(until deadline: Int) throws(DBusError) {
        try send([0] + Array("AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n".utf8))
        while true {
            let line = try line(until: deadline)
            if line == "OK" || line.hasPrefix("OK ") { return }
            if line != "DATA" && !line.hasPrefix("DATA ") { throw .rejected(line) }
        }
    }

    /// A line of the authentication.
    private mutating func line(until deadline: Int) throws(DBusError) -> String {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[..<end].filter { $0 != UInt8(ascii: "\r") }
                buffer.removeFirst(end + 1)
                return String(decoding: line, as: UTF8.self)
            }
            if buffer.count > 1024 { throw .malformed("a line without an end") }
            try fill(until: deadline)
        }
    }

    private mutating func receive(until deadline: Int) throws(DBusError) -> DBusMessage {
        while true {
            guard let size = try DBusMessage.size(of: buffer), buffer.count >= size else {
                try fill(until: deadline)
                continue
            }
            let message = try DBusMessage.decode(Array(buffer[..<size]))
            buffer.removeFirst(size)
            if let message { return message }
        }
    }

    /// Waits for more bytes.
    private mutating func fill(until deadline: Int) throws(DBusError) {
        let left = deadline - monotonicMilliseconds()
        do throws(Errno) {
            let raw = socket.raw
            if left <= 0 { throw Errno.again }
            let isReady = try poll(raw, timeout: left).first
            if !isReady { throw Errno.again }
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = try chunk.withUnsafeMutableBufferPointer { chunk throws(Errno) in
                try socket.read(into: UnsafeMutableRawPointer(chunk.baseAddress!), count: chunk.count)
            }
            if count == 0 { throw Errno.connectionReset }
            buffer += chunk[..<count]
        } catch {
            throw error == .again ? .timedOut : .system(error)
        }
    }

    private func send(_ bytes: [UInt8]) throws(DBusError) {
        do throws(Errno) {
            let descriptor = socket.number
            try bytes.withUnsafeBufferPointer { bytes throws(Errno) in
                var done = 0
                while done < bytes.count { done += try sendPacket(descriptor, bytes.baseAddress! + done, bytes.count - done) }
            }
        } catch { throw error == .again ? .timedOut : .system(error) }
    }
}

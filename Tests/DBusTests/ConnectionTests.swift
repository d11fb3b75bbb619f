import Foundation
import Linux
import Testing

@testable import DBus

/// A peer that says what it was told to, whatever it hears.
private final class Peer: @unchecked Sendable {
    let path = "/tmp/dbus-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    private let listener: Int32
    private(set) var heard: [UInt8] = []

    /// - Parameter silence: Whether the connection stays open after the last words.
    init(saying words: [[UInt8]], silence: Bool = false) {
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        listen(listener, 1)
        Thread.detachNewThread { [listener] in
            let connection = Glibc.accept(listener, nil, nil)
            for bytes in words {
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = Glibc.read(connection, &buffer, buffer.count)
                self.heard += buffer.prefix(max(0, count))
                _ = bytes.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
            if silence { sleep(3) }
            Glibc.close(connection)
        }
    }

    deinit {
        Glibc.close(listener)
        unlink(path)
    }
}

private let welcome = Array("DATA\r\nOK 0123456789abcdef\r\n".utf8)

private func message(_ kind: DBusMessage.Kind, _ arguments: [DBusValue], _ change: (inout DBusMessage) -> Void) -> [UInt8] {
    var message = DBusMessage(call: "", of: "", on: "", at: "", arguments)
    message.kind = kind
    message.serial = 9
    change(&message)
    return message.encoded
}

private let object = DBusConnection.Object(destination: "a.b", path: "/a", interface: "a.b.C")

@Suite("Connections")
struct ConnectionTests {
    @Test("a call gets its own answer, and a signal that came in before it is kept")
    func call() throws {
        let news = message(.signal, [.uint32(1), .string("done")]) {
            $0.interface = "a.b.C"
            $0.member = "Removed"
        }
        let other = message(.reply, [.string("not this")]) { $0.replySerial = 77 }
        let answer = message(.reply, [.objectPath("/job")]) { $0.replySerial = 1 }
        let peer = Peer(saying: [welcome, news + other + answer])
        var connection = try DBusConnection.open(peer.path, isBus: false, until: monotonicMilliseconds() + 5000)
        #expect(connection.peer == getpid())
        let job = try connection.call(object, "Do", [.string("x")], until: monotonicMilliseconds() + 5000)
        #expect(job == [.objectPath("/job")])
        let signal = try connection.signal("a.b.C", "Removed", until: monotonicMilliseconds() + 5000) { $0.first == .uint32(1) }
        #expect(signal == [.uint32(1), .string("done")])
        #expect(peer.heard.starts(with: [0] + Array("AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n".utf8)))
    }

    @Test("a bus is greeted first")
    func hello() throws {
        let peer = Peer(saying: [welcome, message(.reply, [.string(":1.7")]) { $0.replySerial = 1 }])
        _ = try DBusConnection.open(peer.path, isBus: true, until: monotonicMilliseconds() + 5000)
        #expect(String(decoding: peer.heard, as: UTF8.self).contains("Hello"))
    }

    @Test("an error answer is told with its name and text")
    func errors() throws {
        let answer = message(.error, [.string("no such unit")]) {
            $0.replySerial = 1
            $0.errorName = "a.b.NoSuchUnit"
        }
        let peer = Peer(saying: [welcome, answer])
        var connection = try DBusConnection.open(peer.path, isBus: false, until: monotonicMilliseconds() + 5000)
        #expect(throws: DBusError.reply(name: "a.b.NoSuchUnit", message: "no such unit")) {
            _ = try connection.call(object, "Do", [], until: monotonicMilliseconds() + 5000)
        }
    }

    @Test("who does not let us in is refused")
    func rejected() {
        let peer = Peer(saying: [Array("REJECTED EXTERNAL\r\n".utf8)])
        #expect(throws: DBusError.rejected("REJECTED EXTERNAL")) {
            _ = try DBusConnection.open(peer.path, isBus: false, until: monotonicMilliseconds() + 5000)
        }
    }

    @Test("a peer that says nothing costs no more than the time given")
    func silence() {
        let peer = Peer(saying: [welcome], silence: true)
        let start = monotonicMilliseconds()
        #expect(throws: DBusError.timedOut) {
            var connection = try DBusConnection.open(peer.path, isBus: false, until: start + 300)
            _ = try connection.call(object, "Do", [], until: start + 300)
        }
        #expect(monotonicMilliseconds() - start < 2000)
    }

    @Test("a message of too many bytes, an endless line and a closed connection are errors")
    func hostile() {
        let huge: [UInt8] = [UInt8(ascii: "l"), 2, 0, 1, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0]
        for words in [[welcome, huge], [[UInt8](repeating: UInt8(ascii: "x"), count: 4000)], [welcome]] {
            let peer = Peer(saying: words)
            #expect(throws: DBusError.self) {
                var connection = try DBusConnection.open(peer.path, isBus: false, until: monotonicMilliseconds() + 5000)
                _ = try connection.call(object, "Do", [], until: monotonicMilliseconds() + 5000)
            }
        }
    }

    @Test("a missing socket is told as such")
    func missing() {
        #expect(throws: DBusError.system(.noEntry)) {
            _ = try DBusConnection.open("/nonexistent/socket", isBus: false, until: monotonicMilliseconds() + 1000)
        }
    }
}

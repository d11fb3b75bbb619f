import Foundation
import Testing

@testable import Linux

/// A little-endian number: what the build machines have, and so what a test may write down.
private func bytes32(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { Array($0) } }

@Suite("Routing messages")
struct NetlinkTests {
    @Test("a message is a header, a fixed part, and attributes padded to 4 bytes")
    func encoding() {
        let message = RouteMessage(
            type: 16, fixed: [UInt8](repeating: 7, count: 16), attributes: [RouteAttribute(3, text: "ab"), RouteAttribute(28, number: 5)])
        let body = [UInt8](repeating: 7, count: 16) + [7, 0, 3, 0, 97, 98, 0, 0] + [8, 0, 28, 0, 5, 0, 0, 0]
        #expect(message.encoded(flags: 5, sequence: 9) == bytes32(48) + [16, 0, 5, 0] + bytes32(9) + bytes32(0) + body)
    }

    @Test("replies to another request, and what is cut off, are left out")
    func strangers() {
        let end = RouteMessage(type: 3, fixed: []).encoded(flags: 0, sequence: 4)
        let other = RouteMessage(type: 3, fixed: []).encoded(flags: 0, sequence: 3)
        #expect(RouteReply.parse((other + end + end.dropLast())[...], sequence: 4) == [.end])
        #expect(RouteReply.parse([][...], sequence: 4) == [])
    }

    @Test("an error brings its number and the kernel's words; number 0 is success")
    func errors() {
        let request = [UInt8](repeating: 0, count: 16)
        let refused = RouteMessage(
            type: 2, fixed: bytes32(UInt32(bitPattern: -17)) + request, attributes: [RouteAttribute(1, text: "taken")])
        #expect(
            RouteReply.parse(refused.encoded(flags: 0x300, sequence: 1)[...], sequence: 1) == [
                .refused(RouteError(.exists, message: "taken"))
            ])
        let done = RouteMessage(type: 2, fixed: bytes32(0) + request)
        #expect(RouteReply.parse(done.encoded(flags: 0, sequence: 1)[...], sequence: 1) == [.end])
    }

    /// A message as it comes back from the kernel.
    private func received(_ message: RouteMessage) throws -> RouteMessage {
        guard case .message(let result) = RouteReply.parse(message.encoded(flags: 2, sequence: 1)[...], sequence: 1).first else {
            throw Errno.badMessage
        }
        return result
    }

    @Test("a device is read from its message")
    func device() throws {
        let fixed = [0, 0, 1, 0] + bytes32(12) + bytes32(0x1043) + bytes32(0)
        let message = try received(RouteMessage(type: 16, fixed: fixed, attributes: [RouteAttribute(3, text: "eth0")]))
        #expect(NetworkDevice(message) == NetworkDevice(index: 12, name: "eth0", isUp: true))
        #expect(NetworkDevice(RouteMessage(type: 16, fixed: fixed)) == nil)
        #expect(NetworkDevice(RouteMessage(type: 20, fixed: fixed, attributes: message.attributes)) == nil)
    }

    @Test(
        "what is permanent and global moves with its device (W-04)",
        arguments: [(UInt32(0x80), UInt8(0), true), (0x281, 0, true), (0x80, 253, false), (0x00, 0, false), (0x200, 0, false)])
    func choice(flags: UInt32, scope: UInt8, moves: Bool) throws {
        let message = try received(
            RouteMessage(type: 20, fixed: [2, 24, UInt8(flags & 0xff), scope] + bytes32(3), attributes: [RouteAttribute(8, number: flags)]))
        #expect(NetworkAddress(message)?.isPermanentAndGlobal == moves)
    }

    @Test(
        "an address is asked for anew: what belongs to it stays, its label follows the name",
        arguments: [
            ("cfdev0:six", "eth7", "eth7:six"), ("cfdev0", "eth7", "eth7"), ("cfdev0:1234567", "eth7-longer-x", nil),
            ("other", "eth7", nil),
        ] as [(String, String, String?)])
    func request(label: String, name: String, expected: String?) throws {
        let local = RouteAttribute(2, [10, 0, 0, 1])
        let peer = RouteAttribute(1, [10, 0, 0, 2])
        let lifetime = RouteAttribute(6, [UInt8](repeating: 0xff, count: 16))
        let message = try received(
            RouteMessage(
                type: 20, fixed: [2, 32, 0x80, 0] + bytes32(3),
                attributes: [
                    peer, local, RouteAttribute(3, text: label), RouteAttribute(8, number: 0x282), lifetime, RouteAttribute(99, [1]),
                ]))
        let address = try #require(NetworkAddress(message))
        #expect(address.device == 3)
        let request = address.request(device: NetworkDevice(index: 5, name: name), oldName: "cfdev0")
        #expect(request.fixed == [2, 32, 2, 0] + bytes32(5))
        let labels = expected.map { [RouteAttribute(3, text: $0)] } ?? []
        #expect(request.attributes == [peer, local, lifetime, RouteAttribute(8, number: 0x202)] + labels)
    }

    @Test("the kernel finds loopback and its addresses, and nothing by a name that nobody has")
    func loopback() throws {
        var socket = try RouteSocket()
        let device = try #require(try socket.device(named: "lo"))
        #expect(device.index == 1)
        #expect(try socket.addresses(of: device).allSatisfy { $0.device == 1 })
        #expect(try socket.device(named: "no-such-device") == nil)
    }

    @Test("a socket opened in another network namespace sees that one's devices", .enabled(if: geteuid() == 0))
    func elsewhere() throws {
        let holder = Process()
        holder.executableURL = URL(filePath: "/usr/bin/unshare")
        holder.arguments = ["-n", "sh", "-c", "echo ready; exec sleep 20"]
        let output = Pipe()
        holder.standardOutput = output
        try holder.run()
        defer { holder.terminate() }
        _ = output.fileHandleForReading.availableData
        let namespace = try OwnedFD.open("/proc/\(holder.processIdentifier)/ns/net", .read)
        var socket = try RouteSocket(in: namespace.number)
        let device = try #require(try socket.device(named: "lo"))
        #expect(!device.isUp)
        try socket.setUp(device)
        #expect(try socket.device(named: "lo")?.isUp == true)
        let file = try OwnedFD.open("/dev/null", .read)
        #expect(throws: Errno.invalidArgument) { _ = try RouteSocket(in: file.number) }
    }
}

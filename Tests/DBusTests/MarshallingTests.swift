import Testing

@testable import DBus

@Suite("Marshalling")
struct MarshallingTests {
    static let samples: [(DBusValue, [UInt8])] = [
        (.byte(7), [7]),
        (.boolean(true), [1, 0, 0, 0]),
        (.int32(-2), [0xFE, 0xFF, 0xFF, 0xFF]),
        (.uint64(0x0102_0304), [4, 3, 2, 1, 0, 0, 0, 0]),
        (.string("hi"), [2, 0, 0, 0, 0x68, 0x69, 0]),
        (.objectPath("/"), [1, 0, 0, 0, 0x2F, 0]),
        (.signature("as"), [2, 0x61, 0x73, 0]),
        (.array(of: "y", [.byte(1), .byte(2)]), [2, 0, 0, 0, 1, 2]),
        // Padding to the first element, which does not count, is there without elements too.
        (.array(of: "t", []), [0, 0, 0, 0, 0, 0, 0, 0]),
        (.array(of: "t", [.uint64(1)]), [8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
        (.structure([.byte(1), .uint32(2)]), [1, 0, 0, 0, 2, 0, 0, 0]),
        (.variant(.string("x")), [1, 0x73, 0, 0, 1, 0, 0, 0, 0x78, 0]),
        (.array(of: "{sv}", [.entry(.string("k"), .variant(.byte(9)))]), [12, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x6B, 0, 1, 0x79, 0, 9]),
    ]

    @Test("values become the bytes of the wire format, and these the values again", arguments: samples.indices)
    func roundTrip(index: Int) throws {
        let (value, bytes) = Self.samples[index]
        var writer = DBusWriter()
        writer.write(value)
        // The last sample's length depends on where its entries stand.
        if index < Self.samples.count - 1 { #expect(writer.bytes == bytes) }
        var reader = DBusReader(writer.bytes)
        let read = try reader.read(signature: Array(value.type.utf8))
        #expect(read == [value])
        #expect(reader.isAtEnd)
    }

    @Test("nested values of every type survive the way there and back")
    func nested() throws {
        let value = DBusValue.structure([
            .int16(-3), .uint16(4), .int64(-5), .double(0x4009_21FB_5444_2D18), .boolean(false),
            .array(
                of: "(sv)",
                [.structure([.string("A"), .variant(.strings(["b", ""]))]), .structure([.string("C"), .variant(.bytes([1]))])]),
            .array(of: "as", [.strings([]), .strings(["d"])]),
        ])
        var writer = DBusWriter()
        writer.write(value)
        var reader = DBusReader(writer.bytes)
        let read = try reader.read(signature: Array(value.type.utf8))
        #expect(read == [value])
    }

    static let broken: [(String, [UInt8])] = [
        ("s", [5, 0, 0, 0, 0x61, 0]),
        ("s", [0xFF, 0xFF, 0xFF, 0xFF, 0x61, 0]),
        ("s", [1, 0, 0, 0, 0x61, 1]),
        ("s", [2, 0, 0, 0, 0x61, 0, 0]),
        ("b", [2, 0, 0, 0]),
        ("u", [1, 0, 0]),
        ("yu", [1, 9, 0, 0, 0, 0, 0, 0]),
        ("as", [0xF0, 0xFF, 0xFF, 0x7F]),
        ("au", [6, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]),
        ("v", [2, 0x79, 0x79, 0, 1, 1]),
        ("v", [0, 0]),
        ("(y", [1]),
        ("a", [0, 0, 0, 0]),
        ("z", [0]),
        ("{sv}", [1, 0, 0, 0, 0x6B, 0, 1, 0x79]),
    ]

    @Test("what breaks the format is refused", arguments: broken)
    func refusals(signature: String, bytes: [UInt8]) {
        #expect(throws: DBusError.self) {
            var reader = DBusReader(bytes)
            _ = try reader.read(signature: Array(signature.utf8))
        }
    }

    @Test("values that nest without end are refused")
    func depth() {
        var bytes: [UInt8] = []
        for _ in 0..<200 { bytes += [1, UInt8(ascii: "v"), 0] }
        #expect(throws: DBusError.malformed("values nest too deeply")) {
            var reader = DBusReader(bytes)
            _ = try reader.read(signature: [UInt8(ascii: "v")])
        }
        #expect(throws: DBusError.self) { _ = try completeTypes([UInt8](repeating: UInt8(ascii: "a"), count: 100) + [UInt8(ascii: "y")]) }
    }

    @Test("a call has its header's fields, and is read back as it was")
    func message() throws {
        var call = DBusMessage(
            call: "StopUnit", of: "org.freedesktop.systemd1.Manager", on: "/org/freedesktop/systemd1", at: "org.freedesktop.systemd1",
            [.string("a.scope"), .string("replace")])
        call.serial = 3
        let bytes = call.encoded
        #expect(bytes[0] == UInt8(ascii: "l") && bytes[1] == 1 && bytes[3] == 1)
        let size = try DBusMessage.size(of: bytes)
        #expect(size == bytes.count)
        let read = try DBusMessage.decode(bytes)
        #expect(read == call)
        let arguments = try read?.arguments()
        #expect(arguments == [.string("a.scope"), .string("replace")])
    }

    @Test(
        "messages are refused by their first bytes",
        arguments: [
            // another byte order, another version, 256 MiB of body, 2 MiB of header fields
            [UInt8(ascii: "B"), 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
            [UInt8(ascii: "l"), 1, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
            [UInt8(ascii: "l"), 1, 0, 1, 0, 0, 0, 16, 1, 0, 0, 0, 0, 0, 0, 0],
            [UInt8(ascii: "l"), 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 32, 0],
        ])
    func refusedHeaders(bytes: [UInt8]) {
        #expect(throws: DBusError.self) { _ = try DBusMessage.size(of: bytes) }
    }

    @Test("a reply whose header field has another type is refused, and no prefix or changed byte of a message traps")
    func hostile() throws {
        var reply = DBusMessage(.reply)
        reply.replySerial = 1
        reply.serial = 2
        reply.signature = "sas"
        var body = DBusWriter()
        body.write(.string("unit"))
        body.write(.strings(["a", "b"]))
        reply.body = body.bytes
        let bytes = reply.encoded
        for count in 0..<bytes.count { #expect(throws: DBusError.self) { _ = try DBusMessage.decode(Array(bytes[..<count])) } }
        for index in bytes.indices {
            for value: UInt8 in [0, 1, 0x28, 0x61, 0x76, 0x7F, 0xFF] {
                var changed = bytes
                changed[index] = value
                _ = try? DBusMessage.decode(changed)?.arguments()
            }
        }
    }
}

/// D-Bus messages: header and body. Source: D-Bus Specification, "Message Format".

/// A message.
public struct DBusMessage: Equatable, Sendable {
    /// What a message is.
    public enum Kind: UInt8, Sendable {
        /// A call of a method.
        case call = 1
        /// A method's answer.
        case reply = 2
        /// A method's answer that it failed.
        case error = 3
        /// News without a question.
        case signal = 4
    }

    /// What it is.
    public var kind: Kind
    /// Its number, which its answer names.
    public var serial: UInt32 = 0
    /// The number of the message that it answers.
    public var replySerial: UInt32 = 0
    /// The object.
    public var path = ""
    /// The interface.
    public var interface = ""
    /// The method or signal.
    public var member = ""
    /// The error's name.
    public var errorName = ""
    /// To whom it goes.
    public var destination = ""
    /// The types of its body.
    public var signature = ""
    /// The marshalled arguments.
    public var body: [UInt8] = []

    /// The most bytes that are taken for one message; the specification allows 128 MiB, a service manager needs a few hundred.
    static let maximumSize = 1 << 20
    /// The bytes before the header's fields.
    static let fixedSize = 16

    /// Makes a message of a kind.
    public init(_ kind: Kind) { self.kind = kind }

    /// Makes a call of a method.
    public init(call member: String, of interface: String, on path: String, at destination: String, _ arguments: [DBusValue]) {
        kind = .call
        self.member = member
        self.interface = interface
        self.path = path
        self.destination = destination
        signature = DBusValue.signature(of: arguments)
        var writer = DBusWriter()
        for argument in arguments { writer.write(argument) }
        body = writer.bytes
    }

    /// The arguments.
    public func arguments() throws(DBusError) -> [DBusValue] {
        var reader = DBusReader(body)
        let values = try reader.read(signature: Array(signature.utf8))
        if !reader.isAtEnd { throw .malformed("a body that is longer than its signature says") }
        return values
    }
}

/// The header's fields by their codes.
private enum Field {
    static let path: UInt8 = 1
    static let interface: UInt8 = 2
    static let member: UInt8 = 3
    static let errorName: UInt8 = 4
    static let replySerial: UInt8 = 5
    static let destination: UInt8 = 6
    static let signature: UInt8 = 8
}

private let littleEndian = UInt8(ascii: "l")
private let protocolVersion: UInt8 = 1

extension DBusMessage {
    /// The message as it goes over the wire.
    var encoded: [UInt8] {
        var fields: [DBusValue] = []
        func add(_ code: UInt8, _ value: DBusValue) { fields.append(.structure([.byte(code), .variant(value)])) }
        if !path.isEmpty { add(Field.path, .objectPath(path)) }
        if !interface.isEmpty { add(Field.interface, .string(interface)) }
        if !member.isEmpty { add(Field.member, .string(member)) }
        if !errorName.isEmpty { add(Field.errorName, .string(errorName)) }
        if replySerial != 0 { add(Field.replySerial, .uint32(replySerial)) }
        if !destination.isEmpty { add(Field.destination, .string(destination)) }
        if !signature.isEmpty { add(Field.signature, .signature(signature)) }
        var writer = DBusWriter()
        for byte in [littleEndian, kind.rawValue, 0, protocolVersion] { writer.write(.byte(byte)) }
        writer.write(.uint32(UInt32(body.count)))
        writer.write(.uint32(serial))
        writer.write(.array(of: "(yv)", fields))
        writer.align(8)
        return writer.bytes + body
    }

    /// How many bytes the message has whose first bytes these are; nil where there are too few to know.
    static func size(of bytes: [UInt8]) throws(DBusError) -> Int? {
        if bytes.count < fixedSize { return nil }
        if bytes[0] != littleEndian { throw .malformed("a message in another byte order") }
        if bytes[3] != protocolVersion { throw .malformed("another version of the protocol") }
        let fields = Int(number(bytes, at: 12))
        let size = fixedSize + (fields + 7) / 8 * 8 + Int(number(bytes, at: 4))
        if size > maximumSize { throw .malformed("a message of \(size) bytes, more than \(maximumSize)") }
        return size
    }

    /// Reads a whole message; nil for one of a kind that is to be ignored.
    static func decode(_ bytes: [UInt8]) throws(DBusError) -> DBusMessage? {
        guard let size = try size(of: bytes), size == bytes.count else { throw .malformed("a message that is too short") }
        var reader = DBusReader(bytes)
        let header = try reader.read(signature: Array("yyyyuua(yv)".utf8))
        try reader.align(8)
        guard let kind = Kind(rawValue: bytes[1]), case .array(_, let fields) = header[6] else { return nil }
        var message = DBusMessage(kind)
        message.serial = number(bytes, at: 8)
        for field in fields {
            guard case .structure(let members) = field, case .byte(let code) = members[0], case .variant(let value) = members[1] else {
                throw .malformed("a header field that is none")
            }
            try message.take(code, value)
        }
        message.body = Array(bytes[reader.offset...])
        return message
    }

    /// Takes over a header field; those that nobody here asks for are left out.
    private mutating func take(_ code: UInt8, _ value: DBusValue) throws(DBusError) {
        switch (code, value) {
        case (Field.path, .objectPath(let text)): path = text
        case (Field.interface, .string(let text)): interface = text
        case (Field.member, .string(let text)): member = text
        case (Field.errorName, .string(let text)): errorName = text
        case (Field.replySerial, .uint32(let number)): replySerial = number
        case (Field.destination, .string(let text)): destination = text
        case (Field.signature, .signature(let text)): signature = text
        case (1...6, _), (Field.signature, _): throw .malformed("a header field of another type")
        default: break
        }
    }

    private static func number(_ bytes: [UInt8], at offset: Int) -> UInt32 {
        var number: UInt32 = 0
        for index in 0..<4 { number |= UInt32(bytes[offset + index]) << UInt32(8 * index) }
        return number
    }
}

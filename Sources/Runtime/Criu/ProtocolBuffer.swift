/// Protocol buffers' wire format, as much of it as criu's messages and images need: numbers and byte strings with field numbers.
///
/// Source: protobuf.dev, "Encoding".

/// A message as it is put together.
struct ProtocolBufferWriter {
    private(set) var bytes: [UInt8] = []

    /// Adds a number; a negative one takes ten bytes, as int32 has it.
    mutating func add(_ field: Int, _ value: Int) { add(field, UInt64(bitPattern: Int64(value))) }

    /// Adds an unsigned number.
    mutating func add(_ field: Int, _ value: UInt64) {
        varint(UInt64(field) << 3)
        varint(value)
    }

    /// Adds a truth value.
    mutating func add(_ field: Int, _ value: Bool) { add(field, value ? 1 : UInt64(0)) }

    /// Adds a string.
    mutating func add(_ field: Int, _ value: String) { add(field, Array(value.utf8)) }

    /// Adds a string, if there is one.
    mutating func add(_ field: Int, ifAny value: String?) {
        if let value { add(field, value) }
    }

    /// Adds a message or another string of bytes.
    mutating func add(_ field: Int, _ value: [UInt8]) {
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(value.count))
        bytes += value
    }

    /// Adds a message that is put together here.
    mutating func add(_ field: Int, _ body: (inout ProtocolBufferWriter) -> Void) {
        var message = ProtocolBufferWriter()
        body(&message)
        add(field, message.bytes)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// The fields of a message that are numbers or byte strings, in their order.
struct ProtocolBufferFields {
    /// One field.
    struct Field: Equatable {
        var number: Int
        /// Its value where it is a number.
        var integer: UInt64 = 0
        /// Its value where it is a string or a message.
        var bytes: [UInt8] = []
    }

    private(set) var fields: [Field] = []

    /// Takes a message apart; nil for what is none.
    init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let key = rest.popVarint(), key >> 3 <= Int32.max else { return nil }
            var field = Field(number: Int(key >> 3))
            switch key & 7 {
            case 0:
                guard let value = rest.popVarint() else { return nil }
                field.integer = value
            case 1:
                guard rest.count >= 8 else { return nil }
                rest = rest.dropFirst(8)
            case 2:
                guard let count = rest.popVarint(), count <= UInt64(rest.count) else { return nil }
                field.bytes = Array(rest.prefix(Int(count)))
                rest = rest.dropFirst(Int(count))
            case 5:
                guard rest.count >= 4 else { return nil }
                rest = rest.dropFirst(4)
            default: return nil
            }
            fields.append(field)
        }
    }

    /// The last value of a number.
    func integer(_ number: Int) -> UInt64? { fields.last { $0.number == number }?.integer }

    /// The last value of a string or message.
    func bytes(_ number: Int) -> [UInt8]? { fields.last { $0.number == number }?.bytes }

    /// The last value of a string.
    func string(_ number: Int) -> String? { bytes(number).map { String(decoding: $0, as: UTF8.self) } }
}

extension ArraySlice<UInt8> {
    /// Takes a number of variable length off the front.
    fileprivate mutating func popVarint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = popFirst(), shift < 64 {
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }
}

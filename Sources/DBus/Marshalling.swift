/// Values to bytes and back. Source: D-Bus Specification, "Marshaling (Wire Format)".
///
/// Both ends are on one machine, so only its byte order, little-endian, is spoken. What comes in is not trusted: every length is checked
/// against what is there, and nesting is bounded.

/// The boundary on which values of a type begin, given the type's first character.
private func alignment(_ type: UInt8) -> Int {
    switch type {
    case UInt8(ascii: "n"), UInt8(ascii: "q"): 2
    case UInt8(ascii: "b"), UInt8(ascii: "i"), UInt8(ascii: "u"), UInt8(ascii: "s"), UInt8(ascii: "o"), UInt8(ascii: "a"): 4
    case UInt8(ascii: "x"), UInt8(ascii: "t"), UInt8(ascii: "d"), UInt8(ascii: "("), UInt8(ascii: "{"): 8
    default: 1
    }
}

/// Writes values.
struct DBusWriter {
    private(set) var bytes: [UInt8] = []

    /// Pads with zeros up to a boundary.
    mutating func align(_ boundary: Int) {
        while bytes.count % boundary != 0 { bytes.append(0) }
    }

    mutating func write(_ value: DBusValue) {
        switch value {
        case .byte(let number): bytes.append(number)
        case .boolean(let truth): integer(UInt32(truth ? 1 : 0))
        case .int16(let number): integer(number)
        case .uint16(let number): integer(number)
        case .int32(let number): integer(number)
        case .uint32(let number): integer(number)
        case .int64(let number): integer(number)
        case .uint64(let number), .double(let number): integer(number)
        case .string(let text), .objectPath(let text):
            integer(UInt32(text.utf8.count))
            bytes += Array(text.utf8)
            bytes.append(0)
        case .signature(let text):
            bytes.append(UInt8(truncatingIfNeeded: text.utf8.count))
            bytes += Array(text.utf8)
            bytes.append(0)
        case .array(let element, let values): array(element, values)
        case .structure(let members):
            align(8)
            for member in members { write(member) }
        case .entry(let key, let value):
            align(8)
            write(key)
            write(value)
        case .variant(let value):
            write(.signature(value.type))
            write(value)
        }
    }

    private mutating func array(_ element: String, _ values: [DBusValue]) {
        integer(UInt32(0))
        let place = bytes.count - 4
        align(alignment(element.utf8.first ?? 0))
        let start = bytes.count
        for value in values { write(value) }
        // The length is that of the elements, without the padding before the first.
        let length = UInt32(bytes.count - start)
        for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: length >> UInt32(8 * index)) }
    }

    private mutating func integer<Number: FixedWidthInteger>(_ number: Number) {
        let size = Number.bitWidth / 8
        align(size)
        for index in 0..<size { bytes.append(UInt8(truncatingIfNeeded: number >> Number(8 * index))) }
    }
}

/// Reads values.
struct DBusReader {
    private let bytes: [UInt8]
    private(set) var offset = 0
    private let end: Int

    /// How deep values may nest; the specification allows 64.
    static let maximumDepth = 64

    /// Reads of bytes from their start, up to an end.
    init(_ bytes: [UInt8], end: Int? = nil) {
        self.bytes = bytes
        self.end = end ?? bytes.count
    }

    var isAtEnd: Bool { offset == end }

    mutating func align(_ boundary: Int) throws(DBusError) {
        while offset % boundary != 0 {
            if try byte() != 0 { throw .malformed("padding that is not zero") }
        }
    }

    /// The values that a signature announces.
    mutating func read(signature: [UInt8], depth: Int = 0) throws(DBusError) -> [DBusValue] {
        var values: [DBusValue] = []
        for type in try completeTypes(signature) { values.append(try read(type, depth: depth)) }
        return values
    }

    /// A value of one complete type.
    private mutating func read(_ type: [UInt8], depth: Int) throws(DBusError) -> DBusValue {
        if depth > DBusReader.maximumDepth { throw .malformed("values nest too deeply") }
        switch type[0] {
        case UInt8(ascii: "y"): return .byte(try byte())
        case UInt8(ascii: "b"):
            let number: UInt32 = try integer()
            if number > 1 { throw .malformed("a boolean that is neither 0 nor 1") }
            return .boolean(number == 1)
        case UInt8(ascii: "n"): return .int16(try integer())
        case UInt8(ascii: "q"): return .uint16(try integer())
        case UInt8(ascii: "i"): return .int32(try integer())
        case UInt8(ascii: "u"): return .uint32(try integer())
        case UInt8(ascii: "x"): return .int64(try integer())
        case UInt8(ascii: "t"): return .uint64(try integer())
        case UInt8(ascii: "d"): return .double(try integer())
        case UInt8(ascii: "s"): return .string(try text(Int(try integer() as UInt32)))
        case UInt8(ascii: "o"): return .objectPath(try text(Int(try integer() as UInt32)))
        case UInt8(ascii: "g"): return .signature(try text(Int(try byte())))
        case UInt8(ascii: "a"): return try array(Array(type.dropFirst()), depth: depth)
        case UInt8(ascii: "("):
            try align(8)
            return .structure(try read(signature: Array(type.dropFirst().dropLast()), depth: depth + 1))
        case UInt8(ascii: "{"):
            try align(8)
            let members = try read(signature: Array(type.dropFirst().dropLast()), depth: depth + 1)
            if members.count != 2 { throw .malformed("a dictionary entry without key and value") }
            return .entry(members[0], members[1])
        case UInt8(ascii: "v"):
            let signature = Array(try text(Int(try byte())).utf8)
            let values = try read(signature: signature, depth: depth + 1)
            if values.count != 1 { throw .malformed("a variant of not exactly one value") }
            return .variant(values[0])
        default: throw .malformed("an unknown type")
        }
    }

    private mutating func array(_ element: [UInt8], depth: Int) throws(DBusError) -> DBusValue {
        let length = Int(try integer() as UInt32)
        try align(alignment(element[0]))
        if length > end - offset { throw .malformed("an array that is longer than its message") }
        let stop = offset + length
        var values: [DBusValue] = []
        while offset < stop { values.append(try read(element, depth: depth + 1)) }
        if offset != stop { throw .malformed("an array whose last element does not fit") }
        return .array(of: String(decoding: element, as: UTF8.self), values)
    }

    private mutating func byte() throws(DBusError) -> UInt8 {
        if offset >= end { throw .malformed("a message that is too short") }
        offset += 1
        return bytes[offset - 1]
    }

    private mutating func integer<Number: FixedWidthInteger>() throws(DBusError) -> Number {
        let size = Number.bitWidth / 8
        try align(size)
        var number: Number = 0
        for index in 0..<size { number |= Number(truncatingIfNeeded: try byte()) << Number(8 * index) }
        return number
    }

    /// A text of so many bytes, and the NUL that ends it.
    private mutating func text(_ length: Int) throws(DBusError) -> String {
        if length >= end - offset { throw .malformed("a text that is longer than its message") }
        let text = bytes[offset..<(offset + length)]
        offset += length
        if try byte() != 0 || text.contains(0) { throw .malformed("a text with a NUL inside or none at its end") }
        return String(decoding: text, as: UTF8.self)
    }
}

/// A signature's complete types: "sa(sv)" is "s" and "a(sv)".
func completeTypes(_ signature: [UInt8]) throws(DBusError) -> [[UInt8]] {
    if signature.count > 255 { throw .malformed("a signature of more than 255 bytes") }
    var types: [[UInt8]] = []
    var start = 0
    while start < signature.count {
        let end = try endOfType(signature, start, depth: 0)
        types.append(Array(signature[start..<end]))
        start = end
    }
    return types
}

/// Where the complete type that begins at an index ends.
private func endOfType(_ signature: [UInt8], _ start: Int, depth: Int) throws(DBusError) -> Int {
    if start >= signature.count || depth > 32 { throw .malformed("a signature that is incomplete or nests too deeply") }
    switch signature[start] {
    case UInt8(ascii: "a"): return try endOfType(signature, start + 1, depth: depth + 1)
    case UInt8(ascii: "("), UInt8(ascii: "{"):
        let close = signature[start] == UInt8(ascii: "(") ? UInt8(ascii: ")") : UInt8(ascii: "}")
        var at = start + 1
        repeat { at = try endOfType(signature, at, depth: depth + 1) } while at < signature.count && signature[at] != close
        if at >= signature.count { throw .malformed("a signature with an open bracket") }
        return at + 1
    default: return start + 1
    }
}

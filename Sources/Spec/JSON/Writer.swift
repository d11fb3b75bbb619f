/// Writing JSON: the caller says what comes next, the writer puts commas, indents and escapes.
///
/// Hundreds of places write a member, so what does it is not to be copied there.

/// A JSON text while it is written.
public struct JSONWriter {
    /// The text so far.
    public private(set) var bytes: [UInt8] = []
    private let isPretty: Bool
    /// For each open container whether it has a value already.
    private var open: [Bool] = []
    private var followsName = false

    /// Starts a text: compact, or with a line for each value and two spaces a level.
    public init(pretty: Bool = false) { isPretty = pretty }

    /// The text so far.
    public var string: String { String(decoding: bytes, as: UTF8.self) }

    /// Writes an object whose members the function writes.
    public mutating func object<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        begin(UInt8(ascii: "{"))
        try body(&self)
        end(UInt8(ascii: "}"))
    }

    /// Writes an array whose elements the function writes.
    public mutating func array<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        begin(UInt8(ascii: "["))
        try body(&self)
        end(UInt8(ascii: "]"))
    }

    /// Writes a member's name; its value comes next.
    @inline(never)
    public mutating func name(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        if isPretty { bytes.append(UInt8(ascii: " ")) }
        followsName = true
    }

    /// Writes a string.
    @inline(never)
    public mutating func value(_ value: String) {
        separate()
        quote(value)
    }

    /// Writes a truth value.
    public mutating func value(_ value: Bool) { raw(value ? "true" : "false") }

    /// Writes an integer.
    public mutating func value<Integer: FixedWidthInteger>(_ value: Integer) { raw(String(value)) }

    /// Writes null.
    public mutating func null() { raw("null") }

    /// Writes a text that is JSON already.
    @inline(never)
    public mutating func raw(_ json: String) {
        separate()
        bytes.append(contentsOf: json.utf8)
    }

    /// Writes a member with a string.
    @inline(never)
    public mutating func member(_ name: String, _ value: String) {
        self.name(name)
        self.value(value)
    }

    /// Writes a member with a truth value.
    public mutating func member(_ name: String, _ value: Bool) {
        self.name(name)
        self.value(value)
    }

    /// Writes a member with an integer.
    public mutating func member<Integer: FixedWidthInteger>(_ name: String, _ value: Integer) {
        self.name(name)
        self.value(value)
    }

    /// Writes a member with an array of strings.
    @inline(never)
    public mutating func member(_ name: String, _ values: [String]) {
        self.name(name)
        array { writer in
            for value in values { writer.value(value) }
        }
    }

    /// Writes a member with an object.
    public mutating func object<E: Error>(_ name: String, _ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        self.name(name)
        try object(body)
    }

    /// Writes a member with an array.
    public mutating func array<E: Error>(_ name: String, _ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        self.name(name)
        try array(body)
    }

    /// A string as JSON has it, in quotes.
    public static func quoted(_ string: String) -> String {
        var writer = JSONWriter()
        writer.value(string)
        return writer.string
    }

    @inline(never)
    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        open.append(false)
    }

    @inline(never)
    private mutating func end(_ bracket: UInt8) {
        if open.removeLast() { breakLine() }
        bytes.append(bracket)
    }

    /// What stands between the last value and the next.
    @inline(never)
    private mutating func separate() {
        if followsName {
            followsName = false
            return
        }
        guard let last = open.indices.last else { return }
        if open[last] { bytes.append(UInt8(ascii: ",")) }
        open[last] = true
        breakLine()
    }

    @inline(never)
    private mutating func breakLine() {
        guard isPretty else { return }
        bytes.append(UInt8(ascii: "\n"))
        for _ in open { bytes.append(contentsOf: [UInt8(ascii: " "), UInt8(ascii: " ")]) }
    }

    /// Escapes what RFC 8259 says must be: quotes, backslashes, control characters (DEL too, for terminals' sake).
    @inline(never)
    private mutating func quote(_ string: String) {
        bytes.append(UInt8(ascii: "\""))
        if string.utf8.contains(where: JSONWriter.mustBeEscaped) { escape(string) } else { bytes.append(contentsOf: string.utf8) }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func mustBeEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
    }

    private mutating func escape(_ string: String) {
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): escape(byte)
            case UInt8(ascii: "\n"): escape(UInt8(ascii: "n"))
            case UInt8(ascii: "\r"): escape(UInt8(ascii: "r"))
            case UInt8(ascii: "\t"): escape(UInt8(ascii: "t"))
            case 0..<0x20, 0x7F:
                escape(UInt8(ascii: "u"))
                for digit in [0, 0, byte >> 4, byte & 15] {
                    bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
                }
            default: bytes.append(byte)
            }
        }
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
    }
}

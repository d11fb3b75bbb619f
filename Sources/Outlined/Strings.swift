/// Strings put together, compared and decoded by calls.

extension DefaultStringInterpolation {
    /// Appends a literal part.
    public mutating func appendLiteral(_ literal: String) { append(literal) }

    /// Appends a string.
    public mutating func appendInterpolation(_ text: String) { append(text) }

    /// Appends a number in decimal digits.
    @inline(never)
    public mutating func appendInterpolation<Integer: BinaryInteger>(_ number: Integer) { append(number.description) }

    @inline(never)
    private mutating func append(_ text: String) { text.write(to: &self) }
}

extension String {
    /// Appends a string.
    @inline(never)
    public static func += (text: inout String, more: String) { text.append(more) }

    /// Whether two strings are canonically equivalent.
    @inline(never)
    public static func == (left: String, right: String) -> Bool { areEqual(left, right) }

    /// Makes a string of UTF-8; what is none becomes U+FFFD.
    @inline(never)
    public init<Bytes: Collection>(decoding bytes: Bytes, as encoding: UTF8.Type) where Bytes.Element == UInt8 {
        self = decoded(bytes, encoding)
    }
}

// The library's own functions, reached by what they conform to: by their names we would only find those above.

private func areEqual<Value: Equatable>(_ left: Value, _ right: Value) -> Bool { left == right }

private func decoded<Bytes: Collection, Encoding: UnicodeCodec>(_ bytes: Bytes, _ encoding: Encoding.Type) -> String
where Bytes.Element == Encoding.CodeUnit {
    String(decoding: bytes, as: encoding)
}

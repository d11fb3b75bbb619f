/// Integers out of a number's text, exactly: nothing goes through a floating point type (G-06).

/// What a number is to someone who wants an integer.
enum JSONNumber<Integer: FixedWidthInteger> {
    /// An integer, written as one.
    case integer(Integer)
    /// An integer, written as `1e3` or `2.0`.
    case integralFloat(Integer)
    /// A fraction.
    case fraction
    /// Too large or too small for the type.
    case outOfRange
    /// No number at all.
    case notANumber
}

extension JSONValue {
    /// The number as an integer of a type.
    func number<Integer: FixedWidthInteger>(as type: Integer.Type = Integer.self) -> JSONNumber<Integer> {
        guard kind == .number else { return .notANumber }
        return JSONText(document: document, index: index).withBytes { parse($0) }
    }
}

private func parse<Integer: FixedWidthInteger>(_ text: UnsafeBufferPointer<UInt8>) -> JSONNumber<Integer> {
    var magnitude: UInt64 = 0
    var index = 0
    let isNegative = text[0] == UInt8(ascii: "-")
    if isNegative { index = 1 }
    while index < text.count {
        let digit = UInt64(text[index] &- UInt8(ascii: "0"))
        guard digit < 10 else { return parseFloat(text, isNegative: isNegative) }
        guard append(digit, to: &magnitude) else {
            return text.contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
                ? parseFloat(text, isNegative: isNegative) : .outOfRange
        }
        index += 1
    }
    return signed(magnitude, isNegative: isNegative).map { .integer($0) } ?? .outOfRange
}

/// Digits, point and exponent: the value is the digits times a power of ten.
private func parseFloat<Integer: FixedWidthInteger>(_ text: UnsafeBufferPointer<UInt8>, isNegative: Bool) -> JSONNumber<Integer> {
    var exponent = 0
    var digitsEnd = text.count
    if let mark = text.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) {
        digitsEnd = mark
        var index = mark + 1
        let isSmall = text[index] == UInt8(ascii: "-")
        if isSmall || text[index] == UInt8(ascii: "+") { index += 1 }
        while index < text.count {
            // Beyond a million the digits no longer matter.
            exponent = min(exponent * 10 + Int(text[index] - UInt8(ascii: "0")), 1_000_000_000)
            index += 1
        }
        if isSmall { exponent = -exponent }
    }
    if let point = text.firstIndex(of: UInt8(ascii: ".")) { exponent -= digitsEnd - point - 1 }
    // Zeros at the end belong to the exponent.
    var last = digitsEnd - 1
    while last >= 0, text[last] == UInt8(ascii: "0") || text[last] == UInt8(ascii: ".") {
        if text[last] == UInt8(ascii: "0") { exponent += 1 }
        last -= 1
    }
    if last < 0 || text[last] == UInt8(ascii: "-") { return .integralFloat(0) }
    if exponent < 0 { return .fraction }
    var magnitude: UInt64 = 0
    for index in 0...last {
        let digit = UInt64(text[index] &- UInt8(ascii: "0"))
        if digit < 10, !append(digit, to: &magnitude) { return .outOfRange }
    }
    // A magnitude of at least 1 overflows within 20 rounds.
    for _ in 0..<min(exponent, 32) where !append(0, to: &magnitude) { return .outOfRange }
    return signed(magnitude, isNegative: isNegative).map { .integralFloat($0) } ?? .outOfRange
}

/// Whether there was room for one more decimal digit.
private func append(_ digit: UInt64, to magnitude: inout UInt64) -> Bool {
    let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
    let (sum, carry) = product.addingReportingOverflow(digit)
    magnitude = sum
    return !overflow && !carry
}

private func signed<Integer: FixedWidthInteger>(_ magnitude: UInt64, isNegative: Bool) -> Integer? {
    if !isNegative { return Integer(exactly: magnitude) }
    if magnitude == 1 << 63 { return Integer(exactly: Int64.min) }
    guard let value = Int64(exactly: magnitude) else { return nil }
    return Integer(exactly: -value)
}

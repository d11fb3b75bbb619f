/// What yajl lets pass in strings: overlong UTF-8, surrogates, NUL.

/// Where the first byte is that does not belong to well-formed UTF-8.
///
/// Source: RFC 3629; Unicode table 3-7.
func firstInvalidUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    let raw = UnsafeRawBufferPointer(bytes)
    let count = bytes.count
    var index = 0
    while index < count {
        // Eight ASCII bytes at a time: configs are hardly anything else.
        while index + 8 <= count, raw.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 { index += 8 }
        guard index < count else { return nil }
        let first = bytes[index]
        if first < 0x80 {
            index += 1
            continue
        }
        // The second byte's range shuts out overlong forms, surrogates and what is above U+10FFFF.
        let form: (length: Int, second: ClosedRange<UInt8>)
        switch first {
        case 0xC2...0xDF: form = (2, 0x80...0xBF)
        case 0xE0: form = (3, 0xA0...0xBF)
        case 0xED: form = (3, 0x80...0x9F)
        case 0xE1...0xEF: form = (3, 0x80...0xBF)
        case 0xF0: form = (4, 0x90...0xBF)
        case 0xF1...0xF3: form = (4, 0x80...0xBF)
        case 0xF4: form = (4, 0x80...0x8F)
        default: return index
        }
        guard index + form.length <= count, form.second.contains(bytes[index + 1]) else { return index }
        for offset in 2..<max(form.length, 2) where bytes[index + offset] & 0xC0 != 0x80 { return index }
        index += form.length
    }
    return nil
}

/// The first escape of a string token that stands for NUL or for half a surrogate pair.
func firstForbiddenEscape(_ token: UnsafeBufferPointer<UInt8>) -> (offset: Int, message: String)? {
    var index = 0
    while index + 1 < token.count {
        guard token[index] == UInt8(ascii: "\\") else {
            index += 1
            continue
        }
        guard let unit = escapedUnit(token, at: index) else {
            index += 2
            continue
        }
        switch unit {
        case 0: return (index, "a string may not contain NUL")
        case 0xD800...0xDBFF:
            guard let low = escapedUnit(token, at: index + 6), (0xDC00...0xDFFF).contains(low) else {
                return (index, "half of a surrogate pair")
            }
            index += 12
        case 0xDC00...0xDFFF: return (index, "half of a surrogate pair")
        default: index += 6
        }
    }
    return nil
}

/// The number in `\uXXXX`.
private func escapedUnit(_ token: UnsafeBufferPointer<UInt8>, at index: Int) -> UInt32? {
    guard index + 6 <= token.count, token[index] == UInt8(ascii: "\\"), token[index + 1] == UInt8(ascii: "u") else { return nil }
    var unit: UInt32 = 0
    for offset in 2..<6 {
        let byte = token[index + offset]
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "0"))
        default: unit = unit << 4 | UInt32((byte | 0x20) &- UInt8(ascii: "a") &+ 10)
        }
    }
    return unit
}

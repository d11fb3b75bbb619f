/// Reading typed values out of a document. Nothing here stops at a problem: it is noted, and the value counts as absent.

/// A pass over a document with what it has found.
struct Reader {
    let document: JSONDocument
    var findings = Findings()

    init(_ document: JSONDocument) { self.document = document }

    // MARK: Containers

    /// The members of an object that are not null (G-07).
    mutating func members(_ value: JSONValue, _ row: String) -> JSONMembers {
        if value.kind != .object { mismatch(value, "an object", row) }
        return JSONMembers(value, skipsNull: true)
    }

    /// The elements of an array.
    mutating func elements(_ value: JSONValue, _ row: String) -> JSONElements {
        if value.kind != .array { mismatch(value, "an array", row) }
        return value.elements
    }

    // MARK: Scalars

    mutating func string(_ value: JSONValue, _ row: String) -> String? {
        text(value, row)?.string
    }

    mutating func text(_ value: JSONValue, _ row: String) -> JSONText? {
        if let text = value.text { return text }
        let hint = value.kind == .number || value.kind == .bool ? "write it in quotes" : nil
        mismatch(value, "a string", hint: hint, row)
        return nil
    }

    mutating func located(_ value: JSONValue, _ row: String) -> Located<String>? {
        string(value, row).map { Located($0, value.origin) }
    }

    mutating func bool(_ value: JSONValue, _ row: String) -> Bool? {
        if let bool = value.bool { return bool }
        mismatch(value, "true or false", row)
        return nil
    }

    mutating func locatedBool(_ value: JSONValue, _ row: String) -> Located<Bool>? {
        bool(value, row).map { Located($0, value.origin) }
    }

    /// An integer of a type, or of a part of its range.
    mutating func integer<Integer: FixedWidthInteger>(
        _ value: JSONValue, in range: ClosedRange<Integer> = Integer.min...Integer.max, _ row: String
    ) -> Integer? {
        let integer: Integer
        switch value.number(as: Integer.self) {
        case .integer(let number): integer = number
        case .integralFloat(let number):
            findings.warning(value.origin, "an integer should be written without point and exponent", got: shown(value), "G-06")
            integer = number
        case .fraction, .notANumber:
            let hint = value.kind == .string ? "write it without quotes" : nil
            mismatch(value, "an integer", hint: hint, row)
            return nil
        case .outOfRange:
            outOfRange(value, range, row)
            return nil
        }
        guard range.contains(integer) else {
            outOfRange(value, range, row)
            return nil
        }
        return integer
    }

    mutating func locatedInteger<Integer: FixedWidthInteger>(
        _ value: JSONValue, in range: ClosedRange<Integer> = Integer.min...Integer.max, _ row: String
    ) -> Located<Integer>? {
        integer(value, in: range, row).map { Located($0, value.origin) }
    }

    // MARK: Lists

    mutating func strings(_ value: JSONValue, _ row: String) -> [String] {
        var result: [String] = []
        result.reserveCapacity(value.count)
        for element in elements(value, row) {
            if let string = string(element, row) { result.append(string) }
        }
        return result
    }

    mutating func locatedStrings(_ value: JSONValue, _ row: String) -> [Located<String>] {
        var result: [Located<String>] = []
        result.reserveCapacity(value.count)
        for element in elements(value, row) {
            if let string = located(element, row) { result.append(string) }
        }
        return result
    }

    /// The members of an object whose values are strings.
    mutating func pairs(_ value: JSONValue, _ row: String) -> [Pair] {
        var result: [Pair] = []
        result.reserveCapacity(value.count)
        for member in members(value, row) {
            guard let string = string(member.value, row) else { continue }
            result.append(Pair(key: member.key, value: string, origin: member.value.origin))
        }
        return result
    }

    // MARK: Names

    /// The value that a name stands for.
    mutating func choice<Value>(_ value: JSONValue, _ kind: String, _ table: [Named<Value>], _ row: String) -> Value? {
        guard let text = text(value, row) else { return nil }
        if let found = find(text, in: table) { return found }
        findings.error(value.origin, "unknown \(kind)", got: shown(value), hint: suggestion(for: text.string, among: names(of: table)), row)
        return nil
    }

    // MARK: Problems

    mutating func mismatch(_ value: JSONValue, _ expected: String, hint: String? = nil, _ row: String) {
        findings.error(value.origin, "must be \(expected)", got: shown(value), hint: hint, row)
    }

    private mutating func outOfRange<Integer: FixedWidthInteger>(_ value: JSONValue, _ range: ClosedRange<Integer>, _ row: String) {
        findings.error(value.origin, "must be in \(range.lowerBound)...\(range.upperBound)", got: shown(value), row)
    }

    /// Notes that an object has no member of a name.
    ///
    /// Says nothing where the member is there but was no good, as that is noted already.
    mutating func missing(_ name: StaticString, in object: JSONValue, _ row: String) {
        guard object.kind == .object else { return }
        guard let member = object[name] else {
            findings.error(object.origin, "\"\(name.text)\" is required", row)
            return
        }
        if member.kind == .null { findings.error(member.origin, "required property is null", "G-07") }
    }

    /// Notes a member that no version of the specification has.
    ///
    /// The names are those that it could have meant, with spaces between (G-04).
    mutating func unknown(_ member: JSONMember, among names: StaticString) {
        if findings.isFull { return }
        let known = names.text.split(separator: " ").map { String($0) }
        let hint = nearest(to: member.key, among: known).map { "did you mean \"\($0)\"?" }
        findings.note(member.nameOrigin, "unknown property is ignored", hint: hint, "G-04")
    }

    /// A value for people: scalars as they stand in the text, containers by their kind.
    func shown(_ value: JSONValue) -> String {
        switch value.kind {
        case .array: return "an array"
        case .object: return "an object"
        case .null, .bool, .number, .string: break
        }
        let raw = document.bytes(of: value.origin)
        if raw.count <= 80 { return String(decoding: raw, as: UTF8.self) }
        var end = raw.startIndex + 76
        while end > raw.startIndex, raw[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: raw[..<end], as: UTF8.self) + "..."
    }
}

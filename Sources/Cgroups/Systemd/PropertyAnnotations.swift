/// Annotations `org.systemd.property.NAME` as properties of the container's unit.
///
/// Annotations may come from people who are not trusted with the host, and among systemd's properties there are some that run commands
/// or start, stop or restart other units (CVE-2024-3154): so only those of the list below are taken, each with its type. Their values
/// are in GVariant's text format, as runc and crun take them.

import DBus
import Spec

/// What a property holds.
private enum Holding {
    case text(of: [StaticString])
    case truth
    case signal
    /// Microseconds.
    case time
    case units
}

/// The properties that a container may set: how it is stopped and collected, and in what order.
///
/// Source: systemd.scope(5), systemd.kill(5), systemd.unit(5).
private let allowed: [(name: String, holding: Holding)] = [
    ("After", .units),
    ("Before", .units),
    ("CollectMode", .text(of: ["inactive", "inactive-or-failed"])),
    ("DefaultDependencies", .truth),
    ("FinalKillSignal", .signal),
    ("IgnoreOnIsolate", .truth),
    ("KillMode", .text(of: ["control-group", "mixed", "process"])),
    ("KillSignal", .signal),
    ("ManagedOOMMemoryPressure", .text(of: ["auto", "kill"])),
    ("ManagedOOMPreference", .text(of: ["none", "avoid", "omit"])),
    ("ManagedOOMSwap", .text(of: ["auto", "kill"])),
    ("OOMPolicy", .text(of: ["continue", "stop", "kill"])),
    ("RuntimeMaxUSec", .time),
    ("SendSIGHUP", .truth),
    ("SendSIGKILL", .truth),
    ("TimeoutStopUSec", .time),
]

private let prefix = "org.systemd.property."

/// The properties that annotations set.
///
/// - Throws: An error with the annotation's place for a property that is not on the list, and for a value that is not of its type.
/// - Source: row CLI-17.
func annotatedProperties(_ annotations: [Pair]) throws(CgroupError) -> [UnitProperty] {
    var result: [UnitProperty] = []
    for pair in annotations where pair.key.hasPrefix(prefix) {
        var name = String(pair.key.dropFirst(prefix.count))
        // As in unit files: seconds instead of microseconds.
        let isInSeconds = name.hasSuffix("Sec") && !name.hasSuffix("USec")
        if isInSeconds { name = name.dropLast(3) + "USec" }
        guard let row = allowed.first(where: { $0.name == name }) else {
            throw CgroupError(
                "set the systemd property", pair.key, problem: "a container may not set this property", value: pair.value,
                origin: pair.origin,
                hint: "allowed are " + allowed.map { $0.name }.joined(separator: ", "))
        }
        guard let value = value(pair.value, row.holding, isInSeconds: isInSeconds) else {
            throw CgroupError(
                "set the systemd property", pair.key, problem: "expected \(row.holding.words)", value: pair.value, origin: pair.origin)
        }
        result.append(UnitProperty(name, value))
    }
    return result
}

extension Holding {
    /// What is expected, in words, in GVariant's text format.
    fileprivate var words: String {
        switch self {
        case .text(let words): words.map { "'\($0.description)'" }.joined(separator: ", ")
        case .truth: "true or false"
        case .signal: "a signal's number, such as 15"
        case .time: "a time, such as uint64 5000000"
        case .units: "an array of units' names, such as ['network.target']"
        }
    }
}

private func value(_ text: String, _ holding: Holding, isInSeconds: Bool) -> DBusValue? {
    var text = VariantText(text)
    switch holding {
    case .text(let words):
        guard let word = text.string(), text.isAtEnd, words.contains(where: { $0.description == word }) else { return nil }
        return .string(word)
    case .truth:
        guard let truth = text.truth(), text.isAtEnd else { return nil }
        return .boolean(truth)
    case .signal:
        guard let number = text.number(decimals: 0), text.isAtEnd, (1...64).contains(number) else { return nil }
        return .int32(Int32(number))
    case .time:
        guard let number = text.number(decimals: isInSeconds ? 6 : 0), text.isAtEnd else { return nil }
        return .uint64(number)
    case .units:
        guard let names = text.strings(), text.isAtEnd, names.allSatisfy(isUnitName) else { return nil }
        return .strings(names)
    }
}

private func isUnitName(_ name: String) -> Bool {
    name.utf8.count <= ScopeName.maximumLength && name.utf8.contains(UInt8(ascii: ".")) && ScopeName.escape(name) == name
        || name.utf8.filter { $0 == UInt8(ascii: "@") }.count == 1 && isUnitName(name.split(separator: "@").joined(separator: "-"))
}

/// A value in GVariant's text format, read from left to right.
///
/// Source: "GVariant Text Format" of GLib's manual, as far as the properties above need it.
struct VariantText {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = Substring(text).utf8
    }

    /// Whether nothing but spaces is left.
    var isAtEnd: Bool { rest.allSatisfy { $0 == UInt8(ascii: " ") } }

    private mutating func skipSpaces() {
        while rest.first == UInt8(ascii: " ") { rest.removeFirst() }
    }

    /// Takes a character, if it is the next.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpaces()
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    /// The letters, digits and signs that are next.
    private mutating func word() -> String {
        skipSpaces()
        var bytes: [UInt8] = []
        while let byte = rest.first, byte != UInt8(ascii: " "), byte != UInt8(ascii: ","), byte != UInt8(ascii: "]") {
            bytes.append(byte)
            rest.removeFirst()
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    mutating func truth() -> Bool? {
        var next = word()
        if next == "boolean" || next == "@b" { next = word() }
        return next == "true" ? true : next == "false" ? false : nil
    }

    /// A number that is not negative, with or without its type in front.
    ///
    /// - Parameter decimals: By how many decimal places it is scaled; so many may stand behind a point.
    mutating func number(decimals: Int) -> UInt64? {
        var next = word()
        let types = ["byte", "int16", "uint16", "int32", "uint32", "int64", "uint64", "double"]
        if next.hasPrefix("@") || types.contains(next) { next = word() }
        if decimals == 0 { return next.hasPrefix("0x") ? UInt64(next.dropFirst(2), radix: 16) : plain(next) }
        let parts = next.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, let whole = plain(parts[0]) else { return nil }
        var scale: UInt64 = 1
        for _ in 0..<decimals { scale *= 10 }
        let product = whole.multipliedReportingOverflow(by: scale)
        if product.overflow { return nil }
        guard parts.count == 2 else { return product.partialValue }
        let digits = parts[1]
        guard digits.utf8.count <= decimals, var part = plain(digits) else { return nil }
        for _ in digits.utf8.count..<decimals { part *= 10 }
        let sum = product.partialValue.addingReportingOverflow(part)
        return sum.overflow ? nil : sum.partialValue
    }

    /// A number of digits alone; `UInt64` itself takes a sign too.
    private func plain(_ digits: String) -> UInt64? {
        digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? UInt64(digits) : nil
    }

    mutating func string() -> String? {
        skipSpaces()
        if rest.starts(with: "@s ".utf8) { rest = rest.dropFirst(3) }
        skipSpaces()
        guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
        rest.removeFirst()
        var bytes: [UInt8] = []
        while let byte = rest.first {
            rest.removeFirst()
            if byte == quote { return String(decoding: bytes, as: UTF8.self) }
            // No word or name here needs an escape.
            if byte == UInt8(ascii: "\\") { return nil }
            bytes.append(byte)
        }
        return nil
    }

    mutating func strings() -> [String]? {
        skipSpaces()
        if rest.starts(with: "@as ".utf8) { rest = rest.dropFirst(4) }
        guard take("[") else { return nil }
        if take("]") { return [] }
        var result: [String] = []
        repeat {
            guard let text = string() else { return nil }
            result.append(text)
        } while take(",")
        return take("]") ? result : nil
    }
}

/// The values of D-Bus messages. Source: D-Bus Specification, "Type System".

public import Linux

/// A value with its type.
public indirect enum DBusValue: Equatable, Sendable {
    /// `y`
    case byte(UInt8)
    /// `b`
    case boolean(Bool)
    /// `n`
    case int16(Int16)
    /// `q`
    case uint16(UInt16)
    /// `i`
    case int32(Int32)
    /// `u`
    case uint32(UInt32)
    /// `x`
    case int64(Int64)
    /// `t`
    case uint64(UInt64)
    /// `d`, as its bits: nobody here calculates with it.
    case double(UInt64)
    /// `s`
    case string(String)
    /// `o`
    case objectPath(String)
    /// `g`
    case signature(String)
    /// `a` and the type of its elements.
    case array(of: String, [DBusValue])
    /// `(...)`
    case structure([DBusValue])
    /// `{..}`, an element of an array.
    case entry(DBusValue, DBusValue)
    /// `v`
    case variant(DBusValue)

    /// The type, as a signature has it.
    public var type: String {
        switch self {
        case .byte: "y"
        case .boolean: "b"
        case .int16: "n"
        case .uint16: "q"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .objectPath: "o"
        case .signature: "g"
        case .array(let element, _): "a" + element
        case .structure(let members): "(" + DBusValue.signature(of: members) + ")"
        case .entry(let key, let value): "{" + key.type + value.type + "}"
        case .variant: "v"
        }
    }

    /// The signature of values one after the other.
    static func signature(of values: [DBusValue]) -> String {
        var signature = ""
        for value in values { signature += value.type }
        return signature
    }

    /// An array of strings.
    public static func strings(_ texts: [String]) -> DBusValue { .array(of: "s", texts.map { .string($0) }) }

    /// An array of bytes.
    public static func bytes(_ bytes: [UInt8]) -> DBusValue { .array(of: "y", bytes.map { .byte($0) }) }

    /// The text of a string or an object path, also inside a variant.
    public var text: String? {
        switch self {
        case .string(let text), .objectPath(let text): text
        case .variant(let value): value.text
        default: nil
        }
    }
}

/// What can go wrong with D-Bus.
public enum DBusError: Error, Equatable, Sendable {
    /// A system call failed.
    case system(Errno)
    /// There was no answer in time.
    case timedOut
    /// The other end broke the protocol, or sent more than is taken from it.
    case malformed(String)
    /// The other end did not let us in.
    case rejected(String)
    /// The method answered with an error.
    case reply(name: String, message: String)
}

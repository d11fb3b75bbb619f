/// A parsed JSON text: a flat table of its nodes in document order, each knowing its place in the text.
///
/// Strings and numbers are slices of the text itself; only strings with escapes are copied. A member's name is the node just before
/// its value, so a tree needs no links: the next sibling is the node after a value's last descendant.

/// One value, or one member's name.
struct JSONNode {
    var kind: JSONValue.Kind
    /// `true` or `false`.
    var isTrue = false
    /// The bytes lie in `unescaped`, not in the text.
    var isCopied = false
    /// A member's name.
    var isKey = false
    /// The container's node; -1 for the root.
    var parent: Int32
    /// Where the string's or number's bytes begin; for a container its opening bracket.
    var start: Int32
    /// How many bytes, or how many elements or members.
    var count: Int32 = 0
    /// Where the value ends in the text.
    var end: Int32
    /// For a container the node after its last descendant, for a name its hash.
    var after: Int32 = 0
}

/// A JSON document that remembers where its values stand.
public final class JSONDocument: Sendable {
    /// The text as it was given.
    public let text: [UInt8]
    let nodes: [JSONNode]
    let unescaped: [UInt8]

    /// The deepest nesting of arrays and objects.
    public static let maximumDepth = 128
    /// The largest text, in bytes.
    public static let maximumSize = 16 << 20

    /// Why a text is no JSON document, and where.
    public struct SyntaxError: Error, Equatable {
        /// The line, from 1.
        public let line: Int
        /// The byte in the line, from 1.
        public let column: Int
        /// What is wrong.
        public let message: String
        /// The row of the checklist that says so.
        public var row: String { "G-01" }
    }

    /// Parses a text.
    ///
    /// Beyond what is no JSON, refuses duplicate names, bytes that are not UTF-8, NUL in strings, unpaired surrogates, and more than
    /// ``maximumDepth`` levels or ``maximumSize`` bytes. Source: RFC 8259; spec rows G-01, G-06.
    public init(_ text: [UInt8]) throws(SyntaxError) {
        self.text = text
        switch JSONParser.parse(text) {
        case .success(let table):
            nodes = table.nodes
            unescaped = table.unescaped
        case .failure(let failure):
            let place = JSONDocument.position(at: failure.offset, in: text)
            throw SyntaxError(line: place.line, column: place.column, message: failure.message)
        }
    }

    /// The outermost value.
    public var root: JSONValue { JSONValue(document: self, index: 0) }

    /// The value that stands at an origin, if the origin names one.
    public func value(at origin: Origin) -> JSONValue? {
        guard origin.node >= 0, Int(origin.node) < nodes.count else { return nil }
        let index = nodes[Int(origin.node)].isKey ? origin.node + 1 : origin.node
        return JSONValue(document: self, index: index)
    }

    /// The JSON pointer to a value or, alike, to the member that a name begins.
    ///
    /// Source: RFC 6901.
    public func pointer(of origin: Origin) -> String {
        guard var value = value(at: origin) else { return "" }
        var parts: [String] = []
        while let parent = value.parent {
            if parent.kind == .object {
                parts.append(JSONDocument.escaped(JSONText(document: self, index: value.index - 1).string))
            } else {
                var position = 0
                for element in parent.elements {
                    if element.index == value.index { break }
                    position += 1
                }
                parts.append("\(position)")
            }
            value = parent
        }
        var pointer = ""
        for part in parts.reversed() {
            pointer += "/"
            pointer += part
        }
        return pointer
    }

    /// The line and the byte in it, both from 1, at which the token of a value or a name starts.
    public func position(of origin: Origin) -> (line: Int, column: Int) {
        guard origin.node >= 0, Int(origin.node) < nodes.count else { return (1, 1) }
        return JSONDocument.position(at: tokenStart(origin.node), in: text)
    }

    /// The raw text of a value, of a container with all it holds.
    public func bytes(of origin: Origin) -> ArraySlice<UInt8> {
        guard origin.node >= 0, Int(origin.node) < nodes.count else { return [] }
        return text[tokenStart(origin.node)..<Int(nodes[Int(origin.node)].end)]
    }

    private func tokenStart(_ index: Int32) -> Int {
        let node = nodes[Int(index)]
        switch node.kind {
        case .null: return Int(node.end) - 4
        case .bool: return Int(node.end) - (node.isTrue ? 4 : 5)
        case .number, .object, .array: return Int(node.start)
        case .string:
            guard node.isCopied else { return Int(node.start) - 1 }
            return text.withUnsafeBufferPointer { JSONParser.openingQuote(of: Int(node.end), in: $0) }
        }
    }

    static func position(at offset: Int, in text: [UInt8]) -> (line: Int, column: Int) {
        var line = 1
        var lineStart = 0
        let end = min(offset, text.count)
        var index = 0
        while index < end {
            if text[index] == UInt8(ascii: "\n") {
                line += 1
                lineStart = index + 1
            }
            index += 1
        }
        return (line, end - lineStart + 1)
    }

    private static func escaped(_ name: String) -> String {
        var result: [UInt8] = []
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "~"): result += [UInt8(ascii: "~"), UInt8(ascii: "0")]
            case UInt8(ascii: "/"): result += [UInt8(ascii: "~"), UInt8(ascii: "1")]
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

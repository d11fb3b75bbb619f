/// From a text to a table of nodes: libyajl finds the tokens, this file gives them their places and refuses what yajl lets pass.
///
/// yajl gives every event the position after its token (`yajl_get_bytes_consumed`), and hands over the text's own bytes for numbers
/// and for strings without escapes.

import CYajl

/// The table of nodes while it grows.
struct JSONParser {
    /// What went wrong at which byte.
    struct Failure: Error {
        var offset: Int
        var message: String
    }

    /// A finished table.
    struct Table {
        var nodes: [JSONNode]
        var unescaped: [UInt8]
    }

    private var nodes: [JSONNode] = []
    private var unescaped: [UInt8] = []
    /// The innermost open container.
    private var open: Int32 = -1
    private var depth = 0
    private var failure: Failure?
    private var handle: yajl_handle?
    private let text: UnsafeBufferPointer<UInt8>
    /// Names of the object that ends; kept for its storage.
    private var names: [Int32] = []

    private init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
        // Configs have a node for 8 to 14 bytes of text.
        nodes.reserveCapacity(text.count / 12 + 16)
    }

    static func parse(_ text: [UInt8]) -> Result<Table, Failure> {
        if text.count > JSONDocument.maximumSize {
            return .failure(Failure(offset: 0, message: "larger than \(JSONDocument.maximumSize) bytes"))
        }
        if text.starts(with: [0xEF, 0xBB, 0xBF] as [UInt8]) {
            return .failure(Failure(offset: 0, message: "starts with a byte order mark, which JSON does not allow"))
        }
        return text.withUnsafeBufferPointer { bytes in
            if let offset = firstInvalidUTF8(bytes) { return .failure(Failure(offset: offset, message: "not valid UTF-8")) }
            var parser = JSONParser(bytes)
            return parser.run()
        }
    }

    private mutating func run() -> Result<Table, Failure> {
        var callbacks = JSONParser.callbacks
        withUnsafeMutablePointer(to: &self) { parser in
            guard let handle = yajl_alloc(&callbacks, nil, parser) else {
                parser.pointee.failure = Failure(offset: 0, message: "out of memory")
                return
            }
            defer { yajl_free(handle) }
            parser.pointee.handle = handle
            let text = parser.pointee.text
            var status = yajl_parse(handle, text.baseAddress, text.count)
            let reachedEnd = status == yajl_status_ok
            if reachedEnd { status = yajl_complete_parse(handle) }
            guard status != yajl_status_ok, parser.pointee.failure == nil else { return }
            parser.pointee.failure = parser.pointee.syntaxFailure(reachedEnd: reachedEnd)
        }
        if let failure { return .failure(failure) }
        return .success(Table(nodes: nodes, unescaped: unescaped))
    }

    private static let callbacks = yajl_callbacks(
        yajl_null: { parser($0).pointee.scalar(.null) },
        yajl_boolean: { parser($0).pointee.scalar(.bool, isTrue: $1 != 0) },
        yajl_integer: nil,
        yajl_double: nil,
        yajl_number: { context, bytes, count in
            bytes!.withMemoryRebound(to: UInt8.self, capacity: count) { parser(context).pointee.bytes(.number, $0, count) }
        },
        yajl_string: { parser($0).pointee.bytes(.string, $1!, $2) },
        yajl_start_map: { parser($0).pointee.begin(.object) },
        yajl_map_key: { parser($0).pointee.name($1!, $2) },
        yajl_end_map: { parser($0).pointee.endObject() },
        yajl_start_array: { parser($0).pointee.begin(.array) },
        yajl_end_array: { parser($0).pointee.end() })

    // MARK: Events. Each answers whether to go on: 1 or 0.

    /// Where the token ends that yajl has just read.
    private var tokenEnd: Int { yajl_get_bytes_consumed(handle) }

    private mutating func scalar(_ kind: JSONValue.Kind, isTrue: Bool = false) -> Int32 {
        append(JSONNode(kind: kind, isTrue: isTrue, parent: open, start: 0, end: Int32(truncatingIfNeeded: tokenEnd)))
        return 1
    }

    private mutating func bytes(_ kind: JSONValue.Kind, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
        guard let node = node(kind, bytes, count) else { return 0 }
        append(node)
        return 1
    }

    private mutating func name(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
        guard var node = node(.string, bytes, count) else { return 0 }
        node.isKey = true
        node.after = Int32(bitPattern: JSONParser.hash(bytes, count))
        nodes.append(node)
        return 1
    }

    private mutating func begin(_ kind: JSONValue.Kind) -> Int32 {
        let end = tokenEnd
        guard depth < JSONDocument.maximumDepth else {
            return fail(at: end - 1, "nested deeper than \(JSONDocument.maximumDepth) levels")
        }
        depth += 1
        let index = Int32(truncatingIfNeeded: nodes.count)
        append(JSONNode(kind: kind, parent: open, start: Int32(truncatingIfNeeded: end - 1), end: 0))
        open = index
        return 1
    }

    private mutating func end() -> Int32 {
        let index = Int(open)
        nodes[index].after = Int32(truncatingIfNeeded: nodes.count)
        nodes[index].end = Int32(truncatingIfNeeded: tokenEnd)
        open = nodes[index].parent
        depth -= 1
        return 1
    }

    private mutating func endObject() -> Int32 {
        if nodes[Int(open)].count > 1, let (first, second) = duplicate(in: open) {
            let place = position(of: first)
            let name = nodes[Int(second)]
            return fail(
                at: tokenStart(of: second), "the name \(quoted(name)) occurs twice: first at line \(place.line), column \(place.column)")
        }
        return end()
    }

    // MARK: Nodes

    private mutating func append(_ node: JSONNode) {
        if open >= 0 { nodes[Int(open)].count += 1 }
        nodes.append(node)
    }

    /// The node of a string or number; nil, and a failure, where the string may not be.
    private mutating func node(_ kind: JSONValue.Kind, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> JSONNode? {
        let end = tokenEnd
        // A number that ends the text comes from yajl's own buffer, with the blank that it adds to see the end.
        let isLast = kind == .number && !isInText(bytes)
        let offset = isLast ? text.count - count : bytes - text.baseAddress!
        if offset >= 0, offset + count <= text.count {
            return JSONNode(
                kind: kind, parent: open, start: Int32(truncatingIfNeeded: offset), count: Int32(truncatingIfNeeded: count),
                end: Int32(truncatingIfNeeded: kind == .string ? offset + count + 1 : offset + count))
        }
        let token = UnsafeBufferPointer(rebasing: text[JSONParser.openingQuote(of: end, in: text)..<end])
        if let (offset, message) = firstForbiddenEscape(token) {
            _ = fail(at: end - token.count + offset, message)
            return nil
        }
        let start = unescaped.count
        unescaped.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
        return JSONNode(
            kind: kind, isCopied: true, parent: open, start: Int32(truncatingIfNeeded: start), count: Int32(truncatingIfNeeded: count),
            end: Int32(truncatingIfNeeded: end))
    }

    private func isInText(_ bytes: UnsafePointer<UInt8>) -> Bool {
        let offset = bytes - text.baseAddress!
        return offset >= 0 && offset < text.count
    }

    /// Where the string begins whose closing quote is the byte before `end`: at the last quote that no odd run of backslashes precedes.
    static func openingQuote(of end: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
        var index = end - 2
        while index > 0 {
            if text[index] == UInt8(ascii: "\"") {
                var backslashes = 0
                while index - backslashes > 0, text[index - backslashes - 1] == UInt8(ascii: "\\") { backslashes += 1 }
                if backslashes % 2 == 0 { return index }
            }
            index -= 1
        }
        return max(index, 0)
    }

    // MARK: Duplicate names

    /// FNV-1a.
    private static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt32 {
        var hash: UInt32 = 0x811c_9dc5
        for index in 0..<count { hash = (hash ^ UInt32(bytes[index])) &* 0x0100_0193 }
        return hash
    }

    /// Two names of an object that are the same.
    private mutating func duplicate(in object: Int32) -> (first: Int32, second: Int32)? {
        names.removeAll(keepingCapacity: true)
        var index = object + 1
        while index < nodes.count {
            names.append(index)
            let value = nodes[Int(index) + 1]
            index = value.kind.isContainer ? value.after : index + 2
        }
        if names.count <= 16 {
            for second in 1..<names.count {
                for first in 0..<second where isSameName(names[first], names[second]) { return (names[first], names[second]) }
            }
            return nil
        }
        // Sorted by content, equal names are neighbours: no object makes this quadratic.
        let names = names.sorted { order($0, $1) < 0 }
        for index in 1..<names.count where isSameName(names[index - 1], names[index]) {
            return (min(names[index - 1], names[index]), max(names[index - 1], names[index]))
        }
        return nil
    }

    private func isSameName(_ left: Int32, _ right: Int32) -> Bool {
        nodes[Int(left)].after == nodes[Int(right)].after && order(left, right) == 0
    }

    private func order(_ left: Int32, _ right: Int32) -> Int32 {
        let left = nodes[Int(left)]
        let right = nodes[Int(right)]
        if left.after != right.after { return left.after < right.after ? -1 : 1 }
        if left.count != right.count { return left.count - right.count }
        for index in 0..<Int(left.count) {
            let leftByte = byte(left, index)
            let rightByte = byte(right, index)
            if leftByte != rightByte { return leftByte < rightByte ? -1 : 1 }
        }
        return 0
    }

    private func byte(_ node: JSONNode, _ index: Int) -> UInt8 {
        node.isCopied ? unescaped[Int(node.start) + index] : text[Int(node.start) + index]
    }

    // MARK: Failures

    private mutating func fail(at offset: Int, _ message: String) -> Int32 {
        failure = Failure(offset: offset, message: message)
        return 0
    }

    private func tokenStart(of name: Int32) -> Int {
        let node = nodes[Int(name)]
        return node.isCopied ? JSONParser.openingQuote(of: Int(node.end), in: text) : Int(node.start) - 1
    }

    private func position(of name: Int32) -> (line: Int, column: Int) {
        JSONDocument.position(at: tokenStart(of: name), in: Array(text))
    }

    private func quoted(_ node: JSONNode) -> String {
        var bytes: [UInt8] = []
        for index in 0..<Int(node.count) { bytes.append(byte(node, index)) }
        return JSONWriter.quoted(String(decoding: bytes, as: UTF8.self))
    }

    /// What yajl says is wrong, at the token it says it of.
    private func syntaxFailure(reachedEnd: Bool) -> Failure {
        if reachedEnd {
            let isEmpty = !text.contains { $0 > UInt8(ascii: " ") }
            return Failure(offset: text.count, message: isEmpty ? "the document is empty" : "the text ends in the middle of a value")
        }
        var message = "not JSON"
        if let words = yajl_get_error(handle, 0, nil, 0) {
            message = JSONParser.sentence(UnsafePointer(words))
            yajl_free_error(handle, words)
        }
        var offset = max(0, min(tokenEnd, text.count) - 1)
        if !message.hasPrefix("parse") {
            // The lexer gives a byte back that ends a token too early, but not one that begins none.
            let beginsNone =
                message.hasPrefix("lexical error: invalid char in json") || message.hasPrefix("lexical error: probable comment")
            if !beginsNone { offset = min(offset + 1, text.count - 1) }
        } else if text[offset] == UInt8(ascii: "\"") {
            offset = JSONParser.openingQuote(of: offset + 1, in: text)
        } else {
            while offset > 0, JSONParser.isWordByte(text[offset]), JSONParser.isWordByte(text[offset - 1]) { offset -= 1 }
        }
        return Failure(offset: offset, message: message)
    }

    /// A letter, a digit, or what else numbers and names hold.
    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// yajl's message without the line's end.
    private static func sentence(_ words: UnsafePointer<UInt8>) -> String {
        var count = 0
        while words[count] != 0, words[count] != UInt8(ascii: "\n") { count += 1 }
        return String(decoding: UnsafeBufferPointer(start: words, count: count), as: UTF8.self)
    }
}

/// The parser that yajl calls back.
private func parser(_ context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<JSONParser> {
    context!.assumingMemoryBound(to: JSONParser.self)
}

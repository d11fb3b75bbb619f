import Testing

@testable import Spec

@Suite("JSON documents")
struct DocumentTests {
    @Test(
        "what is no JSON is refused with line and column (G-01)",
        arguments: [
            ("", "1:1: the document is empty"),
            (" \n\t", "2:2: the document is empty"),
            ("{", "1:2: the text ends in the middle of a value"),
            ("{\n  \"a\": 1,\n", "3:1: the text ends in the middle of a value"),
            ("{}x", "1:3: parse error: trailing garbage"),
            ("[?]", "1:2: lexical error: invalid char in json text."),
            (#"["a\q"]"#, "1:5: lexical error: inside a string, '\\' occurs before a character which it may not."),
            (#"["\u12x4"]"#, "1:7: lexical error: invalid (non-hex) character occurs after '\\u' inside string."),
            ("{} {}", "1:4: parse error: trailing garbage"),
            ("{\"a\":1,}", "1:8: parse error: invalid object key (must be a string)"),
            ("[1 2]", "1:4: parse error: after array element, I expect ',' or ']'"),
            ("{\"a\" \"b\\\"c\"}", "1:6: parse error: object key and value must be separated by a colon (':')"),
            ("[true false]", "1:7: parse error: after array element, I expect ',' or ']'"),
            ("[tru]", "1:5: lexical error: invalid string in json text."),
            ("[01]", "1:2: parse error: after array element, I expect ',' or ']'"),
            ("[1.]", "1:4: lexical error: malformed number, a digit is required after the decimal point."),
            ("// no\n{}", "1:1: lexical error: probable comment found in input text, comments are not enabled."),
            ("\u{FEFF}{}", "1:1: starts with a byte order mark, which JSON does not allow"),
            ("[\"a\nb\"]", "1:4: lexical error: invalid character inside string."),
            ("[\"a\\u0000\"]", "1:4: a string may not contain NUL"),
            ("[\n\"\\ud800\"]", "2:2: half of a surrogate pair"),
            ("[\"\\ud83d\\u0041\"]", "1:3: half of a surrogate pair"),
            ("[\"\\udc00\"]", "1:3: half of a surrogate pair"),
            ("{\"x\\u0000\":1}", "1:4: a string may not contain NUL"),
            ("{\"a\":1,\n \"b\":{\"a\":2},\n \"a\":3}", "3:2: the name \"a\" occurs twice: first at line 1, column 2"),
            ("{\"a\":1,\"\\u0061\":3}", "1:8: the name \"a\" occurs twice: first at line 1, column 2"),
        ])
    func refused(text: String, expected: String) {
        #expect(syntaxError(Array(text.utf8)) == expected)
    }

    @Test(
        "bytes that are not UTF-8 are refused, also what yajl takes for it (G-01)",
        arguments: [
            ([0xFF], 3), ([0xC0, 0x80], 3), ([0xC1, 0xBF], 3), ([0xE0, 0x80, 0x80], 3), ([0xED, 0xA0, 0x80], 3),
            ([0xF0, 0x8F, 0xBF, 0xBF], 3),
            ([0xF4, 0x90, 0x80, 0x80], 3), ([0xF5, 0x80, 0x80, 0x80], 3), ([0x80], 3), ([0xE2, 0x82], 3), ([0x61, 0x61, 0xC3], 5),
        ] as [([UInt8], Int)])
    func invalidUTF8(bytes: [UInt8], column: Int) {
        #expect(syntaxError([0x5B, 0x22] + bytes + [0x22, 0x5D]) == "1:\(column): not valid UTF-8")
    }

    @Test("depth and size have limits (G-01)")
    func limits() throws {
        let nested = { (depth: Int) in [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth) }
        #expect(syntaxError(nested(128)) == nil)
        #expect(syntaxError(nested(129)) == "1:129: nested deeper than 128 levels")
        let large = [UInt8](repeating: 0x20, count: 16 << 20)
        #expect(syntaxError(large + Array("[]".utf8)) == "1:1: larger than 16777216 bytes")
        #expect(syntaxError(Array(large.dropLast(2)) + Array("[]".utf8)) == nil)
    }

    @Test("a name that occurs twice is found among many, however they are ordered (G-01)")
    func duplicatesAmongMany() {
        let names = (0..<5000).map { "\"n\(($0 * 7919) % 5000)\":\($0)" }
        #expect(syntaxError(Array("{\(names.joined(separator: ","))}".utf8)) == nil)
        let twice = "{\(names.joined(separator: ",")),\"n7919\":0,\n\"n2919\":1}"
        #expect(syntaxError(Array(twice.utf8)) == "2:1: the name \"n2919\" occurs twice: first at line 1, column 9")
    }

    @Test("every value knows its pointer, its place and its text")
    func places() throws {
        let text = """
            {
              "a/b": [true, null, -12.5e3],
              "m~n": {"x\\ty\\\\": "é\\"\\\\"},
              "": "plain", "f": false, "deep": {"list": [ [], {} ]}
            }
            """
        let document = try document(text)
        var seen: [String] = []
        func visit(_ value: JSONValue) {
            let position = document.position(of: value.origin)
            let raw = String(decoding: document.bytes(of: value.origin), as: UTF8.self)
            seen.append("\(document.pointer(of: value.origin)) \(position.line):\(position.column) \(raw.count > 30 ? "..." : raw)")
            for element in value.elements { visit(element) }
            for member in value.members {
                #expect(document.pointer(of: member.nameOrigin) == document.pointer(of: member.value.origin))
                visit(member.value)
            }
        }
        visit(document.root)
        #expect(
            seen == [
                " 1:1 ...",
                "/a~1b 2:10 [true, null, -12.5e3]",
                "/a~1b/0 2:11 true",
                "/a~1b/1 2:17 null",
                "/a~1b/2 2:23 -12.5e3",
                "/m~0n 3:10 {\"x\\ty\\\\\": \"é\\\"\\\\\"}",
                "/m~0n/x\ty\\ 3:21 \"é\\\"\\\\\"",
                "/ 4:7 \"plain\"",
                "/f 4:21 false",
                "/deep 4:36 {\"list\": [ [], {} ]}",
                "/deep/list 4:45 [ [], {} ]",
                "/deep/list/0 4:47 []",
                "/deep/list/1 4:51 {}",
            ])
        #expect(document.position(of: document.root["m~n"]!.members.first { _ in true }!.nameOrigin) == (3, 11))
    }

    @Test("a document may be one value, up to the text's last byte", arguments: ["12", "-1.5e3", "true", "false", "null", #""a\\""#, "[]"])
    func singleValue(value: String) throws {
        for blank in ["", "\n"] {
            let document = try document(" " + value + blank)
            #expect(String(decoding: document.bytes(of: document.root.origin), as: UTF8.self) == value)
            #expect(document.position(of: document.root.origin) == (1, 2) && document.pointer(of: document.root.origin).isEmpty)
        }
    }

    @Test("strings are what their escapes say")
    func strings() throws {
        let document = try document(#"["plain", "\u00e9\ud83d\ude00\n\/", "ü"]"#)
        #expect(document.root.elements.map { $0.string } == ["plain", "é😀\n/", "ü"])
    }

    @Test(
        "integers are exact over 64 bits (G-06)",
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-1", -1), ("9223372036854772000", 9_223_372_036_854_772_000),
            ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min), ("9223372036854775808", nil),
            ("-9223372036854775809", nil), ("1e3", nil), ("1.0", nil),
        ] as [(String, Int64?)])
    func integers(text: String, expected: Int64?) throws {
        #expect(try document(text).root.integer(as: Int64.self) == expected)
    }

    @Test("unsigned integers reach 18446744073709551615 and no further (G-06)")
    func unsigned() throws {
        #expect(try document("18446744073709551615").root.integer(as: UInt64.self) == UInt64.max)
        #expect(try document("18446744073709551616").root.integer(as: UInt64.self) == nil)
        #expect(try document("-1").root.integer(as: UInt64.self) == nil)
        #expect(try document("65536").root.integer(as: UInt16.self) == nil)
    }

    @Test(
        "a float counts as an integer exactly if it is one (G-06)",
        arguments: [
            ("1e3", 1000), ("2.0", 2), ("1.50e1", 15), ("-2.50E+2", -250), ("0.0", 0), ("0e999999999999", 0), ("1200e-2", 12),
            ("1.5", nil), ("1e-1", nil), ("12e-2", nil),
        ] as [(String, Int64?)])
    func floats(text: String, expected: Int64?) throws {
        switch try document(text).root.number(as: Int64.self) {
        case .integralFloat(let value): #expect(value == expected)
        case .fraction: #expect(expected == nil)
        default: Issue.record("\(text) is neither")
        }
    }

    @Test("a float beyond 64 bits is out of range, not a fraction", arguments: ["1e19", "1e999999999999", "18446744073709551616.0"])
    func largeFloats(text: String) throws {
        guard case .outOfRange = try document(text).root.number(as: Int64.self) else {
            Issue.record("\(text) is not out of range")
            return
        }
    }

    private func syntaxError(_ text: [UInt8]) -> String? {
        do {
            _ = try JSONDocument(text)
            return nil
        } catch {
            return "\(error.line):\(error.column): \(error.message)"
        }
    }
}

@Suite("JSON writing")
struct WriterTests {
    @Test("what is written reads back the same, compact and pretty")
    func roundTrip() throws {
        let strings = ["", "plain", "\"\\/", "\u{1}\u{1F}\u{7F}\n\r\t", "é😀"]
        for pretty in [false, true] {
            var writer = JSONWriter(pretty: pretty)
            writer.object { writer in
                writer.member("strings", strings)
                writer.member("large", UInt64.max)
                writer.member("small", Int64.min)
                writer.member("yes", true)
                writer.name("nothing")
                writer.null()
                writer.object("empty") { _ in }
            }
            let document = try JSONDocument(writer.bytes)
            #expect(document.root["strings"]?.elements.map { $0.string } == strings)
            #expect(document.root["large"]?.integer(as: UInt64.self) == UInt64.max)
            #expect(document.root["small"]?.integer(as: Int64.self) == Int64.min)
            #expect(document.root["yes"]?.bool == true)
            #expect(document.root["nothing"]?.kind == .null)
            #expect(document.root["empty"]?.count == 0)
        }
    }

    @Test("the two forms look as other runtimes write them")
    func forms() {
        func text(pretty: Bool) -> String {
            var writer = JSONWriter(pretty: pretty)
            writer.object { writer in
                writer.member("a", 1)
                writer.array("b") { writer in
                    writer.value("x\u{1B}")
                    writer.object { _ in }
                }
            }
            return writer.string
        }
        #expect(text(pretty: false) == #"{"a":1,"b":["x\u001b",{}]}"#)
        #expect(text(pretty: true) == "{\n  \"a\": 1,\n  \"b\": [\n    \"x\\u001b\",\n    {}\n  ]\n}")
    }
}

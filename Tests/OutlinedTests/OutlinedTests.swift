/// The outlined functions do what the standard library's do. The expected values are made by functions that nobody shadows.

import Outlined
import Testing

@Suite("Outlined functions")
struct OutlinedTests {
    @Test("a message is put together of literals, strings and numbers of every kind")
    func interpolation() {
        let name = "box"
        #expect("\(name):\(UInt8.max) \(Int64.min) \(Int32(-1))".utf8.elementsEqual("box:255 -9223372036854775808 -1".utf8))
        #expect("\(true) \(1.5) \(Character("x")) \(name.dropFirst())".utf8.elementsEqual("true 1.5 x ox".utf8))
        var text = name
        text += ""
        text += "és, and more than a small string holds"
        #expect(text.utf8.elementsEqual("boxés, and more than a small string holds".utf8))
    }

    @Test("strings are equal where they are canonically equivalent")
    func equality() {
        #expect("e\u{301}" == "\u{E9}")
        #expect(!("a" == "b"))
        #expect("a" != "A")
        #expect(Optional("a") == "a")
    }

    @Test(
        "UTF-8 is decoded, and what is none repaired",
        arguments: [([0x61, 0xC3, 0xA9], "aé"), ([], ""), ([0x61, 0xFF, 0x62], "a\u{FFFD}b")] as [([UInt8], String)])
    func decoding(_ bytes: [UInt8], _ text: String) {
        #expect(String(decoding: bytes, as: UTF8.self) == text)
        #expect(String(decoding: ([0x7A] + bytes).dropFirst(), as: UTF8.self) == text)
        #expect(bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) } == text)
    }

    @Test(
        "bytes are added within the capacity and beyond it, and only to the array that is meant",
        arguments: [0, 1, 15, 16, 17, 4096, 70_000])
    func bytes(_ count: Int) {
        let more = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let before: [UInt8] = [1, 2, 3]
        var bytes = before
        bytes += more
        bytes.append(contentsOf: more[(count / 2)...])
        bytes += bytes
        let expected = Array([before, more, Array(more[(count / 2)...])].joined())
        #expect(bytes.elementsEqual([expected, expected].joined()))
        #expect(before.elementsEqual([1, 2, 3]))
        bytes.reserveCapacity(2 * bytes.count)
        bytes.append(contentsOf: before)
        #expect(bytes.suffix(3).elementsEqual([1, 2, 3]))
    }

    @Test("elements that are references are added, and kept while the array is")
    func elements() {
        final class Counter {}
        weak var last: Counter?
        do {
            var list: [Counter] = []
            for _ in 0..<100 { list.append(Counter()) }
            last = list.last
            #expect(list.count == 100)
            #expect(last != nil)
        }
        #expect(last == nil)
    }
}

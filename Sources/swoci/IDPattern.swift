/// The pattern of `kill --regex` and `delete --regex`: POSIX extended regular expressions over ids, which are ASCII.
///
/// Matched by following all possibilities at once, so that no pattern takes more than its length times the id's.
/// Source: regex(7).

/// A pattern that ids are searched for.
struct IDPattern {
    /// What has to match at a place.
    private indirect enum Node {
        case byte(UInt8)
        case any
        case oneOf(Set<UInt8>, negated: Bool)
        case start
        case end
        case sequence([Node])
        case alternatives([Node])
        case repeated(Node, atLeast: Int, atMost: Int?)
    }

    private let root: Node

    /// Reads a pattern; nil where it is none.
    init?(_ text: String) {
        var parser = Parser(bytes: Array(text.utf8)[...])
        guard !text.isEmpty, let root = parser.alternatives(), parser.bytes.isEmpty else { return nil }
        self.root = root
    }

    /// Whether the pattern is found anywhere in a text.
    func matches(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return !ends(of: root, from: Set(0...bytes.count), in: bytes).isEmpty
    }

    /// Where matches end that start at one of those places.
    private func ends(of node: Node, from starts: Set<Int>, in text: [UInt8]) -> Set<Int> {
        func step(_ isMatch: (UInt8) -> Bool) -> Set<Int> {
            Set(starts.filter { $0 < text.count && isMatch(text[$0]) }.map { $0 + 1 })
        }
        switch node {
        case .byte(let byte): return step { $0 == byte }
        case .any: return step { _ in true }
        case .oneOf(let bytes, let negated): return step { bytes.contains($0) != negated }
        case .start: return starts.contains(0) ? [0] : []
        case .end: return starts.contains(text.count) ? [text.count] : []
        case .sequence(let nodes):
            var places = starts
            for node in nodes { places = ends(of: node, from: places, in: text) }
            return places
        case .alternatives(let nodes):
            var places: Set<Int> = []
            for node in nodes { places.formUnion(ends(of: node, from: starts, in: text)) }
            return places
        case .repeated(let node, let least, let most):
            var places = starts
            for _ in 0..<least { places = ends(of: node, from: places, in: text) }
            var found = places
            var count = least
            while !places.isEmpty && count < most ?? .max {
                places = ends(of: node, from: places, in: text).subtracting(found)
                found.formUnion(places)
                count += 1
            }
            return found
        }
    }

    /// Takes a pattern apart; every function returns nil where it is none.
    private struct Parser {
        var bytes: ArraySlice<UInt8>

        mutating func take(_ byte: Character) -> Bool {
            guard bytes.first == byte.asciiValue else { return false }
            bytes.removeFirst()
            return true
        }

        mutating func alternatives() -> Node? {
            var nodes: [Node] = []
            repeat {
                guard let node = sequence() else { return nil }
                nodes.append(node)
            } while take("|")
            return nodes.count == 1 ? nodes[0] : .alternatives(nodes)
        }

        private mutating func sequence() -> Node? {
            var nodes: [Node] = []
            while let byte = bytes.first, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
                guard let node = atom().flatMap({ repetition(of: $0) }) else { return nil }
                nodes.append(node)
            }
            return .sequence(nodes)
        }

        private mutating func atom() -> Node? {
            let byte = bytes.removeFirst()
            switch byte {
            case UInt8(ascii: "("):
                guard let node = alternatives(), take(")") else { return nil }
                return node
            case UInt8(ascii: "["): return set()
            case UInt8(ascii: "."): return .any
            case UInt8(ascii: "^"): return .start
            case UInt8(ascii: "$"): return .end
            case UInt8(ascii: "\\"): return bytes.popFirst().map { .byte($0) }
            case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"): return nil
            default: return .byte(byte)
            }
        }

        private mutating func repetition(of atom: Node) -> Node? {
            var node = atom
            while true {
                if take("*") {
                    node = .repeated(node, atLeast: 0, atMost: nil)
                } else if take("+") {
                    node = .repeated(node, atLeast: 1, atMost: nil)
                } else if take("?") {
                    node = .repeated(node, atLeast: 0, atMost: 1)
                } else if take("{") {
                    guard let least = number() else { return nil }
                    let isRange = take(",")
                    let most = isRange ? number() : least
                    guard take("}"), most ?? least >= least else { return nil }
                    node = .repeated(node, atLeast: least, atMost: most)
                } else {
                    return node
                }
            }
        }

        /// At most 255, as RE_DUP_MAX has it.
        private mutating func number() -> Int? {
            var value: Int?
            while let byte = bytes.first, byte &- UInt8(ascii: "0") < 10 {
                bytes.removeFirst()
                value = (value ?? 0) * 10 + Int(byte - UInt8(ascii: "0"))
                if value! > 255 { return nil }
            }
            return value
        }

        /// What follows `[`: bytes, ranges, classes, perhaps negated.
        private mutating func set() -> Node? {
            let negated = take("^")
            var members: Set<UInt8> = []
            var isFirst = true
            while let byte = bytes.popFirst() {
                if byte == UInt8(ascii: "]") && !isFirst { return .oneOf(members, negated: negated) }
                isFirst = false
                if byte == UInt8(ascii: "["), take(":") {
                    guard let more = characterClass() else { return nil }
                    members.formUnion(more)
                } else if bytes.first == UInt8(ascii: "-"), let last = bytes.dropFirst().first, last != UInt8(ascii: "]") {
                    bytes.removeFirst(2)
                    guard byte <= last else { return nil }
                    members.formUnion(byte...last)
                } else {
                    members.insert(byte)
                }
            }
            return nil
        }

        private mutating func characterClass() -> Set<UInt8>? {
            let name = Array(bytes.prefix { $0 != UInt8(ascii: ":") })
            bytes.removeFirst(name.count)
            guard take(":"), take("]") else { return nil }
            let (digits, lower, upper) = (Set(UInt8(ascii: "0")...UInt8(ascii: "9")), Set(UInt8(97)...122), Set(UInt8(65)...90))
            return switch String(decoding: name, as: UTF8.self) {
            case "digit": digits
            case "lower": lower
            case "upper": upper
            case "alpha": lower.union(upper)
            case "alnum": lower.union(upper).union(digits)
            case "xdigit": digits.union(UInt8(97)...102).union(UInt8(65)...70)
            default: nil
            }
        }
    }
}

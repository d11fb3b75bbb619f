/// Reading a document: values, the members of objects, the elements of arrays.

/// One value of a document.
public struct JSONValue: Sendable {
    let document: JSONDocument
    let index: Int32

    /// What a value is.
    public enum Kind: UInt8, Equatable, Sendable {
        /// `null`
        case null
        /// `true` or `false`
        case bool
        /// A number of any form
        case number
        /// A string
        case string
        /// `[...]`
        case array
        /// `{...}`
        case object

        var isContainer: Bool { rawValue >= Kind.array.rawValue }
    }

    var node: JSONNode { document.nodes[Int(index)] }

    /// What the value is.
    public var kind: Kind { document.nodes[Int(index)].kind }
    /// Its place in the document.
    public var origin: Origin { Origin(node: index) }
    /// How many elements or members it has.
    public var count: Int { kind.isContainer ? Int(node.count) : 0 }
    /// The truth value, if it is one.
    public var bool: Bool? { kind == .bool ? node.isTrue : nil }
    /// The string's bytes, if it is one.
    public var text: JSONText? { kind == .string ? JSONText(document: document, index: index) : nil }
    /// The string, if it is one.
    public var string: String? { text?.string }
    /// The members in their order; none if it is no object.
    public var members: JSONMembers { JSONMembers(self, skipsNull: false) }
    /// The elements in their order; none if it is no array.
    public var elements: JSONElements { JSONElements(self) }

    /// The integer, if it is one that the type can hold.
    public func integer<Integer: FixedWidthInteger>(as type: Integer.Type = Integer.self) -> Integer? {
        if case .integer(let value) = number(as: type) { value } else { nil }
    }

    /// The member of a name, also if it is null.
    ///
    /// For a few names; iterate ``members`` for many.
    public subscript(name: StaticString) -> JSONValue? {
        for member in members where member.name == name { return member.value }
        return nil
    }

    var parent: JSONValue? {
        let parent = node.parent
        return parent < 0 ? nil : JSONValue(document: document, index: parent)
    }

    /// The node after this value's last descendant.
    fileprivate var next: Int32 {
        let node = node
        return node.kind.isContainer ? node.after : index + 1
    }
}

/// The bytes of a string or a name, for comparing without copying.
public struct JSONText: Sendable {
    let document: JSONDocument
    let index: Int32

    /// The text as a string.
    public var string: String {
        withBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Gives the bytes to a function.
    @inline(__always)
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        let node = document.nodes[Int(index)]
        let range = Int(node.start)..<Int(node.start) + Int(node.count)
        if node.isCopied {
            return document.unescaped.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
        }
        return document.text.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// Whether the text is that constant.
    public static func == (text: JSONText, name: StaticString) -> Bool {
        let count = name.utf8CodeUnitCount
        guard Int(text.document.nodes[Int(text.index)].count) == count else { return false }
        return text.withBytes { bytes in
            let start = name.utf8Start
            // Names of a table differ at the end more often than at the beginning.
            guard count == 0 || bytes[count - 1] == start[count - 1] else { return false }
            for index in 0..<count where bytes[index] != start[index] { return false }
            return true
        }
    }

    /// Lets a `switch` over a text have constants as its cases.
    public static func ~= (name: StaticString, text: JSONText) -> Bool { text == name }
}

/// A member of an object.
public struct JSONMember: Sendable {
    /// The member's value; its name is the node before.
    public let value: JSONValue

    /// The name's bytes.
    public var name: JSONText { JSONText(document: value.document, index: value.index - 1) }
    /// The name as a string.
    public var key: String { name.string }
    /// The name's place in the document.
    public var nameOrigin: Origin { Origin(node: value.index - 1) }
}

/// The members of an object, in their order.
public struct JSONMembers: Sequence, IteratorProtocol, Sendable {
    let document: JSONDocument
    private var index: Int32
    private let end: Int32
    private let skipsNull: Bool

    init(_ object: JSONValue, skipsNull: Bool) {
        document = object.document
        index = object.index + 1
        end = object.kind == .object ? object.next : index
        self.skipsNull = skipsNull
    }

    /// The next member.
    public mutating func next() -> JSONMember? {
        while index < end {
            let value = JSONValue(document: document, index: index + 1)
            index = value.next
            if skipsNull, value.kind == .null { continue }
            return JSONMember(value: value)
        }
        return nil
    }
}

/// The elements of an array, in their order.
public struct JSONElements: Sequence, IteratorProtocol, Sendable {
    private let document: JSONDocument
    private var index: Int32
    private let end: Int32

    /// How many elements the array has.
    public let underestimatedCount: Int

    init(_ array: JSONValue) {
        document = array.document
        index = array.index + 1
        end = array.kind == .array ? array.next : index
        underestimatedCount = array.kind == .array ? array.count : 0
    }

    /// The next element.
    public mutating func next() -> JSONValue? {
        guard index < end else { return nil }
        let value = JSONValue(document: document, index: index)
        index = value.next
        return value
    }
}

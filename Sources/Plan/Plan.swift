/// A plan: steps in their order and the text area their strings live in. Built by the runtime, printed for people, encoded for the init.

/// What the init is to do, with the config line that each step comes from.
public struct Plan: Equatable, Sendable {
    /// The steps in their order.
    public private(set) var steps: [PlannedStep] = []
    /// The strings: each NUL-terminated, the empty string first.
    public private(set) var text: [UInt8] = [0, 0, 0, 0]

    /// Makes an empty plan.
    public init() {}

    /// A step and where it comes from.
    public struct PlannedStep: Equatable, Sendable {
        /// What is done.
        public var step: Step
        /// The JSON node that asked for it, -1 for none.
        public var origin: Int32
    }

    /// Adds a step at the end.
    public mutating func append(_ step: Step, origin: Int32 = -1) {
        steps.append(PlannedStep(step: step, origin: origin))
    }

    /// Puts a string into the text area.
    public mutating func add(_ string: String) -> Text {
        if string.utf8.isEmpty { return .empty }
        let start = text.count
        text.append(contentsOf: string.utf8)
        text.append(0)
        return Text(offset: UInt32(start), count: UInt32(text.count - start - 1))
    }

    /// Puts bytes into the text area, aligned to 8 bytes: a BPF program, numbers.
    public mutating func add(bytes: [UInt8]) -> Text {
        while text.count % 8 != 0 { text.append(0) }
        let start = text.count
        text.append(contentsOf: bytes)
        text.append(0)
        return Text(offset: UInt32(start), count: UInt32(bytes.count))
    }

    /// Puts 32-bit numbers into the text area.
    public mutating func add(numbers: [UInt32]) -> Text {
        var bytes: [UInt8] = []
        for number in numbers { bytes.append(littleEndian: number) }
        return add(bytes: bytes)
    }

    /// Puts a list of strings into the text area.
    public mutating func add(_ strings: [String]) -> TextList {
        let records = strings.map { add($0) }
        while text.count % 4 != 0 { text.append(0) }
        let start = text.count
        for record in records {
            text.append(littleEndian: record.offset)
            text.append(littleEndian: record.count)
        }
        return TextList(offset: UInt32(start), count: UInt32(records.count))
    }

    /// The string that a step names.
    public func string(_ reference: Text) -> String {
        String(decoding: bytes(reference), as: UTF8.self)
    }

    /// The bytes that a step names.
    public func bytes(_ reference: Text) -> ArraySlice<UInt8> {
        text[Int(reference.offset)..<Int(reference.offset) + Int(reference.count)]
    }

    /// The strings of a list that a step names.
    public func strings(_ list: TextList) -> [String] {
        (0..<Int(list.count)).map { index in
            let at = Int(list.offset) + 8 * index
            return string(Text(offset: text.littleEndian(at: at), count: text.littleEndian(at: at + 4)))
        }
    }
}

extension Array where Element == UInt8 {
    /// Adds a number's 4 bytes.
    mutating func append(littleEndian number: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    /// The number in 4 bytes.
    func littleEndian(at index: Int) -> UInt32 {
        UInt32(self[index]) | UInt32(self[index + 1]) << 8 | UInt32(self[index + 2]) << 16 | UInt32(self[index + 3]) << 24
    }
}

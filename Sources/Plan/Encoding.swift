/// A plan as bytes: what the runtime writes into a memory file and the init maps.
///
/// Header, steps, text. Both programs are of one build, so there is no versioning beyond a check that they are.

/// What stands at the start of an encoded plan.
public struct PlanHeader: Equatable, Sendable {
    /// "swp1": the bytes are a plan of this build.
    public static let magic: UInt32 = 0x3170_7773

    /// The number of the inherited listening socket on which start connects.
    public var startSocket: UInt32
    /// How many descriptors from 3 on belong to the payload.
    public var preservedDescriptors: UInt32
    /// How many inherited descriptors are open trees: slot N is descriptor `firstSlot + N`.
    public var slotCount: UInt32
    /// The number of the first of them.
    public var firstSlot: UInt32

    /// Makes a header.
    public init(startSocket: UInt32, preservedDescriptors: UInt32, slotCount: UInt32 = 0, firstSlot: UInt32 = 0) {
        self.startSocket = startSocket
        self.preservedDescriptors = preservedDescriptors
        self.slotCount = slotCount
        self.firstSlot = firstSlot
    }

    /// The header's size in bytes: eight words.
    static let size = 32
}

extension Plan {
    /// The plan's bytes.
    public func encoded(_ header: PlanHeader) -> [UInt8] {
        var coder = Encoder()
        coder.bytes.reserveCapacity(PlanHeader.size + steps.count * 64 + text.count)
        for planned in steps {
            coder.bytes.append(littleEndian: planned.step.tag)
            coder.bytes.append(littleEndian: UInt32(bitPattern: planned.origin))
            planned.step.encode(with: &coder)
        }
        while coder.bytes.count % 8 != 0 { coder.bytes.append(0) }
        var result: [UInt8] = []
        result.reserveCapacity(PlanHeader.size + coder.bytes.count + text.count)
        for word in [
            PlanHeader.magic, UInt32(steps.count), UInt32(PlanHeader.size + coder.bytes.count), UInt32(text.count),
            header.startSocket, header.preservedDescriptors, header.slotCount, header.firstSlot,
        ] {
            result.append(littleEndian: word)
        }
        result += coder.bytes
        result += text
        return result
    }
}

/// Writes fields one after the other.
private struct Encoder: FieldCoder {
    var bytes: [UInt8] = []

    mutating func code(_ field: inout UInt32) {
        bytes.append(littleEndian: field)
    }

    mutating func code(_ field: inout UInt64) {
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: field))
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: field >> 32))
    }
}

/// An encoded plan, read in place.
///
/// Every access stays inside the given bytes.
public struct PlanReader {
    /// What the header says.
    public let header: PlanHeader
    /// How many steps there are.
    public let stepCount: Int
    private let base: UnsafeRawPointer
    private let textStart: Int
    private let textCount: Int
    private var decoder: Decoder

    /// Reads a plan at an address that is aligned to 8 bytes; nil if the bytes are no plan of this build.
    public init?(_ base: UnsafeRawPointer, count: Int) {
        guard count >= PlanHeader.size else { return nil }
        func word(_ index: Int) -> UInt32 { base.load(fromByteOffset: 4 * index, as: UInt32.self) }
        let start = Int(word(2)), size = Int(word(3))
        guard word(0) == PlanHeader.magic, start >= PlanHeader.size, size > 0, start + size <= count else { return nil }
        guard base.load(fromByteOffset: start + size - 1, as: UInt8.self) == 0 else { return nil }
        header = PlanHeader(startSocket: word(4), preservedDescriptors: word(5), slotCount: word(6), firstSlot: word(7))
        stepCount = Int(word(1))
        self.base = base
        textStart = start
        textCount = size
        decoder = Decoder(next: base + PlanHeader.size, end: base + start)
    }

    /// Decodes the next step; nil where the bytes are damaged or used up.
    public mutating func next() -> (step: Step, origin: Int32)? {
        var tag: UInt32 = 0
        var origin: UInt32 = 0
        decoder.code(&tag)
        decoder.code(&origin)
        guard let step = Step(tag: tag, with: &decoder), !decoder.isExhausted else { return nil }
        return (step, Int32(bitPattern: origin))
    }

    /// The bytes that the plan is read from.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: textStart + textCount) }

    /// The address of a string, which ends with NUL; the empty string for one that does not lie in the text area.
    public func cString(_ text: Text) -> UnsafePointer<CChar> {
        let inside = Int(text.offset) + Int(text.count) < textCount
        return (base + textStart + (inside ? Int(text.offset) : 0)).assumingMemoryBound(to: CChar.self)
    }

    /// The string at a place in a list.
    public func text(_ list: TextList, _ index: Int) -> Text {
        let at = Int(list.offset) + 8 * index
        guard index < Int(list.count), at + 8 <= textCount else { return .empty }
        return Text(
            offset: (base + textStart + at).loadUnaligned(as: UInt32.self),
            count: (base + textStart + at + 4).loadUnaligned(as: UInt32.self))
    }
}

/// Reads fields one after the other; zeros after the end.
private struct Decoder: FieldCoder {
    var next: UnsafeRawPointer
    let end: UnsafeRawPointer
    var isExhausted = false

    mutating func code(_ field: inout UInt32) {
        guard next + 4 <= end else {
            isExhausted = true
            return
        }
        field = next.loadUnaligned(as: UInt32.self)
        next += 4
    }

    mutating func code(_ field: inout UInt64) {
        var low: UInt32 = 0
        var high: UInt32 = 0
        code(&low)
        code(&high)
        field = UInt64(low) | UInt64(high) << 32
    }
}

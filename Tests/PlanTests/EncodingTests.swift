import Testing

@testable import Plan

@Suite("A plan as bytes")
struct EncodingTests {
    let plan = StepSamples().plan
    let header = PlanHeader(startSocket: 7, preservedDescriptors: 3, slotCount: 2, firstSlot: 11)

    /// What a reader makes of bytes, in memory of exactly their size.
    private func read<R>(_ bytes: [UInt8], _ body: (inout PlanReader) -> R) -> R? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 8)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: bytes)
        guard var reader = PlanReader(buffer.baseAddress!, count: bytes.count) else { return nil }
        return body(&reader)
    }

    private func steps(_ reader: inout PlanReader) -> [Plan.PlannedStep] {
        var copy = Plan()
        for _ in 0..<reader.stepCount {
            guard let (step, origin) = reader.next() else { break }
            copy.append(step, origin: origin)
        }
        return copy.steps
    }

    @Test("the samples have each of the 51 steps once")
    func sampleIsComplete() {
        let names = plan.steps.map { "\($0.step)".prefix { $0 != "(" } }
        #expect(names.count == 51)
        #expect(Set(names).count == 51)
    }

    @Test("every step comes out as it went in, in order, with its origin")
    func roundTrip() throws {
        let (found, count, foundHeader) = try #require(
            read(plan.encoded(header)) { reader in (steps(&reader), reader.stepCount, reader.header) })
        #expect(foundHeader == header)
        #expect(count == plan.steps.count)
        for (index, step) in found.enumerated() { #expect(step == plan.steps[index]) }
        #expect(found.count == plan.steps.count)
    }

    @Test("strings and lists come out as they went in, NUL-terminated")
    func text() throws {
        var plan = Plan()
        let word = plan.add("wörd")
        let list = plan.add(["a", "", "ccc"])
        plan.append(.makeReadonly(OneText(word)))
        let found = try #require(
            read(plan.encoded(header)) { reader in
                [String(cString: reader.cString(word))] + (0..<4).map { String(cString: reader.cString(reader.text(list, $0))) }
            })
        #expect(found == ["wörd", "a", "", "ccc", ""])
        #expect(plan.strings(list) == ["a", "", "ccc"])
    }

    @Test("a text that lies outside of the text area is the empty string")
    func textOutside() throws {
        let bytes = plan.encoded(header)
        let outside: [Text] = [
            Text(offset: .max, count: .max), Text(offset: UInt32(bytes.count), count: 0), Text(offset: 0, count: UInt32(bytes.count)),
            Text(offset: .max, count: 1),
        ]
        let found = try #require(read(bytes) { reader in outside.map { String(cString: reader.cString($0)) } })
        #expect(found == ["", "", "", ""])
        let list = try #require(
            read(bytes) { reader in
                [
                    reader.text(TextList(offset: .max, count: .max), 0), reader.text(TextList(offset: 0, count: .max), 1 << 30),
                    reader.text(TextList(offset: 8, count: 1), 1),
                ]
            })
        #expect(list == [.empty, .empty, .empty])
    }

    @Test("what is cut short is no plan")
    func truncation() {
        let bytes = plan.encoded(header)
        for count in 0..<bytes.count {
            #expect(read(Array(bytes.prefix(count))) { reader in steps(&reader).count } == nil, "cut to \(count) bytes")
        }
    }

    @Test("where the area of the steps ends early, so do the steps")
    func shortSteps() throws {
        let bytes = plan.encoded(header)
        let whole = littleEndian(bytes, at: 8)
        var readable = 0
        // Up to four bytes of padding may follow the last step.
        for start in stride(from: UInt32(32), to: whole - 4, by: 4) {
            guard let found = read(replacing(bytes, at: 8, with: start), { reader in steps(&reader) }) else { continue }
            readable += 1
            #expect(found.count < plan.steps.count)
            #expect(found == Array(plan.steps.prefix(found.count)))
        }
        #expect(readable > 100)
    }

    @Test(
        "another magic, a start before the header and a text area of nothing or too much are refused",
        arguments: [(0, 0x3170_7772), (8, 31), (8, UInt32.max), (12, 0), (12, UInt32.max)] as [(Int, UInt32)])
    func badHeader(offset: Int, value: UInt32) {
        #expect(read(replacing(plan.encoded(header), at: offset, with: value)) { _ in true } == nil)
    }

    @Test("whatever bits are flipped, strings lie inside the plan and reading ends")
    func flips() {
        let bytes = plan.encoded(header)
        var generator = Numbers(state: 42)
        var readable = 0
        var outside = 0
        for round in 0..<5_000 {
            var damaged = bytes
            for _ in 0...(round % 4) {
                damaged[Int(generator.next() % UInt64(bytes.count))] ^= UInt8(truncatingIfNeeded: 1 << (generator.next() % 8))
            }
            damaged.withUnsafeBytes { buffer in
                guard var reader = PlanReader(buffer.baseAddress!, count: buffer.count) else { return }
                readable += 1
                var count = 0
                while count < 1_000, let (step, _) = reader.next() {
                    count += 1
                    if !stringsLieInside(step, reader, buffer) { outside += 1 }
                }
                if count == 1_000 { outside += 1 }
            }
        }
        #expect(outside == 0)
        #expect(readable > 4_000)
    }

    /// Whether the strings of a step start and end inside the bytes.
    private func stringsLieInside(_ step: Step, _ reader: PlanReader, _ buffer: UnsafeRawBufferPointer) -> Bool {
        func isInside(_ text: Text) -> Bool {
            let start = UnsafeRawPointer(reader.cString(text)) - buffer.baseAddress!
            return buffer.indices.contains(start) && buffer[start...].contains(0)
        }
        func areInside(_ list: TextList) -> Bool { (0..<8).allSatisfy { isInside(reader.text(list, $0)) } }
        return switch step {
        case .setHostname(let fields), .mask(let fields), .changeDirectory(let fields): isInside(fields.text)
        case .mountFilesystem(let fields): isInside(fields.type) && isInside(fields.target.path) && areInside(fields.parameters)
        case .bind(let fields): isInside(fields.source.path) && isInside(fields.target.path)
        case .runHook(let fields): isInside(fields.path) && areInside(fields.arguments) && areInside(fields.environment)
        case .setUser(let fields): isInside(fields.groups)
        case .loadSeccomp(let fields): isInside(fields.program)
        case .execute(let fields): areInside(fields.arguments) && areInside(fields.environment)
        default: true
        }
    }

    private func replacing(_ bytes: [UInt8], at index: Int, with value: UInt32) -> [UInt8] {
        var result = bytes
        for byte in 0..<4 { result[index + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)) }
        return result
    }

    private func littleEndian(_ bytes: [UInt8], at index: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[index + $1]) << UInt32(8 * $1) }
    }
}

/// Numbers without a pattern that are the same in every run.
private struct Numbers {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
}

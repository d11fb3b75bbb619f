/// The device filter of cgroup v2: the rules compiled to an eBPF program, as data.
///
/// The kernel runs it for every open and mknod of a device node, with the accesses that are asked for together. Each of them is
/// decided by the last rule that covers it, which is what the files of cgroup v1 do as well. As the rules' numbers are known, so is what
/// the list says of each of them: the program only looks the device up. That costs the verifier one path for each number, where trying
/// rule after rule costs one for each pair of rules.

public import Spec

/// A BPF_PROG_TYPE_CGROUP_DEVICE program.
public struct DeviceProgram: Equatable, Sendable {
    /// The instructions.
    public private(set) var instructions: [Instruction] = []

    /// One instruction, 8 bytes.
    ///
    /// Source: Documentation/bpf/standardization/instruction-set.rst.
    public struct Instruction: Equatable, Sendable {
        /// The operation.
        public var code: UInt8
        /// The register that is changed or compared.
        public var destination: UInt8
        /// The register that is read.
        public var source: UInt8 = 0
        /// Where to load from, or how many instructions to jump over.
        public var offset: Int16 = 0
        /// The constant.
        public var constant: Int32 = 0

        /// The instruction as the kernel takes it.
        public var encoded: UInt64 {
            UInt64(code) | UInt64(destination) << 8 | UInt64(source) << 12 | UInt64(UInt16(bitPattern: offset)) << 16
                | UInt64(UInt32(bitPattern: constant)) << 32
        }
    }

    /// The operations that are used: class, operation and operand kind in one byte.
    enum Code {
        static let loadWord: UInt8 = 0x61
        static let copy: UInt8 = 0xbc
        static let and: UInt8 = 0x54
        static let or: UInt8 = 0x4c
        static let shiftLeft: UInt8 = 0x64
        static let shiftRight: UInt8 = 0x74
        static let set: UInt8 = 0xb7
        static let jumpUnlessEqual: UInt8 = 0x55
        static let exit: UInt8 = 0x95
    }

    /// The registers: the answer, the argument, and what is loaded from it.
    enum Register {
        static let answer: UInt8 = 0
        static let context: UInt8 = 1
        static let kind: UInt8 = 2
        static let access: UInt8 = 3
        static let major: UInt8 = 4
        static let minor: UInt8 = 5
        /// Kind and major number in one.
        static let group: UInt8 = 6
    }

    /// Compiles rules.
    ///
    /// What no rule decides is refused.
    public init(_ rules: [Resources.DeviceRule]) {
        let table = DeviceTable(rules)
        // struct bpf_cgroup_dev_ctx: access << 16 | kind, major, minor.
        emit(Code.loadWord, Register.kind, source: Register.context, offset: 0)
        emit(Code.copy, Register.access, source: Register.kind)
        emit(Code.and, Register.kind, constant: 0xffff)
        emit(Code.shiftRight, Register.access, constant: 16)
        emit(Code.loadWord, Register.major, source: Register.context, offset: 4)
        emit(Code.loadWord, Register.minor, source: Register.context, offset: 8)
        emit(Code.copy, Register.group, source: Register.kind)
        emit(Code.shiftLeft, Register.group, constant: 16)
        emit(Code.or, Register.group, source: Register.major)
        for kind in DeviceTable.kinds { compile(kind, table) }
        let (block, character) = (table.allowed(.block, nil, nil), table.allowed(.character, nil, nil))
        if block != character {
            unless(Register.kind, equals: Self.number(.block)) { $0.decide(block) }
        }
        decide(character)
    }

    /// Compiles what the list says of the numbers that its rules name.
    private mutating func compile(_ kind: Resources.DeviceRule.Kind, _ table: DeviceTable) {
        let others = table.allowed(kind, nil, nil)
        let anyMajor = table.minors(kind, major: nil)
        for major in table.majors(kind) {
            let rest = table.allowed(kind, major, nil)
            let minors = table.minors(kind, major: major).filter { table.allowed(kind, major, $0) != rest }
            if minors.isEmpty && anyMajor.isEmpty && rest == others { continue }
            let group = Self.number(kind) << 16 | Int32(major)
            // A jump has 16 bits.
            let most = 4096
            var start = 0
            repeat {
                let part = minors[start..<min(start + most, minors.count)]
                start += most
                let isLast = start >= minors.count
                unless(Register.group, equals: group) { program in
                    for minor in part {
                        program.unless(Register.minor, equals: Int32(minor)) { $0.decide(table.allowed(kind, major, minor)) }
                    }
                    if isLast { program.decide(rest) }
                }
            } while start < minors.count
        }
        for minor in anyMajor {
            let exit = emit(Code.jumpUnlessEqual, Register.kind, constant: Self.number(kind))
            unless(Register.minor, equals: Int32(minor)) { $0.decide(table.allowed(kind, nil, minor)) }
            instructions[exit].offset = Int16(instructions.count - exit - 1)
        }
    }

    /// The kernel's number of a kind of devices: BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_DEV_CHAR.
    private static func number(_ kind: Resources.DeviceRule.Kind) -> Int32 { kind == .block ? 1 : 2 }

    /// Jumps over instructions unless a register has a value.
    private mutating func unless(_ register: UInt8, equals value: Int32, _ body: (inout DeviceProgram) -> Void) {
        let jump = emit(Code.jumpUnlessEqual, register, constant: value)
        body(&self)
        instructions[jump].offset = Int16(instructions.count - jump - 1)
    }

    /// Ends the program: 1 where nothing is asked for but what is allowed, 0 otherwise.
    private mutating func decide(_ allowed: Int32) {
        if allowed != 0 && allowed != DeviceTable.everything {
            emit(Code.and, Register.access, constant: ~allowed & DeviceTable.everything)
            emit(Code.set, Register.answer, constant: 0)
            emit(Code.jumpUnlessEqual, Register.access, offset: 1, constant: 0)
            emit(Code.set, Register.answer, constant: 1)
        } else {
            emit(Code.set, Register.answer, constant: allowed == 0 ? 0 : 1)
        }
        emit(Code.exit, 0)
    }

    @discardableResult
    private mutating func emit(_ code: UInt8, _ destination: UInt8, source: UInt8 = 0, offset: Int16 = 0, constant: Int32 = 0) -> Int {
        instructions.append(Instruction(code: code, destination: destination, source: source, offset: offset, constant: constant))
        return instructions.count - 1
    }
}

/// What a list of rules says of each device.
private struct DeviceTable {
    /// The kinds of devices.
    static let kinds: [Resources.DeviceRule.Kind] = [.block, .character]
    /// Making, reading and writing: BPF_DEVCG_ACC_MKNOD, _READ, _WRITE.
    static let everything: Int32 = 7

    /// The rules that a device can match.
    private let rules: [Resources.DeviceRule]

    init(_ rules: [Resources.DeviceRule]) {
        // No device has more than 12 bits of major and 20 of minor.
        self.rules = rules.filter { $0.kind == .all || ($0.major ?? 0) < 1 << 12 && ($0.minor ?? 0) < 1 << 20 }
    }

    /// The major numbers that rules name.
    func majors(_ kind: Resources.DeviceRule.Kind) -> [UInt32] {
        sorted(rules.filter { $0.kind == kind }.compactMap { $0.major })
    }

    /// The minor numbers that rules name for devices of that major number, or for any; with nil for any only.
    func minors(_ kind: Resources.DeviceRule.Kind, major: UInt32?) -> [UInt32] {
        sorted(rules.filter { $0.kind == kind && ($0.major == nil || $0.major == major) }.compactMap { $0.minor })
    }

    /// The accesses that the list allows; nil stands for a number that no rule names.
    func allowed(_ kind: Resources.DeviceRule.Kind, _ major: UInt32?, _ minor: UInt32?) -> Int32 {
        var allowed: Int32 = 0
        var open = Self.everything
        for rule in rules.reversed() {
            guard
                rule.kind == .all
                    || rule.kind == kind && (rule.major == nil || rule.major == major) && (rule.minor == nil || rule.minor == minor)
            else { continue }
            let covered = rule.kind == .all ? Self.everything : (rule.mknod ? 1 : 0) | (rule.read ? 2 : 0) | (rule.write ? 4 : 0)
            if rule.allow { allowed |= covered & open }
            open &= ~covered
            if open == 0 { break }
        }
        return allowed
    }

    private func sorted(_ numbers: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        for number in numbers.sorted() where number != result.last { result.append(number) }
        return result
    }
}

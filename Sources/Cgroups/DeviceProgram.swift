/// The device filter of cgroup v2: the rules compiled to an eBPF program, as data.
///
/// The kernel runs it for every open and mknod of a device node, with the accesses that are asked for together. Each of them is
/// decided by the last rule that covers it, which is what the files of cgroup v1 do as well; so the program goes through the rules
/// backwards and keeps the accesses that no rule has decided yet.

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
        static let shiftRight: UInt8 = 0x74
        static let set: UInt8 = 0xb7
        static let jumpIfEqual: UInt8 = 0x15
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
        static let scratch: UInt8 = 6
    }

    /// Compiles rules.
    ///
    /// What no rule decides is refused.
    public init(_ rules: [Resources.DeviceRule]) {
        // struct bpf_cgroup_dev_ctx: access << 16 | kind, major, minor.
        emit(Code.loadWord, Register.kind, source: Register.context, offset: 0)
        emit(Code.copy, Register.access, source: Register.kind)
        emit(Code.and, Register.kind, constant: 0xffff)
        emit(Code.shiftRight, Register.access, constant: 16)
        emit(Code.loadWord, Register.major, source: Register.context, offset: 4)
        emit(Code.loadWord, Register.minor, source: Register.context, offset: 8)
        for rule in rules.reversed() {
            let isFinal = rule.kind == .all
            compile(rule)
            // The verifier refuses instructions that cannot be reached.
            if isFinal { return }
        }
        answer(0)
    }

    /// Compiles a rule: falls through to the next one where it does not decide everything that is asked for.
    private mutating func compile(_ rule: Resources.DeviceRule) {
        if rule.kind == .all { return answer(rule.allow ? 1 : 0) }
        var exits: [Int] = []
        exits.append(emit(Code.jumpUnlessEqual, Register.kind, constant: rule.kind == .block ? 1 : 2))
        if let major = rule.major { exits.append(emit(Code.jumpUnlessEqual, Register.major, constant: Int32(bitPattern: major))) }
        if let minor = rule.minor { exits.append(emit(Code.jumpUnlessEqual, Register.minor, constant: Int32(bitPattern: minor))) }
        let access: Int32 = (rule.mknod ? 1 : 0) | (rule.read ? 2 : 0) | (rule.write ? 4 : 0)
        if rule.allow {
            if access != 7 {
                emit(Code.and, Register.access, constant: ~access & 7)
                exits.append(emit(Code.jumpUnlessEqual, Register.access, constant: 0))
            }
            answer(1)
        } else {
            if access != 7 {
                emit(Code.copy, Register.scratch, source: Register.access)
                emit(Code.and, Register.scratch, constant: access)
                exits.append(emit(Code.jumpIfEqual, Register.scratch, constant: 0))
            }
            answer(0)
        }
        for index in exits { instructions[index].offset = Int16(instructions.count - index - 1) }
    }

    private mutating func answer(_ value: Int32) {
        emit(Code.set, Register.answer, constant: value)
        emit(Code.exit, 0)
    }

    @discardableResult
    private mutating func emit(_ code: UInt8, _ destination: UInt8, source: UInt8 = 0, offset: Int16 = 0, constant: Int32 = 0) -> Int {
        instructions.append(Instruction(code: code, destination: destination, source: source, offset: offset, constant: constant))
        return instructions.count - 1
    }
}

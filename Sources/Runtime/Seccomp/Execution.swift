/// Whether a filter lets a payload be executed at all: it is in force when execve(2) is called, and nothing can be reported under it.

import CLinux
import CSeccomp

/// Whether a filter keeps every execve of this architecture from happening, whatever its arguments are.
///
/// Asking a listener or a tracer is not a no, and neither is a program that this reader does not understand.
func refusesExecve(_ program: [UInt8]) -> Bool {
    guard let answer = FilterRun(program).answer(call: UInt32(__NR_execve), architecture: seccomp_arch_native()) else { return false }
    // ALLOW, LOG, NOTIFY and TRACE: SECCOMP_RET_* above 0x7F000000.
    return answer == 0 || answer >> 16 < 0x7F00 || answer >> 31 == 1
}

/// A run of a filter on one call with unknown arguments.
///
/// Source: linux/bpf_common.h, seccomp(2).
private struct FilterRun {
    private let program: [UInt8]

    init(_ program: [UInt8]) { self.program = program }

    /// What the filter returns; nil where that depends on more than the call's number and its architecture.
    func answer(call: UInt32, architecture: UInt32) -> UInt32? {
        var accumulator: UInt32 = 0
        var at = 0
        // Jumps go forward only, so this ends.
        while (at + 1) * SeccompProgram.instructionSize <= program.count {
            let base = at * SeccompProgram.instructionSize
            let code = UInt16(program[base]) | UInt16(program[base + 1]) << 8
            let (whenTrue, whenFalse) = (Int(program[base + 2]), Int(program[base + 3]))
            let operand = word(base + 4)
            at += 1
            switch code {
            case 0x20:
                guard operand == 0 || operand == 4 else { return nil }
                accumulator = operand == 0 ? call : architecture
            case 0x05: at += Int(operand)
            case 0x15: at += accumulator == operand ? whenTrue : whenFalse
            case 0x25: at += accumulator > operand ? whenTrue : whenFalse
            case 0x35: at += accumulator >= operand ? whenTrue : whenFalse
            case 0x45: at += accumulator & operand != 0 ? whenTrue : whenFalse
            case 0x54: accumulator &= operand
            case 0x06: return operand
            default: return nil
            }
        }
        return nil
    }

    private func word(_ at: Int) -> UInt32 {
        var result: UInt32 = 0
        for index in 0..<4 { result |= UInt32(program[at + index]) << UInt32(8 * index) }
        return result
    }
}

/// The kernel's side of a filter: a small interpreter of classic BPF over struct seccomp_data.

/// A system call as a filter sees it.
struct SeccompCall {
    static let x8664: UInt32 = 0xC000_003E
    static let i386: UInt32 = 0x4000_0003

    var number: UInt32
    var architecture = SeccompCall.x8664
    var arguments: [UInt64] = []

    /// The word at an offset of struct seccomp_data: nr, arch, instruction pointer, six arguments.
    func word(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0: return number
        case 4: return architecture
        case 8, 12: return 0
        default:
            let index = Int(offset - 16) / 8
            let value = index < arguments.count ? arguments[index] : 0
            return UInt32(truncatingIfNeeded: offset % 8 == 0 ? value : value >> 32)
        }
    }
}

/// What a program returns for a call; nil for an instruction that the kernel would refuse.
func interpret(_ program: [UInt8], _ call: SeccompCall) -> UInt32? {
    var accumulator: UInt32 = 0
    var at = 0
    var steps = 0
    while at * 8 + 8 <= program.count, steps <= 4096 {
        steps += 1
        let bytes = program[(at * 8)..<(at * 8 + 8)].map { UInt32($0) }
        let code = bytes[0] | bytes[1] << 8
        let (whenTrue, whenFalse) = (Int(bytes[2]), Int(bytes[3]))
        let value = bytes[4] | bytes[5] << 8 | bytes[6] << 16 | bytes[7] << 24
        at += 1
        switch code {
        case 0x20:
            guard value % 4 == 0, value < 64 else { return nil }
            accumulator = call.word(value)
        case 0x54: accumulator &= value
        case 0x05: at += Int(value)
        case 0x15: at += accumulator == value ? whenTrue : whenFalse
        case 0x25: at += accumulator > value ? whenTrue : whenFalse
        case 0x35: at += accumulator >= value ? whenTrue : whenFalse
        case 0x45: at += accumulator & value != 0 ? whenTrue : whenFalse
        case 0x06: return value
        default: return nil
        }
    }
    return nil
}

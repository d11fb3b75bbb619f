/// What a filter says to calls that are younger than itself: ENOSYS, so that C libraries fall back to older ones (SE-16).
///
/// A profile whose default is an errno means the calls it knew. For numbers above the highest that it names, on each architecture,
/// a few instructions in front of the filter answer ENOSYS; everything else goes on to the filter.

import CSeccomp
import Spec

/// The instructions in front; nil where the default action is no errno or is ENOSYS already.
func newSyscallStub(_ seccomp: Seccomp) -> [UInt8]? {
    guard case .errno(let number) = seccomp.defaultAction, number != 38 else { return nil }
    var groups: [ArchitectureGroup] = []
    var tokens = [seccomp_arch_native()]
    for name in seccomp.architectures {
        let token = architectureToken(name.value)
        if token != 0, !tokens.contains(token) { tokens.append(token) }
    }
    for token in tokens {
        guard let last = highestNumber(seccomp, token) else { continue }
        let isX32 = token == ArchitectureGroup.x32
        let kernelToken = isX32 ? ArchitectureGroup.x8664 : token
        let index = groups.firstIndex { $0.token == kernelToken } ?? groups.count
        if index == groups.count { groups.append(ArchitectureGroup(token: kernelToken)) }
        if isX32 { groups[index].lastX32 = last } else { groups[index].last = last }
    }
    guard !groups.isEmpty else { return nil }
    var code = BPFText()
    code.load(BPFText.architecture)
    for group in groups { group.emit(to: &code) }
    return code.bytes
}

/// The highest number that the profile's names have on an architecture.
private func highestNumber(_ seccomp: Seccomp, _ token: UInt32) -> UInt32? {
    var highest: Int32 = -1
    var seen = Set<String>()
    for rule in seccomp.syscalls {
        for name in rule.names where seen.insert(name).inserted {
            // Negative: unknown, or of other architectures only.
            highest = max(highest, seccomp_syscall_resolve_name_arch(token, name))
        }
    }
    return highest >= 0 ? UInt32(highest) : nil
}

/// The architectures that the kernel gives the same number in seccomp_data.arch: x32 calls are x86_64's with bit 30.
private struct ArchitectureGroup {
    static let x8664: UInt32 = 0xC000_003E
    static let x32: UInt32 = 0x4000_003E
    static let x32Bit: UInt32 = 0x4000_0000

    var token: UInt32
    var last: UInt32?
    var lastX32: UInt32?

    init(token: UInt32) { self.token = token }

    /// Comparisons with the architecture in the accumulator; falls through with it there.
    func emit(to code: inout BPFText) {
        var body = BPFText()
        body.load(BPFText.number)
        if token == ArchitectureGroup.x8664 {
            // x32 numbers are all above x86_64's: they are told apart first.
            if let lastX32 {
                body.skip(2, unlessAtLeast: ArchitectureGroup.x32Bit)
                body.answerNotImplemented(above: lastX32 | ArchitectureGroup.x32Bit)
            }
            if let last {
                body.skip(2, ifAtLeast: ArchitectureGroup.x32Bit)
                body.answerNotImplemented(above: last)
            }
        } else if let last {
            body.answerNotImplemented(above: last)
        }
        body.load(BPFText.architecture)
        code.skip(UInt8(body.count), unlessEqual: token)
        code.append(body)
    }
}

/// A growing BPF program.
///
/// Source: linux/bpf_common.h.
private struct BPFText {
    static let number: UInt32 = 0
    static let architecture: UInt32 = 4

    private(set) var bytes: [UInt8] = []
    var count: Int { bytes.count / SeccompProgram.instructionSize }

    /// Loads a word of seccomp_data.
    mutating func load(_ offset: UInt32) { add(0x20, 0, 0, offset) }

    mutating func skip(_ count: UInt8, unlessEqual value: UInt32) { add(0x15, 0, count, value) }

    mutating func skip(_ count: UInt8, unlessAtLeast value: UInt32) { add(0x35, 0, count, value) }

    mutating func skip(_ count: UInt8, ifAtLeast value: UInt32) { add(0x35, count, 0, value) }

    /// ENOSYS for numbers above one: two instructions.
    mutating func answerNotImplemented(above value: UInt32) {
        add(0x25, 0, 1, value)
        add(0x06, 0, 0, SeccompAction.errno(38).code)
    }

    mutating func append(_ other: BPFText) { bytes += other.bytes }

    private mutating func add(_ code: UInt16, _ whenTrue: UInt8, _ whenFalse: UInt8, _ value: UInt32) {
        bytes += [UInt8(truncatingIfNeeded: code), UInt8(truncatingIfNeeded: code >> 8), whenTrue, whenFalse]
        for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}

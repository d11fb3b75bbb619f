/// From the config's filter to the kernel's program. Pure but for libseccomp, which knows names and writes BPF.
///
/// Source: config-linux.md#seccomp; rows SE-01 to SE-16; seccomp_rule_add(3).

import CLinux
import CSeccomp
import Linux
public import Spec

/// A filter as seccomp(2) takes it.
public struct SeccompProgram: Equatable, Sendable {
    /// The instructions: 8 bytes each (struct sock_filter).
    public var instructions: [UInt8]
    /// SECCOMP_FILTER_FLAG_* bits.
    public var flags: UInt32

    /// The most instructions the kernel takes (BPF_MAXINSNS).
    static let maximumCount = 4096
    /// The size of an instruction.
    static let instructionSize = 8
}

/// Compiles a filter.
///
/// - Parameter place: Where in config.json an origin stands, for the failure.
public func compileSeccomp(
    _ seccomp: Seccomp, place: (Origin) -> Failure.Place? = { _ in nil }
) throws(Failure) -> SeccompProgram {
    let flags = try filterFlags(seccomp, place)
    let filter = try SeccompFilter(defaultAction: seccomp.defaultAction)
    for name in seccomp.architectures { try filter.add(architecture: name, place) }
    var seen = Set<ResolvedRule>()
    let architectures = Set(seccomp.architectures.map { architectureToken($0.value) } + [seccomp_arch_native()])
    var conditionalCount = 0
    for rule in seccomp.syscalls where rule.action != seccomp.defaultAction {
        let alternatives = alternatives(rule.args)
        for name in rule.names {
            // A name that this libseccomp does not know is left out (SE-09).
            guard let call = syscallNumber(name) else { continue }
            for conditions in alternatives {
                let resolved = ResolvedRule(call: call, action: rule.action.code, conditions: conditions)
                guard seen.insert(resolved).inserted else { continue }
                // Every condition takes an instruction at least, in each architecture that has the call: such a filter could not be loaded,
                // and libseccomp needs minutes for it.
                if !conditions.isEmpty {
                    for token in architectures where seccomp_syscall_resolve_name_arch(token, name) >= 0 { conditionalCount += 1 }
                }
                guard max(seen.count, conditionalCount) <= SeccompProgram.maximumCount else { throw tooLarge(seccomp, place) }
                try filter.add(resolved, name: name, origin: rule.origin, place)
            }
        }
    }
    var instructions = try filter.exported()
    if let stub = newSyscallStub(seccomp) { instructions = stub + instructions }
    guard instructions.count <= SeccompProgram.maximumCount * SeccompProgram.instructionSize else { throw tooLarge(seccomp, place) }
    return SeccompProgram(instructions: instructions, flags: flags)
}

/// The architectures that this libseccomp can filter, as configs name them (FE-08).
public func filterableArchitectures() -> [String] { seccompArchitectureNames().filter { architectureToken($0) != 0 } }

/// The version of libseccomp that compiles filters, such as "2.5.4".
public func libseccompVersion() -> String {
    guard let version = seccomp_version()?.pointee else { return "unknown" }
    return "\(version.major).\(version.minor).\(version.micro)"
}

/// The name of a system call of this architecture, such as "mount".
func systemCallName(_ number: Int32) -> String? {
    guard number >= 0, let name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number) else { return nil }
    defer { release(name) }
    return String(cString: name)
}

/// Frees what libseccomp allocated.
private func release(_ memory: UnsafeMutablePointer<CChar>) {
    memory.deallocate()
}

/// A call's number on this architecture: negative for a call that only others have, nil for an unknown name.
func syscallNumber(_ name: String) -> Int32? {
    let number = seccomp_syscall_resolve_name(name)
    return number == -1 ? nil : number
}

/// Conditions on different arguments must all hold.
///
/// If an argument occurs twice, each condition is a rule of its own (SE-15).
private func alternatives(_ conditions: [SeccompCondition]) -> [[SeccompCondition]] {
    var indices = Set<UInt32>()
    let hasRepetition = conditions.contains { !indices.insert($0.index).inserted }
    return hasRepetition ? conditions.map { [$0] } : [conditions]
}

/// The flags' bits.
///
/// Without a list speculation is allowed, which makes filters much cheaper (SE-05).
func filterFlags(_ seccomp: Seccomp, _ place: (Origin) -> Failure.Place?) throws(Failure) -> UInt32 {
    // SECCOMP_FILTER_FLAG_NEW_LISTENER (SE-06).
    let listener: UInt32 = seccomp.notifies ? 8 : 0
    guard let names = seccomp.flags else { return 4 | listener }
    var bits = listener
    for name in names {
        switch name.value {
        // The process that loads the filter is the payload's alone. With a listener its one helping thread must stay out of the filter.
        case "SECCOMP_FILTER_FLAG_TSYNC": bits |= seccomp.notifies ? 0 : 1
        case "SECCOMP_FILTER_FLAG_LOG": bits |= 2
        case "SECCOMP_FILTER_FLAG_SPEC_ALLOW": bits |= 4
        // It changes how a listener's answers are awaited; the kernel refuses it without one.
        case "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": bits |= seccomp.notifies ? 32 : 0
        default:
            throw Failure("compile the seccomp filter", name.value, detail: "unknown seccomp flag", place: place(name.origin))
        }
    }
    return bits
}

private func tooLarge(_ seccomp: Seccomp, _ place: (Origin) -> Failure.Place?) -> Failure {
    Failure(
        "compile the seccomp filter", detail: "it needs more than \(SeccompProgram.maximumCount) instructions, the kernel's limit",
        place: place(seccomp.origin), hint: "merge rules, or drop architectures")
}

extension Seccomp {
    /// Whether some call waits for a listener's answer (SE-06).
    var notifies: Bool { syscalls.contains { $0.action == .notify } }
}

extension SeccompAction {
    /// The action as libseccomp and the kernel write it.
    var code: UInt32 {
        switch self {
        case .killThread: 0
        case .killProcess: 0x8000_0000
        case .trap: 0x0003_0000
        case .errno(let number): 0x0005_0000 | UInt32(number)
        case .trace(let number): 0x7FF0_0000 | UInt32(number)
        case .allow: 0x7FFF_0000
        case .log: 0x7FFC_0000
        case .notify: 0x7FC0_0000
        }
    }
}

/// A rule for one call.
///
/// libseccomp refuses a rule it has, and takes long to find out.
private struct ResolvedRule: Hashable {
    var call: Int32
    var action: UInt32
    var conditions: [SeccompCondition]
}

/// libseccomp's filter under construction.
private struct SeccompFilter: ~Copyable {
    private let context: scmp_filter_ctx

    init(defaultAction: SeccompAction) throws(Failure) {
        guard let context = seccomp_init(defaultAction.code) else {
            throw Failure("compile the seccomp filter", detail: "libseccomp refuses the default action")
        }
        self.context = context
        // A binary tree over the call numbers: longer, but the kernel looks at a tenth of it. Unknown before libseccomp 2.5.
        _ = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
    }

    deinit { seccomp_release(context) }

    func add(architecture name: Located<String>, _ place: (Origin) -> Failure.Place?) throws(Failure) {
        let token = architectureToken(name.value)
        let result = token == 0 ? -22 : seccomp_arch_add(context, token)
        guard result == 0 || result == -17 else {
            throw Failure(
                "compile the seccomp filter", name.value, detail: "libseccomp \(libseccompVersion()) cannot filter this architecture here",
                place: place(name.origin))
        }
    }

    func add(
        _ rule: ResolvedRule, name: String, origin: Origin, _ place: (Origin) -> Failure.Place?
    ) throws(Failure) {
        let conditions = rule.conditions.map {
            scmp_arg_cmp(arg: $0.index, op: scmp_compare($0.operation.rawValue), datum_a: $0.value, datum_b: $0.valueTwo)
        }
        let result = conditions.withUnsafeBufferPointer {
            seccomp_rule_add_array(context, rule.action, rule.call, UInt32($0.count), $0.baseAddress)
        }
        // EEXIST: a rule says as much already.
        guard result == 0 || result == -17 else {
            throw Failure(
                "add the seccomp rule for", name, errno: Errno(code: -result), systemCall: "seccomp_rule_add", place: place(origin))
        }
    }

    func exported() throws(Failure) -> [UInt8] {
        do throws(Errno) {
            let closeOnExec = 1  // MFD_CLOEXEC
            let file = OwnedFD(try kernel(__NR_memfd_create, literal("seccomp").address, closeOnExec))
            let result = seccomp_export_bpf(context, file.raw)
            guard result == 0 else { throw Errno(code: -result) }
            try kernel(__NR_lseek, file.number, 0, 0)
            return try file.readAll()
        } catch {
            throw Failure("compile the seccomp filter", errno: error, systemCall: "seccomp_export_bpf")
        }
    }
}

/// libseccomp's token of an architecture that the config names "SCMP_ARCH_X86_64"; 0 for one that it does not know.
func architectureToken(_ name: String) -> UInt32 {
    let prefix = "SCMP_ARCH_"
    guard name.utf8.starts(with: prefix.utf8) else { return 0 }
    return seccomp_arch_resolve_name(String(name.utf8.dropFirst(prefix.utf8.count).map { lowercase($0) }))
}

extension String {
    fileprivate init(_ bytes: [UInt8]) { self.init(decoding: bytes, as: UTF8.self) }
}

private func lowercase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}

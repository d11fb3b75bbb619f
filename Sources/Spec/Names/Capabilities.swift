/// The capabilities by name and number. Source: capabilities(7), linux/capability.h.

/// One capability of the kernel (P-17).
public struct Capability: Equatable, Sendable {
    /// Its number, 0...40.
    public let number: UInt8

    /// Makes a capability of its number; nil above 40.
    public init?(number: UInt8) {
        guard Int(number) < Capability.table.count else { return nil }
        self.number = number
    }

    /// Makes a capability of its name, "CAP_CHOWN".
    public init?(name: String) {
        let count = name.utf8.count
        guard let index = Capability.table.firstIndex(where: { $0.utf8CodeUnitCount == count && $0.text == name }) else { return nil }
        number = UInt8(index)
    }

    init?(_ name: JSONText) {
        guard let index = Capability.table.firstIndex(where: { name == $0 }) else { return nil }
        number = UInt8(index)
    }

    /// Its name, "CAP_CHOWN".
    public var name: String { Capability.table[Int(number)].text }

    /// All names by number.
    public static var names: [String] { table.map { $0.text } }

    private static let table: [StaticString] = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
        "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
        "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
        "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ]
}

extension CapabilitySet {
    /// The set of one capability.
    public init(_ capability: Capability) { self.init(rawValue: 1 << UInt64(capability.number)) }

    /// The set's names by number.
    public var names: [String] {
        (0..<UInt8(64)).compactMap { number in rawValue >> UInt64(number) & 1 == 1 ? Capability(number: number)?.name : nil }
    }
}

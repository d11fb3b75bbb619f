/// Capabilities by name.

/// The names of the capabilities in a set: "CAP_CHOWN, CAP_KILL".
///
/// Source: capabilities(7).
func capabilityNames(_ set: UInt64) -> String {
    var names: [String] = []
    for bit in 0..<64 where set >> UInt64(bit) & 1 != 0 {
        names.append(bit < capabilityNameTable.count ? "CAP_\(capabilityNameTable[bit])" : "capability \(bit)")
    }
    return names.isEmpty ? "none" : names.joined(separator: ", ")
}

private let capabilityNameTable = [
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
    "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
    "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
    "PERFMON", "BPF", "CHECKPOINT_RESTORE",
]

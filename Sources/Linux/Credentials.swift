/// Users, groups, capabilities and what else decides what a process may do.

import CLinux

/// Capability numbers that the runtime itself has to know (capabilities(7)).
public enum CapabilityNumber {
    /// CAP_KILL.
    public static let kill = 5
    /// CAP_SYS_ADMIN.
    public static let systemAdministration = 21
}

/// Makes a prctl(2) call.
@discardableResult
public func processControl(_ option: Int32, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0) throws(Errno) -> Int {
    try kernel(__NR_prctl, Int(option), a, b, c, d)
}

/// Whether the process may be traced and its /proc files read by processes of the same user (PR_SET_DUMPABLE).
public func setDumpable(_ dumpable: Bool) throws(Errno) {
    try processControl(PR_SET_DUMPABLE, dumpable ? 1 : 0)
}

/// From now on execve grants no privileges, for this process and all it starts (PR_SET_NO_NEW_PRIVS).
public func setNoNewPrivileges() throws(Errno) {
    try processControl(PR_SET_NO_NEW_PRIVS, 1)
}

/// Keeps the permitted capabilities when the user ids change (PR_SET_KEEPCAPS).
public func setKeepCapabilities(_ keep: Bool) throws(Errno) {
    try processControl(PR_SET_KEEPCAPS, keep ? 1 : 0)
}

/// Sets real, effective and saved user id.
///
/// Source: setresuid(2). 4294967295 means "unchanged" to the kernel and never gets here.
public func setUserID(_ uid: UInt32) throws(Errno) {
    try kernel(__NR_setresuid, Int(uid), Int(uid), Int(uid))
}

/// Sets real, effective and saved group id.
///
/// Source: setresgid(2).
public func setGroupID(_ gid: UInt32) throws(Errno) {
    try kernel(__NR_setresgid, Int(gid), Int(gid), Int(gid))
}

/// Sets the supplementary groups: `count` 32-bit numbers.
///
/// Source: setgroups(2).
public func setGroups(_ groups: UnsafeRawPointer, count: Int) throws(Errno) {
    try kernel(__NR_setgroups, count, Int(bitPattern: groups))
}

/// Drops the capabilities that are not in `kept` from the bounding set.
///
/// Source: PR_CAPBSET_DROP.
public func limitBoundingSet(to kept: UInt64) throws(Errno) {
    for number in 0..<64 where kept & (1 << UInt64(number)) == 0 {
        do { try processControl(PR_CAPBSET_DROP, number) } catch {
            // An unknown number: that is how the last one is known.
            if error == .invalidArgument { return }
            // Without CAP_SETPCAP only what is in the set is a problem.
            if try processControl(PR_CAPBSET_READ, number) != 0 { throw error }
        }
    }
}

/// Sets the process's own three capability sets.
///
/// Source: capset(2), version 3.
public func setCapabilities(effective: UInt64, permitted: UInt64, inheritable: UInt64) throws(Errno) {
    var header = __user_cap_header_struct(version: UInt32(_LINUX_CAPABILITY_VERSION_3), pid: 0)
    func word(_ shift: UInt64) -> __user_cap_data_struct {
        __user_cap_data_struct(
            effective: UInt32(truncatingIfNeeded: effective >> shift), permitted: UInt32(truncatingIfNeeded: permitted >> shift),
            inheritable: UInt32(truncatingIfNeeded: inheritable >> shift))
    }
    var data = (word(0), word(32))
    try withUnsafeMutablePointer(to: &header) { header throws(Errno) in
        try withUnsafeMutablePointer(to: &data) { data throws(Errno) in
            _ = try kernel(__NR_capset, Int(bitPattern: header), Int(bitPattern: data))
        }
    }
}

/// Replaces the ambient set.
///
/// Each must be permitted and inheritable. Source: PR_CAP_AMBIENT.
public func setAmbientCapabilities(_ ambient: UInt64) throws(Errno) {
    try processControl(PR_CAP_AMBIENT, Int(PR_CAP_AMBIENT_CLEAR_ALL))
    for number in 0..<64 where ambient & (1 << UInt64(number)) != 0 {
        try processControl(PR_CAP_AMBIENT, Int(PR_CAP_AMBIENT_RAISE), number)
    }
}

/// The process's own permitted set.
///
/// Source: capget(2), version 3.
public func permittedCapabilities() throws(Errno) -> UInt64 {
    var header = __user_cap_header_struct(version: UInt32(_LINUX_CAPABILITY_VERSION_3), pid: 0)
    var data = (__user_cap_data_struct(), __user_cap_data_struct())
    try withUnsafeMutablePointer(to: &header) { header throws(Errno) in
        try withUnsafeMutablePointer(to: &data) { data throws(Errno) in
            _ = try kernel(__NR_capget, Int(bitPattern: header), Int(bitPattern: data))
        }
    }
    return UInt64(data.0.permitted) | UInt64(data.1.permitted) << 32
}

/// Keeps all capabilities through the next execve by a user that is not root inside its user namespace (yet).
public func keepCapabilitiesByExec() throws(Errno) {
    let permitted = try permittedCapabilities()
    try setCapabilities(effective: permitted, permitted: permitted, inheritable: permitted)
    try setAmbientCapabilities(permitted)
}

/// Undoes ``keepCapabilitiesByExec()``: the capabilities stay in force, but no further execve keeps them.
public func stopKeepingCapabilities() throws(Errno) {
    let permitted = try permittedCapabilities()
    try setAmbientCapabilities(0)
    try setCapabilities(effective: permitted, permitted: permitted, inheritable: 0)
}

/// Loads a system call filter: `count` bytes of BPF, 8 an instruction.
///
/// - Returns: The listener's descriptor where the flags ask for one, else 0.
/// - Source: seccomp(2).
@discardableResult
public func loadSeccompFilter(_ program: UnsafeRawPointer, count: Int, flags: UInt32) throws(Errno) -> Int {
    var descriptor = sock_fprog()
    descriptor.len = UInt16(truncatingIfNeeded: count / 8)
    descriptor.filter = UnsafeMutableRawPointer(mutating: program).assumingMemoryBound(to: sock_filter.self)
    return try withUnsafeMutablePointer(to: &descriptor) { pointer throws(Errno) in
        try kernel(__NR_seccomp, Int(SECCOMP_SET_MODE_FILTER), Int(flags), Int(bitPattern: pointer))
    }
}

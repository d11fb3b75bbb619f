/// Namespaces: joining, leaving, and what each needs to be usable.

import CLinux

/// The CLONE_NEW* flags.
public enum NamespaceFlag {
    /// CLONE_NEWTIME.
    public static let time: UInt64 = 0x80
    /// CLONE_NEWNS.
    public static let mount: UInt64 = 0x2_0000
    /// CLONE_NEWCGROUP.
    public static let cgroup: UInt64 = 0x200_0000
    /// CLONE_NEWUTS.
    public static let uts: UInt64 = 0x400_0000
    /// CLONE_NEWIPC.
    public static let ipc: UInt64 = 0x800_0000
    /// CLONE_NEWUSER.
    public static let user: UInt64 = 0x1000_0000
    /// CLONE_NEWPID.
    public static let pid: UInt64 = 0x2000_0000
    /// CLONE_NEWNET.
    public static let network: UInt64 = 0x4000_0000
}

/// Joins the namespace that a descriptor refers to, which must be of that type.
///
/// Source: setns(2).
public func joinNamespace(_ descriptor: Int, type: UInt64) throws(Errno) {
    try kernel(__NR_setns, descriptor, Int(truncatingIfNeeded: type))
}

/// Moves the process into new namespaces (the pid and time ones take its children only).
///
/// Source: unshare(2).
public func unshare(_ flags: UInt64) throws(Errno) {
    try kernel(__NR_unshare, Int(truncatingIfNeeded: flags))
}

/// The CLONE_NEW* flag of the namespace that a descriptor refers to.
///
/// Source: ioctl_ns(2).
///
/// - Throws: ``Errno/notTerminal`` where it refers to something else.
public func namespaceType(_ descriptor: Int) throws(Errno) -> UInt64 {
    UInt64(try kernel(__NR_ioctl, descriptor, Int(CL_NS_GET_NSTYPE)))
}

/// Sets the loopback device of the network namespace up.
///
/// Source: netdevice(7).
public func bringLoopbackUp() throws(Errno) {
    var request = cl_ifreq()
    request.name.0 = CChar(bitPattern: UInt8(ascii: "l"))
    request.name.1 = CChar(bitPattern: UInt8(ascii: "o"))
    request.flags = 1  // IFF_UP
    // AF_INET 2, SOCK_DGRAM 2.
    let socket = OwnedFD(try kernel(__NR_socket, 2, 2 | 0o2000000, 0))
    try withUnsafeMutablePointer(to: &request) { pointer throws(Errno) in
        _ = try kernel(__NR_ioctl, socket.number, Int(CL_SIOCSIFFLAGS), Int(bitPattern: pointer))
    }
}

/// Packets between the runtime and the init: local sockets that keep message borders and carry descriptors and process ids.

import CLinux

/// Constants of sys/socket.h that the kernel's exported headers lack.
public enum SocketConstant {
    static let unix = 1
    static let sequencedPacket = 5
    static let closeOnExec = 0o2000000
    static let solSocket = 1
    static let passCredentials = 16
    static let peerCredentials = 17
    static let sendTimeout = 21
    static let rights: Int32 = 1
    static let credentials: Int32 = 2
    static let noSignal = 0x4000
    static let closeOnExecControl = 0x4000_0000
}

/// A received packet's facts beside its bytes.
public struct PacketInfo: Sendable {
    /// How many bytes came; 0: the peer is gone.
    public var count = 0
    /// The sender's process id in the receiver's namespace, if ``enableCredentials(_:)`` was called; else 0.
    public var pid: Int32 = 0
    /// A descriptor that came along, close-on-exec and the receiver's to own; -1 for none.
    public var descriptor: Int32 = -1
}

/// Two connected packet sockets.
@frozen
public struct SocketPair: ~Copyable {
    /// One end.
    public var near: OwnedFD
    /// The other end.
    public var far: OwnedFD
}

/// Makes a connected pair of packet sockets.
public func packetSocketPair() throws(Errno) -> SocketPair {
    var pair: (Int32, Int32) = (-1, -1)
    try withUnsafeMutablePointer(to: &pair) { pointer throws(Errno) in
        _ = try kernel(
            __NR_socketpair, SocketConstant.unix, SocketConstant.sequencedPacket | SocketConstant.closeOnExec, 0,
            Int(bitPattern: pointer))
    }
    return SocketPair(near: OwnedFD(pair.0), far: OwnedFD(pair.1))
}

/// Makes the kernel tell the senders' process ids.
public func enableCredentials(_ socket: Int) throws(Errno) {
    var on: Int32 = 1
    try withUnsafeMutablePointer(to: &on) { pointer throws(Errno) in
        _ = try kernel(
            __NR_setsockopt, socket, SocketConstant.solSocket, SocketConstant.passCredentials, Int(bitPattern: pointer), 4)
    }
}

/// Sends one packet made of two parts, with a descriptor if there is one.
///
/// - Returns: How many bytes went; on a stream they may be less than all.
@discardableResult
public func sendPacket(
    _ socket: Int, _ first: UnsafeRawPointer, _ firstCount: Int, _ second: UnsafeRawPointer? = nil, _ secondCount: Int = 0,
    descriptor: Int32 = -1
) throws(Errno) -> Int {
    var vectors = (
        cl_iovec(base: UnsafeMutableRawPointer(mutating: first), length: UInt(firstCount)),
        cl_iovec(base: UnsafeMutableRawPointer(mutating: second), length: UInt(secondCount))
    )
    // struct cmsghdr (16 bytes) and one descriptor, rounded up to 8.
    var control: (cl_cmsghdr, Int32, Int32) = (
        cl_cmsghdr(length: 20, level: Int32(SocketConstant.solSocket), type: SocketConstant.rights), descriptor, 0
    )
    var message = cl_msghdr()
    return try withUnsafeMutablePointer(to: &vectors) { vectors throws(Errno) in
        try withUnsafeMutablePointer(to: &control) { control throws(Errno) in
            message.vectors = UnsafeMutableRawPointer(vectors).assumingMemoryBound(to: cl_iovec.self)
            message.vector_count = 2
            if descriptor >= 0 {
                message.control = UnsafeMutableRawPointer(control)
                message.control_length = 24
            }
            return try withUnsafeMutablePointer(to: &message) { message throws(Errno) in
                try kernel(__NR_sendmsg, socket, Int(bitPattern: message), SocketConstant.noSignal)
            }
        }
    }
}

/// Receives one packet.
public func receivePacket(_ socket: Int, _ buffer: UnsafeMutableRawPointer, _ capacity: Int) throws(Errno) -> PacketInfo {
    var vector = cl_iovec(base: buffer, length: UInt(capacity))
    // Room for the credentials (16 + 12, rounded to 32) and one descriptor (16 + 4, rounded to 24).
    var control: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
    var message = cl_msghdr()
    var info = PacketInfo()
    try withUnsafeMutablePointer(to: &vector) { vector throws(Errno) in
        try withUnsafeMutablePointer(to: &control) { control throws(Errno) in
            message.vectors = vector
            message.vector_count = 1
            message.control = UnsafeMutableRawPointer(control)
            message.control_length = 64
            try withUnsafeMutablePointer(to: &message) { message throws(Errno) in
                info.count = try kernel(
                    __NR_recvmsg, socket, Int(bitPattern: message), SocketConstant.closeOnExecControl)
            }
            readControl(UnsafeRawPointer(control), Int(message.control_length), &info)
        }
    }
    return info
}

private func readControl(_ control: UnsafeRawPointer, _ length: Int, _ info: inout PacketInfo) {
    var at = 0
    while at + 16 <= length {
        let header = control.load(fromByteOffset: at, as: cl_cmsghdr.self)
        if header.length < 16 || at + Int(header.length) > length { return }
        if header.level == Int32(SocketConstant.solSocket) {
            if header.type == SocketConstant.rights, header.length >= 20 {
                info.descriptor = control.load(fromByteOffset: at + 16, as: Int32.self)
            } else if header.type == SocketConstant.credentials, header.length >= 28 {
                info.pid = control.load(fromByteOffset: at + 16, as: cl_ucred.self).pid
            }
        }
        at += (Int(header.length) + 7) & ~7
    }
}

/// Makes a socket that listens for packet connections at a path of at most 107 bytes.
public func listenForPackets(path: CString) throws(Errno) -> OwnedFD {
    let socket = OwnedFD(
        try kernel(__NR_socket, SocketConstant.unix, SocketConstant.sequencedPacket | SocketConstant.closeOnExec, 0))
    try withAddress(path) { (address, size) throws(Errno) in
        _ = try kernel(__NR_bind, socket.number, address, size)
    }
    try kernel(__NR_listen, socket.number, 8)
    return socket
}

/// The types of local sockets.
public enum SocketType: Int, Sendable {
    /// A byte stream.
    case stream = 1
    /// Packets without a connection.
    case datagram = 2
    /// Packets over a connection.
    case sequencedPacket = 5
}

/// Connects to a local socket at a path of at most 107 bytes.
///
/// - Throws: ``Errno/again`` where the listener has no room for another connection, or takes nothing, for so many seconds; 0: no limit.
public func connect(to path: CString, _ type: SocketType, within seconds: Int = 0) throws(Errno) -> OwnedFD {
    let socket = OwnedFD(try kernel(__NR_socket, SocketConstant.unix, type.rawValue | SocketConstant.closeOnExec, 0))
    var time = cl_timespec(seconds: Int64(seconds), nanoseconds: 0)
    try withUnsafeMutablePointer(to: &time) { pointer throws(Errno) in
        // A struct timeval, which is as large and zero in its second half.
        _ = try kernel(__NR_setsockopt, socket.number, SocketConstant.solSocket, SocketConstant.sendTimeout, Int(bitPattern: pointer), 16)
    }
    try withAddress(path) { (address, size) throws(Errno) in
        _ = try kernel(__NR_connect, socket.number, address, size)
    }
    return socket
}

/// The process at the other end of a local socket, in our PID namespace; 0 where it cannot be seen from here.
///
/// Of a connection to a listener it is who called listen(2). Source: unix(7), SO_PEERCRED.
public func peerProcess(_ socket: Int) throws(Errno) -> Int32 {
    var credentials = cl_ucred()
    var length = Int32(MemoryLayout<cl_ucred>.size)
    try withUnsafeMutablePointer(to: &credentials) { credentials throws(Errno) in
        try withUnsafeMutablePointer(to: &length) { length throws(Errno) in
            _ = try kernel(
                __NR_getsockopt, socket, SocketConstant.solSocket, SocketConstant.peerCredentials, Int(bitPattern: credentials),
                Int(bitPattern: length))
        }
    }
    return credentials.pid
}

/// Accepts a connection.
public func accept(_ listener: Int) throws(Errno) -> OwnedFD {
    OwnedFD(try kernel(__NR_accept4, listener, 0, 0, SocketConstant.closeOnExec))
}

private func withAddress(_ path: CString, _ body: (Int, Int) throws(Errno) -> Void) throws(Errno) {
    var address = cl_sockaddr_un()
    address.family = UInt16(SocketConstant.unix)
    var length = 0
    try withUnsafeMutablePointer(to: &address.path) { field throws(Errno) in
        let bytes = UnsafeMutableRawPointer(field).assumingMemoryBound(to: CChar.self)
        while path[length] != 0 {
            if length == 107 { throw .nameTooLong }
            bytes[length] = path[length]
            length += 1
        }
        bytes[length] = 0
    }
    try withUnsafePointer(to: &address) { pointer throws(Errno) in try body(Int(bitPattern: pointer), 2 + length + 1) }
}

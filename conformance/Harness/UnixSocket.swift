/// Unix sockets that receive a message with descriptors, as runtimes send them.

import Foundation

enum UnixSocket {
    /// A listening stream socket at a path.
    static func listen(at path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        try expect(bound == 0 && Glibc.listen(descriptor, 1) == 0, "cannot listen at \(path)")
        return descriptor
    }

    /// A connection to a stream socket, without waiting for room; -1 where there is none.
    static func connect(to path: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if connected == 0 { return descriptor }
        close(descriptor)
        return -1
    }

    /// A datagram socket at a path, as a service manager's is.
    static func datagrams(at path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        try expect(bound == 0, "cannot make a socket at \(path)")
        return descriptor
    }

    /// Accepts one connection of a process and receives one message: its bytes and its descriptors.
    static func receive(from listener: Int32, sentBy pid: pid_t, _ lab: Lab) throws -> (bytes: [UInt8], descriptors: [Int32]) {
        try readable(listener, lab, pid, "a connection")
        let connection = accept(listener, nil, nil)
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        defer { close(connection) }
        try readable(connection, lab, pid, "a message")
        var bytes = [UInt8](repeating: 0, count: 65536)
        // A control message is a length, a level and a type (16 bytes), then the descriptors.
        var control = [Int32](repeating: 0, count: 64)
        let capacity = control.count * 4
        var message = msghdr()
        let count = bytes.withUnsafeMutableBytes { data in
            control.withUnsafeMutableBytes { extra in
                var vector = iovec(iov_base: data.baseAddress, iov_len: data.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    message.msg_control = extra.baseAddress
                    message.msg_controllen = capacity
                    return recvmsg(connection, &message, Int32(MSG_CMSG_CLOEXEC))
                }
            }
        }
        try expect(count > 0, "no message on the socket")
        let used = Int(message.msg_controllen) >= 16 && control[2] == SOL_SOCKET ? (Int(control[0]) - 16) / 4 : 0
        return (Array(bytes[..<count]), Array(control[4..<(4 + max(used, 0))]))
    }

    private static func readable(_ descriptor: Int32, _ lab: Lab, _ sender: pid_t, _ what: String) throws {
        try lab.eventually(what) {
            let last = lab.children.hasEnded(sender)
            var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&item, 1, 0) > 0 { return true }
            try expect(!last, "the runtime ended without \(what)")
            return false
        }
    }
}

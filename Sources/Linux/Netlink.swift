/// Messages of the kernel's routing layer, as bytes: built, taken apart, sent and answered. For the programs that have a heap.
///
/// A message is a header, a fixed part and attributes, all aligned to 4 bytes in the machine's byte order. Source: netlink(7),
/// rtnetlink(7).

import CLinux

/// An attribute of a routing message.
public struct RouteAttribute: Equatable, Sendable {
    /// Its type, which the message's family gives a meaning.
    public var type: UInt16
    /// Its value.
    public var payload: [UInt8]

    /// Makes an attribute.
    public init(_ type: UInt16, _ payload: [UInt8]) {
        self.type = type
        self.payload = payload
    }

    /// Makes an attribute of a 32-bit number.
    public init(_ type: UInt16, number: UInt32) { self.init(type, bytes(of: number)) }

    /// Makes an attribute of a NUL-terminated string.
    public init(_ type: UInt16, text: String) { self.init(type, Array(text.utf8) + [0]) }

    /// The value as a 32-bit number; nil for another size.
    public var number: UInt32? {
        payload.count == 4 ? payload.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) } : nil
    }

    /// The value as a string, up to its NUL.
    public var text: String { String(decoding: payload.prefix { $0 != 0 }, as: UTF8.self) }

    /// The attributes of a list.
    ///
    /// What is cut off at its end is left out.
    static func parse(_ list: ArraySlice<UInt8>) -> [RouteAttribute] {
        var result: [RouteAttribute] = []
        var at = list.startIndex
        while at + 4 <= list.endIndex {
            let length = Int(number16(list, at))
            guard length >= 4, at + length <= list.endIndex else { break }
            // The two highest bits say how the value is to be read (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
            result.append(RouteAttribute(number16(list, at + 2) & 0x3fff, Array(list[at + 4..<at + length])))
            at += aligned(length)
        }
        return result
    }
}

/// A routing message without its header.
public struct RouteMessage: Equatable, Sendable {
    /// RTM_*.
    public var type: UInt16
    /// The fixed part: struct ifinfomsg, struct ifaddrmsg.
    public var fixed: [UInt8]
    /// The rest.
    public var attributes: [RouteAttribute]

    /// Makes a message.
    public init(type: UInt16, fixed: [UInt8], attributes: [RouteAttribute] = []) {
        self.type = type
        self.fixed = fixed
        self.attributes = attributes
    }

    /// The first attribute of a type.
    public func attribute(_ type: UInt16) -> RouteAttribute? { attributes.first { $0.type == type } }

    /// The message as it is sent.
    ///
    /// - Parameter flags: NLM_F_*.
    public func encoded(flags: UInt16, sequence: UInt32) -> [UInt8] {
        var body = padded(fixed)
        for attribute in attributes {
            body += bytes(of: UInt16(4 + attribute.payload.count)) + bytes(of: attribute.type)
            body += padded(attribute.payload)
        }
        return bytes(of: UInt32(16 + body.count)) + bytes(of: type) + bytes(of: flags) + bytes(of: sequence) + bytes(of: UInt32(0)) + body
    }
}

/// One message that came back.
enum RouteReply: Equatable {
    /// A message of the routing layer.
    case message(RouteMessage)
    /// The end of a list, or success.
    case end
    /// The request was refused.
    case refused(RouteError)

    /// The replies of a datagram to the request with that number.
    static func parse(_ datagram: ArraySlice<UInt8>, sequence: UInt32) -> [RouteReply] {
        var result: [RouteReply] = []
        var at = datagram.startIndex
        while at + 16 <= datagram.endIndex {
            let length = Int(number32(datagram, at))
            guard length >= 16, at + length <= datagram.endIndex else { break }
            let type = number16(datagram, at + 4)
            let body = datagram[at + 16..<at + length]
            if number32(datagram, at + 8) == sequence {
                result.append(reply(type, body, flags: number16(datagram, at + 6)))
            }
            at += aligned(length)
        }
        return result
    }

    private static func reply(_ type: UInt16, _ body: ArraySlice<UInt8>, flags: UInt16) -> RouteReply {
        switch type {
        case NetlinkConstant.done: return .end
        case NetlinkConstant.error:
            guard body.count >= 4 else { return .refused(RouteError(.badMessage)) }
            let code = Int32(bitPattern: number32(body, body.startIndex))
            return code == 0 ? .end : .refused(RouteError(Errno(code: -code), message: explanation(body, flags)))
        default:
            // struct ifaddrmsg has 8 bytes, struct ifinfomsg 16.
            let size = type == NetlinkConstant.newAddress ? 8 : 16
            guard body.count >= size else { return .refused(RouteError(.badMessage)) }
            let rest = body.startIndex + size
            return .message(RouteMessage(type: type, fixed: Array(body[..<rest]), attributes: RouteAttribute.parse(body[rest...])))
        }
    }

    /// The kernel's words on an error, which follow the error number and the request's header (NETLINK_EXT_ACK, NETLINK_CAP_ACK).
    private static func explanation(_ body: ArraySlice<UInt8>, _ flags: UInt16) -> String {
        let hasAttributes = flags & 0x200 != 0  // NLM_F_ACK_TLVS
        guard hasAttributes, body.count > 20 else { return "" }
        // NLMSGERR_ATTR_MSG 1.
        return RouteAttribute.parse(body[(body.startIndex + 20)...]).first { $0.type == 1 }?.text ?? ""
    }
}

/// Why the routing layer refused something.
public struct RouteError: Error, Equatable, Sendable {
    /// The error number.
    public var errno: Errno
    /// The kernel's own words; often empty.
    public var message: String

    /// Makes an error.
    public init(_ errno: Errno, message: String = "") {
        self.errno = errno
        self.message = message
    }
}

/// Constants of linux/netlink.h and linux/rtnetlink.h.
enum NetlinkConstant {
    static let error: UInt16 = 2
    static let done: UInt16 = 3
    static let newLink: UInt16 = 16
    static let getLink: UInt16 = 18
    static let newAddress: UInt16 = 20
    static let getAddress: UInt16 = 22
    /// NLM_F_REQUEST.
    static let request: UInt16 = 1
    /// NLM_F_ACK.
    static let acknowledge: UInt16 = 4
    /// NLM_F_ROOT and NLM_F_MATCH.
    static let dump: UInt16 = 0x300
    /// NLM_F_CREATE and NLM_F_EXCL.
    static let createNew: UInt16 = 0x600
}

/// A line to the routing layer of one network namespace: the one its maker was in.
public struct RouteSocket: ~Copyable {
    private let socket: OwnedFD
    private var sequence: UInt32 = 0

    /// Opens a line in the caller's own network namespace.
    public init() throws(Errno) { socket = try RouteSocket.open() }

    /// Opens a line in another network namespace.
    ///
    /// A socket stays in the namespace that it was made in, so a child goes there, makes one and passes it back.
    /// - Parameter namespace: A descriptor of the namespace.
    public init(in namespace: Int) throws(Errno) {
        let pair = try packetSocketPair()
        let child = try cloneProcess(CloneOptions())
        if child.isChild {
            var code: Int32 = 0
            var made: Int32 = -1
            do throws(Errno) {
                try joinNamespace(namespace, type: NamespaceFlag.network)
                made = try RouteSocket.open().release()
            } catch {
                code = error.code
            }
            _ = try? sendPacket(pair.far.number, &code, 4, descriptor: made)
            exitProcess(0)
        }
        let process = OwnedFD(child.pidfd)
        var code: Int32 = Errno.protocolError.code
        let answer = try receivePacket(pair.near.number, &code, 4)
        _ = try? wait(for: process.number)
        guard answer.descriptor >= 0 else { throw Errno(code: code == 0 ? Errno.protocolError.code : code) }
        socket = OwnedFD(answer.descriptor)
    }

    private static func open() throws(Errno) -> OwnedFD {
        // AF_NETLINK 16, SOCK_RAW 3 with SOCK_CLOEXEC, NETLINK_ROUTE 0.
        let socket = OwnedFD(try kernel(__NR_socket, 16, 3 | SocketConstant.closeOnExec, 0))
        var on: Int32 = 1
        withUnsafeMutablePointer(to: &on) { on in
            // SOL_NETLINK 270: NETLINK_CAP_ACK 10 leaves the request out of errors, NETLINK_EXT_ACK 11 adds words. Both since 4.12.
            kernelIgnoringFailure(__NR_setsockopt, socket.number, 270, 10, Int(bitPattern: on), 4)
            kernelIgnoringFailure(__NR_setsockopt, socket.number, 270, 11, Int(bitPattern: on), 4)
        }
        return socket
    }

    /// Sends a request and collects what comes back until its end.
    mutating func ask(_ message: RouteMessage, flags: UInt16) throws(RouteError) -> [RouteMessage] {
        sequence += 1
        do throws(Errno) {
            try send(message.encoded(flags: NetlinkConstant.request | flags, sequence: sequence))
        } catch { throw RouteError(error) }
        var result: [RouteMessage] = []
        while true {
            let datagram: [UInt8]
            do throws(Errno) { datagram = try receive() } catch { throw RouteError(error) }
            for reply in RouteReply.parse(datagram[...], sequence: sequence) {
                switch reply {
                case .message(let message): result.append(message)
                case .refused(let error): throw error
                case .end: return result
                }
            }
        }
    }

    private borrowing func send(_ request: [UInt8]) throws(Errno) {
        let descriptor = socket.number
        // The kernel takes a request on a socket without an address of its own.
        _ = try request.withUnsafeBufferPointer { request throws(Errno) in
            try kernel(__NR_sendto, descriptor, Int(bitPattern: request.baseAddress), request.count, 0, 0, 0)
        }
    }

    private borrowing func receive() throws(Errno) -> [UInt8] {
        let descriptor = socket.number
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let capacity = buffer.count
        let count = try buffer.withUnsafeMutableBufferPointer { buffer throws(Errno) in
            // MSG_TRUNC 0x20: the true length, also where it did not fit.
            try kernel(__NR_recvfrom, descriptor, Int(bitPattern: buffer.baseAddress), capacity, 0x20, 0, 0)
        }
        if count > capacity { throw .overflow }
        buffer.removeLast(capacity - count)
        return buffer
    }
}

// MARK: Numbers in the machine's byte order

func bytes<Number: FixedWidthInteger>(of number: Number) -> [UInt8] {
    withUnsafeBytes(of: number) { Array($0) }
}

private func number16(_ bytes: ArraySlice<UInt8>, _ at: Int) -> UInt16 {
    bytes[at..<at + 2].withUnsafeBytes { $0.loadUnaligned(as: UInt16.self) }
}

private func number32(_ bytes: ArraySlice<UInt8>, _ at: Int) -> UInt32 {
    bytes[at..<at + 4].withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
}

private func aligned(_ length: Int) -> Int { (length + 3) & ~3 }

private func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: aligned(bytes.count) - bytes.count)
}

import CLinux
import Foundation
import Linux
import Testing

@Suite("Packet sockets")
struct SocketTests {
    private func receive(_ socket: Int, capacity: Int = 100) throws -> (info: PacketInfo, text: String) {
        try #require(try poll(Int32(socket), timeout: 5000).first, "no packet came")
        var buffer = [UInt8](repeating: 0xff, count: capacity)
        let info = try buffer.withUnsafeMutableBufferPointer { buffer throws(Errno) in
            try receivePacket(socket, buffer.baseAddress!, capacity)
        }
        return (info, String(decoding: buffer[..<info.count], as: UTF8.self))
    }

    private func send(_ text: String, _ more: String = "", to socket: Int, descriptor: Int32 = -1) throws {
        let first = Array(text.utf8), second = Array(more.utf8)
        try sendPacket(socket, first, first.count, second, second.count, descriptor: descriptor)
    }

    @Test("packets keep their borders and arrive whole from their two parts")
    func borders() throws {
        let pair = try packetSocketPair()
        try send("one", "two", to: pair.far.number)
        try send("three", to: pair.far.number)
        try send("", "four", to: pair.far.number)
        for expected in ["onetwo", "three", "four"] {
            let (info, text) = try receive(pair.near.number)
            #expect(text == expected)
            #expect(info.pid == 0)
            #expect(info.descriptor == -1)
        }
        #expect(fcntl(pair.near.raw, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(pair.far.raw, F_GETFD) == FD_CLOEXEC)
    }

    @Test("a packet longer than the room for it is cut, and the next one comes after it")
    func truncated() throws {
        let pair = try packetSocketPair()
        try send("a long packet", to: pair.far.number)
        try send("next", to: pair.far.number)
        #expect(try receive(pair.near.number, capacity: 6).text == "a long")
        #expect(try receive(pair.near.number, capacity: 6).text == "next")
    }

    @Test("a descriptor comes along, close-on-exec, and is the same file", arguments: [false, true])
    func descriptor(_ hasCredentials: Bool) throws {
        let pair = try packetSocketPair()
        if hasCredentials { try enableCredentials(pair.near.number) }
        let file = try makeMemoryFile(literal("passed"))
        try send("take", to: pair.far.number, descriptor: file.raw)
        let (info, text) = try receive(pair.near.number)
        #expect(text == "take")
        let passed = OwnedFD(info.descriptor)
        #expect(passed.raw != file.raw)
        #expect(fcntl(passed.raw, F_GETFD) == FD_CLOEXEC)
        #expect(try FileStatus.of(at: passed.number).isSameFile(as: FileStatus.of(at: file.number)))
        #expect(info.pid == (hasCredentials ? getpid() : 0))
    }

    @Test("a bad descriptor is not sent, and neither is its packet")
    func badDescriptor() throws {
        let pair = try packetSocketPair()
        #expect(throws: Errno.badDescriptor) { try send("x", to: pair.far.number, descriptor: 99_999) }
        #expect(try !poll(pair.near.raw, timeout: 0).first)
    }

    @Test("the sender's process id comes from the kernel, as the receiver sees it")
    func credentials() throws {
        let pair = try packetSocketPair()
        try enableCredentials(pair.near.number)
        try send("own", to: pair.far.number)
        #expect(try receive(pair.near.number).info.pid == getpid())
        let far = pair.far.number
        // The child says what its id is.
        let end = try inChild { () throws(Errno) in
            var pid = ownProcessID()
            try sendPacket(far, &pid, 4)
            return 0
        }
        #expect(end == .exited(0))
        var said: Int32 = 0
        let info = try receivePacket(pair.near.number, &said, 4)
        #expect(info.pid == said)
        #expect(said != getpid())
    }

    @Test("a peer that is gone is the end; sending to it fails without a signal")
    func end() throws {
        let pair = try packetSocketPair()
        let near = try pair.near.duplicate()
        try send("last", to: pair.far.number)
        try kernel(__NR_shutdown, pair.far.number, 2)
        #expect(try receive(near.number).text == "last")
        let (info, _) = try receive(near.number)
        #expect(info.count == 0 && info.descriptor == -1)
        #expect(throws: Errno.brokenPipe) { try send("x", to: near.number) }
    }

    @Test("a listener at a path takes connections; nobody listens at another")
    func listening() throws {
        let path = "/tmp/swoci-test-\(getpid())-socket"
        defer { unlink(path) }
        let listener = OwnedFD(try path.withPath { path throws(Errno) in try listenForPackets(path: path).release() })
        let near = OwnedFD(try path.withPath { path throws(Errno) in try connect(to: path, .sequencedPacket).release() })
        let far = try accept(listener.number)
        try send("hello", to: near.number)
        #expect(try receive(far.number).text == "hello")
        #expect(fcntl(far.raw, F_GETFD) == FD_CLOEXEC)
        func attempt(_ path: String, _ type: SocketType) throws {
            _ = OwnedFD(try path.withPath { path throws(Errno) in try connect(to: path, type).release() })
        }
        #expect(throws: Errno(code: EPROTOTYPE)) { try attempt(path, .stream) }
        #expect(throws: Errno.noEntry) { try attempt(path + "x", .stream) }
        #expect(throws: Errno(code: EADDRINUSE)) {
            _ = OwnedFD(try path.withPath { path throws(Errno) in try listenForPackets(path: path).release() })
        }
    }

    @Test("a path of 107 bytes is an address, a longer one is refused", arguments: [107, 108, 109, 4000])
    func longPath(_ length: Int) throws {
        let path = "/tmp/" + String(repeating: "x", count: length - 5)
        #expect(throws: length == 107 ? Errno.noEntry : .nameTooLong) {
            _ = OwnedFD(try path.withPath { path throws(Errno) in try connect(to: path, .stream).release() })
        }
    }
}

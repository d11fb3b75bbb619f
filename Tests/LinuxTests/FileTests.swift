import CLinux
import Foundation
import Linux
import Testing

@Suite("Files")
struct FileTests {
    @Test("a file's status tells what it is")
    func status() throws {
        func status(_ path: String, follow: Bool = false) throws -> FileStatus {
            try path.withPath { path throws(Errno) in try FileStatus.of(path, at: workingDirectory, follow: follow) }
        }
        let null = try status("/dev/null")
        #expect(null.isCharacterDevice(1, 3))
        #expect(!null.isCharacterDevice(1, 5) && !null.isCharacterDevice(5, 3))
        #expect(!null.isDirectory && !null.isRegular && !null.isLink)
        #expect(try status("/etc").isDirectory)
        let passwd = try status("/etc/passwd")
        #expect(passwd.isRegular && passwd.uid == 0 && passwd.gid == 0 && passwd.mode & 0o7777 == 0o644)
        #expect(Int(passwd.size) == (try Data(contentsOf: URL(filePath: "/etc/passwd"))).count)
        #expect(try status("/proc/self/exe").isLink)
        #expect(try status("/proc/self/exe", follow: true).isRegular)
        #expect(try passwd.isSameFile(as: status("/etc/../etc/passwd")))
        #expect(try !passwd.isSameFile(as: status("/etc/group")))
        #expect(throws: Errno.noEntry) { _ = try status("/no/such/file") }
    }

    @Test("the empty path is the descriptor itself, also of a link")
    func descriptorStatus() throws {
        let link = try OwnedFD.open("/proc/self/exe", [.path, .noFollow])
        #expect(try FileStatus.of(at: link.number).isLink)
        let directory = try OwnedFD.open("/etc", [.path, .directory])
        #expect(try FileStatus.of(at: directory.number).isDirectory)
        #expect(try FileStatus.of(literal("passwd"), at: directory.number).isRegular)
    }

    @Test("a file system is known by its magic number")
    func magic() throws {
        let status = try OwnedFD.open("/proc/self/status", .read)
        #expect(try fileSystemMagic(status.number) == 0x9fa0)
        let passwd = try OwnedFD.open("/etc/passwd", .path)
        #expect(try fileSystemMagic(passwd.number) != 0x9fa0)
    }

    @Test("a link's target is read from its descriptor")
    func readLink() throws {
        let link = try OwnedFD.open("/proc/self/cwd", [.path, .noFollow])
        var target = PathBuffer()
        try target.append(literal("rubbish"))
        try target.readLink(link.number)
        #expect(String(cString: target.cString) == FileManager.default.currentDirectoryPath)
        #expect(target.count == FileManager.default.currentDirectoryPath.utf8.count)
    }

    @Test("a directory's names are those in it, without dots, and can be read again")
    func names() throws {
        var template = Array("/tmp/swoci-test-XXXXXX".utf8CString)
        mkdtemp(&template)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try OwnedFD.open(path, [.read, .directory])
        var found = try directoryNames(directory)
        #expect(found == [])
        let names = (0..<1000).map { "a-name-of-some-length-\($0)" } + [".hidden", "..x"]
        for name in names { _ = FileManager.default.createFile(atPath: "\(path)/\(name)", contents: nil) }
        for _ in 0..<2 {
            found = try directoryNames(directory)
            #expect(found.sorted() == names.sorted())
        }
        let file = try OwnedFD.open("\(path)/..x", .read)
        #expect(throws: Errno.notDirectory) { _ = try directoryNames(file) }
    }

    @Test("a file is read whole, whatever its size", arguments: [0, 1, 4095, 4096, 4097, 8192, 8193, 300_000])
    func readingWhole(_ count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }
        let file = try makeMemoryFile(literal("bytes"))
        try file.writeAll(bytes)
        #expect(try OwnedFD.open("/proc/self/fd/\(file.raw)", .read).readAll(limit: count) == bytes)
    }

    @Test("text is read without its last newline, and bytes up to a limit")
    func reading() throws {
        let file = try makeMemoryFile(literal("text"))
        try file.writeAll("one\ntwo\n")
        let path = "/proc/self/fd/\(file.raw)"
        #expect(try readText(path) == "one\ntwo")
        #expect(try OwnedFD.open(path, .read).readAll(limit: 8).count == 8)
        #expect(throws: Errno.fileTooLarge) { _ = try OwnedFD.open(path, .read).readAll(limit: 7) }
        try file.writeAll([UInt8](repeating: 7, count: 100_000))
        #expect(try OwnedFD.open(path, .read).readAll().count == 100_008)
        try writeText("ONE", to: path)
        #expect(try readText(path).hasPrefix("ONE\ntwo\n"))
        #expect(throws: Errno.noEntry) { _ = try readText("/no/such/file") }
    }

    @Test("descriptors are close-on-exec, and closed with their last use")
    func descriptors() throws {
        var number: Int32 = -1
        do {
            let file = try OwnedFD.open("/dev/null", .readWrite)
            number = file.raw
            #expect(fcntl(file.raw, F_GETFD) == FD_CLOEXEC)
            let copy = try file.duplicate(atLeast: 200)
            #expect(copy.raw >= 200)
            #expect(fcntl(copy.raw, F_GETFD) == FD_CLOEXEC)
            try copy.inheritByExec()
            #expect(fcntl(copy.raw, F_GETFD) == 0)
            number = copy.raw
        }
        #expect(fcntl(number, F_GETFD) == -1)
        let kept = try OwnedFD.open("/dev/null", .read).release()
        #expect(fcntl(kept, F_GETFD) == FD_CLOEXEC)
        close(kept)
    }

    @Test("a sealed memory file cannot be changed by anybody, nor unsealed")
    func seals() throws {
        let file = try makeMemoryFile(literal("sealed"), sealable: true, executable: true)
        try file.writeAll("text")
        try seal(file.number)
        #expect(throws: Errno.notPermitted) { try file.writeAll("more") }
        #expect(throws: Errno.notPermitted) { try kernel(__NR_ftruncate, file.number, 0) }
        #expect(throws: Errno.notPermitted) { try kernel(__NR_ftruncate, file.number, 100) }
        #expect(throws: Errno.notPermitted) { try seal(file.number) }
        let other = try OwnedFD.open("/proc/self/fd/\(file.raw)", .readWrite)
        #expect(throws: Errno.notPermitted) { try other.writeAll("x") }
        try seekToStart(file)
        #expect(try file.readAll() == Array("text".utf8))
    }

    @Test("a memory file that is not sealable refuses seals")
    func unsealable() throws {
        let file = try makeMemoryFile(literal("plain"))
        #expect(throws: Errno.notPermitted) { try seal(file.number) }
        try file.writeAll("still writable")
    }

    @Test("a mapping shows the file's bytes, and is gone when it is given back")
    func mapping() throws {
        let file = try makeMemoryFile(literal("mapped"))
        try file.writeAll([UInt8](repeating: 1, count: 5000) + [2])
        #expect(try fileSize(file.number) == 5001)
        let bytes = try mapFile(file.number, count: 5001)
        #expect(bytes.load(fromByteOffset: 4999, as: UInt8.self) == 1)
        #expect(bytes.load(fromByteOffset: 5000, as: UInt8.self) == 2)
        unmap(bytes, count: 5001)
        #expect(throws: Errno.invalidArgument) { _ = try mapFile(file.number, count: 0) }
    }
}

@Suite("Terminals")
struct TerminalTests {
    private func terminal() throws -> (master: OwnedFDBox, peer: OwnedFDBox) {
        let master = try OwnedFD.open("/dev/ptmx", [.readWrite, .noControllingTerminal])
        let peer = try openPeerTerminal(of: master.number)
        return (OwnedFDBox(master), OwnedFDBox(peer))
    }

    @Test("the other end of a ptmx is a terminal of its own")
    func pair() throws {
        let (master, peer) = try terminal()
        #expect(isatty(peer.descriptor.raw) == 1)
        #expect(fcntl(peer.descriptor.raw, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(master.descriptor.raw, F_GETFD) == FD_CLOEXEC)
        let null = try OwnedFD.open("/dev/null", .readWrite)
        #expect(throws: Errno.notTerminal) { _ = try openPeerTerminal(of: null.number) }
    }

    @Test("a terminal's size is what it was set to")
    func size() throws {
        let (master, peer) = try terminal()
        try setTerminalSize(master.descriptor.number, rows: 43, columns: 211)
        #expect(try terminalSize(peer.descriptor.number) == (43, 211))
    }

    /// What is read at the other end after a write.
    private func passed(_ text: String, from source: borrowing OwnedFD, to target: borrowing OwnedFD) throws -> String {
        try source.writeAll(text)
        guard try poll(target.raw, timeout: 2000).first else { return "nothing" }
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = read(target.raw, &bytes, 100)
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }

    @Test("a newline stays one where its translation is off")
    func newline() throws {
        let (master, peer) = try terminal()
        #expect(try passed("a\n", from: peer.descriptor, to: master.descriptor) == "a\r\n")
        try TerminalModes(of: peer.descriptor.number).withoutNewlineTranslation.apply(to: peer.descriptor.number)
        #expect(try passed("a\n", from: peer.descriptor, to: master.descriptor) == "a\n")
    }

    @Test("raw modes are those of cfmakeraw(3) but for output, and hand on every byte without an echo")
    func raw() throws {
        let (master, peer) = try terminal()
        let before = try TerminalModes(of: peer.descriptor.number)
        var expected = termios()
        tcgetattr(peer.descriptor.raw, &expected)
        let output = expected.c_oflag
        cfmakeraw(&expected)
        // The container's terminal translates no newlines, so this one goes on doing so.
        expected.c_oflag = output
        try before.raw.apply(to: peer.descriptor.number)
        var found = termios()
        tcgetattr(peer.descriptor.raw, &found)
        #expect(found.c_iflag == expected.c_iflag)
        #expect(found.c_oflag == expected.c_oflag)
        #expect(found.c_lflag == expected.c_lflag)
        #expect(found.c_cflag == expected.c_cflag)
        #expect(try passed("\u{3}\r\u{4}", from: master.descriptor, to: peer.descriptor) == "\u{3}\r\u{4}")
        #expect(try !poll(master.descriptor.raw, timeout: 50).first)
        try before.apply(to: peer.descriptor.number)
        tcgetattr(peer.descriptor.raw, &found)
        #expect(found.c_lflag != expected.c_lflag)
    }

    @Test("what is no terminal has no modes and no size")
    func none() throws {
        let file = try makeMemoryFile(literal("none"))
        #expect(throws: Errno.notTerminal) { _ = try TerminalModes(of: file.number) }
        #expect(throws: Errno.notTerminal) { _ = try terminalSize(file.number) }
    }

    @Test("a session's leader takes a terminal over, nobody else does", .enabled(if: isRoot))
    func controlling() throws {
        let (master, peer) = try terminal()
        let number = peer.descriptor.number
        let end =
            try inChild { () throws(Errno) in
                try kernel(__NR_setsid)
                try takeTerminal(number)
                // /dev/tty opens only for a session with a terminal.
                _ = try OwnedFD.open(literal("/dev/tty"), [.readWrite])
                return 0
            }
        #expect(end == .exited(0))
        // Without its other end the terminal would hang up.
        #expect(master.descriptor.raw >= 0)
    }
}

/// A descriptor that can stand in a tuple.
final class OwnedFDBox {
    let descriptor: OwnedFD
    init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
}

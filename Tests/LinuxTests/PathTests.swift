import Foundation
import Linux
import Testing

@Suite("Paths in a buffer")
struct PathBufferTests {
    private func buffer(_ text: String) throws -> PathBuffer {
        var path = PathBuffer()
        try text.withPath { pointer throws(Errno) in try path.append(pointer) }
        return path
    }

    private func text(_ path: borrowing PathBuffer) -> String { String(cString: path.cString) }

    @Test(
        "components are taken from the front, slashes apart",
        arguments: [
            ("", []), ("/", []), ("///", []), ("a", ["a"]), ("/a", ["a"]), ("a/b", ["a", "b"]), ("//a///b//", ["a", "b"]),
            ("./../x", [".", "..", "x"]),
        ] as [(String, [String])])
    func components(_ path: String, _ expected: [String]) throws {
        var rest = try buffer(path)
        var name = PathBuffer()
        var found: [String] = []
        while rest.takeComponent(&name) { found.append(text(name)) }
        #expect(found == expected)
        let isOver = (rest.isAtEnd, rest.isEmpty)
        #expect(isOver == (true, true))
    }

    @Test("what is left says whether only slashes are", arguments: [("a", true), ("a/", true), ("a//", true), ("a/b", false)])
    func isAtEnd(_ path: String, _ expected: Bool) throws {
        var rest = try buffer(path)
        var name = PathBuffer()
        let isTaken = rest.takeComponent(&name)
        #expect(isTaken)
        let isAtEnd = rest.isAtEnd
        #expect(isAtEnd == expected)
    }

    @Test(
        "a path is split at its last slash",
        arguments: [
            ("/a/b", "/a/", "b"), ("/a", "/", "a"), ("a", "/", "a"), ("a/b/", "a/", "b"), ("/a//b///", "/a//", "b"), ("/", "/", ""),
            ("///", "/", ""), ("", "/", ""), ("/a/..", "/a/", ".."),
        ])
    func split(_ path: String, _ directory: String, _ name: String) throws {
        var left = try buffer("rubbish")
        var right = try buffer("rubbish")
        try path.withPath { pointer throws(Errno) in try PathBuffer.split(pointer, directory: &left, name: &right) }
        let parts = [text(left), text(right)]
        #expect(parts == [directory, name])
    }

    @Test(
        "a path is put in front of another, as a link's target is",
        arguments: [
            ("/b/c", 0, "a", "a//b/c"), ("a/b/c", 1, "x", "x//b/c"), ("a/b/c", 1, "/long/er/than/that", "/long/er/than/that//b/c"),
            ("a/b", 2, "x/y", "x/y/"), ("", 0, "x", "x/"), ("aaaaaaaaaa/b", 1, "", "//b"),
        ] as [(String, Int, String, String)])
    func prepend(_ path: String, _ taken: Int, _ front: String, _ expected: String) throws {
        var rest = try buffer(path)
        var name = PathBuffer()
        for _ in 0..<taken { _ = rest.takeComponent(&name) }
        try rest.prepend(try buffer(front))
        let (result, count) = (text(rest), rest.count)
        #expect(result == expected)
        #expect(count == expected.utf8.count)
    }

    @Test(
        "the last component is taken away with the slashes before it",
        arguments: [
            ("/a/b", "/a"), ("/a", ""), ("a", ""), ("/a//b", "/a"), ("", ""), ("/a/b/", "/a/b"),
        ])
    func removeLast(_ path: String, _ expected: String) throws {
        var buffer = try buffer(path)
        buffer.removeLastComponent()
        let result = text(buffer)
        #expect(result == expected)
    }

    @Test(
        "dots, absolute and empty paths are known",
        arguments: [
            ("", false, false, false, true), (".", true, false, false, false), ("..", false, true, false, false),
            ("...", false, false, false, false), (".a", false, false, false, false), ("/", false, false, true, false),
            ("/..", false, false, true, false),
        ])
    func kinds(_ path: String, _ isDot: Bool, _ isDotDot: Bool, _ isAbsolute: Bool, _ isEmpty: Bool) throws {
        let buffer = try buffer(path)
        let found = [buffer.isDot, buffer.isDotDot, buffer.isDots, buffer.isAbsolute, buffer.isEmpty]
        #expect(found == [isDot, isDotDot, isDot || isDotDot, isAbsolute, isEmpty])
    }

    @Test(
        "numbers are added in decimal and octal",
        arguments: [
            (0, "0", "0"), (7, "7", "7"), (8, "8", "10"), (0o755, "493", "755"), (4_194_304, "4194304", "20000000"),
        ])
    func numbers(_ number: Int, _ decimal: String, _ octal: String) throws {
        var first = PathBuffer()
        try first.append(number: number)
        var second = PathBuffer()
        try second.append(octal: UInt32(number))
        let found = [text(first), text(second)]
        #expect(found == [decimal, octal])
    }

    @Test("4095 bytes fit, one more does not")
    func capacity() throws {
        func error(_ body: () throws -> Void) -> Errno? {
            do { try body() } catch { return error as? Errno }
            return nil
        }
        var full = try buffer(String(repeating: "a", count: 4095))
        var refusals = [error { try full.append(byte: 97) }, error { try full.appendComponent(literal("b")) }]
        refusals.append(error { _ = try buffer(String(repeating: "a", count: 4096)) })
        var rest = try buffer(String(repeating: "b", count: 4000))
        refusals.append(error { try rest.prepend(try buffer(String(repeating: "a", count: 96))) })
        #expect(refusals == Array(repeating: .nameTooLong, count: 4))
        let kept = [full.count, rest.count]
        #expect(kept == [4095, 4000])
        try rest.prepend(try buffer(String(repeating: "a", count: 90)))
        let count = rest.count
        #expect(count == 4091)
    }
}

/// A directory with a secret beside it, for walks that must not leave it.
private final class Tree {
    let outside: String
    let root: OwnedFD

    init() throws {
        var template = Array("/tmp/swoci-test-XXXXXX".utf8CString)
        mkdtemp(&template)
        outside = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        mkdir("\(outside)/root", 0o755)
        mkdir("\(outside)/root/etc", 0o755)
        mkdir("\(outside)/root/a", 0o755)
        mkdir("\(outside)/root/a/b", 0o755)
        for file in ["secret", "root/etc/file", "root/a/file"] {
            FileManager.default.createFile(atPath: "\(outside)/\(file)", contents: nil)
        }
        root = try OwnedFD.open("\(outside)/root", [.path, .directory])
    }

    deinit { try? FileManager.default.removeItem(atPath: outside) }

    var directory: RootDirectory { RootDirectory(root.number) }

    func link(_ target: String, at path: String) { symlink(target, "\(outside)/root/\(path)") }

    /// Where a descriptor is, from the root: "/a"; "OUT" for anything else.
    func place(_ descriptor: borrowing OwnedFD) throws -> String {
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor.raw)")
        if path == "\(outside)/root" { return "/" }
        return path.hasPrefix("\(outside)/root/") ? String(path.dropFirst(outside.utf8.count + 5)) : "OUT"
    }

    func resolve(_ path: String, _ flags: OpenFlags = .path) throws -> String {
        let found = OwnedFD(try path.withPath { path throws(Errno) in try directory.resolve(path, flags).release() })
        return try place(found)
    }

    func mountPoint(_ path: String, isDirectory: Bool = true, noFollow: Bool = false) throws -> String {
        let found = OwnedFD(
            try path.withPath { path throws(Errno) in
                try directory.mountPoint(path, isDirectory: isDirectory, noFollow: noFollow).release()
            })
        #expect(try FileStatus.of(at: found.number).isDirectory == isDirectory || noFollow)
        return try place(found)
    }

    func makeDirectories(_ path: String, followLinks: Bool = true, mode: UInt32 = 0o755) throws -> String {
        let found = OwnedFD(
            try path.withPath { path throws(Errno) in
                try directory.makeDirectories(path, mode: mode, followLinks: followLinks).release()
            })
        return try place(found)
    }

    /// Everything outside the root: nothing may ever be made there.
    var neighbours: [String] { (try? FileManager.default.contentsOfDirectory(atPath: outside).sorted()) ?? [] }
}

@Suite("Paths inside a root")
struct RootDirectoryTests {
    /// Paths, with links L -> target made before, and where each leads.
    static let existing: [(link: String, path: String, place: String)] = [
        ("-", "/", "/"), ("-", "", "/"), ("-", "etc/file", "/etc/file"), ("-", "/etc/file", "/etc/file"), ("-", "/..", "/"),
        ("-", "../../../etc", "/etc"), ("-", "a/../../../etc/file", "/etc/file"), ("-", "a/./b/..", "/a"),
        ("/etc", "L/file", "/etc/file"), ("etc", "L", "/etc"), ("/etc/file", "L", "/etc/file"), ("/", "L/etc", "/etc"),
        ("..", "L/L/etc", "/etc"), ("/../../../..", "L/a", "/a"), ("../../../../../etc", "L", "/etc"),
        ("a/b/../../etc", "L/file", "/etc/file"),
    ]

    @Test("a path is resolved inside, whatever its links and dots say (M-02)", arguments: existing.indices)
    func resolve(_ index: Int) throws {
        let row = RootDirectoryTests.existing[index]
        let tree = try Tree()
        if row.link != "-" { tree.link(row.link, at: "L") }
        #expect(try tree.resolve(row.path.isEmpty ? "." : row.path) == row.place)
    }

    /// Links that lead to nothing, the path below, what it says, and what makes of it.
    static let dangling: [(target: String, path: String, place: String)] = [
        ("/new", "L", "/new"), ("new", "L", "/new"), ("new/deep", "L/er", "/new/deep/er"), ("/../../../new", "L", "/new"),
        ("../../secret", "L", "/secret"), ("a/../x/y", "L/z", "/x/y/z"), ("a/b/new", "L", "/a/b/new"), ("/a/new", "./L/../L", "/a/L"),
        ("new/", "L", "/new"),
    ]

    @Test(
        "a dangling link is followed inside the root as if its target existed, and nothing is made outside (M-02)",
        arguments: dangling.indices)
    func danglingLink(_ index: Int) throws {
        let row = RootDirectoryTests.dangling[index]
        for isDirectory in [true, false] {
            let tree = try Tree()
            tree.link(row.target, at: "L")
            // What is walked through, or ends in a slash, can only be a directory.
            if (row.path.contains("..") || row.target.hasSuffix("/")) && !isDirectory { continue }
            #expect(try tree.mountPoint(row.path, isDirectory: isDirectory) == row.place)
            #expect(tree.neighbours == ["root", "secret"])
            // The second time it is there.
            #expect(try tree.mountPoint(row.path, isDirectory: isDirectory) == row.place)
        }
    }

    @Test("a chain of dangling links is followed, each from where it lies")
    func chain() throws {
        let tree = try Tree()
        tree.link("a/second", at: "first")
        tree.link("../etc/third", at: "a/second")
        tree.link("/a/b/../new", at: "etc/third")
        #expect(try tree.mountPoint("/first/x", isDirectory: false) == "/a/new/x")
        #expect(try tree.mountPoint("/first") == "/a/new")
    }

    @Test(
        "links in a circle are an error, however they are walked", arguments: [("L", "L"), ("M", "L"), ("M/x", "L/y"), ("/./L/new", "L")])
    func circle(_ target: String, _ path: String) throws {
        let tree = try Tree()
        tree.link(target, at: "L")
        tree.link("L", at: "M")
        #expect(throws: Errno.loop) { _ = try tree.resolve(path) }
        #expect(throws: Errno.loop) { _ = try tree.mountPoint(path) }
        #expect(throws: Errno.loop) { _ = try tree.makeDirectories(path) }
    }

    @Test("forty links are followed, more are not")
    func manyLinks() throws {
        let tree = try Tree()
        tree.link("end", at: "l1")
        for number in 2...41 { tree.link("l\(number - 1)", at: "l\(number)") }
        #expect(try tree.mountPoint("l40") == "/end")
        rmdir("\(tree.outside)/root/end")
        #expect(throws: Errno.loop) { _ = try tree.mountPoint("l41") }
    }

    @Test("where no link may be followed, the link itself is a target or a reason to refuse")
    func noFollow() throws {
        let tree = try Tree()
        tree.link("/etc", at: "L")
        tree.link("/missing", at: "D")
        #expect(try tree.mountPoint("L", noFollow: true) == "/L")
        #expect(try tree.mountPoint("D", noFollow: true) == "/D")
        for path in ["L", "L/b", "L/new/er", "D", "D/new", "a/../L/new", "new/../L/new"] {
            #expect(throws: Errno.loop, "\(path)") { _ = try tree.makeDirectories(path, followLinks: false) }
        }
        #expect(try tree.makeDirectories("a/b/c/d", followLinks: false) == "/a/b/c/d")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(tree.outside)/root/etc") == ["file"])
    }

    @Test("a link of /proc that jumps elsewhere is not followed")
    func magicLinks() throws {
        let proc = try OwnedFD.open("/proc", [.path, .directory])
        #expect(throws: Errno.loop) { _ = try RootDirectory(proc.number).resolve(literal("self/root")) }
    }

    @Test(
        "a file in the way of a directory is no directory",
        arguments: ["a/file", "a/file/x", "a/file/x/y", "L", "L/x", "new/../a/file", "a/file/../b"])
    func throughFile(_ path: String) throws {
        let tree = try Tree()
        tree.link("a/file", at: "L")
        #expect(throws: Errno.notDirectory) { _ = try tree.makeDirectories(path) }
        #expect(try FileStatus.of(literal("a/file"), at: tree.root.number).isRegular)
    }

    @Test("the last directory gets the mode that is asked for, those above it 0755, existing ones keep theirs")
    func modes() throws {
        let tree = try Tree()
        let old = umask(0)
        defer { umask(old) }
        chmod("\(tree.outside)/root/a/b", 0o711)
        #expect(try tree.makeDirectories("/a/b/x/y", mode: 0o1700) == "/a/b/x/y")
        let modes = try ["a/b", "a/b/x", "a/b/x/y"].map { path in
            try path.withPath { path throws(Errno) in try FileStatus.of(path, at: tree.root.number).mode & 0o7777 }
        }
        #expect(modes == [0o711, 0o755, 0o1700])
    }

    @Test(
        "a path's directory is opened, made if missing, beside the name of its last component",
        arguments: [
            ("/a/b/c", "/a/b", "c"), ("c", "/", "c"), ("/x/y/z/", "/x/y", "z"), ("../../q", "/", "q"),
        ])
    func parent(_ path: String, _ directory: String, _ last: String) throws {
        let tree = try Tree()
        var name = PathBuffer()
        let found = OwnedFD(
            try path.withPath { path throws(Errno) in try tree.directory.parent(of: path, name: &name).release() })
        #expect(try tree.place(found) == directory)
        #expect(String(cString: name.cString) == last)
    }

    @Test("a path that ends in dots, or has no name, has no parent", arguments: ["/", "", "/a/..", "/a/.", "..", "///"])
    func noParent(_ path: String) throws {
        let tree = try Tree()
        var name = PathBuffer()
        #expect(throws: Errno.invalidArgument) {
            _ = try path.withPath { path throws(Errno) in try tree.directory.parent(of: path, name: &name).release() }
        }
    }

    @Test("openat2's other limits: leaving, and any link")
    func below() throws {
        let tree = try Tree()
        tree.link("etc", at: "L")
        #expect(throws: Errno.crossDevice) {
            _ = try OwnedFD.open(literal("../secret"), .read, below: tree.root.number, resolve: .beneath)
        }
        #expect(throws: Errno.loop) { _ = try OwnedFD.open(literal("L/file"), .read, below: tree.root.number, resolve: .noSymlinks) }
        #expect(throws: Never.self) { _ = try OwnedFD.open(literal("L/file"), .read, below: tree.root.number, resolve: .beneath) }
    }
}

import Foundation
import Linux
import Plan
import Testing

@Suite("Nodes and links", .enabled(if: isRoot))
struct NodeTests {
    private static let character: UInt32 = 0o020000
    private static let fifo: UInt32 = 0o010000

    private func run(_ root: Root, _ script: String, _ steps: (inout PlanBuilder) -> Void) throws -> String {
        var plan = PlanBuilder()
        plan.root(root.path)
        steps(&plan)
        plan.shell("cd \(root.path) && { \(script); } 2>&1")
        return try InitProcess(plan).run().output
    }

    private func failure(_ root: Root, _ steps: (inout PlanBuilder) -> Void) throws -> Said {
        var plan = PlanBuilder()
        plan.root(root.path)
        steps(&plan)
        let said = try InitProcess(plan).failure()
        #expect(said.message.step == plan.last)
        return said
    }

    private func node(_ path: String, _ mode: UInt32 = character | 0o666, _ major: UInt32 = 1, _ minor: UInt32 = 3, uid: UInt32 = 0)
        -> (inout PlanBuilder) -> Void
    {
        { $0.add(.makeNode(MakeNode(path: $0.plan.add(path), mode: mode, major: major, minor: minor, uid: uid, gid: uid))) }
    }

    @Test("nodes are made with exact modes, owners and large numbers (D-01, D-04 to D-06)")
    func make() throws {
        let seen = try run(Root(), "stat -c '%n %F %a %u %t:%T' dev/*") {
            node("/dev/null")(&$0)
            node("/dev/big", NodeTests.character | 0o602, 4095, 1_048_575, uid: 42)(&$0)
            node("/dev/pipe", NodeTests.fifo | 0o640, 0, 0)(&$0)
        }
        #expect(
            seen == """
                dev/big character special file 602 42 fff:fffff
                dev/null character special file 666 0 1:3
                dev/pipe fifo 640 0 0:0

                """)
    }

    @Test("a node that is there already is taken if it is the same (D-03)")
    func same() throws {
        #expect(
            try run(Root("mkdir dev; mknod -m 600 dev/null c 1 3; mkfifo dev/pipe"), "ls dev") {
                node("/dev/null")(&$0)
                node("/dev/pipe", NodeTests.fifo | 0o640, 0, 0)(&$0)
            } == "null\npipe\n")
    }

    @Test(
        "anything else at a device's path is an error (D-03)",
        arguments: [
            ": > null", "mkdir null", "mknod null c 1 5", "mknod null b 1 3", "mkfifo null", "ln -s /dev/null null", "ln -s zero null",
        ])
    func other(_ script: String) throws {
        let said = try failure(Root("mkdir dev; cd dev; \(script)"), node("/dev/null"))
        #expect(said.reason == .wrongNode)
        #expect(said.errno == .exists)
        #expect(said.text == "/dev/null")
    }

    @Test("no link on the way to a device is followed (D-03)", arguments: ["/etc", "etc", "../../../../etc", "missing"])
    func linkedDirectory(_ target: String) throws {
        let root = try Root("mkdir etc; ln -s \(target) dev")
        for step in [
            node("/dev/null"),
            { $0.add(.makeSymlink(MakeSymlink(target: $0.plan.add("x"), path: $0.plan.add("/dev/null")))) },
            {
                $0.add(
                    .bindNode(
                        BindNode(
                            source: $0.plan.add("/dev/null"), path: $0.plan.add("/dev/null"), kind: NodeTests.character, major: 1, minor: 3)
                    ))
            },
        ] {
            let said = try failure(root, step)
            #expect(said.reason == .unsafePath)
            #expect(said.errno == .loop)
            #expect(said.text == "/dev/null")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root.path)/etc").isEmpty)
    }

    @Test("a node of the host's is mounted where none can be made, if it is the expected one (D-01)")
    func bindNode() throws {
        func bind(_ minor: UInt32) -> (inout PlanBuilder) -> Void {
            {
                $0.add(
                    .bindNode(
                        BindNode(
                            source: $0.plan.add("/dev/null"), path: $0.plan.add("/dev/null"), kind: NodeTests.character, major: 1,
                            minor: minor)))
            }
        }
        #expect(
            try run(Root(), "stat -c '%F %t:%T' dev/null; echo x > dev/null && echo written", bind(3)) == """
                character special file 1:3
                written

                """)
        let said = try failure(Root(), bind(5))
        #expect(said.reason == .wrongNode)
        #expect(said.text == "/dev/null")
        #expect(try failure(Root("mkdir dev; ln -s /etc dev/null"), bind(3)).reason == .unsafePath)
    }

    private func link(_ target: String, keep: Bool) -> (inout PlanBuilder) -> Void {
        { $0.add(.makeSymlink(MakeSymlink(target: $0.plan.add(target), path: $0.plan.add("/dev/fd"), keepExisting: keep))) }
    }

    @Test("a link is made; what the image has there stays if that is wanted (L-01)")
    func symlink() throws {
        #expect(try run(Root(), "readlink dev/fd", link("/proc/self/fd", keep: true)) == "/proc/self/fd\n")
        #expect(try run(Root("mkdir dev; echo kept > dev/fd"), "cat dev/fd", link("/proc/self/fd", keep: true)) == "kept\n")
    }

    @Test("where nothing else may be, the same link may be there already, as after an earlier run")
    func strictSymlink() throws {
        #expect(try failure(Root("mkdir dev; : > dev/fd"), link("target", keep: false)).errno == .exists)
        #expect(try failure(Root("mkdir dev; ln -s other dev/fd"), link("target", keep: false)).errno == .exists)
        #expect(try run(Root("mkdir dev; ln -s target dev/fd"), "readlink dev/fd", link("target", keep: false)) == "target\n")
    }

    @Test("a directory is made with its mode, and one that is there keeps its own")
    func directory() throws {
        let make: (inout PlanBuilder) -> Void = { $0.add(.makeDirectory(MakeDirectory(path: $0.plan.add("/a/b"), mode: 0o1700))) }
        #expect(try run(Root(), "stat -c %a a a/b", make) == "755\n1700\n")
        #expect(try run(Root("mkdir -p a/b; chmod 711 a/b"), "stat -c %a a/b", make) == "711\n")
        #expect(try failure(Root(": > a"), make).errno == .notDirectory)
    }
}

@Suite("The container's terminal", .enabled(if: isRoot))
struct ConsoleTests {
    private func plan(_ root: Root, mountsConsole: Bool = true) -> PlanBuilder {
        var plan = PlanBuilder()
        plan.root(root.path)
        plan.mount("devpts", on: "/dev/pts", ["newinstance", "ptmxmode=0666", "mode=0620"])
        plan.add(.openConsole(OpenConsole(rows: 30, columns: 90, uid: 12, mountsConsole: mountsConsole)))
        plan.add(.startSession(StartSession(terminal: true)))
        return plan
    }

    @Test("the terminal's other end goes to the runtime; size, owner, modes and /dev/console are set (P-02, D-14)")
    func console() throws {
        let root = try Root()
        var plan = plan(root)
        plan.shell(
            "cd \(root.path)/dev; stty size; test -t 0 && test -t 2 && echo terminal; stat -c '%u %a' pts/0; echo again > console")
        let process = try InitProcess(plan)
        try process.say(.proceed)
        let said = try #require(try process.hear())
        #expect(said.kind == .console)
        let terminal = OwnedFD(said.descriptor)
        let ready = try #require(try process.hear())
        #expect(ready.kind == .ready)
        #expect(try process.start() == nil)
        #expect(try process.wait() == .exited(0))
        var bytes = [UInt8](repeating: 0, count: 1000)
        let count = read(terminal.raw, &bytes, bytes.count)
        // No carriage returns: output is the payload's own.
        #expect(String(decoding: bytes[..<max(0, count)], as: UTF8.self) == "30 90\nterminal\n12 620\nagain\n")
    }

    @Test(
        "a ptmx that is none is refused (P-02)",
        arguments: ["mknod -m 666 ptmx c 1 3", ": > ptmx", "ln -s /dev/null ptmx; mknod ../null c 1 3"])
    func wrongTerminal(_ script: String) throws {
        let root = try Root("mkdir -p dev/pts; cd dev/pts; \(script)")
        var plan = PlanBuilder()
        plan.root(root.path)
        plan.add(.openConsole(OpenConsole(rows: 0, columns: 0, uid: 0)))
        let said = try InitProcess(plan).failure()
        #expect(said.reason == .wrongNode)
        #expect(said.text == "/dev/pts/ptmx")
    }

    @Test("/dev/console being a link is refused (D-14)")
    func linkedConsole() throws {
        let root = try Root("mkdir dev; ln -s /etc/passwd dev/console")
        let process = try InitProcess(plan(root))
        let said = try process.failure()
        #expect(said.reason == .unsafePath)
        #expect(said.text == "/dev/console")
    }
}

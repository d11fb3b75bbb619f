import Foundation
import Linux
import Plan
import Testing

@Suite("The mount steps", .enabled(if: isRoot))
struct MountTests {
    /// Runs a script in the host's root after some mount steps, with the container's root as its working directory.
    private func output(_ root: Root, _ script: String, _ steps: (inout PlanBuilder) -> Void) throws -> String {
        var plan = PlanBuilder()
        plan.root(root.path)
        steps(&plan)
        plan.shell("cd \(root.path) && { \(script); } 2>&1")
        let (status, output) = try InitProcess(plan).run()
        #expect(status == .exited(0))
        return output
    }

    private func failure(_ root: Root, _ steps: (inout PlanBuilder) -> Void) throws -> Said {
        var plan = PlanBuilder()
        plan.root(root.path)
        steps(&plan)
        let said = try InitProcess(plan).failure()
        #expect(said.message.step == plan.last)
        return said
    }

    /// The options of the mount at a path, as mountinfo has them.
    private func options(_ path: String) -> String {
        "awk -v p=\"$PWD\(path)\" '$5 == p { print $6 }' /proc/self/mountinfo | tail -n 1"
    }

    // MARK: Root

    @Test("no mount reaches the host, and what is missing on the way to a target is made (X-01, M-02)")
    func isolation() throws {
        let root = try Root()
        let seen = try output(root, "touch a/b/inside; ls a/b") { $0.mount("tmpfs", on: "/a/b") }
        #expect(seen == "inside\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root.path)/a/b").isEmpty)
        #expect(try !readText("/proc/self/mountinfo").contains(root.path))
    }

    @Test(
        "a root that is missing or no directory fails the create (R-02)",
        arguments: [("/missing", Errno.noEntry), ("/file", .notDirectory)])
    func badRoot(_ name: String, _ errno: Errno) throws {
        let root = try Root(": > file")
        var plan = PlanBuilder()
        plan.root(root.path + name)
        let said = try InitProcess(plan).failure()
        #expect(said.errno == errno)
        #expect(said.message.step == 1)
    }

    @Test("after entering the root nothing of the host's is left, by pivot_root or by moving (LC-14)", arguments: [false, true])
    func enter(_ byMoving: Bool) throws {
        let root = try Root("mkdir proc; echo here > mark")
        var plan = PlanBuilder()
        plan.root(root.path)
        plan.bindPrograms()
        plan.mount("proc", on: "/proc")
        plan.add(.enterRoot(EnterRoot(byMoving ? .moving : .pivoting)))
        plan.shell("cat /mark; pwd; ls / | grep -cx -e etc -e tmp -e root; ls /proc | grep -c '^[0-9]'; wc -l < /proc/self/mountinfo")
        let (_, output) = try InitProcess(plan).run()
        let lines = output.lines
        try #require(lines.count == 5, "\(lines)")
        #expect(lines[0] == "here")
        #expect(lines[1] == "/")
        #expect(lines[2] == "0")
        // The shell, the two ends of the pipe.
        #expect(try #require(Int(lines[3])) <= 3)
        // The root, proc and the binds of programs; of a moved root the host's mounts below stay visible in the table to nobody.
        #expect(try #require(Int(lines[4])) <= 8)
    }

    @Test("a read-only root refuses writing, mounts below it do not (R-03)")
    func readonlyRoot() throws {
        let seen = try output(Root("mkdir t"), "touch x; touch t/x && ls t") {
            $0.mount("tmpfs", on: "/t")
            $0.add(.makeRootReadonly)
        }
        #expect(seen == "touch: cannot touch 'x': Read-only file system\nx\n")
    }

    // MARK: File systems

    /// Parameters that a file system refuses: the whole text that is reported is the parameter, NUL and the kernel's message.
    static let refused: [(type: String, parameter: String, message: String)] = [
        ("tmpfs", "size=many", "e tmpfs: Bad value for 'size'\n"),
        ("tmpfs", "colour=red", "e tmpfs: Unknown parameter 'colour'\n"),
        ("tmpfs", "colour", "e tmpfs: Unknown parameter 'colour'\n"),
        ("tmpfs", "mode=9", "e tmpfs: Bad value for 'mode'\n"),
        ("proc", "hidepid=17", "e proc: hidepid value must be between 0 and 4.\n"),
    ]

    @Test("a refused parameter is named together with the kernel's words (M-05)", arguments: refused.indices)
    func refusedParameter(_ index: Int) throws {
        let row = MountTests.refused[index]
        let said = try failure(Root()) { $0.mount(row.type, on: "/m", ["ro", row.parameter]) }
        #expect(said.reason == .mountParameter)
        #expect(said.errno == .invalidArgument)
        let parts = said.text.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
        try #require(parts.count == 2)
        #expect(parts[0] == row.parameter)
        if row.type == "tmpfs" { #expect(parts[1] == row.message) } else { #expect(parts[1].hasPrefix("e proc: ")) }
    }

    @Test("a type that this kernel does not have is reported (M-04)")
    func unknownType() throws {
        let said = try failure(Root()) { $0.mount("nosuchfs", on: "/m") }
        #expect(said.reason == .systemCall)
        #expect(said.errno == .noDevice)
    }

    @Test("parameters and attributes of a new mount (M-05)")
    func attributes() throws {
        let seen = try output(Root(), "\(options("/m")); stat -f -c %b m; stat -c %a m") {
            $0.mount(
                "tmpfs", on: "/m", ["size=64k", "mode=710"],
                attributes: MountFlag.noSuid | MountFlag.noExec | MountFlag.noDev | MountFlag.readOnly)
        }
        #expect(seen == "ro,nosuid,nodev,noexec,relatime\n16\n710\n")
    }

    @Test("a tmpfs without a mode takes over that of the directory that it covers")
    func inheritMode() throws {
        let seen = try output(Root("mkdir m; chmod 1751 m"), "stat -c %a m") { $0.mount("tmpfs", on: "/m", options: .inheritMode) }
        #expect(seen == "1751\n")
    }

    @Test("/proc being a link is refused, wherever it leads", arguments: ["etc", "/etc", "missing", "proc"])
    func linkedProc(_ target: String) throws {
        let said = try failure(Root("mkdir etc; ln -s \(target) proc")) { $0.mount("proc", on: "/proc", noFollow: true) }
        #expect(said.reason == .unsafePath)
        #expect(said.errno == .loop)
        #expect(said.text == "/proc")
    }

    /// Links on the way to a target, and where below the root the mount has to be.
    static let escapes: [(script: String, target: String, place: String)] = [
        ("mkdir in; ln -s /in way", "/way", "in"),
        ("ln -s /../../../../in way", "/way", "in"),
        ("ln -s ../../../../../../in/deep way", "/way", "in/deep"),
        ("ln -s $PWD way", "/way", "$PWD"),
        ("mkdir a; ln -s ../../../in a/way", "/a/way/x", "in/x"),
        ("true", "/../../in", "in"),
        ("true", "in/./deep/", "in/deep"),
    ]

    @Test("a target is resolved inside the root, dangling links too (M-02)", arguments: escapes.indices)
    func escape(_ index: Int) throws {
        let row = MountTests.escapes[index]
        let root = try Root(row.script)
        let place = row.place == "$PWD" ? String(root.path.dropFirst()) : row.place
        let seen = try output(root, "awk -v p=$PWD 'index($5, p \"/\") == 1 { print substr($5, length(p) + 2) }' /proc/self/mountinfo") {
            $0.mount("tmpfs", on: row.target)
        }
        #expect(seen == "\(place)\n")
    }

    @Test("a tmpfs with what it covers copied into it: names, types, modes, owners, links and contents (MO-32)")
    func copyUp() throws {
        let root = try Root(
            """
            mkdir -p m/sub/deep m/locked m/empty
            echo text > m/file; chmod 640 m/file; chown 12:34 m/file
            head -c 3000000 /dev/urandom > m/sub/deep/big
            echo run > m/sub/suid; chown 5:6 m/sub/suid; chmod 6755 m/sub/suid
            ln -s /etc/passwd m/absolute; ln -s nowhere m/sub/dangling; chown -h 7:8 m/sub/dangling
            mkfifo -m 600 m/sub/fifo; mknod -m 606 m/sub/node c 1 3
            touch m/locked/inside; chmod 2551 m/locked; chown 9:9 m/locked; chmod 2551 m/locked
            for i in $(seq 300); do : > m/sub/a-rather-long-name-$i; done
            """)
        let list = "find . -mindepth 1 -exec stat -c '%n %F %a %u %g %t %T %N' {} + | sort; find . -type f -exec md5sum {} + | sort"
        let expected = try InitProcess(PlanBuilder.shell("cd \(root.path)/m; \(list)")).run().output
        let seen = try output(root, "cd m; stat -f -c %T .; \(list)") {
            $0.mount("tmpfs", on: "/m", attributes: MountFlag.readOnly, options: [.copyUp, .inheritMode])
        }
        #expect(expected.lines.count > 600)
        #expect(seen == "tmpfs\n\(expected)")
        #expect(
            try output(root, "touch m/new; true") {
                $0.mount("tmpfs", on: "/m", attributes: MountFlag.readOnly, options: .copyUp)
            } == "touch: cannot touch 'm/new': Read-only file system\n")
    }

    // MARK: Binds

    @Test("a bind of a directory, a file and a device has its attributes, and the host's mount does not (M-03)")
    func bind() throws {
        let source = try Root("mkdir d; echo text > d/file; cp /bin/true d/true")
        var attributes = AttributeChange()
        attributes.set = MountFlag.readOnly | MountFlag.noExec
        let seen = try output(
            Root(), "cat d/file f; ./d/true || echo refused; touch d/x; \(options("/d")); \(options("/f")); test -c null && echo node"
        ) {
            $0.bind("\(source.path)/d", to: "/d", attributes)
            $0.bind("\(source.path)/d/file", to: "/f")
            $0.bind("/dev/null", to: "/null")
        }
        let lines = seen.lines
        try #require(lines.count == 8, "\(lines)")
        #expect(lines[0...1] == ["text", "text"])
        #expect(lines[2].hasSuffix("Permission denied"))
        #expect(lines[3] == "refused")
        #expect(lines[4] == "touch: cannot touch 'd/x': Read-only file system")
        #expect(lines[5].contains("ro,") && lines[5].contains("noexec"))
        #expect(!lines[6].contains("ro,"))
        #expect(lines[7] == "node")
    }

    @Test("a bind whose source is missing is reported (M-03)")
    func missingSource() throws {
        let said = try failure(Root()) { $0.bind("/no/such/source", to: "/d") }
        #expect(said.errno == .noEntry)
    }

    @Test("a directory is not bound to a file")
    func mixedBind() throws {
        #expect(try failure(Root(": > file")) { $0.bind("/usr", to: "/file") }.errno == .invalidArgument)
    }

    @Test("a recursive attribute reaches the mounts below, a plain one does not (M-05)")
    func recursiveAttributes() throws {
        let root = try Root("mkdir -p s/below")
        let seen = try output(root, "\(options("/all/below")); \(options("/one/below"))") {
            $0.mount("tmpfs", on: "/s/below")
            var attributes = AttributeChange()
            attributes.recursiveSet = MountFlag.readOnly
            $0.bind("\(root.path)/s", to: "/all", attributes)
            attributes = AttributeChange()
            attributes.set = MountFlag.readOnly
            $0.bind("\(root.path)/s", to: "/one", attributes)
        }
        #expect(seen == "ro,relatime\nrw,relatime\n")
    }

    @Test("only a procfs is bound where one is expected (M-10)")
    func onlyProcfs() throws {
        func bind(_ source: String) -> (inout PlanBuilder) -> Void {
            {
                $0.add(
                    .bind(
                        Bind(
                            source: TreeSource(path: $0.plan.add(source), recursive: true),
                            target: Target(path: $0.plan.add("/proc"), takesOnlyProcfs: true))))
            }
        }
        let said = try failure(Root(), bind("/etc"))
        #expect(said.reason == .unsafePath)
        #expect(said.text == "/proc")
        #expect(try output(Root(), "test -e proc/self && echo there", bind("/proc")) == "there\n")
    }

    @Test("a source opened before is mounted from its slot, once; an unknown slot is an error (MO-19)")
    func slots() throws {
        let source = try Root("echo text > file")
        let fill: (inout PlanBuilder) -> Void = {
            $0.add(.openSource(OpenSource(slot: 2, source: TreeSource(path: $0.plan.add(source.path), recursive: true))))
        }
        let use: (inout PlanBuilder, UInt32) -> Void = { plan, slot in
            plan.add(
                .bind(
                    Bind(
                        source: TreeSource(slot: slot, path: plan.plan.add("slot"), recursive: true),
                        target: Target(path: plan.plan.add("/d")))))
        }
        #expect(
            try output(Root(), "cat d/file") {
                fill(&$0); use(&$0, 2)
            } == "text\n")
        #expect(
            try failure(Root()) {
                fill(&$0); use(&$0, 1)
            }.errno == .badMessage)
        #expect(
            try failure(Root()) {
                fill(&$0); use(&$0, 7)
            }.errno == .badMessage)
        #expect(
            try failure(Root()) {
                fill(&$0); use(&$0, 2); use(&$0, 2)
            }.errno == .badMessage)
    }

    @Test("a remount changes what is mounted, and fails where nothing is (MO-16)")
    func remount() throws {
        func remount(_ parameters: [String], set: UInt64) -> (inout PlanBuilder) -> Void {
            {
                var attributes = AttributeChange()
                attributes.set = set
                $0.add(
                    .remount(
                        Remount(
                            target: Target(path: $0.plan.add("/m")), attributes: attributes, propagation: PropagationChange(),
                            parameters: $0.plan.add(parameters))))
            }
        }
        let seen = try output(Root(), "\(options("/m")); stat -f -c %b m") {
            $0.mount("tmpfs", on: "/m", ["size=64k"])
            remount(["size=128k"], set: MountFlag.noExec)(&$0)
        }
        #expect(seen == "rw,noexec,relatime\n32\n")
        #expect(try failure(Root("mkdir m"), remount([], set: MountFlag.noExec)).reason == .notMounted)
        #expect(try failure(Root(), remount([], set: MountFlag.noExec)).errno == .noEntry)
        let said = try failure(Root()) {
            $0.mount("tmpfs", on: "/m")
            remount(["size=many"], set: 0)(&$0)
        }
        #expect(said.reason == .mountParameter)
        #expect(said.text == "size=many\0e tmpfs: Bad value for 'size'\n")
    }

    // MARK: Masks

    @Test("a masked file is /dev/null, a masked directory is empty and read-only, a missing path needs nothing (X-02)")
    func mask() throws {
        let seen = try output(
            Root("echo secret > file; mkdir one two; touch one/x two/x; ln -s file link; echo y > linked; ln -s linked way"),
            "cat file; stat -c '%F %t:%T' file; ls -A one two; touch one/y; stat -c %a two; cat linked; ls -A; touch file/x; true"
        ) {
            for path in ["/file", "/one", "/two", "/missing", "/file/below", "/way"] { $0.add(.mask(OneText($0.plan.add(path)))) }
        }
        #expect(
            seen == """
                character special file 1:3
                one:

                two:
                touch: cannot touch 'one/y': Read-only file system
                555
                file
                link
                linked
                one
                two
                way
                touch: cannot touch 'file/x': Not a directory

                """)
    }

    @Test("masking through a link that leads out masks what is inside (X-02)")
    func maskEscape() throws {
        let seen = try output(
            Root("ln -s ../../../../../../etc/hostname way; mkdir etc; echo secret > etc/hostname"),
            "cat etc/hostname; test -s /etc/passwd && echo kept"
        ) {
            $0.add(.mask(OneText($0.plan.add("/way"))))
        }
        #expect(seen == "kept\n")
    }

    @Test("a read-only path refuses writing and keeps its content and flags; a missing one needs nothing (X-03)")
    func readonlyPath() throws {
        let seen = try output(Root("mkdir d; echo text > d/file; echo text > f"), "touch d/x; echo y > f; cat d/file f; \(options("/t"))") {
            $0.mount("tmpfs", on: "/t", attributes: MountFlag.noExec | MountFlag.noSuid)
            for path in ["/d", "/f", "/t", "/missing", "/f/below"] { $0.add(.makeReadonly(OneText($0.plan.add(path)))) }
        }
        let lines = seen.lines
        try #require(lines.count == 5, "\(lines)")
        #expect(lines[0] == "touch: cannot touch 'd/x': Read-only file system")
        #expect(lines[1].contains("Read-only file system"))
        #expect(lines[2...3] == ["text", "text"])
        #expect(lines[4] == "ro,nosuid,noexec,relatime")
    }

    @Test("a directory made as a working directory; on a read-only root it is left to its entering (P-06)")
    func makeWorkingDirectory() throws {
        #expect(
            try output(Root("ln -s far way"), "stat -c %a far/off") {
                $0.add(.makeWorkingDirectory(OneText($0.plan.add("/way/off"))))
            } == "755\n")
        #expect(
            try output(Root(), "ls -A") {
                $0.add(.makeRootReadonly)
                $0.add(.makeWorkingDirectory(OneText($0.plan.add("/work"))))
            } == "")
    }
}

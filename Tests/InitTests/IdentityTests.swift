import Foundation
import Linux
import Plan
import Testing

@Suite("The payload's identity", .enabled(if: isRoot))
struct IdentityTests {
    /// Runs `cat /proc/self/status` after some steps.
    private func status(_ script: String = "", flags: UInt64 = 0, _ steps: (inout PlanBuilder) -> Void) throws -> String {
        var plan = PlanBuilder()
        steps(&plan)
        plan.shell("\(script) cat /proc/self/status")
        let (status, output) = try InitProcess(plan, flags: NamespaceFlag.pid | NamespaceFlag.mount | flags).run()
        #expect(status == .exited(0))
        return output
    }

    private func output(_ script: String, flags: UInt64 = 0, _ steps: (inout PlanBuilder) -> Void) throws -> String {
        var plan = PlanBuilder()
        steps(&plan)
        plan.shell(script)
        let (status, output) = try InitProcess(plan, flags: NamespaceFlag.pid | NamespaceFlag.mount | flags).run()
        #expect(status == .exited(0))
        return output
    }

    @Test("user, group and further groups (P-39, P-40, P-43)")
    func user() throws {
        let seen = try status { $0.add(.setUser($0.user(1234, 5678, groups: [9, 70_000]))) }
        #expect(seen.field("Uid") == "1234\t1234\t1234\t1234")
        #expect(seen.field("Gid") == "5678\t5678\t5678\t5678")
        #expect(seen.field("Groups") == "9 70000")
    }

    @Test("without further groups none of the runtime's is left (P-43)")
    func noGroups() throws {
        #expect(try status { $0.add(.setUser($0.user(1234, 5678))) }.field("Groups") == "")
    }

    @Test("the umask (P-42)", arguments: [0, 0o22, 0o777] as [UInt32])
    func umask(_ mask: UInt32) throws {
        let seen = try status { $0.add(.setUmask(OneNumber(mask))) }
        #expect(seen.field("Umask") == String(repeating: "0", count: 4 - String(mask, radix: 8).count) + String(mask, radix: 8))
    }

    @Test("no_new_privs (P-22)", arguments: [true, false])
    func noNewPrivileges(_ isWanted: Bool) throws {
        let seen = try status { if isWanted { $0.add(.setNoNewPrivileges) } }
        #expect(seen.field("NoNewPrivs") == (isWanted ? "1" : "0"))
    }

    @Test("the five capability sets, for a user that is not root (P-17 to P-21)")
    func capabilities() throws {
        // CHOWN 0, KILL 5, NET_BIND_SERVICE 10
        let seen = try status {
            $0.add(.limitBoundingSet(OneNumber64(1 << 0 | 1 << 5 | 1 << 10)))
            $0.add(.setUser($0.user(1234, 1234)))
            $0.add(.setCapabilities(SetCapabilities(effective: 1 << 5, permitted: 1 << 5 | 1 << 10, inheritable: 1 << 5, ambient: 1 << 5)))
        }
        #expect(seen.field("CapBnd") == "0000000000000421")
        #expect(seen.field("CapAmb") == "0000000000000020")
        // By execve of a user that is not root only the ambient set is permitted and effective.
        #expect(seen.field("CapPrm") == "0000000000000020")
        #expect(seen.field("CapEff") == "0000000000000020")
        #expect(seen.field("CapInh") == "0000000000000020")
    }

    @Test("an ambient capability that is not inheritable fails the create (P-21)")
    func ambient() throws {
        var plan = PlanBuilder()
        plan.add(.setCapabilities(SetCapabilities(effective: 1, permitted: 1, inheritable: 0, ambient: 1)))
        let said = try InitProcess(plan).failure()
        #expect(said.errno == .notPermitted)
        #expect(said.message.step == 0)
    }

    @Test("the working directory is entered (P-06)")
    func workingDirectory() throws {
        #expect(try output("pwd -P") { $0.add(.changeDirectory(OneText($0.plan.add("/proc/sys")))) } == "/proc/sys\n")
    }

    /// Directories that cannot be entered.
    @Test(
        "a working directory that cannot be entered is reported with its path (P-06)",
        arguments: [
            ("/no/such/directory", Errno.noEntry), ("/etc/passwd", .notDirectory),
        ])
    func badWorkingDirectory(_ path: String, _ errno: Errno) throws {
        var plan = PlanBuilder()
        plan.add(.changeDirectory(OneText(plan.plan.add(path))))
        plan.shell("true")
        let said = try InitProcess(plan).failure()
        #expect(said.reason == .workingDirectory)
        #expect(said.errno == errno)
        #expect(said.text == path)
    }

    @Test("a working directory that only root or only the payload may enter is entered (P-06)", arguments: [true, false])
    func twoTries(_ isRoots: Bool) throws {
        let directory = try makeScratchDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        chmod(directory, 0o755)
        let inner = "\(directory)/inner"
        mkdir(inner, 0o700)
        if !isRoots { chown(inner, 1234, 1234) }
        let seen = try output("readlink /proc/self/cwd") {
            let path = OneText($0.plan.add(inner))
            $0.add(.changeDirectory(path))
            $0.add(.setUser($0.user(1234, 1234)))
            $0.add(.setCapabilities(SetCapabilities(effective: 0, permitted: 0, inheritable: 0, ambient: 0)))
            $0.add(.changeDirectory(path))
        }
        #expect(seen == "\(inner)\n")
    }

    @Test("a directory that neither may enter fails the create (P-06)")
    func deniedWorkingDirectory() throws {
        let directory = try makeScratchDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var plan = PlanBuilder()
        plan.add(.setUser(plan.user(1234, 1234)))
        plan.add(.setCapabilities(SetCapabilities(effective: 0, permitted: 0, inheritable: 0, ambient: 0)))
        let path = OneText(plan.plan.add(directory))
        plan.add(.changeDirectory(path))
        plan.add(.changeDirectory(path))
        plan.shell("true")
        let said = try InitProcess(plan).failure()
        #expect(said.reason == .workingDirectory)
        #expect(said.errno == .accessDenied)
    }

    static let passwd = """
        # a comment
        root:x:0:0:root:/root:/bin/sh
        broken:x:12x:0::/broken:
        short:x:33
        first:x:1234:1234:The First:/home/first:/bin/sh
        second:x:1234:1234::/home/second:/bin/sh
        empty:x:77:77:::/bin/sh
        last:x:4294967294:0::/home/last
        """

    /// Users and the HOME that they get from the file above.
    static let homes: [(uid: UInt32, home: String)] = [
        (0, "/root"), (1234, "/home/first"), (33, "/"), (12, "/"), (77, "/"), (4_294_967_294, "/home/last"), (99, "/"),
    ]

    @Test("HOME comes from the container's /etc/passwd, / where it has none (P-07)", arguments: homes)
    func home(_ uid: UInt32, _ home: String) throws {
        let root = try makeScratchDirectory()
        defer { try? FileManager.default.removeItem(atPath: root) }
        mkdir("\(root)/etc", 0o755)
        try IdentityTests.passwd.write(toFile: "\(root)/etc/passwd", atomically: false, encoding: .utf8)
        let seen = try output("echo $HOME") {
            $0.root(root)
            $0.add(.setHome(OneNumber(uid)))
        }
        #expect(seen == "\(home)\n")
    }

    @Test(
        "HOME where /etc/passwd is missing, empty, a directory, a FIFO or a link out of the root (P-07)",
        arguments: [
            "true", ": > passwd", "mkdir passwd", "mkfifo passwd", "ln -s /dev/zero passwd", "ln -s ../../../../../../etc/passwd passwd",
        ])
    func oddPasswd(_ command: String) throws {
        let root = try makeScratchDirectory()
        defer { try? FileManager.default.removeItem(atPath: root) }
        mkdir("\(root)/etc", 0o755)
        try shell("cd \(root)/etc && \(command)")
        let seen = try output("echo $HOME") {
            $0.root(root)
            $0.add(.setHome(OneNumber(0)))
        }
        #expect(seen == "/\n")
    }

    @Test("hostname and domain name (U-01, U-02)")
    func names() throws {
        let seen = try output("cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname", flags: NamespaceFlag.uts) {
            $0.add(.setHostname(OneText($0.plan.add("box"))))
            $0.add(.setDomainname(OneText($0.plan.add("example.org"))))
        }
        #expect(seen == "box\nexample.org\n")
    }

    @Test("a kernel parameter (SY-01)")
    func sysctl() throws {
        let seen = try output("cat /proc/sys/kernel/msgmax", flags: NamespaceFlag.ipc) {
            $0.add(.setSysctl(SetSysctl(path: $0.plan.add("kernel/msgmax"), value: $0.plan.add("4321"))))
        }
        #expect(seen == "4321\n")
    }

    @Test(
        "a kernel parameter that does not exist, or is none, fails the create (SY-01)",
        arguments: [
            "kernel/no_such_parameter", "../cmdline", "kernel",
        ])
    func badSysctl(_ path: String) throws {
        var plan = PlanBuilder()
        plan.add(.setSysctl(SetSysctl(path: plan.plan.add(path), value: plan.plan.add("1"))))
        #expect(try InitProcess(plan).failure().message.step == 0)
    }

    @Test("scheduler and I/O priority (P-24, P-32)")
    func scheduling() throws {
        let seen = try output("cut -d' ' -f19,41 /proc/self/stat; ionice") {
            $0.add(.setScheduler(SetScheduler(policy: 3, nice: 7, priority: 0, flags: 0, runtime: 0, deadline: 0, period: 0)))
            $0.add(.setIOPriority(SetIOPriority(priorityClass: 2, priority: 6)))
        }
        // SCHED_BATCH 3
        #expect(seen == "7 3\nbest-effort: prio 6\n")
    }

    @Test("a system call filter is in force in the payload, not before it (SE-17)")
    func seccomp() throws {
        // Every call of sethostname(2) fails with EPERM; all others are allowed.
        let program: [(UInt16, UInt8, UInt8, UInt32)] = [
            (0x20, 0, 0, 0), (0x15, 0, 1, UInt32(sethostnameCall)), (0x06, 0, 0, 0x0005_0001), (0x06, 0, 0, 0x7fff_0000),
        ]
        var bytes: [UInt8] = []
        for (code, yes, no, value) in program {
            bytes += [UInt8(code & 0xff), UInt8(code >> 8), yes, no]
            for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
        }
        var plan = PlanBuilder()
        plan.find("sh")
        plan.add(.awaitStart)
        plan.add(.setHostname(OneText(plan.plan.add("before"))))
        plan.add(.loadSeccomp(LoadSeccomp(program: plan.plan.add(bytes: bytes), flags: 0)))
        plan.finish(["sh", "-c", "hostname; hostname after 2>/dev/null || echo refused; hostname; grep Seccomp: /proc/self/status"])
        let flags = NamespaceFlag.pid | NamespaceFlag.mount | NamespaceFlag.uts
        let (_, output) = try InitProcess(plan, flags: flags).run()
        #expect(output == "before\nrefused\nbefore\nSeccomp:\t2\n")
    }

    @Test("the loopback device is up in a new network namespace (N-05)")
    func loopback() throws {
        var plan = PlanBuilder()
        plan.add(.bringLoopbackUp)
        plan.shell("sleep 100")
        let process = try InitProcess(plan, flags: NamespaceFlag.pid | NamespaceFlag.network)
        try process.create()
        // Routes of a process's network namespace: 127.0.0.0/8 is there once lo is up.
        #expect(try readText("/proc/\(process.pid)/net/fib_trie").contains("127.0.0.1"))
    }
}

import Foundation
import Linux
import Plan
import Testing

@Suite("The init by hand")
struct MisuseTests {
    @Test(
        "wrong arguments end it with 125 and say that swoci starts it",
        arguments: [[], ["3"], ["3", "4", "5"], ["x", "4"], ["3", "-4"], ["", "4"], ["3", "99999999999"]])
    func misuse(_ arguments: [String]) throws {
        let process = try InitProcess(arguments: arguments)
        #expect(try process.wait() == .exited(125))
        #expect(process.written == "swoci-init is started by swoci, not by hand\n")
    }
}

@Suite("The init from its birth to the payload", .enabled(if: isRoot))
struct LifeTests {
    @Test("a runtime that is gone before its first word ends it")
    func noFirstWord() throws {
        let process = try InitProcess(.shell("echo ran"))
        process.hangUp()
        #expect(try process.wait() == .exited(1))
        #expect(process.written == "")
    }

    @Test("another first word than 'proceed' ends it")
    func wrongFirstWord() throws {
        let process = try InitProcess(.shell("echo ran"))
        try process.say(.commit)
        #expect(try process.wait() == .exited(1))
        #expect(process.written == "")
    }

    @Test("the payload runs after start, whose connection then closes without a word (LC-08)")
    func run() throws {
        let process = try InitProcess(.shell("echo ran as $$"))
        #expect(try process.create() == process.pid)
        #expect(process.written == "")
        #expect(try process.start() == nil)
        #expect(try process.wait() == .exited(0))
        #expect(process.written == "ran as 1\n")
    }

    @Test("the payload has its arguments and environment and no descriptor but stdio")
    func argumentsAndEnvironment() throws {
        var plan = PlanBuilder()
        plan.execute(["sh", "-c", "echo \"$0|$1|$2|$X\"; ls /proc/self/fd | wc -l", "zero", "", "two words"], environment: ["X=a=b"])
        let (status, output) = try InitProcess(plan).run()
        #expect(status == .exited(0))
        // The fourth descriptor is of ls itself.
        #expect(output == "zero||two words|a=b\n4\n")
    }

    @Test("preserved descriptors reach the payload, and no other does")
    func preserved() throws {
        var plan = PlanBuilder()
        let first = try makeMemoryFile(literal("first"))
        let second = try makeMemoryFile(literal("second"))
        plan.preserved = [try first.duplicate(atLeast: 50).release(), try second.duplicate(atLeast: 50).release()]
        defer { for descriptor in plan.preserved { close(descriptor) } }
        plan.shell("for n in 3 4 5 6 7 8 9 10; do test -e /proc/self/fd/$n && readlink /proc/self/fd/$n; done; true")
        let (status, output) = try InitProcess(plan).run()
        #expect(status == .exited(0))
        #expect(output == "/memfd:first (deleted)\n/memfd:second (deleted)\n")
    }

    @Test("signals are neither blocked nor ignored in the payload")
    func cleanSignals() throws {
        var plan = PlanBuilder()
        plan.supervise()
        plan.shell("cat /proc/self/status")
        let (_, output) = try InitProcess(plan).run()
        #expect(output.field("SigBlk") == "0000000000000000")
        #expect(output.field("SigIgn") == "0000000000000000")
    }

    @Test("the runtime's death before the commit ends it (LC-02)")
    func deathBeforeCommit() throws {
        let process = try InitProcess(.shell("echo ran"))
        try process.create()
        process.hangUp()
        #expect(try process.wait() == .exited(1))
        #expect(process.written == "")
    }

    @Test("the runtime's death after the commit changes nothing")
    func deathAfterCommit() throws {
        let process = try InitProcess(.shell("echo ran"))
        try process.create()
        try process.say(.commit)
        process.hangUp()
        #expect(try process.isAlive(after: 100))
        let connection = try process.connect()
        try InitProcess.say(.start, on: connection.number)
        #expect(try InitProcess.answer(to: connection.raw) == nil)
        #expect(try process.wait() == .exited(0))
        #expect(process.written == "ran\n")
    }

    @Test("whoever connects without a word, or with another one, does not start it (LC-06)")
    func probing() throws {
        let process = try InitProcess(.shell("echo ran"))
        try process.create()
        try process.say(.commit)
        for _ in 0..<3 { _ = try process.connect() }
        let other = try process.connect()
        try InitProcess.say(.proceed, on: other.number)
        #expect(try InitProcess.hear(other.raw) == nil)
        #expect(try process.isAlive(after: 100))
        #expect(process.written == "")
        let connection = try process.connect()
        try InitProcess.say(.start, on: connection.number)
        #expect(try InitProcess.answer(to: connection.raw) == nil)
        #expect(try process.wait() == .exited(0))
        #expect(process.written == "ran\n")
    }

    @Test("the runtime's hooks run while it waits at its synchronisation point (H-02)")
    func synchronize() throws {
        var plan = PlanBuilder()
        plan.add(.synchronize(.runtimeHooks))
        plan.shell("echo ran")
        let process = try InitProcess(plan)
        try process.say(.proceed)
        let said = try #require(try process.hear())
        #expect(said.kind == .synchronize)
        #expect(SyncPoint(rawValue: said.message.value) == .runtimeHooks)
        #expect(try process.isAlive(after: 50))
        #expect(try process.run().output == "ran\n")
    }

    @Test("going on in new namespaces: the child is the runtime's own, its id known by its packet; the parent ends (N-12)")
    func newNamespaces() throws {
        var plan = PlanBuilder()
        plan.add(.enterNewNamespaces(EnterNewNamespaces(flags: NamespaceFlag.pid | NamespaceFlag.mount, awaitsMappings: false)))
        plan.shell("echo ran as $$; exit 3")
        let process = try InitProcess(plan, flags: 0)
        try process.say(.proceed)
        let said = try #require(try process.hear())
        #expect(said.kind == .cloned)
        #expect(said.message.value == 0)
        #expect(said.pid != process.pid)
        try process.follow(said.pid)
        #expect(try process.wait() == .exited(0))
        #expect(try process.create() == said.pid)
        #expect(try process.start() == nil)
        #expect(try process.waitForFollowed() == .exited(3))
        #expect(process.written == "ran as 1\n")
    }

    @Test("in a new user namespace it waits for its mappings, then is root there (I-04)")
    func userNamespace() throws {
        var plan = PlanBuilder()
        let flags = NamespaceFlag.user | NamespaceFlag.pid | NamespaceFlag.mount
        plan.add(.enterNewNamespaces(EnterNewNamespaces(flags: flags, awaitsMappings: true)))
        plan.add(.becomeRoot)
        plan.shell("id -u; id -g; grep CapEff /proc/self/status; cat /proc/self/uid_map")
        let process = try InitProcess(plan, flags: 0)
        try process.say(.proceed)
        let said = try #require(try process.hear())
        #expect(said.kind == .cloned)
        #expect(said.message.value == 1)
        try process.follow(said.pid)
        try writeText("0 70000 10", to: "/proc/\(said.pid)/uid_map")
        try writeText("0 70000 10", to: "/proc/\(said.pid)/gid_map")
        try process.create()
        #expect(try process.start() == nil)
        #expect(try process.waitForFollowed() == .exited(0))
        let lines = process.written.lines
        try #require(lines.count == 4, "\(lines)")
        #expect(lines[0] == "0" && lines[1] == "0")
        #expect(lines[2] != "CapEff:\t0000000000000000")
        #expect(lines[3].split(separator: " ") == ["0", "70000", "10"])
    }
}

@Suite("What the init reports", .enabled(if: isRoot))
struct ReportTests {
    /// A plan's bytes, damaged.
    static let damages: [(name: String, damage: @Sendable (inout [UInt8]) -> Void)] = [
        ("no plan at all", { $0 = [] }),
        ("a header cut short", { $0 = Array($0[..<20]) }),
        ("another magic number", { $0[0] ^= 1 }),
        ("cut short", { $0.removeLast(8) }),
        ("a text area without its final NUL", { $0[$0.count - 1] = 1 }),
        ("an unknown step", { $0[32] = 200 }),
        ("more steps than it has", { $0[4] = 9 }),
    ]

    @Test("a damaged plan is reported as that", arguments: damages.indices)
    func damaged(_ index: Int) throws {
        let (name, damage) = ReportTests.damages[index]
        let process = try InitProcess(flags: NamespaceFlag.pid | NamespaceFlag.mount) { startSocket in
            var builder = PlanBuilder()
            builder.add(.setUmask(OneNumber(0)))
            var bytes = builder.plan.encoded(PlanHeader(startSocket: startSocket, preservedDescriptors: 0))
            damage(&bytes)
            return bytes
        }
        let said = try process.failure()
        #expect(said.reason == .badPlan, "\(name)")
        #expect(said.errno == .badMessage, "\(name)")
        #expect(try process.wait() == .exited(1), "\(name)")
    }

    /// Programs that cannot be run: what is said, and the status that the shell's convention gives them.
    static let programs: [(file: String, reason: FailureReason, errno: Errno, text: String, status: Int32)] = [
        ("no-such-program", .notInPath, .noEntry, "no-such-program", 127),
        ("/no/such/program", .notExecutable, .noEntry, "/no/such/program", 127),
        ("/etc/passwd", .notExecutable, .accessDenied, "/etc/passwd", 126),
        ("/usr/bin", .notExecutable, .isDirectory, "/usr/bin", 126),
        ("/etc/passwd/x", .notExecutable, .notDirectory, "/etc/passwd/x", 126),
    ]

    @Test("a program that cannot be run is reported at create with its errno and its step (P-08)", arguments: programs.indices)
    func missingProgram(_ index: Int) throws {
        let row = ReportTests.programs[index]
        var plan = PlanBuilder()
        plan.add(.setUmask(OneNumber(0o22)))
        plan.execute([row.file])
        let process = try InitProcess(plan)
        let said = try process.failure()
        #expect(said.reason == row.reason)
        #expect(said.errno == row.errno)
        #expect(said.text == row.text)
        #expect(said.message.step == 1)
        #expect(try process.wait() == .exited(row.status))
    }

    @Test("a program in PATH that may not be executed is reported as that, unless a later directory has one that may (P-08)")
    func deniedInPath() throws {
        let directory = try makeScratchDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try "not a program".write(toFile: "\(directory)/true", atomically: false, encoding: .utf8)
        var alone = PlanBuilder()
        alone.execute(["true"], path: [directory])
        let said = try InitProcess(alone).failure()
        #expect(said.reason == .notExecutable)
        #expect(said.errno == .accessDenied)
        var plan = PlanBuilder()
        plan.execute(["true"], path: [directory] + searchPath)
        #expect(try InitProcess(plan).run().status == .exited(0))
    }

    @Test("an empty entry of PATH stands for the working directory (P-08)")
    func emptyPathEntry() throws {
        let directory = try makeScratchDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createSymbolicLink(atPath: "\(directory)/here", withDestinationPath: "/bin/true")
        var plan = PlanBuilder()
        plan.add(.changeDirectory(OneText(plan.plan.add(directory))))
        plan.execute(["here"], path: ["/nowhere", ""])
        #expect(try InitProcess(plan).run().status == .exited(0))
    }

    @Test("a program that execve refuses is start's failure, with errno, path and step (LC-08)")
    func execFormat() throws {
        let directory = try makeScratchDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try "no program".write(toFile: "\(directory)/text", atomically: false, encoding: .utf8)
        chmod("\(directory)/text", 0o755)
        var plan = PlanBuilder()
        plan.execute(["\(directory)/text"])
        let process = try InitProcess(plan)
        try process.create()
        let said = try #require(try process.start())
        #expect(said.kind == .failed)
        #expect(said.reason == .notExecutable)
        #expect(said.errno == .execFormat)
        #expect(said.text == "\(directory)/text")
        #expect(said.message.step == 2)
        #expect(try process.wait() == .exited(126))
    }

    @Test("any other failed step is reported with its number, system call and errno")
    func systemCall() throws {
        var plan = PlanBuilder()
        plan.add(.setUmask(OneNumber(0o22)))
        plan.add(.setHostname(OneText(plan.plan.add(String(repeating: "h", count: 65)))))
        let process = try InitProcess(plan, flags: NamespaceFlag.pid | NamespaceFlag.mount | NamespaceFlag.uts)
        let said = try process.failure()
        #expect(said.reason == .systemCall)
        #expect(said.errno == .invalidArgument)
        #expect(said.message.step == 1)
        #expect(said.message.call == sethostnameCall)
        #expect(try process.wait() == .exited(1))
    }

    @Test("a plan without a payload ends with 1")
    func noPayload() throws {
        var plan = PlanBuilder()
        plan.add(.setUmask(OneNumber(0o22)))
        let process = try InitProcess(plan)
        try process.say(.proceed)
        #expect(try process.hear() == nil)
        #expect(try process.wait() == .exited(1))
    }
}

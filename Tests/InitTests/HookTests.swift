import Foundation
import Linux
import Plan
import Testing

@Suite("The hooks that the init runs", .enabled(if: isRoot))
struct HookTests {
    private func hook(_ script: String, timeout: UInt32 = 0) throws -> InitProcess {
        var plan = PlanBuilder()
        plan.hook(script, timeout: timeout)
        plan.shell("echo payload")
        return try InitProcess(plan)
    }

    @Test("a hook has the state on stdin with the init's pid, its environment, and no descriptor beside stdio (H-01, H-11)")
    func surroundings() throws {
        let directory = try makeScratchDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let process = try hook("{ cat; echo; echo $GREETING; umask; ls /proc/self/fd | wc -l; } > \(directory)/seen")
        #expect(try process.run().status == .exited(0))
        let seen = try String(contentsOfFile: "\(directory)/seen", encoding: .utf8)
        // The fourth descriptor is of ls itself.
        #expect(seen == "{\"pid\":1,\"id\":\"box\"}\nhello\n0022\n4\n")
    }

    @Test("hooks run in their order, the payload after them (H-04, H-05)")
    func order() throws {
        let directory = try makeScratchDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var plan = PlanBuilder()
        plan.hook("echo one >> \(directory)/seen")
        plan.hook("echo two >> \(directory)/seen", index: 1)
        plan.find("sh")
        plan.add(.awaitStart)
        plan.hook("echo three >> \(directory)/seen", kind: .startContainer)
        plan.finish(["sh", "-c", "echo four >> \(directory)/seen"])
        let process = try InitProcess(plan)
        try process.create()
        #expect(try String(contentsOfFile: "\(directory)/seen", encoding: .utf8) == "one\ntwo\n")
        #expect(try process.start() == nil)
        #expect(try process.wait() == .exited(0))
        #expect(try String(contentsOfFile: "\(directory)/seen", encoding: .utf8) == "one\ntwo\nthree\nfour\n")
        #expect(process.written == "")
    }

    /// Hooks that fail: how, and what is said.
    static let failures: [(script: String, reason: FailureReason, value: UInt32, text: String)] = [
        ("echo out; echo err >&2; exit 3", .hookFailed, 3, "out\nerr\n"),
        ("exit 255", .hookFailed, 255, ""),
        ("echo dying; kill -KILL $$", .hookKilled, 9, "dying\n"),
        ("kill -TERM $$", .hookKilled, 15, ""),
    ]

    @Test("a hook that fails fails the step, with its status or signal and its output (H-12)", arguments: failures.indices)
    func failing(_ index: Int) throws {
        let row = HookTests.failures[index]
        let process = try hook(row.script)
        let said = try process.failure()
        #expect(said.reason == row.reason)
        #expect(said.message.value == row.value)
        #expect(said.text == row.text)
        #expect(said.message.step == 0)
        #expect(try process.wait() == .exited(1))
        #expect(process.written == "")
    }

    @Test(
        "a hook whose program is missing, or cannot be executed, ends as a shell's command would (H-08)",
        arguments: [
            ("/no/such/hook", 127), ("/etc/passwd", 126),
        ] as [(String, UInt32)])
    func missing(_ path: String, _ status: UInt32) throws {
        var plan = PlanBuilder()
        plan.hook([path], path: path)
        let said = try InitProcess(plan).failure()
        #expect(said.reason == .hookFailed)
        #expect(said.message.value == status)
    }

    @Test("a hook that fails in start is start's failure, and the payload never runs (LC-07)")
    func startContainer() throws {
        var plan = PlanBuilder()
        plan.find("sh")
        plan.add(.awaitStart)
        plan.hook("sleep 0.1; echo no >&2; exit 5", kind: .startContainer, index: 3)
        plan.finish(["sh", "-c", "echo payload"])
        let process = try InitProcess(plan)
        try process.create()
        let said = try #require(try process.start())
        #expect(said.reason == .hookFailed)
        #expect(said.message.value == 5)
        #expect(said.text == "no\n")
        #expect(said.message.step == 2)
        #expect(said.message.hook == 3)
        #expect((100..<3000).contains(said.message.milliseconds))
        #expect(try process.wait() == .exited(1))
        #expect(process.written == "")
    }

    @Test("a hook that takes longer than its timeout is killed with all it started, and reported with what it wrote (H-12)")
    func timeout() throws {
        let process = try hook("echo waiting; sleep 100 & sleep 100", timeout: 1)
        let before = monotonicMilliseconds()
        let said = try process.failure()
        let took = monotonicMilliseconds() - before
        #expect(said.reason == .hookTimedOut)
        #expect(said.errno == .timedOut)
        #expect(said.message.value == 1)
        #expect(said.text == "waiting\n")
        #expect((900..<3000).contains(took), "\(took) ms")
        #expect(try process.wait() == .exited(1))
    }

    @Test("a hook within its timeout is let be")
    func inTime() throws {
        #expect(try hook("sleep 0.2", timeout: 5).run().output == "payload\n")
    }

    @Test("the timeout counts for a hook that never stops writing (H-12)")
    func endlessOutput() throws {
        let process = try hook("yes & yes & yes & exec yes", timeout: 1)
        let before = monotonicMilliseconds()
        let said = try process.failure()
        let took = monotonicMilliseconds() - before
        #expect((900..<3000).contains(took), "\(took) ms")
        #expect(said.reason == .hookTimedOut)
        #expect(said.text.utf8.count == Message.maximumText)
    }

    @Test("a hook that ended has ended, whatever what it left behind still writes")
    func endlessChild() throws {
        #expect(try hook("yes & yes & yes & yes & exit 0").run().output == "payload\n")
    }

    @Test("what a hook left running holds nothing up, though it has the hook's stdout")
    func silentChild() throws {
        #expect(try hook("sleep 100 & exit 0").run().output == "payload\n")
    }

    @Test("a megabyte of output does not block a hook; 4 KiB of it are reported")
    func output() throws {
        let said = try hook("head -c 1048576 /dev/zero | tr '\\0' x; exit 1").failure()
        #expect(said.reason == .hookFailed)
        #expect(said.message.value == 1)
        #expect(said.text == String(repeating: "x", count: Message.maximumText))
    }

    @Test("output of a hook that succeeds goes nowhere")
    func quiet() throws {
        #expect(try hook("head -c 1048576 /dev/zero; echo noise >&2").run().output == "payload\n")
    }
}

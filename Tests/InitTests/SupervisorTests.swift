import CLinux
import Foundation
import Linux
import Plan
import Testing

@Suite("The supervisor", .enabled(if: isRoot))
struct SupervisorTests {
    private func supervised(_ script: String, uid: UInt32 = 0, capabilities: UInt64 = 0) throws -> InitProcess {
        var plan = PlanBuilder()
        plan.supervise(uid: uid, capabilities: capabilities)
        plan.shell(script)
        return try InitProcess(plan)
    }

    @Test("the payload is a child of PID 1 and leads a session of its own")
    func processes() throws {
        let process = try supervised("echo $$ $PPID; cut -d' ' -f6 /proc/self/stat")
        let payload = try process.create()
        #expect(payload != process.pid)
        #expect(try process.start() == nil)
        #expect(try process.wait() == .exited(0))
        let lines = process.written.lines
        try #require(lines.count == 2)
        #expect(lines[0] == "2 1")
        // The host's /proc tells the session's id as the host sees it.
        #expect(lines[1] == "2" || lines[1] == "\(payload)")
    }

    @Test(
        "it ends with the payload's status, 128 + N for signal N",
        arguments: [
            ("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137), ("kill -SEGV $$", 139),
        ] as [(String, Int32)])
    func status(_ script: String, _ code: Int32) throws {
        #expect(try supervised(script).run().status == .exited(code))
    }

    @Test("a signal from outside that kills the payload ends it with 128 + N")
    func killed() throws {
        let process = try supervised("echo up; exec sleep 100")
        try process.create()
        try process.start()
        try process.await("up")
        try process.signal(Signal.terminate)
        #expect(try process.wait() == .exited(143))
    }

    /// TERM, INT, HUP, QUIT, USR1, USR2, ALRM, CONT, WINCH, TSTP, TTIN, URG, PIPE, RTMIN+3, RTMAX.
    static let forwarded: [Int32] = [15, 2, 1, 3, 10, 12, 14, 18, 28, 20, 21, 23, 13, 37, 64]

    @Test("signals are forwarded to the payload", arguments: forwarded)
    func forwarding(_ signal: Int32) throws {
        let process = try supervised("trap 'echo got; exit 9' \(signal); echo up; while :; do sleep 0.02; done")
        try process.create()
        try process.start()
        try process.await("up")
        try process.signal(signal)
        #expect(try process.wait() == .exited(9))
        #expect(process.written == "up\ngot\n")
    }

    @Test("a signal that comes before start reaches the payload and ends it")
    func signalBeforeStart() throws {
        let process = try supervised("echo ran")
        let payload = try process.create()
        try process.signal(Signal.terminate)
        func isPending() throws -> Bool {
            let pending = try readText("/proc/\(payload)/status").field("ShdPnd").flatMap { UInt64($0, radix: 16) }
            return try #require(pending) == 1 << 14
        }
        for _ in 0..<500 where try !isPending() { usleep(10_000) }
        #expect(try isPending())
        #expect(try process.start() == nil)
        #expect(try process.wait() == .exited(143))
        #expect(process.written == "")
    }

    @Test("a payload that is stopped is not taken for one that ended")
    func stopped() throws {
        let process = try supervised("echo up; kill -STOP $$; echo continued; exit 4")
        try process.create()
        try process.start()
        try process.await("up")
        #expect(try process.isAlive(after: 100))
        try process.signal(SIGCONT)
        #expect(try process.wait() == .exited(4))
        #expect(process.written == "up\ncontinued\n")
    }

    @Test("a hundred orphans leave no zombie")
    func orphans() throws {
        // Each inner subshell loses its parent at once and ends later.
        let process = try supervised(
            "i=0; while [ $i -lt 100 ]; do (sleep 0.1 & ); i=$((i+1)); done; sleep 0.4; echo made; read x < /dev/zero")
        try process.create()
        try process.start()
        try process.await("made")
        var left: [String] = []
        for _ in 0..<100 {
            left = try children(of: process.pid)
            if left.count <= 1 { break }
            usleep(20_000)
        }
        #expect(left.count == 1, "children beside the payload: \(left)")
    }

    private func children(of pid: Int32) throws -> [String] {
        try readText("/proc/\(pid)/task/\(pid)/children").split(separator: " ").map(String.init)
    }

    @Test("it ends with the payload though others still run, which end with it")
    func payloadEndsFirst() throws {
        #expect(try supervised("sleep 100 & exit 6").run().status == .exited(6))
    }

    @Test("it has no capability, no_new_privs, a filter, and no descriptor but stdio")
    func confinement() throws {
        let process = try supervised("echo up; exec sleep 100", uid: 4711)
        try process.create()
        try process.start()
        try process.await("up")
        let status = try readText("/proc/\(process.pid)/status")
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] { #expect(status.field(set) == "0000000000000000", "\(set)") }
        #expect(status.field("NoNewPrivs") == "1")
        #expect(status.field("Seccomp") == "2")
        #expect(status.field("Uid") == "4711\t4711\t4711\t4711")
        #expect(status.field("Gid") == "4711\t4711\t4711\t4711")
        #expect(status.field("Groups") == "")
        #expect(try descriptors(of: process.pid) == ["0", "1", "2"])
    }

    @Test("it keeps CAP_KILL where the payload has it, and nothing else")
    func keepsKill() throws {
        let process = try supervised("echo up; exec sleep 100", capabilities: 1 << 5)
        try process.create()
        try process.start()
        try process.await("up")
        let status = try readText("/proc/\(process.pid)/status")
        #expect(status.field("CapEff") == "0000000000000020")
        #expect(status.field("CapPrm") == "0000000000000020")
        #expect(status.field("CapInh") == "0000000000000000")
        #expect(status.field("CapAmb") == "0000000000000000")
    }

    @Test("the waiting payload cannot be looked into by a process of its user; the supervisor and the running payload can")
    func dumpable() throws {
        var plan = PlanBuilder()
        plan.supervise()
        plan.add(.setUser(plan.user(0, 0)))
        plan.add(.setCapabilities(SetCapabilities(effective: 0, permitted: 0, inheritable: 0, ambient: 0)))
        plan.add(.limitBoundingSet(OneNumber64(UInt64.max)))
        plan.execute(["setpriv", "--bounding-set=-all", "--inh-caps=-all", "sh", "-c", "echo up; exec sleep 100"])
        let process = try InitProcess(plan)
        let payload = try process.create()
        // Its descriptors of the host's are gone before it says so.
        for _ in 0..<100 where try !isVisible(process.pid) { usleep(10_000) }
        #expect(try isVisible(process.pid))
        #expect(try !isVisible(payload))
        try process.start()
        try process.await("up")
        #expect(try isVisible(payload))
    }

    /// Whether root without any capability may look into a process.
    private func isVisible(_ pid: Int32) throws -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "readlink", "/proc/\(pid)/exe"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    private func descriptors(of pid: Int32) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").sorted()
    }

    @Test("it costs next to nothing while it waits")
    func memory() throws {
        let process = try supervised("echo up; exec sleep 100")
        try process.create()
        try process.start()
        try process.await("up")
        // A debug build carries the C library and Swift's runtime.
        guard initProgram.contains("release") else { return }
        let rollup = try readText("/proc/\(process.pid)/smaps_rollup")
        let pss = rollup.lines.first { $0.hasPrefix("Pss:") }.flatMap { Int($0.split(separator: " ")[1]) }
        #expect(try #require(pss) < 64)
    }
}

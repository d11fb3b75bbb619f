import Foundation
import Linux
import Plan
import Spec
import Testing

@testable import Runtime

/// A container's init as far as start sees it: listens, and answers one call.
final class FakeInit: @unchecked Sendable {
    private let socket: Int32
    private let finished = DispatchSemaphore(value: 0)

    init(_ store: StateStore, _ name: String, socketName: String = "start") {
        let path = "\(store.root)/\(name)/\(socketName)"
        socket = Glibc.socket(AF_UNIX, 5, 0)  // SOCK_SEQPACKET
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(2 + path.utf8.count + 1)) }
        }
        precondition(bound == 0, "bind \(path): errno \(errno)")
        listen(socket, 8)
    }

    func close() { Glibc.close(socket) }

    /// Takes the word to start, answers with messages and hangs up.
    func answer(_ messages: [(Message, String)]) {
        Thread.detachNewThread { [self] in
            let connection = OwnedFD(accept(socket, nil, nil))
            if let (message, _, _) = try? receiveMessage(from: connection), message.kind == MessageKind.start.rawValue {
                for (message, text) in messages {
                    var bytes = withUnsafeBytes(of: message) { Array($0) }
                    bytes += Array(text.utf8)
                    _ = Glibc.send(connection.raw, bytes, bytes.count, 0)
                }
            }
            close()
            _ = consume connection
            finished.signal()
        }
    }

    func wait() { finished.wait() }
}

@Suite("What a container's status is, and what the operations do in it")
struct StateStatusTests {
    static let own = Sleeper.identity(of: getpid())

    @Test("a record without a process is being created while somebody has the lock, and stopped afterwards (ST-03)")
    func creating() throws {
        let temporary = TemporaryStore()
        let id = try ContainerID("c")
        do {
            let entry = try temporary.store.reserve(id)
            #expect(try temporary.store.state(id).status == .creating)
            try entry.writeIntent(Record(id: id, bundle: "/b"))
            #expect(try temporary.store.state(id).status == .creating)
            #expect(failure { () throws(Failure) in try temporary.store.kill(id, .kill) }?.kind == .notRunning)
        }
        #expect(try temporary.store.state(id).status == .stopped)
        #expect(try temporary.store.state(id).bundle == "/b")
    }

    @Test("a process with another start time, another boot's, or none at all means stopped (ST-04)")
    func identity() throws {
        let temporary = TemporaryStore()
        let own = Self.own
        try temporary.store.makeContainer("own", own)
        try temporary.store.makeContainer("reused", ProcessIdentity(pid: own.pid, startTime: own.startTime + 1))
        try temporary.store.makeContainer("rebooted", own) { $0.bootID = "another" }
        try temporary.store.makeContainer("gone", .none)
        func status(_ name: String) throws -> ContainerStatus { try temporary.store.state(ContainerID(name)).status }
        #expect(try status("own") == .running)
        #expect(try status("reused") == .stopped)
        #expect(try status("rebooted") == .stopped)
        #expect(try status("gone") == .stopped)
        #expect(try temporary.store.state(ContainerID("own")).pid == own.pid)
        #expect(try temporary.store.state(ContainerID("reused")).pid == 0)
    }

    @Test("a zombie counts as stopped (LC-10)")
    func zombie() throws {
        let temporary = TemporaryStore()
        // A child that nobody reaps while the test looks at it.
        var pid: pid_t = 0
        let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
        #expect(posix_spawn(&pid, "/bin/true", nil, nil, arguments, nil) == 0)
        defer { waitpid(pid, nil, 0) }
        let identity = try ProcessIdentity(of: pid)
        for _ in 0..<200 where !(try readText("/proc/\(pid)/stat").contains(") Z ")) { usleep(10_000) }
        try temporary.store.makeContainer("z", identity)
        #expect(try temporary.store.state(ContainerID("z")).status == .stopped)
    }

    @Test("the start socket tells created from running, also where start was killed half-way (ST-03)")
    func socket() throws {
        let temporary = TemporaryStore()
        let id = try ContainerID("c")
        try temporary.store.makeContainer("c", Self.own)
        let fake = FakeInit(temporary.store, "c")
        #expect(try temporary.store.state(id).status == .created)
        try FileManager.default.moveItem(atPath: "\(temporary.store.root)/c/start", toPath: "\(temporary.store.root)/c/starting")
        #expect(try temporary.store.state(id).status == .created)
        fake.close()
        #expect(try temporary.store.state(id).status == .running)
    }

    @Test("start succeeds at the connection's end, and the socket is gone (LC-08)")
    func start() throws {
        let temporary = TemporaryStore()
        let id = try ContainerID("c")
        try temporary.store.makeContainer("c", Self.own)
        let fake = FakeInit(temporary.store, "c")
        fake.answer([(Message(.warning), "no CAP_X"), (Message(.start), "")])
        #expect(try temporary.store.start(id) == ["no CAP_X"])
        fake.wait()
        #expect(try temporary.store.state(id).status == .running)
        #expect(try !FileManager.default.contentsOfDirectory(atPath: temporary.store.root + "/c").contains("starting"))
        #expect(failure { () throws(Failure) in try temporary.store.start(id) }?.kind == .alreadyStarted)
    }

    @Test("an exec failure is start's error (LC-08)")
    func startFails() throws {
        let temporary = TemporaryStore()
        let id = try ContainerID("c")
        try temporary.store.makeContainer("c", Self.own)
        let fake = FakeInit(temporary.store, "c")
        var message = Message(.failed)
        message.reason = FailureReason.notExecutable.rawValue
        message.errno = 13
        fake.answer([(message, "/bin/x")])
        #expect(failure { () throws(Failure) in try temporary.store.start(id) }?.message == #"exec: "/bin/x": permission denied"#)
        fake.wait()
    }

    @Test("a process that dies without a word is start's error")
    func startDies() throws {
        let temporary = TemporaryStore()
        let id = try ContainerID("c")
        let sleeper = Sleeper()
        try temporary.store.makeContainer("c", sleeper.identity)
        let fake = FakeInit(temporary.store, "c")
        Thread.detachNewThread {
            usleep(100_000)
            Glibc.kill(sleeper.pid, SIGTERM)
        }
        #expect(
            failure { () throws(Failure) in try temporary.store.start(id) }?.detail
                == "the container's process ended before the payload was started")
        fake.close()
    }

    @Test("start refuses what is not created, in its words (OP-03)")
    func startRefusals() throws {
        let temporary = TemporaryStore()
        try temporary.store.makeContainer("stopped", .none)
        func message(_ name: String) -> String? {
            failure { () throws(Failure) in try temporary.store.start(ContainerID(name)) }?.message
        }
        #expect(message("stopped") == "cannot start a container that has stopped")
        #expect(message("none") == "container does not exist")
    }

    @Test("kill reaches the payload, SIGKILL the first process (OP-04)")
    func kill() throws {
        let temporary = TemporaryStore()
        let (first, payload) = (Sleeper(), Sleeper())
        let id = try ContainerID("c")
        try temporary.store.makeContainer("c", first.identity) { $0.payload = payload.identity }
        try temporary.store.kill(id, SignalNumber("USR1"))
        #expect(payload.waitForSignal() == 10)
        let isAlive = (try? first.identity.open()) != nil
        #expect(isAlive)
        #expect(failure { () throws(Failure) in try temporary.store.kill(id, .terminate) }?.message == "container not running")
        try temporary.store.kill(id, .kill)
        #expect(first.waitForSignal() == 9)
        #expect(failure { () throws(Failure) in try temporary.store.kill(id, .kill) }?.message == "container not running")
        try temporary.store.kill(id, .kill, all: true)
    }

    @Test("without a signal the image's stop signal is sent")
    func stopSignal() throws {
        let temporary = TemporaryStore()
        let sleeper = Sleeper()
        try temporary.store.makeContainer("c", sleeper.identity) {
            $0.annotations = [Pair(key: "org.opencontainers.image.stopSignal", value: "SIGINT")]
        }
        try temporary.store.kill(ContainerID("c"), nil)
        #expect(sleeper.waitForSignal() == 2)
    }

    @Test("a running container is only deleted by force, once (OP-05, CLI-09)")
    func delete() throws {
        let temporary = TemporaryStore()
        let sleeper = Sleeper()
        let id = try ContainerID("c")
        try temporary.store.makeContainer("c", sleeper.identity)
        #expect(
            failure { () throws(Failure) in try temporary.store.delete(id, force: false) }?.message
                == "cannot delete container c that is not stopped: running")
        #expect(try temporary.store.delete(id, force: true) == [])
        #expect(sleeper.waitForSignal() == 9)
        #expect(try temporary.store.delete(id, force: true) == [])
        #expect(failure { () throws(Failure) in try temporary.store.delete(id, force: false) }?.message == "container does not exist")
        #expect(try temporary.store.ids() == [])
    }

    @Test("what an interrupted create left can be deleted", arguments: [false, true])
    func deleteInterrupted(hasRecord: Bool) throws {
        let temporary = TemporaryStore()
        let id = try ContainerID("c")
        do {
            let entry = try temporary.store.reserve(id)
            if hasRecord { try entry.writeIntent(Record(id: id, bundle: "/b")) }
            try entry.saveConfig([1])
        }
        #expect(try temporary.store.delete(id, force: false) == [])
        #expect(try temporary.store.ids() == [])
    }

    @Test("all poststop hooks run, and a failing one is but a remark (H-07, LC-13)")
    func poststop() throws {
        let temporary = TemporaryStore()
        let id = try ContainerID("c")
        let mark = temporary.store.root + "/ran"
        try temporary.store.makeContainer("c", .none) {
            $0.hasPoststop = true
            $0.bundle = "/"
        }
        let config = """
            {"ociVersion":"1.0.2","root":{"path":"r"},"hooks":{"poststop":[
            {"path":"/bin/false"},{"path":"/bin/sh","args":["sh","-c","cat > \(mark)"]}]}}
            """
        try temporary.store.find(id).saveConfig(Array(config.utf8))
        let warnings = try temporary.store.delete(id, force: false)
        #expect(warnings.count == 1)
        #expect(warnings.first?.hasPrefix("error running poststop hook #0: exit status 1, stdout: , stderr: ") == true)
        let state = try String(contentsOfFile: mark, encoding: .utf8)
        #expect(state == #"{"ociVersion":"1.3.0","id":"c","pid":0,"status":"stopped","bundle":"/"}"#)
    }

    @Test("list skips what is half made and says so (CLI-11)")
    func list() throws {
        let temporary = TemporaryStore()
        try temporary.store.makeContainer("b", Self.own)
        try temporary.store.makeContainer("a", .none)
        _ = try temporary.store.reserve(ContainerID("half"))
        let list = try temporary.store.list()
        #expect(list.states.map { $0.id } == ["a", "b"])
        #expect(list.states.map { $0.status } == [.stopped, .running])
        #expect(list.notes.count == 1)
        #expect(list.notes.first?.contains("delete --force half") == true)
    }

    static let signals: [(String, Int32)] = [
        ("TERM", 15), ("SIGTERM", 15), ("sigterm", 15), ("9", 9), ("0", 0), ("kill", 9), ("SIGRTMIN", 34), ("RTMIN+3", 37),
        ("SIGRTMAX-1", 63), ("RTMAX", 64), ("64", 64), ("IOT", 6), ("CHLD", 17),
    ]

    @Test("signals have names and numbers (OP-04)", arguments: signals)
    func signal(_ text: String, _ number: Int32) throws {
        #expect(try SignalNumber(text).rawValue == number)
    }

    @Test("anything else is no signal", arguments: ["", "BAD", "65", "-1", "SIG", "RTMIN+31", "RTMIN-1", "RTMAX+1", "1e1", "99999999999"])
    func noSignal(_ text: String) {
        #expect(failure { () throws(Failure) in try SignalNumber(text) }?.message == "unknown signal \"\(text)\"")
    }
}

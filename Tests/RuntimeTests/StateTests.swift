import Foundation
import Spec
import Testing

@testable import Runtime

@Suite("Ids, records and the state store")
struct StateTests {
    @Test(
        "an id is a path component of the grammar (ST-02)", arguments: ["a", "A-b_c+d.9", ".a", "...", String(repeating: "x", count: 255)])
    func validID(_ name: String) throws {
        #expect(try ContainerID(name).name == name)
    }

    @Test(
        "anything else is refused in the words engines know (ST-02)",
        arguments: ["", ".", "..", "a/b", "a b", "é", "a\0", "@seccomp", String(repeating: "x", count: 256)])
    func invalidID(_ name: String) {
        let failure = failure { () throws(Failure) in try ContainerID(name) }
        #expect(failure?.kind == .invalidID)
        #expect(failure?.message.hasPrefix("invalid container ID format") == true)
    }

    @Test(
        "moments are written as RFC 3339",
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000000000Z"), (951_782_399, 5, "2000-02-28T23:59:59.000000005Z"),
            (951_782_400, 999_999_999, "2000-02-29T00:00:00.999999999Z"), (4_107_542_400, 0, "2100-03-01T00:00:00.000000000Z"),
            (-1, 0, "1969-12-31T23:59:59.000000000Z"),
        ])
    func timestamps(_ seconds: Int, _ nanoseconds: Int, _ text: String) {
        #expect(Timestamp(seconds: Int64(seconds), nanoseconds: Int64(nanoseconds)).text == text)
    }

    @Test(
        "the start time is field 22, whatever the command is called",
        arguments: [
            ("7 (a) S 1 7 7 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4711 5 6", 4711 as UInt64?),
            ("7 (a) b) (c) S 1 7 7 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4711 5 6", 4711), ("7 (a) S 1", nil), ("", nil),
        ])
    func startTime(_ line: String, _ time: UInt64?) {
        #expect(startTimeField(line) == time)
    }

    @Test("a record survives being written and read")
    func recordRoundTrip() throws {
        var record = Record(id: try ContainerID("c1"), bundle: "/b \"quoted\"\n")
        record.ociVersion = "1.2.0"
        record.intent = .created
        record.process = ProcessIdentity(pid: 41, startTime: .max)
        record.payload = ProcessIdentity(pid: 42, startTime: 9)
        record.bootID = "b-o-o-t"
        record.rootfs = "/r"
        record.created = "2024-01-01T00:00:00.000000000Z"
        record.annotations = [Pair(key: "k", value: "v"), Pair(key: "ü", value: "")]
        record.cgroup.paths = ["/sys/fs/cgroup/x"]
        record.cgroup.created = ["/sys/fs/cgroup/p", "/sys/fs/cgroup/x"]
        record.cgroup.unified = "/sys/fs/cgroup/x"
        record.cgroup.freezer = "/sys/fs/cgroup/freezer/x"
        record.ownsPIDNamespace = false
        record.hasPoststart = true
        record.hasPoststop = true
        var read = try #require(Record(record.encoded))
        // Where a value stood in the document is not part of the record.
        for index in read.annotations.indices { read.annotations[index].origin = .none }
        #expect(read == record)
    }

    @Test(
        "what is no record of this build is unreadable",
        arguments: [
            "", "{}", #"{"version":1}"#, #"{"version":2,"id":"c","intent":"created","bundle":"/b"}"#,
            #"{"version":1,"id":"../c","intent":"created","bundle":"/b"}"#, #"{"version":1,"id":"c","intent":"done","bundle":"/b"}"#,
        ])
    func unreadableRecord(_ text: String) {
        #expect(Record(Array(text.utf8)) == nil)
    }

    @Test("root's state root does not depend on the environment; an empty XDG_RUNTIME_DIR is none (CLI-01)")
    func standardRoot() throws {
        #expect(StateRootFacts(ownsRun: true, runtimeDirectory: "/run/user/0").root == "/run/swoci")
        #expect(StateRootFacts(ownsRun: true).root == "/run/swoci")
        #expect(StateRootFacts(ownsRun: false, runtimeDirectory: "/x", userDirectory: "/run/user/1000").root == "/x/swoci")
        #expect(StateRootFacts(ownsRun: false, userDirectory: "/run/user/1000").root == "/run/user/1000/swoci")
        #expect(StateRootFacts(ownsRun: false).root == nil)
    }

    @Test("an id can be reserved once, and again when it is removed (LC-01)")
    func reserve() throws {
        let store = TemporaryStore()
        let id = try ContainerID("c1")
        let entry = try store.store.reserve(id)
        #expect(failure { () throws(Failure) in try store.store.reserve(id) }?.kind == .exists)
        try entry.remove()
        try entry.remove()
        #expect(failure { () throws(Failure) in try store.store.reserve(id) } == nil)
    }

    @Test("state is for its owner only")
    func permissions() throws {
        let temporary = TemporaryStore()
        try temporary.store.makeContainer("c1", .none)
        func mode(_ path: String) throws -> Int {
            try #require(FileManager.default.attributesOfItem(atPath: temporary.store.root + path)[.posixPermissions] as? Int)
        }
        #expect(try mode("/c1") == 0o700)
        #expect(try mode("/c1/record.json") == 0o600)
    }

    @Test("a root that everybody may write to is refused, unless it is sticky")
    func writableRoot() throws {
        let temporary = TemporaryStore()
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: temporary.store.root)
        #expect(failure { () throws(Failure) in try temporary.store.reserve(ContainerID("c1")) }?.detail == "everybody may write to it")
        try FileManager.default.setAttributes([.posixPermissions: 0o1777], ofItemAtPath: temporary.store.root)
        #expect(failure { () throws(Failure) in try temporary.store.reserve(ContainerID("c1")) } == nil)
    }

    @Test("ids are sorted, and nothing that is no id is among them")
    func ids() throws {
        let temporary = TemporaryStore()
        for name in ["b", "a", ".c"] { try temporary.store.makeContainer(name, .none) }
        try FileManager.default.createDirectory(atPath: temporary.store.root + "/@seccomp", withIntermediateDirectories: false)
        #expect(try temporary.store.ids().map { $0.name } == [".c", "a", "b"])
    }

    @Test("listing an explicit root that is missing fails; a missing default root is empty")
    func missingRoot() throws {
        #expect(failure { () throws(Failure) in try StateStore(root: "/nonexistent/root").list() } != nil)
        #expect(try StateStore(root: "/nonexistent/root", isExplicit: false).list() == ContainerList())
        #expect(failure { () throws(Failure) in try StateStore(root: "/nonexistent/root").state(ContainerID("x")) }?.kind == .notFound)
    }

    @Test("a root is made with its parents, for its owner only")
    func makesRoot() throws {
        let temporary = TemporaryStore()
        let store = StateStore(root: temporary.store.root + "/deep/root")
        try store.makeContainer("c", .none)
        let mode = try FileManager.default.attributesOfItem(atPath: store.root)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }

    @Test("the lock is waited for, and a deleted container's lock is worth nothing")
    func lock() throws {
        let temporary = TemporaryStore()
        let id = try ContainerID("c1")
        var holder = try temporary.store.reserve(id)
        var other = try temporary.store.find(id)
        let hasLock = try other.lock(within: 30)
        #expect(!hasLock)
        let isBusy = (other.isBusy, holder.isBusy)
        #expect(isBusy == (true, false))
        try holder.remove()
        _ = try holder.lock()
        _ = consume holder
        let isCurrent = try other.lock()
        #expect(!isCurrent)
    }
}

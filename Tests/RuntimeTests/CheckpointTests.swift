import Foundation
import Linux
import Spec
import Testing

@testable import Runtime

@Suite("Checkpoint and restore")
struct CheckpointTests {
    // MARK: criu's messages

    @Test("numbers, strings and messages are encoded as protobuf's documentation shows them [CLI-14]")
    func wireFormat() {
        var writer = ProtocolBufferWriter()
        writer.add(1, 150 as UInt64)
        writer.add(2, "testing")
        writer.add(3) { $0.add(1, 150 as UInt64) }
        writer.add(16, true)
        #expect(
            writer.bytes == [0x08, 0x96, 0x01, 0x12, 0x07] + Array("testing".utf8) + [0x1a, 0x03, 0x08, 0x96, 0x01] + [0x80, 0x01, 0x01])
        var negative = ProtocolBufferWriter()
        negative.add(1, -1)
        #expect(negative.bytes == [0x08] + Array(repeating: 0xFF, count: 9) + [0x01])
    }

    @Test("what was encoded is read again, and what is cut off is not [CLI-14]")
    func wireFormatRead() throws {
        var writer = ProtocolBufferWriter()
        writer.add(1, 300 as UInt64)
        writer.add(2, "words")
        let fields = try #require(ProtocolBufferFields(writer.bytes))
        #expect(fields.integer(1) == 300)
        #expect(fields.string(2) == "words")
        #expect(fields.integer(3) == nil)
        for count in 1..<writer.bytes.count where count != 3 {
            #expect(ProtocolBufferFields(Array(writer.bytes.prefix(count))) == nil, "\(count) bytes")
        }
    }

    @Test("an answer is understood: a notification with a pid, a failure with its reason, a version [CLI-14]")
    func responses() throws {
        var notify = ProtocolBufferWriter()
        notify.add(1, 6 as UInt64)
        notify.add(2, true)
        notify.add(5) { message in
            message.add(1, "setup-namespaces")
            message.add(2, 4711)
        }
        let stage = try #require(CriuResponse(notify.bytes))
        #expect(stage.kind == CriuRequestKind.notify.rawValue)
        #expect(stage.stage == .setUpNamespaces)
        #expect(stage.pid == 4711)
        var failure = ProtocolBufferWriter()
        failure.add(1, 1 as UInt64)
        failure.add(2, false)
        failure.add(7, 3)
        failure.add(9, "no such process")
        let answer = try #require(CriuResponse(failure.bytes))
        #expect(!answer.isSuccess)
        #expect(answer.errno == 3)
        #expect(answer.message == "no such process")
        var version = ProtocolBufferWriter()
        version.add(1, 10 as UInt64)
        version.add(2, true)
        version.add(10) { message in
            message.add(1, 4)
            message.add(2, 1)
            message.add(4, 1)
        }
        #expect(CriuResponse(version.bytes)?.version == 40101)
        #expect(CriuResponse([0xFF]) == nil)
    }

    // MARK: Options

    static let record: Record = {
        guard let id = ContainerID(directory: "c") else { fatalError("c is an id") }
        var record = Record(id: id, bundle: "/b")
        record.rootfs = "/b/rootfs"
        record.process = ProcessIdentity(pid: 42, startTime: 1)
        record.cgroup.paths = ["/sys/fs/cgroup/c"]
        record.cgroup.unified = "/sys/fs/cgroup/c"
        return record
    }()

    static let settings = CriuSettings(program: CriuProgram(name: nil, searchPath: "/bin"), imagePath: "/i")

    static func config(_ text: String) throws -> Config { Config.decode(try JSONDocument(Array(text.utf8))).config }

    /// The fields of the encoded options that are numbers or strings.
    static func fields(_ options: CriuOptions) throws -> ProtocolBufferFields { try #require(ProtocolBufferFields(options.encoded)) }

    /// Every switch of checkpoint: how it is set, and its field in criu_opts.
    static let switches: [(set: @Sendable (inout CheckpointRequest) -> Void, field: Int)] = [
        ({ $0.leavesRunning = true }, 3), ({ $0.settings.extUnixSockets = true }, 4), ({ $0.settings.tcpEstablished = true }, 5),
        ({ $0.settings.shellJob = true }, 7), ({ $0.settings.fileLocks = true }, 8), ({ $0.settings.autoDedup = true }, 16),
        ({ $0.linkRemap = true }, 18), ({ $0.tcpSkipInFlight = true }, 46), ({ $0.settings.lazyPages = true }, 48),
    ]

    @Test("every switch of checkpoint sets its own field of criu's options, and no other [CLI-14]")
    func checkpointSwitches() throws {
        let config = try Self.config("{}")
        func numbers(_ request: CheckpointRequest) throws -> [Int] {
            var survey = ContainerSurvey()
            survey.record.payload = 2
            return try Self.fields(dumpOptions(request, Self.record, config, survey, images: 5, work: 6, configFile: nil)).fields
                .map { $0.number }
        }
        let request = CheckpointRequest(id: Self.record.id, settings: Self.settings)
        let plain = try numbers(request)
        for (set, field) in Self.switches {
            var changed = request
            set(&changed)
            #expect(try Set(numbers(changed)).subtracting(plain) == [field])
        }
    }

    @Test("a dump names the process, the root, the cgroup to freeze, and what comes from outside [CLI-14]")
    func dump() throws {
        var request = CheckpointRequest(id: Self.record.id, settings: Self.settings)
        request.parentPath = "../parent"
        request.pageServer = PageServer("[::1]:27")
        var survey = ContainerSurvey()
        survey.externals = ["net[7]:extRootNetNS", "file[0:1c]"]
        survey.record.mounts = [OutsideMount(key: "/data", origin: .mount(destination: "/data"))]
        survey.record.emptiesNetwork = true
        let options = dumpOptions(request, Self.record, try Self.config("{}"), survey, images: 5, work: 6, configFile: "/etc/c")
        let fields = try Self.fields(options)
        #expect(fields.integer(1) == 5)
        #expect(fields.integer(2) == 42)
        #expect(fields.string(10) == "dump.log")
        #expect(fields.bytes(11).flatMap { ProtocolBufferFields($0) }?.string(1) == "::1")
        #expect(fields.bytes(11).flatMap { ProtocolBufferFields($0) }?.integer(2) == 27)
        #expect(fields.string(13) == "/b/rootfs")
        #expect(fields.string(14) == "../parent")
        #expect(fields.integer(15) == 1, "pages are compared with the parent's")
        #expect(fields.integer(17) == 6)
        #expect(fields.integer(34) == CgroupRestoreMode.soft.code)
        #expect(fields.integer(38) == 0x4000_0000)
        #expect(fields.string(44) == "/sys/fs/cgroup/c")
        #expect(fields.string(51) == "/etc/c")
        #expect(fields.fields.filter { $0.number == 37 }.map { String(decoding: $0.bytes, as: UTF8.self) } == survey.externals)
        #expect(fields.bytes(23).flatMap { ProtocolBufferFields($0) }?.string(1) == "/data")
        #expect(fields.integer(26) == nil, "only a restore makes siblings")
        request.isPreDump = true
        let preDump = dumpOptions(request, Self.record, try Self.config("{}"), survey, images: 5, work: 6, configFile: nil)
        #expect(preDump.mounts.isEmpty)
        var shared = Self.record
        shared.cgroup = .init()
        #expect(dumpOptions(request, shared, try Self.config("{}"), survey, images: 5, work: 6, configFile: nil).cgroupMode == .ignore)
    }

    @Test("a restore joins namespaces by their paths, and refuses to join one that criu cannot [CLI-14]")
    func restore() throws {
        var request = RestoreRequest(create: CreateRequest(id: Self.record.id, bundle: "/b"), settings: Self.settings)
        request.tcpClose = true
        request.lsmProfile = "apparmor:p"
        request.lsmMountContext = "c"
        let config = try Self.config(
            #"{"linux": {"namespaces": [{"type": "ipc", "path": "/i"}, {"type": "network", "path": "/n"}, {"type": "pid"}]}}"#)
        let options = try restoreOptions(request, config, CheckpointRecord(), root: "/r", images: 5, work: 6, configFile: nil)
        #expect(options.joined == [CriuOptions.Named("ipc", "/i")])
        let fields = try Self.fields(options)
        #expect(fields.string(13) == "/r")
        for field in [6, 26, 50, 52] { #expect(fields.integer(field) == 1, "field \(field)") }
        #expect(fields.string(53) == "apparmor:p")
        #expect(fields.string(63) == "c")
        #expect(fields.integer(38) == nil)
        let cgroup = try Self.config(#"{"linux": {"namespaces": [{"type": "cgroup", "path": "/c"}]}}"#)
        #expect(throws: Failure.self) {
            try restoreOptions(request, cgroup, CheckpointRecord(), root: "/r", images: 5, work: 6, configFile: nil)
        }
    }

    @Test("a network namespace is left empty where hooks or the host fill it [CLI-14]")
    func emptyNetwork() throws {
        let own = #""namespaces": [{"type": "network"}]"#
        #expect(try !Self.config("{\"linux\": {\(own)}}").emptiesNetwork(asked: false))
        #expect(try Self.config("{\"linux\": {\(own)}}").emptiesNetwork(asked: true))
        #expect(try Self.config("{\"linux\": {\(own)}, \"hooks\": {\"prestart\": [{\"path\": \"/h\"}]}}").emptiesNetwork(asked: false))
        #expect(try Self.config("{\"linux\": {\(own), \"netDevices\": {\"eth1\": {}}}}").emptiesNetwork(asked: false))
        #expect(try !Self.config(#"{"linux": {"namespaces": [{"type": "network", "path": "/n"}]}}"#).emptiesNetwork(asked: true))
    }

    @Test("a page server is an address and a port [CLI-14]")
    func pageServer() {
        #expect(PageServer("localhost:27")?.address == "localhost")
        #expect(PageServer("[fe80::1]:65535")?.port == 65535)
        for text in ["", "localhost", ":27", "localhost:", "localhost:0", "localhost:65536", "localhost:x"] {
            #expect(PageServer(text) == nil, "\(text)")
        }
    }

    @Test("the file of further options is the annotation's, of the administrator's directory alone, and none where it is empty [CLI-14]")
    func configFile() throws {
        #expect(try criuConfigFile(Self.config(#"{"annotations": {"org.criu.config": "/etc/criu/x"}}"#)) == "/etc/criu/x")
        #expect(try criuConfigFile(Self.config(#"{"annotations": {"org.criu.config": ""}}"#)) == nil)
        for path in ["/tmp/x", "/etc/criu/../x", "x", "/etc/criu/", "/etc/criux/y"] {
            #expect(throws: Failure.self, "\(path)") {
                try criuConfigFile(Self.config("{\"annotations\": {\"org.criu.config\": \"\(path)\"}}"))
            }
        }
    }

    @Test("criu's cgroups are told by their hierarchies [CLI-14]")
    func cgroups() {
        #expect(
            cgroupRoots("4:memory:/a\n1:name=systemd:/b:c\n0::/d\n") == [
                CriuOptions.Named("memory", "/a"), CriuOptions.Named("name=systemd", "/b:c"), CriuOptions.Named("", "/d"),
            ])
    }

    // MARK: What comes from outside

    static let table = ContainerMount.table(
        """
        100 90 8:1 /b/rootfs / rw - ext4 /dev/sda1 rw
        101 100 0:50 / /proc rw - proc proc rw
        102 100 8:1 /volume /data rw - ext4 /dev/sda1 rw
        103 101 0:5 /null /proc/kcore rw - devtmpfs dev rw
        104 100 0:30 /c /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
        105 100 0:31 /c /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
        106 100 0:32 /c /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
        107 100 0:5 /zero /dev/zero rw - devtmpfs dev rw
        108 100 0:33 / /with\\040blank rw - tmpfs tmpfs rw

        """)

    @Test("bind mounts, masked files, bound devices and cgroups come from outside, and nothing else does [CLI-14]")
    func mounts() {
        let paths = ResolvedPaths(
            binds: [("/data", "/link")], masked: ["/proc/kcore", "/proc/acpi"], devices: [("/dev/zero", "/dev/zero")])
        let all = outsideMounts(Self.table, paths, hasCgroupNamespace: false)
        #expect(
            all == [
                OutsideMount(key: "/data", origin: .mount(destination: "/link")),
                OutsideMount(key: "/proc/kcore", origin: .host(path: "/dev/null")),
                OutsideMount(key: "/sys/fs/cgroup/cpu", origin: .cgroup(controller: "cpu")),
                OutsideMount(key: "/sys/fs/cgroup/systemd", origin: .cgroup(controller: "name=systemd")),
                OutsideMount(key: "/sys/fs/cgroup/unified", origin: .cgroup(controller: "")),
                OutsideMount(key: "/dev/zero", origin: .host(path: "/dev/zero")),
            ])
        #expect(Self.table.last?.point == "/with blank")
        #expect(!outsideMounts(Self.table, paths, hasCgroupNamespace: true).contains { $0.key == "/sys/fs/cgroup/unified" })
    }

    @Test("a restore takes the sources of the bundle's config, and names a mount that it has no source for [CLI-14]")
    func sources() throws {
        let config = try Self.config(#"{"mounts": [{"destination": "/link/", "source": "volume", "options": ["rbind"]}]}"#)
        let mounts = [
            OutsideMount(key: "/data", origin: .mount(destination: "/link")), OutsideMount(key: "/k", origin: .host(path: "/dev/null")),
            OutsideMount(key: "/c", origin: .cgroup(controller: "cpu")),
        ]
        let sources = try outsideSources(mounts, config, bundle: "/b") { "/sys/fs/cgroup/\($0)/c" }
        #expect(
            sources == [
                CriuOptions.Named("/data", "/b/volume"), CriuOptions.Named("/k", "/dev/null"),
                CriuOptions.Named("/c", "/sys/fs/cgroup/cpu/c"),
            ])
        let failure = #expect(throws: Failure.self) {
            try outsideSources(mounts, try Self.config("{}"), bundle: "/b") { _ in nil }
        }
        #expect(failure?.message.contains("/data") == true)
    }

    @Test("an id-mapped mount is found, because criu would lose its mapping [CLI-14]")
    func idMapped() {
        #expect(mountThatCannotBeRestored(Self.table) == nil)
        let mapped = ContainerMount.table("1 0 8:1 / /m rw,relatime,idmapped - ext4 /dev/sda1 rw\n")
        #expect(mountThatCannotBeRestored(mapped)?.point == "/m")
    }

    @Test("what the runtime keeps of a checkpoint is read again as it was written [CLI-14]")
    func kept() throws {
        var record = CheckpointRecord()
        record.program = "file[0:1c]"
        record.payload = 2
        record.emptiesNetwork = true
        record.files = [
            OutsideFile(descriptor: 1, key: "pipe:[12]", kind: .channel, path: "pipe:[12]"),
            OutsideFile(descriptor: 2, key: "file[1:2]", kind: .file, path: "/o", fileSystem: 1 << 40, inode: .max),
        ]
        record.mounts = [
            OutsideMount(key: "/a \"b\"", origin: .mount(destination: "/c")), OutsideMount(key: "/d", origin: .host(path: "/e")),
            OutsideMount(key: "/f", origin: .cgroup(controller: "cpu")),
        ]
        #expect(CheckpointRecord(record.encoded) == record)
        #expect(CheckpointRecord(Array("{}".utf8)) == nil)
    }

    @Test("a file from outside is opened again only if it is the same file, whatever its path [CLI-14]")
    func reopened() throws {
        let path = "\(NSTemporaryDirectory())/swoci-outside-\(getpid())"
        try Data().write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        let status = try path.withPath { path throws(Errno) in try FileStatus.of(path, at: workingDirectory) }
        var file = OutsideFile(descriptor: 1, key: "", kind: .file, path: path, fileSystem: status.fileSystem, inode: status.inode)
        _ = try file.reopened()
        file.inode += 1
        let refusal = #expect(throws: Failure.self) { _ = try file.reopened() }
        #expect(refusal?.message.contains("not the file that descriptor 1 was open on") == true)
        (file.inode, file.fileSystem) = (status.inode, status.fileSystem + 1)
        #expect(throws: Failure.self) { _ = try file.reopened() }
    }

    @Test("the places of mounts are made where criu does not restore the content [CLI-14]")
    func mountPoints() throws {
        let config = try Self.config(
            """
            {"mounts": [{"destination": "/proc", "type": "proc"}, {"destination": "/dev", "type": "tmpfs"},
             {"destination": "/dev/shm", "type": "tmpfs"}, {"destination": "/data", "source": "/s", "options": ["bind"]},
             {"destination": "/data/in", "source": "t", "options": ["bind"]}]}
            """)
        let root = RestoreRoot(config, path: "/r", bundle: "/b")
        #expect(
            root.points == [
                RestoreRoot.Point(destination: "/proc"), RestoreRoot.Point(destination: "/dev"),
                RestoreRoot.Point(destination: "/data", source: "/s", hasOthers: true),
                RestoreRoot.Point(destination: "/data/in", source: "/b/t"),
            ])
    }

    @Test("fields of /proc are read: the mount of an open file, the innermost pid [CLI-14]")
    func procfs() {
        #expect(mountField("pos:\t0\nflags:\t0100000\nmnt_id:\t24\nino:\t4\n") == 24)
        #expect(mountField("pos:\t0\n") == nil)
        #expect(innermostPID("Name:\tsh\nNSpid:\t4711\t12\t2\nUid:\t0\n") == 2)
        #expect(outsideKey(mount: 24, inode: 28) == "file[18:1c]")
    }

    // MARK: Images and log

    /// An image file with these messages.
    static func image(_ messages: [ProtocolBufferWriter]) -> [UInt8] {
        var result: [UInt8] = [0x19, 0x43, 0x56, 0x54, 0x20, 0x28, 0x49, 0x57]
        for message in messages {
            let count = message.bytes.count
            result += [UInt8(count & 0xFF), UInt8(count >> 8), 0, 0] + message.bytes
        }
        return result
    }

    static func message(_ fields: (Int, UInt64)...) -> ProtocolBufferWriter {
        var writer = ProtocolBufferWriter()
        for (field, value) in fields { writer.add(field, value) }
        return writer
    }

    @Test("the init's program gets an entry as a file from outside, unless it has one [CLI-14]")
    func programEntry() throws {
        let memory = Self.image([Self.message((1, 0x400000), (12, 300))])
        let asMemory = Self.image([Self.message((1, 18), (2, 300)), Self.message((1, 1), (2, 2))])
        let entry = try #require(CriuImages.programEntry(memory: memory, files: asMemory, key: "file[0:1c]"))
        #expect(entry.count == Int(entry[0]) + 4)
        let fields = try #require(ProtocolBufferFields(Array(entry.dropFirst(4))))
        #expect(fields.integer(1) == 1)
        #expect(fields.integer(2) == 300)
        let file = try #require(fields.bytes(3).flatMap { ProtocolBufferFields($0) })
        #expect(file.integer(1) == 300)
        #expect(file.string(6) == "file[0:1c]")
        #expect(file.integer(9) == 1)
        #expect(CriuImages.programEntry(memory: memory, files: asMemory + entry, key: "file[0:1c]") == [])
        #expect(CriuImages.programEntry(memory: memory, files: Array(asMemory.dropLast()), key: "k") == nil)
        #expect(CriuImages.programEntry(memory: [], files: asMemory, key: "k") == nil)
    }

    @Test("of criu's log the last errors are told, without times and sources, and no more than fits [CLI-14]")
    func log() {
        let text = """
            (00.01) Version: 4.1.1 (gitid 0)
            Error (criu/util.c:641): execvp("iptables-save", ...) failed: No such file or directory
            (00.02) Error (criu/first.c:1): first
            (00.03) Error (criu/files-reg.c:1790): Can't lookup mount=24 for fd=0 path=/dev/null
            (00.04)      1: Error (criu/cr-dump.c:1681): Dump files (pid: 315) failed with -1
            (00.04)      1: Error (criu/cr-dump.c:1681): Dump files (pid: 315) failed with -1
            (00.05) Warn  (criu/x.c:1): careful
            (00.06) Error: no source
            (00.07) Error (criu/cr-dump.c:2111): Dumping FAILED.

            """
        #expect(
            criuErrors(Array(text.utf8))
                == "Can't lookup mount=24 for fd=0 path=/dev/null; Dump files (pid: 315) failed with -1; no source")
        #expect(criuErrors(Array("(00.01) all is well\n".utf8)) == "")
        let long = "(00.1) Error (criu/a.c:1): " + String(repeating: "x", count: 5000) + "\n"
        #expect(criuErrors(Array(long.utf8)).utf8.count == 603)
    }
}

import DBus
import Spec
import Testing

@testable import Cgroups

@Suite("The systemd driver, decided")
struct SystemdTests {
    static let names: [(path: String?, isUser: Bool, unit: String, slice: String, cgroup: String)] = [
        (nil, false, "swoci-c.scope", "system.slice", "/system.slice/swoci-c.scope"),
        ("", false, "swoci-c.scope", "system.slice", "/system.slice/swoci-c.scope"),
        (nil, true, "swoci-c.scope", "user.slice", "/user.slice/swoci-c.scope"),
        ("::web", false, "web.scope", "system.slice", "/system.slice/web.scope"),
        ("machine.slice:libpod:web", false, "libpod-web.scope", "machine.slice", "/machine.slice/libpod-web.scope"),
        ("a-b-c.slice:p:web", false, "p-web.scope", "a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice/p-web.scope"),
        ("-:p:web", false, "p-web.scope", "-.slice", "/p-web.scope"),
        ("-.slice:p:web", false, "p-web.scope", "-.slice", "/p-web.scope"),
        (":p:a+b@c", false, "p-a\\x2bb\\x40c.scope", "system.slice", "/system.slice/p-a\\x2bb\\x40c.scope"),
        ("::.web", false, "\\x2eweb.scope", "system.slice", "/system.slice/\\x2eweb.scope"),
        ("::ä", false, "\\xc3\\xa4.scope", "system.slice", "/system.slice/\\xc3\\xa4.scope"),
    ]

    @Test("slice:prefix:name is a scope in its slice (CG-01)", arguments: names.indices)
    func name(index: Int) throws {
        let row = Self.names[index]
        let plan = try plan(row.path, isUser: row.isUser)
        #expect(plan.scope?.unit == row.unit && plan.scope?.slice == row.slice)
        #expect(plan.path == row.cgroup)
    }

    @Test("a user's scope is below its manager's own cgroup (CG-01)")
    func userManager() throws {
        let plan = try plan(nil, isUser: true, cgroup: "/user.slice/user-1000.slice/user@1000.service")
        #expect(plan.path == "/user.slice/user-1000.slice/user@1000.service/user.slice/swoci-c.scope")
        #expect(plan.unified?.directory == "/cg" + plan.path)
    }

    @Test(
        "what is no scope's name is refused with its place (CG-01)",
        arguments: [
            "/a/b", "web", "a.slice:web", "a.slice:p:web:x", "a.slice:p:", "a.slice:p:pod.slice", "a:p:web", "a-.slice:p:web",
            "-a.slice:p:web",
            "a--b.slice:p:web", ".slice:p:web", "a/b.slice:p:web", "../x.slice:p:web", "a.slice:p/q:web", "a.slice:p:../web",
            "a.slice:p:w\u{7}",
            ":p:" + String(repeating: "x", count: 250),
        ])
    func refusedName(path: String) {
        let error = #expect(throws: CgroupError.self) { _ = try plan(path) }
        #expect(error?.origin == somewhere)
    }

    static let limits: [(file: String, value: String, properties: [UnitProperty])] = [
        ("memory.max", "67108864", [.init("MemoryMax", .uint64(67_108_864))]),
        ("memory.max", "max", [.init("MemoryMax", .uint64(.max))]),
        ("memory.high", "5", [.init("MemoryHigh", .uint64(5))]),
        ("memory.low", "5", [.init("MemoryLow", .uint64(5))]),
        ("memory.min", "5", [.init("MemoryMin", .uint64(5))]),
        ("memory.swap.max", "0", [.init("MemorySwapMax", .uint64(0))]),
        ("memory.oom.group", "1", []),
        ("pids.max", "77", [.init("TasksMax", .uint64(77))]),
        ("pids.max", "0", [.init("TasksMax", .uint64(1))]),
        ("pids.max", "max", [.init("TasksMax", .uint64(.max))]),
        ("cpu.weight", "100", [.init("CPUWeight", .uint64(100))]),
        ("cpu.idle", "1", [.init("CPUWeight", .uint64(0))]),
        ("cpu.idle", "0", []),
        ("cpu.max", "20000 50000", [.init("CPUQuotaPerSecUSec", .uint64(400_000)), .init("CPUQuotaPeriodUSec", .uint64(50000))]),
        // systemd counts in hundredths of a CPU: never less than was asked for.
        ("cpu.max", "12345", [.init("CPUQuotaPerSecUSec", .uint64(130_000))]),
        ("cpu.max", "max 50000", [.init("CPUQuotaPerSecUSec", .uint64(.max)), .init("CPUQuotaPeriodUSec", .uint64(50000))]),
        ("cpuset.cpus", "0-3,9", [.init("AllowedCPUs", .bytes([0x0F, 0x02]))]),
        ("cpuset.mems", "0", [.init("AllowedMemoryNodes", .bytes([1]))]),
        ("cpuset.cpus", "nonsense", []),
        ("io.weight", "default 50", [.init("IOWeight", .uint64(50))]),
        ("io.weight", "8:0 50", [.init("IODeviceWeight", .array(of: "(st)", [.structure([.string("/dev/block/8:0"), .uint64(50)])]))]),
        (
            "io.max", "8:0 rbps=1000 wiops=max",
            [
                .init("IOReadBandwidthMax", .array(of: "(st)", [.structure([.string("/dev/block/8:0"), .uint64(1000)])])),
                .init("IOWriteIOPSMax", .array(of: "(st)", [.structure([.string("/dev/block/8:0"), .uint64(.max)])])),
            ]
        ),
        ("hugetlb.2MB.max", "0", []),
        ("memory.limit_in_bytes", "-1", [.init("MemoryLimit", .uint64(.max))]),
        ("cpu.shares", "512", [.init("CPUShares", .uint64(512))]),
        ("cpu.cfs_quota_us", "20000", [.init("CPUQuotaPerSecUSec", .uint64(200_000))]),
        (
            "blkio.throttle.read_bps_device", "8:0 7",
            [
                .init("BlockIOReadBandwidth", .array(of: "(st)", [.structure([.string("/dev/block/8:0"), .uint64(7)])]))
            ]
        ),
    ]

    @Test("limits become properties that mean the same (RM, RC, RB, RH-07, RU-01)", arguments: limits.indices)
    func properties(index: Int) {
        let row = Self.limits[index]
        #expect(unitProperties([CgroupWrite(directory: "/cg", file: row.file, value: row.value)], version: 257) == row.properties)
    }

    @Test("an older systemd is not asked for what it does not know")
    func versions() {
        let writes = [("cpuset.cpus", "0"), ("cpu.idle", "1"), ("cpu.max", "1000 2000")].map {
            CgroupWrite(directory: "/cg", file: $0.0, value: $0.1)
        }
        #expect(unitProperties(writes, version: 239).map(\.name) == ["CPUQuotaPerSecUSec"])
        #expect(unitProperties(writes, version: 244).map(\.name) == ["AllowedCPUs", "CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec"])
    }

    @Test("v1 device rules are told as far as systemd has words, and never more (RD-01)")
    func devices() throws {
        var rules: [Resources.DeviceRule] = [.init(allow: false)]
        func add(_ allow: Bool, _ kind: Resources.DeviceRule.Kind, _ major: UInt32?, _ minor: UInt32?) {
            var rule = Resources.DeviceRule(allow: allow)
            rule.kind = kind
            rule.major = major
            rule.minor = minor
            (rule.read, rule.write) = (true, true)
            rules.append(rule)
        }
        add(true, .character, 1, 3)
        add(true, .character, 136, nil)
        add(true, .block, nil, nil)
        add(true, .character, 1, nil)
        add(false, .character, 1, 11)
        add(true, .character, nil, 5)
        let properties = deviceProperties(rules)
        #expect(properties.first == UnitProperty("DevicePolicy", .string("strict")))
        func entry(_ path: String) -> DBusValue { .structure([.string(path), .string("rw" + (path == "" ? "" : ""))]) }
        let list = try #require(properties.last)
        // The whole of major 1 is cut into and left out; "any major, minor 5" cannot be said.
        #expect(list.name == "DeviceAllow")
        guard case .array(_, let entries) = list.value else { return }
        #expect(
            entries.compactMap { if case .structure(let members) = $0 { members[0].text } else { nil } } == [
                "/dev/char/1:3", "char-136", "block-*",
            ])
        #expect(deviceProperties([.init(allow: true)]).isEmpty)
    }

    static let annotations: [(key: String, value: String, property: UnitProperty?)] = [
        ("TimeoutStopUSec", "uint64 5000000", .init("TimeoutStopUSec", .uint64(5_000_000))),
        ("TimeoutStopUSec", "5", .init("TimeoutStopUSec", .uint64(5))),
        ("TimeoutStopSec", "uint64 5", .init("TimeoutStopUSec", .uint64(5_000_000))),
        ("TimeoutStopSec", "0.25", .init("TimeoutStopUSec", .uint64(250_000))),
        ("RuntimeMaxUSec", "@t 0x10", .init("RuntimeMaxUSec", .uint64(16))),
        ("KillSignal", "15", .init("KillSignal", .int32(15))),
        ("KillSignal", "int32 65", nil),
        ("KillSignal", "-1", nil),
        ("CollectMode", "'inactive'", .init("CollectMode", .string("inactive"))),
        ("CollectMode", "\"inactive-or-failed\"", .init("CollectMode", .string("inactive-or-failed"))),
        ("CollectMode", "inactive", nil),
        ("CollectMode", "'never'", nil),
        ("DefaultDependencies", "true", .init("DefaultDependencies", .boolean(true))),
        ("DefaultDependencies", "1", nil),
        ("After", "['a.service', 'b@c.target']", .init("After", .strings(["a.service", "b@c.target"]))),
        ("After", "@as []", .init("After", .strings([]))),
        ("After", "['a.service'", nil),
        ("After", "['a b.service']", nil),
        ("After", "['../x.service']", nil),
        ("TimeoutStopUSec", "uint64 5 6", nil),
        ("TimeoutStopSec", "18446744073709551615", nil),
        ("ExecStart", "[('/bin/sh', ['sh'], false)]", nil),
        ("ExecStopPost", "'x'", nil),
        ("OnFailure", "['poweroff.target']", nil),
        ("Wants", "['poweroff.target']", nil),
        ("Requires", "['x.service']", nil),
        ("Conflicts", "['sshd.service']", nil),
        ("BindsTo", "['x.service']", nil),
        ("FailureAction", "'poweroff'", nil),
        ("JobTimeoutAction", "'reboot-force'", nil),
        ("BPFProgram", "[('device', '/x')]", nil),
        ("PIDs", "[uint32 1]", nil),
        ("Slice", "'x.slice'", nil),
        ("Description", "'x'", nil),
        ("MemoryMax", "uint64 5", nil),
        ("", "'x'", nil),
        ("kill-signal", "15", nil),
    ]

    @Test("annotations set the properties of a list, and no others (CLI-17)", arguments: annotations.indices)
    func annotation(index: Int) throws {
        let row = Self.annotations[index]
        let pair = Pair(key: "org.systemd.property." + row.key, value: row.value, origin: somewhere)
        guard let property = row.property else {
            let error = #expect(throws: CgroupError.self) { _ = try annotatedProperties([pair]) }
            #expect(error?.origin == somewhere)
            return
        }
        let properties = try annotatedProperties([pair, Pair(key: "other", value: "x")])
        #expect(properties == [property])
    }

    @Test("whose manager it is, by who calls")
    func managers() {
        func sockets(_ user: UInt32, _ isInUserNamespace: Bool, _ directory: String?, _ bus: String?) -> [String] {
            ServiceManager.candidates(
                for: .init(user: user, isInUserNamespace: isInUserNamespace, runtimeDirectory: directory, sessionBus: bus)
            ).map { ($0.isUser ? "user " : "system ") + ($0.isBus ? "bus " : "private ") + $0.socket }
        }
        #expect(
            sockets(0, false, "/run/user/0", nil) == [
                "system private /run/systemd/private", "system bus /run/dbus/system_bus_socket",
            ])
        #expect(
            sockets(1000, false, nil, nil) == [
                "user private /run/user/1000/systemd/private", "user bus /run/user/1000/bus",
            ])
        #expect(sockets(1000, false, "/r", "unix:path=/b,guid=1") == ["user private /r/systemd/private", "user bus /b"])
        #expect(
            sockets(0, true, "/r", "tcp:host=x") == [
                "system private /run/systemd/private", "user private /r/systemd/private", "user bus /r/bus",
            ])
        #expect(sockets(0, true, nil, nil) == ["system private /run/systemd/private"])
    }

    @Test("a unit's object path")
    func objectPath() {
        #expect(Systemd.path(of: "swoci-a.scope") == "/org/freedesktop/systemd1/unit/swoci_2da_2escope")
        #expect(Systemd.path(of: "1.scope") == "/org/freedesktop/systemd1/unit/_31_2escope")
    }

    @Test("a scope's cgroup is recorded as ours, its slices are not (CG-09)")
    func record() throws {
        let plan = try plan("a-b.slice:p:web", layout: Host.v1)
        let record = plan.record { _ in false }
        #expect(record.created.contains("/cg/memory/a.slice/a-b.slice/p-web.scope"))
        #expect(!record.created.contains("/cg/memory/a.slice"))
        // Nobody but us makes these where systemd does not go.
        #expect(record.created.contains("/cg/cpuset/a.slice/a-b.slice"))
        #expect(record.scope?.unit == "p-web.scope" && record.scope?.description == "swoci container c")
    }

    private func plan(
        _ path: String?, isUser: Bool = false, cgroup: String = "", layout: CgroupLayout = Host.v2
    ) throws(CgroupError) -> CgroupPlan {
        let manager = ServiceManager(socket: "/run/systemd/private", isBus: false, isUser: isUser)
        let facts = ServiceManagerFacts(manager: manager, cgroup: cgroup, version: 257)
        return try CgroupPlan(
            cgroupsPath: path.map { at($0) }, id: "c", layout: layout, resources: nil,
            scope: ScopeRequest(facts: facts, annotations: [], container: "c"))
    }
}

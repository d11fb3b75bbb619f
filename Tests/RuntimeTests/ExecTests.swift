import Cgroups
import Plan
import Spec
import Testing

@testable import Runtime

@Suite("The process that exec runs")
struct ExecTests {
    // MARK: --user

    @Test(
        "digits are a number, everything else a name",
        arguments: [
            ("0", .number(0), nil), ("1000", .number(1000), nil), ("0001", .number(1), nil), ("4294967294", .number(4_294_967_294), nil),
            ("1:2", .number(1), .number(2)), ("root", .name("root"), nil), ("1a", .name("1a"), nil), ("user:5", .name("user"), .number(5)),
            ("5:staff", .number(5), .name("staff")), ("0x10", .name("0x10"), nil), (" 1", .name(" 1"), nil),
        ] as [(String, UserOption.Part, UserOption.Part?)])
    func userOption(text: String, user: UserOption.Part, group: UserOption.Part?) throws {
        let option = try UserOption(text)
        #expect(option.user == user)
        #expect(option.group == group)
    }

    @Test(
        "what is no user is refused (P-39, CVE-2016-3697)",
        arguments: [
            "", ":", "1:", ":1", "1:2:3", "-1", "+1", "1:-1", "4294967295", "4294967296", "18446744073709551616", "1:4294967295", "-",
            "-root",
            "99999999999999999999999999",
        ])
    func wrongUser(text: String) {
        #expect(throws: Failure.self) { try UserOption(text) }
    }

    private let accounts = Accounts(
        users:
            "root:x:0:0::/root:/bin/sh\n7:x:0:0::/:\nuser:x:1000:1001::/home:/bin/sh\nwide:x:4294967296:0::/:\nminus:x:-1:0::/:\nshort:x\n",
        groups: "root:x:0:\nstaff:x:50:user,root\nusers:x:51:user2\nlast:x:52:root,user\nwide:x:4294967295:\n")

    private func user(_ text: String) throws -> [UInt32] {
        var config = User()
        (config.uid, config.gid, config.additionalGids) = (Located(5), Located(6), [Located(7)])
        let user = try accounts.user(UserOption(text), config: config)
        return [user.uid.value, user.gid.value] + user.additionalGids.map { $0.value }
    }

    @Test("a number changes the id alone, a name brings its groups (P-39, P-40, P-43)")
    func accountsOfUsers() throws {
        #expect(try user("7") == [7, 6, 7])
        #expect(try user("7:8") == [7, 8, 7])
        #expect(try user("user") == [1000, 1001, 50, 52])
        #expect(try user("user:9") == [1000, 9])
        #expect(try user("user:staff") == [1000, 50])
        #expect(try user("3:staff") == [3, 50, 7])
        #expect(try user("root") == [0, 0, 50, 52])
    }

    @Test("a name without usable ids is refused", arguments: ["nobody", "wide", "minus", "short", "1:nogroup", "1:wide", "user2"])
    func unusableNames(text: String) {
        #expect(throws: Failure.self) { try user(text) }
    }

    // MARK: --cgroup

    private func paths(_ options: [String], isUnified: Bool = false) throws(CgroupError) -> [String] {
        var record = CgroupRecord()
        record.paths = isUnified ? ["/cg/box"] : ["/cg/memory/box", "/cg/cpu,cpuacct/box", "/cg/systemd/box"]
        if isUnified { record.unified = "/cg/box" }
        let layout = CgroupLayout(
            hierarchies: isUnified
                ? [CgroupHierarchy(mountPoint: "/cg", controllers: ["memory"], isUnified: true)]
                : [
                    CgroupHierarchy(mountPoint: "/cg/memory", controllers: ["memory"]),
                    CgroupHierarchy(mountPoint: "/cg/cpu,cpuacct", controllers: ["cpu", "cpuacct"]),
                    CgroupHierarchy(mountPoint: "/cg/systemd", controllers: []),
                ])
        var subs: [SubCgroup] = []
        for option in options { subs.append(try SubCgroup(option)) }
        return try record.joining(subs, layout).paths
    }

    @Test("a path is taken below the container's cgroup, in the hierarchies that are named (CLI-08)")
    func cgroups() throws {
        #expect(try paths(["a"]) == ["/cg/memory/box/a", "/cg/cpu,cpuacct/box/a", "/cg/systemd/box/a"])
        #expect(try paths(["/a//b/./c/"]) == ["/cg/memory/box/a/b/c", "/cg/cpu,cpuacct/box/a/b/c", "/cg/systemd/box/a/b/c"])
        #expect(try paths(["/"]) == ["/cg/memory/box", "/cg/cpu,cpuacct/box", "/cg/systemd/box"])
        #expect(try paths(["memory:a", "cpu:/b"]) == ["/cg/memory/box/a", "/cg/cpu,cpuacct/box/b", "/cg/systemd/box"])
        #expect(try paths(["memory,cpuacct:a"]) == ["/cg/memory/box/a", "/cg/cpu,cpuacct/box/a", "/cg/systemd/box"])
        #expect(try paths(["systemd:a"]) == ["/cg/memory/box", "/cg/cpu,cpuacct/box", "/cg/systemd/box/a"])
        #expect(try paths(["/a"], isUnified: true) == ["/cg/box/a"])
    }

    @Test(
        "what leads out of the container's cgroup, or nowhere, is refused (CG-01)",
        arguments: [["a/../b"], [".."], ["memory:../x"], ["nothing:a"], [":a"], ["a", "b"], ["a\nb"], ["memory,nothing:a"]])
    func wrongCgroups(options: [String]) {
        #expect(throws: CgroupError.self) { try paths(options) }
    }

    @Test("cgroup v2 has no controllers to choose between")
    func unifiedController() {
        #expect(throws: CgroupError.self) { try paths(["memory:a"], isUnified: true) }
    }

    // MARK: Composition

    private func capabilities(_ bits: UInt64) -> CapabilitySets {
        var sets = CapabilitySets()
        sets.bounding = CapabilitySet(rawValue: bits)
        (sets.effective, sets.permitted) = (sets.bounding, sets.bounding)
        return sets
    }

    @Test("a document lacks nothing of the container's confinement (P-16, P-22, CVE-2022-29162)")
    func completion() {
        var config = Process(cwd: Located("/"))
        config.noNewPrivileges = true
        config.capabilities = capabilities(6)
        config.apparmorProfile = Located("profile")
        config.user.umask = 0o77
        config.env = [Located("A=1")]
        let document = Process(cwd: Located("/x"))
        let process = document.completed(from: config)
        #expect(process.noNewPrivileges)
        #expect(process.capabilities?.bounding.rawValue == 6)
        #expect(process.apparmorProfile?.value == "profile")
        #expect(process.user.umask == 0o77)
        #expect(process.env.isEmpty)
        #expect(process.cwd.value == "/x")
        var own = document
        own.capabilities = capabilities(1)
        own.apparmorProfile = Located("other")
        #expect(own.completed(from: config).capabilities?.bounding.rawValue == 1)
        #expect(own.completed(from: config).apparmorProfile?.value == "other")
    }

    @Test("options come on top, and no capability becomes inheritable (P-20)")
    func options() {
        var process = Process(cwd: Located("/"))
        process.env = [Located("A=1")]
        process.capabilities = capabilities(2)
        process.apparmorProfile = Located("profile")
        var options = ProcessOptions()
        options.environment = ["A=2"]
        options.capabilities = CapabilitySet(rawValue: 1)
        options.additionalGroups = [9]
        options.appArmorProfile = ""
        let result = process.changed(by: options)
        #expect(result.env.map { $0.value } == ["A=1", "A=2"])
        #expect(result.capabilities?.permitted.rawValue == 3)
        #expect(result.capabilities?.inheritable.rawValue == 0)
        #expect(result.capabilities?.ambient.rawValue == 0)
        #expect(result.user.additionalGids.map { $0.value } == [9])
        #expect(result.apparmorProfile?.value == "profile")
    }
}

@Suite("Planning a further process")
struct PlanningExecTests {
    private func plan(
        _ namespaces: UInt64 = 0x6C02_0000, change: (inout Config) -> Void = { _ in }, facts: (inout PlanningFacts) -> Void = { _ in }
    ) throws -> LaunchPlan {
        let config = Config.sample { config in
            config.process?.capabilities = CapabilitySets()
            change(&config)
        }
        return try Planner.plan(exec: config, .sample(facts), in: ContainerFacts(namespaces: namespaces, process: 9, root: 8))
    }

    @Test("the story of an exec: join, give rights up, appear, execute (CLI-08)")
    func story() throws {
        let launch = try plan(change: { $0.process?.noNewPrivileges = true })
        #expect(
            words(launch) == [
                "join the pid, network, mount, ipc and uts namespaces of descriptor 9", "join a new session keyring, _ses.box",
                "set the umask 022",
                "change to /", "limit capabilities to none", "become uid 0, gid 0", "set capabilities: effective and permitted none",
                "go on in a child", "start a session", "give up gaining privileges by execve", "change to /",
                "look for the program sh in /bin", "wait for the runtime's word", "execute sh with 2 environment entries",
            ])
        #expect(launch.isStaged)
    }

    @Test("labels are set before the container's /proc is in sight (P-14, P-15, CVE-2019-16884)")
    func labels() throws {
        let launch = try plan(
            change: {
                $0.process?.apparmorProfile = Located("profile")
                $0.process?.selinuxLabel = Located("label")
            }, facts: { $0.isSELinuxEnabled = true })
        let all = words(launch)
        #expect(all.prefix(2) == ["set the payload's AppArmor profile profile", "set the payload's SELinux label label"])
        #expect(all[2].hasPrefix("join "))
    }

    @Test("a process with a scheduler appears before it is set (P-24)")
    func scheduler() throws {
        let all = words(try plan(change: { $0.process?.scheduler = Scheduler(policy: 3) }))
        let scheduler = try #require(all.firstIndex { $0.hasPrefix("set the scheduler") })
        #expect(all[scheduler - 2] == "go on in a child")
        #expect(all.filter { $0 == "go on in a child" }.count == 1)
        #expect(try #require(all.firstIndex { $0.hasPrefix("become") }) > scheduler)
    }

    @Test("without a PID namespace to join there is no child")
    func sharedPIDNamespace() throws {
        let launch = try plan(0x4C02_0000)
        #expect(!launch.isStaged)
        #expect(!words(launch).contains("go on in a child"))
    }

    @Test("in a user namespace the process becomes its root first, where there is one (I-05)")
    func userNamespace() throws {
        let launch = try plan(0x7002_0000, change: { $0.linux = Config.sample([.user, .mount, .pid]).linux })
        #expect(words(launch, "becomeRoot").count == 1)
        let unmapped = try plan(
            0x7002_0000,
            change: {
                $0.linux = Config.sample([.user, .mount, .pid]).linux
                $0.linux.uidMappings[0].containerID = 5
            })
        #expect(words(unmapped, "becomeRoot").isEmpty)
    }

    @Test("in a joined mount namespace the container's root is entered too (N-03)")
    func joinedMounts() throws {
        let launch = try plan(change: { $0.linux.namespaces[0].path = Located("/ns") })
        #expect(
            words(launch, "takeRoot", "enterRoot") == [
                "take the directory of descriptor 8 as the root file system", "enter the root by chroot alone",
            ])
        #expect(words(try plan(), "takeRoot", "enterRoot").isEmpty)
    }

    @Test("no hook runs and no supervisor stays, whatever the config says")
    func nothingOfCreate() throws {
        let launch = try plan(change: {
            $0.hooks.startContainer = [Hook(path: "/h")]
            $0.hooks.createContainer = [Hook(path: "/h")]
        })
        #expect(words(launch, "runHook", "supervise", "awaitStart", "makeWorkingDirectory").isEmpty)
    }

    @Test("final CPUs are set outside, before anything is joined (P-37)")
    func affinity() throws {
        var container = ContainerFacts(namespaces: 0x6C02_0000, process: 9, root: 8)
        container.affinity = Located([0...1, 9...9])
        let launch = try Planner.plan(exec: .sample(), .sample(), in: container)
        #expect(words(launch).first == "run on the CPUs 0, 1, 9")
    }

    @Test("a filter without noNewPrivileges is loaded with CAP_SYS_ADMIN, by a process that has it for that alone (SE-17)")
    func filter() throws {
        let launch = try plan(
            change: { $0.linux.seccomp = Seccomp(defaultAction: .allow) },
            facts: { $0.seccompProgram = .init(bytes: [UInt8](repeating: 0, count: 8), flags: 0) })
        let all = words(launch)
        let load = try #require(all.firstIndex { $0.hasPrefix("load the system call filter") })
        #expect(all[load - 1].hasPrefix("set capabilities: ") && all[load - 1].contains("CAP_SYS_ADMIN"))
        #expect(words(launch, "setCapabilities").first?.hasPrefix("set capabilities: effective none") == true)
    }
}

import Plan
import Spec
import Testing

@testable import Runtime

@Suite("Planning namespaces, the root and devices")
struct PlanningTests {
    @Test("new namespaces are made by the clone, the cgroup namespace by the init (N-01, N-10)")
    func direct() throws {
        let config = Config.sample(NamespaceType.allCases)
        let launch = try Planner.plan(config, .sample())
        #expect(launch.cloneFlags == 0x7C02_0080)
        #expect(!launch.isStaged)
        #expect(launch.createsUserNamespace)
        #expect(launch.uidMappings == config.linux.uidMappings)
        #expect(launch.gidMappings == config.linux.gidMappings)
        #expect(
            words(launch).prefix(6) == [
                "make all mounts rslave, so that none made here reaches the host", "take /b/rootfs as the root file system",
                "become root of the user namespace", "make a cgroup namespace", "join a new session keyring, _ses.box",
                "bring the loopback device up",
            ])
    }

    @Test("joined namespaces come first, the user namespace last of them; then a child in the new ones (N-12, T-01)")
    func staged() throws {
        let config = Config.sample([.mount, .cgroup, .time]) { config in
            for type in [NamespaceType.user, .network, .pid] { config.linux.namespaces.append(Namespace(type, path: Located("/ns"))) }
            var boot = TimeOffset(.boottime)
            boot.seconds = -3
            boot.nanoseconds = 9
            config.linux.timeOffsets = [TimeOffset(.monotonic), boot]
        }
        let facts = PlanningFacts.sample { facts in
            facts.joinedNamespaces = [
                .init(type: .user, descriptor: 7), .init(type: .network, descriptor: 8), .init(type: .pid, descriptor: 9),
            ]
        }
        let launch = try Planner.plan(config, facts)
        #expect(launch.isStaged)
        #expect(launch.cloneFlags == 0)
        #expect(!launch.createsUserNamespace)
        #expect(
            words(launch).prefix(9) == [
                "join the network namespace of descriptor 8", "join the pid namespace of descriptor 9",
                "join the user namespace of descriptor 7",
                "make a time namespace with clocks offset by monotonic 0 s 0 ns, boottime -3 s 9 ns",
                "go on in a child in new mount namespaces", "make all mounts rslave, so that none made here reaches the host",
                "take /b/rootfs as the root file system", "become root of the user namespace", "make a cgroup namespace",
            ])
        #expect(!words(launch).contains("bring the loopback device up"))
        #expect(planningError(config)?.row == "N-03")
    }

    @Test("a staged launch into a new user namespace waits for its mappings; without a mapped 0 the payload's ids are taken (I-04, I-05)")
    func mappings() throws {
        let config = Config.sample([.mount, .user]) { config in
            config.linux.namespaces.append(Namespace(.ipc, path: Located("/ns")))
            config.linux.uidMappings[0].containerID = 1000
        }
        let launch = try Planner.plan(config, .sample { $0.joinedNamespaces = [.init(type: .ipc, descriptor: 5)] })
        #expect(words(launch)[1] == "go on in a child in new user and mount namespaces, once the runtime has mapped its ids")
        #expect(words(launch, "becomeRoot").isEmpty)
        #expect(words(launch, "becomeOwner") == ["become 1000:0 of the user namespace, which has no root"])
    }

    @Test(
        "rootfsPropagation: private cuts off all ways, the rest leaves the way in; the root mount alone gets it in the end (X-01)",
        arguments: [
            (Propagation(.private, recursive: true), "rprivate", "private"), (Propagation(.shared, recursive: false), "rslave", "shared"),
            (Propagation(.slave, recursive: true), "rslave", "slave"), (Propagation(.unbindable, recursive: false), "rslave", "unbindable"),
        ])
    func rootPropagation(propagation: Propagation, isolation: String, root: String) throws {
        let launch = try Planner.plan(.sample { $0.linux.rootfsPropagation = Located(propagation) }, .sample { $0.noPivot = true })
        #expect(
            words(launch, "isolateMounts", "enterRoot", "setRootPropagation") == [
                "make all mounts \(isolation), so that none made here reaches the host", "enter the root by moving it",
                "make the root mount \(root)",
            ])
    }

    @Test("names come before kernel parameters, these before read-only paths, masks, the root's ro, and the entry (N-08, SY-01, R-03)")
    func protection() throws {
        let config = Config.sample([.mount, .uts, .network]) { config in
            config.root?.readonly = true
            (config.hostname, config.domainname) = (Located("box"), Located("dom"))
            config.linux.sysctl = [
                Pair(key: "net.ipv4.conf.eth0/5.forwarding", value: "1"), Pair(key: "net/ipv4/conf/eth0.5/tag", value: "2 3"),
            ]
            config.linux.readonlyPaths = [Located("/proc/sys"), Located("/proc/bus"), Located("/proc/sys")]
            config.linux.maskedPaths = [Located("/proc/keys"), Located("/proc/keys")]
        }
        let all = words(try Planner.plan(config, .sample()))
        let start = try #require(all.firstIndex(of: "set the hostname to box"))
        #expect(
            all[start...].prefix(9) == [
                "set the hostname to box", "set the domain name dom", "set /proc/sys/net/ipv4/conf/eth0.5/forwarding to 1",
                "set /proc/sys/net/ipv4/conf/eth0.5/tag to \"2 3\"", "make /proc/sys read-only", "make /proc/bus read-only",
                "mask /proc/keys", "make the root mount read-only", "enter the root",
            ])
    }

    @Test("terminal, runtime hooks and createContainer hooks come in this order, before anything is read-only (P-02, H-02 to H-04)")
    func hooks() throws {
        let config = Config.sample { config in
            config.process?.terminal = true
            config.process?.consoleSize = ConsoleSize(height: 24, width: 80)
            config.hooks.createRuntime = [Hook(path: "/r")]
            var hook = Hook(path: "/c")
            hook.timeout = 9
            config.hooks.createContainer = [hook, Hook(path: "/d")]
            config.linux.readonlyPaths = [Located("/proc/sys")]
        }
        let state = HookState(id: "box", bundle: "/b", rootfs: "/b/rootfs", annotations: [])
        let launch = try Planner.plan(config, .sample { $0.state = state })
        #expect(launch.hasCreateHooks)
        let all = words(launch, "makeWorkingDirectory", "openConsole", "synchronize", "runHook", "makeReadonly", "startSession")
        #expect(
            all == [
                "make the working directory / if it is missing",
                "open a terminal for uid 0 (24 rows, 80 columns), also as /dev/console",
                "wait for the runtime, which moves network devices and runs prestart and createRuntime hooks",
                "run createContainer hook 0, /c, for 9 s at most",
                "run createContainer hook 1, /d", "make /proc/sys read-only", "start a session with the terminal",
            ])
        for planned in launch.plan.steps {
            guard case .runHook(let hook) = planned.step else { continue }
            #expect(launch.plan.strings(hook.arguments) == [hook.index == 0 ? "/c" : "/d"])
            #expect(launch.plan.strings(hook.environment) == [])
            #expect(launch.plan.string(hook.stateBeforePID) == state.beforePID(status: "creating"))
            #expect(launch.plan.string(hook.stateAfterPID) == state.suffix)
        }
    }

    @Test("default devices and links; a listed device takes the place of a default one (D-02 to D-15, L-01 to L-05)")
    func devices() throws {
        let config = Config.sample { config in
            var null = Device(.character, path: Located("/dev//null"))
            (null.major, null.minor, null.fileMode, null.uid) = (1, 3, 0o020600, 5)
            var disk = Device(.block, path: Located("/srv/disk"))
            (disk.major, disk.minor) = (8, 1)
            config.linux.devices = [
                null, disk, Device(.fifo, path: Located("/dev/pipe")), Device(.character, path: Located("/dev/ptmx")),
            ]
        }
        let launch = try Planner.plan(config, .sample())
        #expect(
            words(launch, "makeNode", "bindNode", "makeSymlink") == [
                "make device node /dev/zero (c 1:5, mode 0666)", "make device node /dev/full (c 1:7, mode 0666)",
                "make device node /dev/random (c 1:8, mode 0666)", "make device node /dev/urandom (c 1:9, mode 0666)",
                "make device node /dev/tty (c 5:0, mode 0666)", "make device node /dev/null (c 1:3, mode 0600, owner 5:0)",
                "make device node /srv/disk (b 8:1, mode 0666)", "make device node /dev/pipe (p, mode 0666)",
                "make the link /dev/fd to /proc/self/fd", "make the link /dev/stdin to /proc/self/fd/0",
                "make the link /dev/stdout to /proc/self/fd/1", "make the link /dev/stderr to /proc/self/fd/2",
                "make the link /dev/core to /proc/kcore", "make the link /dev/ptmx to pts/ptmx",
            ])
    }

    @Test("where nodes cannot be made, they are the host's; pipes can (D-01)", arguments: [true, false])
    func boundDevices(inConfig: Bool) throws {
        let config = Config.sample(inConfig ? [.mount, .user] : [.mount]) { config in
            config.linux.devices = [Device(.fifo, path: Located("/dev/pipe"))]
        }
        let launch = try Planner.plan(config, .sample { $0.isInUserNamespace = !inConfig })
        #expect(words(launch, "makeNode") == ["make device node /dev/pipe (p, mode 0666)"])
        #expect(words(launch, "bindNode").count == 6)
        #expect(words(launch, "bindNode").first == "bind device node /dev/null of the host to /dev/null (c 1:3)")
    }

    @Test("a /dev that is the host's is left alone (D-16)")
    func hostDevices() throws {
        let config = Config.sample { config in
            config.mount("/dev", type: "tmpfs", "mode=755")
            config.mount("/dev/", source: "/dev", "rbind")
            config.linux.devices = [Device(.fifo, path: Located("/dev/pipe")), Device(.fifo, path: Located("/pipe"))]
        }
        let launch = try Planner.plan(config, .sample())
        #expect(words(launch, "makeNode", "bindNode", "makeSymlink") == ["make device node /pipe (p, mode 0666)"])
    }

    @Test("a container without a root is refused (R-01)")
    func rootless() {
        #expect(planningError(.sample { $0.root = nil })?.row == "R-01")
    }

    @Test("every step of a config knows its place in it")
    func origins() throws {
        let config = Config.sample([.mount]) { config in
            config.mount("/tmp", type: "tmpfs")
            config.mounts[0].origin = Origin(node: 41)
            config.hostname = Located("box", Origin(node: 42))
            config.linux.maskedPaths = [Located("/x", Origin(node: 43))]
            config.process?.cwd.origin = Origin(node: 44)
        }
        let launch = try Planner.plan(config, .sample())
        var places: [String: Int32] = [:]
        for planned in launch.plan.steps { places[String("\(planned.step)".prefix { $0 != "(" })] = planned.origin }
        #expect(places["mountFilesystem"] == 41)
        #expect(places["setHostname"] == 42)
        #expect(places["mask"] == 43)
        #expect(places["changeDirectory"] == 44)
        #expect(places["makeWorkingDirectory"] == 44)
        #expect(places["makeNode"] == -1)
    }

    @Test("the runtime's own actions are told")
    func runtimeActions() throws {
        let config = Config.sample([.mount, .user]) { config in
            config.mount("/m", source: "/srv/m", "bind", "idmap=uids=0-1-1;gids=0-2-3")
            config.process?.rlimits = [Rlimit(resource: 7, name: "RLIMIT_NOFILE", soft: 10, hard: .max)]
            config.process?.oomScoreAdj = Located(-5)
        }
        #expect(
            try Planner.plan(config, .sample()).describeRuntimeActions().map { $0.text } == [
                "open /srv/m as slot 0, with ids mapped 0 to 1; groups 0 to 2, 3 of them",
                "start the init in new user and mount namespaces", "map user ids: 0 to 100000, 1000 of them",
                "map group ids: 0 to 200000, 1000 of them", "set RLIMIT_NOFILE to 10, at most unlimited", "set oom_score_adj to -5",
            ])
    }
}

import Plan
import Spec
import Testing

@testable import Runtime

@Suite("Planning the process")
struct PlanningProcessTests {
    private static func set(_ names: String...) -> CapabilitySet {
        names.reduce(into: CapabilitySet()) { set, name in
            if let capability = Capability(name: "CAP_\(name)") { set.insert(CapabilitySet(capability)) }
        }
    }

    private func capabilities(_ set: CapabilitySet) -> CapabilitySets {
        var sets = CapabilitySets()
        (sets.bounding, sets.effective, sets.permitted) = (set, set, set)
        return sets
    }

    @Test(
        "who is PID 1: one rule",
        arguments: [
            // program, new PID namespace, pids.limit, sockets, annotation, exec in place
            ("sh", true, nil, false, nil, false), ("/sbin/init", true, nil, false, nil, true), ("/init", true, nil, false, nil, true),
            ("systemd", true, nil, false, nil, true), ("/usr/bin/tini", true, nil, false, nil, true),
            ("tini-static", true, nil, false, nil, true), ("dumb-init", true, nil, false, nil, true),
            ("catatonit", true, nil, false, nil, true), ("/dev/init/docker-init", true, nil, false, nil, true),
            ("/run/podman-init", true, nil, false, nil, true), ("s6-svscan", true, nil, false, nil, true),
            ("s6-overlay-suexec", true, nil, false, nil, true), ("initdb", true, nil, false, nil, false),
            ("/init/sh", true, nil, false, nil, false), ("sh", false, nil, false, nil, true),
            ("sh", false, nil, false, "supervise", true), ("sh", true, 0, false, nil, true), ("sh", true, 1, false, nil, true),
            ("sh", true, 2, false, nil, false), ("sh", true, -1, false, nil, false), ("sh", true, nil, true, nil, true),
            ("sh", true, nil, true, "supervise", true), ("sh", true, nil, false, "exec", true),
            ("tini", true, nil, false, "supervise", false), ("sh", true, 1, false, "supervise", false),
            (nil, true, nil, false, nil, true), ("sh", true, nil, false, "maybe", nil),
        ] as [(String?, Bool, Int64?, Bool, String?, Bool?)])
    func placement(program: String?, isNew: Bool, limit: Int64?, sockets: Bool, wish: String?, expected: Bool?) {
        let placement = PayloadPlacement(
            arguments: program.map { [$0] } ?? [], hasNewPIDNamespace: isNew, pidLimit: limit, passesSockets: sockets, wish: wish)
        #expect(placement.execsInPlace == expected)
    }

    @Test("the plan follows the rule, and a wish that is none is refused")
    func placementInPlan() throws {
        #expect(words(try Planner.plan(.sample(), .sample()), "supervise").count == 1)
        let exec = try Planner.plan(.sample { $0.annotations = [Pair(key: "org.swoci.init", value: "exec")] }, .sample())
        #expect(words(exec, "supervise").isEmpty)
        #expect(exec.payloadIsPIDOne)
        let bad = Config.sample { $0.annotations = [Pair(key: "org.swoci.init", value: "x", origin: Origin(node: 3))] }
        #expect(planningError(bad)?.origin == Origin(node: 3))
    }

    @Test("all settings of a process, in an order in which each is still allowed (P-06 to P-43)")
    func order() throws {
        let config = Config.sample { config in
            config.linux.personality = Located(.linux32)
            config.linux.memoryPolicy = MemoryPolicy(mode: 2)
            config.linux.memoryPolicy?.nodes = [0, 65]
            config.linux.seccomp = Seccomp(defaultAction: .allow)
            config.hooks.startContainer = [Hook(path: "/s")]
            config.process?.scheduler = Scheduler(policy: 3)
            config.process?.ioPriority = IOPriority(priorityClass: 2, priority: 4)
            config.process?.apparmorProfile = Located("profile")
            config.process?.selinuxLabel = Located("label")
            config.process?.noNewPrivileges = true
            config.process?.capabilities = capabilities(Self.set("KILL"))
            config.process?.user.uid.value = 10
            config.process?.user.gid.value = 20
            config.process?.user.umask = 0o27
            config.process?.user.additionalGids = [Located(30)]
            config.process?.cwd = Located("/home")
            config.process?.env = []
        }
        let facts = PlanningFacts.sample {
            $0.seccompProgram = .init(bytes: [UInt8](repeating: 0, count: 16), flags: 4)
            $0.isSELinuxEnabled = true
        }
        let all = words(try Planner.plan(config, facts))
        let start = try #require(all.firstIndex(of: "enter the root"))
        #expect(
            all[start...] == [
                "enter the root", "set the execution domain LINUX32",
                "go on in a child, supervised by a process of uid 10, gid 20, groups 30 with CAP_KILL and the AppArmor profile profile"
                    + " and the SELinux label label, if the policy lets it",
                "start a session",
                "set the scheduler SCHED_BATCH", "set the I/O priority best effort 4", "set the memory policy MPOL_BIND on nodes 0, 65",
                "set the umask 027", "limit capabilities to CAP_KILL", "set the payload's AppArmor profile profile",
                "set the payload's SELinux label label", "become uid 10, gid 20, groups 30",
                "set capabilities: effective and permitted CAP_KILL", "give up gaining privileges by execve",
                "set HOME to the home directory of uid 10", "change to /home",
                "look for the program sh in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "wait for start",
                "run startContainer hook 0, /s", "load the system call filter of 2 instructions with flags 0x4",
                "execute sh with 0 environment entries",
            ])
    }

    @Test("labels that this host cannot apply are refused, those that ask for nothing are not (P-14, P-15)")
    func labels() throws {
        func config(_ profile: String?, _ label: String?) -> Config {
            .sample {
                $0.process?.apparmorProfile = profile.map { Located($0, Origin(node: 7)) }
                $0.process?.selinuxLabel = label.map { Located($0, Origin(node: 8)) }
            }
        }
        let without = PlanningFacts.sample { $0.hasAppArmor = false }
        let refused = planningError(config("p", nil), without)
        #expect(refused?.row == "P-14" && refused?.origin == Origin(node: 7) && refused?.message.contains("no AppArmor") == true)
        let off = planningError(config(nil, "l"), without)
        #expect(off?.row == "P-15" && off?.origin == Origin(node: 8) && off?.message.contains("SELinux is off") == true)
        for (profile, label) in [("unconfined", ""), ("", ""), (nil, nil)] as [(String?, String?)] {
            #expect(words(try Planner.plan(config(profile, label), without), "setExecLabel").isEmpty)
        }
        #expect(words(try Planner.plan(config("unconfined", nil), .sample()), "setExecLabel").count == 1)
    }

    @Test("without a process the plan ends with the wait for start, which then refuses (P-01)")
    func noProcess() throws {
        let all = words(try Planner.plan(.sample { $0.process = nil }, .sample()))
        #expect(all.suffix(2) == ["enter the root", "wait for start"])
    }

    @Test("a filter without no_new_privs is loaded with CAP_SYS_ADMIN, effective for that call only (SE-17)")
    func filter() throws {
        let admin = "CAP_SYS_ADMIN"
        func plan(_ change: (inout Config) -> Void, _ facts: (inout PlanningFacts) -> Void = { _ in }) throws -> [String] {
            let config = Config.sample { config in
                config.linux.seccomp = Seccomp(defaultAction: .allow)
                change(&config)
            }
            let made = PlanningFacts.sample { made in
                made.seccompProgram = .init(bytes: [0, 0, 0, 0, 0, 0, 0, 0])
                facts(&made)
            }
            return words(try Planner.plan(config, made), "setCapabilities", "loadSeccomp")
        }
        let load = "load the system call filter of 1 instructions"
        let kill = "set capabilities: effective and permitted CAP_KILL"
        let waiting = "set capabilities: effective CAP_KILL; permitted CAP_KILL, \(admin)"
        let both = "set capabilities: effective and permitted CAP_KILL, \(admin)"
        #expect(try plan { $0.process?.capabilities = capabilities(Self.set("KILL")) } == [waiting, both, load])
        #expect(try plan { $0.process?.capabilities = capabilities(Self.set("KILL", "SYS_ADMIN")) } == [both, load])
        #expect(
            try plan {
                $0.process?.capabilities = capabilities(Self.set("KILL"))
                $0.process?.noNewPrivileges = true
            } == [kill, load])
        // Sets that the config leaves alone: root has them, another user loses them with its ids.
        #expect(try plan { _ in } == [load])
        #expect(
            try plan { $0.process?.user.uid.value = 7 }
                == ["set capabilities: effective none; permitted \(admin)", "set capabilities: effective and permitted \(admin)", load])
        let refused = Config.sample { config in
            config.linux.seccomp = Seccomp(defaultAction: .allow)
            config.process?.capabilities = capabilities(Self.set("KILL"))
        }
        let facts = PlanningFacts.sample { facts in
            facts.seccompProgram = .init(bytes: [])
            facts.capabilitiesHeld = Self.set("KILL")
        }
        #expect(planningError(refused, facts)?.row == "SE-17")
        #expect(planningError(refused)?.row == "SE-01")
    }

    @Test("capabilities that cannot be granted are left out, with a warning where validation cannot know (P-16 to P-21)")
    func reducedSets() throws {
        let config = Config.sample { config in
            var sets = CapabilitySets()
            sets.bounding = Self.set("CHOWN", "KILL", "SYS_TIME")
            sets.permitted = Self.set("CHOWN", "KILL", "SYS_TIME")
            sets.effective = Self.set("CHOWN", "SYS_TIME", "NET_RAW")
            sets.inheritable = Self.set("KILL", "NET_RAW")
            sets.ambient = Self.set("KILL", "CHOWN", "NET_RAW")
            config.process?.capabilities = sets
        }
        let launch = try Planner.plan(config, .sample { $0.capabilitiesHeld = Self.set("CHOWN", "KILL", "NET_RAW") })
        #expect(
            words(launch, "limitBoundingSet", "setCapabilities") == [
                "limit capabilities to CAP_CHOWN, CAP_KILL",
                "set capabilities: effective CAP_CHOWN; permitted CAP_CHOWN, CAP_KILL; inheritable CAP_KILL; ambient CAP_KILL",
            ])
        #expect(
            launch.warnings.map { "\($0.row) \($0.message)" } == [
                "P-16 capabilities left out (swoci itself may not have them): CAP_SYS_TIME",
                "P-20 capabilities left out (inheritable, but not in bounding): CAP_NET_RAW",
            ])
        // A user namespace's first process has everything inside it.
        let inside = Config.sample([.mount, .user]) { $0.process?.capabilities = config.process?.capabilities }
        let other = try Planner.plan(inside, .sample { $0.capabilitiesHeld = [] })
        #expect(words(other, "limitBoundingSet") == ["limit capabilities to CAP_CHOWN, CAP_KILL, CAP_SYS_TIME"])
    }

    @Test("the supervisor may signal only where the payload may")
    func supervisor() throws {
        func kept(_ change: (inout Config) -> Void) throws -> [String] {
            words(try Planner.plan(.sample(change: change), .sample()), "supervise").map { String($0.split(separator: " with ")[1]) }
        }
        #expect(try kept { _ in } == ["CAP_KILL"])
        #expect(try kept { $0.process?.user.uid.value = 5 } == ["no capability"])
        #expect(try kept { $0.process?.capabilities = CapabilitySets() } == ["no capability"])
        #expect(try kept { $0.process?.capabilities = capabilities(Self.set("KILL", "CHOWN")) } == ["CAP_KILL"])
    }

    @Test("the environment has each name once, where it first stood, with its last value (P-07)")
    func environment() throws {
        let config = Config.sample { config in
            config.process?.env = ["A=1", "HOME=", "B=2", "A=3", "LISTEN_FDS=9", "HOME=", "PATH=/x::/y"].map { Located($0) }
            config.hooks.startContainer = [Hook(path: "/s")]
        }
        let launch = try Planner.plan(
            config,
            .sample { facts in
                facts.listenEnvironment = ["LISTEN_FDS=2", "LISTEN_FDNAMES=a:b"]
                facts.preservedDescriptors = 2
            })
        let expected = ["A=3", "HOME=", "B=2", "LISTEN_FDS=2", "PATH=/x::/y", "LISTEN_FDNAMES=a:b", "LISTEN_PID=1"]
        for planned in launch.plan.steps {
            switch planned.step {
            case .execute(let execute):
                #expect(launch.plan.strings(execute.environment) == expected)
                #expect(execute.preservedDescriptors == 2)
            case .runHook(let hook): #expect(launch.plan.strings(hook.environment) == expected)
            case .findExecutable(let find): #expect(launch.plan.strings(find.searchPath) == ["/x", "/y"])
            default: break
            }
        }
        #expect(words(launch, "setHome").count == 1)
        #expect(launch.payloadIsPIDOne)
        #expect(launch.warnings.isEmpty)
    }

    @Test("additional groups where setgroups is denied are refused; none are skipped (P-43)")
    func groups() throws {
        let denied = PlanningFacts.sample { $0.setgroupsDenied = true }
        #expect(planningError(.sample { $0.process?.user.additionalGids = [Located(1, Origin(node: 9))] }, denied)?.origin.node == 9)
        let launch = try Planner.plan(.sample(), denied)
        let skips = launch.plan.steps.compactMap { planned in
            if case .setUser(let user) = planned.step { return user.skipsGroups }
            return nil
        }
        #expect(skips == [1])
    }

    @Test("a program with a slash is not looked up in PATH (P-08)")
    func programPath() throws {
        let launch = try Planner.plan(.sample { $0.process?.args = [Located("./run"), Located("x")] }, .sample())
        #expect(words(launch, "findExecutable") == ["look for the program ./run"])
    }
}

extension Config {
    fileprivate static func sample(change: (inout Config) -> Void) -> Config { sample([.mount, .pid], change) }
}

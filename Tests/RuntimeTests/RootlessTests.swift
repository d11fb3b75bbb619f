import Plan
import Spec
import Testing

@testable import Runtime

extension Caller {
    /// uid 1000 of the host, without any rights.
    fileprivate static let tester = Caller(
        uid: 1000, gid: 1000, capabilities: [], users: allIDs, groups: allIDs, ownsMounts: false)
    /// Root of the host.
    fileprivate static let root = Caller(
        uid: 0, gid: 0, capabilities: CapabilitySet(rawValue: .max), users: allIDs, groups: allIDs, ownsMounts: true)
    /// What a rootless engine makes of uid 1000.
    fileprivate static let engine = Caller(
        uid: 0, gid: 0, capabilities: CapabilitySet(rawValue: .max),
        users: [IDMapping(containerID: 0, hostID: 1000, size: 1), IDMapping(containerID: 1, hostID: 100_000, size: 65536)],
        groups: [IDMapping(containerID: 0, hostID: 1000, size: 1), IDMapping(containerID: 1, hostID: 100_000, size: 65536)],
        ownsMounts: true)
}

private func map(_ container: UInt32, _ host: UInt32, _ size: UInt32) -> IDMapping {
    IDMapping(containerID: container, hostID: host, size: size, origin: Origin(node: 9))
}

@Suite("What an ordinary user may do")
struct RootlessTests {
    private let usable = MappingProgram(.usable("/usr/bin/newuidmap"), subordinates: [IDRange(first: 100_000, count: 65536)])

    /// The way a map is written, or the refusal.
    private func outcome(_ caller: Caller, _ mappings: [IDMapping], _ kind: IDKind, _ program: MappingProgram?) -> String {
        do throws(PlanningError) {
            let method = try caller.method(for: mappings, kind) {
                if program == nil { Issue.record("nobody needs the program") }
                return program ?? usable
            }
            return "\(method)"
        } catch {
            #expect(error.origin == Origin(node: 9))
            return error.message + "; " + error.hint
        }
    }

    // MARK: Id maps

    @Test("root and a user's own id need no program; a group's map costs setgroups (I-01, I-02)")
    func withoutProgram() {
        #expect(outcome(.root, [map(0, 5, 1000)], .user, nil) == "written")
        #expect(outcome(.root, [map(0, 5, 1000)], .group, nil) == "written")
        #expect(outcome(.tester, [map(0, 1000, 1)], .user, nil) == "written")
        #expect(outcome(.tester, [map(7, 1000, 1)], .group, nil) == "writtenWithoutSetgroups")
        #expect(outcome(.engine, [map(0, 1, 1000), map(1000, 0, 1), map(1001, 1001, 64536)], .user, nil) == "written")
    }

    @Test("more ids are a program's to map")
    func byProgram() {
        #expect(outcome(.tester, [map(0, 1000, 1), map(1, 100_000, 65536)], .user, usable) == #"program("/usr/bin/newuidmap")"#)
        #expect(outcome(.tester, [map(0, 100_000, 1000)], .user, usable) == #"program("/usr/bin/newuidmap")"#)
        var unknown = usable
        unknown.subordinates = nil
        #expect(outcome(.tester, [map(0, 5, 1000)], .user, unknown).hasPrefix("program"))
    }

    @Test("ranges that follow on each other count as one")
    func adjacent() {
        var program = usable
        program.subordinates = [IDRange(first: 200, count: 10), IDRange(first: 100, count: 100)]
        #expect(outcome(.tester, [map(0, 105, 105)], .user, program).hasPrefix("program"))
        #expect(outcome(.tester, [map(0, 105, 106)], .user, program).hasPrefix("host uid 210 is not yours to map"))
    }

    @Test("what would be refused is refused with a reason, before anything is made")
    func refusals() {
        let wide = [map(0, 1000, 1), map(1, 100_000, 65537)]
        #expect(
            outcome(.tester, wide, .user, usable)
                == "host uid 165536 is not yours to map: /etc/subuid gives 100000 to 165535; map from these, or map uid 1000 alone, which needs no program"
        )
        #expect(
            outcome(.tester, wide, .group, MappingProgram(.usable("/x"), subordinates: []))
                == "host gid 100000 is not yours to map: /etc/subgid gives none; have ids added to /etc/subgid, or map gid 1000 alone, which needs no program"
        )
        #expect(
            outcome(.tester, wide, .user, MappingProgram(.missing, subordinates: nil)).contains(
                "needs newuidmap for this map, and it is missing"))
        #expect(outcome(.tester, wide, .group, MappingProgram(.powerless("/g"), subordinates: nil)).contains("/g is neither set-user-id"))
        var barred = usable
        barred.isBarred = true
        #expect(outcome(.tester, wide, .user, barred).hasPrefix("no_new_privs is set for swoci"))
        #expect(
            outcome(.engine, [map(0, 0, 70000)], .user, nil)
                == "uid 65537 does not exist in the user namespace that swoci runs in; it has 0, 1 to 65536")
    }

    @Test("rows of /etc/subuid count by name or number (subuid(5))")
    func tables() {
        let table = "root:1:2\ntester:100000:65536\nx:3:4\n1000:7:8\nbroken\ntester:9\ntester:a:1"
        #expect(
            subordinates(in: table, user: 1000, name: "tester") == [IDRange(first: 100_000, count: 65536), IDRange(first: 7, count: 8)])
    }

    // MARK: Plans

    @Test("without rights there are no namespaces without a user namespace (N-09)")
    func needsUserNamespace() throws {
        var facts = PlanningFacts.sample()
        do {
            try facts.add(.tester, .sample())
            Issue.record("accepted")
        } catch {
            #expect(error.message.hasPrefix("rootless containers require user namespaces"))
            #expect(error.hint.contains("swoci spec --rootless"))
        }
        try facts.add(.engine, .sample())
        #expect(facts.isInUserNamespace && facts.opensTrees)
    }

    @Test("a limit above the caller's own hard limit is refused before anything is made (P-13)")
    func limits() {
        var facts = PlanningFacts.sample()
        let config = Config.sample { $0.process?.rlimits = [Rlimit(resource: 0, name: "RLIMIT_CPU", soft: 0, hard: 0)] }
        #expect(throws: Never.self) { try facts.add(.engine, config) }
        // The most files that any process may have (fs.nr_open) is below that.
        let high = Config.sample { $0.process?.rlimits = [Rlimit(resource: 7, name: "RLIMIT_NOFILE", soft: 1, hard: 1 << 40)] }
        do {
            try facts.add(.engine, high)
            Issue.record("accepted")
        } catch {
            #expect(error.message.hasPrefix("RLIMIT_NOFILE cannot be raised to 1099511627776"))
        }
    }

    @Test("an ordinary user's init opens all sources, and before it takes on the container's ids (M-07)")
    func sources() throws {
        let config = Config.sample([.mount, .pid, .user]) {
            $0.mount("/a", source: "/s/a", "bind")
            $0.mount("/b", source: "/s/b", "rbind")
        }
        let launch = try Planner.plan(config, .sample { $0.opensTrees = false })
        #expect(launch.sources.isEmpty)
        let kinds = launch.plan.steps.map { String("\($0.step)".prefix { $0 != "(" }) }
        let opened = kinds.indices.filter { kinds[$0] == "openSource" }
        #expect(opened.count == 2)
        #expect(opened.allSatisfy { $0 < kinds.firstIndex(of: "becomeRoot")! })
        let mapped = Config.sample([.mount, .pid, .user]) { $0.mount("/a", source: "/s", "bind", "idmap") }
        #expect(planningError(mapped, .sample { $0.opensTrees = false })?.row == "M-07")
    }

    @Test("an ordinary user joins the user namespace first, root last (N-12)")
    func joinOrder() throws {
        let config = Config.sample([.mount]) {
            $0.linux.namespaces += [Namespace(.network, path: Located("/n")), Namespace(.user, path: Located("/u"))]
        }
        func order(_ mayJoin: Bool) throws -> [String] {
            let facts = PlanningFacts.sample {
                $0.joinedNamespaces = [.init(type: .network, descriptor: 7), .init(type: .user, descriptor: 8)]
                $0.mayJoinNamespaces = mayJoin
            }
            return words(try Planner.plan(config, facts), "joinNamespace").map { $0.contains("user") ? "user" : "network" }
        }
        #expect(try order(true) == ["network", "user"])
        #expect(try order(false) == ["user", "network"])
    }

    @Test("the way maps are written is in the plan")
    func description() throws {
        let launch = try Planner.plan(
            Config.sample([.mount, .pid, .user]),
            .sample {
                $0.uidMethod = .program("/usr/bin/newuidmap")
                $0.gidMethod = .writtenWithoutSetgroups
            })
        let actions = launch.describeRuntimeActions().map { $0.text }
        #expect(actions.contains("map user ids by /usr/bin/newuidmap: 0 to 100000, 1000 of them"))
        #expect(actions.contains("forbid setgroups in the user namespace"))
    }

    @Test("who has no cgroup of the container's to show shows its own, and only to read (M-12)")
    func callersCgroup() throws {
        let config = Config.sample { $0.mount("/sys/fs/cgroup", type: "cgroup", source: "cgroup", "nosuid") }
        let launch = try Planner.plan(config, .sample { $0.cgroupIsCallers = true })
        #expect(words(launch, "bind").allSatisfy { $0.contains("ro") && $0.contains("/sys/fs/cgroup") })
        #expect(!words(launch, "bind").isEmpty)
    }
}

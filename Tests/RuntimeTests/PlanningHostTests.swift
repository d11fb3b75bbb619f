import Plan
import Spec
import Testing

@testable import Runtime

@Suite("Planning: what depends on where the runtime itself is")
struct PlanningHostTests {
    // MARK: Network devices and resctrl

    @Test("network devices make the init wait for the runtime, before any hook (W-01)")
    func netDevices() throws {
        let config = Config.sample([.mount, .pid, .network]) { config in
            var device = NetDevice(hostName: "eth1")
            device.name = "net%d"
            config.linux.netDevices = [device, NetDevice(hostName: "eth2")]
            config.hooks.createContainer = [Hook(path: "/c")]
        }
        let launch = try Planner.plan(config, .sample())
        #expect(launch.hasCreateHooks)
        #expect(launch.netDevices == config.linux.netDevices)
        #expect(words(launch, "synchronize", "runHook").map { String($0.prefix(9)) } == ["wait for ", "run creat"])
        let actions = launch.describeRuntimeActions().map { $0.text }
        #expect(actions.contains("move the network device eth1 into the container as net%d"))
        #expect(actions.contains("move the network device eth2 into the container as eth2"))
    }

    @Test("resctrl's class is named like the container where the config names none (RT-02)")
    func resctrl() throws {
        let launch = try Planner.plan(Config.sample { $0.linux.intelRdt = IntelRdt() }, .sample())
        #expect(launch.resctrl?.group == "box")
        #expect(launch.describeRuntimeActions().map { $0.text }.contains("put the container into resctrl's class of service box"))
        #expect(try Planner.plan(Config.sample(), .sample()).resctrl == nil)
    }

    // MARK: Joined namespaces

    @Test("in a joined mount namespace nothing but the container's own root changes")
    func joinedMounts() throws {
        let config = Config.sample([.pid]) { $0.linux.namespaces.append(Namespace(.mount, path: Located("/m"))) }
        let launch = try Planner.plan(config, .sample { $0.joinedNamespaces = [.init(type: .mount, descriptor: 7)] })
        #expect(
            words(launch, "isolateMounts", "attachRoot", "setRootPropagation", "enterRoot").dropFirst() == [
                "make the root mount rprivate", "enter the root by chroot alone",
            ])
    }

    @Test(
        "what would change the host is found by the namespace's type (SY-02 to SY-04, U-01, W-01)",
        arguments: [
            (NamespaceType.network, "net.ipv4.ip_forward", "SY-03"), (.ipc, "kernel.msgmax", "SY-02"), (.uts, "kernel.domainname", "SY-04"),
            (.network, "kernel.msgmax", nil), (.ipc, "net.ipv4.ip_forward", nil), (.user, "kernel.msgmax", nil),
        ] as [(NamespaceType, String, String?)])
    func hostSysctl(type: NamespaceType, key: String, row: String?) {
        let config = Config.sample { $0.linux.sysctl = [Pair(key: key, value: "1", origin: Origin(node: 3))] }
        let change = HostChange(config, type)
        #expect(change?.row == row)
        #expect(change?.origin == (row == nil ? nil : Origin(node: 3)))
    }

    @Test("a host name and a network device would change the host as well (U-01, W-01)")
    func hostNames() {
        #expect(HostChange(Config.sample { $0.hostname = Located("h") }, .uts)?.row == "U-01")
        #expect(HostChange(Config.sample { $0.domainname = Located("d") }, .uts)?.row == "U-02")
        #expect(HostChange(Config.sample { $0.hostname = Located("h") }, .network) == nil)
        #expect(HostChange(Config.sample { $0.linux.netDevices = [NetDevice(hostName: "e")] }, .network)?.row == "W-01")
    }

    // MARK: Clocks

    @Test(
        "an offset that a clock cannot take is refused with its clock (T-02)",
        arguments: [
            (Int64(-1000), nil), (-1001, "makes the boottime clock negative"), (.min, "makes the boottime clock negative"),
            (4_611_686_018 - 1000, nil), (4_611_686_018 - 999, "takes the boottime clock beyond its end"),
            (.max, "takes the boottime clock beyond its end"),
        ] as [(Int64, String?)])
    func clocks(seconds: Int64, problem: String?) {
        let config = Config.sample([.mount, .pid, .time]) { config in
            var offset = TimeOffset(.boottime)
            offset.seconds = seconds
            offset.origin = Origin(node: 5)
            config.linux.timeOffsets = [offset]
        }
        let error = planningError(config, .sample { $0.clocks = [1000] })
        #expect(error?.message.hasSuffix(problem ?? "") ?? (problem == nil))
        #expect(error?.origin == (problem == nil ? nil : Origin(node: 5)))
        #expect(error?.row == (problem == nil ? nil : "T-02"))
    }

    // MARK: Inside a user namespace

    @Test("a runtime inside a user namespace binds nodes and leaves out groups that do not exist there (M-15)")
    func insideUserNamespace() throws {
        let config = Config.sample { $0.mount("/dev/pts", type: "devpts", source: "devpts", "gid=5", "mode=0620") }
        func launch(_ groups: [IDMapping]) throws -> LaunchPlan {
            try Planner.plan(config, .sample { ($0.isInUserNamespace, $0.mappedGroups) = (true, groups) })
        }
        let single = try launch([IDMapping(containerID: 0, hostID: 0, size: 1)])
        #expect(single.warnings.map { $0.row } == ["M-15"])
        #expect(!words(single, "mountFilesystem").contains { $0.contains("gid=5") })
        #expect(words(single, "makeNode").isEmpty)
        #expect(words(single, "bindNode").count == 6)
        let range = try launch([IDMapping(containerID: 0, hostID: 100_000, size: 65536)])
        #expect(range.warnings.isEmpty)
        #expect(words(range, "mountFilesystem").contains { $0.contains("gid=5") })
    }
}

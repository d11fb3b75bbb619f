import Plan
import Spec
import Testing

@testable import Runtime

@Suite("Planning mounts")
struct PlanningMountTests {
    @Test(
        "options become attributes: later ones override, access times change as a whole (MO-02 to MO-31)",
        arguments: [
            ("ro", [0x1, 0, 0, 0]), ("rw", [0, 0x1, 0, 0]), ("ro rw", [0, 0x1, 0, 0]), ("rw ro", [0x1, 0, 0, 0]),
            ("nosuid nodev noexec", [0xE, 0, 0, 0]), ("nosuid suid nodev", [0x4, 0x2, 0, 0]), ("defaults", [0, 0, 0, 0]),
            ("noatime", [0x10, 0x70, 0, 0]), ("strictatime", [0x20, 0x70, 0, 0]), ("relatime", [0, 0x70, 0, 0]),
            ("atime", [0, 0x70, 0, 0]),
            ("noatime strictatime", [0x20, 0x70, 0, 0]), ("noatime atime", [0, 0x70, 0, 0]), ("strictatime atime", [0x20, 0x70, 0, 0]),
            ("noatime nostrictatime", [0x10, 0x70, 0, 0]), ("norelatime", [0, 0, 0, 0]), ("noatime norelatime", [0x10, 0x70, 0, 0]),
            ("nodiratime nosymfollow", [0x20_0080, 0, 0, 0]), ("rro", [0, 0, 0x1, 0]), ("rrw", [0, 0, 0, 0x1]),
            ("ro rrw", [0, 0, 0, 0x1]), ("rrw ro", [0x1, 0, 0, 0x1]), ("rnoatime", [0, 0, 0x10, 0x70]), ("ratime", [0, 0, 0, 0x70]),
            ("noatime rrelatime", [0, 0, 0, 0x70]), ("rnosymfollow rnodev", [0, 0, 0x20_0004, 0]),
        ] as [(String, [UInt64])])
    func attributes(options: String, expected: [UInt64]) {
        let change = MountOptions(parsed(options)).treeAttributes
        #expect([change.set, change.clear, change.recursiveSet, change.recursiveClear] == expected)
    }

    @Test(
        "a new mount has nothing to clear and nothing below it",
        arguments: [
            ("rw", 0), ("ro nosuid", 0x3), ("rro", 0x1), ("rro rw", 0), ("strictatime", 0x20), ("relatime", 0), ("rnoatime nodev", 0x14),
        ] as [(String, UInt64)])
    func newAttributes(options: String, expected: UInt64) {
        var change = AttributeChange()
        change.set = expected
        #expect(MountOptions(parsed(options)).newAttributes == change)
    }

    private static let rec: UInt32 = 0x4000, unbindable: UInt32 = 1 << 17, priv: UInt32 = 1 << 18, slave: UInt32 = 1 << 19
    private static let shared: UInt32 = 1 << 20

    @Test(
        "propagation keeps its order; what was opened before the cut is cut off first (MO-18 to MO-21)",
        arguments: [
            ("", false, 0, 0), ("rprivate", false, priv | rec, 0), ("rslave shared", false, slave | rec, shared),
            ("shared rslave", false, shared, slave | rec), ("unbindable", false, unbindable, 0),
            ("", true, slave | rec, 0), ("rprivate", true, priv | rec, 0), ("private", true, slave | rec, priv),
            ("rshared", true, slave | rec, shared | rec), ("slave shared", true, slave | rec, shared),
            ("shared slave", true, slave | rec, slave), ("private shared", true, priv | rec, shared),
        ] as [(String, Bool, UInt32, UInt32)])
    func propagation(options: String, mustLeaveHost: Bool, first: UInt32, second: UInt32) {
        let change = propagationChange(MountOptions(parsed(options)).propagation, mustLeaveHost: mustLeaveHost)
        #expect(change == PropagationChange(first, second))
    }

    @Test("superblock flags and data are parameters in their order; silent, mand and noiversion are none (MO-06 to MO-15)")
    func parameters() {
        let text = "size=1m sync silent mode=700 nolazytime mand noiversion newinstance async iversion dirsync loud"
        let options = MountOptions(parsed(text))
        #expect(
            options.parameters.map { $0.text }
                == ["size=1m", "sync", "mode=700", "nolazytime", "newinstance", "async", "dirsync"])
    }

    @Test("file systems get what is particular to them (M-04, M-12, M-13, MO-32)")
    func filesystems() throws {
        let config = Config.sample([.mount, .pid, .user, .cgroup]) { config in
            config.mount("/proc/", type: "proc", source: "proc", "nosuid")
            config.mount("sys", type: "sysfs", "ro")
            config.mount("/tmp", type: "tmpfs", "tmpcopyup", "size=1m")
            config.mount("/run/../dev", type: "tmpfs", "mode=755")
            config.mount("/dev/pts", type: "devpts", "newinstance", "gid=5", "mode=620")
            config.mount("/x", type: "devpts", "gid=1000")
            config.mount("/data", type: "ext4", source: "/dev/sda", "ro", "dest-nofollow", "errors=continue")
            config.mount("/sys/fs/cgroup", type: "cgroup", "ro", "rprivate")
        }
        let launch = try Planner.plan(config, .sample())
        #expect(
            words(launch, "mountFilesystem") == [
                "mount proc on /proc (nosuid), which may not be a link",
                "mount sysfs on /sys (ro), which may not be a link, or bind the host's where the kernel refuses",
                "mount tmpfs on /tmp (size=1m), with the mode of the directory below it, with its owner, filled with what was there",
                "mount tmpfs on /dev (mode=755)",
                "mount devpts on /dev/pts (newinstance, gid=5, mode=620)",
                "mount devpts on /x",
                "mount ext4 of /dev/sda on /data (ro, errors=continue, ro), which may not be a link",
                "mount cgroup2 on /sys/fs/cgroup (ro), rprivate",
            ])
        #expect(launch.warnings.map { $0.message } == ["gid=1000 is left out: the user namespace does not map group 1000"])
        #expect(launch.warnings.map { $0.row } == ["M-15"])
    }

    @Test("a bind's source is absolute or in the bundle; only one that stays a peer is opened early (M-03, MO-19)")
    func binds() throws {
        let config = Config.sample { config in
            config.mount("/a", source: "/srv/a", "rbind", "ro")
            config.mount("/b", source: "data", "bind", "src-nofollow")
            config.mount("/c", source: "/srv/c", "rbind", "rshared")
            config.mount("/d", source: "/srv/d", "rbind", "rslave", "shared")
            config.mount("/e", source: "/srv/e", "bind", "shared", "idmap=uids=0-10-5;gids=0-20-5")
        }
        let launch = try Planner.plan(config, .sample())
        #expect(
            words(launch, "openSource", "isolateMounts", "attachRoot", "bind") == [
                "open /srv/c while it is still a peer of the host's",
                "make all mounts rslave, so that none made here reaches the host",
                "take /b/rootfs as the root file system",
                "bind /srv/a to /a (ro), with everything below it",
                "bind /b/data to /b, a link itself",
                "bind /srv/c to /c, with everything below it, opened before, rshared",
                "bind /srv/d to /d, with everything below it, rslave, then shared",
                "bind /srv/e to /e, opened before, shared",
            ])
        // The runtime's slots come first, the init's follow.
        #expect(launch.sources.map { $0.slot } == [0])
        #expect(launch.sources.map { $0.path } == ["/srv/e"])
        guard case .openSource(let opened) = launch.plan.steps[0].step else { return #expect(Bool(false), "no openSource first") }
        #expect(opened.slot == 1)
    }

    @Test("in a user namespace the runtime opens every source, and no bind stays a peer of the host's")
    func bindsInUserNamespace() throws {
        let config = Config.sample([.mount, .pid, .user]) { config in
            config.mount("/a", source: "/srv/a", "rbind", "src-nofollow")
            config.mount("/c", source: "/srv/c", "bind", "shared")
            config.mount("/m", source: "/srv/m", "rbind", "ridmap")
            config.mount("/sys/fs/cgroup", type: "cgroup")
        }
        let launch = try Planner.plan(config, .sample())
        #expect(
            words(launch, "openSource", "bind") == [
                "bind /srv/a to /a, with everything below it, opened before, rslave",
                "bind /srv/c to /c, opened before, rslave, then shared",
                "bind /srv/m to /m, with everything below it, opened before, rslave",
                "bind /sys/fs/cgroup/box to /sys/fs/cgroup, opened before, rslave",
            ])
        #expect(launch.sources.map { $0.slot } == [0, 1, 2, 3])
        #expect(launch.sources.map { $0.isRecursive } == [true, false, true, false])
        #expect(launch.sources.map { $0.noFollow } == [true, false, false, false])
        #expect(
            launch.sources[2].idMap
                == .init(.mapped(uids: config.linux.uidMappings, gids: config.linux.gidMappings), isRecursive: true))
    }

    @Test("cgroup v1: a read-only directory of the container's own cgroups (M-12)")
    func hierarchies() throws {
        let config = Config.sample { $0.mount("/sys/fs/cgroup", type: "cgroup", source: "cgroup", "ro", "nosuid") }
        let facts = PlanningFacts.sample { facts in
            facts.isCgroupV2 = false
            facts.cgroupMounts = [
                .init(name: "memory", directory: "/sys/fs/cgroup/memory/box"),
                .init(name: "cpu,cpuacct", directory: "/sys/fs/cgroup/cpu,cpuacct/box", links: ["cpu", "cpuacct"]),
            ]
        }
        let launch = try Planner.plan(config, facts)
        let all = words(launch, "mountFilesystem", "makeDirectory", "bind", "makeSymlink", "remount")
        #expect(
            all.prefix { !$0.contains("/dev/") } == [
                "mount tmpfs on /sys/fs/cgroup (nosuid, nodev, noexec, mode=755, size=64k)",
                "make the directory /sys/fs/cgroup/memory (mode 0755)",
                "bind /sys/fs/cgroup/memory/box to /sys/fs/cgroup/memory (ro, nosuid)",
                "make the directory /sys/fs/cgroup/cpu,cpuacct (mode 0755)",
                "bind /sys/fs/cgroup/cpu,cpuacct/box to /sys/fs/cgroup/cpu,cpuacct (ro, nosuid)",
                "make the link /sys/fs/cgroup/cpu to cpu,cpuacct",
                "make the link /sys/fs/cgroup/cpuacct to cpu,cpuacct",
                "remount /sys/fs/cgroup (ro)",
            ])
    }

    @Test("a remount of a bind leaves the file system alone (MO-16)")
    func remounts() throws {
        let config = Config.sample { config in
            config.mount("/a", "remount", "ro", "sync", "size=2m")
            config.mount("/b", "bind", "remount", "ro", "nosuid")
        }
        #expect(
            words(try Planner.plan(config, .sample()), "remount", "bind") == ["remount /a (ro, sync, size=2m)", "remount /b (ro, nosuid)"])
    }

    @Test("a link that copy-symlink copies is made, not mounted; another source is bound (MO-35)")
    func copiedLinks() throws {
        let config = Config.sample { config in
            config.mount("/etc/localtime", source: "/srv/link", "bind", "copy-symlink", "shared")
            config.mount("/etc/file", source: "/srv/file", "bind", "copy-symlink")
        }
        let launch = try Planner.plan(config, .sample { $0.copiedLinks = [.init(mount: 0, target: "../zone")] })
        let made = words(launch, "openSource", "bind", "makeSymlink").filter { !$0.contains("/dev/") }
        #expect(made == ["make the link /etc/localtime to ../zone", "bind /srv/file to /etc/file"])
    }

    @Test("a mount label is the context of file systems that keep one, where SELinux is on (X-04)")
    func mountLabel() throws {
        let config = Config.sample { config in
            config.linux.mountLabel = Located("system_u:object_r:container_file_t:s0:c1,c2")
            config.mount("/proc", type: "proc")
            config.mount("/dev", type: "tmpfs", "mode=755")
        }
        let on = try Planner.plan(config, .sample { $0.isSELinuxEnabled = true })
        #expect(
            words(on, "mountFilesystem") == [
                "mount proc on /proc, which may not be a link",
                "mount tmpfs on /dev (mode=755, context=system_u:object_r:container_file_t:s0:c1,c2)",
            ])
        let off = try Planner.plan(config, .sample())
        #expect(words(off, "mountFilesystem").last == "mount tmpfs on /dev (mode=755)")
    }

    @Test("mounts that cannot be made as written are refused")
    func refused() {
        let cases: [(String, (inout Config) -> Void)] = [
            ("M-04", { $0.mount("/x", source: "x") }), ("M-03", { $0.mount("/x", type: "none", source: "/x") }),
            ("M-03", { $0.mount("/x", "bind") }), ("M-03", { $0.mount("/x", "bind", "shared") }),
            ("M-09", { $0.mount("/x", source: "/x", "bind", "idmap") }), ("MO-33", { $0.mount("/x", type: "tmpfs", "idmap") }),
            ("MO-33", { $0.mount("/x", source: "/x", "bind", "idmap=uids=0-1") }),
            ("MO-18", { $0.mount("/x", source: "/x", "bind", "private", "slave", "shared") }),
        ]
        for (row, change) in cases { #expect(planningError(.sample([.mount], change))?.row == row) }
    }

    private func parsed(_ options: String) -> [Located<MountOption>] {
        options.split(separator: " ").map { Located(MountOption(String($0))) }
    }
}

@Suite("The idmap option (MO-33)")
struct IDMapOptionTests {
    private let container = [IDMapping(containerID: 0, hostID: 0, size: 1), IDMapping(containerID: 1, hostID: 2, size: 1000)]

    private func parse(_ text: String) -> IDMapOption? {
        IDMapOption(text, containerUIDs: container, containerGIDs: [], origin: .none)
    }

    @Test("ranges are read, absolute and relative to the container")
    func ranges() throws {
        let option = try #require(parse("uids=0-1-10#10-11-10;gids=0-100-10"))
        #expect(
            option.uids == [IDMapping(containerID: 0, hostID: 1, size: 10), IDMapping(containerID: 10, hostID: 11, size: 10)])
        #expect(option.gids == [IDMapping(containerID: 0, hostID: 100, size: 10)])
        #expect(parse("uids=@1-3-10;gids=0-0-1")?.uids == [IDMapping(containerID: 1, hostID: 4, size: 10)])
    }

    @Test(
        "what is no mapping is refused",
        arguments: [
            "", "uids=0-1-10", "gids=0-1-1", "uids=0-1;gids=0-1-1", "uids=0-1-0;gids=0-1-1", "uids=0-1-4294967296;gids=0-1-1",
            "uids=1-0-4294967295;gids=0-1-1", "uids=a-1-1;gids=0-1-1", "uids=0-1-1#;gids=0-1-1", "uid=0-1-1;gids=0-1-1",
            "uids=0-1-1;gids=@0-1-1", "uids=@0-2000-1;gids=0-1-1", "uids=0--1-1;gids=0-1-1", "uids=0-1-1,gids=0-1-1",
        ])
    func refused(text: String) {
        #expect(parse(text) == nil)
    }
}

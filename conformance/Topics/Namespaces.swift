/// New, joined and inherited namespaces, id mappings, and what is visible of them from outside and inside.

import Foundation

/// Namespace types of the config and their names below /proc/PID/ns.
private let types = [("pid", "pid"), ("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("mount", "mnt"), ("cgroup", "cgroup")]

let namespaces = Topic("namespaces") { topic in
    for (type, name) in types {
        topic.claim("a new \(type) namespace is not the host's", rows: ["N-01", "N-02"]) { lab in
            let box = try lab.container("readlink /proc/self/ns/\(name)")
            let inside = try box.printed()
            try expect(inside.hasPrefix("\(name):["), "no namespace: \(inside)")
            try expect(inside != Namespace.own(name), "the payload is in the host's \(inside)")
        }
    }

    for (type, name) in types where type != "pid" && type != "mount" {
        topic.claim("without \(type) the container inherits the runtime's", rows: ["N-01"]) { lab in
            let box = try lab.container("readlink /proc/self/ns/\(name)") {
                $0.share(type)
                if type == "uts" { $0["/hostname"] = nil }
                if type == "network" { $0.inheritSys() }
            }
            try equal(try box.printed(), Namespace.own(name), "namespace")
        }
    }

    for (type, name) in types where type != "mount" {
        topic.claim("a joined \(type) namespace is the one at the path", rows: ["N-03"]) { lab in
            let first = try lab.container("exec sleep 100")
            try first.up()
            let path = "/proc/\(try first.pid())/ns/\(name)"
            let second = try lab.container("readlink /proc/self/ns/\(name)") { $0.join(type, path) }
            try equal(try second.printed(), Namespace.at(path), "namespace")
        }
    }

    topic.claim("the namespaces of the container's init are new as well", rows: ["N-01"]) { lab in
        let box = try lab.container("exec sleep 100")
        try box.up()
        let pid = try box.pid()
        for (_, name) in types { try expect(Namespace.at("/proc/\(pid)/ns/\(name)") != Namespace.own(name), "\(name) is the host's") }
    }

    topic.claim("a network namespace can be joined by a file it is bound to", rows: ["N-03"]) { lab in
        let name = try lab.netns()
        let box = try lab.container("readlink /proc/self/ns/net") { $0.join("network", "/run/netns/\(name)") }
        try equal(try box.printed(), "net:[\(try Namespace.inode("/run/netns/\(name)"))]", "namespace")
    }

    topic.claim("an empty path asks for a new namespace", rows: ["N-03"]) { lab in
        let box = try lab.container("readlink /proc/self/ns/net") { $0.join("network", "") }
        let inside = try box.printed()
        try expect(inside.hasPrefix("net:[") && inside != Namespace.own("net"), "the payload is in \(inside), the host's namespace")
    }

    for (type, name) in [("network", "uts"), ("ipc", "net"), ("pid", "mnt")] {
        topic.claim("a \(type) path to a namespace of another type is refused", rows: ["N-03"]) { lab in
            try lab.container { $0.join(type, "/proc/self/ns/\(name)") }.refused()
        }
    }

    topic.claim("a network path to a regular file is refused", rows: ["N-03"]) { lab in
        let file = try lab.file("")
        try lab.container { $0.join("network", file) }.refused()
    }

    topic.claim("loopback is up in a new network namespace", rows: ["N-05"]) { lab in
        let text = try lab.container("ip addr show lo; ping -c 1 -W 2 127.0.0.1 >/dev/null && echo answered") {
            $0.grant(["CAP_NET_RAW"])
        }.printed()
        try contains(text, "LOOPBACK,UP", "ip addr")
        try contains(text, "127.0.0.1/8", "ip addr")
        try contains(text, "answered", "ping")
    }

    topic.claim("two containers reach each other over a veth pair between joined namespaces", rows: ["N-03", "N-05"]) { lab in
        let names = [try lab.netns(), try lab.netns()]
        try lab.command("ip", "link", "add", "veth-a", "netns", names[0], "type", "veth", "peer", "name", "veth-b", "netns", names[1])
        for (index, device) in ["veth-a", "veth-b"].enumerated() {
            try lab.command("ip", "-n", names[index], "addr", "add", "10.99.0.\(index + 1)/24", "dev", device)
            try lab.command("ip", "-n", names[index], "link", "set", device, "up")
        }
        let server = try lab.container("echo ready; echo hello from a | nc -l -p 7000") { $0.join("network", "/run/netns/\(names[0])") }
        try server.up()
        try server.writes("ready")
        let client = try lab.container("for i in 1 2 3 4 5; do nc -w 2 10.99.0.1 7000 </dev/null && exit; sleep 0.1; done; exit 1") {
            $0.join("network", "/run/netns/\(names[1])")
        }
        try equal(try client.printed(), "hello from a", "what the client read")
    }

    topic.claim("two containers with one network namespace share loopback", rows: ["N-03"]) { lab in
        let server = try lab.container("echo ready; echo shared | nc -l -p 7000")
        try server.up()
        try server.writes("ready")
        let pid = try server.pid()
        let client = try lab.container("for i in 1 2 3 4 5; do nc -w 2 127.0.0.1 7000 </dev/null && exit; sleep 0.1; done; exit 1") {
            $0.join("network", "/proc/\(pid)/ns/net")
        }
        try equal(try client.printed(), "shared", "what the client read")
    }

    topic.claim("in a joined PID namespace both see each other", rows: ["N-03", "N-04"]) { lab in
        let first = try lab.container("exec sleep 4242")
        try first.up()
        let pid = try first.pid()
        let second = try lab.container("ps -o args") { $0.join("pid", "/proc/\(pid)/ns/pid") }
        try contains(try second.printed(), "sleep 4242", "ps")
    }

    topic.claim("the cgroup namespace shows the container's cgroup as /", rows: ["N-10"]) { lab in
        let text = try lab.container("cat /proc/self/cgroup").printed()
        try expect(!text.isEmpty, "no cgroup at all")
        for line in text.split(separator: "\n") {
            try expect(line.hasSuffix(":/"), "a cgroup is not the root of the namespace: \(line)")
        }
    }

    topic.claim("a user namespace has exactly the configured mappings", rows: ["I-01", "I-02", "I-03", "N-09"]) { lab in
        let box = try lab.container("cat /proc/self/uid_map; echo --; cat /proc/self/gid_map") {
            $0.userNamespace(uids: [(0, 100_000, 1000), (1000, 200_000, 5), (2000, 300_000, 1)], gids: [(0, 400_000, 2000)])
        }
        box.ownRootfs(100_000, 400_000)
        let words = try box.printed().split(whereSeparator: \.isWhitespace).map(String.init)
        try equal(
            words, "0 100000 1000 1000 200000 5 2000 300000 1 -- 0 400000 2000".components(separatedBy: " "), "maps")
    }

    topic.claim("in a user namespace the payload is root inside and mapped outside", rows: ["I-01", "N-09"]) { lab in
        let box = try lab.container("id -u; id -g; touch /tmp/made; exec sleep 100") {
            $0.userNamespace(uids: [(0, 100_000, 65536)], gids: [(0, 200_000, 65536)])
        }
        box.ownRootfs(100_000, 200_000)
        try box.up()
        try box.writes("0\n0\n")
        try lab.eventually("the file") { FileManager.default.fileExists(atPath: "\(box.rootfs)/tmp/made") }
        let owner = try Namespace.owner("\(box.rootfs)/tmp/made")
        try equal([owner.uid, owner.gid], [100_000, 200_000], "owner of a file made inside")
        let status = lab.read("/proc/\(try box.pid())/status")
        try contains(status, "Uid:\t100000\t100000\t100000\t100000", "status of the init")
    }

    topic.claim("files of the rootfs keep their owners in a user namespace", rows: ["I-01"]) { lab in
        let box = try lab.container("stat -c %u:%g /etc/passwd /etc/group /etc") {
            $0.userNamespace(uids: [(0, 100_000, 65536)], gids: [(0, 100_000, 65536)])
        }
        box.ownRootfs(100_000, 100_000)
        chown("\(box.rootfs)/etc", 100_007, 100_008)
        try FileManager.default.removeItem(atPath: "\(box.rootfs)/etc/group")
        try "".write(toFile: "\(box.rootfs)/etc/group", atomically: false, encoding: .utf8)
        chown("\(box.rootfs)/etc/group", 5, 5)
        let lines = try box.printed().split(separator: "\n").map(String.init)
        try equal(lines, ["0:0", "65534:65534", "7:8"], "owners seen inside")
    }

    topic.claim("a bind in a user namespace keeps the flags of its source that the config does not change", rows: ["M-11"]) { lab in
        let source = lab.fresh("locked")
        try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
        try lab.command("mount", "-t", "tmpfs", "-o", "noexec,nodev", "locked", source)
        defer { umount2(source, Int32(MNT_DETACH)) }
        let box = try lab.container("grep ' /data ' /proc/self/mountinfo") {
            $0.userNamespace(uids: [(0, 100_000, 65536)], gids: [(0, 100_000, 65536)])
            $0.mount("/data", source: source, ["bind", "nosuid"])
        }
        box.ownRootfs(100_000, 100_000)
        let flags = try box.printed()
        for flag in ["nosuid", "nodev", "noexec"] { try contains(flags, flag, "flags") }
    }

    topic.claim("the usual mounts work in a user namespace", rows: ["M-14", "M-15", "D-01"]) { lab in
        let box = try lab.container(
            "ls /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty && cat </dev/null && echo x >/dev/null && echo fine"
        ) {
            $0.userNamespace(uids: [(0, 100_000, 65536)], gids: [(0, 100_000, 65536)])
        }
        box.ownRootfs(100_000, 100_000)
        try contains(try box.printed(), "fine", "output")
    }

    topic.claim("a joined user namespace is the one at the path, with its mappings", rows: ["N-03", "N-09", "N-12"]) { lab in
        let first = try lab.container("exec sleep 100") { $0.userNamespace(uids: [(0, 100_000, 9)], gids: [(0, 100_000, 9)]) }
        first.ownRootfs(100_000, 100_000)
        try first.up()
        let pid = try first.pid()
        let second = try lab.container("readlink /proc/self/ns/user; cat /proc/self/uid_map") { $0.join("user", "/proc/\(pid)/ns/user") }
        second.ownRootfs(100_000, 100_000)
        let lines = try second.printed().split(separator: "\n").map(String.init)
        try equal(lines.first, Namespace.at("/proc/\(pid)/ns/user"), "namespace")
        try equal(lines.last?.split(separator: " ").map(String.init), ["0", "100000", "9"], "uid_map")
    }

    topic.claim("a joined user and network namespace of one container work together", rows: ["N-12"]) { lab in
        let first = try lab.container("exec sleep 100") { $0.userNamespace(uids: [(0, 100_000, 9)], gids: [(0, 100_000, 9)]) }
        first.ownRootfs(100_000, 100_000)
        try first.up()
        let pid = try first.pid()
        let second = try lab.container("readlink /proc/self/ns/net") {
            $0.join("user", "/proc/\(pid)/ns/user")
            $0.join("network", "/proc/\(pid)/ns/net")
        }
        second.ownRootfs(100_000, 100_000)
        try equal(try second.printed(), Namespace.at("/proc/\(pid)/ns/net"), "namespace")
    }

    topic.claim("a uid that is not mapped is refused", rows: ["P-39"]) { lab in
        let box = try lab.container {
            $0.userNamespace(uids: [(0, 100_000, 10)], gids: [(0, 100_000, 10)])
            $0["/process/user/uid"] = 10
        }
        box.ownRootfs(100_000, 100_000)
        try box.refused()
    }

    for (name, mappings) in [
        ("a mapping of size 0", [(0, 100_000, 0)]), ("overlapping mappings", [(0, 100_000, 10), (5, 200_000, 10)]),
        ("a mapping beyond 32 bits", [(0, 4_294_967_290, 100)]),
    ] {
        topic.claim("\(name) is refused", rows: ["I-01", "I-03"]) { lab in
            try lab.container { $0.userNamespace(uids: mappings, gids: [(0, 100_000, 10)]) }.refused()
        }
    }

    topic.claim("a user namespace without mappings is refused", rows: ["N-09"]) { lab in
        try lab.container { $0.append("/linux/namespaces", ["type": "user"]) }.refused()
    }

    topic.claim("a time namespace has the configured offsets", rows: ["N-11", "T-01", "T-02", "T-03"], since: "1.1.0") { lab in
        let box = try lab.container("cat /proc/self/timens_offsets; readlink /proc/self/ns/time; cut -d. -f1 /proc/uptime") {
            $0.append("/linux/namespaces", ["type": "time"])
            $0["/linux/timeOffsets"] = ["monotonic": ["secs": 3600, "nanosecs": 5], "boottime": ["secs": 864_000]]
        }
        let lines = try box.printed(lines: 4)
        try equal(lines[0], ["monotonic", "3600", "5"], "monotonic")
        try equal(lines[1], ["boottime", "864000", "0"], "boottime")
        try expect(lines[2] != [Namespace.own("time")], "the payload is in the host's time namespace")
        try expect(Int(lines[3].joined()) ?? 0 >= 864_000, "uptime \(lines[3])")
    }

    for (clock, seconds, words) in [("boottime", -4_000_000_000, "negative"), ("monotonic", Int(Int64.max), "clock")] {
        topic.claim("an offset that the \(clock) clock cannot take is refused", rows: ["T-02"], since: "1.1.0") { lab in
            try lab.container {
                $0.append("/linux/namespaces", ["type": "time"])
                $0["/linux/timeOffsets"] = [clock: ["secs": seconds]]
            }.refused(lab.runtime.isSwoci ? words : "")
        }
    }

    topic.claim("offsets for a time namespace that is joined are refused", rows: ["T-01"], since: "1.1.0") { lab in
        try lab.container {
            $0.append("/linux/namespaces", ["type": "time", "path": "/proc/self/ns/time"])
            $0["/linux/timeOffsets"] = ["boottime": ["secs": 5]]
        }.refused()
    }

    topic.claim("a joined mount namespace is the one at the path, and whoever lives there keeps its root", rows: ["N-03", "N-06"]) { lab in
        try lab.oursOnly()
        let holder = try lab.mountNamespaceHolder()
        let path = "/proc/\(holder)/ns/mnt"
        let root = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(holder)/root/")
        let box = try lab.container("readlink /proc/self/ns/mnt; ls /") { $0.join("mount", path) }
        let lines = try box.printed().split(separator: "\n").map(String.init)
        try equal(lines.first, Namespace.at(path), "namespace")
        try expect(lines.contains("bin") && !lines.contains("boot"), "the payload sees another root: \(lines)")
        try equal(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(holder)/root/").sorted(), root.sorted(), "the holder's root")
    }

    topic.claim("a joined time namespace is the one at the path", rows: ["N-03", "N-11"], since: "1.1.0") { lab in
        let first = try lab.container("exec sleep 100") {
            $0.append("/linux/namespaces", ["type": "time"])
            $0["/linux/timeOffsets"] = ["boottime": ["secs": 864_000]]
        }
        try first.up()
        let path = "/proc/\(try first.pid())/ns/time"
        let second = try lab.container("readlink /proc/self/ns/time") { $0.join("time", path) }
        try equal(try second.printed(), Namespace.at(path), "namespace")
    }
}

/// Namespaces as seen from the suite.
enum Namespace {
    /// The suite's own namespace, which is the runtime's.
    static func own(_ name: String) -> String { at("/proc/self/ns/\(name)") }

    /// The name of a namespace at a link below /proc.
    static func at(_ path: String) -> String { (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? "" }

    /// The inode of a file, which for a bound namespace is the number in its name.
    static func inode(_ path: String) throws -> UInt64 {
        var info = stat()
        try expect(stat(path, &info) == 0, "no \(path)")
        return UInt64(info.st_ino)
    }

    /// The owner of a file, not following a link.
    static func owner(_ path: String) throws -> (uid: UInt32, gid: UInt32) {
        var info = stat()
        try expect(lstat(path, &info) == 0, "no \(path)")
        return (info.st_uid, info.st_gid)
    }
}

extension Lab {
    /// A network namespace bound below /run/netns.
    func netns() throws -> String {
        let name = "\(Isolation.token)\((fresh("n") as NSString).lastPathComponent)"
        try command("ip", "netns", "add", name)
        later { [weak self] in
            _ = try? self?.command("ip", "netns", "delete", name)
            umount2("/run/netns", Int32(MNT_DETACH))
        }
        return name
    }
}

extension Config {
    /// Adds a user namespace with ranges (inside, outside, count).
    mutating func userNamespace(uids: [(Int, Int, Int)], gids: [(Int, Int, Int)]) {
        append("/linux/namespaces", ["type": "user"])
        self["/linux/uidMappings"] = uids.map { ["containerID": $0.0, "hostID": $0.1, "size": $0.2] }
        self["/linux/gidMappings"] = gids.map { ["containerID": $0.0, "hostID": $0.1, "size": $0.2] }
    }

    /// Adds capabilities to all sets but the ambient one.
    mutating func grant(_ names: [String]) {
        for set in ["bounding", "effective", "permitted"] {
            self["/process/capabilities/\(set)"] = (self["/process/capabilities/\(set)"] as? [String] ?? []) + names
        }
    }

    /// Replaces the new sysfs by the host's, as needed without a network namespace of the container's own.
    mutating func inheritSys() {
        self["/mounts"] = (self["/mounts"] as! [Object]).filter { $0["destination"] as? String != "/sys" }
        mount("/sys", type: "bind", source: "/sys", ["rbind", "ro"])
    }
}

extension Container {
    /// Gives the whole rootfs to an owner; hard links are replaced by copies first, as other cases share them.
    func ownRootfs(_ uid: UInt32, _ gid: UInt32) {
        _ = try? lab.command(
            "sh", "-c", "rm -rf '\(rootfs)' && cp -a '\(Isolation.scratch)/tree' '\(rootfs)' && chown -hR \(uid):\(gid) '\(rootfs)'")
    }
}

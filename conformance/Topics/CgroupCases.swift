/// Cgroups: where the container is put, which limits its files show, what they do, and what is left after delete.

import Foundation

/// A whole disk of this host, as "MAJOR:MINOR"; nil: there is none.
private let disk: String? = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/sys/block")) ?? []
    guard let name = names.sorted().first(where: { name in ["vd", "sd", "nvme", "xvd"].contains { name.hasPrefix($0) } }) else {
        return nil
    }
    return (try? String(contentsOfFile: "/sys/block/\(name)/dev", encoding: .utf8))?.trimmingCharacters(in: .newlines)
}()

/// A throttle of that disk as the config has it.
private let throttle: String = {
    let numbers = (disk ?? "0:0").split(separator: ":")
    return #"[{"major": \#(numbers[0]), "minor": \#(numbers[1]), "rate": 1048576}]"#
}()

/// A limit: property of linux.resources and value as JSON, controller, file and content for cgroup v1, then for v2.
private struct Limit: Sendable {
    let name: String
    let rows: [String]
    let pointer: String
    let value: String
    let controller: String
    var since = "1.0.0"
    let v1: (file: String, content: String)?
    let v2: (file: String, content: String)?
}

private let limits = [
    Limit(
        name: "a memory limit", rows: ["RM-02"], pointer: "memory", value: #"{"limit": 67108864}"#, controller: "memory",
        v1: ("memory.limit_in_bytes", "67108864"), v2: ("memory.max", "67108864")),
    Limit(
        name: "a memory reservation", rows: ["RM-03"], pointer: "memory", value: #"{"reservation": 33554432}"#, controller: "memory",
        v1: ("memory.soft_limit_in_bytes", "33554432"), v2: ("memory.low", "33554432")),
    Limit(
        name: "memory and swap together", rows: ["RM-04", "RM-05"], pointer: "memory", value: #"{"limit": 67108864, "swap": 134217728}"#,
        controller: "memory", v1: ("memory.memsw.limit_in_bytes", "134217728"), v2: ("memory.swap.max", "67108864")),
    Limit(
        name: "swap equal to the limit", rows: ["RM-04"], pointer: "memory", value: #"{"limit": 67108864, "swap": 67108864}"#,
        controller: "memory", v1: ("memory.memsw.limit_in_bytes", "67108864"), v2: ("memory.swap.max", "0")),
    Limit(
        name: "an unlimited memory", rows: ["RM-01", "RM-02"], pointer: "memory", value: #"{"limit": -1}"#, controller: "memory",
        v1: ("memory.limit_in_bytes", "9223372036854771712"), v2: ("memory.max", "max")),
    Limit(
        name: "a disabled OOM killer", rows: ["RM-09"], pointer: "memory", value: #"{"disableOOMKiller": true}"#, controller: "memory",
        v1: ("memory.oom_control", "oom_kill_disable 1"), v2: nil),
    Limit(
        name: "a swappiness", rows: ["RM-08"], pointer: "memory", value: #"{"swappiness": 7}"#, controller: "memory",
        v1: ("memory.swappiness", "7"), v2: nil),
    Limit(
        name: "cpu shares", rows: ["RC-01"], pointer: "cpu", value: #"{"shares": 512}"#, controller: "cpu",
        v1: ("cpu.shares", "512"), v2: ("cpu.weight", "59")),
    Limit(
        name: "a cpu quota", rows: ["RC-02", "RC-04"], pointer: "cpu", value: #"{"quota": 20000, "period": 50000}"#, controller: "cpu",
        v1: ("cpu.cfs_quota_us", "20000"), v2: ("cpu.max", "20000 50000")),
    Limit(
        name: "a cpu period", rows: ["RC-04"], pointer: "cpu", value: #"{"quota": 20000, "period": 50000}"#, controller: "cpu",
        v1: ("cpu.cfs_period_us", "50000"), v2: ("cpu.max", "20000 50000")),
    Limit(
        name: "an unlimited cpu quota", rows: ["RC-02"], pointer: "cpu", value: #"{"quota": -1, "period": 50000}"#, controller: "cpu",
        v1: ("cpu.cfs_quota_us", "-1"), v2: ("cpu.max", "max 50000")),
    Limit(
        name: "a cpu list", rows: ["RC-07"], pointer: "cpu", value: #"{"cpus": "0"}"#, controller: "cpuset",
        v1: ("cpuset.cpus", "0"), v2: ("cpuset.cpus", "0")),
    Limit(
        name: "a memory node list", rows: ["RC-08"], pointer: "cpu", value: #"{"mems": "0"}"#, controller: "cpuset",
        v1: ("cpuset.mems", "0"), v2: ("cpuset.mems", "0")),
    Limit(
        name: "a pids limit", rows: ["RH-07"], pointer: "pids", value: #"{"limit": 77}"#, controller: "pids",
        v1: ("pids.max", "77"), v2: ("pids.max", "77")),
    Limit(
        name: "an unlimited pids limit", rows: ["RH-07"], pointer: "pids", value: #"{"limit": -1}"#, controller: "pids",
        v1: ("pids.max", "max"), v2: ("pids.max", "max")),
    Limit(
        name: "a cpu burst", rows: ["RC-03"], pointer: "cpu", value: #"{"quota": 20000, "period": 50000, "burst": 10000}"#,
        controller: "cpu", since: "1.1.0", v1: ("cpu.cfs_burst_us", "10000"), v2: ("cpu.max.burst", "10000")),
    Limit(
        name: "an idle cpu group", rows: ["RC-09"], pointer: "cpu", value: #"{"idle": 1}"#, controller: "cpu", since: "1.1.0",
        v1: ("cpu.idle", "1"), v2: ("cpu.idle", "1")),
    Limit(
        name: "a limit of huge pages", rows: ["RH-01", "RH-02", "RH-03"], pointer: "hugepageLimits",
        value: #"[{"pageSize": "2MB", "limit": 4194304}]"#, controller: "hugetlb", v1: ("hugetlb.2MB.limit_in_bytes", "4194304"),
        v2: ("hugetlb.2MB.max", "4194304")),
    Limit(
        name: "a limit of reserved huge pages", rows: ["RH-01"], pointer: "hugepageLimits",
        value: #"[{"pageSize": "2MB", "limit": 4194304}]"#,
        controller: "hugetlb", since: "1.1.0", v1: ("hugetlb.2MB.rsvd.limit_in_bytes", "4194304"), v2: ("hugetlb.2MB.rsvd.max", "4194304")),
    Limit(
        name: "a class of packets", rows: ["RH-04"], pointer: "network", value: #"{"classID": 1048577}"#, controller: "net_cls",
        v1: ("net_cls.classid", "1048577"), v2: nil),
    Limit(
        name: "a priority of packets", rows: ["RH-05", "RH-06"], pointer: "network",
        value: #"{"priorities": [{"name": "lo", "priority": 3}]}"#,
        controller: "net_prio", v1: ("net_prio.ifpriomap", "lo 3"), v2: nil),
    Limit(
        name: "a rate of bytes read", rows: ["RB-06"], pointer: "blockIO", value: #"{"throttleReadBpsDevice": \#(throttle)}"#,
        controller: "blkio", v1: ("blkio.throttle.read_bps_device", "\(disk ?? "") 1048576"),
        v2: ("io.max", "\(disk ?? "") rbps=1048576 wbps=max riops=max wiops=max")),
    Limit(
        name: "a rate of writes", rows: ["RB-07"], pointer: "blockIO", value: #"{"throttleWriteIOPSDevice": \#(throttle)}"#,
        controller: "blkio", v1: ("blkio.throttle.write_iops_device", "\(disk ?? "") 1048576"),
        v2: ("io.max", "\(disk ?? "") rbps=max wbps=max riops=max wiops=1048576")),
    Limit(
        name: "a file of cgroup v2 as it is", rows: ["RU-01"], pointer: "unified", value: #"{"memory.high": "33554432"}"#,
        controller: "memory",
        since: "1.1.0", v1: nil, v2: ("memory.high", "33554432")),
    Limit(
        name: "the OOM group of cgroup v2", rows: ["RU-01"], pointer: "unified", value: #"{"memory.oom.group": "1"}"#, controller: "memory",
        since: "1.1.0", v1: nil, v2: ("memory.oom.group", "1")),
]

let cgroups = Topic("cgroups") { topic in
    for limit in limits {
        topic.claim("\(limit.name) is in force before the payload starts", rows: limit.rows, since: limit.since) { lab in
            let controller = Cgroups.isUnified && limit.controller == "blkio" ? "io" : limit.controller
            try Cgroups.require(controller)
            if Cgroups.isUnified(controller), !Cgroups.isUnified, !lab.runtime.isSwoci {
                throw Skip("other runtimes use no controllers of the unified hierarchy beside v1 hierarchies")
            }
            guard let (file, content) = Cgroups.isUnified(controller) ? limit.v2 : limit.v1 else {
                throw Skip("this cgroup layout has no such limit")
            }
            if limit.pointer == "blockIO", disk == nil { throw Skip("no disk to throttle") }
            let box = try lab.container {
                $0["/linux/resources/\(limit.pointer)"] = try JSONSerialization.jsonObject(with: Data(limit.value.utf8))
            }
            try box.created()
            let path = "\(try Cgroups.directory(of: box.pid(), controller: controller))/\(file)"
            guard FileManager.default.fileExists(atPath: path) else { throw Skip("this kernel has no \(file)") }
            let actual = lab.read(path).trimmingCharacters(in: .newlines)
            if limit.name == "an unlimited memory", !Cgroups.isUnified {
                return try expect((Int(actual) ?? 0) >= 9_223_372_036_854_771_712, "\(file) is \(actual)")
            }
            try expect(actual.split(separator: "\n").contains(Substring(content)), "\(file) is \(actual.debugDescription), want \(content)")
        }
    }

    topic.claim("a cpu quota throttles a busy payload", rows: ["RC-02", "RC-04"]) { lab in
        try Cgroups.require("cpu")
        let box = try lab.container("while :; do :; done") { $0["/linux/resources/cpu"] = ["quota": 5000, "period": 50_000] as Object }
        try box.up()
        let file = "\(try Cgroups.directory(of: box.pid(), controller: "cpu"))/cpu.stat"
        try lab.eventually("throttled periods") {
            lab.read(file).split(separator: "\n").contains { $0.hasPrefix("nr_throttled ") && $0 != "nr_throttled 0" }
        }
    }

    topic.claim("files of cgroup v2 are refused on cgroup v1", rows: ["RU-01"], since: "1.1.0") { lab in
        if Cgroups.isUnified { throw Skip("this host has cgroup v2") }
        let box = try lab.container { $0["/linux/resources/unified"] = ["memory.high": "33554432"] as Object }
        try box.refused("v1")
    }

    topic.claim("a file that is not in the cgroup, or not in it alone, is refused", rows: ["RU-01"], since: "1.1.0") { lab in
        for file in ["../cgroup.procs", "no.such.file", "cgroup.no.such"] {
            let box = try lab.container { $0["/linux/resources/unified"] = [file: "1"] as Object }
            try box.refused()
        }
    }

    topic.claim("a pids limit refuses a fork", rows: ["RH-07"]) { lab in
        try Cgroups.require("pids")
        let box = try lab.container("for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; echo end") { $0["/linux/resources/pids"] = ["limit": 5] }
        let outcome = try box.run()
        try contains(outcome.err, "can't fork", "error of the payload's shell")
    }

    topic.claim("pids.limit 1 still runs", rows: ["RH-07"]) { lab in
        try Cgroups.require("pids")
        let box = try lab.container("echo alone") { $0["/linux/resources/pids"] = ["limit": 1] }
        try equal(try box.printed(), "alone", "output")
    }

    topic.claim("a process over the memory limit is killed", rows: ["RM-02"]) { lab in
        try Cgroups.require("memory")
        let box = try lab.container("tail -c 64000000 /dev/zero >/dev/null; echo status $?") {
            $0["/linux/resources/memory"] = ["limit": 16_777_216]
        }
        let outcome = try box.run()
        try expect(outcome.status == 137 || outcome.out.contains("status 137"), "status \(outcome.status), output \(outcome.out)")
    }

    topic.claim("a memory limit that no container can start under is an error that speaks of memory", rows: ["RM-02"]) { lab in
        try Cgroups.require("memory")
        let box = try lab.container { $0["/linux/resources/memory"] = ["limit": 65_536] as Object }
        try box.refused("memory")
    }

    topic.claim("the payload cannot run on other CPUs than the listed", rows: ["RC-07"]) { lab in
        try Cgroups.require("cpuset")
        let box = try lab.container("grep Cpus_allowed_list: /proc/self/status") { $0["/linux/resources/cpu"] = ["cpus": "0"] }
        try equal(try box.printed(), "Cpus_allowed_list:\t0", "status")
    }

    topic.claim("a device without a rule cannot be opened", rows: ["RD-01", "RD-02"]) { lab in
        let box = try lab.container("(head -c 1 /dev/mem | wc -c) 2>&1; (echo >/dev/loop) 2>&1; head -c 1 /dev/zero | wc -c") {
            $0.grant(["CAP_SYS_RAWIO"])
            $0.append("/linux/devices", ["path": "/dev/mem", "type": "c", "major": 1, "minor": 1] as Object)
            $0.append("/linux/devices", ["path": "/dev/loop", "type": "b", "major": 7, "minor": 0] as Object)
        }
        let text = try box.run().out
        try equal(text.components(separatedBy: "Operation not permitted").count - 1, 2, "refused opens in \(text)")
        try expect(text.hasSuffix("1\n"), "/dev/zero cannot be read: \(text)")
    }

    topic.claim("device rules apply in their order, access by access", rows: ["RD-01", "RD-04", "RD-05"]) { lab in
        let script = """
            mknod /tmp/kmsg c 1 11; (: </tmp/kmsg) 2>/dev/null && echo read; (: >/tmp/kmsg) 2>/dev/null && echo write
            mknod /tmp/mem c 1 1; (: </tmp/mem) 2>/dev/null && echo mem; true
            """
        let box = try lab.container(script) {
            $0.grant(["CAP_MKNOD", "CAP_SYS_RAWIO", "CAP_SYSLOG", "CAP_SYS_ADMIN"])
            $0["/linux/resources/devices"] = [
                ["allow": false, "access": "rwm"] as Object,
                ["allow": true, "type": "c", "major": 1, "minor": 11, "access": "rwm"] as Object,
                ["allow": true, "type": "c", "major": 1, "minor": 1, "access": "rwm"] as Object,
                ["allow": false, "type": "c", "major": 1, "minor": 11, "access": "w"] as Object,
                ["allow": false, "type": "c", "major": 1, "minor": 1, "access": "rwm"] as Object,
            ]
        }
        try equal(try box.printed(), "read", "what could be opened")
    }

    topic.claim("an allowed device can be made, read and written", rows: ["RD-01", "RD-02"]) { lab in
        let box = try lab.container("mknod /tmp/z c 1 5 && head -c 2 /tmp/z | wc -c") {
            $0.grant(["CAP_MKNOD"])
            $0.append("/linux/resources/devices", ["allow": true, "type": "c", "major": 1, "minor": 5, "access": "rwm"] as Object)
        }
        try equal(try box.printed(), "2", "output")
    }

    // MARK: Ownership

    topic.claim("a user with a writable cgroup mount makes cgroups of its own", rows: ["CG-06", "CG-07"], since: "1.1.0") { lab in
        guard Cgroups.isUnified else { throw Skip("cgroup v1 is given to nobody") }
        for (options, expected) in [(["nosuid", "noexec", "nodev"], "moved"), (["nosuid", "noexec", "nodev", "ro"], "refused")] {
            let script = "cd /sys/fs/cgroup; (mkdir sub && echo $$ >sub/cgroup.procs && echo moved) 2>/dev/null || echo refused"
            let box = try lab.container(script) {
                $0["/process/user"] = ["uid": 1000, "gid": 1000] as Object
                $0.mount("/sys/fs/cgroup", type: "cgroup", source: "cgroup", options)
            }
            try equal(try box.printed(), expected, "what a user did with the options \(options)")
        }
    }

    // MARK: Placement

    topic.claim("an absolute path is below the root of every hierarchy", rows: ["CG-01", "CG-08"]) { lab in
        try Cgroups.requirePaths()
        let box = try lab.container()
        try box.created()
        let path = "/\(Isolation.token)/\(box.id)"
        for hierarchy in Cgroups.hierarchies {
            try equal(try Cgroups.directory(of: box.pid(), in: hierarchy), hierarchy.directory + path, "cgroup of the init")
        }
    }

    topic.claim("the payload is in the container's cgroup", rows: ["CG-08"]) { lab in
        let box = try lab.container("echo up; sleep 100 & exec sleep 100")
        try box.up()
        try box.writes("up")
        let directory = try Cgroups.directory(of: box.pid(), controller: "pids")
        try lab.eventually("two processes in the cgroup") { lab.read("\(directory)/cgroup.procs").split(separator: "\n").count >= 2 }
    }

    for (name, path) in [("a relative path", "relative/ID"), ("no path", nil)] as [(String, String?)] {
        topic.claim("with \(name) the container has a cgroup of its own, gone after delete", rows: ["CG-01", "CG-09"]) { lab in
            try Cgroups.requirePaths()
            let box = try lab.container("exec sleep 100")
            box.config["/linux/cgroupsPath"] = path?.replacingOccurrences(of: "ID", with: box.id)
            try box.save()
            try box.up()
            let directory = try Cgroups.directory(of: box.pid(), controller: "pids")
            try expect(directory != (try Cgroups.directory(of: getpid(), controller: "pids")), "the container is in the suite's cgroup")
            try contains(directory, box.id, "cgroup")
            try equal(try box.delete("--force").status, 0, "delete --force")
            try equal(Cgroups.marked(by: box.id), [], "cgroups left")
            if path != nil { Cgroups.prune("relative") }
        }
    }

    topic.claim("missing parents are made and usable", rows: ["CG-01", "RC-07"]) { lab in
        try Cgroups.requirePaths()
        try Cgroups.require("cpuset")
        let box = try lab.container("exec sleep 100") { $0["/linux/resources/cpu"] = ["cpus": "0"] }
        box.config["/linux/cgroupsPath"] = "/\(Isolation.token)/a/b/\(box.id)"
        try box.save()
        try box.up()
        try contains(try Cgroups.directory(of: box.pid(), controller: "cpuset"), "/a/b/\(box.id)", "cgroup")
        try equal(try box.delete("--force").status, 0, "delete --force")
        try equal(Cgroups.marked(by: box.id), [], "cgroups left")
        for hierarchy in Cgroups.hierarchies {
            for path in ["a/b", "a"] { rmdir("\(hierarchy.directory)/\(Isolation.token)/\(path)") }
        }
    }

    topic.claim("a path that climbs does not leave the hierarchy", rows: ["CG-01"]) { lab in
        try Cgroups.requirePaths()
        let box = try lab.container("exec sleep 100")
        box.config["/linux/cgroupsPath"] = "/../../\(Isolation.token)/\(box.id)"
        try box.save()
        let outcome = try box.create()
        if outcome.status != 0 { return try refused(outcome, "create") }
        let directory = try Cgroups.directory(of: box.pid(), controller: "pids")
        try expect(!directory.contains(".."), "cgroup \(directory)")
        try contains(directory, "/\(Isolation.token)/\(box.id)", "cgroup")
    }

    topic.claim("a cgroup that has processes is refused, and its processes live on", rows: ["CG-02"], since: "1.1.0") { lab in
        let first = try lab.container("exec sleep 100")
        try first.up()
        let second = try lab.container { $0["/linux/cgroupsPath"] = first.config["/linux/cgroupsPath"] }
        let outcome = try second.create()
        try expect(outcome.status != 0, "create was not refused")
        try equal(try first.status(), "running", "status of the first")
        try expect(!Cgroups.existing(Isolation.cgroup(of: first.id)).isEmpty, "the first one's cgroup is gone")
    }

    topic.claim("delete removes cgroups that the container made inside its own", rows: ["CG-09", "LC-12"]) { lab in
        let script = """
            cd /sys/fs/cgroup; [ -d pids ] && cd pids; mkdir -p one/two; sleep 100 & echo $! >one/two/cgroup.procs; echo up; wait
            """
        let box = try lab.container(script) { $0.mount("/sys/fs/cgroup", type: "cgroup", source: "cgroup", ["nosuid", "noexec", "nodev"]) }
        try box.up()
        try box.writes("up")
        try equal(try box.delete("--force").status, 0, "delete --force")
        try box.gone()
        try lab.eventually("processes to end") { lab.children.living().isEmpty }
    }

    topic.claim("delete leaves other cgroups alone", rows: ["OP-05", "LC-12"]) { lab in
        try Cgroups.requirePaths()
        let box = try lab.container()
        let others = Cgroups.hierarchies.map { "\($0.directory)/\(Isolation.token)/other" }
        try box.created()
        others.forEach { mkdir($0, 0o755) }
        defer { others.forEach { rmdir($0) } }
        try equal(try box.delete("--force").status, 0, "delete --force")
        for other in others {
            try expect(FileManager.default.fileExists(atPath: other), "\(other) is gone")
        }
    }

    topic.claim("without resources the container has a cgroup without limits", rows: ["RU-02", "CG-01"]) { lab in
        try Cgroups.require("pids")
        let box = try lab.container("exec sleep 100") { $0["/linux/resources"] = nil }
        try box.up()
        try contains(try Cgroups.directory(of: box.pid(), controller: "pids"), box.id, "cgroup")
        try equal(lab.read("\(try Cgroups.directory(of: box.pid(), controller: "pids"))/pids.max"), "max\n", "pids.max")
    }
}

extension Cgroups {
    /// Removes an empty directory by name wherever it may have been put: below the root or below the suite's own cgroup.
    static func prune(_ name: String) {
        for hierarchy in hierarchies {
            rmdir("\(hierarchy.directory)/\(name)")
            if let own = try? directory(of: 1, in: hierarchy) { rmdir("\(own)/\(name)") }
        }
    }
}

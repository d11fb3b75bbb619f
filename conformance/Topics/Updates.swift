/// Updates: what they change, what they leave alone, what they refuse, and that the new limits act.

import Foundation

/// A limit that is changed: options of update, controller, file and content for cgroup v1, then for v2.
private struct Change: Sendable {
    let name: String
    let rows: [String]
    let options: [String]
    let controller: String
    let v1: (file: String, content: String)?
    let v2: (file: String, content: String)?
}

private let changes = [
    Change(
        name: "the memory limit", rows: ["RM-02"], options: ["--memory", "50M"], controller: "memory",
        v1: ("memory.limit_in_bytes", "52428800"), v2: ("memory.max", "52428800")),
    Change(
        name: "memory and swap, both raised", rows: ["RM-04", "RM-05"], options: ["--memory", "200M", "--memory-swap", "400M"],
        controller: "memory", v1: ("memory.memsw.limit_in_bytes", "419430400"), v2: ("memory.swap.max", "209715200")),
    Change(
        name: "memory and swap, both lowered", rows: ["RM-04", "RM-05"], options: ["--memory", "40M", "--memory-swap", "40M"],
        controller: "memory", v1: ("memory.memsw.limit_in_bytes", "41943040"), v2: ("memory.swap.max", "0")),
    Change(
        name: "the memory limit away", rows: ["RM-02"], options: ["--memory", "-1"], controller: "memory",
        v1: ("memory.limit_in_bytes", "9223372036854771712"), v2: ("memory.max", "max")),
    Change(
        name: "the memory reservation", rows: ["RM-03"], options: ["--memory-reservation", "33554432"], controller: "memory",
        v1: ("memory.soft_limit_in_bytes", "33554432"), v2: ("memory.low", "33554432")),
    Change(
        name: "cpu shares", rows: ["RC-01"], options: ["--cpu-share", "512"], controller: "cpu", v1: ("cpu.shares", "512"),
        v2: ("cpu.weight", "59")),
    Change(
        name: "quota and period", rows: ["RC-02", "RC-04"], options: ["--cpu-quota", "30000", "--cpu-period", "60000"], controller: "cpu",
        v1: ("cpu.cfs_quota_us", "30000"), v2: ("cpu.max", "30000 60000")),
    Change(
        name: "the period alone", rows: ["RC-04"], options: ["--cpu-period", "60000"], controller: "cpu",
        v1: ("cpu.cfs_period_us", "60000"), v2: ("cpu.max", "20000 60000")),
    Change(
        name: "the quota away", rows: ["RC-02"], options: ["--cpu-quota", "-1"], controller: "cpu", v1: ("cpu.cfs_quota_us", "-1"),
        v2: ("cpu.max", "max 50000")),
    Change(
        name: "the burst", rows: ["RC-03"], options: ["--cpu-burst", "10000"], controller: "cpu", v1: ("cpu.cfs_burst_us", "10000"),
        v2: ("cpu.max.burst", "10000")),
    Change(
        name: "the idle state", rows: ["RC-09"], options: ["--cpu-idle", "1"], controller: "cpu", v1: ("cpu.idle", "1"),
        v2: ("cpu.idle", "1")),
    Change(
        name: "the cpu list", rows: ["RC-07"], options: ["--cpuset-cpus", "0"], controller: "cpuset", v1: ("cpuset.cpus", "0"),
        v2: ("cpuset.cpus", "0")),
    Change(
        name: "the memory nodes", rows: ["RC-08"], options: ["--cpuset-mems", "0"], controller: "cpuset", v1: ("cpuset.mems", "0"),
        v2: ("cpuset.mems", "0")),
    Change(
        name: "the pids limit", rows: ["RH-07"], options: ["--pids-limit", "33"], controller: "pids", v1: ("pids.max", "33"),
        v2: ("pids.max", "33")),
    Change(
        name: "the pids limit to 0, which is 1", rows: ["RH-07"], options: ["--pids-limit", "0"], controller: "pids", v1: ("pids.max", "1"),
        v2: ("pids.max", "1")),
    Change(
        name: "the pids limit away", rows: ["RH-07"], options: ["--pids-limit", "-1"], controller: "pids", v1: ("pids.max", "max"),
        v2: ("pids.max", "max")),
]

/// Limits to begin with, as far as the layout has their controllers.
private func begin(_ config: inout Config) {
    func has(_ controller: String) -> Bool { (try? Cgroups.require(controller)) != nil }
    if has("memory") { config["/linux/resources/memory"] = ["limit": 104_857_600] as Object }
    if has("cpu") { config["/linux/resources/cpu"] = ["shares": 1024, "quota": 20_000, "period": 50_000] as Object }
    if has("pids") { config["/linux/resources/pids"] = ["limit": 50] as Object }
}

/// What all files of a container's cgroups say that hold limits.
private func limits(of box: Container) throws -> [String: String] {
    var found: [String: String] = [:]
    for controller in ["memory", "cpu", "cpuset", "pids"] where (try? Cgroups.require(controller)) != nil {
        let directory = try Cgroups.directory(of: box.pid(), controller: controller)
        for file in [
            "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes", "memory.max", "memory.swap.max",
            "memory.low",
            "memory.high", "cpu.shares", "cpu.weight", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.max", "cpuset.cpus", "cpuset.mems",
            "pids.max",
        ] where FileManager.default.fileExists(atPath: "\(directory)/\(file)") { found[file] = box.lab.read("\(directory)/\(file)") }
    }
    return found
}

/// Runs an update that must succeed.
private func update(_ box: Container, _ options: String...) throws {
    let outcome = try box.lab.run(["update"] + options + [box.id])
    try expect(outcome.status == 0, "update failed: \(outcome.err)")
}

/// Runs an update with this document as its standard input.
private func updating(_ box: Container, with document: String) throws -> Outcome {
    let file = try box.lab.file(document)
    return try box.lab.run(["update", "--resources", "-", box.id]) { $0.input = file }
}

let updates = Topic("updates", commands: ["update"]) { topic in
    for change in changes {
        topic.claim("update changes \(change.name), and nothing else", rows: ["CLI-13"] + change.rows) { lab in
            try Cgroups.require(change.controller)
            guard let (file, content) = Cgroups.isUnified ? change.v2 : change.v1 else {
                throw Skip("this cgroup layout has no such limit")
            }
            let box = try lab.container("exec sleep 100") { begin(&$0) }
            try box.up()
            let path = "\(try Cgroups.directory(of: box.pid(), controller: change.controller))/\(file)"
            guard FileManager.default.fileExists(atPath: path) else { throw Skip("this kernel has no \(file)") }
            let before = try limits(of: box)
            let outcome = try lab.run(["update"] + change.options + [box.id])
            try expect(outcome.status == 0, "update failed: \(outcome.err)")
            try equal(lab.read(path).trimmingCharacters(in: .newlines), content, file)
            let family = file.hasPrefix("memory.") ? "memory." : file.hasPrefix("cpu.") ? "cpu." : file
            for (file, text) in try limits(of: box) where !file.hasPrefix(family) { try equal(text, before[file] ?? "", file) }
        }
    }

    topic.claim("update takes a document from a file or from standard input", rows: ["CLI-13", "RH-07"]) { lab in
        try Cgroups.require("pids")
        let box = try lab.container("exec sleep 100") { begin(&$0) }
        try box.up()
        let path = "\(try Cgroups.directory(of: box.pid(), controller: "pids"))/pids.max"
        try update(box, "--resources=\(try lab.file(#"{"pids": {"limit": 60}}"#))")
        try equal(lab.read(path), "60\n", "pids.max")
        try equal(try updating(box, with: #"{"pids": {"limit": 70}}"#).status, 0, "update from standard input")
        try equal(lab.read(path), "70\n", "pids.max")
    }

    topic.claim("a whole object of zeros, as docker sends it, changes nothing", rows: ["CLI-13"]) { lab in
        let box = try lab.container("exec sleep 100") { begin(&$0) }
        try box.up()
        let before = try limits(of: box)
        let outcome = try updating(
            box,
            with: """
                {"memory": {"limit": 0, "reservation": 0, "swap": 0, "kernel": 0},
                 "cpu": {"shares": 0, "quota": 0, "period": 0, "realtimeRuntime": 0, "realtimePeriod": 0, "cpus": "", "mems": ""},
                 "blockIO": {"weight": 0}}
                """)
        try expect(outcome.status == 0, "update failed: \(outcome.err)")
        try equal(try limits(of: box), before, "limits")
    }

    topic.claim("a value that cannot be set leaves every limit as it was", rows: ["CLI-13"]) { lab in
        try Cgroups.require("memory")
        try Cgroups.require("cpuset")
        let box = try lab.container("exec sleep 100") { begin(&$0) }
        try box.up()
        let before = try limits(of: box)
        let outcome = try lab.run(["update", "--memory", "150M", "--cpu-share", "77", "--pids-limit", "9", "--cpuset-cpus", "777", box.id])
        try refused(outcome, "an update to a CPU that is not there")
        try contains(outcome.err, "777", "message")
        try equal(try limits(of: box), before, "limits")
        // Nor does the next one remember it.
        try update(box, "--memory-reservation", "1M")
        try equal(try limits(of: box)["pids.max"], before["pids.max"], "pids.max")
    }

    topic.claim("later updates go on from the limits of earlier ones", rows: ["CLI-13", "RM-04"]) { lab in
        try Cgroups.require("memory")
        let box = try lab.container("exec sleep 100") { begin(&$0) }
        try box.up()
        try update(box, "--memory", "60M", "--memory-swap", "100M")
        try update(box, "--memory-swap", "120M")
        let directory = try Cgroups.directory(of: box.pid(), controller: "memory")
        let (file, content) = Cgroups.isUnified ? ("memory.swap.max", 60 << 20) : ("memory.memsw.limit_in_bytes", 120 << 20)
        guard FileManager.default.fileExists(atPath: "\(directory)/\(file)") else { throw Skip("this kernel does not account swap") }
        try equal(lab.read("\(directory)/\(file)"), "\(content)\n", file)
        let outcome = try lab.run(["update", "--memory-swap", "10M", box.id])
        try refused(outcome, "swap below the memory limit that is set")
    }

    topic.claim("created and paused containers are updated as well", rows: ["CLI-13"], commands: ["pause"]) { lab in
        try Cgroups.require("pids")
        let box = try lab.container("exec sleep 100") { begin(&$0) }
        try box.created()
        let path = "\(try Cgroups.directory(of: box.pid(), controller: "pids"))/pids.max"
        try update(box, "--pids-limit", "41")
        try equal(lab.read(path), "41\n", "pids.max of a created container")
        try box.started()
        try equal(try lab.run(["pause", box.id]).status, 0, "pause")
        try update(box, "--pids-limit", "42")
        try equal(lab.read(path), "42\n", "pids.max of a paused container")
        try equal(try box.status(), "paused", "status")
        try equal(try lab.run(["resume", box.id]).status, 0, "resume")
    }

    topic.claim("a container that has ended, and one that is not there, are not updated", rows: ["CLI-13"]) { lab in
        let box = try lab.container("true")
        _ = try box.lived()
        try box.stopped()
        let outcome = try lab.run(["update", "--pids-limit", "9", box.id])
        try refused(outcome, "an update of a stopped container")
        try contains(outcome.err, "not running", "message")
        try refused(try lab.run(["update", "--pids-limit", "9", "no-such-container"]), "an update of no container")
    }

    topic.claim("what is wrong in a document is told with its place, and nothing is changed", rows: ["CLI-13", "RC-04"]) { lab in
        let box = try lab.container("exec sleep 100") { begin(&$0) }
        try box.up()
        let before = try limits(of: box)
        for (document, words) in [
            ("{\"pids\": {\"limit\": 3},\n \"cpu\": {\"period\": 7}}", ["2:20", "/cpu/period"]),
            ("{\"pids\": {\"limit\": 3},\n \"memory\": {\"limit\": \"1M\"}}", ["2:22", "/memory/limit"]),
            ("{\"pids\": {\"limit\": 3}", ["1:22"]),
        ] {
            let outcome = try updating(box, with: document)
            try refused(outcome, document)
            for word in words { try contains(outcome.err, word, "message about \(document)") }
        }
        try equal(try limits(of: box), before, "limits")
    }

    // MARK: Effects

    topic.claim(
        "lines for a class of service are written, and taken back with a limit that is refused", rows: ["RT-03", "RT-04", "CLI-13"]
    ) {
        lab in
        try lab.oursOnly()
        try Cgroups.require("cpuset")
        let box = try lab.container("exec sleep 100")
        try box.up()
        // Few hosts have resctrl: a directory that looks like a class of it, noted as what create made.
        let group = try lab.folder(["schemata": "L3:0=ff\nMB:0=90\n"])
        let record = "\(lab.stateRoot)/\(box.id)/record.json"
        var noted = try object(lab.read(record))
        noted["resctrl"] = [group]
        try JSONSerialization.data(withJSONObject: noted).write(to: URL(fileURLWithPath: record))
        try update(box, "--l3-cache-schema", "L3:0=0f", "--mem-bw-schema", "MB:0=50")
        try equal(lab.read("\(group)/schemata"), "L3:0=0f\nMB:0=50\n", "schemata")
        let outcome = try lab.run(["update", "--l3-cache-schema", "L3:0=01", "--cpuset-cpus", "4000", box.id])
        try refused(outcome, "a CPU that no host has")
        try equal(lab.read("\(group)/schemata"), "L3:0=0f\nMB:0=50\n", "schemata after an update that was refused")
        unlink("\(group)/schemata")
        try equal(try box.delete("--force").status, 0, "delete --force")
        try expect(!FileManager.default.fileExists(atPath: group), "the class is left")
    }

    topic.claim("a lower pids limit refuses the next fork, a higher one allows it", rows: ["RH-07", "CLI-13"]) { lab in
        try Cgroups.require("pids")
        let script = """
            while :; do if [ -e /go ]; then rm /go; sleep 100 & sleep 100 & sleep 100 & sleep 100 & echo forked; fi; done
            """
        let box = try lab.container(script) { $0["/linux/resources/pids"] = ["limit": 3] as Object }
        try box.up()
        try update(box, "--pids-limit", "20")
        try "".write(toFile: "\(box.rootfs)/go", atomically: false, encoding: .utf8)
        try box.writes("forked")
        try update(box, "--pids-limit", "4")
        try "".write(toFile: "\(box.rootfs)/go", atomically: false, encoding: .utf8)
        try lab.eventually("a refused fork") { lab.read(box.errors).contains("can't fork") }
    }

    topic.claim("a lower memory limit kills what goes over it", rows: ["RM-02", "CLI-13"]) { lab in
        try Cgroups.require("memory")
        let script = "until [ -e /go ]; do :; done; tail -c 64000000 /dev/zero >/dev/null; echo status $?"
        let box = try lab.container(script) { $0["/linux/resources/memory"] = ["limit": 268_435_456, "swap": 268_435_456] as Object }
        try box.up()
        try update(box, "--memory", "16M", "--memory-swap", "16M")
        let pid = try box.pid()
        try "".write(toFile: "\(box.rootfs)/go", atomically: false, encoding: .utf8)
        let status = try box.ended(pid)
        try expect(status == 137 || box.text.contains("status 137"), "status \(status), output \(box.text)")
    }

    topic.claim("a limit below what the container uses is refused where that is asked for", rows: ["RM-11", "CLI-13"]) { lab in
        try Cgroups.require("memory")
        let script = "x=$(head -c 20000000 /dev/zero | tr '\\0' x); echo up; while :; do sleep 1; done; echo $x"
        let box = try lab.container(script) { $0["/linux/resources/memory"] = ["limit": 268_435_456] as Object }
        try box.up()
        try box.writes("up")
        let before = try limits(of: box)
        let outcome = try updating(box, with: #"{"memory": {"limit": 4194304, "checkBeforeUpdate": true}}"#)
        try refused(outcome, "a limit below the usage")
        try contains(outcome.err, "memory limit", "message")
        try equal(try limits(of: box), before, "limits")
        try equal(try box.status(), "running", "status")
        try equal(
            try updating(box, with: #"{"memory": {"limit": 134217728, "checkBeforeUpdate": true}}"#).status, 0, "a limit above the usage")
    }

    topic.claim("a quota throttles a busy container, from the update on that sets it", rows: ["RC-02", "CLI-13"]) { lab in
        try Cgroups.require("cpu")
        let box = try lab.container("while :; do :; done")
        try box.up()
        let file = "\(try Cgroups.directory(of: box.pid(), controller: "cpu"))/cpu.stat"
        func throttled() -> Int {
            let line = lab.read(file).split(separator: "\n").first { $0.hasPrefix("nr_throttled ") }
            return line.flatMap { Int($0.dropFirst("nr_throttled ".count)) } ?? 0
        }
        try equal(throttled(), 0, "throttled periods without a quota")
        try update(box, "--cpu-quota", "5000", "--cpu-period", "50000")
        try lab.eventually("throttled periods") { throttled() > 2 }
    }

    topic.claim("device rules of an update act on a running container; an update without rules leaves them", rows: ["RD-01", "CLI-13"]) {
        lab in
        let script = """
            mknod /dev/kmsg0 c 1 11
            while :; do
                if [ -e /go ]; then rm /go; (: </dev/kmsg0) 2>/dev/null && echo yes || echo no; (: </dev/null) || echo broken; fi
                sleep 0.05
            done
            """
        let box = try lab.container(script) {
            $0.grant(["CAP_MKNOD", "CAP_SYSLOG", "CAP_SYS_ADMIN"])
            $0["/linux/resources/devices"] = [
                ["allow": false, "access": "rwm"] as Object,
                ["allow": true, "type": "c", "major": 1, "minor": 11, "access": "rm"] as Object,
            ]
        }
        try box.up()
        func ask(_ expected: String) throws {
            let count = box.text.count
            try "".write(toFile: "\(box.rootfs)/go", atomically: false, encoding: .utf8)
            try lab.eventually("an answer") { box.text.count > count }
            try equal(String(box.text.dropFirst(count)), expected + "\n", "can it be opened?")
        }
        try ask("yes")
        try equal(try updating(box, with: #"{"devices": [], "memory": {"limit": 0}}"#).status, 0, "an update without rules")
        try ask("yes")
        try equal(try updating(box, with: #"{"devices": [{"allow": false, "access": "rwm"}]}"#).status, 0, "an update to no devices")
        try ask("no")
        let list =
            #"{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "r"}]}"#
        try equal(try updating(box, with: list).status, 0, "an update to the old devices")
        try ask("yes")
    }
}

/// A container's statistics and out-of-memory events.

import Foundation

extension Container {
    /// Starts `events`, whose output goes to a file until the container or the case ends.
    fileprivate func events(_ options: String...) throws -> (pid: pid_t, output: String) {
        let output = lab.fresh("events")
        let words = [lab.runtime.path, "--root", lab.stateRoot, "events"] + options + [id]
        let pid = try lab.children.start(Launch(arguments: words, output: output, error: lab.fresh("errors")))
        lab.later { Foundation.kill(pid, SIGKILL) }
        return (pid, output)
    }

    /// The data of `events --stats`.
    fileprivate func statistics() throws -> Object {
        let outcome = try lab.run(["events", "--stats", id])
        try expect(outcome.status == 0, "events --stats failed: \(outcome.err)")
        try equal(outcome.lines.count, 1, "lines of events --stats")
        let event = try object(outcome.out)
        try equal(event["type"] as? String, "stats", "type")
        try equal(event["id"] as? String, id, "id")
        guard let data = event["data"] as? Object else { throw Failure(message: "no data in \(outcome.out)") }
        return data
    }
}

/// A number below keys of nested objects; nil where there is none.
private func number(_ data: Object, _ keys: String...) -> UInt64? {
    var value: Any? = data
    for key in keys { value = (value as? Object)?[key] }
    return (value as? NSNumber)?.uint64Value
}

let events = Topic("events", commands: ["events"]) { topic in
    topic.claim("events --stats has every part, in a fixed order", rows: ["CLI-12"]) { lab in
        let box = try lab.runningContainer()
        let data = try box.statistics()
        let keys = ["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces"]
        for key in keys { try expect(data[key] != nil, "no \(key)") }
        let text = try lab.run(["events", "--stats", box.id]).out
        let places = keys.compactMap { text.range(of: "\"\($0)\":")?.lowerBound }
        try equal(places, places.sorted(), "order of the keys")
        try expect(text.hasPrefix(#"{"type":"stats","id":"\#(box.id)","data":{"cpu":{"usage":{"#), "beginning: \(text.prefix(80))")
    }

    topic.claim("the statistics tell limits, processes and processor time", rows: ["CLI-12", "RM-02"]) { lab in
        for controller in ["memory", "pids"] { try Cgroups.require(controller) }
        let box = try lab.container("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 100 & echo done; wait") {
            $0["/linux/resources/memory"] = ["limit": 67_108_864]
            $0["/linux/resources/pids"] = ["limit": 50]
        }
        try box.up()
        try box.writes("done")
        let data = try box.statistics()
        try equal(number(data, "memory", "usage", "limit"), 67_108_864, "memory limit")
        try expect(number(data, "memory", "usage", "usage") ?? 0 > 0, "no memory usage")
        try equal(number(data, "pids", "limit"), 50, "pids limit")
        try expect((2...4).contains(number(data, "pids", "current") ?? 0), "pids: \(data["pids"] ?? "none")")
        try expect(number(data, "cpu", "usage", "total") ?? 0 > 10_000_000, "cpu: \(data["cpu"] ?? "none")")
        try expect(!((data["memory"] as? Object)?["raw"] as? Object ?? [:]).isEmpty, "no raw memory statistics")
    }

    topic.claim("throttled processor time is told", rows: ["CLI-12", "RC-02"]) { lab in
        try Cgroups.require("cpu")
        let box = try lab.container("while :; do :; done") { $0["/linux/resources/cpu"] = ["quota": 5000, "period": 50000] }
        try box.up()
        try lab.eventually("throttled periods") { number(try box.statistics(), "cpu", "throttling", "throttledPeriods") ?? 0 > 1 }
        try expect(number(try box.statistics(), "cpu", "throttling", "throttledTime") ?? 0 > 1_000_000, "no throttled time")
    }

    topic.claim("events prints statistics in every interval and ends with the container", rows: ["CLI-12"]) { lab in
        let box = try lab.runningContainer()
        let (pid, output) = try box.events("--interval", "50ms")
        try lab.eventually("three lines of statistics") { lab.read(output).split(separator: "\n").count >= 3 }
        for line in lab.read(output).split(separator: "\n").dropLast() {
            try equal(try object(String(line))["type"] as? String, "stats", "type")
        }
        try equal(try box.kill("KILL").status, 0, "kill")
        if !lab.runtime.isSwoci { try equal(try box.delete("--force").status, 0, "delete") }
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "the end of events"), 0, "status of events")
    }

    topic.claim("events tells of memory that ran out, before the container is gone", rows: ["CLI-12", "RM-02"]) { lab in
        try Cgroups.require("memory")
        let box = try lab.container("sleep 0.3; head -c 50000000 /dev/zero | tail; sleep 0.1") {
            $0["/linux/resources/memory"] = ["limit": 16_777_216, "swap": 16_777_216]
        }
        try box.created()
        let (pid, output) = try box.events("--interval", "10s")
        try box.started()
        try box.stopped()
        try lab.eventually("the event") { lab.read(output).contains(#"{"type":"oom","id":"\#(box.id)"}"#) }
        if !lab.runtime.isSwoci { try equal(try box.delete("--force").status, 0, "delete") }
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "the end of events"), 0, "status of events")
    }

    topic.claim("events of a paused container go on", rows: ["CLI-12", "CG-10"], commands: ["pause"]) { lab in
        let box = try lab.runningContainer()
        try equal(try lab.run(["pause", box.id]).status, 0, "pause")
        try expect(try box.statistics()["cpu"] != nil, "no statistics")
    }

    topic.claim("events says why it refuses", rows: ["CLI-12", "CLI-03"]) { lab in
        func refusal(_ words: [String], _ message: String) throws {
            let outcome = try lab.run(["events"] + words)
            try equal(outcome.status, 1, "status of \(words)")
            try contains(outcome.out + outcome.err, message, "message of \(words)")
        }
        try refusal(["--stats", "nobody"], "container does not exist")
        let box = try lab.container()
        try box.up()
        try refusal(["--interval", "5x", box.id], "flag -interval: parse error")
        try refusal(["--interval", "-5s", box.id], "duration interval must be greater than 0")
        try box.stopped()
        for options in [[], ["--stats"]] { try refusal(options + [box.id], "container with id \(box.id) is not running") }
    }
}

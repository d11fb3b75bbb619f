/// How the payload is scheduled, what it may use, and where its memory is: each read back from the kernel.

import Foundation

/// A scheduler as JSON, and what /proc/self/stat says of the payload: nice value, real-time priority, policy.
private let schedulers: [(name: String, scheduler: String, seen: String, rows: [String])] = [
    ("SCHED_OTHER with a nice value", #"{"policy": "SCHED_OTHER", "nice": -5}"#, "-5 0 0", ["P-25", "P-26"]),
    ("SCHED_BATCH with a nice value", #"{"policy": "SCHED_BATCH", "nice": 7}"#, "7 0 3", ["P-25", "P-26"]),
    ("SCHED_IDLE", #"{"policy": "SCHED_IDLE"}"#, "0 0 5", ["P-25"]),
    ("SCHED_FIFO", #"{"policy": "SCHED_FIFO", "priority": 10}"#, "0 10 1", ["P-25", "P-27"]),
    ("SCHED_RR", #"{"policy": "SCHED_RR", "priority": 99}"#, "0 99 2", ["P-25", "P-27"]),
    (
        "SCHED_DEADLINE", #"{"policy": "SCHED_DEADLINE", "runtime": 5000000, "deadline": 50000000, "period": 100000000}"#, "0 0 6",
        ["P-25", "P-29", "P-30", "P-31"]
    ),
]

private let refusedSchedulers: [(name: String, scheduler: String, row: String)] = [
    ("SCHED_ISO", #"{"policy": "SCHED_ISO"}"#, "P-25"),
    ("a priority with SCHED_OTHER", #"{"policy": "SCHED_OTHER", "priority": 1}"#, "P-27"),
    ("SCHED_FIFO without a priority", #"{"policy": "SCHED_FIFO"}"#, "P-27"),
    ("SCHED_RR with priority 100", #"{"policy": "SCHED_RR", "priority": 100}"#, "P-27"),
    ("an unknown flag", #"{"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_FAST"]}"#, "P-28"),
    ("a runtime with SCHED_BATCH", #"{"policy": "SCHED_BATCH", "runtime": 1000000}"#, "P-29"),
    ("a runtime above its deadline", #"{"policy": "SCHED_DEADLINE", "runtime": 9000000, "deadline": 8000000}"#, "P-30"),
    ("a deadline above its period", #"{"policy": "SCHED_DEADLINE", "runtime": 2000000, "deadline": 8000000, "period": 4000000}"#, "P-31"),
]

/// A memory policy as JSON, and what /proc/self/numa_maps calls it.
private let memoryPolicies: [(policy: String, seen: String)] = [
    (#"{"mode": "MPOL_DEFAULT"}"#, " default"), (#"{"mode": "MPOL_LOCAL"}"#, " local"),
    (#"{"mode": "MPOL_PREFERRED", "nodes": "0"}"#, " prefer:0"),
    (#"{"mode": "MPOL_BIND", "nodes": "0"}"#, " bind:0"), (#"{"mode": "MPOL_INTERLEAVE", "nodes": "0"}"#, " interleave:0"),
    (#"{"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}"#, " prefer (many):0"),
    (#"{"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"}"#, " weighted interleave:0"),
    (#"{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}"#, " bind=static:0"),
    (#"{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"]}"#, " bind=relative:0"),
    (#"{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_NUMA_BALANCING"]}"#, " bind=balancing:0"),
]

private let refusedMemoryPolicies: [(name: String, policy: String, row: String)] = [
    ("MPOL_DEFAULT with nodes", #"{"mode": "MPOL_DEFAULT", "nodes": "0"}"#, "MP-02"),
    ("MPOL_BIND without nodes", #"{"mode": "MPOL_BIND"}"#, "MP-02"),
    ("a node that is not there", #"{"mode": "MPOL_BIND", "nodes": "1000"}"#, "MP-02"),
    ("a list that is none", #"{"mode": "MPOL_BIND", "nodes": "1-"}"#, "MP-02"),
    ("an unknown flag", #"{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_LUCK"]}"#, "MP-03"),
    (
        "static and relative nodes at once",
        #"{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]}"#, "MP-03"
    ),
    ("balancing with MPOL_INTERLEAVE", #"{"mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_NUMA_BALANCING"]}"#, "MP-03"),
]

/// Every limit, its soft value, and its line in /proc/self/limits.
///
/// A payload can live with each of them.
private let limits: [(type: String, soft: Int, line: String)] = [
    ("AS", 1 << 32, "Max address space"), ("CORE", 4096, "Max core file size"), ("CPU", 1000, "Max cpu time"),
    ("DATA", 1 << 31, "Max data size"), ("FSIZE", 1 << 30, "Max file size"), ("LOCKS", 77, "Max file locks"),
    ("MEMLOCK", 1 << 20, "Max locked memory"), ("MSGQUEUE", 40960, "Max msgqueue size"), ("NICE", 9, "Max nice priority"),
    ("NOFILE", 321, "Max open files"), ("NPROC", 4321, "Max processes"), ("RSS", 1 << 29, "Max resident set"),
    ("RTPRIO", 3, "Max realtime priority"), ("RTTIME", 900_000, "Max realtime timeout"), ("SIGPENDING", 654, "Max pending signals"),
    ("STACK", 1 << 21, "Max stack size"),
]

extension Lab {
    /// Gives a container real-time CPU, where the kernel wants cgroup v1 to say how much.
    ///
    /// Source: sched-rt-group.
    fileprivate func giveRealTime(_ config: inout Config) throws {
        guard let cpu = Cgroups.hierarchies.first(where: { $0.controllers.contains("cpu") })?.directory,
            FileManager.default.fileExists(atPath: "\(cpu)/cpu.rt_runtime_us")
        else { return }
        let parent = "\(cpu)/\(Isolation.token)"
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try "20000".write(toFile: "\(parent)/cpu.rt_runtime_us", atomically: false, encoding: .utf8)
        config["/linux/resources/cpu"] = ["realtimeRuntime": 10000]
    }
}

let scheduling = Topic("scheduling") { topic in
    for (name, scheduler, seen, rows) in schedulers {
        topic.claim("the payload runs with \(name)", rows: ["P-24"] + rows, since: "1.1.0") { lab in
            // A process with a deadline may not fork, so it is the program itself that looks.
            let box = try lab.container {
                $0["/process/args"] = ["cut", "-d ", "-f19,40,41", "/proc/self/stat"]
                $0["/process/scheduler"] = try object(scheduler)
                if rows.contains("P-27") { try lab.giveRealTime(&$0) }
            }
            try equal(try box.printed(), seen, "nice, priority and policy")
        }
    }

    topic.claim("SCHED_FLAG_RESET_ON_FORK keeps the policy from children", rows: ["P-28"], since: "1.1.0") { lab in
        let box = try lab.container("cut -d' ' -f40,41 /proc/$$/stat; cut -d' ' -f40,41 /proc/self/stat; true") {
            $0["/process/scheduler"] = ["policy": "SCHED_FIFO", "priority": 10, "flags": ["SCHED_FLAG_RESET_ON_FORK"]] as Object
            try lab.giveRealTime(&$0)
        }
        try equal(try box.printed(), "10 1\n0 0", "priority and policy of the payload, then of its child")
    }

    for (name, scheduler, row) in refusedSchedulers {
        topic.claim("\(name) is refused", rows: [row], since: "1.1.0") { lab in
            try lab.container { $0["/process/scheduler"] = try object(scheduler) }.refused()
        }
    }

    for (kind, priority, seen) in [("RT", 2, "realtime: prio 2"), ("BE", 0, "best-effort: prio 0"), ("IDLE", 0, "idle")] {
        topic.claim("the payload has the I/O priority IOPRIO_CLASS_\(kind) \(priority)", rows: ["P-32", "P-33", "P-34"], since: "1.1.0") {
            lab in
            let box = try lab.container("ionice -p $$") {
                $0["/process/ioPriority"] = ["class": "IOPRIO_CLASS_\(kind)", "priority": priority] as Object
            }
            try contains(try box.printed(), seen, "ionice")
        }
    }

    topic.claim("execCPUAffinity is not for the container's own process", rows: ["P-35", "P-36", "P-37"], since: "1.2.1") { lab in
        let box = try lab.container("grep ^Cpus_allowed_list: /proc/self/status") {
            $0["/process/execCPUAffinity"] = ["initial": "0", "final": "0"]
        }
        let own = lab.read("/proc/self/status").split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
        try equal(try box.printed(), own.map(String.init), "CPUs")
    }

    for (policy, seen) in memoryPolicies {
        topic.claim("the memory policy \(policy) is\(seen)", rows: ["MP-01", "MP-02", "MP-03"], since: "1.3.0") { lab in
            guard FileManager.default.fileExists(atPath: "/proc/self/numa_maps") else { throw Skip("this kernel has no NUMA") }
            let box = try lab.container("head -1 /proc/self/numa_maps") { $0["/linux/memoryPolicy"] = try object(policy) }
            try contains(try box.printed() + " ", "\(seen) ", "numa_maps")
        }
    }

    for (name, policy, row) in refusedMemoryPolicies {
        topic.claim("a memory policy: \(name) is refused", rows: [row], since: "1.3.0") { lab in
            try lab.container { $0["/linux/memoryPolicy"] = try object(policy) }.refused()
        }
    }

    topic.claim("LINUX32 shows a 32-bit machine, LINUX the true one", rows: ["X-05"], since: "1.0.2") { lab in
        let machine = try lab.command("uname", "-m").line
        for (domain, seen) in [("LINUX", machine), ("LINUX32", machine == "x86_64" ? "i686" : "armv8l")] {
            let box = try lab.container("uname -m") { $0["/linux/personality"] = ["domain": domain] }
            try equal(try box.printed(), seen, "machine in \(domain)")
        }
    }

    topic.claim("every rlimit is set", rows: ["P-10", "P-11", "P-12", "P-13"]) { lab in
        /// The soft and the hard value in a text like /proc/self/limits.
        func values(_ name: String, in text: String) -> [String] {
            let line = text.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
            return line.dropFirst(name.count).split(separator: " ").prefix(2).map(String.init)
        }
        // Raising a hard limit takes a capability that the suite's root may lack.
        let own = lab.read("/proc/self/limits")
        let wanted = limits.map { limit in
            let most = Int(values(limit.line, in: own).last ?? "") ?? .max
            return (limit.type, limit.line, soft: min(limit.soft, most), hard: min(limit.soft + 1, most))
        }
        let box = try lab.container("cat /proc/self/limits") {
            $0["/process/rlimits"] = wanted.map { ["type": "RLIMIT_\($0.0)", "soft": $0.soft, "hard": $0.hard] as Object }
        }
        let text = try box.printed()
        for (type, name, soft, hard) in wanted { try equal(values(name, in: text), ["\(soft)", "\(hard)"], type) }
    }

    topic.claim("RLIMIT_NOFILE above fs.nr_open is refused", rows: ["P-13"]) { lab in
        guard let most = Int(lab.read("/proc/sys/fs/nr_open").trimmingCharacters(in: .newlines)) else { throw Skip("no fs.nr_open") }
        try lab.container {
            $0["/process/rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 100, "hard": most + 1] as Object]
        }.refused(lab.runtime.isSwoci ? "RLIMIT_NOFILE" : "")
    }
}

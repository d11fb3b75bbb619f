/// What start says when the payload never came to run, and limits that are too low for anything but the payload itself.

import Foundation

let startOutcome = Topic("start outcome") { topic in
    topic.claim("a payload that is killed while it waits for its execve is start's error", rows: ["LC-08", "OP-03"]) { lab in
        try lab.oursOnly()
        for placement in ["exec", "supervise"] {
            let agent = try Agent(lab)
            let box = try lab.container("echo ran") {
                $0["/linux/seccomp"] = allowing(but: [rule(["execve"], "SCMP_ACT_NOTIFY")])
                $0["/linux/seccomp/listenerPath"] = agent.path
                $0["/annotations"] = ["org.swoci.init": placement]
            }
            try box.created()
            let words = [lab.runtime.path, "--root", lab.stateRoot, "start", box.id]
            let errors = lab.fresh("err")
            // Nobody reaps the container's processes before start has looked at them.
            lab.children.reapsAll = false
            defer { lab.children.reapsAll = true }
            let pid = try lab.children.start(Launch(arguments: words, error: errors))
            _ = try agent.take(sentBy: pid)
            let caller = try agent.nextCaller()
            try equal(kill(caller, SIGKILL), 0, "kill(2)")
            let status = try lab.children.wait(for: pid, until: lab.deadline, "start")
            try equal(status, 1, "status of start, PID 1 by \(placement)")
            try contains(lab.read(errors), "ended before the payload was started", "message")
            lab.children.reapsAll = true
            try box.stopped()
            try equal(box.text, "", "output")
        }
    }

    topic.claim("a payload whose filter kills it at its execve is start's error", rows: ["LC-08", "SE-11"]) { lab in
        try lab.oursOnly()
        let box = try lab.container("echo ran") {
            // Kept from being found out before: whether it kills depends on an argument.
            $0["/linux/seccomp"] = allowing(but: [
                rule(["execve"], "SCMP_ACT_KILL_PROCESS", args: [["index": 0, "value": 0, "op": "SCMP_CMP_NE"] as Object])
            ])
        }
        for signal in ["", "URG", "CHLD"] {
            try box.created()
            // What anybody sends to the first process hides nothing.
            if !signal.isEmpty { try equal(Foundation.kill(try box.pid(), signal == "URG" ? SIGURG : SIGCHLD), 0, "kill(2)") }
            let outcome = try box.start()
            try refused(outcome, "start")
            try contains(outcome.err, "ended before the payload was started", "message")
            try equal(try box.status(), "stopped", "status")
            try equal(try box.delete().status, 0, "delete")
        }
    }

    for (files, enough) in [(3, false), (4, true), (6, true), (100, true)] {
        topic.claim("a payload that may open \(files) files starts\(enough ? "" : ", and cannot open one")", rows: ["P-10", "P-12"]) {
            lab in
            let box = try lab.container("ulimit -n; ulimit -Hn; exec cat /etc/passwd") {
                $0["/process/rlimits"] = [["type": "RLIMIT_NOFILE", "soft": files, "hard": files] as Object]
            }
            try box.created()
            try box.started()
            try box.stopped()
            if enough { try contains(box.text, "\(files)\n\(files)\nroot:", "output (\(lab.read(box.errors)))") }
        }
    }

    topic.claim("a low soft and a high hard limit of open files are set as they are", rows: ["P-12", "P-13"]) { lab in
        let box = try lab.container("ulimit -n; ulimit -Hn") {
            $0["/process/rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 5, "hard": 4000] as Object]
            $0["/process/user"] = ["uid": 1000, "gid": 1000]
        }
        try equal(try box.printed(), "5\n4000", "limits")
    }

    topic.claim("65,536 additional groups are set, more are refused by their place", rows: ["P-43"]) { lab in
        try lab.oursOnly()
        let box = try lab.container("tr ' ' '\\n' </proc/self/status | grep -c '^[0-9][0-9]*$'") {
            $0["/process/user/additionalGids"] = Array(100_000..<165_536)
        }
        let count = Int(try box.printed()) ?? 0
        try expect(count > 65_500, "\(count) groups")
        box.config.append("/process/user/additionalGids", 7)
        try box.save()
        let outcome = try box.create()
        try expect(outcome.status != 0 && outcome.err.utf8.count < 1000, "message of \(outcome.err.utf8.count) bytes")
        try contains(outcome.err, "/process/user/additionalGids/65536", "message")
    }

    for (name, limit, words) in [
        ("an oomScoreAdj below the caller's", ["/process/oomScoreAdj": -1000], ["oomScoreAdj", "CAP_SYS_RESOURCE"]),
        (
            "a hard limit above the caller's",
            ["/process/rlimits": [["type": "RLIMIT_NOFILE", "soft": 100, "hard": 5000] as Object]], ["RLIMIT_NOFILE", "CAP_SYS_RESOURCE"]
        ),
    ] as [(String, Object, [String])] {
        let data = try? JSONSerialization.data(withJSONObject: limit)
        topic.claim("\(name) is refused where CAP_SYS_RESOURCE is missing", rows: ["P-12", "P-13", "P-23"]) { lab in
            try lab.oursOnly()
            let box = try lab.container("true") { config in
                for (pointer, value) in try object(String(decoding: data ?? Data(), as: UTF8.self)) { config[pointer] = value }
            }
            let words1 = ["setpriv", "--bounding-set", "-sys_resource", "prlimit", "--nofile=2000:2000", lab.runtime.path]
            let outcome = try lab.execute(Launch(arguments: words1 + ["--root", lab.stateRoot, "create", "--bundle", box.bundle, box.id]))
            try refused(outcome, "create")
            for word in words { try contains(outcome.err, word, "message") }
            try box.gone()
        }
    }

    for (name, pointer, value, words) in [
        ("a memory policy on a node that is not there", "/linux/memoryPolicy", #"{"mode": "MPOL_BIND", "nodes": "900"}"#, "this host has"),
        ("a sysctl that the kernel does not have", "/linux/sysctl", #"{"net.no.such": "1"}"#, "does not have it"),
        ("a sysctl's value that the kernel does not take", "/linux/sysctl", #"{"net.ipv4.ip_forward": "yes"}"#, "does not take this value"),
    ] {
        topic.claim("the refusal of \(name) names a cause", rows: ["MP-02", "SY-01", "SY-08"]) { lab in
            try lab.oursOnly()
            if pointer.hasSuffix("Policy"), !FileManager.default.fileExists(atPath: "/proc/self/numa_maps") { throw Skip("no NUMA") }
            try lab.container { $0[pointer] = try object(value) }.refused(words)
        }
    }
}

/// What the process is that exec runs: its user, rights, limits and schedule, out of config, document and options.

import Foundation

/// Values of `--user` and what `id` says then in a container whose config has user 5:6 with group 7.
private let users: [(option: String, uid: String, gid: String, groups: Set<String>)] = [
    ("8", "8", "6", ["6", "7"]), ("8:9", "8", "9", ["9", "7"]), ("0", "0", "6", ["6", "7"]),
    ("4294967294:4294967294", "4294967294", "4294967294", ["4294967294", "7"]),
    ("user", "1000", "1000", ["1000", "50", "51"]), ("user:staff", "1000", "50", ["50"]), ("8:staff", "8", "50", ["50", "7"]),
    ("user:0", "1000", "0", ["0"]),
]

/// Values of `--user` that name nobody.
private let wrongUsers = [
    "-1", "+1", "4294967295", "4294967296", "4294967297", "18446744073709551616", "1:-1", "1:4294967295", "1:4294967296", "nobody-knows",
    "1:nobody-knows", "", ":", "1:", ":1", "1:2:3", "big", "negative", "user:wide",
]

extension Container {
    /// Gives the image users and groups that say what users of images say at their worst.
    fileprivate func addAccounts() throws {
        try """
        root:x:0:0:root:/root:/bin/sh
        1000:x:0:0:a number as a name:/:/bin/sh
        user:x:1000:1000::/home/user:/bin/sh
        big:x:4294967296:0::/:/bin/sh
        negative:x:-1:0::/:/bin/sh
        short
        """.write(toFile: "\(rootfs)/etc/passwd", atomically: true, encoding: .utf8)
        try "root:x:0:\n8:x:0:\nstaff:x:50:user\ndocker:x:51:root,user\nusers:x:52:user2\nwide:x:4294967296:\nshort\n".write(
            toFile: "\(rootfs)/etc/group", atomically: true, encoding: .utf8)
    }

    /// Writes a process document: that of the config with changes.
    func document(_ args: [String], _ change: (inout Object) -> Void = { _ in }) throws -> String {
        var process = config["/process"] as! Object
        process["args"] = args
        change(&process)
        return try lab.file(String(decoding: JSONSerialization.data(withJSONObject: process), as: UTF8.self))
    }

    /// The value of a line of /proc/self/status that exec's process reads.
    fileprivate func status(_ options: [String], _ name: String) throws -> String {
        let line = try says(options, "grep ^\(name): /proc/self/status")
        return String(line.drop { $0 != "\t" }.dropFirst())
    }

    fileprivate func capabilities(_ options: [String], _ name: String) throws -> UInt64 {
        UInt64(try status(options, name), radix: 16) ?? 1 << 63
    }
}

let execProcess = Topic("exec process", commands: ["exec"]) { topic in
    // MARK: User

    for user in users {
        let isNumber = user.option.allSatisfy { $0.isNumber || $0 == ":" }
        topic.claim(
            "--user \(user.option) is uid \(user.uid), gid \(user.gid)",
            rows: ["P-39", "P-40", "P-43"] + (isNumber ? ["CVE-2016-3697"] : [])
        ) { lab in
            if !isNumber, !lab.runtime.isSwoci { throw Skip("users by name are an extension") }
            let box = try lab.container("exec sleep 1000") {
                $0["/process/user"] = ["uid": 5, "gid": 6, "additionalGids": [7]] as Object
            }
            try box.addAccounts()
            try box.up()
            let words = try box.says(["--user", user.option], "id -u; id -g; id -G").split(separator: "\n").map(String.init)
            try equal(words.first, user.uid, "uid")
            try equal(words[1], user.gid, "gid")
            if lab.runtime.isSwoci { try equal(Set(words[2].split(separator: " ").map(String.init)), user.groups, "groups") }
        }
    }

    for user in wrongUsers {
        topic.claim("--user \(user.debugDescription) is refused", rows: ["P-39", "CVE-2024-40635"]) { lab in
            let box = try lab.container("exec sleep 1000")
            try box.addAccounts()
            try box.up()
            let outcome = try box.exec(["--user=\(user)"], "id")
            try refused(outcome, "exec")
            try equal(outcome.out, "", "output")
        }
    }

    topic.claim("a group beyond 32 bits is refused", rows: ["P-43"]) { lab in
        let box = try lab.runningContainer()
        for group in ["-1", "4294967295", "4294967296", "x", ""] {
            let outcome = try box.exec(["--additional-gids=\(group)"], "id")
            try refused(outcome, "exec with the group \(group.debugDescription)")
            try equal(outcome.out, "", "output")
        }
    }

    for (user, home) in [("0", "/root"), ("1000", "/home/user"), ("4321", "/")] {
        topic.claim("HOME of user \(user) is the one in the container's passwd", rows: ["P-07"]) { lab in
            try equal(try lab.runningContainer().says(["--user", user], "echo $HOME"), home, "HOME")
        }
    }

    topic.claim("HOME stays where the environment has it", rows: ["P-07"]) { lab in
        let box = try lab.runningContainer()
        try equal(try box.says(["-e", "HOME=/elsewhere"], "echo $HOME"), "/elsewhere", "HOME")
    }

    // MARK: Environment and directory

    topic.claim("the last of several values of a variable counts, once", rows: ["P-07"]) { lab in
        let box = try lab.runningContainer { $0.append("/process/env", "A=config") }
        let text = try box.exec(["-e", "A=1", "--env", "A=2", "--env=B=x=y"], "env").lines
        try equal(text.filter { $0.hasPrefix("A=") }, ["A=2"], "A")
        try expect(text.contains("B=x=y"), "B: \(text)")
    }

    topic.claim("the program is looked for in the PATH that is given", rows: ["P-08"]) { lab in
        let box = try lab.container("exec sleep 1000")
        try FileManager.default.createDirectory(atPath: "\(box.rootfs)/opt", withIntermediateDirectories: true)
        symlink("/bin/echo", "\(box.rootfs)/opt/echo")
        try FileManager.default.copyItem(atPath: "\(box.rootfs)/bin/busybox", toPath: "\(box.rootfs)/opt/busybox-only")
        try box.up()
        try refused(try box.exec([], "busybox-only", "true"), "exec")
        try equal(try box.exec(["-e", "PATH=/opt"], "busybox-only", "echo", "found").line, "found", "output")
    }

    topic.claim("a directory that only root may enter is one for another user too", rows: ["P-06"]) { lab in
        let box = try lab.container("exec sleep 1000")
        try FileManager.default.createDirectory(atPath: "\(box.rootfs)/closed", withIntermediateDirectories: true)
        chmod("\(box.rootfs)/closed", 0o700)
        try box.up()
        try equal(try box.says(["--cwd", "/closed", "--user", "1000:1000"], "echo in"), "in", "output")
    }

    for (path, words) in [
        ("/nodir", "chdir to cwd (\"/nodir\") set in config.json failed: no such file or directory"), ("/etc/passwd", "not a directory"),
    ] {
        topic.claim("exec does not make the working directory \(path)", rows: ["P-06", "CLI-08"]) { lab in
            let box = try lab.runningContainer()
            let outcome = try box.exec(["--cwd", path], "true")
            try refused(outcome, "exec")
            try contains(outcome.err.replacingOccurrences(of: "\\\"", with: "\"").lowercased(), words, "message")
            try expect(!FileManager.default.fileExists(atPath: "\(box.rootfs)/nodir"), "it was made")
        }
    }

    topic.claim("a relative working directory is refused", rows: ["P-06"]) { lab in
        try refused(try lab.runningContainer().exec(["--cwd", "tmp"], "true"), "exec")
    }

    // MARK: Rights

    topic.claim("a config's noNewPrivileges holds for every further process", rows: ["P-22"]) { lab in
        let box = try lab.runningContainer()
        let file = try box.document(["grep", "^NoNewPrivs", "/proc/self/status"]) { $0["noNewPrivileges"] = false }
        try equal(try lab.run(["exec", "--process", file, box.id]).line, "NoNewPrivs:\t1", "status")
    }

    topic.claim("--no-new-privs gives up what the config leaves", rows: ["P-22"]) { lab in
        let box = try lab.runningContainer { $0["/process/noNewPrivileges"] = false }
        try equal(try box.status([], "NoNewPrivs"), "0", "without")
        try equal(try box.status(["--no-new-privs"], "NoNewPrivs"), "1", "with")
    }

    topic.claim(
        "--cap may be repeated and reaches bounding, permitted and effective alone", rows: ["P-17", "P-18", "P-19", "CVE-2022-29162"]
    ) { lab in
        let box = try lab.runningContainer()
        let options = ["--cap", "CAP_CHOWN", "-c", "CAP_SYSLOG"]
        let added: UInt64 = 1 | 1 << 34
        for name in ["CapBnd", "CapPrm", "CapEff"] { try equal(try box.capabilities(options, name) & added, added, name) }
        for name in ["CapInh", "CapAmb"] { try equal(try box.capabilities(options, name), 0, name) }
        try equal(try box.capabilities([], "CapBnd") & added, 0, "CapBnd without the option")
    }

    topic.claim("an unknown capability is ignored with a word", rows: ["P-16"]) { lab in
        let outcome = try lab.runningContainer().exec(["--cap", "CAP_BAD"], "echo", "ran")
        try equal(outcome.line, "ran", "output")
        try contains(outcome.err, "ignoring unknown or unavailable capabilities: [CAP_BAD]", "warning")
    }

    topic.claim("ambient capabilities are those of the config", rows: ["P-21"]) { lab in
        let caps = ["CAP_KILL"]
        let box = try lab.runningContainer {
            $0["/process/capabilities"] =
                ["bounding": caps, "effective": caps, "permitted": caps, "inheritable": caps, "ambient": caps] as Object
            $0["/process/user"] = ["uid": 1000, "gid": 1000]
        }
        for name in ["CapAmb", "CapEff"] { try equal(try box.capabilities([], name), 1 << 5, name) }
    }

    topic.claim("a document without capabilities has the config's, not all", rows: ["P-16"]) { lab in
        let box = try lab.runningContainer()
        let file = try box.document(["grep", "^CapBnd", "/proc/self/status"]) { $0["capabilities"] = nil }
        try equal(try lab.run(["exec", "--process", file, box.id]).line, "CapBnd:\t0000000020000420", "status")
    }

    topic.claim("a document's capabilities are its own", rows: ["P-16"]) { lab in
        let box = try lab.runningContainer()
        let file = try box.document(["grep", "^CapEff", "/proc/self/status"]) {
            $0["capabilities"] = ["bounding": ["CAP_CHOWN"], "effective": ["CAP_CHOWN"], "permitted": ["CAP_CHOWN"]] as Object
        }
        try equal(try lab.run(["exec", "--process", file, box.id]).line, "CapEff:\t0000000000000001", "status")
    }

    for isPrivileged in [true, false] {
        topic.claim("a filter holds for another user, noNewPrivileges \(isPrivileged)", rows: ["SE-01", "SE-17"]) { lab in
            let box = try lab.runningContainer {
                let rule: Object = ["names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28]
                $0["/linux/seccomp"] = ["defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]] as Object
                $0["/process/noNewPrivileges"] = isPrivileged
            }
            let text = try box.says(["--user", "1000:1000"], "mkdir /tmp/x 2>&1; grep -E '^(Seccomp|CapEff):' /proc/self/status")
            try contains(text, "No space left on device", "mkdir")
            try contains(text, "Seccomp:\t2", "mode")
            try contains(text, "CapEff:\t0000000000000000", "capabilities")
        }
    }

    topic.claim("a filter's agent gets the listener of every further process", rows: ["SE-06", "SE-18"]) { lab in
        if !Cgroups.isUnified, !lab.runtime.isSwoci { throw Skip("a start with an agent is the seccomp topic's") }
        let agent = try Agent(lab)
        let box = try lab.container("exec sleep 1000") {
            $0["/linux/seccomp"] =
                [
                    "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": agent.path, "listenerMetadata": "note",
                    "syscalls": [["names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY"] as Object],
                ] as Object
        }
        try box.created()
        let start = try lab.children.start(Launch(arguments: [lab.runtime.path, "--root", lab.stateRoot, "start", box.id]))
        _ = try agent.take(sentBy: start)
        try equal(try lab.children.wait(for: start, until: lab.deadline, "start"), 0, "start")
        let out = lab.fresh("out")
        let words = [lab.runtime.path, "--root", lab.stateRoot, "exec", box.id, "sh", "-c", "mkdir /x 2>&1; echo end"]
        let pid = try lab.children.start(Launch(arguments: words, output: out))
        let state = try agent.take(sentBy: pid)
        try equal(state["metadata"] as? String, "note", "metadata")
        let inner = state["state"] as? Object ?? [:]
        try equal(inner["status"] as? String, "running", "state.status")
        try expect(state["pid"] as? Int != inner["pid"] as? Int, "the process's pid is the container's")
        let result = try agent.answer(errno: 28, until: pid)
        try equal(result.status, 0, "status")
        try contains(lab.read(out), "No space left on device", "mkdir")
    }

    // MARK: Limits and schedule

    topic.claim("limits, umask and personality are the config's", rows: ["P-10", "P-42", "X-05"]) { lab in
        let box = try lab.runningContainer {
            $0["/process/rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 77, "hard": 88] as Object]
            $0["/process/user/umask"] = 0o27
            $0["/linux/personality"] = ["domain": "LINUX32"]
        }
        let lines = try box.says([], "ulimit -Sn; ulimit -Hn; umask; uname -m").split(separator: "\n").map(String.init)
        try equal(lines.prefix(3).joined(separator: " "), "77 88 0027", "limits and umask")
        try expect(lines.last != "x86_64" && lines.last != "aarch64", "machine: \(lines.last ?? "")")
    }

    topic.claim("a document without rlimits has the config's", rows: ["P-10"]) { lab in
        let box = try lab.runningContainer { $0["/process/rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 77, "hard": 88] as Object] }
        let file = try box.document(["sh", "-c", "ulimit -n"]) { $0["rlimits"] = nil }
        try equal(try lab.run(["exec", "--process", file, box.id]).line, "77", "limit")
    }

    topic.claim("oomScoreAdj is the config's, or the document's", rows: ["P-23"]) { lab in
        let box = try lab.runningContainer { $0["/process/oomScoreAdj"] = 321 }
        try equal(try box.says([], "cat /proc/self/oom_score_adj"), "321", "score")
        let file = try box.document(["cat", "/proc/self/oom_score_adj"]) { $0["oomScoreAdj"] = 432 }
        try equal(try lab.run(["exec", "--process", file, box.id]).line, "432", "score of the document")
    }

    for (name, scheduler, seen) in [
        ("SCHED_BATCH", #"{"policy": "SCHED_BATCH", "nice": 7}"#, "7 0 3"), ("SCHED_IDLE", #"{"policy": "SCHED_IDLE"}"#, "0 0 5"),
        ("SCHED_OTHER with reset on fork", #"{"policy": "SCHED_OTHER", "nice": -5, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}"#, "-5 0 0"),
    ] {
        topic.claim("\(name) is the scheduler of a further process", rows: ["P-24", "P-25", "P-26", "P-28"], since: "1.1.0") { lab in
            let box = try lab.runningContainer { $0["/process/scheduler"] = try object(scheduler) }
            // Nice value, real-time priority, policy: read by the very process, because a child may have others.
            let fields = try box.exec([], "cat", "/proc/self/stat").line.split(separator: " ").map(String.init)
            try equal([fields[18], fields[39], fields[40]].joined(separator: " "), seen, "scheduler")
        }
    }

    topic.claim("ioPriority is the config's", rows: ["P-32"], since: "1.1.0") { lab in
        let box = try lab.runningContainer { $0["/process/ioPriority"] = ["class": "IOPRIO_CLASS_BE", "priority": 6] as Object }
        try contains(try box.says([], "ionice -p $$"), "prio 6", "ionice")
    }

    topic.claim("the memory policy is the config's", rows: ["MP-01"], since: "1.3.0") { lab in
        let box = try lab.runningContainer { $0["/linux/memoryPolicy"] = ["mode": "MPOL_BIND", "nodes": "0"] as Object }
        try contains(try box.says([], "cat /proc/self/numa_maps"), " bind:0", "policy")
    }

    topic.claim("a CPU that the host does not have is refused", rows: ["P-36", "P-37"], since: "1.2.1") { lab in
        for key in ["initial", "final"] {
            let box = try lab.runningContainer { $0["/process/execCPUAffinity"] = [key: "0,60000"] }
            let outcome = try box.exec([], "true")
            try refused(outcome, "exec")
            if lab.runtime.isSwoci { try contains(outcome.err, "/process/execCPUAffinity/\(key)", "message") }
        }
    }
}

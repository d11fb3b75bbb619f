/// What engines rely on beyond the specification: words, the log, and the odd surroundings in which they call a runtime.

import Foundation

let engineContract = Topic("engine contract") { topic in
    // MARK: The log
    let failures: [(String, String, @Sendable (Container) throws -> [String])] = [
        (
            "create without a program", "executable file not found in $PATH",
            { ["create", "--bundle", try $0.asking(for: "no-such-program"), $0.id] }
        ),
        ("state of an unknown container", "does not exist", { ["state", $0.id] }),
        ("start of an unknown container", "does not exist", { ["start", $0.id] }),
        ("kill of an unknown container", "does not exist", { ["kill", $0.id, "15"] }),
        ("delete of an unknown container", "does not exist", { ["delete", $0.id] }),
    ]
    for (what, words, call) in failures {
        topic.claim("\(what) is one JSON object in the log, and the same on stderr", rows: ["CLI-01", "CLI-02", "CLI-03"]) { lab in
            let box = try lab.container()
            let log = lab.fresh("log")
            let outcome = try lab.run(["--log", log, "--log-format=json"] + call(box))
            try expect(outcome.status != 0, "it was not refused")
            let entry = try object(lab.read(log))
            try equal(entry["level"] as? String, "error", "level")
            let message = entry["msg"] as? String ?? ""
            try contains(message, words, "message")
            let time = entry["time"] as? String ?? ""
            try expect(ISO8601DateFormatter().date(from: time.replacing(/\.\d+/, with: "")) != nil, "time \(time)")
            try contains(outcome.err, words, "stderr")
        }
    }

    topic.claim("the log is added to", rows: ["CLI-02"]) { lab in
        let log = lab.fresh("log")
        for _ in 1...2 { _ = try lab.run(["--log", log, "--log-format", "json", "state", "\(Isolation.token)-none"]) }
        try equal(lab.read(log).split(separator: "\n").count, 2, "lines")
    }

    topic.claim("a create that succeeds writes nothing to the log or to the container's stdio", rows: ["CLI-02", "CLI-05"]) { lab in
        let log = lab.fresh("log")
        for options in [["--log", log, "--log-format", "json"], []] {
            let box = try lab.container("true") { $0["/process/capabilities/ambient"] = ["CAP_KILL"] }
            var launch = Launch(
                arguments: [lab.runtime.path, "--root", lab.stateRoot] + options + ["create", "--bundle", box.bundle, box.id])
            launch.output = box.output
            launch.error = box.errors
            try equal(try lab.execute(launch).status, 0, "status of create")
            try box.started()
            try box.stopped()
            try equal([lab.read(log), lab.read(box.output), lab.read(box.errors)], ["", "", ""], "log, output, errors")
        }
    }

    // MARK: Words
    for (program, words) in [
        ("no-such-program", "executable file not found in $PATH"), ("/no/such/program", "no such file or directory"),
        ("/etc/passwd", "permission denied"),
    ] {
        topic.claim("create says \"\(words)\" of \(program)", rows: ["CLI-03", "P-09"]) { lab in
            let box = try lab.container()
            let outcome = try lab.run(["create", "--bundle", try box.asking(for: program), box.id])
            try expect(outcome.status != 0, "create was not refused")
            try contains(outcome.err, words, "message")
            try contains(outcome.err, program, "message")
            // Engines take their exit code from the first that they find.
            let others = ["executable file not found in", "no such file or directory", "permission denied", "operation not permitted"]
            for other in others where !words.hasPrefix(other) {
                try expect(!outcome.err.lowercased().contains(other), "\"\(other)\" as well in \(outcome.err)")
            }
        }
    }

    topic.claim("the version is told in lines of their own", rows: ["CLI-15"]) { lab in
        for word in ["--version", "-v"] {
            let outcome = try lab.execute(Launch(arguments: [lab.runtime.path, word]))
            try equal(outcome.status, 0, "status")
            try contains(outcome.lines.first ?? "", " version ", "first line")
            try expect(outcome.lines.contains { $0.hasPrefix("spec: ") }, "no line with the specification's release: \(outcome.out)")
            try expect(outcome.lines.contains { $0.hasPrefix("commit: ") }, "no line with the commit: \(outcome.out)")
        }
    }

    topic.claim("the status of its help says whether a runtime has checkpoint", rows: ["CLI-14"]) { lab in
        let help = try lab.execute(Launch(arguments: [lab.runtime.path, "checkpoint", "--help"]))
        if help.status == 0 {
            for option in ["--image-path", "--leave-running", "--pre-dump"] { try contains(help.out, option, "help") }
        } else {
            try expect(!help.err.isEmpty, "no message")
        }
    }

    // MARK: Where options stand
    topic.claim("options with a space or an equals sign, before the id", rows: ["CLI-01", "CLI-05"]) { lab in
        let box = try lab.container("exec sleep 1000")
        let (file, log) = (lab.fresh("pid"), lab.fresh("log"))
        let globals = ["--log-format=json", "--log", log, "--root=\(lab.stateRoot)"]
        let outcome = try lab.execute(
            Launch(
                arguments: [lab.runtime.path] + globals + [
                    "create", "--bundle=\(box.bundle)", "--pid-file", file, "--no-new-keyring", box.id,
                ]))
        try equal(outcome.status, 0, "status of create (\(outcome.err))")
        try equal(lab.read(file), "\(try box.pid())", "pid file")
    }

    for words in [["9"], ["KILL"], ["SIGKILL"]] {
        topic.claim("kill takes \(words[0]) after the id", rows: ["OP-04", "CLI-09"]) { lab in
            let box = try lab.container("exec sleep 1000")
            try box.up()
            try equal(try lab.run(["kill", box.id] + words).status, 0, "status")
            try box.stopped()
        }
    }
    topic.claim("kill --all stands before the id", rows: ["CLI-09"]) { lab in
        let box = try lab.container("sleep 1000 & exec sleep 1000")
        try box.up()
        try equal(try lab.run(["kill", "--all", box.id, "9"]).status, 0, "status")
        try box.stopped()
    }

    // MARK: Surroundings
    topic.claim("an empty XDG_RUNTIME_DIR is none, and the default state directory is one for all calls", rows: ["CLI-01"]) { lab in
        let box = try lab.container("exec sleep 1000")
        lab.later { _ = try? lab.execute(Launch(arguments: [lab.runtime.path, "delete", "--force", box.id])) }
        func call(_ environment: [String], _ words: String...) throws -> Outcome {
            try lab.execute(Launch(arguments: [lab.runtime.path] + words, environment: environment, directory: "/"))
        }
        let full = ["PATH=/usr/bin:/bin", "HOME=/root", "XDG_RUNTIME_DIR=", "LC_ALL=C"]
        try equal(try call(full, "create", "--bundle", box.bundle, box.id).status, 0, "status of create")
        try equal(try call(["PATH=/usr/bin:/bin", "XDG_RUNTIME_DIR="], "start", box.id).status, 0, "status of start")
        try contains(try call(["XDG_RUNTIME_DIR="], "state", box.id).out, "running", "state")
        try equal(try call([], "kill", box.id, "9").status, 0, "status of kill")
        try equal(try call(["XDG_RUNTIME_DIR="], "delete", "--force", box.id).status, 0, "status of delete")
        try expect(!FileManager.default.fileExists(atPath: "/\((lab.runtime.path as NSString).lastPathComponent)"), "state in /")
    }

    topic.claim("a link of another name is the same runtime", rows: ["CLI-01"]) { lab in
        let link = "\(try lab.folder())/runc"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: lab.runtime.path)
        let box = try lab.container("echo ran")
        let outcome = try lab.execute(Launch(arguments: [link, "--root", lab.stateRoot, "run", "--bundle", box.bundle, box.id]))
        try equal([outcome.line, "\(outcome.status)"], ["ran", "0"], "output and status")
        try equal(try lab.execute(Launch(arguments: [link, "--version"])).status, 0, "status of --version")
    }

    topic.claim("the container outlives its creator, also one that was to die with its parent", rows: ["LC-15"]) { lab in
        let box = try lab.container("exec sleep 1000")
        let words = ["setpriv", "--pdeathsig", "KILL", lab.runtime.path, "--root", lab.stateRoot, "create", "--bundle", box.bundle, box.id]
        let shell = Launch(arguments: ["sh", "-c", "\"$@\"; exit $?", "sh"] + words)
        try equal(try lab.execute(shell).status, 0, "status of create")
        try equal(try box.status(), "created", "status")
        try box.started()
        usleep(50_000)
        try equal(try box.status(), "running", "status")
    }

    topic.claim("create works with stdio closed", rows: ["CLI-05"]) { lab in
        let box = try lab.container("exec sleep 1000")
        let words = [lab.runtime.path, "--root", lab.stateRoot, "create", "--bundle", box.bundle, box.id]
        try equal(try lab.execute(Launch(arguments: ["sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"] + words)).status, 0, "status of create")
        try box.started()
        try equal(try box.status(), "running", "status")
    }

    topic.claim("create returns with the init in its cgroup and the pid file written", rows: ["LC-02", "CLI-05"]) { lab in
        let box = try lab.container("exec sleep 1000")
        let file = lab.fresh("pid")
        try equal(try box.create(["--pid-file", file]).status, 0, "status of create")
        let pid = pid_t(lab.read(file)) ?? 0
        try contains(lab.read("/proc/\(pid)/cgroup"), ":\(Isolation.cgroup(of: box.id))\n", "cgroup of the init")
    }

    topic.claim("delete takes a container whose init has ended and is not reaped yet", rows: ["LC-11", "OP-05"]) { lab in
        lab.children.reapsAll = false
        let box = try lab.container("true")
        try box.up()
        let pid = try box.pid()
        try lab.eventually("the end of the init") { pid == 0 || ["Z", "X", ""].contains(Children.state(of: pid)) }
        let outcome = try box.delete()
        try equal(outcome.status, 0, "status of delete (\(outcome.err))")
        try box.gone()
    }

    topic.claim("one process is enough where a namespace is joined as well", rows: ["RH-07"]) { lab in
        try Cgroups.require("pids")
        let owner = try lab.container("exec sleep 1000")
        try owner.up()
        let box = try lab.container("echo alone") {
            $0.join("network", "/proc/\(try owner.pid())/ns/net")
            $0["/linux/resources/pids"] = ["limit": 1]
        }
        try equal(try box.printed(), "alone", "output")
    }
}

extension Container {
    /// The bundle, with another program to execute.
    fileprivate func asking(for program: String) throws -> String {
        config["/process/args"] = [program]
        try save()
        return bundle
    }
}

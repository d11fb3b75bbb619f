/// The exec command itself: its words and files, what it waits for, what it passes on, how it fails.

import Foundation

extension Container {
    /// Starts an exec that the case talks to while it runs.
    fileprivate func start(_ options: [String], _ script: String, _ adjust: (inout Launch) -> Void = { _ in }) throws -> pid_t {
        var launch = Launch(arguments: [lab.runtime.path, "--root", lab.stateRoot, "exec"] + options + [id, "sh", "-c", script])
        adjust(&launch)
        return try lab.children.start(launch)
    }
}

/// What makes exec fail before there is a process, and words of its message.
private let failures: [(name: String, words: [String], message: String)] = [
    ("without a program", ["ID"], ""), ("with an unknown option", ["--bad", "ID", "true"], "flag provided but not defined"),
    ("of a missing program", ["ID", "nosuch"], "exec: \"nosuch\": executable file not found in $PATH"),
    ("of a missing path", ["ID", "/no/such"], "no such file or directory"),
    ("of a file without x", ["ID", "/etc/passwd"], "permission denied"),
    ("in a container that is none", ["nobody", "true"], "container does not exist"),
    ("with a terminal for nobody", ["--tty", "--detach", "ID", "true"], "cannot allocate tty if"),
    ("with a socket for no terminal", ["--console-socket", "/tmp/s", "ID", "true"], "cannot use console socket if"),
    ("with a missing document", ["--process", "/no/such", "ID"], ""),
    ("with a missing cgroup", ["--cgroup", "/no/such", "ID", "true"], "adding pid"),
    ("with a cgroup outside", ["--cgroup", "a/../../..", "ID", "true"], "bad sub cgroup path"),
    ("with an unknown controller", ["--cgroup", "whaaat:/", "ID", "true"], "unknown controller"),
    ("with a descriptor that is not open", ["--preserve-fds", "5", "ID", "true"], ""),
]

/// Documents that are no process, and the place that is wrong.
private let wrongDocuments = [
    ("no JSON", "{", ""), ("an array", "[]", ""), ("no args", #"{"cwd": "/"}"#, "args"), ("no cwd", #"{"args": ["true"]}"#, "cwd"),
    ("a relative cwd", #"{"cwd": "x", "args": ["true"]}"#, "/cwd"), ("empty args", #"{"cwd": "/", "args": []}"#, "/args"),
    ("a uid beyond 32 bits", #"{"cwd": "/", "args": ["true"], "user": {"uid": 4294967296, "gid": 0}}"#, "/user/uid"),
    ("a uid that means unchanged", #"{"cwd": "/", "args": ["true"], "user": {"uid": 4294967295, "gid": 0}}"#, "/user/uid"),
    ("a bad limit", #"{"cwd": "/", "args": ["true"], "rlimits": [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]}"#, "/rlimits/0"),
    ("text after its end", #"{"cwd": "/", "args": ["true"]} x"#, ""),
]

let execCommand = Topic("exec command", commands: ["exec"]) { topic in
    // MARK: Failures

    for failure in failures {
        topic.claim("exec \(failure.name) ends with 255 and a word", rows: ["CLI-03", "CLI-08"]) { lab in
            let box = try lab.runningContainer()
            let outcome = try lab.run(["exec"] + failure.words.map { $0 == "ID" ? box.id : $0 })
            try refused(outcome, "exec")
            try contains(outcome.err.replacingOccurrences(of: "\\\"", with: "\""), failure.message, "message")
            if lab.runtime.isSwoci {
                try equal(outcome.status, 255, "status")
                try equal(outcome.err.filter { $0 == "\n" }.count, 1, "lines of \(outcome.err)")
            }
        }
    }

    for (name, text, place) in wrongDocuments {
        topic.claim("a process document with \(name) is refused", rows: ["CLI-08", "G-05"]) { lab in
            let box = try lab.runningContainer()
            let outcome = try lab.run(["exec", "--process", try lab.file(text), box.id])
            try refused(outcome, "exec")
            if lab.runtime.isSwoci {
                try contains(outcome.err, place, "message")
                try equal(outcome.status, 255, "status")
            }
        }
    }

    topic.claim("a failed exec leaves one JSON object in the log", rows: ["CLI-02"]) { lab in
        let box = try lab.runningContainer()
        let log = lab.fresh("log")
        let words = ["--log", log, "--log-format", "json", "exec", "--cap", "CAP_BAD", box.id, "nosuch"]
        try expect(try lab.run(words).status != 0, "exec succeeded")
        let entry = try object(lab.read(log))
        try equal(entry["level"] as? String, "error", "level")
        try contains(entry["msg"] as? String ?? "", "executable file not found in $PATH", "message")
    }

    topic.claim("a stopped and a paused container are refused in runc's words", rows: ["CLI-08"]) { lab in
        let box = try lab.runningContainer()
        try equal(try lab.run(["pause", box.id]).status, 0, "pause")
        if lab.runtime.isSwoci {
            let words = "cannot exec in a paused container (use --ignore-paused to override)"
            try contains(try box.exec([], "true").err, words, "message")
        }
        try equal(try lab.run(["resume", box.id]).status, 0, "resume")
        try equal(try box.kill("KILL").status, 0, "kill")
        try box.stopped()
        try contains(try box.exec([], "true").err.lowercased(), lab.runtime.isSwoci ? "cannot exec in a stopped container" : "", "message")
    }

    topic.claim("--ignore-paused waits until the container is resumed", rows: ["CLI-08", "CG-10"]) { lab in
        let box = try lab.runningContainer()
        try equal(try lab.run(["pause", box.id]).status, 0, "pause")
        let out = lab.fresh("out")
        let pid = try box.start(["--ignore-paused"], "echo ran") { $0.output = out }
        usleep(200_000)
        try equal(lab.read(out), "", "output while it is paused")
        try equal(try lab.run(["resume", box.id]).status, 0, "resume")
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "exec"), 0, "status")
        try equal(lab.read(out), "ran\n", "output")
    }

    topic.claim("a created container takes further processes before it is started", rows: ["CLI-08"]) { lab in
        let box = try lab.container("echo payload; exec sleep 1000")
        try box.created()
        try equal(try box.says([], "hostname; ls -d /bin"), "conformance\n/bin", "output")
        try equal(try box.status(), "created", "status")
        try box.started()
        try box.writes("payload")
    }

    // MARK: Documents

    topic.claim("a process document comes from standard input as well", rows: ["CLI-08"]) { lab in
        if !lab.runtime.isSwoci { throw Skip("runc and crun read it from files") }
        let box = try lab.runningContainer()
        let file = try box.document(["echo", "from stdin"])
        try equal(try lab.run(["exec", "--process", "-", box.id]) { $0.input = file }.line, "from stdin", "output")
    }

    topic.claim("options change what a process document says", rows: ["CLI-08"]) { lab in
        if !lab.runtime.isSwoci { throw Skip("runc and crun ignore options beside a document") }
        let box = try lab.runningContainer()
        let file = try box.document(["sh", "-c", "pwd; id -u; echo $A"]) { $0["env"] = ["PATH=/bin", "A=1"] }
        let options = ["--process", file, "--cwd", "/tmp", "--user", "7", "--env", "A=2"]
        try equal(try lab.run(["exec"] + options + [box.id]).line, "/tmp\n7\n2", "output")
        try equal(try lab.run(["exec", "--process", file, box.id, "echo", "other"]).line, "other", "another program")
    }

    // MARK: Standard streams, signals, status

    topic.claim("arguments arrive as they are", rows: ["P-08"]) { lab in
        let words = ["", " ", "a\nb", "\u{e9}", "--", "$HOME", String(repeating: "x", count: 100_000)]
        let outcome = try lab.run(["exec", try lab.runningContainer().id, "printf", "%s|"] + words)
        try equal(outcome.out, words.map { $0 + "|" }.joined(), "output")
    }

    for signal in [SIGTERM, SIGINT, SIGHUP, SIGUSR1] {
        topic.claim("signal \(signal) to exec reaches the process", rows: ["CLI-08"]) { lab in
            let out = lab.fresh("out")
            let name = [SIGTERM: "TERM", SIGINT: "INT", SIGHUP: "HUP"][signal] ?? "USR1"
            let pid = try lab.runningContainer().start([], "trap 'echo caught; exit 9' \(name); echo up; while :; do sleep 0.02; done") {
                $0.output = out
            }
            try lab.eventually("the process to be up") { lab.read(out).contains("up") }
            kill(pid, signal)
            try equal(try lab.children.wait(for: pid, until: lab.deadline, "exec"), 9, "status")
            try contains(lab.read(out), "caught", "output")
        }
    }

    topic.claim("exec ends with its process, not with what that leaves behind", rows: ["CLI-08"]) { lab in
        let box = try lab.runningContainer()
        try equal(try box.exec([], "sh", "-c", "sleep 4243 >/dev/null 2>&1 & exit 3").status, 3, "status")
        try contains(try box.says([], "ps -o args"), "sleep 4243", "ps")
    }

    topic.claim("the end of the container ends its further processes", rows: ["CLI-08", "OP-05"]) { lab in
        let box = try lab.runningContainer()
        let pid = try box.start([], "exec sleep 1000")
        try lab.eventually("the process") { try box.says([], "ps -o args").components(separatedBy: "sleep 1000").count > 2 }
        try equal(try box.delete("--force").status, 0, "delete")
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "exec"), 137, "status")
    }

    topic.claim("twenty at once all run", rows: ["CLI-08"]) { lab in
        let box = try lab.runningContainer()
        let out = lab.fresh("out")
        let pids = try (0..<20).map { number in try box.start([], "echo \(number)") { $0.output = out } }
        for pid in pids { try equal(try lab.children.wait(for: pid, until: lab.deadline, "exec"), 0, "status") }
        try equal(Set(lab.read(out).split(separator: "\n").map(String.init)), Set((0..<20).map(String.init)), "output")
    }

    // MARK: Handing over

    topic.claim("the pid file holds the process's pid on the host, and nothing else", rows: ["CLI-05"]) { lab in
        let box = try lab.runningContainer()
        let directory = try lab.folder()
        let outcome = try box.exec(["--detach", "--pid-file", "pid"], "sleep", "4244") { launch in
            launch.directory = directory
        }
        try equal(outcome.status, 0, "status (\(outcome.err))")
        let text = lab.read("\(directory)/pid")
        try expect(pid_t(text) != nil, "content: \(text.debugDescription)")
        try contains(lab.read("/proc/\(text)/cmdline"), "4244", "the process of that pid")
        try equal(try FileManager.default.contentsOfDirectory(atPath: directory), ["pid"], "files")
    }

    topic.claim("the pid file is written in the foreground too", rows: ["CLI-05"]) { lab in
        let file = lab.fresh("pid")
        let outcome = try lab.runningContainer().exec(["--pid-file", file], "true")
        try equal(outcome.status, 0, "status")
        try expect((pid_t(lab.read(file)) ?? 0) > 1, "content: \(lab.read(file))")
    }

    topic.claim("the pidfd socket receives a handle of the process", rows: ["CLI-05"]) { lab in
        if !lab.runtime.isSwoci { throw Skip("this release has no --pidfd-socket") }
        let box = try lab.runningContainer()
        let path = lab.fresh("socket")
        let listener = try UnixSocket.listen(at: path)
        defer { close(listener) }
        let pid = try box.start(["--pidfd-socket", path], "exec sleep 1000")
        let received = try UnixSocket.receive(from: listener, sentBy: pid, lab)
        try equal(received.descriptors.count, 1, "descriptors")
        defer { close(received.descriptors[0]) }
        let info = lab.read("/proc/self/fdinfo/\(received.descriptors[0])").split(separator: "\n").first { $0.hasPrefix("Pid:") } ?? ""
        let named = pid_t(info.drop { !$0.isNumber }) ?? 0
        // The handle comes before the program runs.
        try lab.eventually("the process that was received runs") { lab.read("/proc/\(named)/cmdline").contains("1000") }
        try equal(kill(named, SIGKILL), 0, "signal")
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "exec"), 137, "status")
    }

    topic.claim("--preserve-fds passes descriptors from 3 on", rows: ["L-07"]) { lab in
        let descriptor = open(try lab.file("kept"), O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let box = try lab.runningContainer()
        let outcome = try box.exec(["--preserve-fds", "2"], "sh", "-c", "cat <&4; ls /proc/self/fd") {
            $0.descriptors = [(3, descriptor), (4, descriptor), (5, descriptor)]
        }
        try equal(outcome.out, "kept0\n1\n2\n3\n4\n5\n", "output (5 is that of ls)")
    }

    // MARK: Terminal

    topic.claim("exec --tty in the foreground joins the caller's terminal and the process's", rows: ["P-02"]) { lab in
        let box = try lab.runningContainer()
        let screen = try Console(opening: lab)
        try screen.resize(rows: 33, columns: 77)
        let pid = try box.start(["--tty"], "tty; stty size; trap 'stty size' WINCH; echo ready; read x; echo got $x; exit 7") {
            ($0.input, $0.output, $0.error) = (screen.device, screen.device, screen.device)
        }
        try screen.reads("ready")
        try contains(screen.text, "/dev/pts/0", "tty")
        try contains(screen.text, "33 77", "size")
        try lab.eventually("raw modes while it runs") { !screen.readsLines }
        try screen.writes("word\r")
        try screen.reads("got word")
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "exec"), 7, "status")
        try expect(screen.readsLines, "the terminal did not get its modes back")
    }

    topic.claim("an interrupt from the keyboard is the process's", rows: ["P-02"]) { lab in
        let box = try lab.runningContainer()
        let screen = try Console(opening: lab)
        let pid = try box.start(["-t"], "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done") {
            ($0.input, $0.output, $0.error) = (screen.device, screen.device, screen.device)
        }
        try screen.reads("ready")
        try lab.eventually("raw modes") { !screen.readsLines }
        try screen.writes("\u{3}")
        try screen.reads("caught")
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "exec"), 5, "status")
    }

    topic.claim("exec --tty works where the caller has no terminal", rows: ["P-02"]) { lab in
        let outcome = try lab.runningContainer().exec(["-t"], "sh", "-c", "[ -t 0 ] && seq 1 20000; echo end")
        try equal(outcome.status, 0, "status (\(outcome.err))")
        let lines = outcome.out.replacingOccurrences(of: "\r", with: "").split(separator: "\n")
        try equal(lines.count, 20001, "lines")
    }

    topic.claim("the terminal is the user's, as large as the document says", rows: ["P-03", "P-04", "P-05"]) { lab in
        let box = try lab.runningContainer()
        let file = try box.document(["sh", "-c", "stat -c %u $(tty); stty size; echo end"]) {
            $0["terminal"] = true
            $0["user"] = ["uid": 1000, "gid": 1000]
            $0["consoleSize"] = ["height": 43, "width": 132]
        }
        let console = try Console(lab)
        let words = ["exec", "--detach", "--process", file, "--console-socket", console.path, box.id]
        try console.take {
            try lab.children.start(Launch(arguments: [lab.runtime.path, "--root", lab.stateRoot] + words, error: box.errors))
        }
        try console.reads("end")
        try contains(console.text, "1000", "owner")
        try contains(console.text, "43 132", "size")
    }
}

/// A container's life with podman and docker: started, watched, signalled, stopped, and removed.

import Foundation

private let both: [EngineName] = [.podman, .docker]

let containerLife = Subject { subject in
    // MARK: Words and numbers
    for (command, status, text) in [
        ("no-such-program", 127, "not found"), ("/no/such/program", 127, "no such file or directory"),
        ("/etc/passwd", 126, "permission denied"),
    ] as [(String, Int32, String)] {
        subject.claim("run of \(command) is \(status) by its text", of: both) { session in
            let outcome = try session.call("run", "--rm", Images.box, command)
            try Expected.fails(status, text).judge(outcome)
        }
        // docker's client knows 126 only.
        for (engine, status) in [(EngineName.podman, status), (.docker, 126)] {
            subject.claim("exec of \(command) is \(status) by its text", of: [engine]) { session in
                let outcome = try session.call("exec", try session.up(), command)
                try Expected.fails(status, text).judge(outcome)
            }
        }
    }
    subject.claim("run of a directory fails", of: both) { session in
        try refused(try session.call("run", "--rm", Images.box, "/etc"), "a directory as program")
    }
    subject.claim("run without a program of the user's may is 126", of: both) { session in
        let outcome = try session.run("--user 1000", "true")
        try equal(outcome.status, 0, "status of a program that is allowed")
        let denied = try session.call(
            "run", "--rm", "--user", "1000", "-v", "\(try session.secret()):/secret:ro", Images.box, "/secret/run")
        try Expected.fails(126, "permission denied").judge(denied)
    }

    // MARK: Life
    subject.claim("create, start, wait", of: both) { session in
        let name = session.name()
        try session.must("create", "--name", name, Images.box, "sh", "-c", "exit 7")
        try equal(try session.inspect(name, ".State.Status"), "created", "status")
        try session.must("start", name)
        try equal(try session.must("wait", name), "7", "what wait says")
        try equal(try session.inspect(name, ".State.ExitCode"), "7", "exit code")
    }
    subject.claim("start --attach shows the output", of: both) { session in
        let name = session.name()
        try session.must("create", "--name", name, Images.box, "sh", "-c", "echo out; echo err >&2; exit 3")
        let outcome = try session.call("start", "--attach", name)
        try equal([outcome.out, outcome.err, "\(outcome.status)"], ["out\n", "err\n", "3"], "output, errors, status")
    }
    subject.claim("a container is started again", of: both) { session in
        let name = session.name()
        try session.must("create", "--name", name, Images.box, "sh", "-c", "echo x >>/count; wc -l </count")
        for time in 1...3 { try equal(try session.must("start", "--attach", name), "\(time)", "starts") }
    }
    subject.claim("logs have output and errors", of: both) { session in
        let name = try session.up("", "echo out; echo err >&2; exec sleep 1000")
        try session.logged(name, "err")
        let outcome = try session.call("logs", name)
        try equal([outcome.out, outcome.err], ["out\n", "err\n"], "logs")
    }
    subject.claim("logs --follow ends with the container", of: both) { session in
        let name = try session.up("", "for i in 1 2 3; do echo $i; sleep 0.3; done")
        try equal(try session.must("logs", "--follow", name), "1\n2\n3", "logs")
    }
    subject.claim("ps lists what runs", of: both) { session in
        let name = try session.up()
        try contains(try session.must("ps", "--format", "{{.Names}} {{.Status}}"), "\(name) Up", "ps")
    }

    // MARK: Signals
    subject.claim("stop sends TERM and waits", of: both) { session in
        let name = try session.up("", "trap 'echo bye; exit 9' TERM; echo ready; while :; do sleep 0.1; done")
        try session.logged(name, "ready")
        try session.must("stop", "-t", "20", name)
        try equal(try session.inspect(name, ".State.ExitCode"), "9", "exit code")
        try contains(try session.must("logs", name), "bye", "logs")
    }
    subject.claim("stop ends a shell without traps at once, as its kernel's PID 1 would not", of: both) { session in
        let name = try session.up("", "echo ready; while :; do sleep 0.1; done")
        try session.logged(name, "ready")
        try session.must("stop", "-t", "2", name)
        try expect(["137", "143"].contains(try session.inspect(name, ".State.ExitCode")), "exit code")
    }
    subject.claim("stop kills what does not listen", of: both) { session in
        let name = try session.up("", "trap '' TERM; echo ready; while :; do sleep 0.1; done")
        try session.logged(name, "ready")
        try session.must("stop", "-t", "1", name)
        try equal(try session.inspect(name, ".State.ExitCode"), "137", "exit code")
    }
    subject.claim("--stop-signal is what stop sends", of: both) { session in
        let name = try session.up("--stop-signal USR1", "trap 'exit 5' USR1; echo ready; while :; do sleep 0.1; done")
        try session.logged(name, "ready")
        try session.must("stop", name)
        try equal(try session.inspect(name, ".State.ExitCode"), "5", "exit code")
    }
    for signal in ["HUP", "SIGUSR2", "34"] {
        subject.claim("kill --signal \(signal) reaches the payload", of: both) { session in
            let name = try session.up("", "trap 'echo got' \(signal); echo ready; while :; do sleep 0.1; done")
            try session.logged(name, "ready")
            try session.must("kill", "--signal", signal, name)
            try session.logged(name, "got")
        }
    }
    subject.claim("kill ends the container", of: both) { session in
        let name = try session.up()
        try session.must("kill", name)
        try equal(try session.must("wait", name), "137", "status")
    }
    subject.claim("kill of a stopped container is an error", of: both) { session in
        let name = try session.up("", "exit 0")
        try session.must("wait", name)
        try refused(try session.call("kill", name), "kill")
    }
    subject.claim("kill reaches a container in the host's pid namespace, children too", of: both) { session in
        let name = try session.up("--pid host", "sleep 1234 & echo ready; exec sleep 1235")
        try session.logged(name, "ready")
        try session.must("kill", name)
        try session.lab.eventually("the end of all processes") {
            session.lab.children.living().allSatisfy { pid in
                !session.lab.read("/proc/\(pid)/cmdline").hasPrefix("sleep\u{0}123")
            }
        }
    }
    subject.claim("the client hands its signals on", of: both) { session in
        let name = session.name()
        let script = "trap 'echo got; exit 6' TERM; echo ready; while :; do sleep 0.1; done"
        let client = try session.begin(["run", "--name", name, Images.box, "sh", "-c", script])
        try session.lab.eventually("the container") { session.lab.read(client.output).contains("ready") }
        kill(client.pid, SIGTERM)
        try equal(try session.lab.children.wait(for: client.pid, until: session.lab.deadline, "run"), 6, "status")
        try contains(session.lab.read(client.output), "got", "output")
    }
    subject.claim("restart is a new process", of: both) { session in
        let name = try session.up("", "echo started; exec sleep 1000")
        let before = try session.pid(name)
        try session.must("restart", "-t", "0", name)
        try expect(try session.pid(name) != before, "the same process")
        try equal(try session.must("logs", name), "started\nstarted", "logs")
    }
    subject.claim("--restart on-failure starts it again", of: both) { session in
        let name = try session.up("--restart on-failure:2", "exit 3")
        try session.lab.eventually("two restarts") {
            try session.inspect(name, ".RestartCount") == "2" && session.inspect(name, ".State.Status") == "exited"
        }
        try equal(try session.inspect(name, ".State.ExitCode"), "3", "exit code")
    }
    subject.claim("pause stops it, unpause goes on", of: both) { session in
        let name = try session.up("", "while :; do echo x; sleep 0.05; done")
        try session.logged(name, "x\nx")
        try session.must("pause", name)
        try equal(try session.inspect(name, ".State.Status"), "paused", "status")
        let before = try session.must("logs", name).count
        usleep(400_000)
        try equal(try session.must("logs", name).count, before, "output while paused")
        try session.must("unpause", name)
        try session.lab.eventually("more output") { try session.must("logs", name).count > before }
    }
    subject.claim("a paused container is removed by force", of: both) { session in
        let name = try session.up()
        try session.must("pause", name)
        try session.must("rm", "-f", name)
        try expect(!(try session.must("ps", "-a", "--format", "{{.Names}}").contains(name)), "it is still there")
    }
    subject.claim("rm -f ends a running container", of: both) { session in
        let name = try session.up()
        let pid = try session.pid(name)
        try session.must("rm", "-f", name)
        try session.lab.eventually("its process ends") { Children.state(of: pid) == "" }
    }
}

extension Session {
    /// A directory with a program that only root may execute.
    fileprivate func secret() throws -> String {
        let folder = try lab.folder(["run": "#!/bin/sh\necho ran\n"])
        chmod("\(folder)/run", 0o700)
        return folder
    }
}

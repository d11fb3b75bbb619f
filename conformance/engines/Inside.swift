/// Inside a running container with podman and docker: further processes, terminals, files, figures.

import Foundation

private let both: [EngineName] = [.podman, .docker]

let inside = Subject { subject in
    // MARK: exec
    subject.claim("exec prints and ends with the command's status", of: both) { session in
        let name = try session.up()
        let outcome = try session.call("exec", name, "sh", "-c", "echo out; echo err >&2; exit 42")
        try equal([outcome.out, outcome.err, "\(outcome.status)"], ["out\n", "err\n", "42"], "output, errors, status")
    }
    subject.claim("exec takes environment, directory and user", of: both) { session in
        let name = try session.up("--env KEPT=1")
        let words = ["exec", "-e", "FOO=bar", "-w", "/tmp", "-u", "1000:5", name, "sh", "-c", "echo $KEPT $FOO; pwd; id -u; id -g"]
        try equal(try session.must(words), "1 bar\n/tmp\n1000\n5", "what it sees")
    }
    subject.claim("exec refuses a user beyond 32 bits", of: both) { session in
        let name = try session.up()
        for user in ["4294967295", "4294967296", "-1"] {
            try expect(try session.call("exec", "-u", user, name, "true").status != 0, "user \(user) was not refused")
        }
    }
    subject.claim("exec is in the container's namespaces, cgroup and limits", of: both) { session in
        let name = try session.up("--memory 64m --ulimit nofile=100:100 --ulimit nproc=1000:1000")
        let script = "for n in ipc mnt net pid uts; do readlink /proc/$1/ns/$n; done; cat /proc/$1/cgroup; ulimit -n"
        let own = try session.must("exec", name, "sh", "-c", script, "sh", "self")
        try equal(own, try session.must("exec", name, "sh", "-c", script, "sh", "1"), "surroundings")
        try contains(own, "\n100", "limit of files")
    }
    subject.claim("exec has the container's capabilities and filter", of: both) { session in
        let name = try session.up("--cap-drop ALL --security-opt no-new-privileges")
        let text = try session.exec(name, "grep -E 'Cap(Eff|Bnd)|NoNewPrivs|Seccomp:' /proc/self/status")
        let nothing = "0000000000000000"
        try equal(text, "CapEff:\t\(nothing)\nCapBnd:\t\(nothing)\nNoNewPrivs:\t1\nSeccomp:\t2", "status")
    }
    subject.claim("exec --privileged has more", of: both) { session in
        let name = try session.up()
        let text = try session.must("exec", "--privileged", name, "ip", "link", "set", "lo", "down")
        try equal(text, "", "output")
    }
    subject.claim("exec --interactive reads", of: both) { session in
        try equal(try session.must("exec", "-i", try session.up(), "cat", input: "a\nb\n"), "a\nb", "output")
    }
    subject.claim("exec --detach goes on alone", of: both) { session in
        let name = try session.up()
        try session.must("exec", "-d", name, "sh", "-c", "sleep 0.3; echo done >/mark")
        try session.lab.eventually("the mark") { try session.exec(name, "cat /mark 2>/dev/null; true") == "done" }
    }
    subject.claim("exec in a stopped container is refused", of: both) { session in
        let name = try session.up("", "exit 0")
        try session.must("wait", name)
        try refused(try session.call("exec", name, "true"), "exec")
    }
    subject.claim("exec in a paused container is refused or waits", of: both) { session in
        let name = try session.up()
        try session.must("pause", name)
        try refused(try session.call("exec", name, "true"), "exec")
    }
    subject.claim("what exec leaves running ends with the container", of: both) { session in
        let name = try session.up()
        try session.must("exec", "-d", name, "sleep", "4321")
        try session.must("stop", "-t", "0", name)
        try session.lab.eventually("its end") { session.none(of: "4321") }
    }
    subject.claim("ten execs at once", of: both) { session in
        let name = try session.up()
        try session.atOnce(10) { ["exec", name, "sh", "-c", $1] }
    }

    // MARK: Terminals and input
    subject.claim("run --interactive reads to the end of input", of: both) { session in
        try equal(try session.run("-i", "cat; echo end", input: "a\nb\n").out, "a\nb\nend\n", "output")
    }
    subject.claim("run without --interactive has no input", of: both) { session in
        try equal(try session.run("", "cat; echo end", input: "a\n").out, "end\n", "output")
    }
    subject.claim("run --tty has a terminal that follows the person's", of: both) { session in
        let words = ["run", "--rm", "-it", Images.box, "sh", "-c", PseudoTerminal.sizes]
        let terminal = try PseudoTerminal(try session.launch(words), session.lab, rows: 33, columns: 101)
        try terminal.followsItsSize()
    }
    subject.claim("run --tty is a shell for a person", of: both) { session in
        let terminal = try PseudoTerminal(try session.launch(["run", "--rm", "-it", Images.box, "sh"]), session.lab)
        try terminal.reads("#")
        // What answers is what the terminal stops: a job of the shell's, not the shell.
        try terminal.writes("sh -c 'echo $((6*7)); exec sleep 100'\n")
        try terminal.reads("\n42")
        try terminal.writes("\u{1A}")
        try terminal.reads("Stopped")
        try terminal.writes("exit 5\n")
        try terminal.writes("exit 5\n")
        try equal(try terminal.ends(), 5, "status")
    }
    subject.claim("exec --tty has a terminal of its own", of: both) { session in
        let name = try session.up()
        let words = [
            "exec", "-it", name, "sh", "-c", "stty size; test -t 0 && test -t 1 && test -t 2 && echo all; read x; echo got $x; exit 4",
        ]
        let terminal = try PseudoTerminal(try session.launch(words), session.lab, rows: 33, columns: 101)
        try terminal.reads("all")
        try terminal.writes("word\n")
        try terminal.reads("got word")
        try equal(try terminal.ends(), 4, "status")
    }
    subject.claim("attach shows what comes and takes input", of: both) { session in
        let name = session.name()
        try session.must("run", "-d", "-i", "--name", name, Images.box, "sh", "-c", "read x; echo got $x; exit 6")
        let terminal = try PseudoTerminal(try session.launch(["attach", name]), session.lab)
        usleep(500_000)
        try terminal.writes("word\n")
        try terminal.reads("got word")
        _ = try terminal.ends()
        try equal(try session.inspect(name, ".State.ExitCode"), "6", "exit code")
    }
    subject.claim("detach keys leave a container running", of: both) { session in
        let name = session.name()
        let terminal = try PseudoTerminal(try session.launch(["run", "-it", "--name", name, Images.box, "sh"]), session.lab)
        try terminal.reads("#")
        try terminal.writes("\u{10}")
        usleep(100_000)
        try terminal.writes("\u{11}")
        try equal(try terminal.ends(), 0, "status")
        try equal(try session.inspect(name, ".State.Running"), "true", "running")
    }

    // MARK: Figures and changes
    subject.claim("top lists the processes", of: both) { session in
        let name = try session.up("", "sleep 4322 & exec sleep 4323")
        try session.lab.eventually("both in top") {
            let text = try session.must("top", name)
            return text.contains("sleep 4322") && text.contains("sleep 4323")
        }
    }
    subject.claim("stats has memory and processes", of: both) { session in
        let name = try session.up("--memory 64m", "sleep 1000 & exec sleep 1000")
        let text = try session.must("stats", "--no-stream", "--format", "{{.MemUsage}} {{.PIDs}}", name)
        try contains(text, "/ 6", "stats")
        let processes = Int(text.split(separator: " ").last ?? "") ?? 0
        try expect(processes >= 2, "processes in \(text)")
        try expect(!text.hasPrefix("0B"), "memory in \(text)")
    }
    subject.claim("update changes the memory limit of a running container", of: [.docker]) { session in
        let name = try session.up("--memory 64m --memory-swap 64m")
        try session.must("update", "--memory", "96m", "--memory-swap", "96m", name)
        try equal(try session.limit(of: name, "memory", "memory.max", "memory.limit_in_bytes"), "100663296", "limit")
        try equal(try session.inspect(name, ".State.Running"), "true", "running")
    }
    subject.claim("update changes cpus and leaves memory", of: both) { session in
        let name = try session.up("--memory 64m --cpus 1")
        try session.must("update", "--cpus", "0.5", name)
        let quota = try session.limit(of: name, "cpu", "cpu.max", "cpu.cfs_quota_us")
        try equal(String(quota.prefix { $0 != " " }), "50000", "quota")
        try equal(try session.limit(of: name, "memory", "memory.max", "memory.limit_in_bytes"), "67108864", "memory")
    }
    subject.claim("update of shares, processors and processes", of: [.docker]) { session in
        let name = try session.up("--pids-limit 50")
        try session.must("update", "--pids-limit", "77", "--cpuset-cpus", "0", "--cpu-shares", "512", name)
        try equal(try session.limit(of: name, "pids", "pids.max", "pids.max"), "77", "processes")
        try equal(try session.exec(name, "grep Cpus_allowed_list /proc/1/status"), "Cpus_allowed_list:\t0", "processors")
    }
    subject.claim("update below what is used is refused or holds", of: [.docker]) { session in
        let name = try session.up("--memory 64m --memory-swap 64m")
        try refused(try session.call("update", "--memory", "96m", name), "a limit above that with swap")
        try equal(try session.limit(of: name, "memory", "memory.max", "memory.limit_in_bytes"), "67108864", "limit")
    }

    // MARK: Files
    subject.claim("cp both ways while it runs", of: both) { session in
        let name = try session.up()
        let file = try session.lab.file("from outside\n")
        try session.must("cp", file, "\(name):/inside")
        try equal(try session.exec(name, "cat /inside"), "from outside", "file inside")
        try session.must("exec", name, "sh", "-c", "echo from inside >/back")
        try session.must("cp", "\(name):/back", "\(session.lab.directory)/back")
        try equal(session.lab.read("\(session.lab.directory)/back"), "from inside\n", "file outside")
    }
    subject.claim("cp into a volume of a container that only exists", of: both) { session in
        let name = session.name()
        let folder = try session.lab.folder()
        try session.must("create", "--name", name, "-v", "\(folder):/data", Images.box, "true")
        try session.must("cp", try session.lab.file("text\n"), "\(name):/data/file")
        try equal(session.lab.read("\(folder)/file"), "text\n", "file in the volume")
    }
    subject.claim("commit of a running container", of: both) { session in
        let name = try session.up("", "echo made >/made; echo ready; exec sleep 1000")
        try session.logged(name, "ready")
        try session.must("commit", name, "localhost/made:latest")
        try equal(try session.must("run", "--rm", "localhost/made:latest", "cat", "/made"), "made", "file of the image")
        try equal(try session.inspect(name, ".State.Running"), "true", "running")
    }
    subject.claim("diff names what changed", of: both) { session in
        let name = try session.up("", "echo x >/new; echo ready; exec sleep 1000")
        try session.logged(name, "ready")
        try contains(try session.must("diff", name), "A /new", "diff")
    }
}

extension Session {
    /// A limit in the cgroup of the container's first process, read from outside.
    func limit(of name: String, _ controller: String, _ unified: String, _ legacy: String) throws -> String {
        let directory = try Cgroups.directory(of: try pid(name), controller: controller)
        let path = "\(directory)/\(Cgroups.isUnified ? unified : legacy)"
        return lab.read(path).trimmingCharacters(in: .newlines)
    }
}

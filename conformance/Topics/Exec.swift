/// Further processes in a running container: their status, identity, surroundings, and what is refused.

import Foundation

extension Container {
    /// Runs a command in the container.
    func exec(_ options: [String] = [], _ command: String..., adjust: (inout Launch) -> Void = { _ in }) throws -> Outcome {
        try lab.run(["exec"] + options + [id] + command, adjust)
    }

    /// Runs a shell script in the container, which must succeed, and returns what it printed.
    func says(_ options: [String] = [], _ script: String) throws -> String {
        let outcome = try exec(options, "sh", "-c", script)
        try expect(outcome.status == 0, "exec ended with \(outcome.status): \(outcome.out)\(outcome.err)")
        return outcome.line
    }
}

extension Lab {
    /// A container that runs until it is killed.
    func runningContainer(_ change: (inout Config) throws -> Void = { _ in }) throws -> Container {
        let box = try container("exec sleep 1000", change)
        try box.up()
        return box
    }
}

let exec = Topic("exec", commands: ["exec"]) { topic in
    for status in [0, 1, 42, 255] as [Int32] {
        topic.claim("exec ends with the command's status \(status)", rows: ["CLI-08"]) { lab in
            let outcome = try lab.runningContainer().exec([], "sh", "-c", "echo ran; exit \(status)")
            try equal(outcome.line, "ran", "output")
            try equal(outcome.status, status, "status")
        }
    }

    topic.claim("exec ends with 128+N when the command dies of a signal", rows: ["CLI-08"]) { lab in
        try equal(try lab.runningContainer().exec([], "sh", "-c", "kill -KILL $$").status, 137, "status")
    }

    topic.claim("words after the id belong to the command", rows: ["CLI-08"]) { lab in
        let outcome = try lab.runningContainer().exec([], "printf", "[%s]", "-t", "--cwd", "a b")
        try equal(outcome.out, "[-t][--cwd][a b]", "output")
    }

    topic.claim("the command is in every namespace of the container", rows: ["N-01", "CLI-08"]) { lab in
        let box = try lab.runningContainer()
        let pid = try box.pid()
        let names = ["pid", "net", "ipc", "uts", "mnt", "cgroup"]
        let inside = try box.says([], "for n in \(names.joined(separator: " ")); do readlink /proc/self/ns/$n; done")
        try equal(inside.components(separatedBy: "\n"), names.map { Namespace.at("/proc/\(pid)/ns/\($0)") }, "namespaces")
    }

    topic.claim("the command is in the container's cgroup", rows: ["CG-08", "CLI-08"]) { lab in
        let box = try lab.runningContainer()
        let text = try box.says([], "cat /proc/self/cgroup")
        try expect(!text.isEmpty, "no cgroup at all")
        for line in text.split(separator: "\n") where Cgroups.isUnified ? line.hasPrefix("0:") : true {
            try expect(line.hasSuffix(":/"), "a cgroup is not the container's: \(line)")
        }
    }

    topic.claim("environment, directory and user come from the config unless given", rows: ["CLI-08", "P-06", "P-07", "P-39"]) { lab in
        let box = try lab.runningContainer {
            $0["/process/cwd"] = "/var"
            $0["/process/user"] = ["uid": 1000, "gid": 1001, "additionalGids": [7]] as Object
            $0.append("/process/env", "FROM=config")
        }
        try equal(try box.says([], "pwd; id -u; id -g; echo $FROM"), "/var\n1000\n1001\nconfig", "as configured")
        let options = ["--cwd", "/tmp", "--env", "FROM=option", "--env", "MORE=1", "--user", "5:6"]
        try equal(try box.says(options, "pwd; id -u; id -g; echo $FROM$MORE"), "/tmp\n5\n6\noption1", "as given")
    }

    topic.claim("additional groups can be given", rows: ["CLI-08", "P-43"]) { lab in
        let text = try lab.runningContainer().says(["--additional-gids", "7", "--additional-gids", "8"], "id -G")
        try expect(Set(text.split(separator: " ")).isSuperset(of: ["7", "8"]), "groups: \(text)")
    }

    topic.claim("a process document gives everything", rows: ["CLI-08"]) { lab in
        let box = try lab.runningContainer()
        var document = Config.base(cgroupsPath: "")
        document["/process/args"] = ["sh", "-c", "pwd; id -u; echo $A; ulimit -n"]
        document["/process/env"] = ["PATH=/bin", "A=b"]
        document["/process/cwd"] = "/tmp"
        document["/process/user/uid"] = 9
        document["/process/rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 50, "hard": 60] as Object]
        let data = try JSONSerialization.data(withJSONObject: document["/process"] ?? [:])
        let file = try lab.file(String(decoding: data, as: UTF8.self))
        try equal(try lab.run(["exec", "--process", file, box.id]).line, "/tmp\n9\nb\n50", "output")
    }

    topic.claim("capabilities and no_new_privs are the config's", rows: ["P-16", "P-22", "CLI-08"]) { lab in
        let script = "grep -E '^(CapBnd|NoNewPrivs):' /proc/self/status"
        let box = try lab.runningContainer()
        let bits: UInt64 = 1 << 29 | 1 << 5 | 1 << 10
        try equal(try box.says([], script), "CapBnd:\t\(String(format: "%016x", bits))\nNoNewPrivs:\t1", "status")
    }

    topic.claim("--cap adds a capability, but not an inheritable one", rows: ["P-20", "CLI-08"]) { lab in
        let text = try lab.runningContainer().says(["--cap", "CAP_CHOWN"], "grep -E '^Cap(Inh|Eff|Amb):' /proc/self/status")
        let values = text.split(separator: "\n").map { UInt64($0.split(separator: "\t").last ?? "", radix: 16) ?? 0 }
        try equal(values.count, 3, "number of lines")
        try equal(values[0], 0, "CapInh")
        try equal(values[1] & 1, 1, "CAP_CHOWN in CapEff")
        try equal(values[2], 0, "CapAmb")
    }

    topic.claim("the container's seccomp filter holds for the command", rows: ["SE-01", "CLI-08"]) { lab in
        let box = try lab.runningContainer {
            let rule: Object = ["names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28]
            $0["/linux/seccomp"] = ["defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]] as Object
        }
        try contains(try box.says([], "mkdir /x 2>&1; true"), "No space left on device", "mkdir")
    }

    topic.claim("the container's device rules hold for the command", rows: ["RD-01", "CLI-08"]) { lab in
        let box = try lab.runningContainer {
            $0.append("/linux/devices", ["path": "/dev/loop", "type": "b", "major": 7, "minor": 0] as Object)
        }
        try contains(try box.says([], "(: </dev/loop) 2>&1; true"), "Operation not permitted", "open")
    }

    topic.claim("a command in a user namespace is mapped as the container is", rows: ["N-09", "CLI-08"]) { lab in
        let box = try lab.container("exec sleep 1000") { $0.userNamespace(uids: [(0, 100_000, 10)], gids: [(0, 100_000, 10)]) }
        box.ownRootfs(100_000, 100_000)
        try box.up()
        let text = try box.says([], "id -u; tr -s ' ' </proc/self/uid_map")
        try equal(text.replacingOccurrences(of: "\n ", with: "\n"), "0\n0 100000 10", "identity")
    }

    topic.claim("execCPUAffinity's final CPUs are the command's", rows: ["P-35", "P-37"], since: "1.2.1") { lab in
        let box = try lab.runningContainer { $0["/process/execCPUAffinity"] = ["initial": "0", "final": "1"] as Object }
        try contains(try box.says([], "grep ^Cpus_allowed_list: /proc/self/status"), "\t1", "CPUs")
    }

    topic.claim("execCPUAffinity's initial CPUs are where the runtime begins", rows: ["P-35", "P-36"], since: "1.2.1") { lab in
        let box = try lab.runningContainer { $0["/process/execCPUAffinity"] = ["initial": "1"] as Object }
        try contains(try box.says([], "grep ^Cpus_allowed_list: /proc/self/status"), "\t1", "CPUs")
    }

    topic.claim("only stdio is open in the command", rows: ["L-07", "CLI-08"]) { lab in
        let descriptor = open(try lab.file("leak"), O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let outcome = try lab.runningContainer().exec([], "ls", "/proc/self/fd") { $0.descriptors = [(7, descriptor)] }
        try equal(outcome.lines, ["0", "1", "2", "3"], "descriptors")
    }

    topic.claim("stdin, stdout and stderr are the caller's", rows: ["CLI-08", "L-08"]) { lab in
        let input = try lab.file("from stdin")
        let outcome = try lab.runningContainer().exec([], "sh", "-c", "cat; echo error >&2") { $0.input = input }
        try equal(outcome.out, "from stdin", "stdout")
        try contains(outcome.err, "error", "stderr")
    }

    topic.claim("exec --detach returns at once and leaves the pid", rows: ["CLI-08"]) { lab in
        let box = try lab.runningContainer()
        let file = lab.fresh("pid")
        let outcome = try box.exec(["--detach", "--pid-file", file], "sleep", "4242")
        try equal(outcome.status, 0, "status (\(outcome.err))")
        try lab.eventually("the pid to be the command's") { lab.read("/proc/\(lab.read(file))/cmdline").contains("4242") }
        try contains(try box.says([], "ps -o args"), "sleep 4242", "ps")
    }

    topic.claim("a terminal is sent over the console socket", rows: ["CLI-06", "CLI-08", "P-02"]) { lab in
        let box = try lab.runningContainer()
        let console = try Console(lab)
        try console.exec(box, "tty; echo end")
        try console.reads("end")
        try contains(console.text, "/dev/pts/", "tty")
    }

    for (name, command, words) in [
        ("is missing on PATH", "nosuchprogram", "executable file not found in $PATH"),
        ("is missing at its path", "/no/such/program", "no such file or directory"),
        ("is not executable", "/etc/passwd", "permission denied"),
    ] {
        topic.claim("a command that \(name) fails with \"\(words)\"", rows: ["CLI-03", "CLI-08"]) { lab in
            let outcome = try lab.runningContainer().exec([], command)
            try expect(outcome.status != 0, "exec succeeded")
            try contains(outcome.err.lowercased(), words.lowercased(), "message")
        }
    }

    topic.claim("exec in an unknown container says that it does not exist", rows: ["CLI-03", "CLI-08"]) { lab in
        let outcome = try lab.run(["exec", "nobody", "true"])
        try expect(outcome.status != 0, "exec succeeded")
        try contains(outcome.err, "container does not exist", "message")
    }

    topic.claim("exec in a stopped container is refused", rows: ["CLI-08"]) { lab in
        let box = try lab.container()
        try box.up()
        try box.stopped()
        try refused(try box.exec([], "true"), "exec")
    }

    topic.claim("exec in a paused container is refused without a hang", rows: ["CLI-08", "CG-10"]) { lab in
        let box = try lab.runningContainer()
        try equal(try lab.run(["pause", box.id]).status, 0, "pause")
        lab.limit(seconds: 5)
        try refused(try box.exec([], "true"), "exec")
        try equal(try lab.run(["resume", box.id]).status, 0, "resume")
    }

    topic.claim("ps lists every process of the container by its pid on the host", rows: ["CLI-10"]) { lab in
        let box = try lab.container("sleep 1000 & echo up; wait")
        try box.up()
        try box.writes("up")
        let outcome = try lab.run(["ps", "--format", "json", box.id])
        let pids = try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [Int32] ?? []
        try expect(pids.contains(try box.pid()), "the init is not among \(pids)")
        let commands = pids.map { lab.read("/proc/\($0)/cmdline") }
        try expect(commands.contains { $0.hasPrefix("sleep") }, "the child is not among \(commands)")
    }

    for (options, column) in [([], "CMD"), (["-e", "-o", "pid,args"], "COMMAND")] as [([String], String)] {
        topic.claim("ps \((["ID"] + options).joined(separator: " ")) shows the container's processes only", rows: ["CLI-10"]) { lab in
            let box = try lab.container("sleep 1000 & echo up; wait")
            try box.up()
            try box.writes("up")
            let outcome = try lab.run(["ps", box.id] + options)
            if !lab.runtime.isSwoci, outcome.status != 0 { throw Skip("ps takes no options of ps(1)") }
            try equal(outcome.status, 0, "status (\(outcome.err))")
            try contains(outcome.lines.first ?? "", column, "header")
            let json = try lab.run(["ps", "--format", "json", box.id])
            let pids = try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [Int32] ?? []
            try equal(outcome.lines.count, pids.count + 1, "lines of \(outcome.out)")
            try contains(outcome.out, "sleep 1000", "table")
        }
    }

    topic.claim("ps of a stopped container shows nothing but the header", rows: ["CLI-10"]) { lab in
        let box = try lab.container()
        try box.up()
        try box.stopped()
        let table = try lab.run(["ps", box.id])
        try equal(table.status, 0, "status (\(table.err))")
        try equal(table.lines.count, 1, "lines of \(table.out)")
        try expect(try lab.run(["ps", "--format", "bad", box.id]).status != 0, "a bad format was taken")
        try expect(try lab.run(["ps", "\(box.id)-not"]).status != 0, "an unknown container has processes")
    }
}

extension Console {
    /// Runs a shell script in a container on a terminal sent over this socket.
    func exec(_ box: Container, _ script: String) throws {
        let words = ["exec", "--detach", "--tty", "--console-socket", path, box.id, "sh", "-c", script]
        try take {
            try box.lab.children.start(Launch(arguments: [box.lab.runtime.path, "--root", box.lab.stateRoot] + words, error: box.errors))
        }
    }
}

/// containerd by itself, driven by ctr, whose shim calls the runtime through a link named runc.

import Foundation

final class Containerd: Engine {
    let name = EngineName.containerd
    let words: [String]
    let environment: [String]
    let daemons: Set<String> = ["containerd"]
    let stateRoots = ["/run/containerd/runc/default"]

    static let directory = "\(EngineIsolation.scratch)/containerd"
    static let socket = "\(directory)/socket"
    private let runtime: String
    private let config: String
    private let namespace: String
    let daemon: Daemon

    /// A daemon; extra lines go into its config.toml, images into a namespace.
    init(runtime: RuntimeUnderTest, namespace: String = "default", config: String = "disabled_plugins = [\"io.containerd.grpc.v1.cri\"]") {
        self.runtime = runtime.path
        self.config = config
        self.namespace = namespace
        words = ["ctr", "--address", Self.socket, "--namespace", namespace]
        let path = "PATH=\(EngineIsolation.scratch)/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        environment = [path] + Self.basics.dropFirst()
        daemon = Daemon(
            ["env", path, "containerd", "--config", "\(Self.directory)/config.toml"], log: "\(Self.directory)/log",
            environment: environment,
            answers: words + ["version"])
    }

    func start(_ lab: Lab) throws {
        let directory = Self.directory
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let link = "\(EngineIsolation.scratch)/bin/runc"
        try? FileManager.default.removeItem(atPath: link)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: runtime)
        let settings = """
            version = 2
            root = "\(directory)/root"
            state = "\(directory)/state"
            \(config.hasPrefix("disabled") ? config : "")
            [grpc]
              address = "\(Self.socket)"
            [plugins."io.containerd.internal.v1.opt"]
              path = "\(directory)/opt"
            \(config.hasPrefix("disabled") ? "" : config)

            """
        try settings.write(toFile: "\(directory)/config.toml", atomically: false, encoding: .utf8)
        try daemon.start(lab)
        for archive in Images.archives { try need(lab, words + ["image", "import", archive]) }
    }

    func reset(_ lab: Lab) {
        for task in list(lab, words + ["task", "ls", "-q"]) {
            attempt(lab, words + ["task", "resume", task])
            attempt(lab, words + ["task", "delete", "--force", task])
        }
        for container in list(lab, words + ["container", "ls", "-q"]) { attempt(lab, words + ["container", "delete", container]) }
    }

    func stop(_ lab: Lab) { daemon.stop(lab) }
}

let tasks = Subject { subject in
    func claim(_ claim: String, _ body: @escaping @Sendable (Session) throws -> Void) { subject.claim(claim, of: [.containerd], body) }

    claim("run prints what the payload prints") { session in
        try equal(try session.task([], "echo hello"), "hello", "output")
    }
    claim("run ends with the payload's status") { session in
        try equal(try session.call("run", "--rm", Images.box, session.name(), "sh", "-c", "exit 42").status, 42, "status")
    }
    claim("run by the path of the runtime, with a state directory of its own") { session in
        let root = try session.lab.folder()
        let options = ["--runc-binary", session.lab.runtime.path, "--runc-root", root]
        let name = session.name()
        try session.must(["run", "-d"] + options + [Images.box, name, "sleep", "1000"])
        try expect(FileManager.default.fileExists(atPath: "\(root)/default/\(name)"), "no state below \(root)")
        try session.must("task", "delete", "--force", name)
        try equal(try FileManager.default.contentsOfDirectory(atPath: "\(root)/default").filter { $0 == name }, [], "state after delete")
    }
    claim("run of a program that is not there is an error with its name") { session in
        let outcome = try session.call("run", "--rm", Images.box, session.name(), "/no/such/program")
        try expect(outcome.status != 0, "status 0")
        try contains(outcome.err, "no such file or directory", "what it said")
        try contains(outcome.err, "/no/such/program", "what it said")
    }
    for (option, script, expected) in [
        ("--env FOO=bar", "echo $FOO", "bar"), ("--cwd /tmp", "pwd", "/tmp"),
        ("--read-only", "touch /x 2>/dev/null || echo refused", "refused"),
        ("--net-host", "readlink /proc/self/ns/net", Namespace.at("/proc/self/ns/net")),
        ("--cap-add CAP_NET_ADMIN", "ip link set lo down && echo down", "down"),
        ("--cap-drop CAP_CHOWN", "touch /x; chown 1 /x 2>/dev/null || echo refused", "refused"),
        ("--seccomp", "grep Seccomp: /proc/self/status", "Seccomp:\t2"), ("--device /dev/fuse", "test -c /dev/fuse && echo there", "there"),
        ("--privileged", "mkdir /m; mount -t tmpfs none /m && echo mounted", "mounted"),
        ("--allow-new-privs", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t0"),
        ("--uidmap 0:100000:1000 --gidmap 0:100000:1000", "awk '{print $2}' /proc/self/uid_map", "100000"),
    ] {
        claim("run \(option)") { session in try equal(try session.task(Session.split(option), script), expected, "output") }
    }
    claim("run --memory-limit, --cpus") { session in
        let name = session.name()
        try session.must("run", "-d", "--memory-limit", "67108864", "--cpus", "0.5", Images.box, name, "sleep", "1000")
        let pid = try session.taskPID(name)
        let memory = try Cgroups.directory(of: pid, controller: "memory") + (Cgroups.isUnified ? "/memory.max" : "/memory.limit_in_bytes")
        try equal(session.lab.read(memory), "67108864\n", "memory")
        let cpu = try Cgroups.directory(of: pid, controller: "cpu") + (Cgroups.isUnified ? "/cpu.max" : "/cpu.cfs_quota_us")
        try expect(session.lab.read(cpu).hasPrefix("50000"), "quota: \(session.lab.read(cpu))")
    }
    claim("run --mount") { session in
        let folder = try session.lab.folder(["given": "outside\n"])
        let mount = "type=bind,src=\(folder),dst=/data,options=rbind:ro"
        try equal(
            try session.task(["--mount", mount], "cat /data/given; touch /data/x 2>/dev/null || echo refused"), "outside\nrefused", "output"
        )
    }
    claim("run --with-ns joins a namespace") { session in
        let name = try session.running()
        let path = "/proc/\(try session.taskPID(name))/ns/ipc"
        try equal(try session.task(["--with-ns", "ipc:\(path)"], "readlink /proc/self/ns/ipc"), Namespace.at(path), "namespace")
    }
    claim("run --pid-file") { session in
        let file = session.lab.fresh("pid")
        let name = session.name()
        try session.must("run", "-d", "--pid-file", file, Images.box, name, "sleep", "1000")
        try equal(session.lab.read(file), "\(try session.taskPID(name))", "pid")
    }
    claim("run --tty has a terminal") { session in
        let words = ["run", "--rm", "--tty", Images.box, session.name(), "sh", "-c", "read x; stty size; echo got $x; exit 4"]
        let terminal = try PseudoTerminal(try session.launch(words), session.lab, rows: 33, columns: 101)
        usleep(500_000)
        try terminal.writes("word\n")
        try terminal.reads("33 101")
        try terminal.reads("got word")
        try equal(try terminal.ends(), 4, "status")
    }
    claim("exec prints and ends with the command's status") { session in
        let name = try session.running()
        let outcome = try session.call("task", "exec", "--exec-id", "e1", name, "sh", "-c", "echo out; exit 9")
        try equal([outcome.line, "\(outcome.status)"], ["out", "9"], "output and status")
    }
    claim("exec --tty, --cwd, --user") { session in
        let name = try session.running()
        let words = [
            "task", "exec", "--tty", "--cwd", "/tmp", "--user", "1000", "--exec-id", "e1", name, "sh", "-c", "id -u; pwd; tty; exit 3",
        ]
        let terminal = try PseudoTerminal(try session.launch(words), session.lab)
        for text in ["1000", "/tmp", "/dev/pts/0"] { try terminal.reads(text) }
        try equal(try terminal.ends(), 3, "status")
    }
    claim("exec of a program that is not there is an error with its name") { session in
        let outcome = try session.call("task", "exec", "--exec-id", "e1", try session.running(), "no-such-program")
        try expect(outcome.status != 0, "status 0")
        try contains(outcome.err, "executable file not found in $PATH", "what it said")
    }
    claim("kill, with a name or a number") { session in
        for (signal, status) in [("USR1", "5"), ("12", "6")] {
            let name = try session.running("trap 'exit 5' USR1; trap 'exit 6' USR2; echo; while :; do sleep 0.1; done")
            usleep(300_000)
            try session.must("task", "kill", "--signal", signal, name)
            try session.ended(name)
            let outcome = try session.call("task", "delete", name)
            try contains(outcome.out + outcome.err, "exit code \(status)", "what delete says after \(signal)")
        }
    }
    claim("kill of what has ended is no error") { session in
        let name = try session.running("exit 0")
        try session.ended(name)
        _ = try session.call("task", "kill", name)
        try equal(try session.call("task", "delete", name).status, 0, "status of delete")
    }
    claim("kill --all ends every process") { session in
        let name = try session.running("sleep 4327 & exec sleep 4328")
        try session.must("task", "kill", "--all", "--signal", "KILL", name)
        try session.ended(name)
    }
    claim("pause and resume") { session in
        let name = try session.running()
        try session.must("task", "pause", name)
        try contains(try session.must("task", "ls"), "PAUSED", "tasks")
        try session.must("task", "resume", name)
        try contains(try session.must("task", "ls"), "RUNNING", "tasks")
    }
    claim("ps lists the processes") { session in
        let name = try session.running("sleep 4329 & exec sleep 4330")
        try session.lab.eventually("two processes") { try session.must("task", "ps", name).split(separator: "\n").count >= 3 }
    }
    claim("metrics have memory and processes") { session in
        let text = try session.must("task", "metrics", try session.running())
        let memory = text.split(separator: "\n").first { $0.hasPrefix("memory.usage") }?.split(separator: " ").last
        try expect((Int(memory ?? "") ?? 0) > 0, "memory in \(text)")
    }
    claim("a container is created, started, ended, started again") { session in
        let name = session.name()
        try session.must("container", "create", Images.box, name, "echo", "ran")
        for _ in 1...2 {
            try equal(try session.must("task", "start", name), "ran", "output")
            _ = try session.call("task", "delete", name)
        }
    }
    claim("containerd is killed and comes back, the container goes on") { session in
        guard let engine = session.engine as? Containerd else { return }
        let name = try session.running()
        let pid = try session.taskPID(name)
        try engine.daemon.comesBack(session.lab)
        try equal(try session.taskPID(name), pid, "its process")
        try equal(try session.must("task", "exec", "--exec-id", "e1", name, "echo", "alive"), "alive", "exec")
    }
    claim("memory that runs out is an event") { session in
        let events = try session.begin(["events"])
        usleep(300_000)
        let outcome = try session.call(
            "run", "--rm", "--memory-limit", "16777216", Images.box, session.name(), "sh", "-c", "tail /dev/zero; exit 3")
        try expect(outcome.status != 0, "status 0")
        try session.lab.eventually("the event") { session.lab.read(events.output).contains("/tasks/oom") }
        kill(events.pid, SIGKILL)
    }
    claim("twenty containers at once") { session in
        try session.atOnce(20) { ["run", "--rm", Images.box, "many\($0)", "sh", "-c", $1] }
    }
}

extension Session {
    /// Runs a script in a new container to its end and returns what it printed.
    fileprivate func task(_ options: [String], _ script: String) throws -> String {
        try must(["run", "--rm"] + options + [Images.box, name(), "sh", "-c", script])
    }

    /// A container in the background.
    fileprivate func running(_ script: String = "exec sleep 1000") throws -> String {
        let name = name()
        try must("run", "-d", Images.box, name, "sh", "-c", script)
        return name
    }

    fileprivate func taskPID(_ name: String) throws -> pid_t {
        let line = try must("task", "ls").split(separator: "\n").first { $0.hasPrefix("\(name) ") }
        guard let pid = line?.split(separator: " ").dropFirst().first.flatMap({ pid_t($0) }) else {
            throw Failure(message: "no task \(name)")
        }
        return pid
    }

    fileprivate func ended(_ name: String) throws {
        try lab.eventually("the end of \(name)") { try must("task", "ls").contains("STOPPED") }
    }
}

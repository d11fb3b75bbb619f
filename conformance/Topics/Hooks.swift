/// Hooks: when each kind runs and where, what it is given, and what its failure does.

import Foundation

/// Kinds that run during create, before the program is started.
private let creating = ["prestart", "createRuntime", "createContainer"]

extension Lab {
    /// A hook that runs a shell script on the host's side.
    func hook(_ script: String) throws -> Object {
        ["path": try file("#!/bin/sh\n\(script)\n", mode: 0o755)]
    }

    /// Where hooks of this case write.
    var log: String { "\(directory)/log" }
}

extension Container {
    /// Adds a hook that runs a shell script inside the container.
    func startHook(_ script: String) throws {
        try "#!/bin/sh\n\(script)\n".write(toFile: "\(rootfs)/hook", atomically: false, encoding: .utf8)
        chmod("\(rootfs)/hook", 0o755)
        config["/hooks/startContainer"] = [["path": "/hook"] as Object]
        try save()
    }

    /// The states that hooks left on their stdin, in order, as (kind, state).
    func hookStates() throws -> [(kind: String, state: Object)] {
        let lines = lab.read(lab.log).split(separator: "\n")
        return try lines.map { line in
            let parts = line.split(separator: " ", maxSplits: 1)
            return (String(parts[0]), try object(parts.count > 1 ? String(parts[1]) : "{}"))
        }
    }
}

let hooks = Topic("hooks") { topic in
    topic.claim(
        "all kinds run, in the order of the lifecycle and of the list",
        rows: ["H-01", "LC-03", "LC-04", "LC-05", "LC-07", "LC-08", "LC-09", "LC-13"]
    ) { lab in
        let folder = try lab.folder()
        let box = try lab.container("echo payload >>/shared/log; exec sleep 100") {
            $0.mount("/shared", type: "bind", source: folder, ["bind"])
            for kind in ["poststop", "poststart"] + creating.reversed() {
                for number in 1...2 { $0.append("/hooks/\(kind)", try lab.hook("echo \(kind) \(number) >>\(folder)/log")) }
            }
        }
        try box.startHook("echo startContainer >>/shared/log")
        try box.created()
        let before = ["prestart 1", "prestart 2", "createRuntime 1", "createRuntime 2", "createContainer 1", "createContainer 2"]
        try equal(lab.read("\(folder)/log").split(separator: "\n").map(String.init), before, "hooks at create")
        try box.started()
        try lab.eventually("the payload") { lab.read("\(folder)/log").contains("payload") }
        let during = lab.read("\(folder)/log").split(separator: "\n").map(String.init).dropFirst(before.count)
        try equal(during.first, "startContainer", "first at start")
        try equal(Set(during), ["startContainer", "payload", "poststart 1", "poststart 2"], "hooks at start")
        try equal(try box.delete("--force").status, 0, "delete --force")
        try equal(lab.read("\(folder)/log").split(separator: "\n").suffix(2), ["poststop 1", "poststop 2"], "hooks at delete")
    }

    topic.claim("the state is on stdin, with the status of the moment and the pid", rows: ["H-01", "H-02", "H-03", "ST-03", "ST-04"]) {
        lab in
        let box = try lab.container("exec sleep 100") {
            $0["/annotations"] = ["org.example.key": "value"]
            for kind in creating + ["poststart", "poststop"] {
                $0.append("/hooks/\(kind)", try lab.hook("echo \(kind) $(cat | tr -d '\\n') >>\(lab.log)"))
            }
        }
        try box.created()
        let pid = try box.pid()
        try box.started()
        try equal(try box.kill("KILL").status, 0, "kill")
        try box.stopped()
        try equal(try box.delete().status, 0, "delete")
        let states = try box.hookStates()
        try equal(states.map(\.kind), creating + ["poststart", "poststop"], "hooks")
        for (kind, state) in states {
            try equal(state["id"] as? String, box.id, "id for \(kind)")
            try equal(state["bundle"] as? String, box.bundle, "bundle for \(kind)")
            try equal((state["annotations"] as? [String: String])?["org.example.key"], "value", "annotation for \(kind)")
            let version = state["ociVersion"] as? String ?? ""
            try expect(version.split(separator: ".").count >= 3, "ociVersion for \(kind) is \(version)")
            let status = state["status"] as? String ?? ""
            let allowed = kind == "poststart" ? ["running"] : kind == "poststop" ? ["stopped"] : ["creating", "created"]
            try expect(allowed.contains(status), "status for \(kind) is \(status)")
            if kind == "prestart" || kind == "createRuntime" || kind == "poststart" {
                try equal(state["pid"] as? Int32, pid, "pid for \(kind)")
            }
        }
    }

    topic.claim("arguments and environment are exactly the configured ones", rows: ["H-09", "H-10"]) { lab in
        let path = try lab.file("#!/bin/sh\necho \"$#:$1:$2\" >>\(lab.log); tr '\\0' '\\n' </proc/$$/environ >>\(lab.log)\n", mode: 0o755)
        let box = try lab.container {
            $0.append("/hooks/createRuntime", ["path": path, "args": ["zero", "a b", ""], "env": ["ONE=1", "TWO=2 2"]] as Object)
        }
        try equal(try box.run().status, 0, "run")
        try equal(lab.read(lab.log), "2:a b:\nONE=1\nTWO=2 2\n", "what the hook saw")
    }

    topic.claim("argv[0] is the first of the arguments, not the path", rows: ["H-09"]) { lab in
        let box = try lab.container {
            $0.append(
                "/hooks/createRuntime",
                [
                    "path": "/bin/busybox", "args": ["sh", "-c", "echo $0 $1 >>\(lab.log)", "x", "y"], "env": ["PATH=/bin"],
                ] as Object)
        }
        try equal(try box.run().status, 0, "run")
        try equal(lab.read(lab.log), "x y\n", "what the hook saw")
    }

    topic.claim("a hook that never reads its stdin does no harm", rows: ["H-01"]) { lab in
        let box = try lab.container("echo fine") {
            $0["/annotations"] = ["org.example.large": String(repeating: "x", count: 200_000)]
            $0.append("/hooks/createRuntime", try lab.hook("exec 0<&-; sleep 0.1"))
            $0.append("/hooks/createRuntime", ["path": "/bin/true"] as Object)
        }
        try equal(try box.printed(), "fine", "output")
    }

    topic.claim("createRuntime hooks run in the runtime's namespaces", rows: ["H-02", "H-03"]) { lab in
        let box = try lab.container("exec sleep 100") {
            $0.append("/hooks/createRuntime", try lab.hook("for n in mnt net pid uts; do readlink /proc/self/ns/$n; done >>\(lab.log)"))
        }
        try box.created()
        try equal(
            lab.read(lab.log).split(separator: "\n").map(String.init), ["mnt", "net", "pid", "uts"].map { Namespace.own($0) }, "namespaces")
    }

    topic.claim("the namespaces stand when createRuntime hooks run", rows: ["H-03"]) { lab in
        let script = "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/'); readlink /proc/$pid/ns/net /proc/$pid/ns/mnt >>\(lab.log)"
        let box = try lab.container { $0.append("/hooks/createRuntime", try lab.hook("tr -d '\\n' | (\(script))")) }
        try box.created()
        let pid = try box.pid()
        let seen = lab.read(lab.log).split(separator: "\n").map(String.init)
        try equal(seen, [Namespace.at("/proc/\(pid)/ns/net"), Namespace.at("/proc/\(pid)/ns/mnt")], "namespaces of the pid in the state")
    }

    topic.claim("createContainer hooks run in the container's namespaces, before its root is entered", rows: ["H-04", "LC-05"]) { lab in
        let box = try lab.container("exec sleep 100")
        let script = """
            readlink /proc/self/ns/mnt /proc/self/ns/net >>\(lab.log)
            grep -c ' \(box.rootfs)/dev ' /proc/self/mountinfo >>\(lab.log)
            ls -d \(box.bundle) >>\(lab.log)
            """
        box.config.append("/hooks/createContainer", try lab.hook(script))
        try box.save()
        try box.created()
        let pid = try box.pid()
        let want = [Namespace.at("/proc/\(pid)/ns/mnt"), Namespace.at("/proc/\(pid)/ns/net"), "1", box.bundle]
        try equal(lab.read(lab.log).split(separator: "\n").map(String.init), want, "what the hook saw")
    }

    topic.claim("a mount that a createContainer hook makes is seen by the payload", rows: ["H-04"]) { lab in
        let box = try lab.container("cat /mnt/file") { $0.mount("/mnt", type: "tmpfs", source: "tmpfs") }
        box.config.append(
            "/hooks/createContainer", try lab.hook("mount -t tmpfs tmpfs \(box.rootfs)/mnt && echo hooked >\(box.rootfs)/mnt/file"))
        try box.save()
        try equal(try box.printed(), "hooked", "content")
    }

    topic.claim("startContainer hooks run inside the container, before the program", rows: ["H-05", "LC-07"]) { lab in
        let box = try lab.container("cat /tmp/hooked")
        try box.startHook("(pwd; ls -d /bin/busybox; readlink /proc/self/ns/mnt) >/tmp/hooked")
        try box.created()
        try expect(!FileManager.default.fileExists(atPath: "\(box.rootfs)/tmp/hooked"), "the hook ran at create")
        let mount = Namespace.at("/proc/\(try box.pid())/ns/mnt")
        try box.started()
        try box.writes("/\n/bin/busybox\n\(mount)\n")
    }

    topic.claim("a startContainer hook is given the state as the container sees it", rows: ["H-05", "ST-04"]) { lab in
        let box = try lab.container("cat /tmp/state")
        try box.startHook("cat >/tmp/state")
        try box.up()
        try box.stopped()
        let state = try object(box.text)
        try equal(state["id"] as? String, box.id, "id")
        try equal(state["status"] as? String, "created", "status")
    }

    topic.claim("poststart hooks run before start returns, after the program was executed", rows: ["H-06", "LC-09"]) { lab in
        let box = try lab.container("exec sleep 4242") {
            $0.append("/hooks/poststart", try lab.hook("sleep 0.2; cat /proc/[0-9]*/cmdline | tr '\\0' ' ' >>\(lab.log)"))
        }
        try box.up()
        try contains(lab.read(lab.log), "sleep 4242", "processes when the hook ran")
    }

    topic.claim("poststop hooks run after the container is gone, before delete returns", rows: ["H-07", "LC-13"]) { lab in
        let box = try lab.container()
        let cgroups = Cgroups.hierarchies.map { "\($0.directory)\(Isolation.cgroup(of: box.id))" }.joined(separator: " ")
        box.config.append("/hooks/poststop", try lab.hook("ls -d \(cgroups) 2>/dev/null >>\(lab.log); echo end >>\(lab.log)"))
        try box.save()
        try box.up()
        try box.stopped()
        try equal(lab.read(lab.log), "", "hooks before delete")
        try equal(try box.delete().status, 0, "delete")
        try equal(lab.read(lab.log), "end\n", "what the hook saw")
    }

    topic.claim("delete --force runs poststop hooks", rows: ["H-07", "LC-13"]) { lab in
        let box = try lab.container("exec sleep 100") { $0.append("/hooks/poststop", try lab.hook("echo stopped >>\(lab.log)")) }
        try box.up()
        try equal(try box.delete("--force").status, 0, "delete --force")
        try equal(lab.read(lab.log), "stopped\n", "log")
    }

    // MARK: Failure

    for kind in creating {
        topic.claim("a \(kind) hook that fails fails create, and nothing is left", rows: ["H-02", "H-03", "H-04", "H-13", "LC-15"]) { lab in
            let box = try lab.container {
                $0.append("/hooks/\(kind)", try lab.hook("echo one >>\(lab.log)"))
                $0.append("/hooks/\(kind)", try lab.hook("echo the reason >&2; exit 7"))
                $0.append("/hooks/\(kind)", try lab.hook("echo three >>\(lab.log)"))
            }
            try box.refused("hook")
            try equal(lab.read(lab.log), "one\n", "hooks that ran")
            try lab.eventually("processes to end") { lab.children.living().isEmpty }
        }

        topic.claim(
            "after a \(kind) hook that fails the poststop hooks run", rows: ["LC-03", "LC-04", "LC-05", "LC-12", "LC-13"], since: "1.0.2"
        ) { lab in
            let box = try lab.container {
                $0.append("/hooks/\(kind)", try lab.hook("exit 1"))
                $0.append("/hooks/poststop", try lab.hook("echo stopped >>\(lab.log)"))
            }
            try box.refused()
            try equal(lab.read(lab.log), "stopped\n", "log")
        }

        topic.claim("the message of a failed \(kind) hook tells its exit status and what it wrote", rows: ["H-12", "H-13"]) { lab in
            let outcome = try lab.container { $0.append("/hooks/\(kind)", try lab.hook("echo the reason >&2; exit 7")) }.create()
            try contains(outcome.err, "7", "message")
            try contains(outcome.err, "the reason", "message")
        }
    }

    for kind in creating {
        topic.claim("a \(kind) hook that does not exist fails create", rows: ["H-08"]) { lab in
            try lab.container { $0.append("/hooks/\(kind)", ["path": "/no/such/hook"] as Object) }.refused("/no/such/hook")
        }
    }

    topic.claim("a startContainer hook that does not exist fails start", rows: ["H-08"]) { lab in
        let box = try lab.container("echo payload") { $0.append("/hooks/startContainer", ["path": "/no/such/hook"] as Object) }
        try box.created()
        let outcome = try box.start()
        try refused(outcome, "start")
        if lab.runtime.isSwoci { try contains(outcome.err, "/no/such/hook", "message") }
        _ = try box.delete("--force")
        try equal(box.text, "", "the payload's output")
    }

    for kind in creating + ["startContainer", "poststart", "poststop"] {
        topic.claim(
            "the message of a failed \(kind) hook has kind, number, path, duration and what was written", rows: ["H-12", "H-13"]
        ) { lab in
            try lab.oursOnly()
            let box = try lab.container("exec sleep 100")
            let script = "#!/bin/sh\nsleep 0.1; echo the reason >&2; exit 7\n"
            let path = kind == "startContainer" ? "/hook" : try lab.file(script, mode: 0o755)
            try script.write(toFile: "\(box.rootfs)/hook", atomically: false, encoding: .utf8)
            chmod("\(box.rootfs)/hook", 0o755)
            box.config["/hooks/\(kind)"] = [["path": "/bin/true"] as Object, ["path": path] as Object]
            try box.save()
            var outcome = try box.create()
            if outcome.status == 0 { outcome = try box.start() }
            if outcome.status == 0 { outcome = try box.delete("--force") }
            let pattern = "\(kind) hook #1: exit status 7, stdout: , stderr: the reason \\(\(path), after [1-9][0-9]{2} ms\\)"
            try expect(outcome.err.range(of: pattern, options: .regularExpression) != nil, "message: \(outcome.err)")
        }
    }

    topic.claim("a hook's output in the message is bounded", rows: ["H-12"]) { lab in
        try lab.oursOnly()
        for kind in ["createRuntime", "createContainer"] {
            let box = try lab.container { $0.append("/hooks/\(kind)", try lab.hook("yes reason | head -c 1000000 >&2; exit 7")) }
            let outcome = try box.create()
            try contains(outcome.err, "exit status 7", "message")
            try expect((1000..<200_000).contains(outcome.err.utf8.count), "\(outcome.err.utf8.count) bytes of message")
        }
    }

    topic.claim("a startContainer hook that fails fails start, and the program does not run", rows: ["H-05", "LC-07"]) { lab in
        let box = try lab.container("echo payload")
        try box.startHook("exit 1")
        try box.created()
        try refused(try box.start(), "start")
        _ = try box.delete("--force")
        try equal(box.text, "", "the payload's output")
        try box.gone()
    }

    topic.claim("a poststart hook that fails fails start and stops the container", rows: ["H-06", "LC-09"], since: "1.3.0") { lab in
        let box = try lab.container("exec sleep 100") {
            $0.append("/hooks/poststart", try lab.hook("exit 1"))
            $0.append("/hooks/poststop", try lab.hook("echo stopped >>\(lab.log)"))
        }
        try box.created()
        try refused(try box.start(), "start")
        try lab.eventually("processes to end") { lab.children.living().isEmpty }
        _ = try box.delete("--force")
        try box.gone()
        try equal(lab.read(lab.log), "stopped\n", "log")
    }

    topic.claim("a poststop hook that fails is a warning, the others run, and delete succeeds", rows: ["H-07", "LC-13"]) { lab in
        let box = try lab.container {
            $0.append("/hooks/poststop", try lab.hook("echo one >>\(lab.log)"))
            $0.append("/hooks/poststop", try lab.hook("exit 1"))
            $0.append("/hooks/poststop", ["path": "/no/such/hook"] as Object)
            $0.append("/hooks/poststop", try lab.hook("echo four >>\(lab.log)"))
        }
        try box.up()
        try box.stopped()
        let outcome = try box.delete()
        try equal(lab.read(lab.log), "one\nfour\n", "hooks that ran")
        try equal(outcome.status, 0, "delete")
        try expect(!outcome.err.isEmpty, "no warning")
        try box.gone()
    }

    topic.claim("a hook that takes longer than its timeout is ended and fails create", rows: ["H-11", "LC-15"]) { lab in
        let box = try lab.container {
            var hook = try lab.hook("exec sleep 100")
            hook["timeout"] = 1
            $0.append("/hooks/createRuntime", hook)
        }
        lab.limit(seconds: 5)
        try box.refused()
        try lab.eventually("processes to end") { lab.children.living().isEmpty }
    }

    topic.claim("a timed-out hook's children are ended too", rows: ["H-11"]) { lab in
        let box = try lab.container {
            var hook = try lab.hook("sleep 100 & sleep 100; true")
            hook["timeout"] = 1
            $0.append("/hooks/createRuntime", hook)
        }
        lab.limit(seconds: 6)
        try box.refused()
        try lab.eventually("processes to end") { lab.children.living().isEmpty }
    }
}

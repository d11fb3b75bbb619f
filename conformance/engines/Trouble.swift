/// Who dies in between: the runtime half-way through a command, and those who watch over a container.

import Foundation

private let both: [EngineName] = [.podman, .docker]

let trouble = Subject { subject in
    // MARK: The runtime
    for (command, times) in [("create", [1, 2, 3, 5, 8, 12, 20]), ("start", [1, 2, 3, 5])] {
        for milliseconds in times {
            subject.claim("the runtime is killed \(milliseconds) ms into \(command); its delete leaves nothing", of: [.podman]) { session in
                let engine = Podman(runtime: session.lab.runtime, through: try session.deadly(command, milliseconds))
                let name = session.name()
                let client = try Session(engine: engine, lab: session.lab).begin(["run", "-d", "--name", name, Images.box, "sleep", "1000"])
                try session.wait(for: client.pid)
                let id = try session.inspect(name, ".Id")
                try session.delete(id)
                try session.must("rm", "-f", "-t", "0", name)
                try equal(try session.printed("--name \(name)", "echo again"), "again", "the same name once more")
            }
        }
    }
    for milliseconds in [1, 2, 4, 8] {
        subject.claim("the runtime is killed \(milliseconds) ms into exec; the container goes on", of: [.podman]) { session in
            let name = try session.up()
            let engine = Podman(runtime: session.lab.runtime, through: try session.deadly("exec", milliseconds))
            _ = try Session(engine: engine, lab: session.lab).call("exec", "-d", name, "sleep", "4333")
            try equal(try session.exec(name, "echo alive"), "alive", "exec")
            try session.must("rm", "-f", "-t", "0", name)
            try session.lab.eventually("the end of what was executed") { session.none(of: "4333") }
        }
    }
    // Not start: dockerd leaves the task to its shim then, whatever the runtime is.
    for (command, times) in [("create", [1, 3, 8]), ("exec", [1, 3])] {
        subject.claim("the runtime is killed half-way into \(command)", of: [.docker], seconds: 90) { session in
            // A daemon in a network namespace of its own, because one that starts tidies up another's bridge.
            let wrapper = try session.deadly("none", 0)
            let engine = Docker(
                runtime: session.lab.runtime, directory: "\(session.lab.directory)/deadly", extra: ["runtimes": ["sut": ["path": wrapper]]],
                through: ["unshare", "--net"])
            try engine.start(session.lab)
            defer {
                engine.reset(session.lab)
                engine.stop(session.lab)
            }
            let fragile = Session(engine: engine, lab: session.lab)
            for milliseconds in times {
                let name = session.name()
                if command == "exec" { try fragile.must("run", "-d", "--name", name, Images.box, "sleep", "1000") }
                _ = try session.deadly(command, milliseconds)
                let words = command == "exec" ? ["exec", name] : ["run", "-d", "--name", name, Images.box]
                _ = try fragile.call(words + ["sleep", "1"])
                _ = try session.deadly("none", 0)
                if command == "exec" { try equal(try fragile.exec(name, "echo alive"), "alive", "exec after \(milliseconds) ms") }
                try fragile.must("rm", "-f", name)
                try equal(try fragile.printed("--name \(name)", "echo again"), "again", "the same name after \(milliseconds) ms")
            }
        }
    }

    // MARK: Who watches over a container
    subject.claim("conmon is killed, the container is stopped and removed all the same", of: [.podman]) { session in
        let name = try session.up()
        let (pid, id) = (try session.pid(name), try session.inspect(name, ".Id"))
        let watcher = pid_t(try session.inspect(name, ".State.ConmonPid")) ?? 0
        try expect(watcher > 1, "conmon is \(watcher)")
        kill(watcher, SIGKILL)
        try session.lab.eventually("conmon's end") { Children.state(of: watcher) == "" }
        try expect(Children.state(of: pid) != "", "the container ended with it")
        try session.must("rm", "-f", "-t", "0", name)
        try session.lab.eventually("the container's end") { Children.state(of: pid) == "" }
        // podman leaves out what conmon's cleaner does.
        try session.delete(id)
        try equal(try session.printed("--name \(name)", "echo again"), "again", "the same name once more")
    }
    subject.claim("the shim is killed, the container ends and its name is free again", of: [.docker]) { session in
        let name = try session.up()
        let pid = try session.pid(name)
        let shim = Children.parent(of: pid) ?? 0
        try expect(shim > 1 && session.lab.read("/proc/\(shim)/comm").hasPrefix("containerd-shim"), "the parent is \(shim)")
        kill(shim, SIGKILL)
        try session.lab.eventually("the container's end") { Children.state(of: pid) == "" }
        try session.lab.eventually("dockerd's word of it") { try session.inspect(name, ".State.Running") == "false" }
        try session.must("rm", "-f", name)
        try equal(try session.printed("--name \(name)", "echo again"), "again", "the same name once more")
    }
}

extension Session {
    /// Waits for podman's end.
    ///
    /// A create that is killed when all is done, but before its exit, leaves a container that waits, and conmon reads from it for ever:
    /// then the runtime deletes it first.
    fileprivate func wait(for client: pid_t) throws {
        let patience = Deadline(seconds: 8)
        try lab.eventually("podman's end") { patience.passed || lab.children.hasEnded(client) }
        if !lab.children.hasEnded(client) {
            for id in try lab.command(lab.runtime.path, "list", "-q").lines { try delete(id) }
        }
        _ = try lab.children.wait(for: client, until: lab.deadline, "podman run")
    }

    /// Has the runtime delete a container by itself.
    fileprivate func delete(_ id: String) throws {
        let outcome = try lab.execute(Launch(arguments: [lab.runtime.path, "delete", "--force", id]))
        try equal(outcome.status, 0, "status of delete (\(outcome.err))")
    }

    /// A wrapper for the runtime that kills it a while after a command began; called again, it changes the one that is there.
    fileprivate func deadly(_ command: String, _ milliseconds: Int) throws -> String {
        let path = "\(lab.directory)/\((lab.runtime.path as NSString).lastPathComponent)"
        let seconds = String(format: "%.3f", Double(milliseconds) / 1000)
        let script = """
            #!/bin/sh
            case " $* " in
            *" \(command) "*) exec timeout -s KILL \(seconds) \(lab.runtime.path) "$@" ;;
            *) exec \(lab.runtime.path) "$@" ;;
            esac

            """
        // By rename: who runs the one of before goes on with it.
        try script.write(toFile: "\(path).new", atomically: false, encoding: .utf8)
        chmod("\(path).new", 0o755)
        try expect(rename("\(path).new", path) == 0, "rename: \(String(cString: strerror(errno)))")
        return path
    }
}

/// Run in the foreground and detached, and how a container ended.

import Foundation

let running = Topic("run") { topic in
    for status in [0, 1, 42, 255] as [Int32] {
        topic.claim("run ends with the payload's status \(status)", rows: ["LC-10"]) { lab in
            let outcome = try lab.container("echo ran; exit \(status)").run()
            try equal(outcome.line, "ran", "output")
            try equal(outcome.status, status, "status")
        }
    }

    for (name, number) in [("TERM", 15), ("KILL", 9), ("SEGV", 11)] as [(String, Int32)] {
        topic.claim("run ends with 128+N after signal \(name)", rows: ["LC-10"]) { lab in
            let box = try lab.container("sleep 100")
            box.config["/process/args"] = ["sleep", "100"]
            try box.save()
            try equal(try box.run(["--detach"]) { $0.output = box.output }.status, 0, "run --detach")
            let pid = try box.pid()
            // A payload that is PID 1 ignores what it does not handle, save from outside: KILL always works.
            try equal(try box.kill(number == 9 ? "KILL" : name).status, 0, "kill")
            if number != 9, try lab.staysAlive(pid) { throw Skip("the payload is PID 1 and the kernel shields it from \(name)") }
            try equal(try box.ended(pid), 128 + number, "status of the init")
        }
    }

    topic.claim("run in the foreground deletes the container at its end", rows: ["LC-12"]) { lab in
        let box = try lab.container("exit 5")
        try equal(try box.run().status, 5, "status")
        try box.gone()
    }

    topic.claim("run --detach returns while the payload runs", rows: ["CLI-05"]) { lab in
        let box = try lab.container("exec sleep 100")
        let file = lab.fresh("pid")
        try equal(try box.run(["--detach", "--pid-file", file]) { $0.output = box.output }.status, 0, "status")
        try equal(try box.status(), "running", "status")
        try equal(lab.read(file), "\(try box.pid())", "pid file")
    }

    topic.claim("run forwards signals to the payload", rows: ["LC-10", "OP-04"]) { lab in
        let box = try lab.container("trap 'echo caught; exit 9' USR1; echo ready; while :; do sleep 0.02; done")
        let words = [lab.runtime.path, "--root", lab.stateRoot, "run", "--bundle", box.bundle, box.id]
        let pid = try lab.children.start(Launch(arguments: words, output: box.output, error: box.errors))
        try box.writes("ready")
        Foundation.kill(pid, SIGUSR1)
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "run"), 9, "status of run")
        try contains(box.text, "caught", "output")
        try box.gone()
    }

    topic.claim("run --keep leaves the container, with its exit status", rows: ["CLI-05", "LC-12"]) { lab in
        let box = try lab.container("exit 6")
        let outcome = try box.run(["--keep"])
        if outcome.status != 6 { throw Skip("the runtime has no --keep: \(outcome.err)") }
        try equal(try box.status(), "stopped", "status")
        if lab.runtime.commands.contains("wait") { try contains(try lab.run(["wait", box.id]).out, #""exitStatus":6"#, "wait") }
        try equal(try box.delete().status, 0, "delete")
    }

    for file in ["--config", "-f"] {
        topic.claim("create \(file) takes another config", rows: ["CLI-05"]) { lab in
            let box = try lab.container("echo ran")
            let other = lab.fresh("config")
            try FileManager.default.moveItem(atPath: "\(box.bundle)/config.json", toPath: other)
            let outcome = try box.run([file, other])
            if !lab.runtime.isSwoci && outcome.status != 0 { throw Skip("the runtime has no \(file): \(outcome.err)") }
            try equal(outcome.status, 0, "status (\(outcome.err))")
            try equal(outcome.line, "ran", "output")
        }
    }

    for form in ["--pidfd-socket", "run.oci.pidfd_receiver"] {
        topic.claim("\(form) receives a pidfd of the first process", rows: ["CLI-07"]) { lab in
            if !lab.runtime.isSwoci { throw Skip("newer than the other runtimes here") }
            let path = lab.fresh("pidfd")
            let listener = try UnixSocket.listen(at: path)
            lab.later { close(listener) }
            let isOption = form.hasPrefix("--")
            let box = try lab.container("exit 3") { if !isOption { $0["/annotations"] = [form: path] } }
            let words =
                [lab.runtime.path, "--root", lab.stateRoot, "create", "--bundle", box.bundle] + (isOption ? [form, path] : []) + [box.id]
            let creator = try lab.children.start(Launch(arguments: words, output: box.output, error: box.errors))
            let (bytes, descriptors) = try UnixSocket.receive(from: listener, sentBy: creator, lab)
            lab.later { descriptors.forEach { close($0) } }
            try equal(try lab.children.wait(for: creator, until: lab.deadline, "create"), 0, "create")
            try equal(String(decoding: bytes, as: UTF8.self), "standard", "word")
            try equal(descriptors.count, 1, "descriptors")
            let info = try String(contentsOfFile: "/proc/self/fdinfo/\(descriptors[0])", encoding: .utf8)
            try contains(info, "Pid:\t\(try box.pid())\n", "fdinfo")
        }
    }
}

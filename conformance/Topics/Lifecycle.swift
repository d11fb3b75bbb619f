/// From create to delete: statuses, refusals, exit codes, and what remains when the runtime is killed.

import Foundation

let lifecycle = Topic("lifecycle") { topic in
    topic.claim("created, running, stopped, gone", rows: ["LC-02", "LC-06", "LC-10", "LC-12", "ST-03"]) { lab in
        let box = try lab.container("echo up; exec sleep 100")
        try box.created()
        try equal(try box.status(), "created", "status after create")
        try equal(box.text, "", "output before start")
        try box.started()
        try equal(try box.status(), "running", "status after start")
        try box.writes("up\n")
        try equal(try box.kill("KILL").status, 0, "kill")
        try box.stopped()
        try equal(try box.delete().status, 0, "delete")
        try box.gone()
    }

    topic.claim("a container whose init is not reaped yet counts as stopped", rows: ["LC-10", "ST-03"]) { lab in
        let box = try lab.container("exit 3")
        try box.created()
        let pid = try box.pid()
        lab.children.reapsAll = false
        try box.started()
        try lab.eventually("the init to be a zombie") { ["Z", ""].contains(Children.state(of: pid)) }
        try equal(try box.status(), "stopped", "status")
        try equal(try box.delete().status, 0, "delete")
    }

    for form in ["--bundle BUNDLE ID", "--bundle=BUNDLE ID", "-b BUNDLE ID", "ID --bundle BUNDLE"] {
        topic.claim("create \(form)", rows: ["OP-02", "CLI-05"]) { lab in
            let box = try lab.container()
            let words = form.replacingOccurrences(of: "ID", with: box.id).replacingOccurrences(of: "BUNDLE", with: box.bundle)
            let outcome = try lab.run(["create"] + words.components(separatedBy: " ")) { $0.output = box.output }
            try equal(outcome.status, 0, "status of create (\(outcome.err))")
            try equal(try box.status(), "created", "status")
        }
    }

    topic.claim("create without --bundle takes the current directory", rows: ["OP-02", "CLI-05"]) { lab in
        let box = try lab.container()
        let outcome = try lab.run(["create", box.id]) {
            $0.directory = box.bundle
            $0.output = box.output
        }
        try equal(outcome.status, 0, "status of create (\(outcome.err))")
        try equal(try box.state()["bundle"] as? String, box.bundle, "bundle")
    }

    topic.claim("a device as pid file stays the device it is", rows: ["CLI-05"]) { lab in
        let device = lab.fresh("null")
        try equal(mknod(device, S_IFCHR | 0o666, 0x103), 0, "mknod")
        let box = try lab.container("true")
        try equal(try box.create(["--pid-file", device]).status, 0, "status of create")
        var status = stat()
        try equal(stat(device, &status), 0, "stat")
        try equal(status.st_mode & S_IFMT, S_IFCHR, "its kind")
        try equal(status.st_rdev, 0x103, "its number")
    }

    topic.claim("the pid file holds the init's pid and no newline", rows: ["CLI-05"]) { lab in
        let box = try lab.container()
        let file = lab.fresh("pid")
        try equal(try box.create(["--pid-file", file]).status, 0, "create")
        try equal(lab.read(file), "\(try box.pid())", "content")
    }

    topic.claim("a relative pid file is relative to the caller's directory", rows: ["CLI-05"]) { lab in
        let box = try lab.container()
        let folder = try lab.folder()
        try equal(try box.create(["--pid-file", "pid"]) { $0.directory = folder }.status, 0, "create")
        try equal(lab.read("\(folder)/pid"), "\(try box.pid())", "content")
    }

    topic.claim("a config edited after create has no effect", rows: ["G-02", "LC-02"]) { lab in
        let box = try lab.container("echo before")
        try box.created()
        box.config.script("echo after")
        box.config["/ociVersion"] = nil
        try box.save()
        try box.started()
        try box.writes("before\n")
        try box.stopped()
        try equal(try box.delete().status, 0, "delete")
    }

    topic.claim("a config removed after create has no effect", rows: ["G-02"]) { lab in
        let box = try lab.container("echo before")
        try box.created()
        try FileManager.default.removeItem(atPath: "\(box.bundle)/config.json")
        try box.started()
        try box.writes("before\n")
        try box.stopped()
        try equal(try box.delete().status, 0, "delete")
    }

    topic.claim("start of a running container is refused and leaves it running", rows: ["OP-03", "LC-06"]) { lab in
        let box = try lab.container("exec sleep 100")
        try box.up()
        try refused(try box.start(), "the second start")
        try equal(try box.status(), "running", "status")
    }

    topic.claim("start of a stopped container is refused", rows: ["OP-03", "LC-06"]) { lab in
        let box = try lab.container()
        try box.up()
        try box.stopped()
        try refused(try box.start(), "start")
    }

    for command in ["state", "start", "kill", "delete"] {
        topic.claim("\(command) of an unknown container says that it does not exist", rows: ["OP-01", "CLI-03"]) { lab in
            let outcome = try lab.run([command, "nobody"])
            try expect(outcome.status != 0, "it succeeded")
            try contains(outcome.err, "container does not exist", "message")
        }
    }

    topic.claim("an id that exists is refused and its owner lives on", rows: ["LC-01", "OP-02", "ST-02"]) { lab in
        let box = try lab.container("exec sleep 100")
        try box.up()
        let pid = try box.pid()
        let outcome = try lab.run(["create", "--bundle", box.bundle, box.id])
        try expect(outcome.status != 0, "the second create was not refused")
        try contains(outcome.err, "already exists", "message")
        try equal(try box.pid(), pid, "pid")
        try equal(try box.status(), "running", "status")
    }

    for (name, id) in [
        ("empty", ""), (".", "."), ("..", ".."), ("with a slash", "a/b"), ("that climbs", "../up"), ("with a space", "a b"),
        ("with a newline", "a\n"), ("of 300 bytes", String(repeating: "x", count: 300)), ("not ASCII", "ä"),
    ] {
        topic.claim("an id \(name) is refused", rows: ["ST-02", "OP-02"]) { lab in
            let box = try lab.container()
            let outcome = try lab.run(["create", "--bundle", box.bundle, id])
            try expect(outcome.status != 0, "create was not refused")
            try expect(!outcome.err.isEmpty, "no message")
            let left = (try? FileManager.default.contentsOfDirectory(atPath: lab.stateRoot))?.filter { !$0.hasPrefix(".") } ?? []
            try equal(left, [], "state directory")
        }
    }

    for id in ["..", ".", "../beside", "../../beside", ""] {
        for command in [["delete", "--force"], ["state"], ["kill"], ["start"]] {
            topic.claim("\(command.joined(separator: " ")) of the id \(id.debugDescription) touches nothing", rows: ["ST-02", "OP-05"]) {
                lab in
                let beside = "\(lab.directory)/beside"
                for path in [beside, "\(lab.stateRoot)/inside"] { try lab.command("mkdir", "-p", path) }
                try "{}".write(toFile: "\(beside)/state.json", atomically: false, encoding: .utf8)
                let outcome = try lab.run(command + [id])
                if !command.contains("--force") { try refused(outcome, command[0]) }
                try expect(FileManager.default.fileExists(atPath: "\(beside)/state.json"), "a directory beside the state root was deleted")
                try expect(FileManager.default.fileExists(atPath: "\(lab.stateRoot)/inside"), "the state root was deleted")
            }
        }
    }

    topic.claim("an id of every allowed character works", rows: ["ST-02"]) { lab in
        let box = try lab.container("echo ran")
        let id = "\(box.id)+Aa.z_0-9"
        let outcome = try lab.run(["run", "--bundle", box.bundle, id])
        try equal(outcome.status, 0, "status (\(outcome.err))")
        try equal(outcome.line, "ran", "output")
    }

    topic.claim("the state has every required property", rows: ["ST-01", "ST-02", "ST-03", "ST-04", "ST-05", "ST-06", "ST-07"]) { lab in
        let box = try lab.container("exec sleep 100") { $0["/annotations"] = ["org.example.key": "value", "org.example.empty": ""] }
        try box.up()
        let state = try box.state()
        let version = state["ociVersion"] as? String ?? ""
        try expect(version.range(of: #"^1\.\d+\.\d+([-+].*)?$"#, options: .regularExpression) != nil, "ociVersion \(version) is not SemVer")
        try equal(state["id"] as? String, box.id, "id")
        try equal(state["status"] as? String, "running", "status")
        try equal(state["bundle"] as? String, box.bundle, "bundle")
        try equal(state["annotations"] as? [String: String], ["org.example.key": "value", "org.example.empty": ""], "annotations")
        try expect(kill(try box.pid(), 0) == 0, "pid \(try box.pid()) is no process")
    }

    topic.claim("created is the time of creation in RFC 3339", rows: ["ST-08"]) { lab in
        let box = try lab.container()
        try box.created()
        let text = try box.state()["created"] as? String ?? ""
        let whole = text.replacingOccurrences(of: #"\.\d+"#, with: "", options: .regularExpression)
        guard let date = ISO8601DateFormatter().date(from: whole) else { throw Failure(message: "not a date: \(text)") }
        try expect(abs(date.timeIntervalSinceNow) < 10, "\(text) is not now")
    }

    topic.claim("a stopped container has no pid", rows: ["ST-04"]) { lab in
        let box = try lab.container()
        try box.up()
        try box.stopped()
        try equal(try box.pid(), 0, "pid")
    }

    topic.claim("a relative bundle is absolute in the state", rows: ["ST-05"]) { lab in
        let box = try lab.container()
        let outcome = try lab.run(["create", "--bundle", ".", box.id]) {
            $0.directory = box.bundle
            $0.output = box.output
        }
        try equal(outcome.status, 0, "create (\(outcome.err))")
        try equal(try box.state()["bundle"] as? String, box.bundle, "bundle")
    }

    topic.claim("an id can be used again after delete", rows: ["OP-05", "LC-12"]) { lab in
        let box = try lab.container("echo again")
        for _ in 1...3 {
            try equal(try box.lived(), 0, "exit status")
            try equal(try box.delete().status, 0, "delete")
        }
        try equal(box.text, "again\nagain\nagain\n", "output")
    }

    topic.claim("of two creates with one id at once, one wins", rows: ["LC-01", "ST-02"]) { lab in
        for _ in 1...3 {
            let box = try lab.container()
            let words = [lab.runtime.path, "--root", lab.stateRoot, "create", "--bundle", box.bundle, box.id]
            let pids = try (0..<4).map { _ in try lab.children.start(Launch(arguments: words, output: box.output, error: box.errors)) }
            let statuses = try pids.map { try lab.children.wait(for: $0, until: lab.deadline, "create") }
            try equal(statuses.filter { $0 == 0 }.count, 1, "successful creates")
            try equal(try box.status(), "created", "status")
            try box.started()
            try box.stopped()
            try equal(try box.delete().status, 0, "delete")
            try box.gone()
        }
    }

    topic.claim("a create that is killed leaves nothing that delete --force does not remove", rows: ["LC-15", "LC-02"]) { lab in
        let box = try lab.container()
        let begin = Date()
        try box.created()
        let whole = Date().timeIntervalSince(begin)
        try equal(try box.delete("--force").status, 0, "delete --force")
        for step in 0..<24 {
            let words = [lab.runtime.path, "--root", lab.stateRoot, "create", "--bundle", box.bundle, box.id]
            let pid = try lab.children.start(Launch(arguments: words, output: box.output, error: box.errors))
            usleep(UInt32(whole * 1_000_000 * Double(step) / 22))
            kill(pid, SIGKILL)
            _ = try lab.children.wait(for: pid, until: lab.deadline, "the killed create")
            _ = try box.delete("--force")
            let when = "after a kill at \(step)/22 of create"
            do { try box.gone() } catch let failure as Failure { throw Failure(message: "\(when): \(failure.message)") }
            try lab.eventually("processes to end \(when)") { lab.children.living().isEmpty }
            let again = try box.create()
            try equal(again.status, 0, "the next create \(when) (\(again.err))")
            try equal(try box.delete("--force").status, 0, "delete --force")
        }
    }

    topic.claim("a start that is killed leaves a container that can be deleted", rows: ["LC-15", "LC-12"]) { lab in
        for step in 0..<6 {
            let box = try lab.container("exec sleep 100")
            try box.created()
            let pid = try lab.children.start(Launch(arguments: [lab.runtime.path, "--root", lab.stateRoot, "start", box.id]))
            usleep(UInt32(step * 3000))
            kill(pid, SIGKILL)
            _ = try lab.children.wait(for: pid, until: lab.deadline, "the killed start")
            try equal(try box.delete("--force").status, 0, "delete --force")
            try box.gone()
        }
    }

    topic.claim("a create that fails late leaves nothing", rows: ["LC-15"]) { lab in
        let box = try lab.container { $0.mount("/mnt", type: "no-such-fs", source: "none") }
        try box.refused()
        try lab.eventually("processes to end") { lab.children.living().isEmpty }
    }

    topic.claim("create without process works, start is refused", rows: ["P-01", "OP-03"]) { lab in
        let box = try lab.container { $0["/process"] = nil }
        let outcome = try box.create()
        if outcome.status != 0 { throw Skip("the runtime refuses a config without process at create already") }
        try refused(try box.start(), "start")
    }

    topic.claim("the default state directory works", rows: ["CLI-01"]) { lab in
        let box = try lab.container("exit 4")
        try equal(try lab.execute(Launch(arguments: [lab.runtime.path, "run", "--bundle", box.bundle, box.id])).status, 4, "status")
    }
}

extension Lab {
    /// Whether a process is still there after a moment.
    func staysAlive(_ pid: pid_t) throws -> Bool {
        usleep(200_000)
        return !["Z", "X", ""].contains(Children.state(of: pid))
    }
}

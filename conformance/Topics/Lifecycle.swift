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

    topic.claim("delete of a running container is refused and leaves it running", rows: ["OP-05", "LC-11"]) { lab in
        let box = try lab.container("exec sleep 100")
        try box.up()
        try refused(try box.delete(), "delete")
        try equal(try box.status(), "running", "status")
    }

    topic.claim("delete --force ends a running container", rows: ["CLI-09", "LC-12"]) { lab in
        let box = try lab.container("exec sleep 100")
        try box.up()
        try equal(try box.delete("--force").status, 0, "delete --force")
        try box.gone()
    }

    topic.claim("delete --force ends a created container", rows: ["CLI-09", "LC-12"]) { lab in
        let box = try lab.container()
        try box.created()
        try equal(try box.delete("--force").status, 0, "delete --force")
        try box.gone()
        try equal(box.text, "", "output")
    }

    topic.claim("delete --force of an unknown container succeeds", rows: ["CLI-09"]) { lab in
        try equal(try lab.run(["delete", "--force", "nobody"]).status, 0, "status")
    }

    for command in ["state", "start", "kill", "delete"] {
        topic.claim("\(command) of an unknown container says that it does not exist", rows: ["OP-01", "CLI-03"]) { lab in
            let outcome = try lab.run([command, "nobody"])
            try expect(outcome.status != 0, "it succeeded")
            try contains(outcome.err, "container does not exist", "message")
        }
    }

    topic.claim("kill of a stopped container says that it is not running", rows: ["OP-04", "CLI-03"]) { lab in
        let box = try lab.container()
        try box.up()
        try box.stopped()
        let outcome = try box.kill("KILL")
        try expect(outcome.status != 0, "it succeeded")
        try contains(outcome.err, "container not running", "message")
    }

    topic.claim("an unknown signal is refused and sends nothing", rows: ["OP-04"]) { lab in
        let box = try lab.container("exec sleep 100")
        try box.up()
        try refused(try box.kill("NOSUCH"), "the signal")
        try equal(try box.status(), "running", "status")
    }

    for word in ["USR1", "SIGUSR1", "usr1", "10"] {
        topic.claim("kill takes the signal as \(word)", rows: ["OP-04"]) { lab in
            let box = try lab.container("trap 'echo caught; exit 0' USR1; echo ready; while :; do sleep 0.02; done")
            try box.up()
            try box.writes("ready")
            try equal(try box.kill(word).status, 0, "kill")
            try box.writes("caught")
        }
    }

    topic.claim("kill without a signal sends TERM", rows: ["OP-04"]) { lab in
        let box = try lab.container("trap 'echo caught; exit 0' TERM; echo ready; while :; do sleep 0.02; done")
        try box.up()
        try box.writes("ready")
        try equal(try lab.run(["kill", box.id]).status, 0, "kill")
        try box.writes("caught")
    }

    topic.claim("kill reaches a created container", rows: ["OP-04"]) { lab in
        let box = try lab.container()
        try box.created()
        try equal(try box.kill("KILL").status, 0, "kill")
        try box.stopped()
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

    topic.claim("list shows every container, sorted by id", rows: ["CLI-11"]) { lab in
        let boxes = try (0..<3).map { _ in try lab.container() }
        for box in boxes.reversed() { try box.created() }
        let ids = boxes.map(\.id).sorted()
        try equal(try lab.run(["list", "-q"]).lines, ids, "list -q")
        let table = try lab.run(["list"])
        try equal(table.lines.count, 4, "lines of list")
        try equal(table.lines.dropFirst().map { String($0.prefix { $0 != " " }) }, ids, "first column of list")
        let json = try lab.run(["list", "--format", "json"])
        let entries = try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [Object] ?? []
        try equal(entries.map { $0["id"] as? String ?? "" }, ids, "list --format json")
        try equal(Set(entries.map { $0["status"] as? String ?? "" }), ["created"], "statuses")
    }

    topic.claim("list with nothing to show is empty", rows: ["CLI-11"]) { lab in
        try FileManager.default.createDirectory(atPath: lab.stateRoot, withIntermediateDirectories: true)
        try equal(try lab.run(["list", "-q"]).out, "", "list -q")
        let json = try lab.run(["list", "--format", "json"])
        try equal(json.status, 0, "status")
        try expect(["null", "[]"].contains(json.out.filter { !$0.isWhitespace }), "json: \(json.out)")
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

    topic.claim("pause stops the payload, resume continues it", rows: ["CG-10", "ST-03"], commands: ["pause", "resume"]) { lab in
        let box = try lab.container("while :; do echo .; sleep 0.01; done")
        try box.up()
        try box.writes(".")
        try equal(try lab.run(["pause", box.id]).status, 0, "pause")
        try equal(try box.status(), "paused", "status")
        let before = box.text
        usleep(100_000)
        try equal(box.text, before, "output while paused")
        try equal(try lab.run(["resume", box.id]).status, 0, "resume")
        try equal(try box.status(), "running", "status")
        try lab.eventually("output after resume") { box.text != before }
    }

    topic.claim("pause and resume say why they refuse", rows: ["CG-10", "CLI-03"]) { lab in
        let box = try lab.container("exec sleep 100")
        func refusal(_ command: String, _ words: String, id: String? = nil) throws {
            let outcome = try lab.run([command, id ?? box.id])
            try equal(outcome.status, 1, "status of \(command)")
            try contains(outcome.err, words, "message of \(command)")
        }
        if !lab.runtime.isSwoci { throw Skip("the words of the refusals are each runtime's own") }
        for command in ["pause", "resume"] { try refusal(command, "container does not exist", id: "\(box.id)-not") }
        try box.up()
        try refusal("resume", "container not paused")
        try equal(try lab.run(["pause", box.id]).status, 0, "pause")
        try refusal("pause", "container not running")
        try equal(try lab.run(["resume", box.id]).status, 0, "resume")
        try equal(try box.kill("KILL").status, 0, "kill")
        try box.stopped()
        for (command, words) in [("pause", "container not running"), ("resume", "container not paused")] { try refusal(command, words) }
    }

    for all in [[], ["--all"]] {
        topic.claim("kill \((all + ["KILL"]).joined(separator: " ")) ends a paused container", rows: ["OP-04", "CLI-09", "CG-10"]) { lab in
            let box = try lab.container("sleep 100 & exec sleep 100")
            try box.up()
            let pid = try box.pid()
            try equal(try lab.run(["pause", box.id]).status, 0, "pause")
            let outcome = try lab.run(["kill"] + all + [box.id, "KILL"])
            try equal(outcome.status, 0, "kill (\(outcome.err))")
            try equal(try box.ended(pid), 137, "status of the init")
            try box.stopped()
            try equal(try box.delete().status, 0, "delete")
            try box.gone()
        }
    }

    topic.claim("a signal to a paused container arrives when it goes on", rows: ["OP-04", "CG-10"]) { lab in
        let box = try lab.container("trap 'echo got it; exit 7' USR1; echo up; while :; do sleep 0.02; done")
        try box.up()
        try box.writes("up")
        let pid = try box.pid()
        try equal(try lab.run(["pause", box.id]).status, 0, "pause")
        try equal(try box.kill("USR1").status, 0, "kill")
        try equal(try box.status(), "paused", "status")
        try equal(try lab.run(["resume", box.id]).status, 0, "resume")
        try equal(try box.ended(pid), 7, "status of the init")
    }

    topic.claim("delete --force ends a paused container", rows: ["CLI-09", "CG-10"], commands: ["pause"]) { lab in
        let box = try lab.container("exec sleep 100")
        try box.up()
        try equal(try lab.run(["pause", box.id]).status, 0, "pause")
        try equal(try box.delete("--force").status, 0, "delete --force")
        try box.gone()
    }

    topic.claim("delete --force ends every process of a container without a PID namespace of its own", rows: ["CLI-09"]) { lab in
        let box = try lab.container("sleep 100 & sleep 100 & echo up; wait") { $0.share("pid") }
        try box.up()
        try box.writes("up")
        try equal(try box.delete("--force").status, 0, "delete --force")
        try lab.eventually("processes to end") { lab.children.living().isEmpty }
        try box.gone()
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

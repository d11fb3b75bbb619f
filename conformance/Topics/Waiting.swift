/// How a container ended: known to who waits, kept until delete.

import Foundation

extension Container {
    /// Starts `wait`; its output goes to a file.
    fileprivate func startWait() throws -> (pid: pid_t, output: String, errors: String) {
        let (output, errors) = (lab.fresh("wait"), lab.fresh("errors"))
        let words = [lab.runtime.path, "--root", lab.stateRoot, "wait", id]
        let pid = try lab.children.start(Launch(arguments: words, output: output, error: errors))
        usleep(200_000)
        try equal(lab.read(output), "", "output before the end")
        return (pid, output, errors)
    }

    /// Waits for the end of `wait` and returns what it printed.
    fileprivate func finish(_ wait: (pid: pid_t, output: String, errors: String)) throws -> String {
        let status = try lab.children.wait(for: wait.pid, until: lab.deadline, "wait")
        let message = lab.read(wait.errors)
        // The suite reaps at once, and before Linux 6.15 nobody else learns anything then.
        if message.contains("tells nobody but the parent") { throw Skip("needs Linux 6.15") }
        try equal(status, 0, "status of wait (\(message))")
        return lab.read(wait.output)
    }
}

let waiting = Topic("wait", commands: ["wait"]) { topic in
    topic.claim("wait tells the exit status and the time", rows: ["LC-10"]) { lab in
        let box = try lab.container("read x </hold; exit 7") { _ in }
        try lab.command("mkfifo", "\(box.rootfs)/hold")
        try box.up()
        let wait = try box.startWait()
        try "go\n".write(toFile: "\(box.rootfs)/hold", atomically: false, encoding: .utf8)
        let printed = try box.finish(wait)
        let end = try object(printed)
        try equal(end["exitStatus"] as? Int, 7, "exit status")
        try equal(end["id"] as? String, box.id, "id")
        try expect((end["exitedAt"] as? String)?.hasSuffix("Z") == true, "no time: \(end)")
        try equal(try lab.run(["wait", box.id]).out, printed, "a second wait")
        try equal(try box.delete().status, 0, "delete")
        try refused(try lab.run(["wait", box.id]), "wait after delete")
    }

    topic.claim("wait tells 128+N of a signal", rows: ["LC-10"]) { lab in
        let box = try lab.runningContainer()
        let wait = try box.startWait()
        try equal(try box.kill("KILL").status, 0, "kill")
        try contains(try box.finish(wait), #""exitStatus":137"#, "output")
    }

    topic.claim("wait knows the status of what nobody has reaped yet", rows: ["LC-10"]) { lab in
        let box = try lab.container("exit 3")
        try box.created()
        let pid = try box.pid()
        lab.children.reapsAll = false
        try box.started()
        try lab.eventually("the init to be a zombie") { Children.state(of: pid) == "Z" }
        let outcome = try lab.run(["wait", box.id])
        try equal(outcome.status, 0, "status (\(outcome.err))")
        try contains(outcome.out, #""exitStatus":3"#, "output")
    }

    topic.claim("wait says so where the status is not known", rows: ["LC-10", "CLI-03"]) { lab in
        let box = try lab.container("exit 3")
        try equal(try box.lived(), 3, "status of the init")
        let outcome = try lab.run(["wait", box.id])
        try equal(outcome.status, 1, "status")
        try contains(outcome.err, "it ended while nobody waited for it", "message")
        try refused(try lab.run(["wait", "nobody"]), "an unknown container")
    }
}

/// How a container ended: known to who waits, kept until delete.

import Foundation

let waiting = Topic("wait", commands: ["wait"]) { topic in
    topic.claim("wait tells the exit status and the time", rows: ["LC-10"]) { lab in
        let box = try lab.container("read x </hold; exit 7") { _ in }
        try lab.command("mkfifo", "\(box.rootfs)/hold")
        try box.up()
        let output = lab.fresh("wait")
        let pid = try lab.children.start(Launch(arguments: [lab.runtime.path, "--root", lab.stateRoot, "wait", box.id], output: output))
        usleep(100_000)
        try equal(lab.read(output), "", "output before the end")
        try "go\n".write(toFile: "\(box.rootfs)/hold", atomically: false, encoding: .utf8)
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "wait"), 0, "status of wait")
        let end = try object(lab.read(output))
        try equal(end["exitStatus"] as? Int, 7, "exit status")
        try equal(end["id"] as? String, box.id, "id")
        try expect((end["exitedAt"] as? String)?.hasSuffix("Z") == true, "no time: \(end)")
        try equal(try lab.run(["wait", box.id]).out, lab.read(output), "a second wait")
        try equal(try box.delete().status, 0, "delete")
        try refused(try lab.run(["wait", box.id]), "wait after delete")
    }

    topic.claim("wait tells 128+N of a signal", rows: ["LC-10"]) { lab in
        let box = try lab.runningContainer()
        let output = lab.fresh("wait")
        let pid = try lab.children.start(Launch(arguments: [lab.runtime.path, "--root", lab.stateRoot, "wait", box.id], output: output))
        usleep(100_000)
        try equal(try box.kill("KILL").status, 0, "kill")
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "wait"), 0, "status of wait")
        try contains(lab.read(output), #""exitStatus":137"#, "output")
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

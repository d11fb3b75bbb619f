/// Delete: what it refuses, what it ends, and that nothing of others is touched.

import Foundation

let deleting = Topic("delete") { topic in
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

    for kind in ["prestart", "createRuntime", "createContainer", "startContainer", "poststart"] {
        for variant in ["", " of a container without a cgroup", " of a container without namespaces of processes"] {
            topic.claim("delete --force is quick while a \(kind) hook\(variant) hangs", rows: ["CLI-09", "LC-15", "H-02", "H-03"]) { lab in
                if !lab.runtime.isSwoci { throw Skip("a runtime that keeps no record before the hooks cannot know whom to end") }
                if !variant.isEmpty && Isolation.usesSystemd { throw Skip("a scope is one cgroup, and systemd ends what is in it") }
                let box = try lab.container("exec sleep 99") {
                    $0["/hooks"] = [kind: [["path": "/bin/sleep", "args": ["sleep", "100"]] as Object]]
                    $0.append("/hooks/poststop", try lab.hook("echo over >>\(lab.log)"))
                    if variant.hasSuffix("processes") { $0.share("pid") }
                    if variant.hasSuffix("cgroup") {
                        $0["/linux/cgroupsPath"] = nil
                        $0["/linux/resources"] = nil
                    }
                }
                let manager =
                    variant.hasSuffix("cgroup") ? ["--cgroup-manager", "disabled"] : Isolation.usesSystemd ? ["--systemd-cgroup"] : []
                var words = [lab.runtime.path, "--root", lab.stateRoot] + manager + ["create", "--bundle", box.bundle, box.id]
                if kind.hasPrefix("create") || kind == "prestart" {
                    _ = try lab.children.start(Launch(arguments: words, output: box.output, error: box.errors))
                } else {
                    try equal(try lab.execute(Launch(arguments: words, output: box.output, error: box.errors)).status, 0, "create")
                    words = [lab.runtime.path, "--root", lab.stateRoot, "start", box.id]
                    _ = try lab.children.start(Launch(arguments: words, error: lab.fresh("err")))
                }
                try lab.eventually("the hook to run") {
                    lab.children.living().contains { lab.read("/proc/\($0)/cmdline") == "sleep\0100\0" }
                }
                let begin = Date()
                let outcome = try box.delete("--force")
                try equal(outcome.status, 0, "delete --force (\(outcome.err))")
                try expect(Date().timeIntervalSince(begin) < 3, "delete --force took \(Date().timeIntervalSince(begin)) s")
                // The create or start that hung says so and ends, and so does all that it started.
                try lab.eventually("all processes to end") { lab.children.living().isEmpty }
                try box.gone()
                try equal(lab.read(lab.log), "over\n", "what the poststop hook wrote")
            }
        }
    }

    topic.claim("a poststart hook may outlive a short payload", rows: ["H-06"]) { lab in
        let box = try lab.container("true") { $0.append("/hooks/poststart", try lab.hook("sleep 0.3; echo done >>\(lab.log)")) }
        try box.created()
        try box.started()
        try equal(lab.read(lab.log), "done\n", "what the hook wrote")
        try equal(try box.status(), "stopped", "status")
    }

    topic.claim("what answers the hooks of a create that was killed is done by delete", rows: ["LC-13", "H-07"]) { lab in
        try lab.oursOnly()
        let box = try lab.container {
            $0["/hooks"] = ["createRuntime": [["path": "/bin/sleep", "args": ["sleep", "100"]] as Object]]
            $0.append("/hooks/poststop", try lab.hook("echo over >>\(lab.log)"))
        }
        let words = [lab.runtime.path, "--root", lab.stateRoot] + (Isolation.usesSystemd ? ["--systemd-cgroup"] : [])
        let create = try lab.children.start(
            Launch(arguments: words + ["create", "--bundle", box.bundle, box.id], output: box.output, error: box.errors))
        var hook: pid_t?
        try lab.eventually("the hook to run") {
            hook = lab.children.living().first { lab.read("/proc/\($0)/cmdline") == "sleep\0100\0" }
            return hook != nil
        }
        Foundation.kill(create, SIGKILL)
        _ = try lab.children.wait(for: create, until: lab.deadline, "create")
        if let hook { Foundation.kill(hook, SIGKILL) }
        try equal(try box.delete("--force").status, 0, "delete --force")
        try box.gone()
        try equal(lab.read(lab.log), "over\n", "what the poststop hook wrote")
    }

    topic.claim("delete removes cgroups that the container made, with processes in them", rows: ["CG-09", "CLI-09"]) { lab in
        for sharesPID in [false, true] {
            let box = try lab.container("echo up; exec sleep 100") { if sharesPID { $0.share("pid") } }
            try box.up()
            try box.writes("up")
            let pid = try box.pid()
            for hierarchy in Cgroups.hierarchies where hierarchy.controllers.contains("freezer") || hierarchy.unified {
                let directory = try Cgroups.directory(of: pid, in: hierarchy)
                try FileManager.default.createDirectory(atPath: directory + "/sub/deep", withIntermediateDirectories: true)
                let sleeper = try lab.children.start(Launch(arguments: ["sleep", "100"]))
                try "\(sleeper)".write(toFile: directory + "/sub/deep/cgroup.procs", atomically: false, encoding: .utf8)
            }
            try equal(try box.delete("--force").status, 0, "delete --force")
            try box.gone()
            try lab.eventually("processes to end") { lab.children.living().isEmpty }
        }
    }

    topic.claim("a cgroup with processes cannot be taken, and its processes live on", rows: ["CG-02"]) { lab in
        let first = try lab.runningContainer()
        let second = try lab.container("exec sleep 100") { $0["/linux/cgroupsPath"] = "/\(Isolation.token)/\(first.id)" }
        let outcome = try second.create()
        try refused(outcome, "the cgroup of another")
        if !lab.runtime.isSwoci { try contains(outcome.err, "cgroup is not empty", "message") }
        try equal(try first.status(), "running", "status of the first")
        try equal(try first.delete("--force").status, 0, "delete --force")
    }

    topic.claim("a container that takes the cgroup of a stopped one is not ended with it", rows: ["CG-02", "CG-09"]) { lab in
        let first = try lab.container()
        try first.up()
        try first.stopped()
        let second = try lab.container("exec sleep 100") { $0["/linux/cgroupsPath"] = "/\(Isolation.token)/\(first.id)" }
        let outcome = try second.create()
        if outcome.status == 0 {
            try second.started()
            _ = try first.delete()
            try equal(try second.status(), "running", "status of the second after delete of the first")
        } else {
            try contains(outcome.err, first.id, "message, which should name the owner,")
            try equal(try first.delete().status, 0, "delete")
            try second.up()
        }
    }

    topic.claim("a container of another state root cannot take the cgroup of one that is still there", rows: ["CG-02", "CG-09"]) { lab in
        try lab.oursOnly()
        if Isolation.usesSystemd { throw Skip("systemd knows whose a scope is") }
        let first = try lab.container()
        try first.up()
        try first.stopped()
        let second = try lab.container("exec sleep 100") { $0["/linux/cgroupsPath"] = first.config["/linux/cgroupsPath"] }
        let root = try lab.folder()
        func run(_ words: String...) throws -> Outcome {
            try lab.execute(Launch(arguments: [lab.runtime.path, "--root", root] + words, output: second.output, error: lab.fresh("err")))
        }
        let outcome = try run("create", "--bundle", second.bundle, second.id)
        try refused(outcome, "create in the cgroup of another root's container")
        try contains(outcome.err, "\(lab.stateRoot)/\(first.id)", "message")
        try equal(try FileManager.default.contentsOfDirectory(atPath: root), [], "state of the second")
        // Whose state somebody has thrown away is no container any more.
        rename("\(lab.stateRoot)/\(first.id)", "\(lab.stateRoot)/moved")
        try equal(try run("create", "--bundle", second.bundle, second.id).status, 0, "create where the first is gone")
        rename("\(lab.stateRoot)/moved", "\(lab.stateRoot)/\(first.id)")
        try equal(try run("delete", "--force", second.id).status, 0, "delete of the second")
        try equal(try first.delete().status, 0, "delete of the first")
    }

    topic.claim("a cgroup that came to be another's after the container's was removed is left alone", rows: ["CG-09"]) { lab in
        if !lab.runtime.isSwoci { throw Skip("other runtimes go by the path alone") }
        let box = try lab.container()
        try box.up()
        try box.stopped()
        let places = Cgroups.existing("/\(Isolation.token)/\(box.id)")
        let sleeper = try lab.children.start(Launch(arguments: ["sleep", "100"]))
        for place in places {
            rmdir(place)
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
            if place.contains("/cpuset/") {
                for file in ["cpuset.cpus", "cpuset.mems"] {
                    let parent = (place as NSString).deletingLastPathComponent
                    try String(contentsOfFile: "\(parent)/\(file)", encoding: .utf8).write(
                        toFile: "\(place)/\(file)", atomically: false, encoding: .utf8)
                }
            }
            try "\(sleeper)".write(toFile: place + "/cgroup.procs", atomically: false, encoding: .utf8)
        }
        try equal(try box.delete("--force").status, 0, "delete --force")
        try expect(lab.children.living().contains(sleeper), "a process of somebody else's cgroup was ended")
        try equal(Cgroups.existing("/\(Isolation.token)/\(box.id)").count, places.count, "directories")
        Foundation.kill(sleeper, SIGKILL)
        _ = try lab.children.wait(for: sleeper, until: lab.deadline, "the sleeper")
        for place in places { rmdir(place) }
        try box.gone()
    }
}

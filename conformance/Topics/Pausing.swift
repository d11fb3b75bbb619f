/// Pause and resume.

import Foundation

let pausing = Topic("pause") { topic in
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

    topic.claim("what forks all the time is paused as well", rows: ["CG-10"], commands: ["pause", "resume"]) { lab in
        let box = try lab.container("while :; do /bin/true; done & while :; do /bin/true; done & echo up; wait")
        try box.up()
        try box.writes("up")
        for _ in 1...5 {
            try equal(try lab.run(["pause", box.id]).status, 0, "pause")
            try equal(try box.status(), "paused", "status")
            try equal(try lab.run(["resume", box.id]).status, 0, "resume")
        }
        try equal(try box.delete("--force").status, 0, "delete --force")
        try box.gone()
    }

    topic.claim("a frozen cgroup cannot be taken", rows: ["CG-02", "CG-10"]) { lab in
        let box = try lab.container()
        let path = "/\(Isolation.token)/\(box.id)"
        var frozen: [String] = []
        for hierarchy in Cgroups.hierarchies {
            let place = hierarchy.directory + path
            let file = hierarchy.unified ? "cgroup.freeze" : "freezer.state"
            guard hierarchy.unified ? Cgroups.isUnified : hierarchy.controllers.contains("freezer") else { continue }
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            try (hierarchy.unified ? "1" : "FROZEN").write(toFile: "\(place)/\(file)", atomically: false, encoding: .utf8)
            frozen.append(place)
        }
        if frozen.isEmpty { throw Skip("no freezer in this cgroup layout") }
        lab.later { for place in frozen { rmdir(place) } }
        lab.limit(seconds: 5)
        let outcome = try box.create()
        try refused(outcome, "a frozen cgroup")
        try contains(outcome.err, "container's cgroup unexpectedly frozen", "message")
    }
}

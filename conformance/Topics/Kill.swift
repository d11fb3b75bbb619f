/// Signals: how they are named, whom they reach, and what is left where a container has no PID namespace.

import Foundation

let killing = Topic("kill") { topic in
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

    for word in ["RTMIN+3", "SIGRTMIN+3", "37", "rtmin+3"] {
        topic.claim("kill takes the real-time signal as \(word)", rows: ["OP-04"]) { lab in
            if !lab.runtime.isSwoci && word != "37" { throw Skip("names of real-time signals are an extension") }
            let box = try lab.container("trap 'echo caught; exit 0' 37; echo ready; while :; do sleep 0.02; done")
            try box.up()
            try box.writes("ready")
            try equal(try box.kill(word).status, 0, "kill")
            try box.writes("caught")
        }
    }

    topic.claim("signal 0 only asks", rows: ["OP-04"]) { lab in
        let box = try lab.runningContainer()
        try equal(try box.kill("0").status, 0, "kill 0")
        try equal(try box.status(), "running", "status")
    }

    topic.claim("kill --all reaches every process of the cgroup", rows: ["OP-04", "CLI-09"]) { lab in
        let box = try lab.container(
            "for i in 1 2; do sh -c 'trap \"echo caught; exit\" USR1; echo up; while :; do sleep 0.02; done' & done; trap : USR1; wait; wait; wait"
        )
        try box.up()
        try lab.eventually("both children") { box.text.components(separatedBy: "up").count == 3 }
        try equal(try lab.run(["kill", "--all", box.id, "USR1"]).status, 0, "kill --all")
        try lab.eventually("both to be caught") { box.text.components(separatedBy: "caught").count == 3 }
    }

    topic.claim("kill --all signals each process once", rows: ["OP-04", "CLI-09"]) { lab in
        let box = try lab.container(
            "(trap '' USR1; exec sleep 1000) & n=0; trap 'n=$((n+1)); echo got $n.' USR1; trap 'echo end $n; exit' USR2; echo up; while :; do wait $!; done"
        )
        try box.up()
        try box.writes("up")
        for number in 1...10 {
            try equal(try lab.run(["kill", "--all", box.id, "USR1"]).status, 0, "kill --all")
            try box.writes("got \(number).")
        }
        try equal(try lab.run(["kill", box.id, "USR2"]).status, 0, "kill")
        try box.writes("end 10")
    }

    for words in [["kill", "--all"], ["kill"]] {
        topic.claim(
            "\(words.joined(separator: " ")) ends what outlives the first process without a PID namespace", rows: ["CLI-09", "N-01"]
        ) { lab in
            let box = try lab.container("sleep 100 & sleep 100 & echo up") { $0.share("pid") }
            try box.up()
            try box.writes("up")
            try box.stopped()
            try expect(!lab.children.living().isEmpty, "nothing outlived the first process")
            let outcome = try lab.run(words + [box.id, "KILL"])
            if words.count == 2 { try equal(outcome.status, 0, "status (\(outcome.err))") }
            try lab.eventually("the rest to end") { lab.children.living().isEmpty }
            try equal(try box.delete().status, 0, "delete")
            try box.gone()
        }
    }

    topic.claim("kill --regex signals those whose id matches, and no other", rows: ["OP-04"]) { lab in
        if !lab.runtime.isSwoci { throw Skip("runc has no --regex, and crun's list is that of its default root") }
        let boxes = try (0..<3).map { _ in try lab.runningContainer() }
        try refused(try lab.run(["kill", "--regex", "(", "KILL"]), "a pattern that is none")
        let outcome = try lab.run(["kill", "--regex", ".*-[02]$", "KILL"])
        try equal(outcome.status, 0, "status (\(outcome.err))")
        for index in [0, 2] { try boxes[index].stopped() }
        try equal(try boxes[1].status(), "running", "status of the other")
        try equal(try lab.run(["kill", "--regex", ".*-[02]$", "KILL"]).status, 0, "status where none runs")
        try equal(try lab.run(["delete", "--regex", ".*-[02]$"]).status, 0, "delete --regex")
        try equal(try lab.run(["list", "-q"]).lines, [boxes[1].id], "what is left")
        try refused(try lab.run(["delete", "--regex", ".*"]), "delete --regex of a running container")
        try equal(try lab.run(["delete", "--force", "--regex", ".*"]).status, 0, "delete --force --regex")
        for box in boxes { try box.gone() }
    }
}

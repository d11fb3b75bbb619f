/// PID 1 of a container, whoever plays it: signals, stop and continue, zombies, exit status, and the way to its stdout.

import Foundation

private let forwarded = [
    ("TERM", SIGTERM), ("INT", SIGINT), ("HUP", SIGHUP), ("QUIT", SIGQUIT), ("USR1", SIGUSR1), ("USR2", SIGUSR2), ("WINCH", SIGWINCH),
    ("RTMIN+3", 37),
]

/// A payload that tells which of a signal it gets.
private func catcher(_ number: Int32) -> String {
    "trap 'echo caught; exit 0' \(number); echo ready; while :; do sleep 0.02; done"
}

let initProcess = Topic("init") { topic in
    for (name, number) in forwarded {
        topic.claim("\(name) sent with kill reaches the payload", rows: ["OP-04", "N-04"]) { lab in
            let box = try lab.container(catcher(number))
            try box.up()
            try box.writes("ready")
            let outcome = try box.kill(name)
            if outcome.status != 0, name.contains("+") { try equal(try box.kill("\(number)").status, 0, "kill by number") }
            try box.writes("caught")
        }

        topic.claim("\(name) sent to the state's pid reaches the payload", rows: ["ST-04", "N-04"]) { lab in
            let box = try lab.container(catcher(number))
            try box.up()
            try box.writes("ready")
            try equal(kill(try box.pid(), number), 0, "kill(2)")
            try box.writes("caught")
        }
    }

    topic.claim("STOP stops the payload and CONT continues it", rows: ["OP-04"]) { lab in
        let box = try lab.container("while :; do echo .; sleep 0.01; done")
        try box.up()
        try box.writes(".")
        try equal(try box.kill("STOP").status, 0, "kill STOP")
        usleep(50_000)
        let before = box.text
        usleep(150_000)
        try equal(box.text, before, "output while stopped")
        try equal(try box.kill("CONT").status, 0, "kill CONT")
        try lab.eventually("output after CONT") { box.text != before }
    }

    topic.claim("KILL ends every process of the container", rows: ["OP-04", "N-04"]) { lab in
        let box = try lab.container("sleep 100 & sleep 100 & setsid sleep 100 & echo up; wait")
        try box.up()
        try box.writes("up")
        try equal(try box.kill("KILL").status, 0, "kill")
        try box.stopped()
        try lab.eventually("processes to end") { lab.children.living().isEmpty }
    }

    topic.claim("the end of the payload ends every process of the container", rows: ["LC-10", "N-04"]) { lab in
        let box = try lab.container("setsid sleep 100 & sleep 100 & exit 0")
        try equal(try box.lived(), 0, "status")
        try lab.eventually("processes to end") { lab.children.living().isEmpty }
    }

    topic.claim("a hundred orphans leave no zombies", rows: ["N-04"]) { lab in
        let script = """
            i=0; while [ $i -lt 100 ]; do (sleep 0.01 &); i=$((i+1)); done; sleep 0.5
            for f in /proc/[0-9]*/stat; do read -r a b state rest <$f 2>/dev/null && [ "$state" = Z ] && echo zombie; done
            echo pid $$
            """
        let text = try lab.container(script).printed()
        try contains(text, "pid ", "output")
        let zombies = text.components(separatedBy: "zombie").count - 1
        if text.hasSuffix("pid 1"), zombies > 0 { throw Skip("the payload is PID 1 here and does not reap") }
        try equal(zombies, 0, "zombies")
    }

    topic.claim("/proc/1/fd/1 is the container's stdout", rows: ["N-04"]) { lab in
        let box = try lab.container("echo through PID 1 >/proc/1/fd/1; echo error >/proc/1/fd/2; echo direct >>/proc/1/fd/1")
        let outcome = try box.run()
        // stdout is a file here, which the first redirection empties.
        try equal(outcome.out, "through PID 1\ndirect\n", "stdout")
        try contains(outcome.err, "error", "stderr")
    }

    for status in [0, 7, 255] as [Int32] {
        topic.claim("the init exits with the payload's status \(status)", rows: ["LC-10"]) { lab in
            try equal(try lab.container("exit \(status)").lived(), status, "status")
        }
    }

    for (name, number) in [("KILL", 9), ("ABRT", 6), ("SEGV", 11)] as [(String, Int32)] {
        topic.claim("the init's status tells that the payload died of \(name)", rows: ["LC-10"]) { lab in
            let box = try lab.container("ulimit -c 0; kill -\(name) $$; echo pid $$; exit 3")
            let status = try box.lived()
            if box.text == "pid 1\n" { throw Skip("the payload is PID 1 here and the kernel shields it from itself") }
            try equal(status, 128 + number, "status")
        }
    }

    topic.claim("a signal that the payload ignores does not end it", rows: ["OP-04"]) { lab in
        let box = try lab.container("trap '' TERM HUP; echo ready; sleep 0.3; echo alive")
        try box.up()
        try box.writes("ready")
        try equal(try box.kill("TERM").status, 0, "kill TERM")
        try equal(try box.kill("HUP").status, 0, "kill HUP")
        try box.writes("alive")
    }

    topic.claim("the payload starts with no signal blocked or ignored", rows: ["P-08"]) { lab in
        let box = try lab.container { $0["/process/args"] = ["grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status"] }
        for line in try box.printed(lines: 2) {
            // Signals 32 and 33 belong to the C library, which may leave them ignored in what it starts.
            let mask = UInt64(line.last ?? "", radix: 16).map { $0 & ~(3 << 31) }
            try equal(mask, 0, "\(line)")
        }
    }

    topic.claim("a payload that reads its terminal from the foreground can do so", rows: ["P-02", "N-04"]) { lab in
        let box = try lab.container("read a; echo got $a; (read b; echo then $b)") { $0["/process/terminal"] = true }
        let console = try Console(lab)
        try console.create(box)
        try box.started()
        try console.writes("one\n")
        try console.reads("got one")
        try console.writes("two\n")
        try console.reads("then two")
    }

    topic.claim("nothing of the host is open in PID 1 once the payload runs", rows: ["L-07"]) { lab in
        let box = try lab.container("exec sleep 100")
        try box.up()
        let folder = "/proc/\(try box.pid())/fd"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where Int(name) ?? 0 > 2 {
            let target = Namespace.at("\(folder)/\(name)")
            try expect(!target.hasPrefix("/") || target.hasPrefix("/dev/null"), "descriptor \(name) is \(target)")
        }
    }

    topic.claim("the payload cannot write to the program that is PID 1", rows: ["N-04"]) { lab in
        let box = try lab.container("(echo x >/proc/1/exe) 2>/dev/null && echo overwritten; echo end")
        try equal(try box.printed(), "end", "output")
    }

    topic.claim("the root of PID 1 is the container's", rows: ["R-01"]) { lab in
        let box = try lab.container("exec sleep 100")
        try box.up()
        let entries = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(try box.pid())/root/run")
        try equal(entries, [], "/run of the init's root")
    }
}

/// What our own runtime promises beyond the specification; skipped for every other runtime.

import Foundation

extension Lab {
    /// Skips the case for a runtime that is not ours.
    func oursOnly() throws {
        if !runtime.isSwoci { throw Skip("an extension of swoci") }
    }

    /// The proportional set size of a process in bytes.
    func memory(of pid: pid_t) throws -> Int {
        let line = read("/proc/\(pid)/smaps_rollup").split(separator: "\n").first { $0.hasPrefix("Pss:") }
        guard let kilobytes = line?.split(separator: " ").compactMap({ Int($0) }).first else { throw Failure(message: "no Pss of \(pid)") }
        return kilobytes * 1024
    }
}

let extensions = Topic("extensions") { topic in
    topic.claim("validate accepts a good bundle", rows: ["G-05"]) { lab in
        try lab.oursOnly()
        let outcome = try lab.run(["validate", "--bundle", lab.container().bundle])
        try equal(outcome.status, 0, "status (\(outcome.out)\(outcome.err))")
    }

    topic.claim("validate reports every problem with file, line, column and pointer", rows: ["G-05", "G-03", "P-06", "U-01"]) { lab in
        try lab.oursOnly()
        let box = try lab.container {
            $0["/ociVersion"] = "one"
            $0["/process/cwd"] = "tmp"
            $0["/hostname"] = String(repeating: "h", count: 65)
        }
        let outcome = try lab.run(["validate", "--bundle", box.bundle])
        try expect(outcome.status != 0, "validate succeeded")
        let text = outcome.out + outcome.err
        for pointer in ["/ociVersion", "/process/cwd", "/hostname"] {
            let pattern = #"config\.json:\d+:\d+: "# + pointer
            try expect(text.range(of: pattern, options: .regularExpression) != nil, "no place for \(pointer) in \(text)")
        }
    }

    topic.claim("validate suggests the name that was meant", rows: ["G-04", "N-02"]) { lab in
        try lab.oursOnly()
        let box = try lab.container { $0["/linux/namespaces/1/type"] = "net" }
        let outcome = try lab.run(["validate", "--bundle", box.bundle])
        try contains(outcome.out + outcome.err, "network", "suggestion")
    }

    topic.claim("validate makes nothing", rows: ["G-05"]) { lab in
        try lab.oursOnly()
        let box = try lab.container()
        _ = try lab.run(["validate", "--bundle", box.bundle])
        try box.gone()
        try equal(Cgroups.marked(by: box.id), [], "cgroups")
    }

    topic.claim("plan prints the steps and makes nothing", rows: ["LC-14"]) { lab in
        try lab.oursOnly()
        let box = try lab.container()
        let outcome = try lab.run(["plan", "--bundle", box.bundle])
        try equal(outcome.status, 0, "status (\(outcome.err))")
        for word in ["proc", "/dev", "hostname"] { try contains(outcome.out, word, "plan") }
        try box.gone()
    }

    for state in ["created", "running"] {
        topic.claim("the init of a \(state) container weighs less than 64 KB", rows: ["N-04"]) { lab in
            let box = try lab.container("exec sleep 100")
            try box.created()
            if state == "running" {
                try box.started()
                usleep(50_000)
            }
            let bytes = try lab.memory(of: box.pid())
            lab.note("PSS of the init when \(state): \(bytes / 1024) KB")
            try lab.oursOnly()
            try expect(bytes < 64 * 1024, "PSS is \(bytes) bytes")
        }
    }

    for (mode, pid) in [("exec", "1"), ("supervise", "2")] {
        topic.claim("org.swoci.init=\(mode) makes the payload PID \(pid)", rows: ["N-04"]) { lab in
            try lab.oursOnly()
            let box = try lab.container("echo $$") { $0["/annotations"] = ["org.swoci.init": mode] }
            let inside = try box.printed()
            try expect(mode == "exec" ? inside == "1" : inside != "1", "the payload is PID \(inside)")
        }
    }

    topic.claim("a payload called init is PID 1 itself", rows: ["N-04"]) { lab in
        try lab.oursOnly()
        let box = try lab.container { $0["/process/args"] = ["/tmp/init"] }
        try "#!/bin/sh\necho $$\n".write(toFile: "\(box.rootfs)/tmp/init", atomically: false, encoding: .utf8)
        chmod("\(box.rootfs)/tmp/init", 0o755)
        try equal(try box.printed(), "1", "pid")
    }

    topic.claim("a script that becomes an init is PID 1 from the beginning", rows: ["N-04"]) { lab in
        try lab.oursOnly()
        for (args, script) in [
            (["/tmp/entry"], "#!/bin/sh\nset -e\nexec /tmp/init now\n"), (["entry"], "#!/bin/sh\n[ -n \"$0\" ] && exec /tmp/init now\n"),
            (["/tmp/entry", "/tmp/init", "now"], "#!/bin/sh\nexec \"$@\"\n"), (["sh", "-c", "true; exec '/tmp/init' now"], ""),
        ] {
            let box = try lab.container {
                $0["/process/args"] = args
                $0["/process/env"] = ["PATH=/nowhere:/tmp:/bin"]
            }
            for (name, text) in [("entry", script), ("init", "#!/bin/sh\necho $$ $1\n")] {
                try text.write(toFile: "\(box.rootfs)/tmp/\(name)", atomically: false, encoding: .utf8)
                chmod("\(box.rootfs)/tmp/\(name)", 0o755)
            }
            try equal(try box.printed(), "1 now", "pid with \(args)")
        }
    }

    topic.claim("an error names the place in config.json", rows: ["G-05", "M-04"]) { lab in
        try lab.oursOnly()
        let box = try lab.container { $0.mount("/data", type: "tmpfs", source: "tmpfs", ["flavour=vanilla"]) }
        let outcome = try box.create()
        try contains(outcome.err, "flavour", "message")
        try expect(
            outcome.err.range(of: #"config\.json:\d+:\d+: /mounts/6"#, options: .regularExpression) != nil, "no place: \(outcome.err)")
    }

    topic.claim(
        "features declare what the other cases rely on", rows: ["FE-01", "FE-02", "FE-03", "FE-04", "FE-05", "FE-06", "FE-11", "FE-12"]
    ) { lab in
        try lab.oursOnly()
        let features = lab.runtime.features
        let linux = features["linux"] as? Object ?? [:]
        try equal(features["ociVersionMin"] as? String, "1.0.0", "ociVersionMin")
        try equal(features["ociVersionMax"] as? String, "1.3.0", "ociVersionMax")
        let kinds: Set = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
        try equal(Set(features["hooks"] as? [String] ?? []), kinds, "hooks")
        let types: Set = ["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"]
        try equal(Set(linux["namespaces"] as? [String] ?? []), types, "namespaces")
        try equal((linux["capabilities"] as? [String])?.count, 41, "capabilities")
        let options = Set(features["mountOptions"] as? [String] ?? [])
        for option in ["rro", "rnoexec", "rrelatime", "rnosymfollow", "idmap", "ridmap", "tmpcopyup", "nosymfollow", "lazytime", "silent"] {
            try expect(options.contains(option), "mountOptions lack \(option)")
        }
    }
}

/// Where a further process is: the container's namespaces, whichever they are, its root and its cgroups.

import Foundation

private let all = ["pid", "net", "ipc", "uts", "mnt", "cgroup", "user", "time"]

extension Container {
    /// Fails the case unless a further process is in the namespaces that the container's first process is in.
    fileprivate func sharesAllNamespaces() throws {
        let names = all.filter { FileManager.default.fileExists(atPath: "/proc/self/ns/\($0)") }
        let pid = try self.pid()
        let inside = try says([], "for n in \(names.joined(separator: " ")); do readlink /proc/self/ns/$n; done")
        try equal(inside.components(separatedBy: "\n"), names.map { Namespace.at("/proc/\(pid)/ns/\($0)") }, "namespaces")
    }
}

extension Lab {
    /// A process of the host in a mount namespace of its own, which ends with the case.
    func mountNamespaceHolder() throws -> pid_t {
        let mark = fresh("mark")
        let holder = try children.start(Launch(arguments: ["unshare", "-m", "sh", "-c", "echo here >\(mark); exec sleep 1000"]))
        later { [children] in
            kill(holder, SIGKILL)
            _ = try? children.wait(for: holder, until: Deadline(seconds: 5), "the holder's end")
        }
        try eventually("the holder") { read(mark) == "here\n" }
        return holder
    }
}

let execNamespaces = Topic("exec namespaces", commands: ["exec"]) { topic in
    for shared in [[], ["pid"], ["network"], ["ipc", "uts"], ["cgroup"], ["pid", "network", "ipc", "uts", "cgroup"]] {
        topic.claim(
            "a container that shares \(shared.isEmpty ? "nothing" : shared.joined(separator: ", ")) gets its processes where it is",
            rows: ["N-01", "N-02"]
        ) { lab in
            let box = try lab.container("exec sleep 1000") { config in
                for type in shared { config.share(type) }
                if shared.contains("uts") { config["/hostname"] = nil }
            }
            try box.up()
            try box.sharesAllNamespaces()
        }
    }

    topic.claim("a container in a user namespace gets its processes there", rows: ["N-01", "N-09"]) { lab in
        let box = try lab.container("exec sleep 1000") { $0.userNamespace(uids: [(0, 100_000, 2000)], gids: [(0, 100_000, 2000)]) }
        box.ownRootfs(100_000, 100_000)
        try box.up()
        try box.sharesAllNamespaces()
        try equal(try box.says(["--user", "1000:1000"], "id -u; id -g"), "1000\n1000", "another user")
        let outcome = try box.exec(["--user", "5000"], "id")
        try refused(outcome, "exec as an unmapped user")
    }

    topic.claim("a user namespace without a root of its own takes processes", rows: ["N-09", "I-05"]) { lab in
        let box = try lab.container("exec sleep 1000") {
            $0.userNamespace(uids: [(1000, 100_000, 1)], gids: [(1000, 100_000, 1)])
            $0["/process/user"] = ["uid": 1000, "gid": 1000]
            // Their mounts would belong to ids that are not mapped.
            $0["/mounts"] = ($0["/mounts"] as! [Object]).filter { $0["destination"] as? String == "/proc" }
        }
        box.ownRootfs(100_000, 100_000)
        let outcome = try box.create()
        if !lab.runtime.isSwoci, outcome.status != 0 { throw Skip("this runtime cannot make such a container") }
        try equal(outcome.status, 0, "create (\(outcome.err))")
        try box.started()
        try equal(try box.says([], "id -u; id -g"), "1000\n1000", "ids")
    }

    topic.claim("a container that joined another's namespaces gets its processes there", rows: ["N-03"]) { lab in
        let first = try lab.runningContainer()
        let pid = try first.pid()
        let box = try lab.container("exec sleep 1000") { config in
            for (type, file) in [("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("pid", "pid")] {
                config.join(type, "/proc/\(pid)/ns/\(file)")
            }
            config["/hostname"] = nil
        }
        try box.up()
        try box.sharesAllNamespaces()
    }

    topic.claim("a container in a joined mount namespace gets its processes in its own root", rows: ["N-03", "R-02"]) { lab in
        let holder = try lab.mountNamespaceHolder()
        let box = try lab.container("exec sleep 1000") { $0.join("mount", "/proc/\(holder)/ns/mnt") }
        let outcome = try box.create()
        if !lab.runtime.isSwoci, outcome.status != 0 { throw Skip("this runtime cannot make such a container") }
        try equal(outcome.status, 0, "create (\(outcome.err))")
        try box.started()
        try box.sharesAllNamespaces()
        let names = try box.says([], "ls / /.. | sort -u")
        try expect(names.contains("bin") && !names.contains("boot"), "the process sees another root: \(names)")
        try equal(try box.says(["--tty"], "tty"), "/dev/pts/0", "terminal")
    }

    topic.claim("the clocks of a time namespace are a further process's", rows: ["T-01", "T-02"], since: "1.1.0") { lab in
        guard FileManager.default.fileExists(atPath: "/proc/self/ns/time") else { throw Skip("no time namespaces") }
        let box = try lab.container("exec sleep 1000") {
            $0.append("/linux/namespaces", ["type": "time"])
            $0["/linux/timeOffsets"] = ["boottime": ["secs": 1_000_000, "nanosecs": 0]] as Object
        }
        guard try box.create().status == 0 else { throw Skip("this runtime has no time namespaces") }
        try box.started()
        let uptime = Double(try box.says([], "cut -d' ' -f1 /proc/uptime")) ?? 0
        try expect(uptime > 1_000_000, "uptime \(uptime)")
        try box.sharesAllNamespaces()
    }

    topic.claim("a root that was entered without pivot_root is a further process's", rows: ["R-02"]) { lab in
        let box = try lab.container("exec sleep 1000")
        try "here\n".write(toFile: "\(box.rootfs)/mark", atomically: false, encoding: .utf8)
        let outcome = try box.create(["--no-pivot"])
        try equal(outcome.status, 0, "create (\(outcome.err))")
        try box.started()
        try equal(try box.says([], "cat /mark; ls /.. | grep -c mark"), "here\n1", "root")
    }

    topic.claim("a further process has a session and a keyring of its own", rows: ["P-02"]) { lab in
        let box = try lab.runningContainer()
        let fields = try box.exec([], "cat", "/proc/self/stat").line.split(separator: " ").map(String.init)
        try equal(fields[5], fields[0], "session")
        try equal(fields[4], fields[0], "process group")
    }

    // MARK: Cgroups

    topic.claim("a further process is counted and limited with the container", rows: ["CG-08"]) { lab in
        try Cgroups.require("pids")
        let box = try lab.runningContainer { $0["/linux/resources/pids"] = ["limit": 6] }
        let text = try box.exec([], "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 1 & done 2>&1; echo end")
        try contains(text.out + text.err, "fork", "the limit's effect")
    }

    topic.claim("--cgroup names one below the container's", rows: ["CLI-08", "CG-01"]) { lab in
        let box = try lab.runningContainer()
        let pid = try box.pid()
        for hierarchy in Cgroups.hierarchies {
            let directory = try Cgroups.directory(of: pid, in: hierarchy)
            if hierarchy.controllers.contains("cpuset") || hierarchy.directory == "/" { continue }
            try FileManager.default.createDirectory(atPath: "\(directory)/below", withIntermediateDirectories: true)
        }
        if Cgroups.isUnified {
            try contains(try box.exec(["--cgroup", "below"], "cat", "/proc/self/cgroup").out, "/below", "cgroup")
        } else {
            let outcome = try box.exec(["--cgroup", "memory,pids:/below"], "cat", "/proc/self/cgroup")
            if !lab.runtime.isSwoci, outcome.status != 0 { throw Skip("this release has another form of --cgroup") }
            for line in outcome.lines {
                let isBelow = line.contains(":memory:") || line.contains(":pids:")
                try expect(line.hasSuffix("/below") == isBelow, "a cgroup that was not asked for: \(line)")
            }
            try equal(outcome.status, 0, "status (\(outcome.err))")
        }
    }

    topic.claim("a cgroup v2 that has given its controllers away is not in the way", rows: ["CG-08", "CLI-08"]) { lab in
        guard Cgroups.isUnified else { throw Skip("cgroup v2 alone has that rule") }
        let box = try lab.runningContainer()
        let pid = try box.pid()
        let directory = try Cgroups.directory(of: pid, controller: "pids")
        try FileManager.default.createDirectory(atPath: "\(directory)/init.scope", withIntermediateDirectories: true)
        for process in lab.read("\(directory)/cgroup.procs").split(separator: "\n") {
            try process.write(toFile: "\(directory)/init.scope/cgroup.procs", atomically: false, encoding: .utf8)
        }
        try "+pids".write(toFile: "\(directory)/cgroup.subtree_control", atomically: false, encoding: .utf8)
        try contains(try box.exec([], "cat", "/proc/self/cgroup").out, "init.scope", "cgroup")
        try refused(try box.exec(["--cgroup", "/"], "true"), "exec")
    }
}

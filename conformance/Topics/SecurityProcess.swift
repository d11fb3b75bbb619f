/// The processes of a container and what the runtime leaves open to it: its own program, descriptors, memory, environment, the caller's terminal.

import Foundation

extension Lab {
    /// The user that owns a file; -1 where there is none.
    fileprivate func owner(of path: String) -> Int {
        var status = stat()
        return lstat(path, &status) == 0 ? Int(status.st_uid) : -1
    }
}

let securityProcess = Topic("security of processes") { topic in
    topic.claim("an image's program that is a link to /proc/self/exe reaches no program of the host", rows: ["CVE-2019-5736"]) { lab in
        let before = try FileManager.default.attributesOfItem(atPath: lab.runtime.path)[.modificationDate] as? Date
        let box = try lab.container {
            $0["/process/args"] = ["/evil"]
            $0["/annotations"] = ["org.swoci.init": "exec"]
        }
        symlink("/proc/self/exe", "\(box.rootfs)/evil")
        _ = try box.run()
        let after = try FileManager.default.attributesOfItem(atPath: lab.runtime.path)[.modificationDate] as? Date
        try equal(after, before, "the runtime's time of modification")
    }

    topic.claim("nobody can write to the program of a container's first process", rows: ["CVE-2019-5736"]) { lab in
        let box = try lab.container("exec sleep 100")
        try box.created()
        let first = try box.pid()
        for pid in lab.children.living() where pid == first || lab.read("/proc/\(pid)/comm").hasPrefix("swoci") {
            let descriptor = open("/proc/\(pid)/exe", O_RDWR | O_CLOEXEC)
            if descriptor >= 0 { close(descriptor) }
            try expect(descriptor < 0, "the program of process \(pid) can be written to")
        }
    }

    topic.claim("a waiting process cannot be looked into by its own user", rows: ["CVE-2016-9962"]) { lab in
        let box = try lab.container {
            $0["/process/user"] = ["uid": 1000, "gid": 1000]
            $0["/annotations"] = ["org.swoci.init": "exec"]
        }
        try box.created()
        let pid = try box.pid()
        // A process that is not dumpable has root's files in /proc (proc(5)).
        try equal(lab.owner(of: "/proc/\(pid)/environ"), 0, "owner of /proc/PID/environ")
        try equal(lab.owner(of: "/proc/\(pid)/fd"), 0, "owner of /proc/PID/fd")
    }

    topic.claim("nothing of the caller's environment is in the container's first process", rows: ["P-07"]) { lab in
        let box = try lab.container("exec sleep 100")
        let outcome = try box.create { $0.environment += ["SECRET=of-the-caller", "LD_PRELOAD=/nowhere.so"] }
        try equal(outcome.status, 0, "create (\(outcome.err))")
        for pid in lab.children.living() {
            try expect(!lab.read("/proc/\(pid)/environ").contains("of-the-caller"), "process \(pid) has the caller's environment")
        }
        try box.started()
        usleep(50_000)
        for pid in lab.children.living() {
            try expect(!lab.read("/proc/\(pid)/environ").contains("of-the-caller"), "process \(pid) has the caller's environment")
        }
    }

    topic.claim("hooks get no environment of the container's, and the payload none of the hooks'", rows: ["H-10", "P-07"]) { lab in
        let box = try lab.container("env") {
            $0.append("/process/env", "OF_THE_PAYLOAD=1")
            var hook = try lab.hook("env >>\(lab.log)")
            hook["env"] = ["OF_THE_HOOK=1", "PATH=/usr/bin:/bin"]
            $0.append("/hooks/createRuntime", hook)
            $0.append("/hooks/createContainer", hook)
        }
        let text = try box.printed()
        try expect(!text.contains("OF_THE_HOOK"), "environment of the payload: \(text)")
        try expect(!lab.read(lab.log).contains("OF_THE_PAYLOAD"), "environment of the hooks: \(lab.read(lab.log))")
        try contains(lab.read(lab.log), "OF_THE_HOOK=1", "environment of the hooks")
    }

    for terminal in [false, true] {
        topic.claim(
            "the payload \(terminal ? "with" : "without") a terminal is in a session of its own, out of reach of the caller's terminal",
            rows: ["CVE-2017-5226", "P-02"]
        ) { lab in
            let box = try lab.container("cut -d' ' -f1,6,7 /proc/$$/stat") { $0["/process/terminal"] = terminal }
            if terminal {
                let console = try Console(lab)
                try console.create(box)
                try box.started()
                // The terminal of the container is the controlling one: a number other than 0.
                try console.reads(" ")
                return
            }
            let words = try box.printed().split(separator: " ").map(String.init)
            try equal(words.count, 3, "fields")
            try equal(words[1], words[0], "the session is the payload's own")
            try equal(words[2], "0", "controlling terminal")
        }
    }

    topic.claim("a container that shares the host's network finds no abstract socket of the runtime's", rows: ["CVE-2020-15257"]) { lab in
        let before = Set(
            lab.read("/proc/net/unix").split(separator: "\n").compactMap { $0.split(separator: "@").dropFirst().last.map(String.init) })
        let box = try lab.container("exec sleep 100") {
            $0.share("network")
            $0.inheritSys()
        }
        try box.created()
        let after = Set(
            lab.read("/proc/net/unix").split(separator: "\n").compactMap { $0.split(separator: "@").dropFirst().last.map(String.init) })
        try equal(after.subtracting(before), [], "new abstract sockets")
    }

    topic.claim("a user above 2^31 is that user and no other", rows: ["CVE-2024-40635", "P-39"]) { lab in
        for user in [2_147_483_649, 4_294_967_294] {
            let box = try lab.container("id -u; id -g") { $0["/process/user"] = ["uid": user, "gid": user] }
            try equal(try box.run().lines, ["\(user)", "\(user)"], "uid and gid")
        }
    }

    topic.claim("a descriptor that --preserve-fds or LISTEN_FDS promises, but that is not there, is an error", rows: ["L-07", "CLI-16"]) {
        lab in
        let box = try lab.container()
        let descriptor = open(try lab.file("three"), O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        if lab.runtime.version.hasPrefix("crun") { throw Skip("crun tolerates gaps") }
        let preserved = try box.create(["--preserve-fds", "2"]) { $0.descriptors = [(3, descriptor)] }
        try refused(preserved, "create")
        try contains(preserved.err, "4", "message")
        try box.gone()
    }

    topic.claim("a create that is killed in the middle leaves no process, and can be deleted", rows: ["LC-15", "LC-12"]) { lab in
        let box = try lab.container("exec sleep 100")
        box.config.append("/hooks/createRuntime", try lab.hook("echo in >>\(lab.log); exec sleep 20"))
        try box.save()
        let words = [lab.runtime.path, "--root", lab.stateRoot, "create", "--bundle", box.bundle, box.id]
        let pid = try lab.children.start(Launch(arguments: words))
        try lab.eventually("the hook") { lab.read(lab.log) == "in\n" }
        kill(pid, SIGKILL)
        _ = try lab.children.wait(for: pid, until: lab.deadline, "create")
        _ = try box.delete("--force")
        try lab.eventually("the end of all processes but the hook's") {
            lab.children.living().allSatisfy { lab.read("/proc/\($0)/comm") == "sleep\n" && lab.read("/proc/\($0)/cmdline").contains("20") }
        }
        try box.gone()
        _ = lab.children.sweep()
    }
}

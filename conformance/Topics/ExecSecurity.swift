/// Further processes in hostile containers: weaknesses that container runtimes had where they enter one.
///
/// A case names the CVE whose mechanism it repeats, or the rows that it belongs to.

import Foundation

/// A process of the container that looks into every new one it can see, writes what it finds to /found, and tries to overwrite programs.
private let spy = """
    mkdir -p /found; echo up
    while :; do
      for p in /proc/[0-9]*; do
        case $p in /proc/1|/proc/$$) continue;; esac
        e=$(readlink $p/exe) || continue
        case $e in /bin/busybox) continue;; esac
        echo "$e" >>/found/exe
        readlink $p/root >>/found/root; readlink $p/cwd >>/found/cwd
        ls $p/root/ >>/found/files 2>/dev/null
        for f in $p/fd/*; do readlink $f; done >>/found/fd 2>/dev/null
        (printf owned >$p/exe) 2>>/found/write && echo overwritten $e >>/found/overwritten
      done
    done
    """

/// What an image may have for its /etc/passwd.
private let oddFiles: [(name: String, make: @Sendable (String) -> Int32)] = [
    ("a fifo", { mkfifo($0, 0o644) }), ("a directory", { mkdir($0, 0o755) }), ("a link to /dev/zero", { symlink("/dev/zero", $0) }),
    ("a link to itself", { symlink("passwd", $0) }),
    ("an endless file", { close(open($0, O_CREAT | O_WRONLY, 0o644)) | truncate($0, 1 << 40) }),
]

extension Container {
    /// What the container's own processes have written to a file.
    fileprivate func found(_ name: String) -> [String] {
        Array(Set(lab.read("\(rootfs)/found/\(name)").split(separator: "\n").map(String.init))).sorted()
    }
}

let execSecurity = Topic("exec security", commands: ["exec"]) { topic in
    for capabilities in [[], ["CAP_SYS_PTRACE"], ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"]] {
        let name = capabilities.isEmpty ? "no capability" : capabilities.joined(separator: ", ")
        topic.claim(
            "who watches further processes come, with \(name), finds nothing of the host's",
            rows: ["CVE-2019-5736", "CVE-2016-9962", "CVE-2024-21626"]
        ) { lab in
            let box = try lab.container(spy) {
                for set in ["bounding", "effective", "permitted"] { $0["/process/capabilities/\(set)"] = capabilities }
                $0["/process/noNewPrivileges"] = false
            }
            try box.up()
            try box.writes("up")
            let before = try Data(contentsOf: URL(fileURLWithPath: lab.runtime.path))
            for _ in 0..<60 { try equal(try box.exec([], "true").status, 0, "exec") }
            try equal(try box.kill("KILL").status, 0, "kill")
            try equal(try Data(contentsOf: URL(fileURLWithPath: lab.runtime.path)), before, "the runtime's program")
            try equal(box.found("overwritten"), [], "what was overwritten")
            let host = box.found("exe").filter { !$0.hasPrefix("/memfd:") && !$0.hasPrefix("/bin/") }
            if lab.runtime.isSwoci { try equal(host, [], "programs of the host that were seen") }
            try equal(box.found("root").filter { $0 != "/" }, [], "roots")
            let inside = Set(try FileManager.default.contentsOfDirectory(atPath: box.rootfs))
            try equal(box.found("files").filter { !inside.contains($0) }, [], "files in roots")
            if lab.runtime.isSwoci {
                let open = box.found("fd").filter {
                    $0.hasPrefix("/") && !$0.hasPrefix("/memfd:") && !$0.hasPrefix("/dev/null") && !$0.hasPrefix(lab.directory)
                }
                try equal(
                    open.filter { !$0.hasPrefix("/proc/") && !FileManager.default.fileExists(atPath: box.rootfs + $0) }, [], "open files")
            }
        }
    }

    for number in 3...12 {
        topic.claim("descriptor \(number) is no way out as a further process's directory", rows: ["CVE-2024-21626", "P-06"]) { lab in
            let box = try lab.runningContainer()
            try "mark\n".write(toFile: "\(box.rootfs)/mark", atomically: false, encoding: .utf8)
            let outcome = try box.exec(["--cwd", "/proc/self/fd/\(number)"], "sh", "-c", "ls ../../../../../../mark; ls . | head -3; pwd")
            try expect(outcome.status != 0 || outcome.out.contains("mark"), "it ran in \(outcome.out)")
        }
    }

    topic.claim("a user named 1 is no other than user 1", rows: ["CVE-2016-3697", "CVE-2026-30892"]) { lab in
        let box = try lab.container("exec sleep 1000")
        try "root:x:0:0::/:/bin/sh\n1:x:0:0::/:/bin/sh\n".write(toFile: "\(box.rootfs)/etc/passwd", atomically: true, encoding: .utf8)
        try "root:x:0:\n1:x:0:\n".write(toFile: "\(box.rootfs)/etc/group", atomically: true, encoding: .utf8)
        try box.up()
        try equal(try box.says(["--user", "1:1"], "id -u; id -g"), "1\n1", "ids")
    }

    topic.claim("accounts that are links to the host's are the container's", rows: ["CVE-2015-3627"]) { lab in
        if !lab.runtime.isSwoci { throw Skip("users by name are an extension") }
        let outside = try lab.file("hosty:x:4242:4242::/:/bin/sh\n")
        let box = try lab.container("exec sleep 1000")
        unlink("\(box.rootfs)/etc/passwd")
        symlink("../../../../../../../..\(outside)", "\(box.rootfs)/etc/passwd")
        try box.up()
        let outcome = try box.exec(["--user", "hosty"], "id")
        try refused(outcome, "exec")
        try equal(try box.says(["--user", "77"], "echo $HOME"), "/", "HOME")
    }

    for (name, make) in oddFiles {
        topic.claim("/etc/passwd that is \(name) holds no exec up", rows: ["P-07", "P-39"]) { lab in
            let box = try lab.container("exec sleep 1000")
            unlink("\(box.rootfs)/etc/passwd")
            try equal(make("\(box.rootfs)/etc/passwd"), 0, "making it")
            try box.up()
            lab.limit(seconds: 6)
            if lab.runtime.isSwoci { try equal(try box.exec(["--user", "12"], "echo", "ran").line, "ran", "by number") }
            try refused(try box.exec(["--user", "root"], "id"), "exec by name")
        }
    }

    topic.claim("a container without /proc takes further processes", rows: ["CVE-2019-16884", "CLI-08"]) { lab in
        let box = try lab.container("exec sleep 1000") { config in
            config["/mounts"] = (config["/mounts"] as! [Object]).filter { $0["destination"] as? String != "/proc" }
            config["/linux/maskedPaths"] = [String]()
            config["/linux/readonlyPaths"] = [String]()
        }
        try box.up()
        try equal(try box.says(["--user", "1000:1000"], "id -u"), "1000", "output")
    }

    topic.claim("a container that has covered its /proc is not believed", rows: ["CVE-2019-16884", "CVE-2025-52881", "P-14"]) { lab in
        let box = try lab.container(
            "mount -t tmpfs none /proc && mkdir -p /proc/self/attr /proc/1/attr /proc/self/fd && "
                + "echo none >/proc/self/attr/exec && echo none >/proc/1/attr/exec && echo covered; exec sleep 1000"
        ) {
            for set in ["bounding", "effective", "permitted"] { $0["/process/capabilities/\(set)"] = ["CAP_SYS_ADMIN"] }
        }
        try box.up()
        try box.writes("covered")
        try equal(try box.says(["--user", "1000:1000"], "id -u; cat /proc/self/attr/exec"), "1000\nnone", "output")
    }

    topic.claim("the caller's supplementary groups stay outside", rows: ["CVE-2022-2995", "P-43"]) { lab in
        let box = try lab.runningContainer()
        let words = [
            "setpriv", "--groups", "4242,4243", lab.runtime.path, "--root", lab.stateRoot, "exec", box.id, "grep", "Groups",
            "/proc/self/status",
        ]
        let outcome = try lab.execute(Launch(arguments: words))
        try expect(outcome.out.hasPrefix("Groups:") && !outcome.out.contains("424"), "groups: \(outcome.out)\(outcome.err)")
    }

    topic.claim("the host's /dev/null keeps its owner", rows: ["L-08"]) { lab in
        var before = stat()
        stat("/dev/null", &before)
        try equal(try lab.runningContainer().exec(["--user", "1000:1000"], "true").status, 0, "status")
        var after = stat()
        stat("/dev/null", &after)
        try equal([after.st_uid, after.st_gid], [before.st_uid, before.st_gid], "owner")
    }

    topic.claim("nothing of the caller's environment comes along", rows: ["P-07"]) { lab in
        let outcome = try lab.runningContainer().exec([], "env") { $0.environment += ["SECRET=x", "LD_PRELOAD=/x", "LISTEN_FDS=1"] }
        try equal(outcome.status, 0, "status (\(outcome.err))")
        for name in ["SECRET", "LD_PRELOAD", "LISTEN"] { try expect(!outcome.out.contains(name), "environment: \(outcome.out)") }
    }

    for path in ["..", "../..", "a/../..", "/..", "memory:..", "memory:/../x"] {
        topic.claim("\(path.debugDescription) is no cgroup of a further process", rows: ["CG-01"]) { lab in
            let outcome = try lab.runningContainer().exec(["--cgroup", path], "cat", "/proc/self/cgroup")
            try refused(outcome, "exec")
            try equal(outcome.out, "", "output")
        }
    }

    topic.claim("a runtime that is killed half-way leaves no process in the container", rows: ["LC-15"]) { lab in
        let box = try lab.runningContainer()
        let path = lab.fresh("socket")
        let listener = try UnixSocket.listen(at: path)
        defer { close(listener) }
        // Connections that nobody accepts, until the next one waits: the runtime then hangs with the process all set up.
        let full = (0..<3).map { _ in UnixSocket.connect(to: path) }
        defer { full.forEach { if $0 >= 0 { close($0) } } }
        let words = [
            lab.runtime.path, "--root", lab.stateRoot, "exec", "--tty", "--detach", "--console-socket", path, box.id, "sleep", "4245",
        ]
        let before = try box.says([], "set -- /proc/[0-9]*; echo $#")
        let pid = try lab.children.start(Launch(arguments: words))
        usleep(300_000)
        guard lab.children.status(of: pid) == nil else { throw Skip("this runtime does not wait for the socket") }
        kill(pid, SIGKILL)
        _ = try lab.children.wait(for: pid, until: lab.deadline, "exec")
        try lab.eventually("the process to be gone") { try box.says([], "set -- /proc/[0-9]*; echo $#") == before }
        try equal(try box.status(), "running", "status")
    }

    topic.claim("a caller that dies with its parent leaves a detached process alive", rows: ["CLI-08"]) { lab in
        let box = try lab.runningContainer()
        let words = [
            "setpriv", "--pdeathsig", "KILL", lab.runtime.path, "--root", lab.stateRoot, "exec", "--detach", box.id, "sleep", "4246",
        ]
        try equal(try lab.execute(Launch(arguments: words)).status, 0, "status")
        try contains(try box.says([], "ps -o args"), "sleep 4246", "ps")
    }

    topic.claim("control characters of an exec do not reach the terminal", rows: ["CLI-03"]) { lab in
        if !lab.runtime.isSwoci { throw Skip("a promise of swoci's") }
        let bad = "/no\u{1b}[31m\n\u{9b}31m"
        let box = try lab.runningContainer()
        for words in [
            ["--cwd", bad, box.id, "true"], [box.id, bad], ["--user", bad, box.id, "true"], ["--cgroup", bad, box.id, "true"],
        ] {
            let outcome = try lab.run(["exec"] + words)
            try expect(outcome.status != 0, "it was not refused")
            let text = outcome.err.dropLast()
            try expect(!text.unicodeScalars.contains { $0.value < 32 || 127...159 ~= $0.value }, "message: \(outcome.err.debugDescription)")
        }
    }
}

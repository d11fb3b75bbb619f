/// Hostile bundles, hostile callers and races: published weaknesses of container runtimes, and what this project's own attacks found.
///
/// A case names the rows it belongs to, or the CVE whose mechanism it repeats.

import Foundation

/// Links in the image where set-up writes: the link, where it points to relative to the outside directory, and the weakness.
private let traps = [
    ("/proc", "", "CVE-2019-19921"), ("/sys", "", "CVE-2025-54867"), ("/dev", "", "CVE-2026-41579"), ("/target", "", "CVE-2021-30465"),
    ("/target", "/new", "CVE-2024-45310"), ("/tmp", "", "CVE-2015-3629"),
]

/// Ids that must not reach the file system.
private let wrongIDs = ["..", ".", "a/b", "../x", "", "a b", "a\nb", String(repeating: "x", count: 256)]

/// Files that are not what a reader expects.
private let oddFiles: [(name: String, make: @Sendable (String) -> Int32)] = [
    ("a fifo", { mkfifo($0, 0o644) }), ("a link to /dev/zero", { symlink("/dev/zero", $0) }),
    ("an endless file", { close(open($0, O_CREAT | O_WRONLY, 0o644)) | truncate($0, 1 << 40) }),
]

/// Callers in odd states: a program and its arguments, which then executes the runtime.
private let callers: [(name: String, words: [String])] = [
    ("ignores SIGCHLD", ["env", "--ignore-signal=CHLD"]), ("blocks all signals", ["env", "--block-signal"]),
    ("has umask 777", ["sh", "-c", "umask 777; exec \"$@\"", "sh"]), ("has closed stdin", ["sh", "-c", "exec \"$@\" <&-", "sh"]),
    ("may open 64 files", ["prlimit", "--nofile=64:64"]), ("dies with its parent", ["setpriv", "--pdeathsig", "KILL"]),
]

extension Config {
    /// Leaves /dev to the image.
    fileprivate mutating func unmountDevices() {
        self["/mounts"] = (self["/mounts"] as! [Object]).filter { !($0["destination"] as! String).hasPrefix("/dev") }
    }
}

extension Container {
    /// Runs a command of the runtime through another program.
    fileprivate func through(_ words: [String], _ command: [String]) throws -> Outcome {
        try lab.execute(Launch(arguments: words + [lab.runtime.path, "--root", lab.stateRoot] + command))
    }

    /// Adds a hook that runs a shell script on the host's side and may take a second.
    fileprivate func addBriefHook(_ kind: String, _ script: String) throws {
        var hook = try lab.hook(script)
        hook["timeout"] = 1
        config.append("/hooks/\(kind)", hook)
        try save()
    }
}

let security = Topic("security") { topic in
    // MARK: Images

    for (link, target, weakness) in traps {
        let kind = target.isEmpty ? "a directory" : "nothing"
        topic.claim("\(link) as a link to \(kind) outside changes nothing there", rows: [weakness]) { lab in
            let outside = try lab.folder(["file": "outside\n"])
            let box = try lab.container("true") {
                $0.mount("/target/below", type: "tmpfs", source: "tmpfs")
                $0["/linux/devices"] = [["path": "/target/device", "type": "c", "major": 1, "minor": 3] as Object]
                // Without the mounts that would cover the traps.
                if link == "/dev" { $0.unmountDevices() }
            }
            try? FileManager.default.removeItem(atPath: box.rootfs + link)
            symlink(outside + target, box.rootfs + link)
            _ = try box.run()
            try equal(try FileManager.default.contentsOfDirectory(atPath: outside), ["file"], "what is outside")
            try equal(lab.read("\(outside)/file"), "outside\n", "the file outside")
        }
    }

    topic.claim("a masked file is not covered by what the image calls /dev/null", rows: ["CVE-2025-31133", "X-02"]) { lab in
        let box = try lab.container("cat /secret") {
            $0.unmountDevices()
            $0["/linux/maskedPaths"] = ["/secret"]
        }
        try "hidden\n".write(toFile: "\(box.rootfs)/secret", atomically: false, encoding: .utf8)
        try "fake\n".write(toFile: "\(box.rootfs)/fake", atomically: false, encoding: .utf8)
        symlink("/fake", "\(box.rootfs)/dev/null")
        let outcome = try box.run()
        try expect(!outcome.out.contains("hidden") && !outcome.out.contains("fake"), "output: \(outcome.out)")
    }

    for number in 3...12 {
        topic.claim("descriptor \(number) of the runtime is no way out as a working directory", rows: ["CVE-2024-21626", "P-06"]) { lab in
            let box = try lab.container("ls /proc/self/cwd/") { $0["/process/cwd"] = "/proc/self/fd/\(number)" }
            let outcome = try box.run()
            try expect(outcome.status != 0, "it ran in \(outcome.out)")
        }
    }

    for (name, make) in oddFiles {
        topic.claim("/etc/passwd that is \(name) holds nobody up", rows: ["P-07"]) { lab in
            let box = try lab.container("echo fine")
            unlink("\(box.rootfs)/etc/passwd")
            try equal(make("\(box.rootfs)/etc/passwd"), 0, "making it")
            lab.limit(seconds: 5)
            try equal(try box.printed(), "fine", "output")
        }
    }

    // MARK: Configs

    topic.claim("the user 4294967295 is refused: the kernel takes it for \"as before\"", rows: ["P-39"]) { lab in
        let box = try lab.container()
        for pointer in ["/process/user/uid", "/process/user/gid"] {
            let before = box.config[pointer]
            box.config[pointer] = 4_294_967_295
            try box.save()
            try box.refused()
            box.config[pointer] = before
        }
    }

    topic.claim("inheritable capabilities stay empty", rows: ["CVE-2022-24769", "P-20"]) { lab in
        try equal(try lab.container("grep CapInh /proc/self/status").printed(), "CapInh:\t0000000000000000", "set")
    }

    topic.claim("the caller's supplementary groups stay outside", rows: ["CVE-2023-25173", "P-43"]) { lab in
        let box = try lab.container { $0["/process/args"] = ["grep", "Groups", "/proc/self/status"] }
        let outcome = try box.through(["setpriv", "--groups", "4242,4243"], ["run", "--bundle", box.bundle, box.id])
        try expect(outcome.out.hasPrefix("Groups:") && !outcome.out.contains("424"), "groups: \(outcome.out)\(outcome.err)")
    }

    for path in ["/", "//", "..", "/../x", "a/../../b", "/./"] {
        topic.claim("\(path.debugDescription) is no cgroup for a container", rows: ["CG-01"]) { lab in
            try lab.container { $0["/linux/cgroupsPath"] = path }.refused()
        }
    }

    for verb in ["create", "start", "state", "kill", "delete"] {
        topic.claim("\(verb) refuses ids that are no names", rows: ["ST-02"]) { lab in
            let box = try lab.container()
            let neighbour = "\(lab.directory)/x"
            try FileManager.default.createDirectory(atPath: neighbour, withIntermediateDirectories: true)
            for id in wrongIDs {
                let bundle = verb == "create" ? ["--bundle", box.bundle] : []
                let force = verb == "delete" ? ["--force"] : []
                let outcome = try lab.run([verb] + bundle + force + [id])
                try expect(outcome.status != 0 && !outcome.err.isEmpty, "\(id.debugDescription): status \(outcome.status)")
                try equal(outcome.err.filter { $0 == "\n" }.count, 1, "lines about \(id.debugDescription)")
            }
            try expect(FileManager.default.fileExists(atPath: neighbour), "the neighbour is gone")
        }
    }

    topic.claim("control characters of a config do not reach the terminal", rows: ["CLI-03"]) { lab in
        let box = try lab.container { $0["/process/cwd"] = "/\u{1b}[31m\n\u{9b}31m" }
        box.config["/process/args"] = ["/no/such\u{1b}[31m\n\u{9b}31m"]
        try box.save()
        let outcome = try box.create()
        try expect(outcome.status != 0, "it was not refused")
        let text = outcome.err.dropLast()
        try expect(!text.unicodeScalars.contains { $0.value < 32 || 127...159 ~= $0.value }, "message: \(outcome.err.debugDescription)")
    }

    topic.claim("a filter that forbids everything ends the payload and hangs nobody", rows: ["SE-02", "LC-08"]) { lab in
        let box = try lab.container { $0["/linux/seccomp"] = ["defaultAction": "SCMP_ACT_ERRNO"] }
        lab.limit(seconds: 8)
        if try box.create().status != 0 { return try box.gone() }
        _ = try box.start()
        try box.stopped()
    }

    topic.claim("thousands of conditional filter rules hang nobody", rows: ["SE-12"]) { lab in
        let box = try lab.container { config in
            config["/linux/seccomp"] =
                [
                    "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
                    "syscalls": (0..<4000).map { number in
                        [
                            "names": ["personality"], "action": "SCMP_ACT_ERRNO",
                            "args": [["index": 0, "value": number, "op": "SCMP_CMP_EQ"] as Object],
                        ] as Object
                    },
                ] as Object
        }
        lab.limit(seconds: 10)
        _ = try box.create()
    }

    // MARK: Hooks

    for kind in ["createRuntime", "createContainer"] {
        topic.claim("a \(kind) hook that never stops writing ends with its timeout", rows: ["H-11", "H-12"]) { lab in
            let box = try lab.container()
            try box.addBriefHook(kind, "exec yes")
            lab.limit(seconds: 4)
            try box.refused()
        }

        topic.claim("a child that a \(kind) hook leaves writing holds nobody up", rows: ["H-12"]) { lab in
            let box = try lab.container("echo fine")
            try box.addBriefHook(kind, "yes & exit 0")
            lab.limit(seconds: 5)
            try equal(try box.printed(), "fine", "output")
            _ = lab.children.sweep()
        }
    }

    // MARK: Callers

    for (name, words) in callers {
        topic.claim("a caller that \(name) gets the same container", rows: ["CLI-04"]) { lab in
            let box = try lab.container("grep -E '^(Sig(Blk|Ign)|Umask)' /proc/self/status | tr '\\n' ' '; ls -la /dev/null | cut -c1-10") {
                $0.append("/process/rlimits", ["type": "RLIMIT_NOFILE", "soft": 64, "hard": 64] as Object)
            }
            try box.addBriefHook("createRuntime", "exit 0")
            try box.addBriefHook("createContainer", "exit 0")
            lab.limit(seconds: 5)
            let usual = try box.run()
            try equal(usual.status, 0, "the usual run: \(usual.err)")
            let odd = try box.through(words, ["run", "--bundle", box.bundle, box.id])
            try equal(odd.status, 0, "the run: \(odd.err)")
            try equal(odd.out, usual.out, "output")
        }
    }

    topic.claim("a caller that may write no file gets an error, and leaves nothing", rows: ["LC-15", "CLI-03"]) { lab in
        let box = try lab.container()
        let outcome = try box.through(["prlimit", "--fsize=0:0"], ["create", "--bundle", box.bundle, box.id])
        try equal(outcome.status, 1, "status")
        try box.gone()
    }

    for variable in ["LISTEN_FDS=4294967295", "LISTEN_FDS=99999999999999999999", "LISTEN_FDS=-1"] {
        topic.claim("\(variable) is an error", rows: ["L-07"]) { lab in
            let box = try lab.container()
            let outcome = try box.create(["--preserve-fds", "5"]) { $0.environment.append(variable) }
            try equal(outcome.status, 1, "status")
            try expect(!outcome.err.isEmpty, "no message")
        }
    }

    topic.claim("limits of another user are set without CAP_SYS_RESOURCE", rows: ["P-10", "P-13"]) { lab in
        let box = try lab.container("ulimit -n; ulimit -Hn; id -u") {
            $0["/process/user"] = ["uid": 1000, "gid": 1000]
            $0["/process/rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 77, "hard": 99] as Object]
        }
        let words = ["setpriv", "--bounding-set", "-sys_resource"]
        let outcome = try box.through(words, ["run", "--bundle", box.bundle, box.id])
        try equal(outcome.out, "77\n99\n1000\n", "limits: \(outcome.err)")
    }

    topic.claim("a pid file that cannot be written fails the create and leaves nothing", rows: ["CLI-05", "LC-15"]) { lab in
        let box = try lab.container()
        let folder = try lab.tmpfs()
        try lab.command("mount", "-o", "remount,ro", folder)
        try expect(try box.create(["--pid-file", "\(folder)/pid"]).status != 0, "it was not refused")
        try box.gone()
    }

    for verb in ["delete", "state", "kill"] {
        topic.claim("\(verb) does not take a container for dead because it may open few files", rows: ["OP-05", "ST-04"]) { lab in
            let box = try lab.container("exec sleep 100")
            try box.up()
            for count in 4...14 {
                let outcome = try box.through(["prlimit", "--nofile=\(count):\(count)"], [verb, box.id] + (verb == "kill" ? ["0"] : []))
                try expect(!outcome.out.contains("stopped"), "with \(count) files: \(outcome.out)")
                try equal(try box.status(), "running", "status after \(verb) with \(count) files: \(outcome.err)")
            }
        }
    }

    // MARK: Descriptors

    topic.claim("no process of a waiting container has a directory of the host open", rows: ["CVE-2024-21626", "CVE-2016-9962"]) { lab in
        try lab.container("true").created()
        for pid in lab.children.living() {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? [] {
                let target = Namespace.at("/proc/\(pid)/fd/\(name)")
                var isDirectory: ObjCBool = false
                let isThere = FileManager.default.fileExists(atPath: target, isDirectory: &isDirectory)
                try expect(!(isThere && isDirectory.boolValue && target != "/"), "process \(pid) has \(target) open as \(name)")
            }
        }
    }

    // MARK: Races

    topic.claim("of twelve creates of one id one wins, and the losers say so", rows: ["LC-01", "ST-02"]) { lab in
        let box = try lab.container("exec sleep 100")
        for _ in 1...5 {
            let words = [lab.runtime.path, "--root", lab.stateRoot, "create", "--bundle", box.bundle, box.id]
            let errors = (1...12).map { _ in lab.fresh("err") }
            let pids = try errors.map { try lab.children.start(Launch(arguments: words, error: $0)) }
            let results = try pids.map { try lab.children.wait(for: $0, until: lab.deadline, "create") }
            try equal(results.filter { $0 == 0 }.count, 1, "winners in \(results)")
            for (result, file) in zip(results, errors) where result != 0 { try contains(lab.read(file), "exist", "a loser's message") }
            try equal(try box.status(), "created", "status")
            try equal(try box.delete("--force").status, 0, "delete")
        }
        try box.gone()
    }

    topic.claim("all commands at once on one id neither hang nor leave anything", rows: ["LC-12", "OP-01", "OP-05"]) { lab in
        let box = try lab.container("exec sleep 100")
        // `list` may refuse a state directory that nobody has made yet.
        try FileManager.default.createDirectory(
            atPath: lab.stateRoot, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let start = [lab.runtime.path, "--root", lab.stateRoot]
        let commands = [
            ["create", "--bundle", box.bundle, box.id], ["start", box.id], ["kill", box.id, "KILL"], ["state", box.id], ["list"],
            ["delete", "--force", box.id],
        ]
        for _ in 1...20 {
            let errors = (1...12).map { _ in lab.fresh("err") }
            let pids = try errors.enumerated().map { number, file in
                try lab.children.start(Launch(arguments: start + commands[number % commands.count], error: file))
            }
            for (number, pid) in pids.enumerated() {
                let command = commands[number % commands.count][0]
                let status = try lab.children.wait(for: pid, until: lab.deadline, command)
                try expect(status <= 1, "\(command) ended with \(status): \(lab.read(errors[number]))")
                try expect(command != "list" || status == 0, "list failed: \(lab.read(errors[number]))")
            }
        }
        try equal(try box.delete("--force").status, 0, "delete")
        try box.gone()
    }
}

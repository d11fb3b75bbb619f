/// What the payload finds: arguments, environment, directory, identity, limits, capabilities.

import Foundation

/// A sysctl that a container may set for itself, where it shows, and its value.
private let sysctls = [
    ("net.ipv4.ip_forward", "1", "SY-03"), ("net.ipv4.ping_group_range", "0 100", "SY-03"), ("kernel.shm_rmid_forced", "1", "SY-02"),
    ("kernel.msgmax", "16384", "SY-02"), ("fs.mqueue.queues_max", "99", "SY-02"), ("kernel.domainname", "example.org", "SY-04"),
]

/// Sysctls that would change the host, or that need a namespace which is not the container's own.
private let refusedSysctls = [
    ("vm.swappiness", "", "SY-07"), ("kernel.panic", "", "SY-07"), ("fs.file-max", "", "SY-07"), ("kernel.hostname", "", "SY-04"),
    ("net.ipv4.ip_forward", "network", "SY-03"), ("kernel.msgmax", "ipc", "SY-02"), ("fs.mqueue.queues_max", "ipc", "SY-02"),
    ("net.no.such.key", "", "SY-01"),
]

private let capabilitySets = [
    ("effective", "CapEff", "P-18"), ("permitted", "CapPrm", "P-19"), ("bounding", "CapBnd", "P-17"), ("inheritable", "CapInh", "P-20"),
    ("ambient", "CapAmb", "P-21"),
]

let process = Topic("process") { topic in
    // MARK: Program

    topic.claim("arguments arrive as they are", rows: ["P-08"]) { lab in
        let box = try lab.container { $0["/process/args"] = ["printf", "[%s]", "", " a  b ", "$HOME", "*", "-x"] }
        try equal(try box.printed(), "[][ a  b ][$HOME][*][-x]", "output")
    }

    topic.claim("the environment is what the config says, in its order, and HOME", rows: ["P-07"]) { lab in
        let box = try lab.container {
            $0["/process/args"] = ["env"]
            $0["/process/env"] = ["Z=last", "PATH=/bin", "A=first=with=equals", "EMPTY="]
        }
        let lines = try box.printed().split(separator: "\n").map(String.init).filter { !$0.hasPrefix("HOME=") }
        try equal(lines, ["Z=last", "PATH=/bin", "A=first=with=equals", "EMPTY="], "environment")
    }

    topic.claim("of two settings of one variable the last counts", rows: ["P-07"]) { lab in
        let box = try lab.container("echo $TWICE") { $0["/process/env"] = ["PATH=/bin", "TWICE=one", "TWICE=two"] }
        try equal(try box.printed(), "two", "value")
    }

    topic.claim("nothing of the runtime's environment leaks in", rows: ["P-07"]) { lab in
        let box = try lab.container { $0["/process/args"] = ["env"] }
        let text = try box.run { $0.environment.append("LEAK=yes") }.out
        try contains(text, "PATH=", "environment")
        try expect(!text.contains("LEAK") && !text.contains("_="), "environment: \(text)")
    }

    for (uid, home) in [(0, "/root"), (1000, "/home/user"), (4711, "/")] {
        topic.claim("HOME of uid \(uid) is \(home)", rows: ["P-07"]) { lab in
            let box = try lab.container("echo $HOME") { $0["/process/user"] = ["uid": uid, "gid": 0] }
            try equal(try box.printed(), home, "HOME")
        }
    }

    topic.claim("HOME of the config is kept", rows: ["P-07"]) { lab in
        let box = try lab.container("echo $HOME") { $0.append("/process/env", "HOME=/elsewhere") }
        try equal(try box.printed(), "/elsewhere", "HOME")
    }

    topic.claim("the program is looked up in the container's PATH", rows: ["P-08"]) { lab in
        let box = try lab.container {
            $0["/process/args"] = ["tool"]
            $0["/process/env"] = ["PATH=/nowhere:/opt/one:/opt/two"]
        }
        for (folder, mode) in [("one", 0o644), ("two", 0o755)] as [(String, mode_t)] {
            try lab.command("mkdir", "-p", "\(box.rootfs)/opt/\(folder)")
            try "#!/bin/sh\necho \(folder)\n".write(toFile: "\(box.rootfs)/opt/\(folder)/tool", atomically: false, encoding: .utf8)
            chmod("\(box.rootfs)/opt/\(folder)/tool", mode)
        }
        try equal(try box.printed(), "two", "output")
    }

    topic.claim("a program with a slash is relative to cwd", rows: ["P-08", "P-06"]) { lab in
        let box = try lab.container {
            $0["/process/args"] = ["./tool"]
            $0["/process/cwd"] = "/opt"
        }
        try lab.command("mkdir", "\(box.rootfs)/opt")
        try "#!/bin/sh\necho found\n".write(toFile: "\(box.rootfs)/opt/tool", atomically: false, encoding: .utf8)
        chmod("\(box.rootfs)/opt/tool", 0o755)
        try equal(try box.printed(), "found", "output")
    }

    for (name, program, words) in [
        ("missing on PATH", "nosuchprogram", "executable file not found in $PATH"),
        ("missing at its path", "/no/such/program", "no such file or directory"),
        ("not executable", "/etc/passwd", "permission denied"), ("a directory", "/etc", ""),
    ] {
        topic.claim("a program that is \(name) fails create\(words.isEmpty ? "" : " with \"\(words)\"")", rows: ["P-08", "CLI-03"]) { lab in
            try lab.container { $0["/process/args"] = [program] }.refused(words)
        }
    }

    topic.claim("an exec that fails at start is the error of start, and the container is stopped", rows: ["LC-08", "OP-03"]) { lab in
        let box = try lab.container { $0["/process/args"] = ["/etc/broken"] }
        try "#!/no/such/interpreter\n".write(toFile: "\(box.rootfs)/etc/broken", atomically: false, encoding: .utf8)
        chmod("\(box.rootfs)/etc/broken", 0o755)
        let created = try box.create()
        if created.status != 0 { return try refused(created, "create") }
        let outcome = try box.start()
        try box.stopped()
        try expect(outcome.status != 0 || !lab.read(box.errors).isEmpty, "nobody was told")
        if lab.runtime.isSwoci { try contains(outcome.err, "interpreter", "message") }
    }

    // MARK: Directory and identity

    topic.claim("the payload starts in cwd", rows: ["P-06"]) { lab in
        try equal(try lab.container("pwd") { $0["/process/cwd"] = "/var" }.printed(), "/var", "pwd")
    }

    topic.claim("a missing cwd is made", rows: ["P-06"]) { lab in
        try equal(try lab.container("pwd") { $0["/process/cwd"] = "/made/just/now" }.printed(), "/made/just/now", "pwd")
    }

    topic.claim("a cwd that is a file is refused", rows: ["P-06"]) { lab in
        try lab.container { $0["/process/cwd"] = "/etc/passwd" }.refused()
    }

    topic.claim("a cwd that only the user may enter works", rows: ["P-06", "LC-14"]) { lab in
        let box = try lab.container("pwd") {
            $0["/process/user"] = ["uid": 1000, "gid": 1000]
            $0["/process/cwd"] = "/private"
            $0["/process/capabilities"] = [:] as Object
        }
        try lab.command("install", "-d", "-m", "700", "-o", "1000", "-g", "1000", "\(box.rootfs)/private")
        try equal(try box.printed(), "/private", "pwd")
    }

    topic.claim("a cwd through a leaked descriptor does not lead out", rows: ["P-06", "L-07"]) { lab in
        for number in [3, 6, 7, 8, 9, 10] {
            let box = try lab.container("ls -di . ..; ls ../../../..") { $0["/process/cwd"] = "/proc/self/fd/\(number)" }
            let outcome = try box.run()
            if outcome.out.isEmpty { try refused(outcome, "run") }
            try expect(!outcome.out.contains("conformance"), "the payload sees the host: \(outcome.out)")
        }
    }

    topic.claim("user, group and additional groups are exactly the configured ones", rows: ["P-39", "P-40", "P-43"]) { lab in
        let box = try lab.container("grep -E '^(Uid|Gid|Groups):' /proc/self/status") {
            $0["/process/user"] = ["uid": 1000, "gid": 2000, "additionalGids": [5, 77, 3000]] as Object
        }
        let lines = try box.printed(lines: 3)
        try equal(lines[0], ["Uid:", "1000", "1000", "1000", "1000"], "Uid")
        try equal(lines[1], ["Gid:", "2000", "2000", "2000", "2000"], "Gid")
        try equal(Set(lines[2].dropFirst()).subtracting(["2000"]), ["5", "77", "3000"], "Groups")
    }

    topic.claim("a user other than root can open the stdout that it was given", rows: ["L-08", "P-39"]) { lab in
        let box = try lab.container("echo through >>/dev/stdout") { $0["/process/user"] = ["uid": 1000, "gid": 1000] }
        try equal(try box.printed(), "through", "output")
    }

    topic.claim("without additional groups there are none of the host's", rows: ["P-43"]) { lab in
        let words = try lab.container("grep ^Groups: /proc/self/status").printed(lines: 1)[0]
        try expect(words == ["Groups:"] || words == ["Groups:", "0"], "groups: \(words)")
    }

    topic.claim("the umask is the configured one", rows: ["P-42"]) { lab in
        let box = try lab.container("umask") { $0["/process/user/umask"] = 0o027 }
        try equal(try box.printed(), "0027", "umask")
    }

    for (word, value) in [("hostname", "box.example"), ("hostname", String(repeating: "h", count: 64))] {
        topic.claim("the \(word) of \(value.count) bytes is set", rows: ["U-01"]) { lab in
            let box = try lab.container("hostname; cat /proc/sys/kernel/hostname") { $0["/\(word)"] = value }
            try equal(try box.printed(), "\(value)\n\(value)", word)
        }
    }

    topic.claim("the domain name is set", rows: ["U-02"], since: "1.1.0") { lab in
        let box = try lab.container("cat /proc/sys/kernel/domainname") { $0["/domainname"] = "example.org" }
        try equal(try box.printed(), "example.org", "domainname")
    }

    // MARK: Limits and switches

    topic.claim("rlimits are exactly the configured ones", rows: ["P-10", "P-11", "P-12", "P-13"]) { lab in
        let box = try lab.container("cat /proc/self/limits") {
            $0["/process/rlimits"] = [
                ["type": "RLIMIT_NOFILE", "soft": 100, "hard": 200], ["type": "RLIMIT_CORE", "soft": 0, "hard": 4096],
                ["type": "RLIMIT_STACK", "soft": 1_048_576, "hard": 2_097_152],
            ]
        }
        let text = try box.printed()
        for (name, soft, hard) in [
            ("Max open files", "100", "200"), ("Max core file size", "0", "4096"), ("Max stack size", "1048576", "2097152"),
        ] {
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { throw Failure(message: "no \(name)") }
            try equal(line.dropFirst(name.count).split(separator: " ").prefix(2).map(String.init), [soft, hard], name)
        }
    }

    topic.claim("an rlimit of 2^64-1 is unlimited", rows: ["P-12", "G-06"]) { lab in
        let box = try lab.container("ulimit -c") {
            $0["/process/rlimits"] = [["type": "RLIMIT_CORE", "soft": UInt64.max, "hard": UInt64.max] as Object]
        }
        try equal(try box.printed(), "unlimited", "ulimit -c")
    }

    for (set, field, row) in capabilitySets {
        topic.claim("the \(set) capabilities are exactly the configured ones", rows: ["P-16", row]) { lab in
            let box = try lab.container("grep ^\(field): /proc/self/status") {
                let all = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SYS_PTRACE"]
                $0["/process/capabilities"] = [
                    "bounding": all, "permitted": Array(all.prefix(3)), "effective": Array(all.prefix(2)),
                    "inheritable": ["CAP_KILL", "CAP_CHOWN"],
                    "ambient": ["CAP_KILL"],
                ]
                // A user other than root: its exec keeps what is ambient and no more, so only these sets are compared for root.
                $0["/process/user/uid"] = set == "ambient" ? 1000 : 0
                $0["/process/noNewPrivileges"] = false
            }
            // For root an exec grants bounding to permitted and effective: P'(permitted) = inheritable | bounding.
            let all: UInt64 = 1 << 0 | 1 << 5 | 1 << 10 | 1 << 19
            let want: [String: UInt64] = [
                "bounding": all, "permitted": all, "effective": all, "inheritable": 1 << 5 | 1, "ambient": 1 << 5,
            ]
            let text = try box.printed().split(whereSeparator: \.isWhitespace).last.map(String.init) ?? ""
            try equal(UInt64(text, radix: 16), want[set], "\(field)")
        }
    }

    topic.claim("a user other than root has its ambient capabilities and no others", rows: ["P-16", "P-21"]) { lab in
        let box = try lab.container("grep -E '^Cap(Prm|Eff):' /proc/self/status") {
            $0["/process/user"] = ["uid": 1000, "gid": 1000]
            for set in ["bounding", "permitted", "effective", "inheritable"] {
                $0["/process/capabilities/\(set)"] = ["CAP_KILL", "CAP_CHOWN"]
            }
            $0["/process/capabilities/ambient"] = ["CAP_KILL"]
        }
        let values = try box.printed(lines: 2).map { UInt64($0.last ?? "", radix: 16) }
        try equal(values, [1 << 5, 1 << 5], "CapPrm and CapEff")
    }

    topic.claim("an unknown capability is ignored with a warning", rows: ["P-16"]) { lab in
        let box = try lab.container("echo fine") { $0.grant(["CAP_TO_FLY"]) }
        let outcome = try box.run()
        try contains(outcome.out, "fine", "output")
        try contains(outcome.err, "CAP_TO_FLY", "warning")
        let words = outcome.err.split(separator: "\n").map { $0.components(separatedBy: "warning").count - 1 }
        try expect(words.allSatisfy { $0 <= 1 }, "a warning calls itself so twice: \(outcome.err)")
    }

    for value in [true, false] {
        topic.claim("noNewPrivileges \(value) is what the payload has", rows: ["P-22"]) { lab in
            let box = try lab.container("grep ^NoNewPrivs: /proc/self/status") { $0["/process/noNewPrivileges"] = value }
            try equal(try box.printed(), "NoNewPrivs:\t\(value ? 1 : 0)", "status")
        }
    }

    topic.claim("oomScoreAdj is set", rows: ["P-23"]) { lab in
        let box = try lab.container("cat /proc/self/oom_score_adj") { $0["/process/oomScoreAdj"] = 321 }
        try equal(try box.printed(), "321", "oom_score_adj")
    }

    topic.claim("without oomScoreAdj the value is the runtime's", rows: ["P-23"]) { lab in
        try equal(
            try lab.container("cat /proc/self/oom_score_adj").printed(),
            lab.read("/proc/self/oom_score_adj").trimmingCharacters(in: .newlines), "value")
    }

    for (key, value, row) in sysctls {
        topic.claim("the sysctl \(key) is set", rows: ["SY-01", row]) { lab in
            let box = try lab.container("cat /proc/sys/\(key.replacingOccurrences(of: ".", with: "/"))") {
                $0["/linux/sysctl"] = [key: value]
            }
            try equal(try box.printed().replacingOccurrences(of: "\t", with: " "), value, key)
        }
    }

    for (key, shared, row) in refusedSysctls {
        topic.claim("the sysctl \(key)\(shared.isEmpty ? "" : " without a namespace of its own") is refused", rows: [row]) { lab in
            let box = try lab.container {
                $0["/linux/sysctl"] = [key: "1"]
                if !shared.isEmpty { $0.share(shared) }
                if shared == "network" { $0.inheritSys() }
                if shared == "ipc" { $0["/mounts"] = ($0["/mounts"] as! [Object]).filter { $0["type"] as? String != "mqueue" } }
            }
            try box.refused()
        }
    }

    for (type, name, key) in [("network", "net", "net.ipv4.ip_forward"), ("ipc", "ipc", "kernel.msgmax")] {
        topic.claim("the sysctl \(key) is refused where the path is the runtime's own \(type) namespace", rows: ["SY-02", "SY-03", "N-07"])
        { lab in
            let path = "/proc/sys/\(key.replacingOccurrences(of: ".", with: "/"))"
            let before = lab.read(path)
            let box = try lab.container {
                $0["/linux/sysctl"] = [key: "1"]
                $0.join(type, "/proc/self/ns/\(name)")
                if type == "network" { $0.inheritSys() }
            }
            let outcome = try box.create()
            let after = lab.read(path)
            try before.write(toFile: path, atomically: false, encoding: .utf8)
            try expect(outcome.status != 0, "create was not refused")
            try equal(after, before, "the host's \(key)")
        }
    }

    topic.claim("a hostname is refused where the path is the runtime's own uts namespace", rows: ["U-01"]) { lab in
        try lab.oursOnly()
        try lab.container { $0.join("uts", "/proc/self/ns/uts") }.refused("uts")
    }

    topic.claim("the personality is LINUX32 where asked for", rows: ["X-05"], since: "1.0.2") { lab in
        let box = try lab.container("cat /proc/self/personality") { $0["/linux/personality"] = ["domain": "LINUX32"] }
        try equal(try box.printed(), "00000008", "personality")
    }

    addDescriptorCases(to: &topic)

    topic.claim("capabilities that the runtime does not hold are left out with a warning", rows: ["P-16"]) { lab in
        let effective = lab.read("/proc/self/status").split(separator: "\n").first { $0.hasPrefix("CapPrm:") }?.split(separator: "\t").last
        guard let held = effective.flatMap({ UInt64($0, radix: 16) }), held & 1 << 24 == 0 else {
            throw Skip("the suite holds CAP_SYS_RESOURCE")
        }
        let box = try lab.container("echo fine") { $0.grant(["CAP_KILL", "CAP_SYS_RESOURCE"]) }
        let outcome = try box.run()
        try contains(outcome.out, "fine", "output")
        try contains(outcome.err, "CAP_SYS_RESOURCE", "warning")
    }

    topic.claim("an ambient capability that is not inheritable is left out with a warning", rows: ["P-16", "P-21"]) { lab in
        let box = try lab.container("grep ^CapAmb: /proc/self/status") { $0["/process/capabilities/ambient"] = ["CAP_KILL"] }
        let outcome = try box.run()
        try contains(outcome.out, "0000000000000000", "CapAmb")
        try contains(outcome.err, "CAP_KILL", "warning")
    }

    topic.claim("additional groups in a user namespace that denies setgroups are refused", rows: ["P-43", "I-02"]) { lab in
        let box = try lab.container { $0["/process/user"] = ["uid": 0, "gid": 0, "additionalGids": [5]] as Object }
        let words = ["unshare", "--user", "--map-root-user", "--mount", lab.runtime.path, "--root", lab.stateRoot]
        let disabled = lab.runtime.isSwoci || lab.runtime.version.hasPrefix("crun") ? ["--cgroup-manager", "disabled"] : []
        let outcome = try lab.execute(Launch(arguments: words + disabled + ["run", "--bundle", box.bundle, box.id]))
        try expect(outcome.status != 0, "it was not refused")
        if lab.runtime.isSwoci { try contains(outcome.err, "/process/user/additionalGids/0", "message") }
    }

    for (key, label) in [("apparmorProfile", "some-profile"), ("selinuxLabel", "system_u:system_r:container_t:s0")] {
        topic.claim("\(key) is refused with a reason where the host has no such module", rows: [key == "selinuxLabel" ? "P-15" : "P-14"]) {
            lab in
            let modules = lab.read("/sys/kernel/security/lsm") + lab.read("/sys/module/apparmor/parameters/enabled")
            if modules.contains("apparmor") || modules.contains("Y") || modules.contains("selinux") { throw Skip("the host has one") }
            let box = try lab.container { $0["/process/\(key)"] = label }
            if lab.runtime.isSwoci { try box.refused(key) } else { try box.refused() }
        }
    }

    topic.claim("mountLabel means nothing where SELinux is off", rows: ["X-04"]) { lab in
        if FileManager.default.fileExists(atPath: "/sys/fs/selinux/enforce") { throw Skip("SELinux is on") }
        let box = try lab.container("echo fine") { $0["/linux/mountLabel"] = "system_u:object_r:container_file_t:s0:c1,c2" }
        try equal(try box.printed(), "fine", "output")
    }
}

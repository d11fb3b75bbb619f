/// Configs that must be refused: with an error, with a message, without a hang, and with nothing made.

import Foundation

/// One change to a good config that makes it a bad one: the value, as JSON, at a pointer; without a value the property is removed.
private struct Spoiler: Sendable {
    let name: String
    let rows: [String]
    let pointer: String
    let value: String?
    let since: String

    init(_ name: String, _ rows: [String], _ pointer: String, _ value: String?, since: String = "1.0.0") {
        self.name = name
        self.rows = rows
        self.pointer = pointer
        self.value = value
        self.since = since
    }
}

/// The usual new namespaces but one, as JSON.
private func without(_ type: String) -> String {
    let rest = ["pid", "network", "ipc", "uts", "mount", "cgroup"].filter { $0 != type }
    return "[\(rest.map { #"{"type": "\#($0)"}"# }.joined(separator: ", "))]"
}

private let spoilers = [
    Spoiler("no ociVersion", ["G-03"], "/ociVersion", nil),
    Spoiler("an ociVersion that is a number", ["G-03", "G-05"], "/ociVersion", "1"),
    Spoiler("an ociVersion that is not SemVer", ["G-03"], "/ociVersion", #""one""#),
    Spoiler("a root that is a string", ["R-01", "G-05"], "/root", #""rootfs""#),
    Spoiler("no root", ["R-01"], "/root", nil),
    Spoiler("no root path", ["R-02"], "/root/path", nil),
    Spoiler("a root path that does not exist", ["R-02"], "/root/path", #""nowhere""#),
    Spoiler("a root path that is a file", ["R-02"], "/root/path", #""config.json""#),
    Spoiler("a root path that is a list", ["R-02", "G-05"], "/root/path", #"["rootfs"]"#),
    Spoiler("a root readonly that is a string", ["R-03", "G-05"], "/root/readonly", #""yes""#),
    Spoiler("a process that is a list", ["P-01", "G-05"], "/process", "[]"),
    Spoiler("no args", ["P-08"], "/process/args", nil),
    Spoiler("empty args", ["P-08"], "/process/args", "[]"),
    Spoiler("args that are a string", ["P-08", "G-05"], "/process/args", #""true""#),
    Spoiler("an argument that is a number", ["P-08", "G-05"], "/process/args", #"["true", 1]"#),
    Spoiler("an argument with a NUL", ["P-08"], "/process/args", #"["true", "a\u0000b"]"#),
    Spoiler("no cwd", ["P-06"], "/process/cwd", nil),
    Spoiler("a relative cwd", ["P-06"], "/process/cwd", #""tmp""#),
    Spoiler("an environment entry without =", ["P-07"], "/process/env", #"["PATH=/bin", "NOTHING"]"#),
    Spoiler("an environment entry with a NUL", ["P-07"], "/process/env", #"["PATH=/bin", "A=b\u0000c"]"#),
    Spoiler("an environment that is an object", ["P-07", "G-05"], "/process/env", #"{"PATH": "/bin"}"#),
    Spoiler("a uid that is negative", ["P-39", "G-06"], "/process/user/uid", "-1"),
    Spoiler("a uid beyond 32 bits", ["P-39", "G-06"], "/process/user/uid", "4294967296"),
    Spoiler("a uid that is a name", ["P-39", "G-05"], "/process/user/uid", #""root""#),
    Spoiler("an unknown rlimit", ["P-11"], "/process/rlimits", #"[{"type": "RLIMIT_FRIENDS", "soft": 1, "hard": 1}]"#),
    Spoiler(
        "an rlimit given twice", ["P-10"], "/process/rlimits",
        #"[{"type": "RLIMIT_NOFILE", "soft": 9, "hard": 9}, {"type": "RLIMIT_NOFILE", "soft": 8, "hard": 8}]"#),
    Spoiler("an rlimit with soft above hard", ["P-12"], "/process/rlimits", #"[{"type": "RLIMIT_NOFILE", "soft": 9, "hard": 8}]"#),
    Spoiler("an oomScoreAdj out of range", ["P-23"], "/process/oomScoreAdj", "1001"),
    Spoiler("a terminal that is a string", ["P-02", "G-05"], "/process/terminal", #""no""#),
    Spoiler("mounts that are an object", ["M-01", "G-05"], "/mounts", "{}"),
    Spoiler("a mount without destination", ["M-02"], "/mounts/1/destination", nil),
    Spoiler("mount options that are a string", ["M-05", "G-05"], "/mounts/1/options", #""nosuid""#),
    Spoiler("a namespace type that is unknown", ["N-02"], "/linux/namespaces/0/type", #""net""#),
    Spoiler("a namespace given twice", ["N-01"], "/linux/namespaces/0/type", #""mount""#),
    Spoiler("a namespace path that is relative", ["N-03"], "/linux/namespaces/0/path", #""proc/self/ns/pid""#),
    Spoiler("a namespace path that does not exist", ["N-03"], "/linux/namespaces/0/path", #""/nowhere""#),
    Spoiler("hooks that are a list", ["H-01", "G-05"], "/hooks", "[]"),
    Spoiler("a hook with a relative path", ["H-08"], "/hooks", #"{"createRuntime": [{"path": "bin/true"}]}"#),
    Spoiler("a hook without a path", ["H-08"], "/hooks", #"{"createRuntime": [{"args": ["true"]}]}"#),
    Spoiler("a hook timeout of 0", ["H-11"], "/hooks", #"{"createRuntime": [{"path": "/bin/true", "timeout": 0}]}"#),
    Spoiler("a hook timeout below 0", ["H-11"], "/hooks", #"{"createRuntime": [{"path": "/bin/true", "timeout": -1}]}"#),
    Spoiler("an annotation that is a number", ["A-01"], "/annotations", #"{"org.example.n": 1}"#),
    Spoiler("an annotation with an empty key", ["A-01"], "/annotations", #"{"": "value"}"#),
    Spoiler("a masked path that is relative", ["X-02"], "/linux/maskedPaths", #"["proc/kcore"]"#),
    Spoiler("a readonly path that is relative", ["X-03"], "/linux/readonlyPaths", #"["proc/sys"]"#),
    Spoiler("an unknown rootfsPropagation", ["X-01"], "/linux/rootfsPropagation", #""sideways""#),
    Spoiler("a device type that is unknown", ["D-02"], "/linux/devices", #"[{"type": "x", "path": "/dev/x", "major": 1, "minor": 3}]"#),
    Spoiler("a device without numbers", ["D-04"], "/linux/devices", #"[{"type": "c", "path": "/dev/x"}]"#),
    Spoiler("a device rule with unknown access", ["RD-05"], "/linux/resources/devices", #"[{"allow": false, "access": "z"}]"#),
    Spoiler("a device rule with an unknown type", ["RD-03"], "/linux/resources/devices", #"[{"allow": true, "type": "x", "access": "r"}]"#),
    Spoiler("a cpu list that is none", ["RC-07"], "/linux/resources/cpu", #"{"cpus": "first"}"#),
    Spoiler("a CPU that does not exist", ["RC-07"], "/linux/resources/cpu", #"{"cpus": "4000"}"#),
    Spoiler("a CPU quota below the kernel's minimum", ["RC-02"], "/linux/resources/cpu", #"{"quota": 10, "period": 100000}"#),
    Spoiler("a CPU period beyond the kernel's maximum", ["RC-04"], "/linux/resources/cpu", #"{"period": 2000000}"#),
    Spoiler("a memory limit that is a string", ["RM-02", "G-05"], "/linux/resources/memory", #"{"limit": "64M"}"#),
    Spoiler("a swap limit below the memory limit", ["RM-04"], "/linux/resources/memory", #"{"limit": 67108864, "swap": 33554432}"#),
    Spoiler("a swappiness above 100", ["RM-08"], "/linux/resources/memory", #"{"swappiness": 101}"#),
    Spoiler("a pids limit that is a fraction", ["RH-07", "G-06"], "/linux/resources/pids", #"{"limit": 1.5}"#),
    Spoiler("a huge page size that does not exist", ["RH-02"], "/linux/resources/hugepageLimits", #"[{"pageSize": "3MB", "limit": 0}]"#),
    Spoiler("an unknown seccomp default action", ["SE-02"], "/linux/seccomp", #"{"defaultAction": "SCMP_ACT_MAYBE"}"#),
    Spoiler(
        "an unknown seccomp action", ["SE-10"], "/linux/seccomp",
        #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_MAYBE"}]}"#),
    Spoiler(
        "an unknown seccomp operator", ["SE-15"], "/linux/seccomp",
        #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "#
            + #""args": [{"index": 0, "value": 1, "op": "SCMP_CMP_ISH"}]}]}"#),
    Spoiler(
        "a seccomp argument index above 5", ["SE-12"], "/linux/seccomp",
        #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "#
            + #""args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]}"#),
    Spoiler(
        "an unknown seccomp architecture", ["SE-04"], "/linux/seccomp",
        #"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_6502"]}"#),
    Spoiler("an unknown seccomp flag", ["SE-05"], "/linux/seccomp", #"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["NO_SUCH_FLAG"]}"#),
    Spoiler(
        "a seccomp rule without names", ["SE-09"], "/linux/seccomp",
        #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]}"#),
    Spoiler(
        "an errnoRet with an action that has none", ["SE-11"], "/linux/seccomp",
        #"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1}]}"#,
        since: "1.1.0"),
    Spoiler(
        "a defaultErrnoRet with an action that has none", ["SE-03"], "/linux/seccomp",
        #"{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}"#, since: "1.1.0"),
    Spoiler(
        "listenerMetadata without listenerPath", ["SE-07"], "/linux/seccomp",
        #"{"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}"#, since: "1.1.0"),
    Spoiler("an unknown personality", ["X-05"], "/linux/personality", #"{"domain": "LINUX31"}"#, since: "1.0.2"),
    Spoiler("uid mappings without a user namespace", ["I-01"], "/linux/uidMappings", #"[{"containerID": 0, "hostID": 0, "size": 1}]"#),
    Spoiler("time offsets without a time namespace", ["T-01"], "/linux/timeOffsets", #"{"monotonic": {"secs": 1}}"#, since: "1.1.0"),
    Spoiler("a console that is higher than 65535", ["P-04"], "/process/consoleSize", #"{"height": 65536, "width": 80}"#),
    Spoiler("a console width below 0", ["P-05"], "/process/consoleSize", #"{"height": 25, "width": -1}"#),
    Spoiler("a console size without a width", ["P-03", "P-05"], "/process/consoleSize", #"{"height": 25}"#),
    Spoiler("an AppArmor profile that is a number", ["P-14", "G-05"], "/process/apparmorProfile", "1"),
    Spoiler("an SELinux label that is a list", ["P-15", "G-05"], "/process/selinuxLabel", "[]"),
    Spoiler("capabilities that are a list", ["P-16", "G-05"], "/process/capabilities", #"["CAP_KILL"]"#),
    Spoiler("a bounding set that is a string", ["P-17", "G-05"], "/process/capabilities/bounding", #""CAP_KILL""#),
    Spoiler("a noNewPrivileges that is a string", ["P-22", "G-05"], "/process/noNewPrivileges", #""true""#),
    Spoiler("a gid that is a fraction", ["P-40", "G-06"], "/process/user/gid", "1.5"),
    Spoiler("an additional gid of 2^32-1", ["P-43"], "/process/user/additionalGids", "[4294967295]"),
    Spoiler("a umask above 0777", ["P-42"], "/process/user/umask", "512", since: "1.0.2"),
    Spoiler("hook arguments that are a string", ["H-09", "G-05"], "/hooks", #"{"createRuntime": [{"path": "/bin/true", "args": "x"}]}"#),
    Spoiler("a hook environment that is an object", ["H-10", "G-05"], "/hooks", #"{"createRuntime": [{"path": "/bin/true", "env": {}}]}"#),
    Spoiler("annotations that are a list", ["A-01", "G-05"], "/annotations", "[]"),
    Spoiler("a domain name of 65 bytes", ["U-02"], "/domainname", "\"\(String(repeating: "d", count: 65))\"", since: "1.1.0"),
    Spoiler("a mount label that is a number", ["X-04", "G-05"], "/linux/mountLabel", "1"),
    Spoiler("a personality with a flag", ["X-06"], "/linux/personality", #"{"domain": "LINUX", "flags": ["ANY"]}"#, since: "1.0.2"),
    Spoiler("a sysctl that is a number", ["SY-08"], "/linux/sysctl", #"{"net.ipv4.ip_forward": 1}"#),
    Spoiler("a sysctl with a path that leads out", ["SY-01"], "/linux/sysctl", #"{"net/../kernel/panic": "1"}"#),
    Spoiler("a closID that is a path", ["RT-02"], "/linux/intelRdt", #"{"closID": "a/b"}"#),
    Spoiler("a cache schema with a newline", ["RT-03"], "/linux/intelRdt", #"{"l3CacheSchema": "L3:0=f\nMB:0=10"}"#),
    Spoiler("a bandwidth schema that is none", ["RT-04"], "/linux/intelRdt", #"{"memBwSchema": "L3:0=f"}"#),
    Spoiler("schemata with a newline", ["RT-05"], "/linux/intelRdt", #"{"schemata": ["L2:0=f\n"]}"#, since: "1.3.0"),
    Spoiler("an enableMonitoring that is a string", ["RT-06", "G-05"], "/linux/intelRdt", #"{"enableMonitoring": "yes"}"#, since: "1.3.0"),
    Spoiler("an unknown scheduler policy", ["P-25"], "/process/scheduler", #"{"policy": "SCHED_LUCK"}"#, since: "1.1.0"),
    Spoiler("a nice value out of range", ["P-26"], "/process/scheduler", #"{"policy": "SCHED_OTHER", "nice": 20}"#, since: "1.1.0"),
    Spoiler(
        "an unknown I/O priority class", ["P-33"], "/process/ioPriority", #"{"class": "IOPRIO_CLASS_VIP", "priority": 0}"#, since: "1.1.0"),
    Spoiler(
        "an I/O priority out of range", ["P-34"], "/process/ioPriority", #"{"class": "IOPRIO_CLASS_BE", "priority": 8}"#, since: "1.1.0"),
    Spoiler("a hostname without a UTS namespace", ["U-01"], "/linux/namespaces", without("uts")),
    Spoiler("a hostname of 65 bytes", ["U-01"], "/hostname", "\"\(String(repeating: "h", count: 65))\""),
    Spoiler("mounts without a mount namespace", ["N-06"], "/linux/namespaces", without("mount")),
    Spoiler("an intelRdt where resctrl is not mounted", ["RT-01"], "/linux/intelRdt", #"{"closID": "x"}"#),
    Spoiler("an unknown memory policy", ["MP-01"], "/linux/memoryPolicy", #"{"mode": "MPOL_HOARD"}"#, since: "1.3.0"),
    Spoiler("a network device that does not exist", ["W-02"], "/linux/netDevices", #"{"nodev0": {}}"#, since: "1.3.0"),
]

/// Files that are no config, or not exactly one.
private let texts: [(name: String, rows: [String], text: String)] = [
    ("an empty file", ["G-01"], ""),
    ("no JSON", ["G-01"], "ociVersion = 1.0.0"),
    ("JSON cut off", ["G-01"], #"{"ociVersion": "1.0.0", "process": {"args": ["#),
    ("a list", ["G-01"], "[]"),
    ("null", ["G-01"], "null"),
    ("two objects", ["G-01"], #"BASE {"hostname": "second"}"#),
    ("a comma too much", ["G-01"], #"{"ociVersion": "1.0.0",}"#),
    ("a comment", ["G-01"], "// comment\nBASE"),
    ("a number with a leading zero", ["G-01"], #"{"ociVersion": "1.0.0", "process": {"user": {"uid": 01}}}"#),
    ("an unpaired surrogate and no more", ["G-01"], #"{"ociVersion": "\ud800"}"#),
]

let configErrors = Topic("config") { topic in
    for spoiler in spoilers {
        topic.claim("\(spoiler.name) is refused", rows: spoiler.rows, since: spoiler.since) { lab in
            if spoiler.pointer == "/linux/intelRdt", FileManager.default.fileExists(atPath: "/sys/fs/resctrl/info") {
                throw Skip("resctrl is mounted here")
            }
            let value = try spoiler.value.map { try JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed) }
            let box = try lab.container { $0[spoiler.pointer] = value }
            try box.makesNothing()
        }
    }

    for (name, rows, text) in texts {
        topic.claim("\(name) as config.json is refused", rows: rows) { lab in
            let box = try lab.container()
            let base = String(decoding: box.config.bytes, as: UTF8.self)
            try box.write(Data(text.replacingOccurrences(of: "BASE", with: base).utf8))
            try box.makesNothing()
        }
    }

    topic.claim("a duplicate key is refused", rows: ["G-01"]) { lab in
        let box = try lab.container()
        let base = String(decoding: box.config.bytes, as: UTF8.self)
        try box.write(Data(base.replacingOccurrences(of: "\"hostname\" :", with: "\"hostname\" : \"twice\", \"hostname\" :").utf8))
        try box.makesNothing()
    }

    topic.claim("invalid UTF-8 is refused", rows: ["G-01"]) { lab in
        let box = try lab.container { $0["/hostname"] = "XXXX" }
        var bytes = box.config.bytes
        guard let range = bytes.range(of: Data("XXXX".utf8)) else { throw Failure(message: "no hostname") }
        bytes.replaceSubrange(range, with: [0xc3, 0x28, 0xff, 0xfe])
        try box.write(bytes)
        try box.makesNothing()
    }

    topic.claim("nesting of 200000 levels is refused without a crash", rows: ["G-01", "G-05"]) { lab in
        let box = try lab.container()
        let deep = String(repeating: "[", count: 200_000) + String(repeating: "]", count: 200_000)
        try box.write(Data("{\"ociVersion\": \"1.0.0\", \"x\": \(deep)}".utf8))
        try box.makesNothing()
    }

    topic.claim("a missing config.json is refused", rows: ["G-01", "OP-02"]) { lab in
        let box = try lab.container()
        try FileManager.default.removeItem(atPath: "\(box.bundle)/config.json")
        try box.makesNothing()
    }

    topic.claim("a directory as config.json is refused", rows: ["G-01"]) { lab in
        let box = try lab.container()
        try FileManager.default.removeItem(atPath: "\(box.bundle)/config.json")
        try lab.command("mkdir", "\(box.bundle)/config.json")
        try box.makesNothing()
    }

    topic.claim("a FIFO as config.json is refused without a hang", rows: ["G-01"]) { lab in
        let box = try lab.container()
        try FileManager.default.removeItem(atPath: "\(box.bundle)/config.json")
        mkfifo("\(box.bundle)/config.json", 0o644)
        lab.limit(seconds: 3)
        try box.makesNothing()
    }

    topic.claim("a missing bundle is refused", rows: ["OP-02"]) { lab in
        let outcome = try lab.run(["create", "--bundle", "\(lab.directory)/nowhere", "\(Isolation.token)-none"])
        try expect(outcome.status != 0, "create was not refused")
        try expect(!outcome.err.isEmpty, "no message")
    }

    topic.claim("unknown properties are ignored", rows: ["G-04"]) { lab in
        let box = try lab.container("echo fine") {
            $0["/unknown"] = ["a": [1, 2, ["b": false]]]
            $0["/process/unknown"] = "x"
            $0["/linux/unknown"] = [Int]()
        }
        try equal(try box.printed(), "fine", "output")
    }

    topic.claim("sections of other platforms are ignored", rows: ["G-08"]) { lab in
        let box = try lab.container("echo fine") { $0["/solaris"] = ["milestone": "svc:/milestone/container:default"] }
        try equal(try box.printed(), "fine", "output")
    }

    topic.claim("null for an optional property is as if it were absent", rows: ["G-07"]) { lab in
        let box = try lab.container("echo fine") {
            $0["/hooks"] = NSNull()
            $0["/annotations"] = NSNull()
            $0["/linux/seccomp"] = NSNull()
            $0["/process/rlimits"] = NSNull()
            $0["/linux/resources/memory"] = NSNull()
        }
        try equal(try box.printed(), "fine", "output")
    }

    for version in ["1.0.0", "1.0.2-dev", "1.1.0", "1.2.1", "1.3.0"] {
        topic.claim("ociVersion \(version) is accepted", rows: ["G-03"]) { lab in
            let box = try lab.container("echo fine") { $0["/ociVersion"] = version }
            try equal(try box.printed(), "fine", "output")
        }
    }

    topic.claim("escapes and characters beyond ASCII reach the payload unchanged", rows: ["G-01"]) { lab in
        let box = try lab.container { $0["/process/args"] = ["printf", "%s", "é\u{1F600}\t\"\\"] }
        let text = String(decoding: box.config.bytes, as: UTF8.self).replacingOccurrences(of: "é", with: #"\u00e9"#)
        try box.write(Data(text.replacingOccurrences(of: "\u{1F600}", with: #"\ud83d\ude00"#).utf8))
        try equal(try box.printed(), "é\u{1F600}\t\"\\", "output")
    }
}

extension Container {
    /// Replaces config.json by raw bytes.
    func write(_ bytes: Data) throws { try bytes.write(to: URL(fileURLWithPath: "\(bundle)/config.json")) }

    /// Fails the case unless `create` is refused with a message and leaves no state, no cgroup and no process.
    func makesNothing() throws {
        try refused()
        let states = ((try? FileManager.default.contentsOfDirectory(atPath: lab.stateRoot)) ?? []).filter { !$0.hasPrefix(".") }
        try equal(states, [], "state directory")
        try equal(Cgroups.marked(by: id), [], "cgroups")
        try lab.eventually("processes to end") { lab.children.living().isEmpty }
    }
}

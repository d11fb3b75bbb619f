/// Namespaces and id mappings that cannot be had: refused by name; and user namespaces without a root.

import Foundation

/// A config's mistake, and words of the message.
private struct Mistake: Sendable {
    let claim: String
    let words: String
    let make: @Sendable (inout Config) -> Void
}

private let mistakes: [Mistake] = [
    Mistake(claim: "a type twice", words: "repeats") { $0.append("/linux/namespaces", ["type": "pid"]) },
    Mistake(claim: "an unknown type", words: "did you mean \"network\"") { $0.append("/linux/namespaces", ["type": "net"]) },
    Mistake(claim: "a root without a mount namespace", words: "{\"type\": \"mount\"}") { $0.share("mount") },
    Mistake(claim: "a hostname without a uts namespace", words: "needs a \"uts\" entry") { $0.share("uts") },
    Mistake(claim: "a config without linux", words: "need a mount namespace") {
        $0["/linux"] = nil
        $0["/hostname"] = nil
    },
    Mistake(claim: "a mapping without a user namespace", words: "\"user\" entry") {
        $0["/linux/uidMappings"] = [["containerID": 0, "hostID": 1, "size": 1] as Object]
    },
]

let namespaceErrors = Topic("namespace errors") { topic in
    for (name, type, path, words) in [
        ("a path that is not there", "network", "/run/no-such-namespace", ["/run/no-such-namespace"]),
        ("a relative path", "network", "proc/self/ns/net", ["must be absolute"]),
        ("a regular file", "ipc", "/etc/hostname", ["not a namespace"]),
        ("a directory", "uts", "/proc/self/ns", ["not a namespace"]),
        ("a namespace of another type", "network", "/proc/self/ns/uts", ["uts namespace, not network"]),
        ("the runtime's own user namespace", "user", "/proc/self/ns/user", ["runtime's own"]),
    ] {
        topic.claim("\(name) to be joined is refused by name", rows: ["N-03", "N-09"]) { lab in
            let box = try lab.container { $0.join(type, path) }
            try box.refused(contentsOf: lab.runtime.isSwoci ? words : [])
        }
    }

    for mistake in mistakes {
        topic.claim("\(mistake.claim) is refused with advice", rows: ["N-01", "N-02", "N-06", "U-01", "G-09", "I-01"]) { lab in
            try lab.container("true", mistake.make).refused(lab.runtime.isSwoci ? mistake.words : "")
        }
    }

    topic.claim("a PID namespace whose init has ended cannot be joined, and that is said", rows: ["N-04", "N-03"]) { lab in
        let bound = try lab.file("")
        try lab.command("unshare", "--pid=\(bound)", "--fork", "true")
        lab.later { umount2(bound, Int32(MNT_DETACH)) }
        let box = try lab.container { $0.join("pid", bound) }
        try box.refused(lab.runtime.isSwoci ? "has no init any more" : "")
    }

    topic.claim("more mappings than a kernel takes are refused", rows: ["I-01", "I-03"]) { lab in
        let many = (0..<341).map { ($0, 100_000 + 2 * $0, 1) }
        try lab.container { $0.userNamespace(uids: many, gids: [(0, 100_000, 10)]) }.refused(lab.runtime.isSwoci ? "340" : "")
        try lab.container { $0.userNamespace(uids: Array(many.dropLast()), gids: [(0, 100_000, 10)]) }
            .refused(lab.runtime.isSwoci ? "4095 bytes" : "")
    }

    topic.claim("three hundred mappings work", rows: ["I-01"]) { lab in
        let many = (0..<280).map { ($0, 100_000 + 2 * $0, 1) }
        let box = try lab.container("wc -l </proc/self/uid_map") { $0.userNamespace(uids: many, gids: [(0, 100_000, 10)]) }
        box.ownRootfs(100_000, 100_000)
        try equal(try box.printed(), "280", "mappings")
    }

    topic.claim("a user namespace that maps no 0 has no root, and its container works", rows: ["I-05", "N-09", "D-08", "M-15"]) { lab in
        try lab.oursOnly()
        let script = """
            id -u; id -g; cat </dev/null && echo null; touch /tmp/made && stat -c %u:%g /tmp/made /dev /dev/shm; test -d /dev/pts && echo pts
            grep -E 'Cap(Eff|Amb|Inh)' /proc/self/status | cut -f2 | tr '\\n' ' '
            """
        let box = try lab.container(script) {
            $0.userNamespace(uids: [(1000, 101_000, 10)], gids: [(5, 100_005, 1), (1000, 101_000, 10)])
            $0["/process/user"] = ["uid": 1001, "gid": 1002]
        }
        box.ownRootfs(101_001, 101_002)
        let lines = try box.printed().split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let none = "0000000000000000"
        let eff = lines.last?.split(separator: " ").first.map(String.init) ?? ""
        try equal(
            Array(lines.dropLast()), ["1001", "1002", "null", "1001:1002", "1001:1002", "1001:1002", "pts"], "output")
        try equal(lines.last, "\(none) \(eff) \(none)", "inheritable, effective and ambient capabilities")
    }

    topic.claim("a time namespace works inside a user namespace", rows: ["N-11", "T-01", "N-09"], since: "1.1.0") { lab in
        let box = try lab.container("cat /proc/self/timens_offsets") {
            $0.userNamespace(uids: [(0, 100_000, 1000)], gids: [(0, 100_000, 1000)])
            $0.append("/linux/namespaces", ["type": "time"])
            $0["/linux/timeOffsets"] = ["boottime": ["secs": 77]]
        }
        box.ownRootfs(100_000, 100_000)
        try equal(try box.printed(lines: 2)[1], ["boottime", "77", "0"], "boottime")
    }

    for (name, offsets, words) in [
        ("an unknown clock", ["realtime": ["secs": 1]], "realtime"),
        ("too many nanoseconds", ["monotonic": ["nanosecs": 1_000_000_000]], "999999999"),
    ] as [(String, [String: [String: Int]], String)] {
        topic.claim("\(name) is refused", rows: ["T-01", "T-03"], since: "1.1.0") { lab in
            try lab.oursOnly()
            try lab.container {
                $0.append("/linux/namespaces", ["type": "time"])
                $0["/linux/timeOffsets"] = offsets
            }.refused(words)
        }
    }

    topic.claim("time offsets without a time namespace are refused", rows: ["T-01"], since: "1.1.0") { lab in
        try lab.container { $0["/linux/timeOffsets"] = ["boottime": ["secs": 5]] }.refused()
    }

    topic.claim("user, network, ipc, uts and pid namespaces of one container are joined together", rows: ["N-03", "N-12"]) { lab in
        let first = try lab.container("exec sleep 100") { $0.userNamespace(uids: [(0, 100_000, 1000)], gids: [(0, 100_000, 1000)]) }
        first.ownRootfs(100_000, 100_000)
        try first.up()
        let pid = try first.pid()
        let pairs = [("user", "user"), ("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("pid", "pid"), ("cgroup", "cgroup")]
        // The order of the list does not matter.
        for order in [pairs, pairs.reversed()] {
            let second = try lab.container("for n in \(order.map(\.1).joined(separator: " ")); do readlink /proc/self/ns/$n; done") {
                config in
                config["/hostname"] = nil
                for (type, name) in order { config.join(type, "/proc/\(pid)/ns/\(name)") }
            }
            second.ownRootfs(100_000, 100_000)
            try equal(
                try second.printed().split(separator: "\n").map(String.init), order.map { Namespace.at("/proc/\(pid)/ns/\($0.1)") },
                "namespaces")
        }
    }

    topic.claim("names of 64 bytes fit, longer ones are refused", rows: ["U-01", "U-02"], since: "1.1.0") { lab in
        let name = String(repeating: "n", count: 64)
        let box = try lab.container("hostname; cat /proc/sys/kernel/domainname") {
            $0["/hostname"] = name
            $0["/domainname"] = name
        }
        try equal(try box.printed(), "\(name)\n\(name)", "names")
        for key in ["/hostname", "/domainname"] { try lab.container { $0[key] = name + "n" }.refused(lab.runtime.isSwoci ? "64" : "") }
    }
}

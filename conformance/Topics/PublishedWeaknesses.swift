/// Published weaknesses of container runtimes that no other topic repeats: a case does what the exploit did.

import Foundation

/// Paths below /proc and /sys that only the host's root should reach, which engines mask (CVE-2015-3630 and its like).
private let sensitive = [
    "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware",
]

let publishedWeaknesses = Topic("published weaknesses") { topic in
    topic.claim("the runtime's own programs cannot be written through /proc/PID/exe", rows: ["CVE-2019-5736"]) { lab in
        let folder = (lab.runtime.path as NSString).deletingLastPathComponent
        let files = [lab.runtime.path, "\(folder)/swoci-init"].filter { FileManager.default.fileExists(atPath: $0) }
        let before = try files.map { try lab.command("sha256sum", $0).out }
        let script = """
            for p in /proc/1/exe /proc/self/exe; do (exec 3<>$p) 2>/dev/null && echo "opened $p"; (: >>$p) 2>/dev/null && echo "appended $p"; done
            (echo x >/proc/1/exe) 2>/dev/null && echo written; for f in /proc/1/fd/*; do readlink $f; done | grep -v -E '^(pipe|socket|/dev/|/proc/)'
            true
            """
        for mode in ["supervise", "exec"] {
            let box = try lab.container(script) {
                $0.grant(["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"])
                $0["/annotations"] = ["org.swoci.init": mode]
            }
            let text = try box.run().out
            // The payload's own program is the container's to write: a shell that runs is busy, though.
            try expect(!text.contains("written"), "with \(mode): \(text)")
            if mode == "supervise" { try expect(!text.contains("/proc/1/exe"), "with \(mode): \(text)") }
            try equal(try files.map { try lab.command("sha256sum", $0).out }, before, "the programs on the host")
        }
    }

    topic.claim("masked paths of the kernel's file systems show nothing", rows: ["CVE-2015-3630", "X-02"]) { lab in
        let box = try lab.container(
            "for p in \(sensitive.joined(separator: " ")); do cat $p 2>/dev/null; ls -A $p 2>/dev/null | grep -v ^/; done | head -c 100"
        ) {
            $0["/linux/maskedPaths"] = sensitive
        }
        try equal(try box.run().out, "", "what shines through")
    }

    topic.claim(
        "a terminal is mounted on a /dev/console of the image's own making, never through its link", rows: ["CVE-2025-52565", "D-14"]
    ) { lab in
        let outside = try lab.file("outside\n")
        for inDevices in [false, true] {
            let box = try lab.container("echo here") {
                $0["/process/terminal"] = true
                if inDevices { return }
                $0["/mounts"] = ($0["/mounts"] as! [Object]).filter { $0["destination"] as? String != "/dev" }
            }
            symlink(outside, "\(box.rootfs)/dev/console")
            let console = try Console(lab)
            let words = ["create", "--bundle", box.bundle, "--console-socket", console.path, box.id]
            let outcome = try lab.run(words)
            if outcome.status != 0 { try expect(!outcome.err.isEmpty, "no message") }
            try equal(lab.read(outside), "outside\n", "the file outside")
            try expect(!lab.read("/proc/self/mountinfo").contains(outside), "something is mounted on it")
        }
    }

    topic.claim("kernel parameters and labels go to the kernel, whatever the image has for /proc", rows: ["CVE-2025-52881", "SY-01"]) {
        lab in
        let trap = try lab.folder()
        let box = try lab.container("cat /proc/sys/net/ipv4/ip_forward 2>/dev/null; true") {
            $0["/mounts"] = ($0["/mounts"] as! [Object]).filter { $0["destination"] as? String != "/proc" }
            $0["/linux/maskedPaths"] = nil
            $0["/linux/readonlyPaths"] = nil
            $0["/linux/sysctl"] = ["net.ipv4.ip_forward": "1"]
        }
        try lab.command("mkdir", "-p", "\(box.rootfs)/proc/sys/net/ipv4")
        symlink("\(trap)/fake", "\(box.rootfs)/proc/sys/net/ipv4/ip_forward")
        let before = lab.read("/proc/sys/net/ipv4/ip_forward")
        let outcome = try box.run()
        if outcome.status != 0 { try refused(outcome, "run") }
        try equal(try FileManager.default.contentsOfDirectory(atPath: trap), [], "what was written to the fake")
        try equal(lab.read("/proc/sys/net/ipv4/ip_forward"), before, "the host's parameter")
        try expect(!FileManager.default.fileExists(atPath: "\(box.rootfs)/proc/sys/net/ipv4/fake"), "a fake was made")
    }

    topic.claim("a negative group permission is not lifted in a user namespace", rows: ["CVE-2014-8989", "I-02"]) { lab in
        try lab.oursOnly()
        // One id, written without CAP_SETGID: the kernel wants setgroups(2) forbidden for good.
        let box = try lab.container("cat /proc/self/setgroups") { $0["/process/user/additionalGids"] = nil }
        box.ownRootfs(100_000, 100_000)
        let outcome = try lab.nested(box, first: 100_000, count: 1, ["--cgroup-manager", "disabled"])
        try equal(outcome.out, "deny\n", "setgroups (\(outcome.err))")
    }

    topic.claim("a user that is a number is a number, whatever the image's passwd says", rows: ["CVE-2016-3697", "P-39"]) { lab in
        let box = try lab.container("cat /proc/self/status | grep -E '^(Uid|Gid)'") { $0["/process/user"] = ["uid": 1000, "gid": 1000] }
        try FileManager.default.removeItem(atPath: "\(box.rootfs)/etc/passwd")
        try "1000:x:0:0::/:/bin/sh\n".write(toFile: "\(box.rootfs)/etc/passwd", atomically: false, encoding: .utf8)
        try equal(try box.printed(), "Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000", "ids")
    }

    topic.claim("thousands of mappings and names do not overflow what the init is told", rows: ["CVE-2021-43784", "I-01"]) { lab in
        let many = (0..<70000).map { ($0, 100_000 + $0, 1) }
        lab.limit(seconds: 10)
        try lab.container { $0.userNamespace(uids: many, gids: [(0, 100_000, 10)]) }.refused()
        let box = try lab.container("echo fine") {
            $0["/process/env"] = ["PATH=/bin"] + (0..<3000).map { "NAME\($0)=\(String(repeating: "x", count: 20))" }
            $0["/annotations"] = Dictionary(
                uniqueKeysWithValues: (0..<5000).map { ("org.example.\($0)", String(repeating: "y", count: 50)) })
        }
        try equal(try box.printed(), "fine", "output")
    }

    topic.claim("a read-only cgroup mount cannot be written, with and without a cgroup namespace", rows: ["CVE-2023-25809", "M-12"]) {
        lab in
        for sharesCgroup in [false, true] {
            let box = try lab.container(
                "find /sys/fs/cgroup -name cgroup.procs -writable | head -3; mkdir /sys/fs/cgroup/x 2>&1 | grep -c Read-only"
            ) {
                $0.mount("/sys/fs/cgroup", type: "cgroup", source: "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"])
                if sharesCgroup { $0.share("cgroup") }
            }
            try equal(try box.run().out.trimmingCharacters(in: .newlines).split(separator: "\n").last.map(String.init), "1", "mkdir")
        }
    }

    topic.claim("a string with a NUL joins nothing and names nothing", rows: ["G-01", "N-03"]) { lab in
        let box = try lab.container()
        let text = String(decoding: box.config.bytes, as: UTF8.self)
        let spoilt = text.replacingOccurrences(
            of: "\"type\" : \"network\"", with: "\"type\" : \"network\", \"path\" : \"/proc/self/ns/net\\u0000\"")
        try expect(spoilt != text, "the config has no network namespace")
        try spoilt.write(toFile: "\(box.bundle)/config.json", atomically: false, encoding: .utf8)
        if !lab.runtime.isSwoci { throw Skip("runtimes cut such strings") }
        try box.refused()
    }
}

/// Mounts that cannot be made: what is refused, and that the message names the option or the path that is to blame.

import Foundation

/// A mount that the kernel or the runtime refuses: its type, source and options, words of the message, and the JSON pointer's end.
private struct Refusal: Sendable {
    let claim: String
    let row: String
    let type: String
    var source: String? = "none"
    let options: [String]
    let words: [String]
    let pointer: String
}

private let refusals: [Refusal] = [
    Refusal(
        claim: "an unknown parameter", row: "M-05", type: "tmpfs", options: ["size=64k", "flavour=vanilla"],
        words: ["flavour=vanilla", "Unknown parameter"], pointer: "/options/1"),
    Refusal(
        claim: "a parameter's bad value", row: "M-05", type: "tmpfs", options: ["nosuid", "ro", "size=bogus"],
        words: ["size=bogus", "Bad value for 'size'"], pointer: "/options/2"),
    Refusal(
        claim: "a bad value of devpts", row: "M-05", type: "devpts", options: ["mode=0620", "ptmxmode=9x"],
        words: ["ptmxmode=9x", "Bad value"], pointer: "/options/1"),
    Refusal(
        claim: "an overlay's directory that is missing", row: "M-05", type: "overlay", options: ["lowerdir=/no-such-layer"],
        words: ["lowerdir=/no-such-layer"], pointer: "/options/0"),
    Refusal(
        claim: "a type that no kernel has", row: "M-04", type: "nosuchfs", options: [], words: ["nosuchfs", "/proc/filesystems"],
        pointer: "/type"),
    Refusal(
        claim: "a device that is missing", row: "M-04", type: "ext4", source: "/dev/no-such-disk", options: [],
        words: ["/dev/no-such-disk"], pointer: ""),
    Refusal(
        claim: "a bind's missing source", row: "M-03", type: "bind", source: "/run/no/such/source", options: ["rbind"],
        words: ["\"/run/no\" is missing"], pointer: "/source"),
    Refusal(
        claim: "data on a bind", row: "M-06", type: "bind", source: "/run", options: ["rbind", "mode=755"],
        words: ["mode=755", "no effect on a bind mount"], pointer: "/options/1"),
    Refusal(
        claim: "a misspelt flag on a bind", row: "M-06", type: "bind", source: "/run", options: ["bind", "ro", "noexce"],
        words: ["noexce", "did you mean \"noexec\""], pointer: "/options/2"),
    Refusal(
        claim: "a type that is no file system", row: "M-03", type: "bind", source: "/run", options: ["ro"],
        words: ["add \"bind\" or \"rbind\""], pointer: "/type"),
    Refusal(
        claim: "idmap without mappings or a user namespace", row: "M-09", type: "bind", source: "/run", options: ["bind", "idmap"],
        words: ["user namespace"], pointer: "/options/1"),
    Refusal(
        claim: "an idmap value that is no mapping", row: "MO-33", type: "bind", source: "/run", options: ["bind", "idmap=uids=1"],
        words: ["uids=1"], pointer: "/options/1"),
    Refusal(
        claim: "a source whose file system has no id-mapped mounts", row: "M-07", type: "bind", source: "/proc/self",
        options: ["bind", "idmap=uids=0-1-1;gids=0-1-1"], words: ["/proc/self", "does not support"], pointer: ""),
    Refusal(
        claim: "tmpcopyup on another file system", row: "MO-32", type: "ramfs", options: ["tmpcopyup"], words: ["tmpfs only"],
        pointer: "/options/0"),
    Refusal(
        claim: "a remount where nothing is mounted", row: "MO-16", type: "none", options: ["remount", "bind", "ro"],
        words: ["nothing is mounted there"], pointer: ""),
    Refusal(
        claim: "data of a cgroup mount", row: "M-12", type: "cgroup", options: ["ro", "flavour=vanilla"],
        words: ["flavour=vanilla"], pointer: "/options/1"),
]

/// The flags of a source that a runtime inside a user namespace may not clear, and options that ask for it.
private let locked: [(flags: String, options: [String], index: Int, words: String)] = [
    ("ro", ["bind", "rw"], 1, "ro"), ("nosuid", ["bind", "suid"], 1, "nosuid"), ("nodev", ["bind", "ro", "dev"], 2, "nodev"),
    ("noexec", ["bind", "exec"], 1, "noexec"), ("noexec", ["rbind", "rexec"], 1, "noexec"),
    ("noatime", ["bind", "atime"], 1, "atime"), ("noatime", ["bind", "nosuid", "strictatime"], 2, "atime"),
]

let mountErrors = Topic("mount errors") { topic in
    for refusal in refusals {
        topic.claim("\(refusal.claim) is refused by name", rows: [refusal.row]) { lab in
            let box = try lab.container { $0.mount("/data", type: refusal.type, source: refusal.source, refusal.options) }
            let index = (box.config["/mounts"] as? [Any])!.count - 1
            // Other runtimes ignore some of these, or say less.
            try lab.oursOnly()
            try box.refused(contentsOf: refusal.words + ["/mounts/\(index)\(refusal.pointer)"])
        }
    }

    topic.claim("all mounts that are wrong are told at once, and nothing is made", rows: ["G-05", "M-02", "M-06", "M-10"]) { lab in
        try lab.oursOnly()
        let box = try lab.container {
            $0.mount("", type: "tmpfs", source: "tmpfs")
            $0.mount("/made", type: "bind", source: "/run", ["bind", "size=1"])
            $0.mount("/proc/sys", type: "tmpfs", source: "tmpfs")
        }
        try box.refused("M-02", "M-06", "M-10")
        try expect(!FileManager.default.fileExists(atPath: "\(box.rootfs)/made"), "a target was made")
    }

    topic.claim("a directory on a file, and a file on a directory, are refused", rows: ["M-02", "M-03"]) { lab in
        let file = try lab.file("")
        let folder = try lab.folder()
        try lab.container { $0.mount("/etc/passwd", type: "bind", source: folder, ["bind"]) }
            .refused(lab.runtime.isSwoci ? "a directory cannot be mounted on a file" : "")
        try lab.container { $0.mount("/etc", type: "bind", source: file, ["bind"]) }
            .refused(lab.runtime.isSwoci ? "a file cannot be mounted on a directory" : "")
        try lab.container { $0.mount("/etc/passwd", type: "tmpfs", source: "tmpfs") }.refused()
    }

    topic.claim("a loop of links as a destination is refused", rows: ["M-02"]) { lab in
        let box = try lab.container { $0.mount("/loop/below", type: "tmpfs", source: "tmpfs") }
        symlink("loop", "\(box.rootfs)/loop")
        try box.refused()
    }

    for (flags, options, index, words) in locked {
        topic.claim("a user namespace cannot clear \(flags) by \(options.joined(separator: ",")), and is told so", rows: ["M-11"]) { lab in
            try lab.oursOnly()
            let source = try lab.tmpfs(at: nil, "\(flags),mode=755")
            let box = try lab.container { $0.mount("/data", type: "bind", source: source, options) }
            box.ownRootfs(100_000, 100_000)
            let count = (box.config["/mounts"] as? [Any])!.count - 1
            let outcome = try lab.nested(box, first: 100_000, count: 65536, ["--cgroup-manager", "disabled"])
            try expect(outcome.status != 0, "it ran")
            try contains(outcome.err, "a user namespace may not clear", "message")
            try contains(outcome.err, "keep the source mount's \(words)", "hint")
            try contains(outcome.err, "/mounts/\(count)/options/\(index)", "message")
        }
    }

    topic.claim("locked flags stay where the config does not speak of them, by bind and by remount", rows: ["M-11", "MO-16"]) { lab in
        try lab.oursOnly()
        let source = try lab.tmpfs(at: nil, "ro,nosuid,nodev,noexec,noatime,mode=755")
        let box = try lab.container("grep ' /data ' /proc/self/mountinfo") {
            $0.mount("/data", type: "bind", source: source, ["bind", "ro"])
            $0.mount("/data", type: "bind", source: source, ["bind", "remount", "nosymfollow"])
        }
        box.ownRootfs(100_000, 100_000)
        let outcome = try lab.nested(box, first: 100_000, count: 65536, ["--cgroup-manager", "disabled"])
        try equal(outcome.status, 0, "status (\(outcome.err))")
        try contains(outcome.out, "ro,nosuid,nodev,noexec,noatime,nosymfollow", "flags")
    }

    topic.claim("a bind that would uncover what lies below mounts of another user's is refused with advice", rows: ["M-11", "MO-17"]) {
        lab in
        try lab.oursOnly()
        let source = try lab.tmpfs()
        _ = try lab.tmpfs(at: "\(source)/sub")
        let box = try lab.container { $0.mount("/data", type: "bind", source: source, ["bind"]) }
        box.ownRootfs(100_000, 100_000)
        let outcome = try lab.nested(box, first: 100_000, count: 65536, ["--cgroup-manager", "disabled"])
        try expect(outcome.status != 0, "it ran")
        try contains(outcome.err, "rbind takes it along", "hint")
    }

    // MARK: /proc

    for (name, hops) in [("a link of the image", 1), ("a link to a link", 2)] {
        topic.claim("\(name) does not lead a mount over /proc or into it", rows: ["M-10", "CVE-2019-16884", "CVE-2015-3631"]) { lab in
            for target in ["/p", "/p/sys", "/p/self/attr", "/p/uptime"] {
                let source = target == "/p/uptime" ? try lab.file("") : try lab.folder()
                let box = try lab.container { $0.mount(target, type: "bind", source: source, ["bind"]) }
                symlink(hops == 2 ? "/q" : "/proc", "\(box.rootfs)/p")
                symlink("../proc/", "\(box.rootfs)/q")
                try box.refused()
            }
        }
    }

    topic.claim("what is bound on /proc is a procfs's root, no directory of one", rows: ["M-10"]) { lab in
        let box = try lab.container {
            $0["/mounts"] = ($0["/mounts"] as! [Object]).filter { $0["destination"] as? String != "/proc" }
            $0.mount("/proc", type: "bind", source: "/proc/sys", ["rbind"])
        }
        try box.refused()
    }

    topic.claim("files that lxcfs and the like offer may cover those of /proc", rows: ["M-10"]) { lab in
        let source = try lab.file("4242.00 1.00\n")
        let box = try lab.container("cat /proc/uptime") { $0.mount("/proc/uptime", type: "bind", source: source, ["bind", "ro"]) }
        try equal(try box.printed(), "4242.00 1.00", "/proc/uptime")
    }

    topic.claim("another procfs in the container is no /proc", rows: ["M-10", "M-04"]) { lab in
        let box = try lab.container("ls -d /host/proc/self /host/proc/sys; ls /host/proc/sys; echo end") {
            $0.mount("/host/proc", type: "proc", source: "proc")
            $0.mount("/host/proc/sys", type: "tmpfs", source: "tmpfs")
        }
        try equal(try box.printed(), "/host/proc/self\n/host/proc/sys\nend", "ls")
    }

    for (path, kind) in [("/proc", "a file"), ("/sys", "a file"), ("/proc", "a link"), ("/sys", "a link")] {
        topic.claim("\(path) that is \(kind) in the image is refused", rows: ["M-02", "M-10", "CVE-2023-27561"]) { lab in
            let outside = try lab.folder()
            let box = try lab.container()
            rmdir("\(box.rootfs)\(path)")
            if kind == "a file" {
                try "".write(toFile: "\(box.rootfs)\(path)", atomically: false, encoding: .utf8)
            } else {
                symlink(outside, "\(box.rootfs)\(path)")
            }
            try box.refused()
        }
    }

    topic.claim("a file system over the whole root is refused: it would hide it", rows: ["M-02", "R-01"]) { lab in
        try lab.oursOnly()
        try lab.container { $0.mount("/", type: "tmpfs", source: "tmpfs") }.refused("root.path")
        try lab.container { $0.mount("/tmp/..", type: "bind", source: "/run", ["bind"]) }.refused("root.path")
    }

    topic.claim("a remount of / changes the root", rows: ["MO-16", "R-03"]) { lab in
        try lab.oursOnly()
        let box = try lab.container { $0.mount("/", ["remount", "bind", "ro", "nosuid"]) }
        try box.mounted("/").check(\.options, shows: ["ro", "nosuid"], hides: [])
    }
}

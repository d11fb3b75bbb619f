/// Mounts: order, targets, every option of the table, propagation, and what must never leave the root.

import Foundation

/// One line of /proc/self/mountinfo.
struct MountLine {
    let root: String
    let point: String
    let options: Set<String>
    let propagation: [String]
    let type: String
    let superOptions: Set<String>

    init?(_ line: Substring) {
        let fields = line.split(separator: " ").map(String.init)
        guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3 else { return nil }
        root = fields[3]
        point = fields[4]
        options = Set(fields[5].components(separatedBy: ","))
        propagation = Array(fields[6..<dash])
        type = fields[dash + 1]
        superOptions = Set(fields[dash + 3].components(separatedBy: ","))
    }
}

extension Container {
    /// The container's mount table as the payload sees it; the last mount on a point counts.
    func mountTable() throws -> [String: MountLine] {
        config["/process/args"] = ["cat", "/proc/self/mountinfo"]
        try save()
        let lines = try printed().split(separator: "\n").compactMap(MountLine.init)
        return Dictionary(lines.map { ($0.point, $0) }, uniquingKeysWith: { $1 })
    }

    /// One mount of the table.
    func mounted(_ point: String) throws -> MountLine {
        guard let line = try mountTable()[point] else { throw Failure(message: "nothing is mounted at \(point)") }
        return line
    }
}

/// Flags of one mount: options given, what the mount table must show, and what it must not show.
private let flags: [(options: [String], row: String, shows: [String], hides: [String])] = [
    (["defaults"], "MO-01", ["rw"], ["ro"]),
    (["ro"], "MO-02", ["ro"], ["rw"]),
    (["ro", "rw"], "MO-02", ["rw"], ["ro"]),
    (["nosuid"], "MO-03", ["nosuid"], []),
    (["nosuid", "suid"], "MO-03", [], ["nosuid"]),
    (["nodev"], "MO-04", ["nodev"], []),
    (["nodev", "dev"], "MO-04", [], ["nodev"]),
    (["noexec"], "MO-05", ["noexec"], []),
    (["noexec", "exec"], "MO-05", [], ["noexec"]),
    (["noatime"], "MO-08", ["noatime"], ["relatime"]),
    (["noatime", "atime"], "MO-08", [], ["noatime"]),
    (["nodiratime"], "MO-09", ["nodiratime"], []),
    (["nodiratime", "diratime"], "MO-09", [], ["nodiratime"]),
    (["relatime"], "MO-10", ["relatime"], ["noatime"]),
    (["strictatime"], "MO-11", [], ["relatime", "noatime"]),
    (["strictatime", "nostrictatime"], "MO-11", ["relatime"], []),
    (["nosymfollow"], "MO-22", ["nosymfollow"], []),
    (["nosymfollow", "symfollow"], "MO-22", [], ["nosymfollow"]),
    (["ro", "nosuid", "nodev", "noexec", "noatime"], "M-05", ["ro", "nosuid", "nodev", "noexec", "noatime"], []),
]

/// Options of the whole filesystem, which the table shows behind the dash.
private let superFlags: [(options: [String], row: String, shows: [String], hides: [String])] = [
    (["sync"], "MO-06", ["sync"], []), (["sync", "async"], "MO-06", [], ["sync"]), (["dirsync"], "MO-07", ["dirsync"], []),
    (["lazytime"], "MO-13", ["lazytime"], []), (["lazytime", "nolazytime"], "MO-13", [], ["lazytime"]),
]

/// Options that change nothing one could see, but must be understood.
private let understood = [
    ("iversion", "MO-12"), ("noiversion", "MO-12"), ("silent", "MO-14"), ("loud", "MO-14"), ("norelatime", "MO-10"), ("mand", "MO-15"),
    ("nomand", "MO-15"),
]

/// Recursive flags: what a bind of a tree with a submount must show on both.
private let recursive: [(options: [String], row: String, shows: [String], hides: [String])] = [
    (["rro"], "MO-23", ["ro"], []), (["rnosuid"], "MO-24", ["nosuid"], []), (["rnodev"], "MO-25", ["nodev"], []),
    (["rnoexec"], "MO-26", ["noexec"], []), (["rnoatime"], "MO-27", ["noatime"], []), (["rnodiratime"], "MO-28", ["nodiratime"], []),
    (["rrelatime"], "MO-29", ["relatime"], []), (["rstrictatime"], "MO-30", [], ["relatime", "noatime"]),
    (["rnosymfollow"], "MO-31", ["nosymfollow"], []),
    (["rro", "rnosuid", "rnodev", "rnoexec"], "MO-23", ["ro", "nosuid", "nodev", "noexec"], []),
]

/// Recursive clearing: flags of the submount on the host, the option, and what it must not show any more.
private let clearing = [
    ("ro", "rrw", "MO-23"), ("nosuid", "rsuid", "MO-24"), ("nodev", "rdev", "MO-25"), ("noexec", "rexec", "MO-26"),
    ("noatime", "ratime", "MO-27"), ("nodiratime", "rdiratime", "MO-28"), ("nosymfollow", "rsymfollow", "MO-31"),
]

/// Propagation: option, prefix of the optional field (empty for none), and whether submounts have it too.
private let propagation = [
    ("shared", "shared:", false, "MO-19"), ("rshared", "shared:", true, "MO-19"), ("slave", "master:", false, "MO-20"),
    ("rslave", "master:", true, "MO-20"), ("private", "", false, "MO-18"), ("rprivate", "", true, "MO-18"),
    ("unbindable", "unbindable", false, "MO-21"), ("runbindable", "unbindable", true, "MO-21"),
]

let mounts = Topic("mounts") { topic in
    // MARK: Order and targets

    topic.claim("mounts are made in the order of the list", rows: ["M-01"]) { lab in
        let box = try lab.container("ls /a /a/b; cut -d' ' -f5 /proc/self/mountinfo | grep ^/a") {
            $0.mount("/a/hidden", type: "tmpfs", source: "tmpfs")
            $0.mount("/a", type: "tmpfs", source: "tmpfs")
            $0.mount("/a/b", type: "tmpfs", source: "tmpfs")
        }
        let text = try box.printed()
        try equal(text.components(separatedBy: "\n").suffix(3), ["/a/hidden", "/a", "/a/b"], "mount points")
        try expect(text.hasPrefix("/a:\nb\n"), "the second mount does not cover the first: \(text)")
    }

    topic.claim("a later mount covers an earlier one", rows: ["M-01"]) { lab in
        let sources = [try lab.folder(["one": ""]), try lab.folder(["two": ""])]
        let box = try lab.container("ls /data") { config in
            for source in sources { config.mount("/data", type: "bind", source: source, ["bind"]) }
        }
        try equal(try box.printed(), "two", "ls")
    }

    topic.claim("a mount may be the source's directory for a later one", rows: ["M-01", "M-02"]) { lab in
        let source = try lab.folder(["file": "deep"])
        let box = try lab.container("cat /t/x/y/file") {
            $0.mount("/t", type: "tmpfs", source: "tmpfs")
            $0.mount("/t/x/y", type: "bind", source: source, ["bind"])
        }
        try equal(try box.printed(), "deep", "content")
    }

    for option in ["bind", "rbind"] {
        topic.claim("a \(option) of a directory onto a missing target works", rows: ["M-02", "M-03", "MO-17"]) { lab in
            let source = try lab.folder(["file": "content"])
            let box = try lab.container("cat /made/here/file") { $0.mount("/made/here", type: "bind", source: source, [option]) }
            try equal(try box.printed(), "content", "content")
        }

        topic.claim("a \(option) of a file onto a missing target works", rows: ["M-02", "M-03", "MO-17"]) { lab in
            let source = try lab.file("content")
            let box = try lab.container("cat /made/file") { $0.mount("/made/file", type: "bind", source: source, [option]) }
            try equal(try box.printed(), "content", "content")
        }
    }

    topic.claim("bind leaves submounts out, rbind takes them", rows: ["MO-17"]) { lab in
        let source = try lab.folder()
        let point = try lab.tmpfs(at: "\(source)/sub")
        try "deep".write(toFile: "\(point)/file", atomically: false, encoding: .utf8)
        let box = try lab.container("ls /one/sub; echo --; ls /all/sub") {
            $0.mount("/one", type: "bind", source: source, ["bind"])
            $0.mount("/all", type: "bind", source: source, ["rbind"])
        }
        try equal(try box.printed(), "--\nfile", "ls")
    }

    topic.claim("the option makes the bind, whatever the type says", rows: ["M-03", "M-04"]) { lab in
        let source = try lab.folder(["file": "content"])
        for type in ["none", "tmpfs", nil] as [String?] {
            let box = try lab.container("cat /data/file") { $0.mount("/data", type: type, source: source, ["rbind"]) }
            try equal(try box.printed(), "content", "content with type \(type ?? "absent")")
        }
    }

    topic.claim("a bind source is relative to the bundle", rows: ["M-03"]) { lab in
        let box = try lab.container("cat /data/file") { $0.mount("/data", type: "bind", source: "beside", ["bind"]) }
        try lab.command("mkdir", "\(box.bundle)/beside")
        try "content".write(toFile: "\(box.bundle)/beside/file", atomically: false, encoding: .utf8)
        try equal(try box.run { $0.directory = "/" }.out, "content", "content")
    }

    topic.claim("a relative destination is relative to /", rows: ["M-02"]) { lab in
        let source = try lab.folder(["file": "content"])
        let box = try lab.container("cat /data/file") { $0.mount("data", type: "bind", source: source, ["bind"]) }
        try equal(try box.printed(), "content", "content")
    }

    topic.claim("a destination through a link is resolved inside the root", rows: ["M-02"]) { lab in
        let source = try lab.folder(["file": "content"])
        let outside = try lab.folder()
        let box = try lab.container("cat \(outside)/target/file") { $0.mount("/link/target", type: "bind", source: source, ["bind"]) }
        symlink(outside, "\(box.rootfs)/link")
        let text = try box.printed()
        try equal(text, "content", "content at the link's target inside")
        try equal(try FileManager.default.contentsOfDirectory(atPath: outside), [], "what was made outside")
    }

    topic.claim("a destination that climbs stays inside the root", rows: ["M-02"]) { lab in
        let source = try lab.folder(["file": "content"])
        let box = try lab.container("cat /data/file") { $0.mount("/../../../data", type: "bind", source: source, ["bind"]) }
        try equal(try box.printed(), "content", "content")
    }

    topic.claim("a file destination through a dangling link is made inside the root", rows: ["M-02"]) { lab in
        let source = try lab.file("content")
        let outside = lab.fresh("outside")
        let box = try lab.container("cat /link") { $0.mount("/link", type: "bind", source: source, ["bind"]) }
        symlink(outside, "\(box.rootfs)/link")
        let outcome = try box.run()
        if outcome.status != 0 { try refused(outcome, "run") }
        try expect(!FileManager.default.fileExists(atPath: outside), "a file was made outside the root")
        if outcome.status == 0 { try equal(outcome.out, "content", "content") }
    }

    topic.claim("a missing bind source is refused by name", rows: ["M-03"]) { lab in
        try lab.container { $0.mount("/data", type: "bind", source: "/no-such-source", ["bind"]) }.refused("/no-such-source")
    }

    topic.claim("an unknown filesystem type is refused", rows: ["M-04"]) { lab in
        try lab.container { $0.mount("/data", type: "nosuchfs", source: "none") }.refused()
    }

    topic.claim("mount data that the filesystem rejects is refused", rows: ["M-05"]) { lab in
        try lab.container { $0.mount("/data", type: "tmpfs", source: "tmpfs", ["size=64k", "flavour=vanilla"]) }.refused()
    }

    // MARK: Filesystems

    topic.claim("tmpfs takes its data: size and mode", rows: ["M-05"]) { lab in
        let box = try lab.container("stat -c %a /data; (head -c 70000 /dev/zero >/data/big) 2>&1; wc -c </data/big") {
            $0.mount("/data", type: "tmpfs", source: "tmpfs", ["size=64k", "mode=710"])
        }
        let text = try box.run().out
        try expect(text.hasPrefix("710\n"), "mode: \(text)")
        try expect(text.hasSuffix("65536\n"), "size: \(text)")
    }

    for (point, type) in [("/proc", "proc"), ("/sys", "sysfs"), ("/dev/pts", "devpts"), ("/dev/mqueue", "mqueue"), ("/dev/shm", "tmpfs")] {
        topic.claim("\(point) is a new \(type)", rows: ["L-06", "M-04"]) { lab in
            try equal(try lab.container().mounted(point).type, type, "type")
        }
    }

    topic.claim("/proc shows only the container's processes", rows: ["N-04", "L-06"]) { lab in
        let pids = try lab.container("cd /proc; echo [0-9]*").printed().split(separator: " ")
        try expect(pids.count <= 3 && pids.contains("1"), "processes: \(pids)")
    }

    for options in [["ro"], []] as [[String]] {
        topic.claim("a cgroup mount \(options.isEmpty ? "rw" : "ro") shows the container's own cgroup", rows: ["M-12"]) { lab in
            let script = """
                cd /sys/fs/cgroup; [ -d pids ] && cd pids; [ "$(cat cgroup.procs)" ] && echo member
                mkdir below 2>/dev/null && echo made && rmdir below; true
                """
            let box = try lab.container(script) {
                $0.mount("/sys/fs/cgroup", type: "cgroup", source: "cgroup", ["nosuid", "noexec", "nodev", "relatime"] + options)
            }
            try equal(try box.printed(), options.isEmpty ? "member\nmade" : "member", "output")
        }
    }

    topic.claim("tmpcopyup copies what the tmpfs covers", rows: ["MO-32"]) { lab in
        try lab.runtime.require(mountOption: "tmpcopyup")
        let box = try lab.container("cat /data/file /data/sub/deep; readlink /data/link; stat -c '%a' /data/file; echo new >/data/file") {
            $0.mount("/data", type: "tmpfs", source: "tmpfs", ["tmpcopyup"])
        }
        try lab.command("mkdir", "-p", "\(box.rootfs)/data/sub")
        try "one\n".write(toFile: "\(box.rootfs)/data/file", atomically: false, encoding: .utf8)
        try "two\n".write(toFile: "\(box.rootfs)/data/sub/deep", atomically: false, encoding: .utf8)
        chmod("\(box.rootfs)/data/file", 0o604)
        symlink("nowhere", "\(box.rootfs)/data/link")
        try equal(try box.printed(), "one\ntwo\nnowhere\n604", "content")
        try equal(lab.read("\(box.rootfs)/data/file"), "one\n", "the file below")
    }

    // MARK: Options

    for (options, row, shows, hides) in flags {
        topic.claim("tmpfs with \(options.joined(separator: ","))", rows: [row]) { lab in
            let box = try lab.container { $0.mount("/data", type: "tmpfs", source: "tmpfs", options) }
            try box.mounted("/data").check(\.options, shows: shows, hides: hides)
        }

        topic.claim("bind with \(options.joined(separator: ","))", rows: [row, "M-03"]) { lab in
            let source = try lab.tmpfs()
            let box = try lab.container { $0.mount("/data", type: "bind", source: source, ["bind"] + options) }
            try box.mounted("/data").check(\.options, shows: shows, hides: hides)
        }
    }

    for (options, row, shows, hides) in superFlags {
        topic.claim("tmpfs with \(options.joined(separator: ","))", rows: [row]) { lab in
            let box = try lab.container { $0.mount("/data", type: "tmpfs", source: "tmpfs", options) }
            try box.mounted("/data").check(\.superOptions, shows: shows, hides: hides)
        }
    }

    for (option, row) in understood {
        topic.claim("the option \(option) is understood", rows: [row]) { lab in
            let box = try lab.container { $0.mount("/data", type: "tmpfs", source: "tmpfs", [option]) }
            try equal(try box.mounted("/data").type, "tmpfs", "type")
        }
    }

    topic.claim("remount changes the mount that is there", rows: ["MO-16"]) { lab in
        let source = try lab.tmpfs()
        let box = try lab.container {
            $0.mount("/data", type: "bind", source: source, ["bind"])
            $0.mount("/data", type: "bind", source: source, ["bind", "remount", "ro", "nosuid"])
        }
        try box.mounted("/data").check(\.options, shows: ["ro", "nosuid"], hides: [])
    }

    for (options, row, shows, hides) in recursive {
        topic.claim("rbind with \(options.joined(separator: ",")) reaches submounts", rows: [row]) { lab in
            for option in options { try lab.runtime.require(mountOption: option) }
            let source = try lab.tmpfs()
            _ = try lab.tmpfs(at: "\(source)/sub")
            let table = try lab.container { $0.mount("/data", type: "bind", source: source, ["rbind"] + options) }.mountTable()
            for point in ["/data", "/data/sub"] {
                guard let line = table[point] else { throw Failure(message: "nothing is mounted at \(point)") }
                try line.check(\.options, shows: shows, hides: hides)
            }
        }
    }

    for (flag, option, row) in clearing {
        topic.claim("rbind with \(option) clears \(flag) of submounts", rows: [row]) { lab in
            try lab.runtime.require(mountOption: option)
            let source = try lab.tmpfs()
            _ = try lab.tmpfs(at: "\(source)/sub", flag)
            let table = try lab.container { $0.mount("/data", type: "bind", source: source, ["rbind", option]) }.mountTable()
            guard let line = table["/data/sub"] else { throw Failure(message: "nothing is mounted at /data/sub") }
            try line.check(\.options, shows: [], hides: [flag])
        }
    }

    topic.claim("ro on an rbind leaves submounts writable", rows: ["MO-02", "MO-23"]) { lab in
        let source = try lab.tmpfs()
        _ = try lab.tmpfs(at: "\(source)/sub")
        let table = try lab.container { $0.mount("/data", type: "bind", source: source, ["rbind", "ro"]) }.mountTable()
        try equal(table["/data"]?.options.contains("ro"), true, "ro of the mount")
        try equal(table["/data/sub"]?.options.contains("ro"), false, "ro of the submount")
    }

    for (option, field, deep, row) in propagation {
        topic.claim("a bind with \(option)", rows: [row]) { lab in
            let source = try lab.tmpfs()
            _ = try lab.tmpfs(at: "\(source)/sub")
            try lab.command("mount", "--make-rshared", source)
            let table = try lab.container { $0.mount("/data", type: "bind", source: source, ["rbind", option]) }.mountTable()
            try table.propagates("/data", as: field)
            if deep { try table.propagates("/data/sub", as: field) }
        }
    }

    topic.claim("a mount on the host appears in a slave, and not in a private mount", rows: ["MO-18", "MO-20"]) { lab in
        let source = try lab.tmpfs()
        try lab.command("mount", "--make-shared", source)
        mkdir("\(source)/late", 0o755)
        let box = try lab.container(
            "echo ready; while [ ! -e /slave/late/file ]; do sleep 0.02; done; ls /slave/late; echo --; ls /private/late; echo end"
        ) {
            $0.mount("/slave", type: "bind", source: source, ["rbind", "rslave"])
            $0.mount("/private", type: "bind", source: source, ["rbind", "rprivate"])
        }
        try box.up()
        try box.writes("ready")
        let late = try lab.tmpfs(at: "\(source)/late")
        try "".write(toFile: "\(late)/file", atomically: false, encoding: .utf8)
        try box.writes("end")
        try equal(box.text, "ready\nfile\n--\nend\n", "ls")
    }

    for (value, field) in [("shared", "shared:"), ("slave", "master:"), ("private", ""), ("unbindable", "unbindable")] {
        topic.claim("rootfsPropagation \(value)", rows: ["X-01"]) { lab in
            let box = try lab.container { $0["/linux/rootfsPropagation"] = value }
            try lab.command("mount", "--bind", box.rootfs, box.rootfs)
            lab.later { umount2(box.rootfs, Int32(MNT_DETACH)) }
            try lab.command("mount", "--make-shared", box.rootfs)
            try box.mountTable().propagates("/", as: field)
        }
    }

    topic.claim("a container's mounts do not reach the host", rows: ["N-06", "X-01"]) { lab in
        let box = try lab.container("mount -t tmpfs tmpfs /mnt && echo mounted && exec sleep 100") {
            $0.grant(["CAP_SYS_ADMIN"])
            $0.mount("/mnt", type: "tmpfs", source: "tmpfs")
        }
        try box.up()
        try box.writes("mounted")
        try expect(!lab.read("/proc/self/mountinfo").contains(box.rootfs), "the host has mounts below the rootfs")
    }

    topic.claim("--no-pivot works", rows: ["CLI-05"]) { lab in
        let box = try lab.container("echo fine; ls /proc/self/status")
        try equal(try box.run(["--no-pivot"]).line, "fine\n/proc/self/status", "output")
    }

    topic.claim("an idmapped bind shows shifted owners", rows: ["M-07", "M-08", "MO-33"], since: "1.2.0") { lab in
        let source = try lab.tmpfs()
        try "".write(toFile: "\(source)/file", atomically: false, encoding: .utf8)
        chown("\(source)/file", 1000, 1000)
        let box = try lab.container("stat -c %u:%g /data/file") {
            $0.append(
                "/mounts",
                [
                    "destination": "/data", "type": "bind", "source": source, "options": ["bind", "idmap"],
                    "uidMappings": [["containerID": 1000, "hostID": 7000, "size": 1]],
                    "gidMappings": [["containerID": 1000, "hostID": 8000, "size": 1]],
                ] as Object)
        }
        try equal(try box.printed(), "7000:8000", "owner")
    }

    topic.claim("a mount over /proc that is not a procfs is refused", rows: ["M-10"]) { lab in
        let source = try lab.folder()
        try lab.container { $0.mount("/proc", type: "bind", source: source, ["bind"]) }.refused()
    }

    topic.claim("a mount below /proc that would fake it is refused", rows: ["M-10"]) { lab in
        let source = try lab.folder()
        try lab.container { $0.mount("/proc/sys", type: "bind", source: source, ["bind"]) }.refused()
    }

    topic.claim("a rootfs whose /proc is a link is refused or resolved inside", rows: ["M-10", "M-02"]) { lab in
        let outside = try lab.folder()
        let box = try lab.container("true")
        rmdir("\(box.rootfs)/proc")
        symlink(outside, "\(box.rootfs)/proc")
        let outcome = try box.run()
        if outcome.status != 0 { try refused(outcome, "run") }
        try equal(try FileManager.default.contentsOfDirectory(atPath: outside), [], "what was made outside")
    }
}

extension MountLine {
    /// Compares one set of options with what it must show and hide.
    func check(_ options: (MountLine) -> Set<String>, shows: [String], hides: [String]) throws {
        let actual = options(self)
        for name in shows { try expect(actual.contains(name), "\(point) does not show \(name): \(actual.sorted())") }
        for name in hides { try expect(!actual.contains(name), "\(point) shows \(name): \(actual.sorted())") }
    }
}

extension [String: MountLine] {
    /// Checks the optional fields of a mount; an empty field wants none at all.
    func propagates(_ point: String, as field: String) throws {
        guard let line = self[point] else { throw Failure(message: "nothing is mounted at \(point)") }
        let fits = field.isEmpty ? line.propagation.isEmpty : line.propagation.contains { $0.hasPrefix(field) }
        try expect(fits, "\(point) has propagation \(line.propagation), want \(field.isEmpty ? "none" : field)")
    }
}

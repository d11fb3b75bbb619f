/// The container's root: read-only or not, masked and read-only paths, devices and the links below /dev.

import Foundation

/// Every default device: name, numbers in hex as stat(1) prints them.
private let defaultDevices = [
    ("null", "1:3", "D-08"), ("zero", "1:5", "D-09"), ("full", "1:7", "D-10"), ("random", "1:8", "D-11"), ("urandom", "1:9", "D-12"),
    ("tty", "5:0", "D-13"),
]

private let links = [
    ("/dev/fd", "/proc/self/fd", "L-01"), ("/dev/stdin", "/proc/self/fd/0", "L-02"), ("/dev/stdout", "/proc/self/fd/1", "L-03"),
    ("/dev/stderr", "/proc/self/fd/2", "L-04"),
]

let rootfs = Topic("rootfs") { topic in
    topic.claim("the root is writable by default", rows: ["R-03"]) { lab in
        let box = try lab.container("echo x >/file && cat /file")
        try equal(try box.printed(), "x", "output")
        try equal(lab.read("\(box.rootfs)/file"), "x\n", "the file on the host")
    }

    topic.claim("a readonly root cannot be written, mounts in it can", rows: ["R-03"]) { lab in
        let box = try lab.container("(echo x >/file) 2>&1; echo y >/dev/shm/file && cat /dev/shm/file") {
            $0["/root/readonly"] = true
        }
        let text = try box.printed()
        try contains(text, "Read-only file system", "writing to the root")
        try contains(text, "y", "writing to /dev/shm")
    }

    topic.claim("an absolute root path works", rows: ["R-02"]) { lab in
        let box = try lab.container("echo fine")
        box.config["/root/path"] = box.rootfs
        try box.save()
        try equal(try box.printed(), "fine", "output")
    }

    topic.claim("a root path is relative to the bundle, not to the caller", rows: ["R-02"]) { lab in
        let box = try lab.container("echo fine")
        try equal(try box.run { $0.directory = "/" }.line, "fine", "output")
    }

    topic.claim("nothing of the host's mounts is visible inside", rows: ["N-06", "R-01"]) { lab in
        let box = try lab.container("cut -d' ' -f5 /proc/self/mountinfo")
        let points = Set(try box.printed().split(separator: "\n").map(String.init))
        let expected: Set<String> = ["/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys"]
        let masks = points.subtracting(expected)
        try expect(masks.allSatisfy { $0.hasPrefix("/proc/") || $0 == "/dev/console" }, "unexpected mounts: \(masks)")
        try expect(expected.isSubset(of: points), "missing mounts: \(expected.subtracting(points))")
    }

    topic.claim("the container has no way up out of its root", rows: ["R-01"]) { lab in
        let box = try lab.container("cd ../../../..; pwd; ls -d run/conformance 2>&1; ls /proc/1/root/run")
        let text = try box.run().out
        try contains(text, "/\n", "pwd")
        try contains(text, "No such file", "the suite's directory")
        try expect(!text.contains(Isolation.token), "the host's /run is visible")
    }

    topic.claim("masked files read as empty, masked directories are empty and unwritable", rows: ["X-02"]) { lab in
        let box = try lab.container("cat /secret; ls -A /secrets; (echo x >/secrets/new) 2>&1; echo end") {
            $0["/linux/maskedPaths"] = ["/secret", "/secrets"]
        }
        try "hidden\n".write(toFile: "\(box.rootfs)/secret", atomically: false, encoding: .utf8)
        try lab.command("mkdir", "\(box.rootfs)/secrets")
        try "hidden\n".write(toFile: "\(box.rootfs)/secrets/file", atomically: false, encoding: .utf8)
        let text = try box.printed()
        try expect(!text.contains("hidden") && !text.contains("file\n"), "something shines through: \(text)")
        try contains(text, "Read-only file system", "writing below a masked directory")
        try expect(!FileManager.default.fileExists(atPath: "\(box.rootfs)/secrets/new"), "the write went through the mask")
    }

    topic.claim("a masked path that does not exist is ignored", rows: ["X-02"]) { lab in
        let box = try lab.container("echo fine; ls -d /no-such") { $0.append("/linux/maskedPaths", "/no-such/thing") }
        let outcome = try box.run()
        try contains(outcome.out, "fine", "output")
        try expect(outcome.status != 0, "the masked path was made")
    }

    topic.claim("a masked symlink hides its target inside the container", rows: ["X-02"]) { lab in
        let box = try lab.container("cat /link /secret; echo end") { $0["/linux/maskedPaths"] = ["/link"] }
        try "hidden\n".write(toFile: "\(box.rootfs)/secret", atomically: false, encoding: .utf8)
        symlink("/secret", "\(box.rootfs)/link")
        try equal(try box.printed(), "end", "output")
    }

    topic.claim("the same path masked twice is masked", rows: ["X-02"]) { lab in
        let box = try lab.container("cat /proc/kcore | head -c 1; echo end") { $0["/linux/maskedPaths"] = ["/proc/kcore", "/proc/kcore"] }
        try equal(try box.printed(), "end", "output")
    }

    topic.claim("readonly files and directories cannot be written but read", rows: ["X-03"]) { lab in
        let box = try lab.container(
            "cat /fixed /fixeds/file; (echo y >/fixed) 2>&1; (echo y >/fixeds/file) 2>&1; (echo y >/fixeds/sub/z) 2>&1"
        ) {
            $0["/linux/readonlyPaths"] = ["/fixed", "/fixeds"]
        }
        try "one\n".write(toFile: "\(box.rootfs)/fixed", atomically: false, encoding: .utf8)
        try lab.command("mkdir", "-p", "\(box.rootfs)/fixeds/sub")
        try "two\n".write(toFile: "\(box.rootfs)/fixeds/file", atomically: false, encoding: .utf8)
        let text = try box.run().out
        try contains(text, "one\ntwo\n", "reading")
        try equal(text.components(separatedBy: "Read-only file system").count - 1, 3, "refused writes in \(text)")
    }

    topic.claim("a readonly path that does not exist is ignored", rows: ["X-03"]) { lab in
        let box = try lab.container("echo fine") { $0.append("/linux/readonlyPaths", "/no-such/thing") }
        try equal(try box.printed(), "fine", "output")
    }

    topic.claim("/proc/sys is read-only where readonlyPaths says so, /proc is not", rows: ["X-03"]) { lab in
        let box = try lab.container("(echo 1 >/proc/sys/kernel/panic) 2>&1; echo 0 >/proc/self/oom_score_adj && echo wrote")
        let text = try box.run().out
        try contains(text, "Read-only file system", "writing to /proc/sys")
        try contains(text, "wrote", "writing to /proc/self")
    }

    for (name, numbers, row) in defaultDevices {
        topic.claim("/dev/\(name) is there with its numbers and mode 0666", rows: [row]) { lab in
            let box = try lab.container("stat -c '%F %t:%T %a %u:%g' /dev/\(name)")
            try equal(try box.printed(), "character special file \(numbers) 666 0:0", "stat")
        }
    }

    topic.claim("default devices work", rows: ["D-08", "D-09", "D-10", "D-12", "RD-06"]) { lab in
        let script = """
            echo gone >/dev/null && head -c 4 /dev/zero | od -An -tx1 | tr -d ' '; (echo x >/dev/full) 2>&1
            head -c 8 /dev/urandom | wc -c; head -c 8 /dev/random | wc -c
            """
        let text = try lab.container(script).run().out
        try contains(text, "00000000\n", "/dev/zero")
        try contains(text, "No space left", "/dev/full")
        try contains(text, "8\n8\n", "/dev/urandom and /dev/random")
    }

    for (link, target, row) in links {
        topic.claim("\(link) is a link to \(target)", rows: [row]) { lab in
            try equal(try lab.container("readlink \(link)").printed(), target, "readlink")
        }
    }

    topic.claim("/dev/ptmx leads to the container's own /dev/pts/ptmx", rows: ["D-15", "M-15"]) { lab in
        let lines = try lab.container("stat -L -c '%t:%T %D' /dev/ptmx /dev/pts/ptmx").printed(lines: 2)
        try equal(lines[0].first, "5:2", "numbers of /dev/ptmx")
        try equal(lines[0], lines[1], "/dev/ptmx and /dev/pts/ptmx")
    }

    topic.claim("without a terminal there is no console", rows: ["D-14"]) { lab in
        let outcome = try lab.container("head -c 1 /dev/console </dev/console 2>&1; ls /dev/pts; echo end").printed()
        try contains(outcome, "end", "output")
        try expect(!outcome.split(separator: "\n").contains("0"), "there is a pty: \(outcome)")
    }

    topic.claim("an extra device has its numbers, mode and owner", rows: ["D-01", "D-04", "D-05", "D-06"]) { lab in
        let device: Object = ["path": "/dev/extra", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 7, "gid": 8]
        let box = try lab.container("stat -c '%F %t:%T %a %u:%g' /dev/extra") { $0.append("/linux/devices", device) }
        try equal(try box.printed(), "character special file 1:5 640 7:8", "stat")
    }

    topic.claim("a device may stand anywhere, its directories are made", rows: ["D-03"]) { lab in
        let device: Object = ["path": "/dev/deep/er/zero", "type": "c", "major": 1, "minor": 5, "fileMode": 0o666, "uid": 0, "gid": 0]
        let box = try lab.container("stat -c %t:%T /dev/deep/er/zero") { $0.append("/linux/devices", device) }
        try equal(try box.printed(), "1:5", "stat")
    }

    topic.claim("device types b, u and p work", rows: ["D-02"]) { lab in
        let box = try lab.container("stat -c '%F %t:%T' /dev/blk /dev/unb; stat -c %F /dev/pipe") {
            $0.append("/linux/devices", ["path": "/dev/blk", "type": "b", "major": 7, "minor": 200] as Object)
            $0.append("/linux/devices", ["path": "/dev/unb", "type": "u", "major": 1, "minor": 3] as Object)
            $0.append("/linux/devices", ["path": "/dev/pipe", "type": "p"] as Object)
        }
        let lines = try box.printed().split(separator: "\n").map(String.init)
        try equal(lines, ["block special file 7:c8", "character special file 1:3", "fifo"], "stat")
    }

    topic.claim("a file that stands where a device should be is refused", rows: ["D-03"]) { lab in
        let box = try lab.container { $0.append("/linux/devices", ["path": "/etc/device", "type": "c", "major": 1, "minor": 3] as Object) }
        try "".write(toFile: "\(box.rootfs)/etc/device", atomically: false, encoding: .utf8)
        try box.refused()
    }

    topic.claim("a device is not made through a link that leads out of the root", rows: ["D-03"]) { lab in
        let outside = try lab.folder()
        let box = try lab.container { $0.append("/linux/devices", ["path": "/out/device", "type": "c", "major": 1, "minor": 3] as Object) }
        symlink(outside, "\(box.rootfs)/out")
        let outcome = try box.run()
        if outcome.status != 0 { try refused(outcome, "run") }
        try equal(try FileManager.default.contentsOfDirectory(atPath: outside), [], "what was made outside")
    }

    // MARK: Edges

    for (name, path) in [("a directory that is not there", "no-such-root"), ("a file", "config.json"), ("no path at all", "")] {
        topic.claim("\(name) as the root is refused", rows: ["R-02"]) { lab in
            try lab.container { $0["/root/path"] = path }.refused()
        }
    }

    topic.claim("a link as the root is followed", rows: ["R-02"]) { lab in
        let box = try lab.container("echo fine") { $0["/root/path"] = "link" }
        symlink("rootfs", "\(box.bundle)/link")
        let outcome = try box.run()
        if outcome.status != 0 && !lab.runtime.isSwoci { throw Skip("the runtime wants a root without links") }
        try equal(outcome.line, "fine", "output (\(outcome.err))")
    }

    topic.claim("a config without a root is refused", rows: ["R-01"]) { lab in
        try lab.container { $0["/root"] = nil }.refused()
    }

    for (kind, row) in [("maskedPaths", "X-02"), ("readonlyPaths", "X-03")] {
        topic.claim("\(kind): a relative path and the root itself are refused", rows: [row]) { lab in
            try lab.oursOnly()
            for path in ["etc", "/", "//.", "/etc/.."] { try lab.container { $0["/linux/\(kind)"] = [path] }.refused(path) }
        }
    }

    topic.claim("a read-only path keeps the flags of its mount, and mounts below it their own", rows: ["X-03"]) { lab in
        let box = try lab.container {
            $0.mount("/data", type: "tmpfs", source: "tmpfs", ["nosuid", "nodev", "noexec", "noatime"])
            $0.mount("/data/below", type: "tmpfs", source: "tmpfs")
            $0["/linux/readonlyPaths"] = ["/data"]
        }
        let table = try box.mountTable()
        try table["/data"]?.check(\.options, shows: ["ro", "nosuid", "nodev", "noexec", "noatime"], hides: [])
        try equal(table["/data/below"]?.options.contains("rw"), true, "rw of the mount below")
    }

    topic.claim("a masked fifo, socket or device reads as empty", rows: ["X-02"]) { lab in
        let box = try lab.container("cat /fifo /zero; stat -c %t:%T /fifo /zero") { $0["/linux/maskedPaths"] = ["/fifo", "/zero"] }
        mkfifo("\(box.rootfs)/fifo", 0o666)
        try lab.command("mknod", "\(box.rootfs)/zero", "c", "1", "5")
        try equal(try box.printed(), "1:3\n1:3", "output")
    }

    topic.claim("a device's mode may carry its type, which has to fit", rows: ["D-05"]) { lab in
        let box = try lab.container("stat -c %a /dev/extra") {
            $0.append("/linux/devices", ["path": "/dev/extra", "type": "c", "major": 1, "minor": 5, "fileMode": 0o20640] as Object)
        }
        try equal(try box.printed(), "640", "mode")
        try lab.oursOnly()
        try lab.container {
            $0.append("/linux/devices", ["path": "/dev/extra", "type": "c", "major": 1, "minor": 5, "fileMode": 0o60640] as Object)
        }.refused("/linux/devices/0/fileMode")
    }

    topic.claim("a listed default device has its listed mode and owner", rows: ["D-01", "D-05", "D-06", "D-08"]) { lab in
        let device: Object = ["path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 3, "gid": 4]
        let box = try lab.container("stat -c '%t:%T %a %u:%g' /dev/null") { $0.append("/linux/devices", device) }
        try equal(try box.printed(), "1:3 640 3:4", "stat")
    }

    topic.claim("the same device in two places is a warning, and both are there", rows: ["D-07"]) { lab in
        let box = try lab.container("stat -c %t:%T /dev/one /dev/two") {
            for name in ["one", "two"] {
                $0.append("/linux/devices", ["path": "/dev/\(name)", "type": "c", "major": 1, "minor": 5] as Object)
            }
        }
        let outcome = try box.run()
        try equal(outcome.out, "1:5\n1:5\n", "stat (\(outcome.err))")
        if lab.runtime.isSwoci { try contains(outcome.err, "the same device", "warning") }
    }

    topic.claim("a node that is there already is taken if it is the same device", rows: ["D-03"]) { lab in
        for (type, numbers, fits) in [("c", "1:3", true), ("c", "1:5", false), ("b", "1:3", false)] {
            let box = try lab.container {
                $0.append("/linux/devices", ["path": "/etc/node", "type": "c", "major": 1, "minor": 3] as Object)
            }
            let words = numbers.split(separator: ":").map(String.init)
            try lab.command("mknod", "\(box.rootfs)/etc/node", type, words[0], words[1])
            if fits { _ = try box.printed() } else { try box.refused() }
        }
    }

    for (name, device) in [
        ("no numbers", ["path": "/dev/x", "type": "c"]), ("a negative major", ["path": "/dev/x", "type": "c", "major": -1, "minor": 0]),
        ("a minor beyond 20 bits", ["path": "/dev/x", "type": "c", "major": 1, "minor": 1 << 20]),
        ("a relative path", ["path": "dev/x", "type": "c", "major": 1, "minor": 3]),
        ("an unknown type", ["path": "/dev/x", "type": "d", "major": 1, "minor": 3]),
    ] as [(String, [String: any Sendable])] {
        topic.claim("a device with \(name) is refused", rows: ["D-02", "D-03", "D-04"]) { lab in
            try lab.oursOnly()
            try lab.container { $0.append("/linux/devices", device as Object) }.refused("/linux/devices/0")
        }
    }

    topic.claim("in a user namespace a device's owner has to be mapped, and a pipe gets its owner", rows: ["D-02", "D-06"]) { lab in
        try lab.oursOnly()
        func container(_ device: Object, _ script: String = "true") throws -> Container {
            let box = try lab.container(script) {
                $0.userNamespace(uids: [(0, 100_000, 1000)], gids: [(0, 100_000, 1000)])
                $0.append("/linux/devices", device)
            }
            box.ownRootfs(100_000, 100_000)
            return box
        }
        try container(["path": "/dev/null", "type": "c", "major": 1, "minor": 3, "uid": 5000]).refused("5000 is not mapped")
        let pipe = try container(
            ["path": "/dev/pipe", "type": "p", "uid": 3, "gid": 4, "fileMode": 0o640], "stat -c '%F %a %u:%g' /dev/pipe")
        try equal(try pipe.printed(), "fifo 640 3:4", "stat")
    }

    topic.claim("a /dev bound from the host stays as it is", rows: ["D-16"]) { lab in
        try lab.oursOnly()
        let before = try FileManager.default.contentsOfDirectory(atPath: "/dev").sorted()
        let box = try lab.container("ls /dev/null /dev/zero") {
            $0["/mounts"] = ($0["/mounts"] as! [Object]).filter { !($0["destination"] as! String).hasPrefix("/dev") }
            $0.mount("/dev", type: "bind", source: "/dev", ["rbind"])
            $0.append("/linux/devices", ["path": "/dev/\(Isolation.token)", "type": "c", "major": 1, "minor": 3] as Object)
        }
        try equal(try box.printed(), "/dev/null\n/dev/zero", "ls")
        try equal(try FileManager.default.contentsOfDirectory(atPath: "/dev").sorted(), before, "the host's /dev")
    }

    topic.claim("/dev/core is a link to /proc/kcore", rows: ["L-05"]) { lab in
        try equal(try lab.container("readlink /dev/core").printed(), "/proc/kcore", "readlink")
    }

    topic.claim("what the image has in place of the links of /dev stays", rows: ["L-01", "L-02"]) { lab in
        try lab.oursOnly()
        let box = try lab.container("cat /dev/stdin; ls /dev/fd") {
            $0["/mounts"] = ($0["/mounts"] as! [Object]).filter { !($0["destination"] as! String).hasPrefix("/dev") }
        }
        try "image\n".write(toFile: "\(box.rootfs)/dev/stdin", atomically: false, encoding: .utf8)
        try lab.command("mkdir", "\(box.rootfs)/dev/fd")
        try equal(try box.printed(), "image", "output")
    }
}

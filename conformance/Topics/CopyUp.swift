/// tmpcopyup: the tmpfs has all that it covers, as it was, and what is below stays untouched.

import Foundation

/// What the copy has to show for a name: stat(1)'s words about it.
private let script = """
    cd /data
    stat -c '%n|%F|%a|%u:%g|%h' . plain set-user sub sub/deep link again pipe null locked
    readlink link; cat plain; ls -a | tr '\\n' ' '; echo
    [ "$(stat -c %i plain)" = "$(stat -c %i sub/again)" ] && echo one inode
    stat -c '%s %b' sparse | awk '{ print $1, ($2 < 100 ? "sparse" : "full") }'; tail -c +2000001 sparse | head -c 1; echo
    wc -c <large; md5sum <large | cut -c1-32; ls many | wc -l; [ many/7 -ef many/other7 ] && echo pair
    """

extension Container {
    /// Fills what will be covered; device nodes only where a copy could have them.
    fileprivate func fill(owner: (Int, Int), hasNode: Bool) throws {
        let steps = """
            mkdir -p '\(rootfs)/data' && cd '\(rootfs)/data' && mkdir -p sub/deep many
            echo one >plain; ln plain again; ln plain sub/again; echo x >set-user; ln -s ../no/where link; mkfifo pipe
            truncate -s 4M sparse; printf x | dd of=sparse bs=1 seek=2000000 conv=notrunc 2>/dev/null
            head -c 3000000 /dev/urandom >large; echo x >locked; for i in $(seq 200); do echo $i >many/$i; ln many/$i many/other$i; done
            chown -hR \(owner.0):\(owner.1) .; chmod 1777 sub; chmod 4755 set-user; chmod 0 locked; chmod 640 plain
            \(hasNode ? "mknod null c 1 3 && chown \(owner.0):\(owner.1) null && chmod 604 null" : "mkfifo null && chmod 604 null")
            """
        try lab.command("sh", "-c", steps)
        if hasNode { return }
        try lab.command("chown", "\(owner.0):\(owner.1)", "\(rootfs)/data/null")
    }
}

/// Functions of the C library that no Swift module has.
private enum XAttr {
    typealias Set = @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeRawPointer, Int, Int32) -> Int32
    typealias Get = @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutableRawPointer, Int) -> Int

    static let set = unsafeBitCast(dlsym(nil, "setxattr"), to: Set.self)
    static let get = unsafeBitCast(dlsym(nil, "getxattr"), to: Get.self)
}

/// Sets an extended attribute of a file on the host.
private func set(_ name: String, _ value: String, of path: String) throws {
    let bytes = Array(value.utf8)
    try expect(XAttr.set(path, name, bytes, bytes.count, 0) == 0, "setting \(name) of \(path): \(String(cString: strerror(errno)))")
}

/// An extended attribute's value; nil where there is none.
private func attribute(_ name: String, of path: String) -> String? {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = XAttr.get(path, name, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
}

let copyUp = Topic("tmpcopyup") { topic in
    for inUserNamespace in [false, true] {
        let place = inUserNamespace ? " in a user namespace" : ""
        topic.claim("tmpcopyup copies types, modes, owners, hard links and holes\(place)", rows: ["MO-32"]) { lab in
            try lab.oursOnly()
            let box = try lab.container(script) {
                $0.mount("/data", type: "tmpfs", source: "tmpfs", ["tmpcopyup", "nosuid"])
                $0["/process/capabilities/effective"] = ["CAP_DAC_OVERRIDE"]
                $0.grant(["CAP_DAC_OVERRIDE"])
                if inUserNamespace { $0.userNamespace(uids: [(0, 100_000, 65536)], gids: [(0, 100_000, 65536)]) }
            }
            let base = inUserNamespace ? 100_000 : 0
            if inUserNamespace { box.ownRootfs(100_000, 100_000) }
            try box.fill(owner: (base + 7, base + 8), hasNode: !inUserNamespace)
            chmod("\(box.rootfs)/data", 0o751)
            let sum = try lab.command("sh", "-c", "md5sum <'\(box.rootfs)/data/large' | cut -c1-32").line
            let before = try lab.command("sh", "-c", "cd '\(box.rootfs)/data' && ls -laR --time-style=+%s").out
            let kind = inUserNamespace ? "fifo" : "character special file"
            try equal(
                try box.printed().split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) },
                [
                    ".|directory|751|7:8|4", "plain|regular file|640|7:8|3", "set-user|regular file|4755|7:8|1", "sub|directory|1777|7:8|3",
                    "sub/deep|directory|755|7:8|2", "link|symbolic link|777|7:8|1", "again|regular file|640|7:8|3", "pipe|fifo|644|7:8|1",
                    "null|\(kind)|604|7:8|1", "locked|regular file|0|7:8|1", "../no/where", "one",
                    ". .. again large link locked many null pipe plain set-user sparse sub", "one inode", "4194304 sparse", "x", "3000000",
                    sum, "400", "pair",
                ], "what is seen inside")
            try equal(try lab.command("sh", "-c", "cd '\(box.rootfs)/data' && ls -laR --time-style=+%s").out, before, "what lies below")
        }
    }

    topic.claim("tmpcopyup copies extended attributes, file capabilities among them", rows: ["MO-32"]) { lab in
        try lab.oursOnly()
        let box = try lab.container("echo ready; exec sleep 100") { $0.mount("/data", type: "tmpfs", source: "tmpfs", ["tmpcopyup"]) }
        try box.fill(owner: (7, 8), hasNode: true)
        for (path, name) in [("plain", "user.one"), ("plain", "trusted.two"), ("sub", "user.three"), (".", "user.four")] {
            try set(name, name, of: "\(box.rootfs)/data/\(path)")
        }
        // struct vfs_cap_data, version 2: CAP_KILL permitted.
        let capability = "\u{1}\0\0\u{2}\u{20}\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        try set("security.capability", capability, of: "\(box.rootfs)/data/set-user")
        try box.up()
        try box.writes("ready")
        let data = "/proc/\(try box.pid())/root/data"
        for (path, name) in [("plain", "user.one"), ("again", "trusted.two"), ("sub", "user.three"), (".", "user.four")] {
            try equal(attribute(name, of: "\(data)/\(path)"), name, "\(name) of \(path)")
        }
        try equal(attribute("security.capability", of: "\(data)/set-user"), capability, "file capabilities")
    }

    topic.claim("tmpcopyup obeys the mount's own mode, owner and size, and read-only", rows: ["MO-32", "M-05"]) { lab in
        try lab.oursOnly()
        let box = try lab.container(
            "stat -c %a:%u:%g /data; cat /data/file; (echo x >/data/file) 2>&1; grep ' /data ' /proc/self/mountinfo"
        ) {
            $0.mount("/data", type: "tmpfs", source: "tmpfs", ["tmpcopyup", "ro", "mode=711", "uid=3", "gid=4", "size=1m"])
        }
        try lab.command("mkdir", "\(box.rootfs)/data")
        try "one\n".write(toFile: "\(box.rootfs)/data/file", atomically: false, encoding: .utf8)
        let text = try box.printed()
        try expect(text.hasPrefix("711:3:4\none\n"), "root and content: \(text)")
        try contains(text, "Read-only file system", "writing")
        try contains(text, "size=1024k", "size")
    }

    topic.claim("what does not fit into the tmpfs fails the create", rows: ["MO-32", "LC-15"]) { lab in
        try lab.oursOnly()
        let box = try lab.container { $0.mount("/data", type: "tmpfs", source: "tmpfs", ["tmpcopyup", "size=64k"]) }
        try box.fill(owner: (0, 0), hasNode: false)
        try box.refused("no space left")
    }

    topic.claim("tmpcopyup of a directory that is not there gives an empty one", rows: ["MO-32"]) { lab in
        try lab.runtime.require(mountOption: "tmpcopyup")
        let box = try lab.container("ls -A /new; stat -c %a /new") { $0.mount("/new", type: "tmpfs", source: "tmpfs", ["tmpcopyup"]) }
        try equal(try box.printed(), "755", "output")
    }

    topic.claim("links of the image are copied, and never followed to the host", rows: ["MO-32", "CVE-2015-3627"]) { lab in
        try lab.runtime.require(mountOption: "tmpcopyup")
        let outside = try lab.folder(["secret": "outside\n"])
        let box = try lab.container("readlink /data/out; cat /data/out/secret; ls /data") {
            $0.mount("/data", type: "tmpfs", source: "tmpfs", ["tmpcopyup"])
        }
        try lab.command("mkdir", "\(box.rootfs)/data")
        symlink(outside, "\(box.rootfs)/data/out")
        let outcome = try box.run()
        try equal(outcome.out, "\(outside)\nout\n", "output (\(outcome.err))")
    }
}

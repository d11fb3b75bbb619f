/// Mounts and symbolic links: sources and targets that are links, and the options that say what to do with them. Row MO-35.

import Foundation

let linkMounts = Topic("link mounts") { topic in
    topic.claim("copy-symlink copies a source that is a link, wherever it points", rows: ["MO-35"]) { lab in
        try lab.runtime.require(mountOption: "copy-symlink")
        for target in ["../some/where", "/no/where"] {
            let box = try lab.container("readlink /made/link; grep -c /made /proc/self/mountinfo; true") {
                $0.mount("/made/link", type: "bind", source: "link", ["rbind", "copy-symlink"])
            }
            symlink(target, "\(box.bundle)/link")
            try equal(try box.printed(), "\(target)\n0", "output")
            // A second life finds the link of the first.
            try equal(try box.printed(), "\(target)\n0", "output of the second life")
        }
    }

    topic.claim("copy-symlink binds what is no link", rows: ["MO-35"]) { lab in
        try lab.runtime.require(mountOption: "copy-symlink")
        let source = try lab.folder(["file": "content"])
        let box = try lab.container("cat /made/file") { $0.mount("/made", type: "bind", source: source, ["bind", "copy-symlink"]) }
        try equal(try box.printed(), "content", "content")
    }

    topic.claim("copy-symlink does not replace what the image has there", rows: ["MO-35"]) { lab in
        try lab.oursOnly()
        let box = try lab.container { $0.mount("/tmp/link", type: "bind", source: "link", ["bind", "copy-symlink"]) }
        symlink("there", "\(box.bundle)/link")
        symlink("elsewhere", "\(box.rootfs)/tmp/link")
        try box.refused("/tmp/link")
        try equal(Namespace.at("\(box.rootfs)/tmp/link"), "elsewhere", "the image's link")
    }

    topic.claim("src-nofollow binds a link itself", rows: ["MO-35"]) { lab in
        try lab.runtime.require(mountOption: "src-nofollow")
        let box = try lab.container("readlink /made/link; stat -c %F /made/link") {
            $0.mount("/made/link", type: "bind", source: "link", ["bind", "src-nofollow"])
        }
        symlink("/some/where", "\(box.bundle)/link")
        try equal(try box.printed(), "/some/where\nsymbolic link", "output")
    }

    topic.claim("dest-nofollow mounts on a link itself, not on what it points at", rows: ["MO-35"]) { lab in
        try lab.runtime.require(mountOption: "dest-nofollow")
        let source = try lab.file("content")
        let box = try lab.container("cat /tmp/link; grep -c root: /etc/passwd") {
            $0.mount("/tmp/link", type: "bind", source: source, ["bind", "dest-nofollow"])
        }
        symlink("/etc/passwd", "\(box.rootfs)/tmp/link")
        let outcome = try box.run()
        if outcome.status != 0 && !lab.runtime.isSwoci { throw Skip("the runtime refuses it") }
        try equal(outcome.out, "content1\n", "output (\(outcome.err))")
    }

    topic.claim("a link as a bind's source is followed", rows: ["M-03"]) { lab in
        let source = try lab.folder(["file": "content"])
        let box = try lab.container("cat /data/file") { $0.mount("/data", type: "bind", source: "link", ["bind"]) }
        symlink(source, "\(box.bundle)/link")
        try equal(try box.printed(), "content", "content")
    }

    topic.claim("a dangling link as a bind's source is refused by name", rows: ["M-03"]) { lab in
        let box = try lab.container { $0.mount("/data", type: "bind", source: "link", ["bind"]) }
        symlink("/no/where", "\(box.bundle)/link")
        try box.refused("link")
    }

    topic.claim("a source that lies inside another mount is bound from there", rows: ["M-03", "MO-17"]) { lab in
        let source = try lab.folder()
        let inner = try lab.tmpfs(at: "\(source)/mounted")
        try lab.command("mkdir", "\(inner)/deep")
        try "content".write(toFile: "\(inner)/deep/file", atomically: false, encoding: .utf8)
        for inUserNamespace in [false, true] {
            let box = try lab.container("cat /data/file; grep ' /data ' /proc/self/mountinfo | cut -d' ' -f4") {
                $0.mount("/data", type: "bind", source: "\(inner)/deep", ["bind"])
                if inUserNamespace { $0.userNamespace(uids: [(0, 100_000, 1000)], gids: [(0, 100_000, 1000)]) }
            }
            if inUserNamespace { box.ownRootfs(100_000, 100_000) }
            try equal(try box.printed(), "content/deep", "content and root of the mount")
        }
    }

    for (target, link) in [("/link", "/no/where/yet"), ("/link/below", "no/where/yet"), ("/up/link", "../../no/where")] {
        topic.claim("a directory destination \(target) through the dangling link \(link) is made inside", rows: ["M-02"]) { lab in
            try lab.oursOnly()
            let box = try lab.container("echo x >\(target)/file && cat \(target)/file") { $0.mount(target, type: "tmpfs", source: "tmpfs") }
            let place = target.hasPrefix("/up") ? "/up/link" : "/link"
            try lab.command("mkdir", "-p", "\(box.rootfs)/up")
            symlink(link, "\(box.rootfs)\(place)")
            try equal(try box.printed(), "x", "output")
            try expect(!FileManager.default.fileExists(atPath: "/no"), "something was made on the host")
        }
    }
}

/// The mounts of a running container: shown, added, removed.

import Foundation

let containerMounts = Topic("mount-changes", commands: ["mounts", "exec"]) { topic in
    topic.claim("a directory of the host is mounted in a running container and taken away again", rows: ["M-01", "M-02"]) { lab in
        let box = try lab.runningContainer()
        let source = try lab.folder(["word": "hello"])
        let list = lab.fresh("mounts")
        try "[{\"destination\": \"/added/deep\", \"type\": \"bind\", \"source\": \"\(source)\", \"options\": [\"bind\", \"ro\"]}]"
            .write(toFile: list, atomically: false, encoding: .utf8)
        let added = try lab.run(["mounts", "add", box.id, list])
        try equal(added.status, 0, "mounts add (\(added.err))")
        try equal(try box.says([], "cat /added/deep/word"), "hello", "content")
        try expect(try box.exec([], "sh", "-c", "echo >/added/deep/new").status != 0, "the mount is writable")
        try contains(try lab.run(["mounts", "list", box.id]).out, "\"/added/deep\"", "mounts list")
        let removed = try lab.run(["mounts", "remove", box.id, list])
        try equal(removed.status, 0, "mounts remove (\(removed.err))")
        try equal(try box.says([], "ls /added/deep"), "", "content afterwards")
        try refused(try lab.run(["mounts", "remove", box.id, list]), "a second removal")
    }

    topic.claim("a file and a new file system are mounted, from standard input", rows: ["M-04", "M-05"]) { lab in
        let box = try lab.runningContainer()
        let folder = try lab.folder(["word": "hello", "list": ""])
        let list = """
            [{"destination": "/etc/added", "source": "\(folder)/word", "options": ["bind"]},
             {"destination": "/scratch", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "noexec"]}]
            """
        try list.write(toFile: "\(folder)/list", atomically: false, encoding: .utf8)
        let added = try lab.run(["mounts", "add", box.id, "-"]) { $0.input = "\(folder)/list" }
        try equal(added.status, 0, "mounts add (\(added.err))")
        try equal(try box.says([], "echo $(cat /etc/added); grep -c ' /scratch tmpfs .*noexec' /proc/mounts"), "hello\n1", "content")
    }

    topic.claim("mounts are added in a user namespace", rows: ["M-01", "N-06"]) { lab in
        let box = try lab.runningContainer {
            $0.append("/linux/namespaces", ["type": "user"] as Object)
            $0["/linux/uidMappings"] = [["containerID": 0, "hostID": 100_000, "size": 1000] as Object]
            $0["/linux/gidMappings"] = [["containerID": 0, "hostID": 100_000, "size": 1000] as Object]
        }
        let folder = try lab.folder(["word": "hello"])
        try
            #"[{"destination": "/tmp", "source": "\#(folder)", "options": ["bind"]}, {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs"}]"#
            .write(toFile: "\(folder)/list", atomically: false, encoding: .utf8)
        let added = try lab.run(["mounts", "add", box.id, "\(folder)/list"])
        try equal(added.status, 0, "mounts add (\(added.err))")
        try equal(try box.says([], "echo $(cat /tmp/word); touch /mnt/new; stat -c %u /mnt/new"), "hello\n0", "content")
    }

    topic.claim("of mounts of which one fails none is left", rows: ["M-01"]) { lab in
        let box = try lab.runningContainer()
        let folder = try lab.folder()
        try
            #"[{"destination": "/tmp", "source": "\#(folder)", "options": ["bind"]}, {"destination": "/mnt", "type": "no-such-fs", "source": "x"}]"#
            .write(toFile: "\(folder)/list", atomically: false, encoding: .utf8)
        let added = try lab.run(["mounts", "add", box.id, "\(folder)/list"])
        try refused(added, "a file system that is not there")
        try contains(added.err, "/mnt", "message")
        try expect(!(try lab.run(["mounts", "list", box.id]).out.contains("\"/tmp\"")), "the first mount is left")
    }

    topic.claim("a link of the container leads no mount out of it", rows: ["M-02", "M-10"]) { lab in
        let outside = try lab.folder()
        let box = try lab.container("ln -s /../../../../../../\(outside) /way; echo up; exec sleep 100")
        try box.up()
        try box.writes("up")
        let folder = try lab.folder(["word": "hello"])
        try #"[{"destination": "/way/in", "source": "\#(folder)", "options": ["bind"]}]"#.write(
            toFile: "\(folder)/list", atomically: false, encoding: .utf8)
        _ = try lab.run(["mounts", "add", box.id, "\(folder)/list"])
        try equal(try FileManager.default.contentsOfDirectory(atPath: outside), [], "the host's directory")
    }

    topic.claim("a container in a joined mount namespace gets its mounts below its own root", rows: ["M-01", "N-03"]) { lab in
        let holder = try lab.mountNamespaceHolder()
        let box = try lab.runningContainer { $0.join("mount", "/proc/\(holder)/ns/mnt") }
        let folder = try lab.folder(["word": "hello"])
        let list = try lab.file(#"[{"destination": "/added", "source": "\#(folder)", "options": ["bind"]}]"#)
        let added = try lab.run(["mounts", "add", box.id, list])
        try equal(added.status, 0, "mounts add (\(added.err))")
        try equal(try box.says([], "cat /added/word"), "hello", "content")
        try expect(!FileManager.default.fileExists(atPath: "/added"), "the mount point was made in the namespace's own root")
        try equal(try lab.run(["mounts", "remove", box.id, list]).status, 0, "mounts remove")
        try equal(try box.says([], "ls /added"), "", "content afterwards")
    }

    topic.claim("a link of the container has nothing taken away that masks the kernel's files", rows: ["M-10", "X-02"]) { lab in
        let box = try lab.container("ln -s /proc /way; echo up; exec sleep 100") { $0["/linux/maskedPaths"] = ["/proc/keys"] }
        try box.up()
        try box.writes("up")
        let list = try lab.file(#"[{"destination": "/way/keys"}]"#)
        try refused(try lab.run(["mounts", "remove", box.id, list]), "removal through a link")
        try contains(try box.says([], "cat /proc/mounts"), " /proc/keys ", "mounts")
    }

    topic.claim("a file that was mounted before one that fails is not left mounted", rows: ["M-01"]) { lab in
        let box = try lab.runningContainer()
        let folder = try lab.folder(["word": "hello"])
        let list = try lab.file(
            #"[{"destination": "/etc/word", "source": "\#(folder)/word", "options": ["bind"]}, {"destination": "/mnt", "type": "no-such-fs"}]"#
        )
        try refused(try lab.run(["mounts", "add", box.id, list]), "a file system that is not there")
        try expect(!(try lab.run(["mounts", "list", box.id]).out.contains("/etc/word")), "the file's mount is left")
    }

    topic.claim("what confines the container is not taken away, and bad mounts are refused", rows: ["M-10", "S-01"]) { lab in
        let box = try lab.runningContainer()
        for text in [
            #"[{"destination": "/proc"}]"#, #"[{"destination": "/proc/kcore"}]"#, #"[{"destination": "/"}]"#,
            #"[{"destination": "/sys/firmware"}]"#,
            #"[{"destination": "/bin"}]"#, "[", "{}", #"[{"source": "/"}]"#,
        ] {
            let list = lab.fresh("list")
            try text.write(toFile: list, atomically: false, encoding: .utf8)
            try refused(try lab.run(["mounts", "remove", box.id, list]), "removal of \(text)")
        }
        for text in [#"[{"destination": "/proc", "type": "tmpfs", "source": "tmpfs"}]"#, #"[{"destination": "/x", "options": ["bind"]}]"#] {
            let list = lab.fresh("list")
            try text.write(toFile: list, atomically: false, encoding: .utf8)
            try refused(try lab.run(["mounts", "add", box.id, list]), "addition of \(text)")
        }
        try equal(try box.says([], "test -d /proc/self && echo there"), "there", "/proc")
    }
}

/// Id-mapped mounts: mappings of the mount, of its option, or of the container; on several file systems; recursive or not.

import Foundation

/// A bind with mappings of its own: id 1000 of the file system is 7000 and 8000 in the container.
private func mapped(_ source: String, _ options: [String], uid: Int = 7000, gid: Int = 8000) -> Object {
    [
        "destination": "/data", "type": "bind", "source": source, "options": options,
        "uidMappings": [["containerID": 1000, "hostID": uid, "size": 1] as Object],
        "gidMappings": [["containerID": 1000, "hostID": gid, "size": 1] as Object],
    ]
}

private let look = "stat -c %u:%g /data/file; stat -c %u:%g /data/sub/file 2>/dev/null; true"

extension Lab {
    /// A tree with a mount in it, both with a file of user 1000.
    fileprivate func ownedTree(onDisk: Bool = false) throws -> String {
        let source = onDisk ? try diskFolder() : try tmpfs()
        _ = try tmpfs(at: "\(source)/sub")
        for path in ["\(source)/file", "\(source)/sub/file"] {
            try "".write(toFile: path, atomically: false, encoding: .utf8)
            chown(path, 1000, 1000)
        }
        return source
    }

    /// A directory on the file system that holds the suite's program, which is a disk's or an overlay.
    private func diskFolder() throws -> String {
        let base = (CommandLine.arguments[0] as NSString).deletingLastPathComponent
        let path = "\(base)/\(Isolation.token)\((fresh("d") as NSString).lastPathComponent)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        later { try? FileManager.default.removeItem(atPath: path) }
        return path
    }
}

let idMappedMounts = Topic("idmap") { topic in
    for (options, below) in [(["rbind", "idmap"], "1000:1000"), (["rbind", "ridmap"], "7000:8000"), (["rbind"], "1000:1000")] {
        let name = options.joined(separator: ",")
        let rows = ["M-07", "M-08", options.last == "ridmap" ? "MO-34" : "MO-33"]
        topic.claim(
            "mappings of a mount with \(name) map \(below == "1000:1000" ? "it alone" : "what is below too")", rows: rows, since: "1.2.0"
        ) {
            lab in
            let source = try lab.ownedTree()
            if options.count == 1 { try lab.oursOnly() }
            let box = try lab.container(look) { $0.append("/mounts", mapped(source, options)) }
            try equal(try box.printed(), "7000:8000\n\(below)", "owners")
        }
    }

    topic.claim("a mount on a disk or overlay is id-mapped", rows: ["M-07", "MO-33"], since: "1.2.0") { lab in
        let source = try lab.ownedTree(onDisk: true)
        let box = try lab.container(look) { $0.append("/mounts", mapped(source, ["bind", "idmap"])) }
        let outcome = try box.run()
        if outcome.err.contains("does not support") { throw Skip("no id-mapped mounts on this file system") }
        try equal(outcome.out, "7000:8000\n", "owner (\(outcome.err))")
    }

    topic.claim("a relative source is id-mapped", rows: ["M-03", "M-07", "MO-33"], since: "1.2.0") { lab in
        let box = try lab.container(look) { $0.append("/mounts", mapped("beside", ["bind", "idmap"])) }
        try lab.command("mkdir", "\(box.bundle)/beside")
        try "".write(toFile: "\(box.bundle)/beside/file", atomically: false, encoding: .utf8)
        chown("\(box.bundle)/beside/file", 1000, 1000)
        try equal(try box.run { $0.directory = "/" }.out, "7000:8000\n", "owner")
    }

    topic.claim("a file is id-mapped", rows: ["M-07", "MO-33"], since: "1.2.0") { lab in
        let source = try lab.ownedTree()
        let box = try lab.container("stat -c %u:%g /data") { $0.append("/mounts", mapped("\(source)/file", ["bind", "idmap"])) }
        try equal(try box.printed(), "7000:8000", "owner")
    }

    for option in ["idmap=uids=1000-7000-1;gids=1000-8000-1", "ridmap=uids=0-0-1#1000-7000-1;gids=1000-8000-1"] {
        topic.claim("\(option.prefix(5)) carries its own mapping", rows: ["MO-33", "MO-34"]) { lab in
            try lab.oursOnly()
            let source = try lab.ownedTree()
            let box = try lab.container(look) { $0.mount("/data", type: "bind", source: source, ["rbind", option]) }
            try equal(try box.printed(), "7000:8000\n\(option.hasPrefix("r") ? "7000:8000" : "1000:1000")", "owners")
        }
    }

    for option in ["idmap", "ridmap"] {
        topic.claim(
            "\(option) without mappings takes the container's", rows: ["M-09", option == "idmap" ? "MO-33" : "MO-34"], since: "1.2.0"
        ) {
            lab in
            let source = try lab.ownedTree()
            let box = try lab.container(look) {
                $0.userNamespace(uids: [(0, 100_000, 65536)], gids: [(0, 200_000, 65536)])
                $0.mount("/data", type: "bind", source: source, ["rbind", option])
            }
            box.ownRootfs(100_000, 200_000)
            try equal(try box.printed(), "1000:1000\n\(option == "idmap" ? "65534:65534" : "1000:1000")", "owners")
        }
    }

    topic.claim("idmap without mappings takes those of a joined user namespace", rows: ["M-09", "MO-33", "N-03"], since: "1.2.0") { lab in
        let source = try lab.ownedTree()
        let first = try lab.container("exec sleep 100") { $0.userNamespace(uids: [(0, 100_000, 2000)], gids: [(0, 100_000, 2000)]) }
        first.ownRootfs(100_000, 100_000)
        try first.up()
        let path = "/proc/\(try first.pid())/ns/user"
        let second = try lab.container(look) {
            $0.join("user", path)
            $0.mount("/data", type: "bind", source: source, ["bind", "idmap"])
        }
        second.ownRootfs(100_000, 100_000)
        try equal(try second.printed(), "1000:1000", "owner")
    }

    topic.claim("a mapping of a mount may be relative to the container's, with @", rows: ["MO-34"]) { lab in
        try lab.oursOnly()
        let source = try lab.ownedTree()
        let box = try lab.container(look) {
            $0.userNamespace(uids: [(0, 100_000, 65536)], gids: [(0, 200_000, 65536)])
            $0.mount("/data", type: "bind", source: source, ["rbind", "ridmap=uids=@1000-70-1;gids=@1000-80-1"])
        }
        box.ownRootfs(100_000, 200_000)
        try equal(try box.printed(), "70:80\n70:80", "owners")
    }

    topic.claim(
        "what the container writes to an id-mapped mount has the file system's ids", rows: ["M-07", "M-08", "MO-33"], since: "1.2.0"
    ) { lab in
        let source = try lab.tmpfs()
        chown(source, 1000, 1000)
        let box = try lab.container("touch /data/new && stat -c %u:%g /data/new") {
            $0.append("/mounts", mapped(source, ["bind", "idmap"], uid: 0, gid: 0))
        }
        try equal(try box.printed(), "0:0", "owner inside")
        let owner = try Namespace.owner("\(source)/new")
        try equal([owner.uid, owner.gid], [1000, 1000], "owner outside")
    }

    topic.claim("an id-mapped mount obeys its other options", rows: ["MO-33", "MO-02", "MO-05"], since: "1.2.0") { lab in
        let source = try lab.ownedTree()
        let box = try lab.container { $0.append("/mounts", mapped(source, ["bind", "idmap", "ro", "noexec", "nosuid"])) }
        try box.mounted("/data").check(\.options, shows: ["ro", "noexec", "nosuid"], hides: [])
    }

    topic.claim("only one of the two mappings is refused", rows: ["M-07", "M-08"], since: "1.2.0") { lab in
        for name in ["uidMappings", "gidMappings"] {
            let box = try lab.container {
                var mount = mapped("/run", ["bind", "idmap"])
                mount[name] = nil
                $0.append("/mounts", mount)
            }
            try box.refused(lab.runtime.isSwoci ? "must be given together" : "")
        }
    }

    topic.claim("the mapping's helper is gone when the container stands", rows: ["M-07", "LC-15"], since: "1.2.0") { lab in
        let source = try lab.ownedTree()
        let box = try lab.container("exec sleep 100") { $0.append("/mounts", mapped(source, ["bind", "idmap"])) }
        try box.up()
        let names = lab.children.living().map { lab.read("/proc/\($0)/comm").trimmingCharacters(in: .newlines) }
        try expect(names.count <= 2, "processes beside the container's: \(names)")
    }
}

/// Images made on the spot: a static busybox in an archive of docker's form, which every engine can load.

import Foundation

enum Images {
    /// Busybox with its applets, a shell as its command.
    static let box = "localhost/box:latest"
    /// Its `/init` refuses to be anything but PID 1, as that of s6-overlay does.
    static let initial = "localhost/initial:latest"

    /// Sleeps, as the first container of a pod does.
    static let pause = "localhost/pause:latest"

    static let archives = ["box", "initial", "pause"].map { "\(EngineIsolation.scratch)/\($0).tar" }

    static func build(_ lab: Lab) throws {
        let tree = "\(EngineIsolation.scratch)/tree"
        try Rootfs.build(at: tree)
        try lab.command("tar", "-C", tree, "--owner=0", "--group=0", "--mtime=@0", "--sort=name", "-cf", "\(lab.directory)/base.tar", ".")
        let top = try lab.folder(["init": initScript])
        chmod("\(top)/init", 0o755)
        try lab.command("tar", "-C", top, "--owner=0", "--group=0", "--mtime=@0", "-cf", "\(lab.directory)/top.tar", "init")
        try archive(lab, box, layers: ["base"], ["Cmd": ["sh"]], to: archives[0])
        try archive(lab, initial, layers: ["base", "top"], ["Entrypoint": ["/init"]], to: archives[1])
        try archive(lab, pause, layers: ["base"], ["Entrypoint": ["sleep", "1000000"]], to: archives[2])
    }

    /// Starts the words it is given below itself, hands on TERM, reaps, and ends with their status.
    private static let initScript = """
        #!/bin/sh
        if [ $$ != 1 ]; then echo "init: can only run as pid 1" >&2; exit 100; fi
        trap 'kill -TERM $child; wait $child; exit $?' TERM
        "$@" &
        child=$!
        wait $child
        exit $?

        """

    /// Writes an archive: the layers, a config that names them by digest, and a manifest.
    private static func archive(_ lab: Lab, _ name: String, layers: [String], _ settings: Object, to path: String) throws {
        let digests = try layers.map { "sha256:" + (try lab.command("sha256sum", "\(lab.directory)/\($0).tar").line.prefix(64)) }
        let environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        let config: Object = [
            "architecture": machine, "os": "linux", "created": "1970-01-01T00:00:00Z",
            "config": settings.merging(["Env": environment]) { own, _ in own },
            "history": layers.map { ["created": "1970-01-01T00:00:00Z", "created_by": "COPY \($0) /"] },
            "rootfs": ["type": "layers", "diff_ids": digests] as Object,
        ]
        let manifest: [Object] = [["Config": "config.json", "RepoTags": [name], "Layers": layers.map { "\($0).tar" }]]
        try json(config).write(toFile: "\(lab.directory)/config.json", atomically: false, encoding: .utf8)
        try json(manifest).write(toFile: "\(lab.directory)/manifest.json", atomically: false, encoding: .utf8)
        let words = ["tar", "-C", lab.directory, "-cf", path, "manifest.json", "config.json"] + layers.map { "\($0).tar" }
        try equal(try lab.execute(Launch(arguments: words)).status, 0, "tar")
    }

    /// The machine's name as images have it.
    private static var machine: String {
        #if arch(arm64)
            "arm64"
        #else
            "amd64"
        #endif
    }

    static func json(_ value: Any) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys]), as: UTF8.self)
    }
}

/// Images made on the spot, in archives of docker's form, which every engine can load: a static busybox, and a small Debian.

import Foundation

enum Images {
    /// Busybox with its applets, a shell as its command.
    static let box = "localhost/box:latest"
    /// Its `/init` refuses to be anything but PID 1, as that of s6-overlay does.
    static let initial = "localhost/initial:latest"

    /// Sleeps, as the first container of a pod does.
    static let pause = "localhost/pause:latest"

    /// A small Debian with supervisors that are made to be PID 1.
    static let debian = "localhost/debian:latest"

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

    // MARK: Debian

    /// The archive, made when a scenario first asks for it.
    private static let debianArchive = "\(EngineIsolation.scratch)/debian.tar"

    /// Where its layer is kept between runs: making it takes the better part of a minute, and a network.
    private static let debianLayer =
        (ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache") + "/swoci/engines/debian.tar"

    /// Makes the layer where it is not kept yet, outside of all namespaces; a scenario that wants it says what went wrong.
    static func prepareDebian() {
        let script = (#filePath as NSString).deletingLastPathComponent + "/debian"
        let children = Children()
        let error = dup(2)
        defer { close(error) }
        do {
            let launch = Launch(
                arguments: [script, debianLayer], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], descriptors: [(2, error)])
            let status = try children.wait(for: children.start(launch), until: Deadline(seconds: 400), "debian")
            setenv("ENGINES_DEBIAN", "\(status)", 1)
        } catch {
            setenv("ENGINES_DEBIAN", "\(error)", 1)
        }
    }

    /// Loads it into the scenario's engine, which has it from then on.
    static func loadDebian(_ session: Session) throws {
        let made = ProcessInfo.processInfo.environment["ENGINES_DEBIAN"] ?? ""
        if made == "3" { throw Skip("there is no mmdebstrap") }
        try expect(made == "0", "the image could not be made: \(made)")
        if !FileManager.default.fileExists(atPath: debianArchive) {
            try FileManager.default.createSymbolicLink(atPath: "\(session.lab.directory)/debian.tar", withDestinationPath: debianLayer)
            try archive(session.lab, debian, layers: ["debian"], ["Cmd": ["bash"]], to: debianArchive)
        }
        let known = session.engine.name == .buildah ? ["images", "-q", debian] : ["image", "inspect", debian]
        if try session.call(known).status == 0 { return }
        try session.must(
            session.engine.name == .buildah ? ["pull", "docker-archive:\(debianArchive)"] : ["load", "-q", "-i", debianArchive])
    }

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
        let words = ["tar", "-C", lab.directory, "--dereference", "-cf", path, "manifest.json", "config.json"] + layers.map { "\($0).tar" }
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

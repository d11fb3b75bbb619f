/// dockerd with its own containerd, and the docker client.

import Foundation

final class Docker: Engine {
    let name = EngineName.docker
    let words: [String]
    let environment = Docker.basics
    let daemons: Set<String> = ["dockerd", "containerd"]
    let stateRoots: [String]

    private let runtime: String
    private let directory: String
    private let extra: [String: Any]
    private let prefix: [String]
    private var daemon: pid_t = 0

    /// A daemon in a directory of its own; extra lines go into its daemon.json, the prefix before its command.
    init(
        runtime: RuntimeUnderTest, directory: String = "\(EngineIsolation.scratch)/docker", extra: [String: Any] = [:],
        through prefix: [String] = []
    ) {
        self.runtime = runtime.path
        self.directory = directory
        self.extra = extra
        self.prefix = prefix
        words = ["docker", "--host", "unix://\(directory)/socket"]
        stateRoots = ["\(directory)/exec/runtime-runc/moby"]
    }

    func start(_ lab: Lab) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var settings: [String: Any] = [
            "data-root": "\(directory)/data", "exec-root": "\(directory)/exec", "pidfile": "\(directory)/pid",
            "hosts": ["unix://\(directory)/socket"], "exec-opts": ["native.cgroupdriver=cgroupfs"], "storage-driver": "overlay2",
            "runtimes": ["sut": ["path": runtime]], "default-runtime": "sut", "live-restore": true, "shutdown-timeout": 3,
        ]
        settings.merge(extra) { _, new in new }
        try Images.json(settings).write(toFile: "\(directory)/daemon.json", atomically: false, encoding: .utf8)
        try launch(lab)
        for archive in Images.archives { try need(lab, words + ["load", "-q", "-i", archive]) }
    }

    /// Starts the daemon and waits until it answers.
    func launch(_ lab: Lab) throws {
        let log = "\(directory)/log"
        let arguments = prefix + ["dockerd", "--config-file", "\(directory)/daemon.json"]
        daemon = try lab.children.start(Launch(arguments: arguments, environment: environment, output: log, error: log))
        try lab.eventually("dockerd: \(String(lab.read(log).suffix(300)))") {
            try expect(!lab.children.hasEnded(daemon), "dockerd ended: \(lab.read(log).suffix(600))")
            return try lab.execute(Launch(arguments: words + ["version"], environment: environment)).status == 0
        }
    }

    /// Kills the daemon alone, as its own crash would.
    func crash(_ lab: Lab) throws {
        kill(daemon, SIGKILL)
        _ = try lab.children.wait(for: daemon, until: lab.deadline, "dockerd")
    }

    func reset(_ lab: Lab) {
        let containers = list(lab, words + ["ps", "-aq"])
        if !containers.isEmpty { attempt(lab, words + ["rm", "-f"] + containers) }
        attempt(lab, words + ["volume", "prune", "-f"])
    }

    func stop(_ lab: Lab) {
        kill(daemon, SIGTERM)
        _ = try? lab.children.wait(for: daemon, until: Deadline(seconds: 15), "dockerd")
    }
}

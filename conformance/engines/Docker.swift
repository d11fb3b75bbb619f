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
    let daemon: Daemon

    /// A daemon in a directory of its own; extra lines go into its daemon.json, the prefix before its command.
    init(
        runtime: RuntimeUnderTest, directory: String = "\(EngineIsolation.scratch)/docker", extra: [String: Any] = [:],
        through prefix: [String] = []
    ) {
        self.runtime = runtime.path
        self.directory = directory
        self.extra = extra
        words = ["docker", "--host", "unix://\(directory)/socket"]
        daemon = Daemon(
            prefix + ["dockerd", "--config-file", "\(directory)/daemon.json"], log: "\(directory)/log", environment: environment,
            answers: words + ["version"])
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
        try daemon.start(lab)
        for archive in Images.archives { try need(lab, words + ["load", "-q", "-i", archive]) }
    }

    func reset(_ lab: Lab) {
        let containers = list(lab, words + ["ps", "-aq"])
        if !containers.isEmpty { attempt(lab, words + ["rm", "-f"] + containers) }
        attempt(lab, words + ["volume", "prune", "-f"])
    }

    func stop(_ lab: Lab) { daemon.stop(lab) }
}

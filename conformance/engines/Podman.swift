/// podman, with everything it keeps in the suite's scratch directory.

import Foundation

final class Podman: Engine {
    let name = EngineName.podman
    let words: [String]
    let environment: [String]
    let daemons: Set<String> = []
    let stateRoots: [String]

    private static let directory = "\(EngineIsolation.scratch)/podman"

    init(runtime: RuntimeUnderTest, through path: String? = nil) {
        let directory = Self.directory
        words =
            ["podman"] + Self.storage + [
                "--tmpdir", "\(directory)/tmp", "--network-config-dir", "\(directory)/net", "--cgroup-manager=cgroupfs",
                "--runtime", path ?? runtime.path, "--events-backend=file",
            ]
        environment =
            Self.basics + [
                "CONTAINERS_CONF=\(directory)/containers.conf", "CONTAINERS_STORAGE_CONF=\(directory)/storage.conf",
            ]
        stateRoots = [defaultStateRoot(runtime)]
    }

    /// The options that podman and buildah share.
    static let storage = ["--root", "\(directory)/root", "--runroot", "\(directory)/run"]

    func start(_ lab: Lab) throws {
        let directory = Self.directory
        try Self.configure()
        try FileManager.default.createDirectory(atPath: "\(directory)/net", withIntermediateDirectories: true)
        for archive in Images.archives { try need(lab, words + ["load", "-q", "-i", archive]) }
    }

    /// Writes the configuration: overlay storage, and swoci's own drop-in in the form that CONTAINERS_CONF takes.
    static func configure() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let settings = """
            [containers]
            log_driver = "k8s-file"
            [engine]
            infra_image = "\(Images.pause)"
            runtime_supports_json = ["crun", "runc", "swoci"]
            runtime_supports_nocgroup = ["crun", "swoci"]

            """
        try settings.write(toFile: "\(directory)/containers.conf", atomically: false, encoding: .utf8)
        try "[storage]\ndriver = \"overlay\"\ngraphroot = \"\(directory)/root\"\nrunroot = \"\(directory)/run\"\n".write(
            toFile: "\(directory)/storage.conf", atomically: false, encoding: .utf8)
    }

    func reset(_ lab: Lab) {
        attempt(lab, words + ["pod", "rm", "-a", "-f", "-t", "0"])
        attempt(lab, words + ["rm", "-a", "-f", "-t", "0"])
        attempt(lab, words + ["volume", "prune", "-f"])
    }

    func stop(_ lab: Lab) {}
}

/// What `conformance bench` measures: the engines with each runtime, and the runtimes by themselves on one bundle.

import Foundation

final class Bench {
    struct Measurement {
        let name: String
        /// What is run for the runtime of this number.
        let launch: (Int) throws -> Launch
    }

    private let runtimes: [RuntimeUnderTest]
    private let lab: Lab
    private let podmans: [Podman]
    private let docker: Docker
    /// Removes the containers in which exec is measured.
    private var undo: [() -> Void] = []

    init(_ runtimes: [RuntimeUnderTest], _ lab: Lab) throws {
        self.runtimes = runtimes
        self.lab = lab
        podmans = runtimes.map { Podman(runtime: $0) }
        let named = runtimes.enumerated().map { (Self.name($0.offset), ["path": $0.element.path]) }
        let table: Object = ["runtimes": Dictionary(uniqueKeysWithValues: named), "default-runtime": Self.name(0)]
        docker = Docker(runtime: runtimes[0], extra: table)
        try podmans[0].start(lab)
        try docker.start(lab)
    }

    func stop() {
        undo.forEach { $0() }
        docker.stop(lab)
    }

    /// How dockerd knows a runtime: "runc" is a name that it keeps to itself.
    private static func name(_ index: Int) -> String { "number\(index)" }

    func measurements() throws -> [Measurement] {
        var all: [Measurement] = []
        for options in [[], ["--network", "none"]] {
            let words = ["run", "--rm"] + options
            let name = words.joined(separator: " ") + " IMAGE true"
            all.append(
                Measurement(name: "podman \(name)") { [podmans] index in Self.launch(podmans[index], words + [Images.box, "true"]) })
            all.append(
                Measurement(name: "docker \(name)") { [docker] index in
                    Self.launch(docker, words + ["--runtime", Self.name(index), Images.box, "true"])
                })
        }
        all.append(try entering("exec of /bin/true, Docker's filter", filtered: true))
        all.append(try entering("exec of /bin/true, no filter", filtered: false))
        return all
    }

    private static func launch(_ engine: any Engine, _ words: [String]) -> Launch {
        Launch(arguments: engine.words + words, environment: engine.environment, error: "\(EngineIsolation.scratch)/bench-errors")
    }

    // MARK: The runtimes by themselves

    /// `exec` of a program that does nothing, in a container of each runtime from one bundle, which is as Docker makes it.
    private func entering(_ name: String, filtered: Bool) throws -> Measurement {
        let bundle = try bundle(filtered: filtered)
        let roots = runtimes.indices.map { "\(lab.directory)/state\(filtered)\($0)" }
        for (index, runtime) in runtimes.enumerated() {
            // A cgroup for each: the bundle's config is the same but for its name.
            let id = "bench\(filtered)\(index)"
            try configure(bundle) { $0["/linux/cgroupsPath"] = "/docker/\(id)" }
            for words in [["create", "--bundle", bundle, id], ["start", id]] {
                let outcome = try lab.execute(Launch(arguments: [runtime.path, "--root", roots[index]] + words, output: lab.fresh("out")))
                try expect(outcome.status == 0, "\(runtime.path) \(words[0]): \(outcome.err)")
            }
            undo.append { [lab] in
                _ = try? lab.execute(Launch(arguments: [runtime.path, "--root", roots[index], "delete", "--force", id]))
            }
        }
        return Measurement(name: name) { [runtimes, lab] index in
            Launch(
                arguments: [runtimes[index].path, "--root", roots[index], "exec", "bench\(filtered)\(index)", "/bin/true"],
                error: lab.fresh("err"))
        }
    }

    /// The bundle of one of Docker's containers, for use without Docker: its own root, and no files or hooks of Docker's.
    private func bundle(filtered: Bool) throws -> String {
        let running = try lab.execute(Self.launch(docker, ["run", "-d", "--network", "none", Images.box, "sleep", "100000"]))
        try expect(running.status == 0, "docker run: \(running.err)")
        let directory = "\(lab.directory)/bundle\(filtered)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let found = try lab.command(
            "find", EngineIsolation.scratch + "/docker/exec", "-path", "*.task/*/\(running.line)/*", "-name", "config.json")
        try FileManager.default.copyItem(atPath: found.line, toPath: "\(directory)/config.json")
        try lab.command("cp", "-a", "\(EngineIsolation.scratch)/tree", "\(directory)/rootfs")
        try configure(directory) { config in
            config["/root"] = ["path": "rootfs"]
            config["/hooks"] = nil
            let mounts = config["/mounts"] as? [Object] ?? []
            config["/mounts"] = mounts.filter { $0["type"] as? String != "bind" }
            if !filtered { config["/linux/seccomp"] = nil }
        }
        _ = try lab.execute(Self.launch(docker, ["rm", "-f", running.line]))
        return directory
    }

    private func configure(_ bundle: String, _ change: (inout Config) throws -> Void) throws {
        let path = "\(bundle)/config.json"
        var config = Config(root: try object(lab.read(path)))
        try change(&config)
        try Images.json(config.root).write(toFile: path, atomically: false, encoding: .utf8)
    }
}

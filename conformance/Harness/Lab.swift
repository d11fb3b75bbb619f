/// What a case works with: a scratch directory, containers, commands, and a clock that ends it.

import Foundation

final class Lab {
    let runtime: RuntimeUnderTest
    let children: Children
    let directory: String
    private(set) var deadline: Deadline
    private let tree: String
    private(set) var containers: [Container] = []
    private var undo: [() -> Void] = []
    /// What a case has to say besides its verdict.
    private(set) var notes: [String] = []

    init(runtime: RuntimeUnderTest, children: Children, tree: String, directory: String, seconds: Double) throws {
        self.runtime = runtime
        self.children = children
        self.tree = tree
        self.directory = directory
        deadline = Deadline(seconds: seconds)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    /// A container with a bundle of its own; nothing is created yet.
    func container(_ script: String = "true", _ change: (inout Config) throws -> Void = { _ in }) throws -> Container {
        let number = containers.count
        let id = "\(Isolation.token)-\((directory as NSString).lastPathComponent)-\(number)"
        let bundle = "\(directory)/b\(number)"
        try FileManager.default.createDirectory(atPath: bundle, withIntermediateDirectories: true)
        try command("cp", "-al", tree, "\(bundle)/rootfs")
        var config = Config.base(cgroupsPath: Isolation.cgroupsPath(of: id))
        config.script(script)
        try change(&config)
        let container = Container(lab: self, id: id, bundle: bundle, config: config)
        try container.save()
        containers.append(container)
        return container
    }

    /// Runs a program of the host and fails the case if it fails.
    @discardableResult
    func command(_ words: String...) throws -> Outcome {
        let outcome = try execute(Launch(arguments: words))
        try expect(outcome.status == 0, "\(words.joined(separator: " ")): status \(outcome.status): \(outcome.err)")
        return outcome
    }

    /// Runs the runtime with its own state directory.
    func run(_ words: [String], _ adjust: (inout Launch) -> Void = { _ in }) throws -> Outcome {
        var launch = Launch(arguments: [runtime.path, "--root", stateRoot] + (Isolation.usesSystemd ? ["--systemd-cgroup"] : []) + words)
        adjust(&launch)
        return try execute(launch)
    }

    /// Runs a program to its end and returns what it wrote to the files given, or to new ones.
    func execute(_ launch: Launch) throws -> Outcome {
        var launch = launch
        if launch.output == "/dev/null" { launch.output = fresh("out") }
        if launch.error == "/dev/null" { launch.error = fresh("err") }
        let status = try children.wait(for: children.start(launch), until: deadline, launch.arguments.joined(separator: " "))
        return Outcome(status: status, out: read(launch.output), err: read(launch.error))
    }

    /// Where the runtime keeps its state during this case.
    var stateRoot: String { "\(directory)/state" }

    /// A path in the scratch directory that is not taken yet.
    func fresh(_ name: String) -> String {
        counter += 1
        return "\(directory)/\(name)\(counter)"
    }
    private var counter = 0

    /// A new file in the scratch directory.
    func file(_ text: String, mode: mode_t = 0o644) throws -> String {
        let path = fresh("file")
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        chmod(path, mode)
        return path
    }

    /// The text of a file; empty when it cannot be read.
    func read(_ path: String) -> String {
        guard let data = FileManager.default.contents(atPath: path) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    /// Waits until a condition holds.
    func eventually(_ what: String, _ condition: () throws -> Bool) throws {
        while try !condition() {
            if deadline.passed { throw TimedOut(what: what) }
            _ = children.status(of: 0)
            usleep(2000)
        }
    }

    /// Registers a step of the clean-up; the last one registered runs first.
    func later(_ step: @escaping () -> Void) { undo.append(step) }

    /// Gives the rest of the case less time, where what could go wrong is a hang.
    func limit(seconds: Double) { deadline = Deadline(seconds: seconds) }

    func note(_ text: String) { notes.append(text) }

    /// Mounts a tmpfs on the host's side of the case and returns where.
    func tmpfs(at path: String? = nil, _ options: String = "mode=755") throws -> String {
        let point = path ?? fresh("tmpfs")
        try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
        try command("mount", "-t", "tmpfs", "-o", options, "tmpfs", point)
        later { umount2(point, Int32(MNT_DETACH)) }
        return point
    }

    /// A new directory in the scratch directory.
    func folder(_ files: [String: String] = [:]) throws -> String {
        let path = fresh("dir")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in files { try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8) }
        return path
    }

    /// Deletes the containers and undoes what was registered.
    func close() {
        deadline = Deadline(seconds: 10)
        children.reapsAll = true
        for container in containers.reversed() { container.removeByForce() }
        for step in undo.reversed() { step() }
    }
}

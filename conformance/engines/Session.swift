/// What a scenario works with: one engine, called as a person calls it.

import Foundation

final class Session {
    let engine: any Engine
    let lab: Lab

    init(engine: any Engine, lab: Lab) {
        self.engine = engine
        self.lab = lab
    }

    /// Calls the engine's program.
    func call(_ words: [String], input: String? = nil, environment: [String] = []) throws -> Outcome {
        var launch = try self.launch(words, environment: environment)
        if let input { launch.input = try lab.file(input) }
        return try lab.execute(launch)
    }

    func call(_ words: String..., input: String? = nil) throws -> Outcome { try call(words, input: input) }

    /// Calls the engine's program, which must succeed, and returns what it printed without the newline at the end.
    @discardableResult
    func must(_ words: [String], input: String? = nil) throws -> String {
        let outcome = try call(words, input: input)
        try expect(outcome.status == 0, "\(words.joined(separator: " ")): status \(outcome.status): \(outcome.out)\(outcome.err)")
        return outcome.line
    }

    @discardableResult
    func must(_ words: String..., input: String? = nil) throws -> String { try must(words, input: input) }

    /// How the engine's program is started, for a scenario that does not wait for it.
    func launch(_ words: [String], environment: [String] = []) throws -> Launch {
        Launch(arguments: engine.words + words, environment: engine.environment + environment, directory: lab.directory)
    }

    /// Starts the engine's program and goes on; its output goes to the file returned.
    func begin(_ words: [String], input: String = "/dev/null") throws -> (pid: pid_t, output: String) {
        var launch = try self.launch(words)
        launch.input = input
        launch.output = lab.fresh("out")
        launch.error = launch.output
        return (try lab.children.start(launch), launch.output)
    }

    /// Runs as many scripts at once, each by words of its own, and sees each succeed with its own output.
    func atOnce(_ count: Int, _ words: (Int, String) throws -> [String]) throws {
        let clients = try (1...count).map { try begin(try words($0, "sleep 0.2; echo number \($0)")) }
        for (number, client) in clients.enumerated() {
            try equal(try lab.children.wait(for: client.pid, until: lab.deadline, "number \(number + 1)"), 0, "status")
            try equal(lab.read(client.output), "number \(number + 1)\n", "output")
        }
    }

    /// A new name for a container.
    func name() -> String {
        Session.counter += 1
        return "box\(Session.counter)"
    }
    nonisolated(unsafe) private static var counter = 0

    // MARK: podman and docker

    /// Runs a script in a container to its end; the container is removed.
    func run(_ options: String, _ script: String, input: String? = nil) throws -> Outcome {
        try call(["run", "--rm"] + Self.split(options) + [Images.box, "sh", "-c", script], input: input)
    }

    /// Runs a script in a container to its end, which must be a success, and returns what it printed.
    func printed(_ options: String, _ script: String) throws -> String {
        try must(["run", "--rm"] + Self.split(options) + [Images.box, "sh", "-c", script])
    }

    /// Starts a container in the background and returns its name.
    func up(_ options: String = "", _ script: String = "exec sleep 1000") throws -> String {
        let name = name()
        try must(["run", "-d", "--name", name] + Self.split(options) + [Images.box, "sh", "-c", script])
        return name
    }

    /// Runs a script in a running container and returns what it printed.
    func exec(_ name: String, _ script: String) throws -> String { try must("exec", name, "sh", "-c", script) }

    /// A field of the container's description, in the template language of both engines.
    func inspect(_ name: String, _ field: String) throws -> String {
        try must("container", "inspect", "--format", "{{\(field)}}", name)
    }

    /// The container's first process, in the suite's PID namespace.
    func pid(_ name: String) throws -> pid_t {
        guard let pid = pid_t(try inspect(name, ".State.Pid")), pid > 0 else { throw Failure(message: "\(name) has no process") }
        return pid
    }

    /// Waits until the container has printed a text.
    func logged(_ name: String, _ text: String) throws {
        try lab.eventually("\(name) prints \(text)") {
            let outcome = try call("logs", name)
            return (outcome.out + outcome.err).contains(text)
        }
    }

    /// Words as a shell would split them; single quotes keep spaces together.
    static func split(_ text: String) -> [String] {
        text.split(separator: "'", omittingEmptySubsequences: false).enumerated().flatMap { number, part in
            number % 2 == 0 ? part.split(separator: " ").map(String.init) : [String(part)]
        }
    }

    /// Whether no process is left whose command line has a text in it.
    func none(of text: String) -> Bool {
        lab.children.living().allSatisfy { !lab.read("/proc/\($0)/cmdline").contains(text) }
    }
}

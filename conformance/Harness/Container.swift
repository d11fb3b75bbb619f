/// One container of a case: its bundle, its commands, its output.

import Foundation

final class Container {
    unowned let lab: Lab
    let id: String
    let bundle: String
    var config: Config
    /// Where the container's stdout and stderr go.
    let output: String
    let errors: String

    init(lab: Lab, id: String, bundle: String, config: Config) {
        self.lab = lab
        self.id = id
        self.bundle = bundle
        self.config = config
        output = "\(bundle)/stdout"
        errors = "\(bundle)/stderr"
    }

    var rootfs: String { "\(bundle)/rootfs" }

    /// Writes config.json.
    func save() throws { try config.bytes.write(to: URL(fileURLWithPath: "\(bundle)/config.json")) }

    // MARK: Commands whose outcome the case judges

    func create(_ options: [String] = [], _ adjust: (inout Launch) -> Void = { _ in }) throws -> Outcome {
        try lab.run(["create", "--bundle", bundle] + options + [id]) {
            $0.output = output
            $0.error = errors
            adjust(&$0)
        }
    }

    func start() throws -> Outcome { try lab.run(["start", id]) }
    func kill(_ signal: String) throws -> Outcome { try lab.run(["kill", id, signal]) }
    func delete(_ options: String...) throws -> Outcome { try lab.run(["delete"] + options + [id]) }

    /// The whole life in the foreground.
    func run(_ options: [String] = [], _ adjust: (inout Launch) -> Void = { _ in }) throws -> Outcome {
        try lab.run(["run", "--bundle", bundle] + options + [id], adjust)
    }

    // MARK: Commands that must succeed

    func created() throws {
        let outcome = try create()
        try expect(outcome.status == 0, "create failed with \(outcome.status): \(outcome.err)")
    }

    func started() throws {
        let outcome = try start()
        try expect(outcome.status == 0, "start failed with \(outcome.status): \(outcome.err)")
    }

    /// Creates and starts.
    func up() throws {
        try created()
        try started()
    }

    /// Runs to the end in the foreground and returns what the payload printed; its status must be 0.
    func printed() throws -> String {
        let outcome = try run()
        try expect(outcome.status == 0, "run ended with \(outcome.status): \(outcome.out)\(outcome.err)")
        return outcome.line
    }

    /// The words of each line that the payload printed; there must be so many lines.
    func printed(lines count: Int) throws -> [[String]] {
        let lines = try printed().split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
        try equal(lines.count, count, "number of lines")
        return lines
    }

    /// Creates, starts and waits for the payload's end; returns the init's exit status.
    func lived() throws -> Int32 {
        try created()
        let pid = try self.pid()
        try started()
        return try ended(pid)
    }

    /// Waits for the end of the init, which the suite adopts when `create` returns.
    func ended(_ pid: pid_t) throws -> Int32 {
        try lab.children.wait(for: pid, until: lab.deadline, "the end of the container's init")
    }

    /// Fails the case unless `create` is refused with these words, leaving no container.
    func refused(_ words: String...) throws { try refused(contentsOf: words) }

    /// Fails the case unless `create` is refused with these words, leaving no container.
    func refused(contentsOf words: [String]) throws {
        let outcome = try create()
        try conformance.refused(outcome, "create")
        for word in words { try contains(outcome.err.lowercased(), word.lowercased(), "message of create") }
        try gone()
    }

    /// Fails the case if the runtime still knows the container or its cgroup still exists.
    func gone() throws {
        let state = try lab.run(["state", id])
        try expect(state.status != 0, "the container is still known: \(state.out)")
        let left = Cgroups.existing(Isolation.cgroup(of: id))
        try expect(left.isEmpty, "cgroups left: \(left.joined(separator: " "))")
    }

    // MARK: State

    /// The state JSON.
    func state() throws -> Object {
        let outcome = try lab.run(["state", id])
        try expect(outcome.status == 0, "state failed: \(outcome.err)")
        return try object(outcome.out)
    }

    func status() throws -> String { try state()["status"] as? String ?? "" }
    func pid() throws -> pid_t { (try state()["pid"] as? NSNumber)?.int32Value ?? 0 }

    func stopped() throws { try lab.eventually("the container to be stopped") { try status() == "stopped" } }

    /// What the payload wrote so far.
    var text: String { lab.read(output) }

    /// Waits until the payload has written the text.
    func writes(_ part: String) throws {
        try lab.eventually("\(part.debugDescription) in the output, which is \(text.debugDescription)") { text.contains(part) }
    }

    func removeByForce() {
        _ = try? lab.run(["delete", "--force", id])
    }
}

/// A JSON object from text.
func object(_ text: String) throws -> Object {
    guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object else {
        throw Failure(message: "not a JSON object: \(text.debugDescription)")
    }
    return object
}

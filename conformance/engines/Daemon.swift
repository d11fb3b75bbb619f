/// An engine's daemon: started, waited for, killed as by its own crash, stopped.

import Foundation

final class Daemon {
    private let launch: Launch
    /// A client's call that succeeds once the daemon answers.
    private let question: Launch
    private var pid: pid_t = 0

    /// A daemon whose output goes to a log.
    init(_ words: [String], log: String, environment: [String], answers question: [String]) {
        launch = Launch(arguments: words, environment: environment, output: log, error: log)
        self.question = Launch(arguments: question, environment: environment)
    }

    /// The program's name, without what it is started through.
    private var name: String { (question.arguments[0] as NSString).lastPathComponent + "'s daemon" }

    /// Starts it and waits until it answers.
    func start(_ lab: Lab) throws {
        pid = try lab.children.start(launch)
        try lab.eventually("\(name) answers") {
            try expect(!lab.children.hasEnded(pid), "\(name) ended: \(lab.read(launch.output).suffix(600))")
            return try lab.execute(question).status == 0
        }
    }

    /// Kills it alone, as its own crash would.
    func crash(_ lab: Lab) throws {
        kill(pid, SIGKILL)
        _ = try lab.children.wait(for: pid, until: lab.deadline, name)
    }

    /// Kills it, and starts it again.
    func comesBack(_ lab: Lab) throws {
        try crash(lab)
        try start(lab)
    }

    func stop(_ lab: Lab) {
        kill(pid, SIGTERM)
        _ = try? lab.children.wait(for: pid, until: Deadline(seconds: 15), name)
    }
}

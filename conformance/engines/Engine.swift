/// An engine: how its program is called, what must run for it, and how it is brought back to having no containers.

import Foundation

protocol Engine: AnyObject {
    var name: EngineName { get }
    /// The program and the options that go before each command.
    var words: [String] { get }
    var environment: [String] { get }
    /// The names of the processes that may stay between scenarios.
    var daemons: Set<String> { get }
    /// Where the runtime keeps its state for this engine.
    var stateRoots: [String] { get }

    /// Makes the engine ready, with the images loaded.
    func start(_ lab: Lab) throws
    /// Removes all containers.
    func reset(_ lab: Lab)
    func stop(_ lab: Lab)
}

extension Engine {
    /// What every engine's program finds in its environment.
    static var basics: [String] {
        [
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=\(EngineIsolation.scratch)/home", "TMPDIR=\(EngineIsolation.scratch)/tmp",
            "LC_ALL=C.UTF-8",
        ]
    }

    /// Runs a program that must succeed.
    func need(_ lab: Lab, _ words: [String], input: String = "/dev/null") throws {
        let outcome = try lab.execute(Launch(arguments: words, environment: environment, input: input))
        try expect(outcome.status == 0, "\(words.joined(separator: " ")): status \(outcome.status): \(outcome.err)")
    }

    /// Runs a program whose success does not matter.
    func attempt(_ lab: Lab, _ words: [String]) {
        _ = try? lab.execute(Launch(arguments: words, environment: environment))
    }

    /// The words that a program prints, one for each line.
    func list(_ lab: Lab, _ words: [String]) -> [String] {
        (try? lab.execute(Launch(arguments: words, environment: environment)).lines) ?? []
    }
}

/// The runtime's own default directory.
func defaultStateRoot(_ runtime: RuntimeUnderTest) -> String { "/run/\((runtime.path as NSString).lastPathComponent)" }

/// What a scenario is: something that a person does with an engine, and what must come of it.

import Foundation

/// The engines, in the order in which they are driven.
enum EngineName: String, CaseIterable, Sendable {
    case podman, buildah, docker, containerd, cri
}

struct Scenario: Sendable {
    let engine: EngineName
    let claim: String
    let seconds: Double
    let body: @Sendable (Session) throws -> Void

    /// How the scenario is named in reports and by filters.
    var name: String { "\(engine.rawValue): \(claim)" }
}

/// Scenarios about one subject, in one file.
struct Subject: Sendable {
    private(set) var scenarios: [Scenario] = []

    init(_ describe: (inout Subject) -> Void) { describe(&self) }

    /// Adds a claim for each of the engines.
    mutating func claim(
        _ claim: String, of engines: [EngineName], seconds: Double = 40, _ body: @escaping @Sendable (Session) throws -> Void
    ) {
        for engine in engines { scenarios.append(Scenario(engine: engine, claim: claim, seconds: seconds, body: body)) }
    }

    /// Adds a claim about a container that is run to its end, for each of the engines whose options are given.
    mutating func claim(_ claim: String, _ options: Options, _ script: String, _ expected: Expected) {
        for (engine, words) in [(EngineName.podman, options.podman), (.docker, options.docker)] {
            guard let words else { continue }
            scenarios.append(
                Scenario(engine: engine, claim: claim, seconds: 30) { session in
                    try expected.judge(try session.run(words, script))
                })
        }
    }

    /// The options of `podman run` and `docker run`, as they are typed; nil where the engine has no such option.
    struct Options: ExpressibleByStringInterpolation {
        var podman: String?
        var docker: String?

        init(stringLiteral both: String) {
            podman = both
            docker = both
        }

        init(podman: String? = nil, docker: String? = nil) {
            self.podman = podman
            self.docker = docker
        }
    }
}

/// What running a container should come to.
enum Expected: Sendable {
    /// It succeeds, and this is its output without the newline at the end.
    case prints(String)
    /// It succeeds, and this is in its output.
    case shows(String)
    /// It fails with this status, and the text is in its output or its errors, in any case of letters.
    case fails(Int32, String)
    /// It fails, however, and says something.
    case refuses

    func judge(_ outcome: Outcome) throws {
        switch self {
        case .prints(let text):
            try equal(outcome.status, 0, "status (\(outcome.err))")
            try equal(outcome.line, text, "output")
        case .shows(let text):
            try equal(outcome.status, 0, "status (\(outcome.err))")
            try contains(outcome.out, text, "output")
        case .fails(let status, let text):
            try equal(outcome.status, status, "status (\(outcome.err))")
            try contains((outcome.out + outcome.err).lowercased(), text.lowercased(), "what it said")
        case .refuses: try refused(outcome, "the run")
        }
    }
}

/// The runtime binary and what it says about itself.

import Foundation

struct RuntimeUnderTest {
    let path: String
    /// The first line of `--version`.
    let version: String
    /// The `features` document; empty where the command is missing.
    let features: Object
    /// The commands beyond the specification's five that the runtime has, by the status of their `--help`.
    let commands: Set<String>

    init(path: String, children: Children) throws {
        self.path = path
        func ask(_ word: String) throws -> String {
            let output = "\(Isolation.scratch)/answer\(word)"
            unlink(output)
            let pid = try children.start(Launch(arguments: [path, word], output: output))
            _ = try children.wait(for: pid, until: Deadline(seconds: 10), "\(path) \(word)")
            return (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        }
        version = String(try ask("--version").prefix { $0 != "\n" })
        features = (try? object(ask("features"))) ?? [:]
        var commands: Set<String> = []
        for command in ["events", "exec", "pause", "resume", "update", "ps", "wait", "mounts", "checkpoint", "restore"] {
            let pid = try children.start(Launch(arguments: [path, command, "--help"], output: "\(Isolation.scratch)/help"))
            if try children.wait(for: pid, until: Deadline(seconds: 10), "\(path) \(command)") == 0 { commands.insert(command) }
        }
        self.commands = commands
    }

    /// Whether this is our own runtime, which has extensions.
    var isSwoci: Bool { version.hasPrefix("swoci") }

    /// Whether the runtime declares a spec release; one without a `features` command knows none later than 1.0.2.
    func supports(spec release: String) -> Bool {
        let declared = features["ociVersionMax"] as? String ?? "1.0.2"
        return Self.numbers(release).lexicographicallyPrecedes(Self.numbers(declared)) || Self.numbers(release) == Self.numbers(declared)
    }

    /// Skips the case where the runtime's `features` do not list a mount option.
    func require(mountOption option: String) throws {
        let known = features["mountOptions"] as? [String] ?? []
        if !known.contains(option) { throw Skip("the runtime does not list the mount option \(option)") }
    }

    private static func numbers(_ release: String) -> [Int] {
        release.prefix { $0.isNumber || $0 == "." }.split(separator: ".").compactMap { Int($0) }
    }
}

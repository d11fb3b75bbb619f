/// The suite's own command line.

import Foundation

struct Options {
    static let usage = """
        Usage: conformance [--runtime PATH] [--filter TEXT]... [--list]

        Black-box conformance cases for an OCI runtime; needs root.

          --runtime PATH   the runtime to test (or RUNTIME=PATH; default: the package's release swoci)
          --filter TEXT    only cases of this topic, with this spec row, or with TEXT in their name; repeatable
          --list           print the chosen cases and run nothing

        CONFORMANCE_LAYOUT=v1 hides a unified hierarchy that stands beside cgroup v1 controllers; CONFORMANCE_LAYOUT=v2 shows
        nothing but the unified hierarchy, with the controllers that are left for it.
        CONFORMANCE_CGROUP_MANAGER=systemd runs the cases with --systemd-cgroup and scopes in place of cgroup paths, on a host whose
        systemd answers; then without a PID namespace of the suite's own, because systemd knows processes by the host's numbers.
        CONFORMANCE_SECONDS=N gives a case N seconds instead of 15, for a slow machine.
        CONFORMANCE_TRIES=N tries a case that fails N times in all; what passes late is named as unsteady.
        """

    var runtime = ""
    var filters: [String] = []
    var list = false
    var help = false

    init(arguments: [String], environment: [String: String]) throws {
        var rest = arguments[...]
        var wanted = environment["RUNTIME"]
        while let word = rest.popFirst() {
            let pair = word.split(separator: "=", maxSplits: 1).map(String.init)
            func value() throws -> String {
                if pair.count == 2 { return pair[1] }
                guard let next = rest.popFirst() else { throw Complaint("\(word) needs a value") }
                return next
            }
            switch pair[0] {
            case "--runtime": wanted = try value()
            case "--filter": filters.append(try value())
            case "--list": list = true
            case "--help", "-h": help = true
            default: throw Complaint("unknown option \(word)\n\(Self.usage)")
            }
        }
        runtime = try Self.find(wanted ?? Self.ownRelease())
    }

    /// Whether a case is chosen by the filters; without filters every case is.
    func selects(_ claim: Case, of topic: String) -> Bool {
        filters.isEmpty
            || filters.contains { filter in
                let named = Conformance.topics.contains { $0.name == filter }
                return named ? filter == topic : claim.rows.contains(filter) || claim.name.contains(filter)
            }
    }

    /// The release build of this package: `.build/release/swoci`, seen from the running program.
    static func ownRelease() -> String {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return own.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("release/swoci").path
    }

    /// The absolute path of a program given by path or by name.
    static func find(_ name: String) throws -> String {
        if name.contains("/") {
            return URL(fileURLWithPath: name).path
        }
        for directory in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
            let path = "\(directory)/\(name)"
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw Complaint("no program \(name) on PATH")
    }
}

/// An error that is only a sentence.
struct Complaint: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The entry: picks the runtime and the cases, goes into namespaces of its own, runs, and counts.

import Foundation

@main
enum Conformance {
    /// Every topic, in the order in which they run.
    static let topics: [Topic] = [
        lifecycle, running, waiting, killing, deleting, listing, pausing, configErrors, namespaces, namespaceErrors, networkDevices,
        networkScenario, nestedUserNamespaces,
        rootfs, mounts, mountErrors, linkMounts, copyUp, idMappedMounts, containerMounts, process, scheduling, terminal,
        seccomp, seccompAgent, cgroups, updates, events, hooks, rollBack, initProcess, security, publishedWeaknesses, races,
        exec, execCommand, execProcess, execNamespaces, execSecurity,
        checkpointing, engineContract,
        extensions,
        seccompProfiles, annotations, features, commandLine, startOutcome, securityProcess, securityState,
    ]

    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        if words.first == "engines" { return Engines.main(Array(words.dropFirst())) }
        if words.first == "bench" { return Benchmark.main(Array(words.dropFirst())) }
        let options: Options
        do {
            options = try Options(arguments: words, environment: ProcessInfo.processInfo.environment)
        } catch {
            complain("\(error)")
            exit(2)
        }
        if options.help {
            print(Options.usage)
            return
        }
        let chosen = topics.flatMap { topic in topic.cases.filter { options.selects($0, of: topic.name) }.map { (topic.name, $0) } }
        if options.list {
            for (topic, claim) in chosen { print("\(topic): \(claim.name) [\(claim.rows.joined(separator: " "))]") }
            return
        }
        do {
            try Isolation.enter(options)
            let suite = try Suite(runtime: options.runtime)
            exit(suite.run(chosen) ? 0 : 1)
        } catch {
            complain("\(error)")
            exit(2)
        }
    }

    /// One line on stderr.
    static func complain(_ message: String) {
        FileHandle.standardError.write(Data("conformance: \(message)\n".utf8))
    }
}

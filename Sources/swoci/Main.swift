/// The entry of swoci: one command a call.

import Linux
import Runtime

/// Takes the words apart, runs the command, reports what went wrong.
@c(swoci_main)
func main(_ count: Int32, _ arguments: UnsafePointer<UnsafePointer<CChar>?>) -> Int32 {
    openMissingStandardFiles()
    settleSignals()
    // The program's name does not matter: engines call through links. There may even be none.
    var words: [String] = []
    for index in 1..<max(1, Int(count)) {
        if let word = arguments[index] { words.append(String(cString: word)) }
    }
    return run(words, Environment(after: arguments, Int(count)))
}

/// Runs a command line and returns the exit status.
func run(_ words: [String], _ environment: Environment) -> Int32 {
    var reporter = Reporter()
    let invocation: Invocation
    do throws(UsageError) { invocation = try parseArguments(words) } catch {
        reporter = (try? Reporter(error.globals)) ?? reporter
        reporter.error(error.message + (error.command.map { "; see swoci \($0.rawValue) --help" } ?? ""))
        return error.command?.failureStatus ?? error.status
    }
    do throws(Failure) {
        reporter = try Reporter(invocation.globals)
        switch invocation.request {
        case .help(let command): try print(helpText(command))
        case .version: try print(versionText())
        case .run(let command): return try run(command, Context(invocation, environment, reporter))
        }
        return 0
    } catch {
        reporter.failure(error)
        if case .run(let command) = invocation.request { return command.failureStatus ?? 1 }
        return 1
    }
}

extension Command {
    /// The exit status of a failure, where another one than usual tells it from the status of a process that was run (CLI-08).
    fileprivate var failureStatus: Int32? { self == .exec ? 255 : nil }
}

/// Runs a command and returns the exit status.
private func run(_ command: Command, _ context: Context) throws(Failure) -> Int32 {
    switch command {
    case .checkpoint: try checkpoint(context)
    case .completion: try completion(context)
    case .create: try create(context)
    case .delete: try delete(context)
    case .events: try events(context)
    case .exec: return try exec(context)
    case .features: try features(context)
    case .kill: try kill(context)
    case .list: try list(context)
    case .mounts: try mounts(context)
    case .pause: try pause(context)
    case .plan: try plan(context)
    case .ps: try processes(context)
    case .restore: return try restore(context)
    case .resume: try resume(context)
    case .run: return try runContainer(context)
    case .spec: try spec(context)
    case .start: try start(context)
    case .state: try state(context)
    case .update: try update(context)
    case .validate: return validate(context)
    case .wait: try wait(context)
    }
    return 0
}

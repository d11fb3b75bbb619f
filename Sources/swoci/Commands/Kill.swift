/// `swoci kill`

import Runtime

func kill(_ context: Context) throws(Failure) {
    let name = context.operands.count == 2 ? context.operands[1] : context.options["signal"]
    let signal: SignalNumber? = if let name { try SignalNumber(name) } else { nil }
    let store = try context.store()
    let all = context.options.isSet("all")
    guard context.options.isSet("regex") else { return try store.kill(context.containerID(), signal, all: all) }
    try context.forEachMatch { id throws(Failure) in
        do throws(Failure) { try store.kill(id, signal, all: all) } catch {
            // Of many, those that have ended need no signal.
            if error.kind != .notRunning && error.kind != .notFound { throw error }
        }
    }
}

extension Context {
    /// Does something for every container whose id the first operand, a pattern, is found in.
    ///
    /// - Throws: After all of them, the last failure; the others have been reported.
    func forEachMatch(_ act: (ContainerID) throws(Failure) -> Void) throws(Failure) {
        guard let pattern = IDPattern(operands[0]) else {
            throw Failure("read the pattern", operands[0], detail: "not a POSIX extended regular expression", kind: .usage)
        }
        var last: Failure?
        for id in try store().ids() where pattern.matches(id.name) {
            do throws(Failure) { try act(id) } catch {
                if let last { reporter.warning(last.message) }
                var failure = error
                failure.hint = failure.hint ?? "container \(id.name)"
                last = failure
            }
        }
        if let last { throw last }
    }
}

/// `swoci events`

import Runtime

func events(_ context: Context) throws(Failure) {
    let id = try context.containerID()
    let store = try context.store()
    let interval = try context.interval()
    if context.options.isSet("stats") { return try print(store.statistics(id).line(id) + "\n") }
    try store.watch(id, interval: interval) { event throws(Failure) in try print(event.line(id) + "\n") }
}

extension Context {
    /// The option `--interval` in milliseconds, rounded up.
    fileprivate func interval() throws(Failure) -> Int {
        guard let text = options["interval"] else { return 5000 }
        guard let nanoseconds = durationInNanoseconds(text) else {
            throw Failure(
                "Incorrect Usage: invalid value \"\(text)\" for flag -interval: parse error", hint: "a duration such as 100ms, 5s or 1m30s",
                kind: .usage)
        }
        guard nanoseconds > 0 else { throw Failure("duration interval must be greater than 0", kind: .usage) }
        return Int((nanoseconds + 999_999) / 1_000_000)
    }
}

/// One rule: does the init become the payload, or supervise it?

internal import Spec

/// What the rule looks at.
struct PayloadPlacement {
    /// The payload's args; empty without a process.
    var arguments: [String]
    /// The beginning of the program's file where that is a script; else empty.
    var script: [UInt8] = []
    /// Whether the container has a PID namespace of its own making.
    var hasNewPIDNamespace: Bool
    /// linux.resources.pids.limit.
    var pidLimit: Int64?
    /// Whether sockets are passed on: LISTEN_PID is written before the payload's id could be any other than 1.
    var passesSockets: Bool
    /// The annotation's value.
    var wish: String?

    /// Whether the init becomes the payload; nil for a wish that is neither of the two.
    ///
    /// 1. Without a new PID namespace nobody else may be PID 1, and with socket activation the payload must be: exec.
    /// 2. Else the annotation says it.
    /// 3. Else a program that is itself an init or hands over to one, or a limit of less than two processes: exec.
    /// 4. Else supervise.
    var execsInPlace: Bool? {
        if let wish, wish != "exec", wish != "supervise" { return nil }
        if !hasNewPIDNamespace || passesSockets { return true }
        if let wish { return wish == "exec" }
        if let pidLimit, 0...1 ~= pidLimit { return true }
        return arguments.isEmpty || InitCommand.isNamed(by: arguments) || InitCommand.script(script)
    }
}

/// One rule: does the init become the payload, or supervise it?

internal import Spec

/// What the rule looks at.
struct PayloadPlacement {
    /// Programs that are made to be PID 1.
    static let initPrograms = [
        "init", "systemd", "tini", "tini-static", "dumb-init", "catatonit", "docker-init", "podman-init", "s6-svscan", "s6-overlay-suexec",
    ]
    /// args[0]; nil without a process.
    var program: String?
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
    /// 3. Else a program that is itself an init, or a limit of less than two processes: exec.
    /// 4. Else supervise.
    var execsInPlace: Bool? {
        if let wish, wish != "exec", wish != "supervise" { return nil }
        if !hasNewPIDNamespace || passesSockets { return true }
        if let wish { return wish == "exec" }
        if let pidLimit, 0...1 ~= pidLimit { return true }
        guard let program else { return true }
        return Self.initPrograms.contains(lastComponent(program))
    }
}

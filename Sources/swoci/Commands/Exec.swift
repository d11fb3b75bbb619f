/// `swoci exec`

import Runtime

func exec(_ context: Context) throws(Failure) -> Int32 {
    let options = context.options
    var request = ExecRequest(id: try context.containerID())
    request.arguments = Array(context.operands.dropFirst())
    request.processFile = options["process"]
    guard !request.arguments.isEmpty || request.processFile != nil else {
        throw Failure("run a process", detail: "name a program, or give --process FILE", kind: .usage)
    }
    request.cwd = options["cwd"]
    request.environment = options.values("env")
    request.hasTerminal = options.isSet("tty")
    request.user = options["user"]
    request.additionalGroups = options.values("additional-gids")
    request.capabilities = options.values("cap")
    request.noNewPrivileges = options.isSet("no-new-privs")
    request.appArmorProfile = options["apparmor"]
    request.processLabel = options["process-label"]
    request.cgroups = options.values("cgroup")
    request.preservedDescriptors = try context.number("preserve-fds") ?? 0
    request.pidFile = options["pid-file"]
    request.consoleSocket = options["console-socket"]
    request.pidfdSocket = options["pidfd-socket"]
    request.isDetached = options.isSet("detach")
    request.ignoresPause = options.isSet("ignore-paused")
    return try context.store().exec(request) { context.reporter.warning($0) }
}

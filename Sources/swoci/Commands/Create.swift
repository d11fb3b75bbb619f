/// `swoci create`, and the request that `swoci run` makes as well

import Runtime

func create(_ context: Context) throws(Failure) {
    let container = try createContainer(createRequest(context), store: context.store())
    for remark in container.remarks { context.reporter.remark(remark) }
}

/// What the options and the environment ask for.
func createRequest(_ context: Context) throws(Failure) -> CreateRequest {
    var request = CreateRequest(id: try context.containerID(), bundle: try context.bundle(operand: 1))
    request.consoleSocket = context.options["console-socket"]
    request.config = context.options["config"]
    request.pidFile = context.options["pid-file"]
    request.pidfdSocket = context.options["pidfd-socket"]
    request.preservedDescriptors = try context.number("preserve-fds") ?? 0
    request.listenDescriptors = try context.listenDescriptors()
    request.listenNames = context.environment["LISTEN_FDNAMES"]
    request.notifySocket = context.environment["NOTIFY_SOCKET"]
    request.noPivot = context.options.isSet("no-pivot")
    request.noNewKeyring = context.options.isSet("no-new-keyring")
    request.explains = context.globals.isSet("debug") || context.globals["log-level"] == "debug"
    try request.takeCgroupManager(context)
    return request
}

extension CreateRequest {
    /// Takes over who manages the cgroup, and what he is found by.
    mutating func takeCgroupManager(_ context: Context) throws(Failure) {
        cgroupManager = try context.cgroupManager()
        isRootless = try context.isRootless()
        runtimeDirectory = context.environment["XDG_RUNTIME_DIR"]
        sessionBus = context.environment["DBUS_SESSION_BUS_ADDRESS"]
    }
}

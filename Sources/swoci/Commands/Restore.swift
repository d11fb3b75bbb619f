/// `swoci restore`

import Runtime

func restore(_ context: Context) throws(Failure) -> Int32 {
    var create = CreateRequest(id: try context.containerID(), bundle: context.options["bundle"] ?? ".")
    create.consoleSocket = context.options["console-socket"]
    create.pidFile = context.options["pid-file"]
    create.preservedDescriptors = try context.number("preserve-fds") ?? 0
    create.isDetached = context.options.isSet("detach")
    try create.takeCgroupManager(context)
    var request = RestoreRequest(create: create, settings: try criuSettings(context))
    request.tcpClose = context.options.isSet("tcp-close")
    request.lsmProfile = context.options["lsm-profile"].flatMap { $0.isEmpty ? nil : $0 }
    request.lsmMountContext = context.options["lsm-mount-context"].flatMap { $0.isEmpty ? nil : $0 }
    let store = try context.store()
    if !create.isDetached && !context.options.isSet("no-subreaper") { try becomeSubreaper() }
    let container = try restoreContainer(request, store: store)
    for remark in container.remarks { context.reporter.warning(remark) }
    if create.isDetached { return 0 }
    var status: Int32 = 0
    do throws(Failure) {
        container.adoptSize()
        status = try store.waitForEnd(create.id, container, holdSignals())
    } catch {
        _ = try? store.delete(create.id, force: true)
        throw error
    }
    for warning in try store.delete(create.id, force: true) { context.reporter.warning(warning) }
    return status
}

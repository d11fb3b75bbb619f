/// `swoci run`

import Runtime

func runContainer(_ context: Context) throws(Failure) -> Int32 {
    var request = try createRequest(context)
    let store = try context.store()
    let detaches = context.options.isSet("detach")
    request.isDetached = detaches
    if !detaches && !context.options.isSet("no-subreaper") { try becomeSubreaper() }
    let container = try createContainer(request, store: store)
    for remark in container.remarks { context.reporter.warning(remark) }
    var status: Int32 = 0
    do throws(Failure) {
        // Signals are held back before the payload can end: none is lost between start and wait.
        let signals = detaches ? nil : try holdSignals()
        container.adoptSize()
        for warning in try store.start(request.id) { context.reporter.warning(warning) }
        if let signals { status = try store.waitForEnd(request.id, container, signals) }
    } catch {
        _ = try? store.delete(request.id, force: true)
        throw error
    }
    if detaches { return status }
    if context.options.isSet("keep") {
        store.noteExit(request.id, status: status)
    } else {
        for warning in try store.delete(request.id, force: true) { context.reporter.warning(warning) }
    }
    return status
}

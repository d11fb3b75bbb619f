/// `swoci delete`

import Runtime

func delete(_ context: Context) throws(Failure) {
    let store = try context.store()
    let force = context.options.isSet("force")
    func delete(_ id: ContainerID) throws(Failure) {
        for warning in try store.delete(id, force: force) { context.reporter.warning(warning) }
    }
    if !context.options.isSet("regex") { return try delete(context.containerID()) }
    try context.forEachMatch { id throws(Failure) in
        do throws(Failure) { try delete(id) } catch {
            // Somebody else has deleted it meanwhile.
            if error.kind != .notFound { throw error }
        }
    }
}

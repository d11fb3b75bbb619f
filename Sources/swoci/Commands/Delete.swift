/// `swoci delete`

import Runtime

func delete(_ context: Context) throws(Failure) {
    let warnings = try context.store().delete(context.containerID(), force: context.options.isSet("force"))
    for warning in warnings { context.reporter.warning(warning) }
}

/// `swoci start`

import Runtime

func start(_ context: Context) throws(Failure) {
    for warning in try context.store().start(context.containerID()) { context.reporter.warning(warning) }
}

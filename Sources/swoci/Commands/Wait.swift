/// `swoci wait`

import Runtime

func wait(_ context: Context) throws(Failure) {
    let id = try context.containerID()
    try print(context.store().waitForExit(id).json(id) + "\n")
}

/// `swoci plan`

import Runtime

func plan(_ context: Context) throws(Failure) {
    var request = CreateRequest(id: try ContainerID("plan"), bundle: try context.bundle(operand: 0))
    try request.takeCgroupManager(context)
    var text = ""
    for line in try describePlan(request) { text += line + "\n" }
    try print(text)
}

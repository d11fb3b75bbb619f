/// `swoci plan`

import Runtime

func plan(_ context: Context) throws(Failure) {
    let request = CreateRequest(id: try ContainerID("plan"), bundle: try context.bundle(operand: 0))
    var text = ""
    for line in try describePlan(request) { text += line + "\n" }
    try print(text)
}

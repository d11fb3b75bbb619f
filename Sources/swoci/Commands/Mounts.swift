/// `swoci mounts`

import Runtime

func mounts(_ context: Context) throws(Failure) {
    let action = context.operands[0]
    let id = try ContainerID(context.operands[1])
    let store = try context.store()
    let file = context.operands.count == 3 ? context.operands[2] : nil
    switch (action, file) {
    case ("list", nil): try print(store.mounts(id) + "\n")
    case ("add", .some(let file)): try store.addMounts(id, try readDocument(file, "read the mounts"))
    case ("remove", .some(let file)): try store.removeMounts(id, try readDocument(file, "read the mounts"))
    default:
        throw Failure(
            "Incorrect Usage: mounts \(action)", hint: "swoci mounts list CONTAINER-ID, or add|remove CONTAINER-ID FILE", kind: .usage)
    }
}

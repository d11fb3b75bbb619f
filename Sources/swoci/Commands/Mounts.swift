/// `swoci mounts`

import Linux
import Runtime

func mounts(_ context: Context) throws(Failure) {
    let action = context.operands[0]
    let id = try ContainerID(context.operands[1])
    let store = try context.store()
    let file = context.operands.count == 3 ? context.operands[2] : nil
    switch (action, file) {
    case ("list", nil): try print(store.mounts(id) + "\n")
    case ("add", .some(let file)): try store.addMounts(id, try readInput(file))
    case ("remove", .some(let file)): try store.removeMounts(id, try readInput(file))
    default:
        throw Failure(
            "Incorrect Usage: mounts \(action)", hint: "swoci mounts list CONTAINER-ID, or add|remove CONTAINER-ID FILE", kind: .usage)
    }
}

/// Reads a file, or standard input for "-".
private func readInput(_ path: String) throws(Failure) -> [UInt8] {
    do throws(Errno) {
        let file = path == "-" ? try OwnedFD(Int32(0)).duplicate() : try OwnedFD.open(path, [.read, .nonBlocking])
        return try file.readAll(limit: 1 << 20)
    } catch {
        throw Failure("read", path, errno: error, kind: .unreadable)
    }
}

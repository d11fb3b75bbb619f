/// The id mappings of user namespaces, written from outside. Source: user_namespaces(7); rows I-01 to I-04.

import CLinux
import Linux
import Spec

/// Writes the mappings of a process that was born into a new user namespace.
func writeIDMappings(
    of pid: Int32, uids: [IDMapping], by users: MappingMethod = .written, gids: [IDMapping], by groups: MappingMethod = .written,
    place: (Origin) -> Failure.Place?
) throws(Failure) {
    try put(uids, "/proc/\(pid)/uid_map", of: pid, by: users, place)
    try put(gids, "/proc/\(pid)/gid_map", of: pid, by: groups, place)
}

private func put(
    _ mappings: [IDMapping], _ file: String, of pid: Int32, by method: MappingMethod, _ place: (Origin) -> Failure.Place?
) throws(Failure) {
    switch method {
    case .program(let path): return try write(mappings, of: pid, by: path, place: place)
    case .written: break
    case .writtenWithoutSetgroups:
        // Without CAP_SETGID the kernel wants setgroups(2) forbidden first, so that nobody drops a group that denies access.
        do throws(Errno) { try writeText("deny", to: "/proc/\(pid)/setgroups") } catch {
            throw Failure("forbid setgroups", "/proc/\(pid)/setgroups", errno: error)
        }
    }
    try write(mappings, to: file, place)
}

private func write(_ mappings: [IDMapping], to file: String, _ place: (Origin) -> Failure.Place?) throws(Failure) {
    var text = ""
    for mapping in mappings { text += "\(mapping.containerID) \(mapping.hostID) \(mapping.size)\n" }
    // One write for all: the kernel takes a mapping once.
    do throws(Errno) { try writeText(text, to: file) } catch {
        throw Failure(
            "write the id mapping", file, errno: error, place: mappings.first.flatMap { place($0.origin) },
            hint: error == .notPermitted
                ? "the caller may map only its own ids, or those that it holds CAP_SETUID and CAP_SETGID over"
                : error == .invalidArgument && text.utf8.count > 4095 ? "the kernel takes a mapping of 4095 bytes at most" : nil)
    }
}

/// A user namespace made only to describe a mount's id mapping (M-07).
///
/// - Returns: Its descriptor, which keeps it alive.
func makeMappingNamespace(uids: [IDMapping], gids: [IDMapping], place: (Origin) -> Failure.Place?) throws(Failure) -> OwnedFD {
    let parent = ownProcessID()
    let holder: Cloned
    do throws(Errno) { holder = try cloneProcess(CloneOptions(flags: NamespaceFlag.user)) } catch {
        throw Failure("make a user namespace for an id-mapped mount", errno: error)
    }
    // The child only holds the namespace until it is open here. PR_SET_PDEATHSIG: not longer than this process lives.
    if holder.isChild {
        _ = try? processControl(PR_SET_PDEATHSIG, Int(Signal.kill))
        // It may have died before that.
        if (try? kernel(__NR_getppid)) != Int(parent) { exitProcess(1) }
        while true { kernelIgnoringFailure(__NR_ppoll, 0, 0, 0, 0, 8) }
    }
    let process = OwnedFD(holder.pidfd)
    defer {
        try? send(signal: Signal.kill, to: process.number)
        _ = try? wait(for: process.number)
    }
    try writeIDMappings(of: holder.pid, uids: uids, gids: gids, place: place)
    do throws(Errno) { return try OwnedFD.open("/proc/\(holder.pid)/ns/user", .read) } catch {
        throw Failure("open the mount's user namespace", errno: error)
    }
}

/// `swoci-init`: carries out a plan, waits for start, becomes or supervises the payload.
///
/// Started by the runtime in the container's new namespaces with two descriptors, whose numbers are its arguments: the socket to the
/// runtime and the plan. A third argument says that the runtime has yet to write the id mappings. It has no C library, so nothing here may use more of Swift than values, pointers and typed errors.

import CInit
import Linux
import Plan

/// Exit statuses of an init that never came to run the payload.
enum InitStatus {
    /// The plan failed; the runtime has been told why.
    static let failed: Int32 = 1
    /// Started by hand, or by a runtime of another build.
    static let misuse: Int32 = 125
}

/// The process entry: CInit's `_start` calls it in a release, the C library's start code in a debug build.
@c(swoci_init_main)
func main(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    let awaitsMappings = count == 4 && isUnmapped(arguments[3])
    guard count == 3 || awaitsMappings, let control = number(arguments[1]), let plan = number(arguments[2]) else {
        say("swoci-init is started by swoci, not by hand\n")
        return InitStatus.misuse
    }
    // First of all: a process of the container's that joins this pid namespace must not reach into this one.
    // Only a runtime that is no host's root needs it dumpable while it writes the mappings: the kernel gives /proc/PID/uid_map to the
    // process's user then. Nobody else has rights over the new user namespace.
    if !awaitsMappings {
        guard (try? setDumpable(false)) != nil else { exitProcess(InitStatus.failed) }
    }
    let channel = Channel(control)
    // The runtime is putting this process into its cgroups and writing its id mappings.
    guard channel.awaitWord(.proceed) else { exitProcess(InitStatus.failed) }
    if awaitsMappings {
        guard (try? setDumpable(false)) != nil else { exitProcess(InitStatus.failed) }
    }
    guard let size = try? fileSize(Int(plan)), let bytes = try? mapFile(Int(plan), count: size),
        let reader = PlanReader(bytes, count: size)
    else {
        channel.fail(Errno.badMessage, Detail(reason: .badPlan), step: 0)
        exitProcess(InitStatus.failed)
    }
    var executor = Executor(plan: reader, channel: channel)
    executor.run()
}

/// Whether an argument says "unmapped".
private func isUnmapped(_ text: UnsafeMutablePointer<CChar>?) -> Bool {
    guard let text else { return false }
    let word = literal("unmapped")
    // With the NUL at the end.
    for at in 0...8 where text[at] != word[at] { return false }
    return true
}

/// Reads a decimal argument.
private func number(_ text: UnsafeMutablePointer<CChar>?) -> Int32? {
    guard let text, text[0] != 0 else { return nil }
    var value: Int32 = 0
    var at = 0
    while text[at] != 0 {
        guard text[at] >= 48, text[at] <= 57, value < 1_000_000 else { return nil }
        value = value * 10 + Int32(text[at] - 48)
        at += 1
    }
    return value
}

/// Writes a line for a person who started the init by hand.
private func say(_ text: StaticString) {
    let standardError = OwnedFD(Int32(2))
    try? standardError.writeAll(text.utf8Start, count: text.utf8CodeUnitCount)
    _ = standardError.release()
}

/// Children of the tests, for what would change the test process itself.

import CLinux
import Foundation
import Linux

/// Whether namespaces may be made and mounts changed here.
let isRoot = geteuid() == 0

/// The number of openat(2), as failures name it.
let openatCall = __NR_openat

/// Runs a body in a child, in new namespaces of those flags, and tells how the child ended: with the body's number, or 120 + the error
/// number that the body threw.
///
/// The child is a copy of a process of many threads, so the body may make system calls but no objects.
func inChild(_ flags: UInt64 = 0, _ body: () throws(Errno) -> Int32) throws -> Linux.ExitStatus {
    let cloned = try cloneProcess(CloneOptions(flags: flags))
    if cloned.isChild {
        do throws(Errno) { exitProcess(try body()) } catch { exitProcess(120 + error.code) }
    }
    let process = OwnedFD(cloned.pidfd)
    if try !poll(process.raw, timeout: 10_000).first { try send(signal: Signal.kill, to: process.number) }
    return try wait(for: process.number)
}

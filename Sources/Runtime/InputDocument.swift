/// Documents that the caller names: a file of any kind, a pipe too, or standard input.

import CLinux
import Linux

/// Reads a document of at most 16 MiB.
///
/// - Parameters:
///   - path: The file; "-" for standard input.
///   - operation: What is being done, for the failure: "read the process".
public func readDocument(_ path: String, _ operation: String) throws(Failure) -> [UInt8] {
    do throws(Errno) {
        if path != "-" { return try OwnedFD.open(path, [.read, .noControllingTerminal]).readAll(limit: 16 << 20) }
        return try OwnedFD(try kernel(__NR_fcntl, 0, Int(F_DUPFD_CLOEXEC), 3)).readAll(limit: 16 << 20)
    } catch {
        let isTooLarge = error == .fileTooLarge
        throw Failure(
            operation, path, detail: isTooLarge ? "it has more than 16 MiB" : nil, errno: isTooLarge ? nil : error, kind: .unreadable)
    }
}

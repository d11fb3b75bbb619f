/// What a case needs of the host's file system.

import Foundation

/// A root directory of a case's own, made by a shell script that runs in it.
final class Root {
    let path: String

    init(_ script: String = "true") throws {
        path = try makeScratchDirectory()
        chmod(path, 0o755)
        try shell("umask 022; cd \(path); \(script)")
    }

    deinit { try? shell("rm -rf \(path)") }
}

/// Runs a shell script and waits for it.
func shell(_ script: String) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-ec", script]
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Unexpected("\(script): \(process.terminationStatus)") }
}

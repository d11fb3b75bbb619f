/// Finding criu.

import CLinux
import Linux

/// Which criu is run.
public struct CriuProgram: Equatable, Sendable {
    /// What `--criu` names: a path, or a name to be looked for; nil: criu.
    public var name: String?
    /// The directories in which it is looked for, colon-separated.
    public var searchPath: String

    /// Names a program.
    public init(name: String?, searchPath: String) {
        self.name = name
        self.searchPath = searchPath
    }

    /// The program's path.
    func find() throws(Failure) -> String {
        let word = name ?? "criu"
        let hint = "checkpoint and restore are criu's work: install it, or say where it is by --criu PATH"
        if word.utf8.contains(UInt8(ascii: "/")) {
            do throws(Errno) { try CriuProgram.check(word) } catch { throw Failure("find criu", word, errno: error, hint: hint) }
            return word
        }
        var problem: Errno?
        for directory in searchPath.split(separator: ":") {
            let path = "\(directory)/\(word)"
            do throws(Errno) {
                try CriuProgram.check(path)
                return path
            } catch {
                if error != .noEntry && error != .notDirectory { problem = problem ?? error }
            }
        }
        throw Failure("find criu", word, detail: problem == nil ? "it is in no directory of PATH" : nil, errno: problem, hint: hint)
    }

    /// Whether connections are to be held up by nftables: criu's own choice may be iptables, whose programs are not on every host,
    /// while nftables is a part of criu.
    var locksByNftables: Bool {
        !searchPath.split(separator: ":").contains { directory in
            guard let file = try? OwnedFD.open("\(directory)/iptables-restore", .path) else { return false }
            return file.raw >= 0
        }
    }

    /// - Throws: Why it cannot be executed.
    private static func check(_ path: String) throws(Errno) {
        try path.withPath { path throws(Errno) in
            let execute = 1  // X_OK
            _ = try kernel(__NR_faccessat, workingDirectory, path.address, execute)
            guard try FileStatus.of(path, at: workingDirectory, follow: true).isRegular else { throw Errno.accessDenied }
        }
    }
}

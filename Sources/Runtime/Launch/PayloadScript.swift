/// The payload's program where it is a script: an entry point that ends as an init must be PID 1 from the beginning.

internal import CLinux
internal import Linux
internal import Spec

extension Process {
    /// The beginning of the program's file in a root file system, as it is before the container's mounts; empty unless it is a script.
    ///
    /// What cannot be found or read here is no error: the init looks for the program when everything is mounted.
    func script(inRoot rootfs: String) -> [UInt8] {
        guard let program = args.first?.value, let root = try? OwnedFD.open(rootfs, [.path, .directory]) else { return [] }
        for path in Process.places(of: program, cwd: cwd.value, env: env.map { $0.value }) {
            if let text = try? Process.beginning(of: path, RootDirectory(root.number)) { return text.starts(with: "#!".utf8) ? text : [] }
        }
        return []
    }

    private static func places(of program: String, cwd: String, env: [String]) -> [String] {
        if program.utf8.contains(UInt8(ascii: "/")) { return [absolutePath(program, in: cwd)] }
        return searchPath(env).map { "\($0)/\(program)" }
    }

    private static func beginning(of path: String, _ root: RootDirectory) throws(Errno) -> [UInt8] {
        let file = OwnedFD(
            try path.withPath { path throws(Errno) in try root.resolve(path, [.read, .nonBlocking, .noControllingTerminal]).release() })
        guard try FileStatus.of(at: file.number).isRegular else { throw .execFormat }
        var text = [UInt8](repeating: 0, count: 16384)
        let count = try text.withUnsafeMutableBufferPointer { buffer throws(Errno) in
            try file.read(into: buffer.baseAddress!, count: buffer.count)
        }
        text.removeLast(text.count - count)
        return text
    }
}

/// newuidmap and newgidmap: finding them, and having them write a map.
///
/// They are set-user-id programs, so they are looked for in a fixed list of directories, get no environment, and only so much time.

import CLinux
import Linux
import Spec

/// Where they are looked for; the last is where NixOS keeps set-user-id programs.
private let directories = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/run/wrappers/bin"]

extension MappingProgram {
    /// Finds out about the program for a kind of ids.
    static func find(_ kind: IDKind, for caller: Caller) -> MappingProgram {
        var program = MappingProgram(.missing, subordinates: nil)
        for directory in directories {
            let path = "\(directory)/\(kind.program)"
            let status = try? path.withPath { path throws(Errno) in try FileStatus.of(path, at: workingDirectory, follow: true) }
            guard let status, status.isRegular else { continue }
            program.state = status.mode & 0o4000 != 0 || hasCapabilities(path) ? .usable(path) : .powerless(path)
            break
        }
        program.isBarred = (try? processControl(PR_GET_NO_NEW_PRIVS)) == 1
        program.subordinates = readSubordinates(kind, caller)
        return program
    }

    /// The attribute's size is all that is asked for.
    private static func hasCapabilities(_ path: String) -> Bool {
        let size = try? path.withPath { path throws(Errno) in
            try kernel(__NR_getxattr, path.address, literal("security.capability").address, 0, 0)
        }
        return (size ?? 0) > 0
    }

    /// The user's rows, unless the tables are not the whole truth: a directory service may have more, for users that no file names.
    private static func readSubordinates(_ kind: IDKind, _ caller: Caller) -> [IDRange]? {
        let services = (try? readText("/etc/nsswitch.conf")) ?? ""
        if services.split(separator: "\n").contains(where: { $0.hasPrefix("subid:") && $0.dropFirst(6).split(separator: " ") != ["files"] })
        {
            return nil
        }
        guard let name = userName(caller.uid), let table = try? readText(kind.table) else { return nil }
        return Runtime.subordinates(in: table, user: caller.uid, name: name)
    }

    private static func userName(_ uid: UInt32) -> String? {
        guard let table = try? readText("/etc/passwd") else { return nil }
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 2, UInt32(fields[2]) == uid { return String(fields[0]) }
        }
        return nil
    }
}

/// Has a program write a process's map.
///
/// - Throws: What the program says.
func write(_ mappings: [IDMapping], of pid: Int32, by path: String, place: (Origin) -> Failure.Place?) throws(Failure) {
    var words = [path, "\(pid)"]
    for mapping in mappings { words += ["\(mapping.containerID)", "\(mapping.hostID)", "\(mapping.size)"] }
    let outcome: (status: ExitStatus?, said: String)
    do throws(Errno) { outcome = try runQuietly(words, within: 10_000) } catch {
        throw Failure("run", path, errno: error)
    }
    if outcome.status == .exited(0) { return }
    let said = oneLine(outcome.said.split(separator: "\n").joined(separator: "; "))
    throw Failure(
        "write the id mapping with", path,
        detail: outcome.status == nil ? "it has not ended within 10 seconds" : said.isEmpty ? "it failed without a word" : said,
        place: mappings.first.flatMap { place($0.origin) })
}

/// Runs a program without an environment or input, and takes what it says on standard error.
///
/// - Returns: How it ended, nil where its time was over first, and the beginning of what it said.
private func runQuietly(_ words: [String], within milliseconds: Int) throws(Errno) -> (status: ExitStatus?, said: String) {
    var ends: (Int32, Int32) = (-1, -1)
    try withUnsafeMutablePointer(to: &ends) { ends throws(Errno) in
        _ = try kernel(__NR_pipe2, Int(bitPattern: ends), Int(O_CLOEXEC | O_NONBLOCK))
    }
    let reader = OwnedFD(ends.0)
    let writer = OwnedFD(ends.1)
    let null = try OwnedFD.open("/dev/null", .readWrite)
    let arguments = vector(words)
    let child = try cloneProcess(CloneOptions())
    if child.isChild {
        kernelIgnoringFailure(__NR_dup3, null.number, 0, 0)
        kernelIgnoringFailure(__NR_dup3, null.number, 1, 0)
        kernelIgnoringFailure(__NR_dup3, writer.number, 2, 0)
        // No descriptor of an engine's for a program with more rights than the caller. The null after the words is the environment.
        try? closeDescriptorsOnExec(from: 3)
        kernelIgnoringFailure(
            __NR_execve, Int(bitPattern: arguments[0]), Int(bitPattern: arguments.baseAddress!),
            Int(bitPattern: arguments.baseAddress! + words.count))
        exitProcess(127)
    }
    let process = OwnedFD(child.pidfd)
    let hasEnded = hasEnded(process, within: milliseconds)
    if !hasEnded { try? send(signal: Signal.kill, to: process.number) }
    let status = try wait(for: process.number)
    var buffer = [UInt8](repeating: 0, count: 2048)
    let count = buffer.withUnsafeMutableBufferPointer { (try? reader.read(into: $0.baseAddress!, count: $0.count)) ?? 0 }
    return (hasEnded ? status : nil, String(decoding: buffer[..<max(0, count)], as: UTF8.self))
}

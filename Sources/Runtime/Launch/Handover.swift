/// What a caller gets of a new process, and what the process gets of the caller: terminal, pidfd, pid file, descriptors.

import CLinux
import Linux

/// Refuses a terminal that nobody would get, and a socket that nothing would be sent to (P-02).
func checkTerminal(_ wantsTerminal: Bool, socket: String?, isDetached: Bool) throws(Failure) {
    if wantsTerminal && isDetached && socket == nil {
        throw Failure("cannot allocate tty if swoci will detach without setting console socket", hint: "use --console-socket")
    }
    if !wantsTerminal && socket != nil {
        throw Failure("cannot use console socket if swoci will not detach or allocate tty", hint: "set process.terminal")
    }
}

/// Hands the terminal's other end to who listens on a socket: one packet with the descriptor and a name (CLI-06).
func sendConsole(_ terminal: borrowing OwnedFD, to socket: String) throws(Failure) {
    do throws(Errno) {
        let connection = try connectToStream(socket)
        let bytes = Array("/dev/ptmx".utf8)
        try sendPacket(connection.number, bytes, bytes.count, descriptor: terminal.raw)
    } catch {
        throw Failure(
            "send the terminal to the console socket", socket, errno: error,
            hint: error == .again ? "nobody accepts connections there" : nil)
    }
}

/// Writes the pid, without a newline, so that whoever sees the file sees it whole (CLI-05).
func writePIDFile(_ path: String, _ pid: Int32) throws(Failure) {
    let (directory, name) = split(path)
    let temporary = "\(directory)/.\(name).\(pid)"
    do throws(Errno) {
        // A device or a pipe takes the number itself. A file renamed over it would stand in its place, and /dev/null is everybody's.
        if let there = try? path.withPath({ path throws(Errno) in try FileStatus.of(path, at: workingDirectory, follow: true) }),
            !there.isRegular
        {
            return try OwnedFD.open(path, [.write, .noControllingTerminal, .nonBlocking]).writeAll("\(pid)")
        }
        let file = try OwnedFD.open(temporary, [.write, .create, .truncate, .noFollow], mode: 0o644)
        try file.writeAll("\(pid)")
        try temporary.withPath { old throws(Errno) in
            try path.withPath { new throws(Errno) in
                _ = try kernel(__NR_renameat2, workingDirectory, old.address, workingDirectory, new.address, 0)
            }
        }
    } catch {
        _ = try? temporary.withPath { name throws(Errno) in try kernel(__NR_unlinkat, workingDirectory, name.address, 0) }
        throw Failure("write the pid file", path, errno: error)
    }
}

/// Hands a process's pidfd to who listens on a socket: one packet with the descriptor and a word (CLI-07).
///
/// - Parameter word: runc's: "standard" for a container's first process, "setns" for a further one.
func sendProcess(_ process: borrowing OwnedFD, to socket: String, word: String) throws(Failure) {
    do throws(Errno) {
        let connection = try connectToStream(socket)
        let bytes = Array(word.utf8)
        try sendPacket(connection.number, bytes, bytes.count, descriptor: process.raw)
    } catch {
        throw Failure(
            "send the pidfd to the socket", socket, errno: error, hint: error == .again ? "nobody accepts connections there" : nil)
    }
}

/// Lets a payload have so many of the caller's descriptors from 3 on, which must be open, and no other.
func passDescriptors(_ count: UInt32) throws(Failure) {
    for descriptor in 3..<(3 + Int(count)) {
        do throws(Errno) { try kernel(__NR_fcntl, descriptor, Int(F_SETFD), 0) } catch {
            throw Failure("pass descriptor \(descriptor) to the payload", errno: error, hint: "see --preserve-fds and LISTEN_FDS")
        }
    }
    // Whatever else the caller left open stays out of the container.
    let first = 3 + Int32(count)
    try Failure.during("keep the caller's descriptors out") { () throws(Errno) in try closeDescriptorsOnExec(from: first) }
}

/// criu as a child of the runtime, and the conversation with it over a socket.
///
/// criu is called as `criu swrk N`, which serves one client on descriptor N: the way by which it hands over a terminal, tells of the
/// points at which hooks are due, and restores processes as the caller's children. Source: criu.org, "RPC"; decision 016.

import CLinux
import Linux

/// A criu that waits for its request, or works on it.
struct CriuProcess: ~Copyable {
    /// What a failure of criu itself says, beside failures of what the runtime does at a point of its work.
    static let operation = "run criu"

    /// Its id.
    let pid: Int32
    private let process: OwnedFD
    private let socket: OwnedFD
    /// What it prints before it has a log.
    private let output: OwnedFD

    /// Starts criu.
    ///
    /// - Parameters:
    ///   - directories: Descriptors of directories that criu works in. criu finds them by its own process, which opens them once more
    ///     where it has a mount namespace of its own: what is mounted in them must be in that namespace.
    ///   - inherited: Further descriptors that it keeps, beside standard input.
    ///   - options: How the process is made.
    ///   - prepare: What the new process does before it executes criu; it notes on what it is at work.
    init(
        _ program: String, in directories: [Int32], inheriting inherited: [Int32], _ options: CloneOptions = CloneOptions(),
        prepare: (inout String) throws(Errno) -> Void = { (_) throws(Errno) in }
    ) throws(Failure) {
        let started = try CriuProcess.start(program, directories, inherited, options, prepare)
        pid = started.pid
        process = OwnedFD(started.process)
        socket = OwnedFD(started.socket)
        output = OwnedFD(started.output)
    }

    /// Makes the process, and waits until it has executed criu.
    private static func start(
        _ program: String, _ directories: [Int32], _ inherited: [Int32], _ options: CloneOptions,
        _ prepare: (inout String) throws(Errno) -> Void
    ) throws(Failure) -> (pid: Int32, process: Int32, socket: Int32, output: Int32) {
        var doing = ""
        do throws(Errno) {
            let control = try packetSocketPair()
            let near = try control.near.duplicate()
            let far = try control.far.duplicate()
            _ = consume control
            let output = try makeMemoryFile(literal("criu"))
            let paths = try directories.map { (directory) throws(Errno) in try readLink("/proc/self/fd/\(directory)") }
            let environment = vector(try criuEnvironment())
            let child = try cloneProcess(options)
            if child.isChild {
                var object = ""
                do throws(Errno) {
                    try prepare(&object)
                    for (directory, path) in zip(directories, paths) {
                        object = path
                        let again = try OwnedFD.open(path, [.read, .directory])
                        try kernel(__NR_dup3, again.number, Int(directory), Int(O_CLOEXEC))
                    }
                    object = program
                    resetSignalDispositions()
                    try unblockSignals()
                    try closeDescriptorsOnExec(from: 3)
                    try kernel(__NR_dup3, output.number, 1, 0)
                    try kernel(__NR_dup3, output.number, 2, 0)
                    // Made by this process, the socket names it as the client, whose directories are meant.
                    let sockets = try packetSocketPair()
                    try sendPacket(far.number, "s", 1, descriptor: sockets.near.raw)
                    for descriptor in directories + inherited + [sockets.far.raw] {
                        try kernel(__NR_fcntl, Int(descriptor), Int(F_SETFD), 0)
                    }
                    let words = vector([program, "swrk", "\(sockets.far.raw)"])
                    try kernel(
                        __NR_execve, Int(bitPattern: words[0]), Int(bitPattern: words.baseAddress), Int(bitPattern: environment.baseAddress)
                    )
                } catch {
                    let text = Array("\(error.code) \(object)".utf8)
                    _ = try? sendPacket(far.number, text, text.count)
                }
                exitProcess(127)
            }
            let process = OwnedFD(child.pidfd)
            _ = consume far
            var socket: Int32 = -1
            var answer = ""
            var buffer = [UInt8](repeating: 0, count: 4200)
            while true {
                let number = near.number
                let info = try buffer.withUnsafeMutableBufferPointer { buffer throws(Errno) in
                    try receivePacket(number, buffer.baseAddress!, buffer.count)
                }
                if info.count == 0 { break }
                if info.descriptor >= 0 {
                    socket = info.descriptor
                } else {
                    answer = String(decoding: buffer[..<info.count], as: UTF8.self)
                }
            }
            if !answer.isEmpty || socket < 0 {
                kernelIgnoringFailure(__NR_close, Int(socket))
                _ = try? wait(for: process.number)
                let parts = answer.split(separator: " ", maxSplits: 1)
                doing = parts.count == 2 ? String(parts[1]) : ""
                throw Errno(code: parts.first.flatMap { Int32($0) } ?? 5)
            }
            return (child.pid, process.release(), socket, output.release())
        } catch {
            throw Failure(CriuProcess.operation, doing.isEmpty ? nil : doing, errno: error)
        }
    }

    /// Asks for something and waits for the answer.
    ///
    /// - Parameter atStage: What the runtime does at a point of the work, given the answer that tells of it and a descriptor that came
    ///   with it, or -1. Its failure has criu take back what it did.
    /// - Throws: The failure of `atStage`, or what is known of criu's end.
    func ask(
        _ request: [UInt8], atStage: (CriuResponse, Int32) throws(Failure) -> Void = { (_, _) throws(Failure) in }
    ) throws(Failure) -> CriuResponse {
        try send(request)
        var problem: Failure?
        while true {
            let (response, descriptor) = try receive()
            guard response.kind == CriuRequestKind.notify.rawValue, response.isSuccess else {
                if let problem { throw problem }
                return response
            }
            do throws(Failure) { if problem == nil { try atStage(response, descriptor) } } catch { problem = error }
            try send(CriuRequestKind.reply(success: problem == nil))
        }
    }

    /// Waits until criu has ended; what it restored goes on.
    func awaitEnd() {
        // A criu that would wait for a further request is told that there is none.
        kernelIgnoringFailure(__NR_shutdown, socket.number, 2)
        _ = try? wait(for: process.number)
    }

    /// Ends criu at once.
    func kill() {
        try? Linux.send(signal: Signal.kill, to: process.number)
        _ = try? wait(for: process.number)
    }

    /// What criu printed.
    func printed() -> [UInt8] {
        guard (try? seekToStart(output)) != nil else { return [] }
        return (try? output.readAll(limit: 1 << 20)) ?? []
    }

    private func send(_ bytes: [UInt8]) throws(Failure) {
        do throws(Errno) { try sendPacket(socket.number, bytes, bytes.count) } catch {
            if error == .brokenPipe || error == .connectionReset { throw ended() }
            throw Failure(CriuProcess.operation, errno: error)
        }
    }

    private func receive() throws(Failure) -> (CriuResponse, Int32) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let descriptor = socket.number
        let info: PacketInfo
        do throws(Errno) {
            info = try buffer.withUnsafeMutableBufferPointer { buffer throws(Errno) in
                try receivePacket(descriptor, buffer.baseAddress!, buffer.count)
            }
        } catch {
            if error == .connectionReset { throw ended() }
            throw Failure(CriuProcess.operation, errno: error)
        }
        guard info.count > 0 else { throw ended() }
        guard let response = CriuResponse(Array(buffer[..<info.count])) else {
            throw Failure(CriuProcess.operation, detail: "it said something that makes no sense")
        }
        return (response, info.descriptor)
    }

    /// criu has closed its socket without an answer.
    private func ended() -> Failure {
        let end = (try? poll(process.raw, timeout: 1000))?.first == true ? try? wait(for: process.number) : nil
        let detail =
            switch end {
            case .exited(let status): "it ended with status \(status)"
            case .killed(let signal): "it was killed by signal \(signal)"
            case nil: "it closed its socket"
            }
        return Failure(CriuProcess.operation, detail: detail)
    }
}

/// The runtime's environment, with a PATH in any case: criu runs programs such as tar and ip.
private func criuEnvironment() throws(Errno) -> [String] {
    var variables = try OwnedFD.open("/proc/self/environ", .read).readAll().split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    if !variables.contains(where: { $0.utf8.starts(with: "PATH=".utf8) }) { variables.append("PATH=\(CriuProgram.standardPath)") }
    return variables
}

extension CriuProgram {
    /// Where programs are looked for where the environment has no PATH.
    public static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

/// Lets all signals through.
private func unblockSignals() throws(Errno) {
    var none: UInt64 = 0
    let replace = 2  // SIG_SETMASK
    try withUnsafeMutablePointer(to: &none) { none throws(Errno) in
        _ = try kernel(__NR_rt_sigprocmask, replace, Int(bitPattern: none), 0, 8)
    }
}

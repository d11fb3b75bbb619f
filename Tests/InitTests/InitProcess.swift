/// The init under test as a process: started, talked to and ended as the runtime does it.

import CLinux
import Foundation
import Linux
import Plan
import Testing

/// What keeps a case from going on.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A packet from the init.
struct Said {
    let message: Message
    let text: String
    /// The sender's process id as the kernel tells it.
    let pid: Int32
    let descriptor: Int32

    var kind: MessageKind? { MessageKind(rawValue: message.kind) }
    var reason: FailureReason? { FailureReason(rawValue: message.reason) }
    var errno: Errno { Errno(code: message.errno) }
}

/// How long anything may take before a case fails instead of hanging.
private let patience = 10_000

/// The program under test: the release build, unless its sources changed since; then the debug build that these tests come with.
let initProgram: String = {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let files = FileManager.default
    func changed(_ path: URL) -> Date {
        (try? files.attributesOfItem(atPath: path.path)[.modificationDate] as? Date) ?? .distantPast
    }
    let release = package.appending(path: ".build/release/swoci-init")
    let sources = ["CInit", "CLinux", "Init", "Linux", "Plan"].flatMap { room in
        let directory = package.appending(path: "Sources/\(room)")
        return (files.subpaths(atPath: directory.path) ?? []).map { directory.appending(path: $0) }
    }
    let isCurrent = files.fileExists(atPath: release.path) && sources.allSatisfy { changed($0) <= changed(release) }
    return isCurrent ? release.path : package.appending(path: ".build/debug/swoci-init").path
}()

/// Where the Swift runtime is that these tests run on, as an environment's entry.
///
/// A debug build of the init needs it; a release has none.
private let runtimeLibraries: String? = {
    guard let maps = try? readText("/proc/self/maps"), let line = maps.lines.first(where: { $0.hasSuffix("/libswiftCore.so") }),
        let start = line.firstIndex(of: "/"), let end = line.lastIndex(of: "/")
    else { return nil }
    return "LD_LIBRARY_PATH=\(line[start..<end])"
}()

/// A started init with the runtime's end of its socket.
///
/// Whatever it left is killed when the case is over.
final class InitProcess {
    /// A directory of the case's own.
    let directory: String
    /// The id of the process that was started, in the namespace of the tests.
    let pid: Int32

    private let process: OwnedFD
    private var socket: OwnedFDBox?
    private let output: OwnedFD
    private var ended: Linux.ExitStatus?
    private var followed: [OwnedFDBox] = []

    /// Starts the init with a plan, in new namespaces of those flags.
    convenience init(_ plan: PlanBuilder, flags: UInt64 = NamespaceFlag.pid | NamespaceFlag.mount) throws {
        try self.init(flags: flags, preserved: plan.preserved) { startSocket in
            plan.plan.encoded(PlanHeader(startSocket: startSocket, preservedDescriptors: UInt32(plan.preserved.count)))
        }
    }

    /// Starts the init with a plan's bytes.
    ///
    /// - Parameter preserved: Descriptors that become 3, 4 and so on.
    init(flags: UInt64, preserved: [Int32] = [], plan: (UInt32) -> [UInt8]) throws {
        directory = try makeScratchDirectory()
        let listener = OwnedFD(
            try "\(directory)/start".withPath { path throws(Errno) in try listenForPackets(path: path).release() })
        let sockets = try packetSocketPair()
        try enableCredentials(sockets.near.number)
        output = try makeMemoryFile(literal("output"))
        let file = try makeMemoryFile(literal("plan"))
        // Numbers that no preserved descriptor is put on.
        let control = try sockets.far.duplicate(atLeast: 40)
        let start = try listener.duplicate(atLeast: 40)
        let planFile = try file.duplicate(atLeast: 40)
        try file.writeAll(plan(UInt32(start.raw)))
        let birth = Birth(arguments: ["swoci-init", "\(control.raw)", "\(planFile.raw)"])
        birth.inherit(output: output.raw, [control.raw, planFile.raw, start.raw], preserved: preserved)
        let cloned = try cloneProcess(CloneOptions(flags: flags))
        if cloned.isChild { become(birth) }
        pid = cloned.pid
        process = OwnedFD(cloned.pidfd)
        socket = OwnedFDBox(try sockets.near.duplicate())
    }

    /// Starts the init with other arguments and nothing else.
    init(arguments: [String]) throws {
        directory = try makeScratchDirectory()
        output = try makeMemoryFile(literal("output"))
        let birth = Birth(arguments: ["swoci-init"] + arguments)
        birth.inherit(output: output.raw, [], preserved: [])
        let cloned = try cloneProcess(CloneOptions())
        if cloned.isChild { become(birth) }
        pid = cloned.pid
        process = OwnedFD(cloned.pidfd)
        socket = nil
    }

    deinit {
        if ended == nil {
            try? Linux.send(signal: Signal.kill, to: process.number)
            _ = try? Linux.wait(for: process.number)
        }
        for process in followed {
            try? Linux.send(signal: Signal.kill, to: process.descriptor.number)
            _ = try? Linux.wait(for: process.descriptor.number)
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    // MARK: Words

    /// Says a word to the init.
    func say(_ word: MessageKind) throws { try Self.say(word, on: socket!.descriptor.number) }

    static func say(_ word: MessageKind, on socket: Int) throws {
        var message = Message(word)
        try sendPacket(socket, &message, Message.size)
    }

    /// Closes the runtime's end, as its death does.
    func hangUp() { socket = nil }

    /// What the init says next; nil when it closed its end.
    func hear() throws -> Said? { try Self.hear(socket!.descriptor.raw) }

    static func hear(_ socket: Int32) throws -> Said? {
        guard try poll(socket, timeout: patience).first else { throw Unexpected("the init said nothing for \(patience) ms") }
        var buffer = [UInt8](repeating: 0, count: Message.size + Message.maximumText)
        let info: PacketInfo
        do {
            info = try buffer.withUnsafeMutableBufferPointer { buffer throws(Errno) in
                try receivePacket(Int(socket), buffer.baseAddress!, buffer.count)
            }
        } catch {
            if error == .connectionReset { return nil }
            throw error
        }
        if info.count == 0 { return nil }
        guard info.count >= Message.size else { throw Unexpected("a packet of \(info.count) bytes") }
        let message = buffer.withUnsafeBytes { $0.loadUnaligned(as: Message.self) }
        let text = String(decoding: buffer[Message.size..<info.count], as: UTF8.self)
        return Said(message: message, text: text, pid: info.pid, descriptor: info.descriptor)
    }

    /// Connects as `start` does.
    func connect() throws -> OwnedFD {
        OwnedFD(try "\(directory)/start".withPath { path throws(Errno) in try Linux.connect(to: path, .sequencedPacket).release() })
    }

    /// Lets the plan run up to where it waits for start; returns the payload's process id.
    @discardableResult
    func create() throws -> Int32 {
        try say(.proceed)
        guard let said = try hear() else { throw Unexpected("the init closed its socket: \(written)") }
        guard said.kind == .ready else { throw Unexpected("\(said.message) \(said.text)") }
        return said.pid
    }

    /// Lets the plan run up to its failure.
    func failure() throws -> Said {
        try say(.proceed)
        guard let said = try hear() else { throw Unexpected("the init closed its socket: \(written)") }
        guard said.kind == .failed else { throw Unexpected("\(said.message) is no failure") }
        return said
    }

    /// Commits and starts; returns what the init has to say to start: nil for success.
    @discardableResult
    func start() throws -> Said? {
        try say(.commit)
        let connection = try connect()
        try Self.say(.start, on: connection.number)
        return try Self.answer(to: connection.raw)
    }

    /// What the init has to say to start beside that the payload comes next; nil for success, which needs that word.
    static func answer(to connection: Int32) throws -> Said? {
        guard let first = try hear(connection) else { throw Unexpected("the init closed start's connection without a word") }
        return first.kind == .start ? try hear(connection) : first
    }

    /// Goes through a container's whole life; returns how it ended and what it wrote.
    func run() throws -> (status: Linux.ExitStatus, output: String) {
        try create()
        if let said = try start() { throw Unexpected("start failed: \(said.message) \(said.text)") }
        return (try wait(), written)
    }

    // MARK: Life and death

    /// Waits for the end of the process that was started.
    func wait() throws -> Linux.ExitStatus {
        if let ended { return ended }
        guard try poll(process.raw, timeout: patience).first else { throw Unexpected("the init does not end; it wrote: \(written)") }
        let status = try Linux.wait(for: process.number)
        ended = status
        return status
    }

    /// Whether the process that was started is still there after some milliseconds.
    func isAlive(after milliseconds: Int) throws -> Bool { try !poll(process.raw, timeout: milliseconds).first }

    /// Takes care of another child that the init made for the runtime.
    func follow(_ pid: Int32) throws { followed.append(OwnedFDBox(try openProcess(pid))) }

    /// Waits for the end of the child that was followed last.
    func waitForFollowed() throws -> Linux.ExitStatus {
        let process = followed.removeLast()
        guard try poll(process.descriptor.raw, timeout: patience).first else { throw Unexpected("the child does not end") }
        return try Linux.wait(for: process.descriptor.number)
    }

    func signal(_ number: Int32) throws { try Linux.send(signal: number, to: process.number) }

    /// What the init, its hooks and its payload wrote so far to stdout and stderr.
    var written: String {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = bytes.withUnsafeMutableBytes { pread(output.raw, $0.baseAddress!, $0.count, 0) }
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }

    /// Waits until something was written.
    func await(_ text: String) throws {
        for _ in 0..<(patience / 10) {
            if written.contains(text) { return }
            usleep(10_000)
        }
        throw Unexpected("never wrote \"\(text)\" but \"\(written)\"")
    }
}

/// A descriptor that can be kept in an array.
final class OwnedFDBox {
    let descriptor: OwnedFD
    init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
}

/// Makes a directory with a path short enough for a socket below it.
func makeScratchDirectory() throws -> String {
    var template = Array("/tmp/swoci-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Unexpected("no temporary directory: \(errno)") }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// What the new process needs between its birth and its execve: plain memory, because it is a copy of a process of many threads in
/// which nothing may be allocated.
private struct Birth {
    let program: UnsafeMutablePointer<CChar>
    /// The arguments, a null, the environment, a null.
    let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    /// Pairs of a descriptor and the number it gets, ended by -1.
    let moves: UnsafeMutablePointer<Int>

    /// The memory is never given back: a few hundred bytes a case.
    init(arguments strings: [String]) {
        program = strdup(initProgram)
        arguments = .allocate(capacity: strings.count + 3)
        for (index, text) in strings.enumerated() { arguments[index] = strdup(text) }
        arguments[strings.count] = nil
        arguments[strings.count + 1] = runtimeLibraries.flatMap { strdup($0) }
        arguments[strings.count + 2] = nil
        moves = .allocate(capacity: 64)
    }

    func inherit(output: Int32, _ kept: [Int32], preserved: [Int32]) {
        let pairs: [(Int32, Int32)] =
            [(output, 1), (output, 2)] + preserved.enumerated().map { ($1, Int32(3 + $0)) } + kept.map { ($0, $0) }
        for (index, pair) in pairs.enumerated() {
            moves[2 * index] = Int(pair.0)
            moves[2 * index + 1] = Int(pair.1)
        }
        moves[2 * pairs.count] = -1
    }
}

/// Does not return; the compiler is not told, because it would end the lives of the caller's descriptors before the call.
@inline(never)
private func become(_ birth: Birth) {
    let moves = birth.moves
    // O_RDWR is 2.
    let null = cl_syscall(Int(__NR_openat), workingDirectory, Int(bitPattern: literal("/dev/null")), 2, 0, 0, 0)
    _ = cl_syscall(Int(__NR_dup3), null, 0, 0, 0, 0, 0)
    var at = 0
    while moves[at] >= 0 {
        if moves[at] == moves[at + 1] {
            _ = cl_syscall(Int(__NR_fcntl), moves[at], Int(F_SETFD), 0, 0, 0, 0)
        } else {
            _ = cl_syscall(Int(__NR_dup3), moves[at], moves[at + 1], 0, 0, 0, 0)
        }
        at += 2
    }
    var count = 0
    while birth.arguments[count] != nil { count += 1 }
    let environment = Int(bitPattern: birth.arguments + count + 1)
    // The environment follows the null of the arguments.
    _ = cl_syscall(Int(__NR_execve), Int(bitPattern: birth.program), Int(bitPattern: birth.arguments), environment, 0, 0, 0)
    while true { _ = cl_syscall(Int(__NR_exit_group), 99, 0, 0, 0, 0, 0) }
}

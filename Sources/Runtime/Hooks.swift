/// Hooks that run in the runtime's namespaces: prestart, createRuntime, poststart, poststop.
///
/// The hook gets the state on its standard input from a memory file, so that one that never reads it hangs nobody; its output is
/// taken, so that it cannot write into the engine's pipes; its process group ends with it when its time is over.
/// Source: config.md#posix-platform-hooks; rows H-01 to H-13.

import CLinux
import Linux
public import Spec

/// The kinds of hooks the runtime runs.
public enum HookKind: String, Equatable, Sendable {
    /// Row H-02.
    case prestart
    /// Row H-03.
    case createRuntime
    /// Row H-06.
    case poststart
    /// Row H-07.
    case poststop
}

/// Runs hooks in their order; the first that fails is the last.
///
/// - Parameters:
///   - state: The container's state as JSON.
///   - bundle: The hooks' working directory.
///   - end: A descriptor that becomes ready when the hook has nothing more to do, such as a pidfd of the container; -1: none.
public func runRuntimeHooks(_ hooks: [Hook], kind: HookKind, state: String, bundle: String, until end: Int32 = -1) throws(Failure) {
    for (index, hook) in hooks.enumerated() {
        try runRuntimeHook(hook, kind: kind, index: index, state: state, bundle: bundle, until: end)
    }
}

/// Runs one hook and waits for its end.
func runRuntimeHook(
    _ hook: Hook, kind: HookKind, index: Int, state: String, bundle: String, until end: Int32 = -1
) throws(Failure) {
    let begin = monotonicMilliseconds()
    let problem: String
    do throws(Errno) {
        let result = try HookProcess(hook, state: state, bundle: bundle, until: end).run()
        if result.end == .exited(0) { return }
        problem = result.words(path: hook.path, milliseconds: monotonicMilliseconds() - begin)
    } catch {
        problem = "cannot run it: \(error.words) (\(hook.path))"
    }
    throw Failure("error running \(kind.rawValue) hook #\(index)", detail: problem)
}

/// How a process came to its end.
enum ProcessEnd: Equatable {
    case exited(Int32)
    case signalled(Int32)
    case timedOut(seconds: Int)
    case abandoned

    var words: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signalled(let signal): "signal \(signal)"
        case .timedOut(let seconds): "killed after its timeout of \(seconds) s"
        case .abandoned: "killed because the container was gone"
        }
    }
}

/// What a hook left behind.
struct HookResult {
    var end: ProcessEnd
    var output: String
    var errors: String

    /// How it ended, what it wrote, and which program took how long (H-13).
    func words(path: String, milliseconds: Int) -> String {
        "\(end.words), stdout: \(trimmed(output)), stderr: \(trimmed(errors)) (\(path.isEmpty ? "" : "\(path), ")after \(milliseconds) ms)"
    }
}

/// One run of a hook.
private struct HookProcess {
    private let hook: Hook
    private let state: String
    private let bundle: String
    private let abandonment: Int32

    init(_ hook: Hook, state: String, bundle: String, until abandonment: Int32) {
        self.hook = hook
        self.state = state
        self.bundle = bundle
        self.abandonment = abandonment
    }

    func run() throws(Errno) -> HookResult {
        let input = try memoryFile(state)
        var output = try Pipe()
        var errors = try Pipe()
        var failure = try Pipe()
        let directory = try OwnedFD.open(bundle, [.path, .directory])
        let image = try ExecImage(hook)

        var pidfd: Int32 = -1
        var request = clone_args()
        request.flags = UInt64(CLONE_PIDFD)
        request.exit_signal = 17  // SIGCHLD
        let pid = try withUnsafeMutablePointer(to: &pidfd) { pidfd throws(Errno) -> Int in
            request.pidfd = UInt64(UInt(bitPattern: pidfd))
            return try withUnsafeMutablePointer(to: &request) { request throws(Errno) in
                try kernel(__NR_clone3, Int(bitPattern: request), MemoryLayout<clone_args>.size)
            }
        }
        if pid == 0 {
            becomeHook(image, input.raw, output.writer, errors.writer, failure.writer, directory.raw)
        }
        let process = OwnedFD(pidfd)
        output.closeWriter()
        errors.closeWriter()
        failure.closeWriter()
        // The hook's group is made on both sides: it must stand before it may be killed.
        kernelIgnoringFailure(__NR_setpgid, pid, pid)
        let problem = failure.reader.readErrno()
        let earlyEnd = collect(&output, &errors, process)
        if earlyEnd != nil { kernelIgnoringFailure(__NR_kill, -pid, 9) }
        let end = try wait(for: process)
        if let problem { throw problem }
        return HookResult(end: earlyEnd ?? end, output: output.text, errors: errors.text)
    }

    /// Takes what the hook writes until it ends.
    ///
    /// What children of it write later is nobody's.
    ///
    /// - Returns: Why it must be killed; nil: it has ended by itself.
    private func collect(_ output: inout Pipe, _ errors: inout Pipe, _ process: borrowing OwnedFD) -> ProcessEnd? {
        let deadline = hook.timeout.map { monotonicMilliseconds() + $0 * 1000 }
        while true {
            var entries = (
                cl_pollfd(fd: process.raw, events: PollEvents.readable, revents: 0),
                cl_pollfd(fd: output.isOpen ? output.reader.raw : -1, events: PollEvents.readable, revents: 0),
                cl_pollfd(fd: errors.isOpen ? errors.reader.raw : -1, events: PollEvents.readable, revents: 0),
                cl_pollfd(fd: abandonment, events: PollEvents.readable, revents: 0)
            )
            let left = deadline.map { max(0, $0 - monotonicMilliseconds()) } ?? -1
            let count = withUnsafeMutablePointer(to: &entries) { all in
                try? poll(UnsafeMutableRawPointer(all).assumingMemoryBound(to: cl_pollfd.self), 4, milliseconds: left)
            }
            output.drain()
            errors.drain()
            if entries.0.revents != 0 { return nil }
            if entries.3.revents != 0 { return .abandoned }
            if count == 0 || count == nil { return .timedOut(seconds: hook.timeout ?? 0) }
        }
    }

    private func wait(for process: borrowing OwnedFD) throws(Errno) -> ProcessEnd {
        var info = cl_siginfo()
        let exited = 4  // WEXITED
        let byPIDFD = 3  // P_PIDFD
        try withUnsafeMutablePointer(to: &info) { info throws(Errno) in
            _ = try kernel(__NR_waitid, byPIDFD, process.number, Int(bitPattern: info), exited, 0)
        }
        // CLD_EXITED is 1; all other codes here are signals.
        return info.code == 1 ? .exited(info.status) : .signalled(info.status)
    }
}

/// The child's way to the hook, from which it never comes back.
///
/// Nothing here allocates: it runs on a copy of the runtime's memory.
private func becomeHook(
    _ image: borrowing ExecImage, _ input: Int32, _ output: Int32, _ errors: Int32, _ failure: Int32, _ directory: Int32
) {
    do throws(Errno) {
        kernelIgnoringFailure(__NR_setpgid, 0, 0)
        resetSignalDispositions()
        var none: UInt64 = 0
        let replace = 2  // SIG_SETMASK
        withUnsafeMutablePointer(to: &none) { kernelIgnoringFailure(__NR_rt_sigprocmask, replace, Int(bitPattern: $0), 0, 8) }
        try kernel(__NR_fchdir, Int(directory))
        try kernel(__NR_dup3, Int(input), 0, 0)
        try kernel(__NR_dup3, Int(output), 1, 0)
        try kernel(__NR_dup3, Int(errors), 2, 0)
        // Descriptors that an engine passes on to the container are none of the hook's.
        let closeOnExec = 4  // CLOSE_RANGE_CLOEXEC, Linux 5.11
        kernelIgnoringFailure(__NR_close_range, 3, Int(UInt32.max), closeOnExec)
        try kernel(__NR_execve, image.path, image.arguments, image.environment)
    } catch {
        var code = error.code
        withUnsafeMutablePointer(to: &code) { kernelIgnoringFailure(__NR_write, Int(failure), Int(bitPattern: $0), 4) }
    }
    exitProcess(127)
}

/// The hook's program, arguments and environment as execve(2) takes them.
private struct ExecImage: ~Copyable {
    private let pathVector: CStringVector
    private let argumentVector: CStringVector
    private let environmentVector: CStringVector

    init(_ hook: Hook) throws(Errno) {
        pathVector = CStringVector([Array(hook.path.utf8)])
        argumentVector = CStringVector((hook.args ?? [hook.path]).map { Array($0.utf8) })
        // Without a list the hook gets the runtime's own environment, as runc's hooks do (H-10).
        if let environment = hook.env {
            environmentVector = CStringVector(environment.map { Array($0.utf8) })
        } else {
            environmentVector = CStringVector(try ownEnvironment())
        }
    }

    var path: Int { Int(bitPattern: pathVector.pointers[0]) }
    var arguments: Int { Int(bitPattern: argumentVector.pointers) }
    var environment: Int { Int(bitPattern: environmentVector.pointers) }
}

/// The runtime's own environment, as it was given to it.
private func ownEnvironment() throws(Errno) -> [[UInt8]] {
    try OwnedFD.open("/proc/self/environ", .read).readAll().split(separator: 0).map { Array($0) }
}

/// A null-terminated vector of C strings in one allocation for the bytes and one for the pointers.
private struct CStringVector: ~Copyable {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>
    private let bytes: UnsafeMutablePointer<UInt8>

    init(_ strings: [[UInt8]]) {
        var size = 1
        for string in strings { size += string.count + 1 }
        bytes = .allocate(capacity: size)
        pointers = .allocate(capacity: strings.count + 1)
        var next = bytes
        for (index, string) in strings.enumerated() {
            pointers[index] = next
            for byte in string {
                next.pointee = byte
                next += 1
            }
            next.pointee = 0
            next += 1
        }
        pointers[strings.count] = nil
    }

    deinit {
        pointers.deallocate()
        bytes.deallocate()
    }
}

/// A pipe whose reader keeps the first part of what comes.
private struct Pipe: ~Copyable {
    /// As much of a hook's output as an error can use (H-12).
    static let limit = 64 << 10

    let reader: OwnedFD
    /// The number of the end to write to, while that is open.
    let writer: Int32
    private var end: OwnedFD?
    private var bytes: [UInt8] = []
    /// Whether a writer may be left.
    private(set) var isOpen = true

    init() throws(Errno) {
        var both: (Int32, Int32) = (0, 0)
        try withUnsafeMutablePointer(to: &both) { both throws(Errno) in
            _ = try kernel(__NR_pipe2, Int(bitPattern: both), Int(O_CLOEXEC))
        }
        reader = OwnedFD(both.0)
        writer = both.1
        end = OwnedFD(both.1)
    }

    mutating func closeWriter() { end = nil }

    /// What came.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Reads what is there, without waiting.
    ///
    /// What exceeds the limit is dropped: a hook that writes much must not block.
    mutating func drain() {
        // Not for ever: somebody may write as fast as this reads.
        for _ in 0..<16 where isOpen {
            var entry = cl_pollfd(fd: reader.raw, events: PollEvents.readable, revents: 0)
            guard let count = try? poll(&entry, 1, milliseconds: 0), count == 1 else { return }
            let chunk = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                count = (try? kernel(__NR_read, reader.number, Int(bitPattern: buffer.baseAddress), buffer.count)) ?? 0
            }
            if chunk.isEmpty { isOpen = false }
            bytes += chunk.prefix(Pipe.limit - bytes.count)
        }
    }
}

extension OwnedFD {
    /// The errno that a child wrote before it gave up; nil if its execve closed the pipe.
    fileprivate borrowing func readErrno() -> Errno? {
        var code: Int32 = 0
        let count = withUnsafeMutablePointer(to: &code) { try? read(into: $0, count: 4) }
        return count == 4 ? Errno(code: code) : nil
    }
}

/// A file in memory with that content, at its start.
private func memoryFile(_ text: String) throws(Errno) -> OwnedFD {
    let closeOnExec = 1  // MFD_CLOEXEC
    let file = OwnedFD(try kernel(__NR_memfd_create, literal("state").address, closeOnExec))
    try file.writeAll(text)
    try kernel(__NR_lseek, file.number, 0, 0)
    return file
}

/// Child processes: started with nothing inherited but what is named, and reaped in one place.
///
/// The suite is PID 1 of its namespace, or a subreaper, so it also reaps every process whose parent is gone: a container's init, for one.

import Foundation

/// A point in time after which waiting is failing.
struct Deadline {
    private let end: UInt64

    init(seconds: Double) { end = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9) }

    var passed: Bool { DispatchTime.now().uptimeNanoseconds > end }
}

/// Thrown when a case used up its time.
struct TimedOut: Error {
    let what: String
}

/// How a process ended and what it wrote.
struct Outcome {
    /// The exit status, or 128+N after signal N.
    let status: Int32
    let out: String
    let err: String

    /// The output without the newline at its end.
    var line: String { out.trimmingCharacters(in: .newlines) }
    var lines: [String] { out.split(separator: "\n", omittingEmptySubsequences: true).map(String.init) }
}

/// What a new process gets.
struct Launch {
    var arguments: [String]
    var environment: [String] = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    var directory: String?
    var input = "/dev/null"
    var output = "/dev/null"
    var error = "/dev/null"
    /// Descriptors beyond stdio: number in the child, and ours.
    var descriptors: [(number: Int32, source: Int32)] = []
}

/// All children of the suite, also adopted ones.
final class Children {
    private var ended: [pid_t: Int32] = [:]
    /// Whether children that nobody waits for are reaped too; when false they stay zombies.
    var reapsAll = true

    /// Starts a process; its output goes to files.
    func start(_ launch: Launch) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let append = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, launch.input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, launch.output, append, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, launch.error, append, 0o644)
        for (number, source) in launch.descriptors { posix_spawn_file_actions_adddup2(&actions, source, number) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var pid: pid_t = 0
        let words = (launch.directory.map { ["env", "-C", $0] } ?? []) + launch.arguments
        let argv = words.map { strdup($0) } + [nil]
        let envp = launch.environment.map { strdup($0) } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        let code = posix_spawnp(&pid, words[0], &actions, &attributes, argv, envp)
        if code != 0 { throw Complaint("\(launch.arguments[0]): \(String(cString: strerror(code)))") }
        return pid
    }

    /// The status of a child that has ended, or nil; reaps whatever else has ended as well.
    func status(of pid: pid_t) -> Int32? {
        var raw: Int32 = 0
        while true {
            let gone = waitpid(reapsAll ? -1 : pid, &raw, WNOHANG)
            if gone <= 0 { break }
            let signal = raw & 0x7f
            ended[gone] = signal == 0 ? (raw >> 8) & 0xff : 128 + signal
        }
        return ended.removeValue(forKey: pid)
    }

    /// Whether a child has ended whose status nobody has taken yet.
    func hasEnded(_ pid: pid_t) -> Bool {
        let status = status(of: pid)
        ended[pid] = status
        return status != nil
    }

    /// Waits for a child's end and returns its status.
    func wait(for pid: pid_t, until deadline: Deadline, _ what: String) throws -> Int32 {
        while true {
            if let status = status(of: pid) { return status }
            if deadline.passed {
                kill(pid, SIGKILL)
                throw TimedOut(what: what)
            }
            usleep(500)
        }
    }

    /// The suite's descendants: with a PID namespace of its own all processes in it.
    private func descendants() -> [pid_t] {
        let all = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap(pid_t.init)
        if getpid() == 1 { return all.filter { $0 != 1 } }
        var parents: [pid_t: pid_t] = [:]
        for pid in all { parents[pid] = Self.parent(of: pid) }
        return all.filter { pid in
            var ancestor = parents[pid]
            while let next = ancestor, next != getpid() { ancestor = parents[next] }
            return ancestor != nil
        }
    }

    /// A process's parent; nil once it is gone.
    static func parent(of pid: pid_t) -> pid_t? {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        return text.components(separatedBy: ") ").last?.split(separator: " ").dropFirst().first.flatMap { pid_t($0) }
    }

    /// The suite's descendants that live.
    func living() -> [pid_t] {
        descendants().filter { !["Z", "X", ""].contains(Self.state(of: $0)) }
    }

    /// A process's state letter in /proc/PID/stat; empty once it is gone.
    static func state(of pid: pid_t) -> String {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return "" }
        let text = String(decoding: data, as: UTF8.self)
        return text.components(separatedBy: ") ").last.map { String($0.prefix(1)) } ?? ""
    }

    /// Ends every descendant of the suite, and returns what was found alive.
    func sweep() -> [String] {
        reapsAll = true
        var found: Set<String> = []
        for _ in 0..<200 {
            _ = status(of: 0)
            let pids = descendants()
            if pids.isEmpty { break }
            for pid in pids {
                let name = (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) ?? "?"
                if !["Z", "X", ""].contains(Self.state(of: pid)) {
                    found.insert("process \(pid) \(name.trimmingCharacters(in: .newlines))")
                }
                kill(pid, SIGKILL)
            }
            usleep(5000)
        }
        ended.removeAll()
        return found.sorted()
    }
}

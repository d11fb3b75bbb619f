/// Where engines run: namespaces and a cgroup subtree of their own, so that the host keeps nothing of them.
///
/// The first process stays outside and removes the cgroups at the end. Its child goes into a cgroup with a namespace of its own, then
/// starts PID 1 of all other namespaces, which runs the scenarios and reaps what engines leave to init.

import Foundation

enum EngineIsolation {
    /// The directory for everything that the engines make, on a tmpfs of its own.
    static let scratch = Isolation.scratch

    private static var layout: String? { ProcessInfo.processInfo.environment["CONFORMANCE_LAYOUT"] }

    /// Whether this process has not gone into any namespace yet.
    static var isOutside: Bool { ProcessInfo.processInfo.environment["ENGINES_STAGE"] == nil }

    /// Returns only where the engines run; the other processes end here.
    static func enter(for runtimes: [String]) throws {
        switch ProcessInfo.processInfo.environment["ENGINES_STAGE"] {
        case nil:
            guard geteuid() == 0 else { throw Complaint("the engines need root") }
            for path in runtimes where !FileManager.default.isExecutableFile(atPath: path) { throw Complaint("no runtime at \(path)") }
            try watch()
        case "cgroup": try narrow()
        case "suite": try settle()
        default: try furnish()
        }
    }

    // MARK: Outside

    /// Runs the others to their end, then removes the cgroups it made.
    private static func watch() throws -> Never {
        let token = "engines\(getpid())"
        setenv("CONFORMANCE_TOKEN", token, 1)
        setenv("ENGINES_STAGE", "cgroup", 1)
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let words = ["setpriv", "--pdeathsig", "KILL", program] + CommandLine.arguments.dropFirst()
        let argv = words.map { strdup($0) } + [nil]
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, "setpriv", nil, nil, argv, environ)
        guard code == 0 else { throw Complaint("setpriv: \(String(cString: strerror(code)))") }
        // Whoever interrupts the run ends the children, and this process tidies up behind them.
        signal(SIGINT, SIG_IGN)
        signal(SIGTERM) { _ in EngineIsolation.interrupted = 1 }
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 {
            if interrupted != 0 { kill(pid, SIGKILL) }
            usleep(20_000)
        }
        for attempt in 0..<50 where attempt == 0 || !Cgroups.marked(by: token).isEmpty {
            Cgroups.marked(by: token).forEach { rmdir($0) }
            usleep(20_000)
        }
        exit(status & 0x7f == 0 ? (status >> 8) & 0xff : 2)
    }

    nonisolated(unsafe) private static var interrupted: sig_atomic_t = 0

    // MARK: The cgroup

    /// Goes into `/TOKEN` of every hierarchy and makes it the root of a new cgroup namespace.
    private static func narrow() throws -> Never {
        try enter("/\(Isolation.token)")
        try become(stage: "suite", through: ["-C", "--"])
    }

    /// Goes on to `/TOKEN/suite`, so that `/TOKEN` can hand its controllers on, and into all other namespaces.
    private static func settle() throws -> Never {
        try enter("/\(Isolation.token)/suite")
        try become(
            stage: "inside",
            through: ["-m", "-p", "-f", "-n", "-i", "-u", "--kill-child", "--mount-proc", "--propagation", "private", "--"])
    }

    private static func enter(_ cgroup: String) throws {
        for hierarchy in Cgroups.hierarchies {
            try make(hierarchy.directory + cgroup, below: hierarchy)
            try write("\(getpid())", to: "\(hierarchy.directory)\(cgroup)/cgroup.procs")
        }
    }

    private static func become(stage: String, through options: [String]) throws -> Never {
        setenv("ENGINES_STAGE", stage, 1)
        let argv = (["unshare"] + options + CommandLine.arguments).map { strdup($0) } + [nil]
        execvp("unshare", argv)
        throw Complaint("unshare: \(String(cString: strerror(errno)))")
    }

    /// Makes a cgroup and gives it what it needs before a process can enter it.
    private static func make(_ path: String, below hierarchy: Cgroups.Hierarchy) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let parent = (path as NSString).deletingLastPathComponent
        if hierarchy.controllers.contains("cpuset") {
            for name in ["cpuset.cpus", "cpuset.mems"] {
                try write(String(contentsOfFile: "\(parent)/\(name)", encoding: .utf8), to: "\(path)/\(name)")
            }
        }
        guard hierarchy.unified, !path.hasSuffix("/suite") else { return }
        // Each by itself: a host may refuse one.
        let offered = (try? String(contentsOfFile: "\(parent)/cgroup.controllers", encoding: .utf8)) ?? ""
        for controller in offered.split(whereSeparator: \.isWhitespace) {
            try? write("+\(controller)", to: "\(parent)/cgroup.subtree_control")
        }
    }

    private static func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let count = text.withCString { Glibc.write(descriptor, $0, strlen($0)) }
        if count < 0 { throw Complaint("\(path): \(String(cString: strerror(errno)))") }
    }

    // MARK: Inside

    /// A tmpfs wherever engines keep something, loopback, ids to delegate, and the cgroups as the namespace shows them.
    private static func furnish() throws {
        umask(0o022)
        try mountCgroups()
        for point in ["/run", "/dev/shm", "/var/lib/cni", "/var/lib/containers", "/etc/docker"]
        where point == "/run" || FileManager.default.fileExists(atPath: point) {
            try call("mount", "-t", "tmpfs", "-o", "mode=\(point == "/dev/shm" ? "1777" : "755")", "tmpfs", point)
        }
        for directory in ["", "/bin", "/tmp"] {
            try FileManager.default.createDirectory(atPath: scratch + directory, withIntermediateDirectories: true)
        }
        try "containers:300000:400000\ndaemon:800000:65536\n".write(toFile: "\(scratch)/subids", atomically: false, encoding: .utf8)
        for file in ["/etc/subuid", "/etc/subgid"] where FileManager.default.fileExists(atPath: file) {
            try call("mount", "--bind", "\(scratch)/subids", file)
        }
        try call("ip", "link", "set", "lo", "up")
        setenv("TMPDIR", "\(scratch)/tmp", 1)
    }

    /// Mounts each hierarchy anew: the mounts of before show the host's whole tree.
    private static func mountCgroups() throws {
        let hierarchies = Cgroups.hierarchies
        try call("umount", "-R", "-l", "/sys/fs/cgroup")
        if hierarchies.allSatisfy(\.unified) { return try call("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup") }
        try call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/sys/fs/cgroup")
        for hierarchy in hierarchies where !(hierarchy.unified && layout == "v1") {
            try FileManager.default.createDirectory(atPath: hierarchy.directory, withIntermediateDirectories: true)
            let named = hierarchy.controllers.filter { $0.hasPrefix("name=") }.map { "none,\($0)" }
            let held = hierarchy.controllers.intersection(known)
            let options = (named + held.sorted()).joined(separator: ",")
            try call(
                "mount", "-t", hierarchy.unified ? "cgroup2" : "cgroup", "-o", hierarchy.unified ? "rw" : options, "cgroup",
                hierarchy.directory)
        }
    }

    private static let known: Set<String> = [
        "blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb", "memory", "misc", "net_cls", "net_prio", "perf_event", "pids",
        "rdma",
    ]

    private static func call(_ words: String...) throws {
        let children = Children()
        let error = dup(2)
        defer { close(error) }
        let launch = Launch(arguments: words, descriptors: [(2, error)])
        let status = try children.wait(for: children.start(launch), until: Deadline(seconds: 10), words[0])
        if status != 0 { throw Complaint("\(words.joined(separator: " ")) failed with \(status)") }
    }
}

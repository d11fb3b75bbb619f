/// Namespaces of the suite's own, so that nothing it does reaches the host but cgroups, which it removes.

import Foundation

enum Isolation {
    /// The directory for everything the suite makes; on a tmpfs of its own, with a path short enough for sockets below it.
    static let scratch = "/run/conformance"

    /// Marks what belongs to this run: container ids and cgroups carry it.
    static var token: String { ProcessInfo.processInfo.environment["CONFORMANCE_TOKEN"] ?? "cf0" }

    /// Whether systemd makes the containers' cgroups.
    static var usesSystemd: Bool { ProcessInfo.processInfo.environment["CONFORMANCE_CGROUP_MANAGER"] == "systemd" }

    /// The cgroups of all containers: one for each run, which goes with it.
    static var parentCgroup: String { usesSystemd ? "/\(token).slice" : "/\(token)" }

    /// A container's cgroup, below every hierarchy.
    static func cgroup(of id: String) -> String { usesSystemd ? "\(parentCgroup)/cf-\(id).scope" : "\(parentCgroup)/\(id)" }

    /// What names it in a config.
    static func cgroupsPath(of id: String) -> String { usesSystemd ? "\(token).slice:cf:\(id)" : cgroup(of: id) }

    /// Replaces this process by one inside new namespaces; returns only there.
    static func enter(_ options: Options) throws {
        guard ProcessInfo.processInfo.environment["CONFORMANCE_TOKEN"] == nil else { return try furnish() }
        guard geteuid() == 0 else { throw Complaint("the cases need root") }
        guard FileManager.default.isExecutableFile(atPath: options.runtime) else { throw Complaint("no runtime at \(options.runtime)") }
        setenv("CONFORMANCE_TOKEN", "cf\(getpid())", 1)
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        // systemd knows processes by the host's numbers.
        let processes = usesSystemd ? [] : ["-p", "--mount-proc"]
        var words = ["unshare", "-m", "-f", "-n", "-i", "-u", "--kill-child", "--propagation", "private"] + processes + ["--"]
        words += [program, "--runtime", options.runtime] + options.filters.flatMap { ["--filter", $0] }
        let argv = words.map { strdup($0) } + [nil]
        execvp("unshare", argv)
        throw Complaint("unshare: \(String(cString: strerror(errno)))")
    }

    /// A tmpfs on /run, loopback, and the wanted cgroup layout.
    private static func furnish() throws {
        umask(0o022)
        // What a payload inherits is what the cases look for: a caller may have lowered its own priority.
        setpriority(Int32(PRIO_PROCESS.rawValue), 0, 0)
        try hideRun()
        if usesSystemd { adoptOrphans() }
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        try call("ip", "link", "set", "lo", "up")
        switch ProcessInfo.processInfo.environment["CONFORMANCE_LAYOUT"] {
        case "v1": try call("umount", "/sys/fs/cgroup/unified")
        case "v2":
            try call("umount", "--lazy", "/sys/fs/cgroup")
            try call("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
        default: break
        }
    }

    /// Becomes the parent of every process below that loses its own, as PID 1 of a namespace is.
    private static func adoptOrphans() {
        // prctl(PR_SET_CHILD_SUBREAPER, 1): Swift does not import functions with variable arguments.
        typealias Call = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        guard let symbol = dlsym(nil, "prctl") else { return }
        _ = unsafeBitCast(symbol, to: Call.self)(36, 1, 0, 0, 0)
    }

    /// Mounts a tmpfs on /run; systemd's sockets stay in sight where they are needed.
    private static func hideRun() throws {
        let kept = usesSystemd ? ["systemd", "dbus"].map { ($0, open("/run/\($0)", O_RDONLY | O_CLOEXEC)) } : []
        try call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
        for (name, descriptor) in kept where descriptor >= 0 {
            mkdir("/run/\(name)", 0o755)
            if mount("/proc/self/fd/\(descriptor)", "/run/\(name)", nil, UInt(MS_BIND | MS_REC), nil) != 0 {
                throw Complaint("bind /run/\(name): \(String(cString: strerror(errno)))")
            }
            close(descriptor)
        }
    }

    private static func call(_ words: String...) throws {
        let children = Children()
        let status = try children.wait(for: children.start(Launch(arguments: words)), until: Deadline(seconds: 10), words[0])
        if status != 0 { throw Complaint("\(words.joined(separator: " ")) failed with \(status)") }
    }
}

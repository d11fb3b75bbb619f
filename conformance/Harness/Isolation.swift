/// Namespaces of the suite's own, so that nothing it does reaches the host but cgroups, which it removes.

import Foundation

enum Isolation {
    /// The directory for everything the suite makes; on a tmpfs of its own, with a path short enough for sockets below it.
    static let scratch = "/run/conformance"

    /// Marks what belongs to this run: container ids and cgroups carry it.
    static var token: String { ProcessInfo.processInfo.environment["CONFORMANCE_TOKEN"] ?? "cf0" }

    /// Replaces this process by one inside new namespaces; returns only there.
    static func enter(_ options: Options) throws {
        guard ProcessInfo.processInfo.environment["CONFORMANCE_TOKEN"] == nil else { return try furnish() }
        guard geteuid() == 0 else { throw Complaint("the cases need root") }
        guard FileManager.default.isExecutableFile(atPath: options.runtime) else { throw Complaint("no runtime at \(options.runtime)") }
        setenv("CONFORMANCE_TOKEN", "cf\(getpid())", 1)
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var words = ["unshare", "-m", "-p", "-f", "-n", "-i", "-u", "--kill-child", "--mount-proc", "--propagation", "private", "--"]
        words += [program, "--runtime", options.runtime] + options.filters.flatMap { ["--filter", $0] }
        let argv = words.map { strdup($0) } + [nil]
        execvp("unshare", argv)
        throw Complaint("unshare: \(String(cString: strerror(errno)))")
    }

    /// A tmpfs on /run, loopback, and the wanted cgroup layout.
    private static func furnish() throws {
        umask(0o022)
        try call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
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

    private static func call(_ words: String...) throws {
        let children = Children()
        let status = try children.wait(for: children.start(Launch(arguments: words)), until: Deadline(seconds: 10), words[0])
        if status != 0 { throw Complaint("\(words.joined(separator: " ")) failed with \(status)") }
    }
}

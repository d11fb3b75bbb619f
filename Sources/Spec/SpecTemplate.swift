/// The config to begin with: a shell in a read-only root, confined as engines do it.

/// A template of config.json.
public struct SpecTemplate: Equatable, Sendable {
    /// The ids that root in the container has outside, for a container that needs no root.
    public struct Rootless: Equatable, Sendable {
        let uid: UInt32
        let gid: UInt32

        /// Maps root to a user and a group.
        public init(uid: UInt32, gid: UInt32) {
            self.uid = uid
            self.gid = gid
        }
    }

    private let rootless: Rootless?

    /// Makes a template for root, or for an ordinary user.
    public init(rootless: Rootless? = nil) { self.rootless = rootless }

    /// The config, with two spaces a level and a line's end.
    public var json: String {
        var writer = JSONWriter(pretty: true)
        writer.object { writer in
            writer.member("ociVersion", SpecVersion.maximum)
            writer.object("process") { writer in writeProcess(&writer) }
            writer.object("root") { writer in
                writer.member("path", "rootfs")
                writer.member("readonly", true)
            }
            writer.member("hostname", "swoci")
            writer.array("mounts") { writer in
                for mount in mounts { mount.write(to: &writer) }
            }
            writer.object("linux") { writer in writeLinux(&writer) }
        }
        return writer.string + "\n"
    }

    private func writeProcess(_ writer: inout JSONWriter) {
        writer.member("terminal", true)
        writer.object("user") { writer in
            writer.member("uid", 0)
            writer.member("gid", 0)
        }
        writer.member("args", ["sh"])
        writer.member("env", ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"])
        writer.member("cwd", "/")
        writer.object("capabilities") { writer in
            for set in ["bounding", "effective", "permitted"] {
                writer.member(set, ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"])
            }
        }
        writer.array("rlimits") { writer in
            writer.object { writer in
                writer.member("type", "RLIMIT_NOFILE")
                writer.member("hard", 1024)
                writer.member("soft", 1024)
            }
        }
        writer.member("noNewPrivileges", true)
    }

    private func writeLinux(_ writer: inout JSONWriter) {
        if let rootless {
            writer.array("uidMappings") { writer in writeMapping(rootless.uid, &writer) }
            writer.array("gidMappings") { writer in writeMapping(rootless.gid, &writer) }
        } else {
            writer.object("resources") { writer in
                writer.array("devices") { writer in
                    writer.object { writer in
                        writer.member("allow", false)
                        writer.member("access", "rwm")
                    }
                }
            }
        }
        writer.array("namespaces") { writer in
            for type in ["pid", rootless == nil ? "network" : "user", "ipc", "uts", "mount", "cgroup"] {
                writer.object { writer in writer.member("type", type) }
            }
        }
        writer.member(
            "maskedPaths",
            [
                "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
            ])
        writer.member("readonlyPaths", ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"])
    }

    private func writeMapping(_ hostID: UInt32, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("containerID", 0)
            writer.member("hostID", hostID)
            writer.member("size", 1)
        }
    }

    /// A user may not mount a sysfs of a network namespace that is not theirs, and has no group 5.
    ///
    /// Read-only with all below it: the user's own cgroups are there, which root in the container could write to.
    private var mounts: [TemplateMount] {
        let common = [
            TemplateMount("/proc", "proc", "proc", []),
            TemplateMount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            TemplateMount(
                "/dev/pts", "devpts", "devpts",
                ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] + (rootless == nil ? ["gid=5"] : [])),
            TemplateMount("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
            TemplateMount("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
        ]
        let system =
            rootless == nil
            ? TemplateMount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"])
            : TemplateMount("/sys", "none", "/sys", ["rbind", "nosuid", "noexec", "nodev", "rro"])
        return common + [
            system, TemplateMount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"]),
        ]
    }
}

/// A mount of the template.
private struct TemplateMount {
    let destination: String
    let type: String
    let source: String
    let options: [String]

    init(_ destination: String, _ type: String, _ source: String, _ options: [String]) {
        self.destination = destination
        self.type = type
        self.source = source
        self.options = options
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("destination", destination)
            writer.member("type", type)
            writer.member("source", source)
            if !options.isEmpty { writer.member("options", options) }
        }
    }
}

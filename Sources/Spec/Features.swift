/// What the runtime supports, for engines that ask before they use it. Source: features.md, features-linux.md; rows FE.

/// What is built in: the one place where support is claimed.
public struct FeatureFlags: Equatable, Sendable {
    /// Control groups of version 1 (FE-07).
    public var cgroupV1 = true
    /// Control groups of version 2.
    public var cgroupV2 = true
    /// Cgroups made by systemd.
    public var systemd = true
    /// Cgroups made by a user's systemd.
    public var systemdUser = true
    /// RDMA limits.
    public var rdma = true
    /// The system call filter (FE-08).
    public var seccomp = true
    /// AppArmor profiles (FE-09).
    public var apparmor = true
    /// SELinux labels.
    public var selinux = true
    /// Cache and memory bandwidth allocation (FE-10).
    public var intelRdt = true
    /// Id-mapped mounts (FE-11).
    public var idmap = true
    /// Network devices that move into the container (FE-12).
    public var netDevices = true
    /// Checkpoint and restore (FE-14).
    public var checkpoint = true

    /// What is true today.
    public init() {}
}

/// The features document, with two spaces a level.
///
/// Rows FE-01 to FE-15, A-04.
///
/// - Parameters:
///   - libseccompVersion: "2.5.4", of the library that is linked in.
///   - seccompArchitectures: those that the library knows; nil: all of the specification.
///   - supportedSeccompFlags: filter flags that library and kernel take; nil: all that are known.
///   - flags: what is built in.
public func featuresJSON(
    libseccompVersion: String, seccompArchitectures: [String]? = nil, supportedSeccompFlags: [String]? = nil,
    flags: FeatureFlags = FeatureFlags()
) -> String {
    var writer = JSONWriter(pretty: true)
    writer.object { writer in
        writer.member("ociVersionMin", SpecVersion.minimum)
        writer.member("ociVersionMax", SpecVersion.maximum)
        writer.member("hooks", ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"])
        writer.member("mountOptions", MountOption.names.sorted())
        writer.object("linux") { writer in
            writer.member("namespaces", names(of: LinuxNames.namespaces).sorted())
            writer.member("capabilities", Capability.names)
            writeCgroup(flags, &writer)
            writer.object("seccomp") { writer in
                writer.member("enabled", flags.seccomp)
                guard flags.seccomp else { return }
                let known = SeccompNames.flags.map { $0.text }.sorted()
                writer.member("actions", names(of: SeccompNames.actions).sorted())
                writer.member("operators", names(of: SeccompNames.operators).sorted())
                writer.member("archs", (seccompArchitectures ?? SeccompNames.architectures.map { $0.text }).sorted())
                writer.member("knownFlags", known)
                writer.member("supportedFlags", supportedSeccompFlags?.sorted() ?? known)
            }
            writeEnabled("apparmor", flags.apparmor, &writer)
            writeEnabled("selinux", flags.selinux, &writer)
            writer.object("intelRdt") { writer in
                for member in ["enabled", "schemata", "monitoring"] { writer.member(member, flags.intelRdt) }
            }
            writer.object("memoryPolicy") { writer in
                writer.member("modes", names(of: LinuxNames.memoryPolicies))
                writer.member("flags", names(of: LinuxNames.memoryPolicyFlags))
            }
            writer.object("mountExtensions") { writer in writeEnabled("idmap", flags.idmap, &writer) }
            writeEnabled("netDevices", flags.netDevices, &writer)
        }
        writer.object("annotations") { writer in
            writer.member("io.github.seccomp.libseccomp.version", libseccompVersion)
            writer.member("org.opencontainers.runc.checkpoint.enabled", flags.checkpoint ? "true" : "false")
        }
        writer.member("potentiallyUnsafeConfigAnnotations", unsafeAnnotations)
    }
    return writer.string
}

/// Annotations that change what the runtime does; a "." at the end stands for all that begin so (FE-15).
private let unsafeAnnotations = ["org.criu.", "org.swoci.", "org.systemd.property.", "run.oci."]

private func writeCgroup(_ flags: FeatureFlags, _ writer: inout JSONWriter) {
    writer.object("cgroup") { writer in
        writer.member("v1", flags.cgroupV1)
        writer.member("v2", flags.cgroupV2)
        writer.member("systemd", flags.systemd)
        writer.member("systemdUser", flags.systemdUser)
        writer.member("rdma", flags.rdma)
    }
}

private func writeEnabled(_ name: String, _ isEnabled: Bool, _ writer: inout JSONWriter) {
    writer.object(name) { writer in writer.member("enabled", isEnabled) }
}

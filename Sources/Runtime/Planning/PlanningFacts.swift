/// What planning has to know beside the config: facts of the host and of the call, gathered by the launcher.

public import Spec

/// Facts for ``Planner``.
///
/// Plain data, so that a test can write them down.
public struct PlanningFacts: Equatable, Sendable {
    /// The bundle's absolute path.
    public var bundle: String
    /// The container's id.
    public var containerID: String
    /// The root file system's absolute path.
    public var rootfsPath: String
    /// `--no-pivot`: the root is entered by moving it.
    public var noPivot = false
    /// `--no-new-keyring`: the session keyring stays the caller's.
    public var noNewKeyring = false
    /// How many descriptors from 3 on the payload keeps: those of socket activation and of `--preserve-fds` (L-07).
    public var preservedDescriptors: UInt32 = 0
    /// Environment entries of socket activation without LISTEN_PID: "LISTEN_FDS=2", "LISTEN_FDNAMES=a:b".
    public var listenEnvironment: [String] = []
    /// The namespaces with a path, opened (N-03).
    public var joinedNamespaces: [JoinedNamespace] = []
    /// The container's own directories in cgroup v1 hierarchies; empty on a host with cgroup v2 alone.
    public var cgroupMounts: [CgroupMount] = []
    /// Whether the host has cgroup v2 alone.
    public var isCgroupV2 = true
    /// The container's own directory in cgroup v2.
    public var cgroupV2Directory = ""
    /// Whether those directories are the caller's own cgroups, because the container has none.
    public var cgroupIsCallers = false
    /// The runtime's own bounding set: nothing beyond it can be granted (P-16).
    public var capabilitiesHeld = CapabilitySet(rawValue: .max)
    /// Whether the container's user namespace will forbid setgroups(2) (I-02).
    public var setgroupsDenied = false
    /// Whether the runtime itself runs in a user namespace that is not the host's first: it cannot make device nodes then.
    public var isInUserNamespace = false
    /// Whether AppArmor is on (P-14).
    public var hasAppArmor = true
    /// Whether the runtime may open trees of mounts for the init; if not, the init opens them by itself, with the caller's ids.
    public var opensTrees = true
    /// How the user mappings of a new user namespace are written.
    public var uidMethod = MappingMethod.written
    /// How the group mappings are written.
    public var gidMethod = MappingMethod.written
    /// Whether the runtime may join namespaces with its own rights, before the user namespace that owns them.
    public var mayJoinNamespaces = true
    /// The groups that exist in that namespace; empty in the host's first, where all do.
    public var mappedGroups: [IDMapping] = []
    /// The clocks' seconds, in the order of the config's time offsets; empty where nobody has looked.
    public var clocks: [Int64] = []
    /// Whether SELinux is on: without it mount labels mean nothing.
    public var isSELinuxEnabled = false
    /// What the sources of `copy-symlink` mounts point at, for those that are symbolic links (MO-35).
    public var copiedLinks: [CopiedLink] = []
    /// The beginning of the payload's program where that is a script: it may become an init (``PayloadPlacement``).
    public var payloadScript: [UInt8] = []
    /// The compiled system call filter; nil where the config asks for none (SE-01).
    public var seccompProgram: SeccompProgram?
    /// The state document for hooks that the init runs (H-01).
    public var state = HookState(id: "", bundle: "", rootfs: "", annotations: [])

    /// Makes the facts of an ordinary call on a host with cgroup v2.
    public init(bundle: String, containerID: String, rootfsPath: String) {
        self.bundle = bundle
        self.containerID = containerID
        self.rootfsPath = rootfsPath
    }

    /// A namespace that the launcher opened.
    public struct JoinedNamespace: Equatable, Sendable {
        /// Its type.
        public var type: NamespaceType
        /// The number of the descriptor that the init inherits.
        public var descriptor: UInt32
        /// Makes it.
        public init(type: NamespaceType, descriptor: UInt32) {
            self.type = type
            self.descriptor = descriptor
        }
    }

    /// A cgroup v1 hierarchy with the container's cgroup.
    public struct CgroupMount: Equatable, Sendable {
        /// Its directory's name in the container: "cpu,cpuacct".
        public var name: String
        /// The container's cgroup on the host.
        public var directory: String
        /// Names that stand for it too: "cpu", "cpuacct".
        public var links: [String]
        /// Makes it.
        public init(name: String, directory: String, links: [String] = []) {
            self.name = name
            self.directory = directory
            self.links = links
        }
    }

    /// A symbolic link that a mount copies.
    public struct CopiedLink: Equatable, Sendable {
        /// The mount's place in the config's list.
        public var mount: Int
        /// What the link says.
        public var target: String
        /// Makes it.
        public init(mount: Int, target: String) {
            self.mount = mount
            self.target = target
        }
    }

    /// A compiled filter.
    public struct SeccompProgram: Equatable, Sendable {
        /// BPF, 8 bytes an instruction.
        public var bytes: [UInt8]
        /// SECCOMP_FILTER_FLAG_* bits.
        public var flags: UInt32
        /// Makes it.
        public init(bytes: [UInt8], flags: UInt32 = 0) {
            self.bytes = bytes
            self.flags = flags
        }
    }
}

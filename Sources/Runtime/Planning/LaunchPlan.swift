/// What planning decides: the init's plan, and what the runtime itself does around it.

internal import Linux
public import Plan
public import Spec

/// A container's launch as data.
public struct LaunchPlan: Equatable, Sendable {
    /// What the init does.
    public var plan = Plan()
    /// CLONE_NEW* of the clone3(2) that starts the init; 0 in a staged launch.
    public var cloneFlags: UInt64 = 0
    /// Whether the init first joins or makes namespaces and goes on in a child of its own (N-12).
    public var isStaged = false
    /// Whether there is a new user namespace, whose mappings the runtime writes (I-01, I-02).
    public var createsUserNamespace = false
    /// The mappings of a new user namespace.
    public var uidMappings: [IDMapping] = []
    /// The group mappings of a new user namespace.
    public var gidMappings: [IDMapping] = []
    /// How the user mappings are written.
    public var uidMethod = MappingMethod.written
    /// How the group mappings are written.
    public var gidMethod = MappingMethod.written
    /// Whether the init becomes the payload instead of supervising it.
    public var payloadIsPIDOne = true
    /// Limits the runtime sets from outside (P-10).
    public var rlimits: [Rlimit] = []
    /// The value the runtime writes from outside (P-23).
    public var oomScoreAdj: Located<Int>?
    /// The trees that the runtime opens before the init starts, in the order of their slots.
    public var sources: [Source] = []
    /// The devices that the runtime moves into the container's network namespace (W-01).
    public var netDevices: [NetDevice] = []
    /// The groups of resctrl that the runtime makes and puts the container into (RT-01).
    public var resctrl: ResctrlPlan?
    /// Whether create has hooks, be they the runtime's or the init's to run.
    public var hasCreateHooks = false
    /// What people should know though it stops nothing.
    public var warnings: [PlanningWarning] = []

    /// Makes an empty plan.
    public init() {}

    /// A tree that the runtime opens for the init, by open_tree(2) with OPEN_TREE_CLONE.
    public struct Source: Equatable, Sendable {
        /// The slot it goes to.
        public var slot: UInt32
        /// The path on the host.
        public var path: String
        /// Whether the mounts below come with it (AT_RECURSIVE).
        public var isRecursive: Bool
        /// Whether a symbolic link is taken itself (AT_SYMLINK_NOFOLLOW).
        public var noFollow = false
        /// The id mapping set on it by mount_setattr(2) with MOUNT_ATTR_IDMAP; nil: none (M-07).
        public var idMap: IDMap?
        /// The mount that asks for it.
        public var origin: Origin

        /// Makes a tree without an id mapping.
        public init(slot: UInt32, path: String, isRecursive: Bool, origin: Origin) {
            self.slot = slot
            self.path = path
            self.isRecursive = isRecursive
            self.origin = origin
        }
    }

    /// The mapping of an id-mapped mount.
    public struct IDMap: Equatable, Sendable {
        /// Where the mapping comes from.
        public enum Namespace: Equatable, Sendable {
            /// A user namespace made for it.
            case mapped(uids: [IDMapping], gids: [IDMapping])
            /// The joined user namespace of that descriptor.
            case joined(descriptor: UInt32)
        }
        /// The user namespace that describes the mapping.
        public var namespace: Namespace
        /// Whether the mounts below are mapped too (`ridmap`).
        public var isRecursive: Bool

        /// Makes a mapping.
        public init(_ namespace: Namespace, isRecursive: Bool) {
            self.namespace = namespace
            self.isRecursive = isRecursive
        }
    }
}

/// Something in a config that is not done as written, but need not stop the container.
public struct PlanningWarning: Equatable, Sendable {
    /// What.
    public var message: String
    /// Which part of the config.
    public var origin: Origin
    /// The spec row.
    public var row: String

    /// Makes a warning.
    public init(_ message: String, origin: Origin, row: String) {
        self.message = message
        self.origin = origin
        self.row = row
    }
}

/// Why a config cannot be planned.
public struct PlanningError: Error, Equatable, Sendable {
    /// What there is to say: boxed, because it would be copied at every place that passes an error on.
    private struct Content: Equatable, Sendable {
        var message: String
        var origin: Origin
        var hint: String
        var row: String
    }

    private let content: Boxed<Content>

    /// Makes an error.
    @inline(never)
    public init(_ message: String, origin: Origin, hint: String = "", row: String = "") {
        content = Boxed(Content(message: message, origin: origin, hint: hint, row: row))
    }

    /// What is wrong.
    public var message: String { content.value.message }
    /// Which part of the config.
    public var origin: Origin { content.value.origin }
    /// What to do about it; empty: nothing to say.
    public var hint: String { content.value.hint }
    /// The spec row; empty for the runtime's own limits.
    public var row: String { content.value.row }
}

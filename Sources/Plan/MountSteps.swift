/// The steps that build the container's file system. Flags are the kernel's own numbers (linux/mount.h), so that the init only
/// hands them on.

/// Where a tree to mount comes from.
public struct TreeSource: Equatable, Sendable {
    /// A path in the mount namespace as it is before the root is entered; empty with a slot.
    public var path: Text
    /// 1 + the number of the slot that holds an open tree, or 0.
    public var slot: UInt32
    /// Bits: 1 the trees below it too (AT_RECURSIVE), 2 a symbolic link itself (AT_SYMLINK_NOFOLLOW).
    public var options: UInt32

    /// Takes the tree at a path.
    public init(path: Text, recursive: Bool, noFollow: Bool = false) {
        self.path = path
        slot = 0
        options = (recursive ? 1 : 0) | (noFollow ? 2 : 0)
    }

    /// Takes the tree that a descriptor of the runtime or an earlier ``Step/openSource(_:)`` put into a slot.
    ///
    /// The path says for people what it is.
    public init(slot: UInt32, path: Text, recursive: Bool) {
        self.path = path
        self.slot = slot + 1
        options = recursive ? 1 : 0
    }
}

/// A change of mount attributes: mount_setattr(2)'s attr_set and attr_clr, for the mount and for the trees below it.
public struct AttributeChange: Equatable, Sendable {
    /// MOUNT_ATTR_* bits set on the mount.
    public var set: UInt64 = 0
    /// MOUNT_ATTR_* bits cleared on the mount.
    public var clear: UInt64 = 0
    /// Bits set on it and everything below.
    public var recursiveSet: UInt64 = 0
    /// Bits cleared on it and everything below.
    public var recursiveClear: UInt64 = 0

    /// Changes nothing.
    public init() {}

    /// Whether anything changes.
    public var isEmpty: Bool { self.set | clear | recursiveSet | recursiveClear == 0 }
}

/// MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, each perhaps with MS_REC; applied one after the other (at most two differ in use:
/// "slave" then "shared").
public struct PropagationChange: Equatable, Sendable {
    /// The first change, 0 for none.
    public var first: UInt32
    /// The second change, 0 for none.
    public var second: UInt32

    /// Changes nothing.
    public init() { self.init(0) }

    /// Makes changes of MS_* flags.
    public init(_ first: UInt32, _ second: UInt32 = 0) {
        self.first = first
        self.second = second
    }
}

/// ``Step/openSource(_:)``.
public struct OpenSource: Equatable, Sendable {
    /// The slot to fill.
    public var slot: UInt32
    /// What is opened.
    public var source: TreeSource
    /// Opens a source into a slot.
    public init(slot: UInt32, source: TreeSource) {
        self.slot = slot
        self.source = source
    }
}

/// ``Step/attachRoot(_:)``.
public struct AttachRoot: Equatable, Sendable {
    /// The root directory on the host.
    public var source: TreeSource
    /// Makes a root of it.
    public init(source: TreeSource) { self.source = source }
}

/// How a mount's target is found below the root.
public struct Target: Equatable, Sendable {
    /// The path in the container; links are followed inside the root only.
    public var path: Text
    /// Bits: 1 the last component must not be a symbolic link (/proc, /sys, dest-nofollow), 2 a missing target is an error, 4 only a
    /// procfs may be bound there, 8 the path may lead into the container's /proc.
    public var options: UInt32

    /// Names a target.
    public init(
        path: Text, noFollow: Bool = false, mustExist: Bool = false, takesOnlyProcfs: Bool = false, mayBeInProcfs: Bool = false
    ) {
        self.path = path
        options = (noFollow ? 1 : 0) | (mustExist ? 2 : 0) | (takesOnlyProcfs ? 4 : 0) | (mayBeInProcfs ? 8 : 0)
    }
}

/// ``Step/mountFilesystem(_:)``.
public struct MountFilesystem: Equatable, Sendable {
    /// The file system's type: "tmpfs".
    public var type: Text
    /// The source: fsconfig(2)'s "source".
    public var source: Text
    /// Where it goes.
    public var target: Target
    /// Parameters: "key" or "key=value" each, superblock flags ("sync", "lazytime", "ro") among them.
    public var parameters: TextList
    /// MOUNT_ATTR_* of the new mount (fsmount(2)), and later changes.
    public var attributes: AttributeChange
    /// The propagation it gets.
    public var propagation: PropagationChange
    /// Bits: 1 copy what it covers into it (tmpcopyup), 2 take the covered directory's mode where the parameters name none,
    /// 4 where the kernel refuses with EPERM, bind the host's tree of the same path instead (sysfs in a user namespace), 8 take the
    /// covered directory's owner.
    public var options: UInt32

    /// What a mount may do beside mounting.
    public struct Options: OptionSet, Sendable {
        /// The bits.
        public let rawValue: UInt32
        /// Makes options of their bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// tmpcopyup.
        public static let copyUp = Options(rawValue: 1)
        /// A tmpfs without `mode=` takes over the mode of the directory it covers.
        public static let inheritMode = Options(rawValue: 2)
        /// Falls back to a bind of the host's.
        public static let bindWhenRefused = Options(rawValue: 4)
        /// The tmpfs takes over the owner of the directory it covers.
        public static let inheritOwner = Options(rawValue: 8)
    }

    /// Makes a mount step.
    public init(
        type: Text, source: Text, target: Target, parameters: TextList, attributes: AttributeChange = AttributeChange(),
        propagation: PropagationChange = PropagationChange(), options: Options = []
    ) {
        self.type = type
        self.source = source
        self.target = target
        self.parameters = parameters
        self.attributes = attributes
        self.propagation = propagation
        self.options = options.rawValue
    }
}

/// ``Step/bind(_:)``.
public struct Bind: Equatable, Sendable {
    /// What is mounted.
    public var source: TreeSource
    /// Where it goes.
    public var target: Target
    /// Its attributes: set on the detached tree, so that it is never visible without them.
    public var attributes: AttributeChange
    /// Its propagation.
    public var propagation: PropagationChange

    /// Makes a bind step.
    public init(
        source: TreeSource, target: Target, attributes: AttributeChange = AttributeChange(),
        propagation: PropagationChange = PropagationChange()
    ) {
        self.source = source
        self.target = target
        self.attributes = attributes
        self.propagation = propagation
    }
}

/// ``Step/remount(_:)``: of a mount at the target itself.
public struct Remount: Equatable, Sendable {
    /// The mount's place.
    public var target: Target
    /// Changes of the mount.
    public var attributes: AttributeChange
    /// Its propagation.
    public var propagation: PropagationChange
    /// Parameters for the file system itself, which all its mounts share; none: only the mount changes.
    public var parameters: TextList

    /// Makes a remount step.
    public init(target: Target, attributes: AttributeChange, propagation: PropagationChange, parameters: TextList) {
        self.target = target
        self.attributes = attributes
        self.propagation = propagation
        self.parameters = parameters
    }
}

/// ``Step/makeDirectory(_:)``.
public struct MakeDirectory: Equatable, Sendable {
    /// Its path in the container.
    public var path: Text
    /// Its mode if it is made.
    public var mode: UInt32
    /// Makes a directory step.
    public init(path: Text, mode: UInt32) {
        self.path = path
        self.mode = mode
    }
}

/// ``Step/makeSymlink(_:)``.
public struct MakeSymlink: Equatable, Sendable {
    /// What it points at.
    public var target: Text
    /// Its path in the container.
    public var path: Text
    /// 1: a file that is there already stays (the /dev links of an image); 0: only the same link may be there.
    public var keepExisting: UInt32
    /// Makes a link step.
    public init(target: Text, path: Text, keepExisting: Bool = true) {
        self.target = target
        self.path = path
        self.keepExisting = keepExisting ? 1 : 0
    }
}

/// ``Step/makeNode(_:)``.
public struct MakeNode: Equatable, Sendable {
    /// Its path in the container.
    public var path: Text
    /// S_IFCHR, S_IFBLK or S_IFIFO with the permission bits.
    public var mode: UInt32
    /// The major number.
    public var major: UInt32
    /// The minor number.
    public var minor: UInt32
    /// The owner.
    public var uid: UInt32
    /// The group.
    public var gid: UInt32
    /// Makes a node step.
    public init(path: Text, mode: UInt32, major: UInt32, minor: UInt32, uid: UInt32 = 0, gid: UInt32 = 0) {
        self.path = path
        self.mode = mode
        self.major = major
        self.minor = minor
        self.uid = uid
        self.gid = gid
    }
}

/// ``Step/bindNode(_:)``.
public struct BindNode: Equatable, Sendable {
    /// The node's path on the host.
    public var source: Text
    /// Its path in the container.
    public var path: Text
    /// S_IFCHR, S_IFBLK or S_IFIFO: what the host's must be.
    public var kind: UInt32
    /// The major number that the host's must have.
    public var major: UInt32
    /// The minor number that the host's must have.
    public var minor: UInt32
    /// Makes a step for a node.
    public init(source: Text, path: Text, kind: UInt32, major: UInt32, minor: UInt32) {
        self.source = source
        self.path = path
        self.kind = kind
        self.major = major
        self.minor = minor
    }
}

/// ``Step/enterRoot(_:)``.
public struct EnterRoot: Equatable, Sendable {
    /// How the root is entered.
    public enum Way: UInt32, Equatable, Sendable {
        /// By pivot_root(2), which leaves nothing of the old root.
        case pivoting = 0
        /// By moving the mount and chroot(2), for a root on which pivot_root(2) cannot work (`--no-pivot`).
        case moving = 1
        /// By chroot(2) alone: in a mount namespace that others live in, whose root stays.
        case changing = 2
    }
    /// The number of the ``Way``.
    public var way: UInt32
    /// Makes the step.
    public init(_ way: Way) { self.way = way.rawValue }
}

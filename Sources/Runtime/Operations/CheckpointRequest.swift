/// What `checkpoint` and `restore` ask for, out of the command line.

/// What both have in common.
public struct CriuSettings: Equatable, Sendable {
    /// The criu to be run.
    public var program: CriuProgram
    /// The directory of the images.
    public var imagePath: String
    /// The directory of the log and of criu's own files; nil: that of the images.
    public var workPath: String?
    /// Whether TCP connections are kept.
    public var tcpEstablished = false
    /// Whether unix sockets may have peers outside of the container.
    public var extUnixSockets = false
    /// Whether the payload belongs to the session of a terminal outside of the container.
    public var shellJob = false
    /// Whether file locks are kept.
    public var fileLocks = false
    /// Whether pages are handed over later, when they are asked for.
    public var lazyPages = false
    /// Whether pages that a later image has are taken out of the earlier ones.
    public var autoDedup = false
    /// Whether the network namespace is restored without its devices.
    public var emptiesNetwork = false
    /// What becomes of the cgroups inside of the container's.
    public var cgroupMode = CgroupRestoreMode.soft

    /// Names the images.
    public init(program: CriuProgram, imagePath: String) {
        self.program = program
        self.imagePath = imagePath
    }
}

/// A container to be checkpointed.
public struct CheckpointRequest: Equatable, Sendable {
    /// Its id.
    public var id: ContainerID
    /// What restore has as well.
    public var settings: CriuSettings
    /// The images of an earlier pre-dump, relative to those of this checkpoint.
    public var parentPath: String?
    /// Whether the container goes on.
    public var leavesRunning = false
    /// Whether only memory is dumped, for a dump that follows.
    public var isPreDump = false
    /// Whether connections that are not established yet are left out.
    public var tcpSkipInFlight = false
    /// Whether files without a name get one for the time being.
    public var linkRemap = false
    /// A descriptor that gets a zero byte when lazy pages can be asked for.
    public var statusDescriptor: Int32?
    /// Where the pages go, if not to the images.
    public var pageServer: PageServer?

    /// Makes a request with nothing special.
    public init(id: ContainerID, settings: CriuSettings) {
        self.id = id
        self.settings = settings
    }
}

/// A container to be restored.
public struct RestoreRequest: Equatable, Sendable {
    /// What a create of it would ask for.
    public var create: CreateRequest
    /// What checkpoint has as well.
    public var settings: CriuSettings
    /// Whether TCP connections are restored as closed ones.
    public var tcpClose = false
    /// The AppArmor profile or SELinux label that processes get instead of theirs: `apparmor:PROFILE`, `selinux:LABEL`.
    public var lsmProfile: String?
    /// The SELinux context that mounts get instead of theirs.
    public var lsmMountContext: String?

    /// Makes a request with nothing special.
    public init(create: CreateRequest, settings: CriuSettings) {
        self.create = create
        self.settings = settings
    }
}

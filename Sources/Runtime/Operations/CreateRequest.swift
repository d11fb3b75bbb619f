/// What `create` and `run` ask for, out of the command line and the environment.

/// Who manages the container's cgroup (CLI-01).
public enum CgroupManager: String, Equatable, Sendable {
    /// The runtime itself.
    case cgroupfs
    /// systemd.
    case systemd
    /// Nobody: the container stays in the caller's cgroup.
    case disabled
}

/// A container to be created.
public struct CreateRequest: Equatable, Sendable {
    /// Its id.
    public var id: ContainerID
    /// The bundle's directory, as the user named it: absolute, or relative to the working directory.
    public var bundle: String
    /// The config's file, relative to the working directory; nil: config.json of the bundle (CLI-05).
    public var config: String?
    /// The socket that takes the terminal (CLI-06).
    public var consoleSocket: String?
    /// The socket that takes a pidfd of the first process (CLI-07).
    public var pidfdSocket: String?
    /// The file that takes the pid, relative to the working directory.
    public var pidFile: String?
    /// How many descriptors from 3 on the payload gets.
    public var preservedDescriptors: UInt32 = 0
    /// How many of those are sockets of systemd's socket activation: LISTEN_FDS of the environment.
    public var listenDescriptors: UInt32 = 0
    /// Their names, colon-separated: LISTEN_FDNAMES of the environment.
    public var listenNames: String?
    /// The socket that a service manager listens on: NOTIFY_SOCKET of the environment.
    public var notifySocket: String?
    /// Enter the root by moving the mount instead of pivot_root.
    public var noPivot = false
    /// Keep the caller's session keyring.
    public var noNewKeyring = false
    /// Who manages the cgroup.
    public var cgroupManager = CgroupManager.cgroupfs
    /// `--rootless`: whether a cgroup may be left out where the caller may make none; nil: found out.
    public var isRootless: Bool?
    /// XDG_RUNTIME_DIR of the environment.
    public var runtimeDirectory: String?
    /// DBUS_SESSION_BUS_ADDRESS of the environment.
    public var sessionBus: String?
    /// Whether what nobody need know is told as well: `--debug`.
    public var explains = false
    /// Whether the caller goes on without waiting for the container: `create`, and `run --detach`.
    public var isDetached = true

    /// Makes a request with nothing special.
    public init(id: ContainerID, bundle: String) {
        self.id = id
        self.bundle = bundle
    }
}

/// What `exec` asks for, out of the command line.

/// A process to be run in a container (CLI-08).
public struct ExecRequest: Equatable, Sendable {
    /// The container's id.
    public var id: ContainerID
    /// The program and its arguments; empty: the document's.
    public var arguments: [String] = []
    /// The file with a process in the config's form, "-" for standard input; nil: the config's own process is what the options change.
    public var processFile: String?
    /// The working directory.
    public var cwd: String?
    /// NAME=VALUE entries that come on top.
    public var environment: [String] = []
    /// Whether it gets a terminal.
    public var hasTerminal = false
    /// "USER" or "USER:GROUP".
    public var user: String?
    /// Further groups.
    public var additionalGroups: [String] = []
    /// Capabilities that it has beside those of the process.
    public var capabilities: [String] = []
    /// Whether it gives up gaining privileges.
    public var noNewPrivileges = false
    /// Its AppArmor profile.
    public var appArmorProfile: String?
    /// Its SELinux label.
    public var processLabel: String?
    /// Cgroups below the container's own that it joins.
    public var cgroups: [String] = []
    /// How many descriptors from 3 on it gets.
    public var preservedDescriptors: UInt32 = 0
    /// The file that takes its pid.
    public var pidFile: String?
    /// The socket that takes its terminal (CLI-06).
    public var consoleSocket: String?
    /// The socket that takes its pidfd.
    public var pidfdSocket: String?
    /// Whether the caller goes on without waiting for it.
    public var isDetached = false
    /// Whether a paused container will do.
    public var ignoresPause = false

    /// Makes a request with nothing special.
    public init(id: ContainerID) { self.id = id }
}

/// Where systemd is reached: the system's own or a user's, by its private socket or over a bus.

/// A service manager's address.
public struct ServiceManager: Equatable, Sendable {
    /// The socket.
    public var socket: String
    /// Whether it is a bus's, where the manager is one of many, or the manager's own.
    public var isBus: Bool
    /// Whether it is a user's manager.
    public var isUser: Bool

    /// Names a manager.
    public init(socket: String, isBus: Bool, isUser: Bool) {
        self.socket = socket
        self.isBus = isBus
        self.isUser = isUser
    }

    /// Who calls, as far as it decides which manager is his.
    public struct Caller: Equatable, Sendable {
        /// His effective user id, in his own user namespace.
        public var user: UInt32
        /// Whether he is in a user namespace other than the host's first.
        public var isInUserNamespace: Bool
        /// XDG_RUNTIME_DIR.
        public var runtimeDirectory: String?
        /// DBUS_SESSION_BUS_ADDRESS.
        public var sessionBus: String?

        /// Describes a caller.
        public init(user: UInt32, isInUserNamespace: Bool, runtimeDirectory: String?, sessionBus: String?) {
            self.user = user
            self.isInUserNamespace = isInUserNamespace
            self.runtimeDirectory = runtimeDirectory
            self.sessionBus = sessionBus
        }
    }

    /// The managers that a caller may have, the likeliest first.
    ///
    /// The private sockets need no bus daemon and save its detour. Root of a user namespace is an ordinary user to the system's manager,
    /// but may be in a container that runs a systemd of its own.
    public static func candidates(for caller: Caller) -> [ServiceManager] {
        let system = [
            ServiceManager(socket: "/run/systemd/private", isBus: false, isUser: false),
            ServiceManager(socket: "/run/dbus/system_bus_socket", isBus: true, isUser: false),
        ]
        if caller.user == 0 && !caller.isInUserNamespace { return system }
        var user: [ServiceManager] = []
        var directory = caller.runtimeDirectory ?? ""
        if directory.isEmpty && caller.user != 0 { directory = "/run/user/\(caller.user)" }
        if directory.hasPrefix("/") { user.append(ServiceManager(socket: directory + "/systemd/private", isBus: false, isUser: true)) }
        if let path = path(ofAddress: caller.sessionBus) {
            user.append(ServiceManager(socket: path, isBus: true, isUser: true))
        } else if directory.hasPrefix("/") {
            user.append(ServiceManager(socket: directory + "/bus", isBus: true, isUser: true))
        }
        return caller.user == 0 ? [system[0]] + user : user
    }

    /// The socket of a bus's address "unix:path=/run/user/1000/bus,guid=..."; nil for other kinds.
    ///
    /// Of several addresses the first counts. Source: D-Bus Specification, "Server Addresses".
    static func path(ofAddress address: String?) -> String? {
        let prefix = "unix:path="
        guard let address, address.hasPrefix(prefix) else { return nil }
        let path = address.dropFirst(prefix.count).prefix { $0 != "," && $0 != ";" }
        return path.hasPrefix("/") && !path.contains("%") ? String(path) : nil
    }
}

/// What has to be known of a service manager to plan a scope.
public struct ServiceManagerFacts: Equatable, Sendable {
    /// Where it is reached.
    public var manager: ServiceManager
    /// Its own cgroup, "" for the root: its units are below.
    public var cgroup: String
    /// Its release: 252.
    public var version: Int

    /// Describes a manager.
    public init(manager: ServiceManager, cgroup: String, version: Int) {
        self.manager = manager
        self.cgroup = cgroup
        self.version = version
    }
}

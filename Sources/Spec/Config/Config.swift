/// The OCI runtime configuration for Linux as typed values: the root of the model.
///
/// Values are what config.json says, checked one by one; what needs the host to decide is left to planning. Whatever a later
/// failure may have to point at carries its ``Origin``.

/// Where in the document a value stands: the number of its JSON node.
public struct Origin: Equatable, Hashable, Sendable {
    /// The node's index, or -1 for a value that no config line asked for.
    public let node: Int32

    /// Names a node of the document.
    public init(node: Int32) { self.node = node }

    /// The origin of what the runtime does by itself (default devices, for example).
    public static let none = Origin(node: -1)
}

/// A value and where it stands.
public struct Located<Value> {
    /// The value.
    public var value: Value
    /// Its place in the document.
    public var origin: Origin

    /// Puts a value and its place together.
    public init(_ value: Value, _ origin: Origin = .none) {
        self.value = value
        self.origin = origin
    }
}

extension Located: Equatable where Value: Equatable {}
extension Located: Sendable where Value: Sendable {}

/// A name with a value, in the document's order: an annotation or a sysctl.
public struct Pair: Equatable, Sendable {
    /// The member's name.
    public var key: String
    /// The member's value.
    public var value: String
    /// The value's place.
    public var origin: Origin

    /// Puts a name and a value together.
    public init(key: String, value: String, origin: Origin = .none) {
        self.key = key
        self.value = value
        self.origin = origin
    }
}

/// A container's configuration: the whole of config.json that concerns Linux.
///
/// Source: config.md; spec rows G, R.
public struct Config: Equatable, Sendable {
    /// The specification's version that the config was written for, such as "1.0.2-dev" (G-03).
    public var ociVersion = ""
    /// The container's root file system.
    public var root: Root?
    /// The mounts, in the order in which they are made (M-01).
    public var mounts: [Mount] = []
    /// The container's process.
    ///
    /// May be absent until start (P-01).
    public var process: Process?
    /// The host name, at most 64 bytes (U-01).
    public var hostname: Located<String>?
    /// The NIS domain name, at most 64 bytes (U-02).
    public var domainname: Located<String>?
    /// The hooks of all six kinds (H-01).
    public var hooks = Hooks()
    /// The annotations, in the document's order.
    public var annotations: [Pair] = []
    /// What only Linux has (G-09).
    ///
    /// Absent in the document: as if it were empty.
    public var linux = Linux()

    /// Makes an empty config.
    public init() {}

    /// The value of an annotation.
    public func annotation(_ key: String) -> String? {
        for pair in annotations where pair.key == key { return pair.value }
        return nil
    }
}

/// The root file system.
public struct Root: Equatable, Sendable {
    /// Its directory: absolute, or relative to the bundle.
    public var path: Located<String>
    /// Whether it is read-only inside the container.
    public var readonly = false

    /// Makes a root of its directory.
    public init(path: Located<String>, readonly: Bool = false) {
        self.path = path
        self.readonly = readonly
    }
}

/// The hooks, by kind, in the order in which they run.
///
/// Source: config.md#posix-platform-hooks; rows H-01 to H-11.
public struct Hooks: Equatable, Sendable {
    /// Deprecated: in the runtime's namespaces, before `createRuntime` (H-02).
    public var prestart: [Hook] = []
    /// In the runtime's namespaces, before the container's root is entered (H-03).
    public var createRuntime: [Hook] = []
    /// In the container's namespaces, before its root is entered (H-04).
    public var createContainer: [Hook] = []
    /// In the container, before the payload (H-05).
    public var startContainer: [Hook] = []
    /// In the runtime's namespaces, after the payload has started (H-06).
    public var poststart: [Hook] = []
    /// In the runtime's namespaces, after the container is gone (H-07).
    public var poststop: [Hook] = []

    /// Makes an empty list of each kind.
    public init() {}
}

/// A program to run at a moment of the lifecycle.
public struct Hook: Equatable, Sendable {
    /// The hook's place in the document.
    public var origin = Origin.none
    /// The program's absolute path (H-08).
    public var path: String
    /// Its arguments with argv[0]; absent: the path alone (H-09).
    public var args: [String]?
    /// Its environment; absent: see H-10.
    public var env: [String]?
    /// Seconds after which it is killed, at least 1 (H-11).
    public var timeout: Int?

    /// Makes a hook of its program.
    public init(path: String) { self.path = path }
}

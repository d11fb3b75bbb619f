/// Mounts and the options of the spec's table, told apart by what they act on. Rows M and MO.

/// One entry of `mounts`.
public struct Mount: Equatable, Sendable {
    /// The entry's place in the document.
    public var origin = Origin.none
    /// Where it goes, in the container (M-02).
    public var destination: Located<String>
    /// What is mounted: for a bind a path, absolute or relative to the bundle (M-03).
    public var source: Located<String>?
    /// The file system's name (M-04).
    public var type: Located<String>?
    /// The options in their order (M-05).
    public var options: [Located<MountOption>] = []
    /// The mapping of an id-mapped mount (M-07); empty: none given.
    public var uidMappings: [IDMapping] = []
    /// The group mapping of an id-mapped mount (M-08).
    public var gidMappings: [IDMapping] = []

    /// Makes a mount of its destination.
    public init(destination: Located<String>) { self.destination = destination }

    /// Whether the options make it a bind mount: `bind` or `rbind` (M-03; the type alone does not).
    public var isBind: Bool {
        options.contains { if case .bind = $0.value { true } else { false } }
    }
}

/// What a mount option of config.md's table does.
public enum MountOption: Equatable, Sendable {
    /// `defaults`: nothing.
    case defaults
    /// `bind` (MO-17), `rbind`.
    case bind(recursive: Bool)
    /// A property of the mount: `ro`, `rw`, `nosuid`, and the recursive `rro`, ... (MO-02 to MO-31).
    case attribute(MountAttribute, set: Bool, recursive: Bool)
    /// A property of the file system: `sync`, `async`, `dirsync`, ... (MO-06 to MO-15).
    case superblock(SuperblockFlag, set: Bool)
    /// `private`, `rprivate`, `shared`, ... (MO-18 to MO-21).
    case propagation(Propagation)
    /// `remount` (MO-16).
    case remount
    /// `tmpcopyup` (MO-32).
    case copyUp
    /// `idmap` (MO-33), `ridmap` (MO-34), with the mapping of the extended form `idmap=uids=...;gids=...`.
    case idmap(recursive: Bool, mapping: String?)
    /// `copy-symlink`: a source that is a symbolic link is copied, not followed (MO-35).
    case copySymlink
    /// `src-nofollow`: a source that is a symbolic link is mounted itself (MO-35).
    case sourceNoFollow
    /// `dest-nofollow`: a destination that is a symbolic link is not followed (MO-35).
    case destinationNoFollow
    /// Anything else: a parameter for the file system, such as `size=64k` or `newinstance` (M-05).
    case data(key: String, value: String?)
}

/// Properties of a mount, named by what setting them does.
///
/// All but the access times are independent.
public enum MountAttribute: UInt8, Equatable, Sendable, CaseIterable {
    /// `ro`
    case readOnly
    /// `nosuid`
    case noSuid
    /// `nodev`
    case noDev
    /// `noexec`
    case noExec
    /// `noatime`
    case noAtime
    /// `nodiratime`
    case noDirAtime
    /// `relatime`
    case relatime
    /// `strictatime`
    case strictAtime
    /// `nosymfollow`
    case noSymfollow
}

/// Properties of a file system's superblock that every mount of it shares.
public enum SuperblockFlag: UInt8, Equatable, Sendable, CaseIterable {
    /// `sync`
    case synchronous
    /// `dirsync`
    case directorySynchronous
    /// `iversion`
    case inodeVersion
    /// `lazytime`
    case lazyTime
    /// `silent`
    case silent
    /// `mand`, which kernels since 5.15 ignore
    case mandatoryLocks
}

/// How mounts below a mount travel to its peers.
///
/// Source: mount_namespaces(7).
public struct Propagation: Equatable, Sendable {
    /// The four types.
    public enum Kind: UInt8, Equatable, Sendable {
        /// Both ways.
        case shared
        /// Into the container only.
        case slave
        /// Neither way.
        case `private`
        /// Neither way, and not to be bind mounted.
        case unbindable
    }

    /// The type.
    public var kind: Kind
    /// Whether the mounts below change too (`rshared`, ...).
    public var recursive: Bool

    /// Makes a propagation.
    public init(_ kind: Kind, recursive: Bool) {
        self.kind = kind
        self.recursive = recursive
    }
}

/// A range of a user namespace's ids (I-03).
public struct IDMapping: Equatable, Sendable {
    /// The first id inside.
    public var containerID: UInt32
    /// The first id outside.
    public var hostID: UInt32
    /// How many ids, at least 1.
    public var size: UInt32
    /// Its place in the document.
    public var origin: Origin

    /// Maps `size` ids from `containerID` on to those from `hostID` on.
    public init(containerID: UInt32, hostID: UInt32, size: UInt32, origin: Origin = .none) {
        self.containerID = containerID
        self.hostID = hostID
        self.size = size
        self.origin = origin
    }
}

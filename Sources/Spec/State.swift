/// The state of a container, as `state`, hooks and seccomp agents get it. Source: runtime.md#state; rows ST.

/// What a container is doing.
public enum ContainerStatus: UInt8, Equatable, Sendable, CaseIterable {
    /// Being made.
    case creating
    /// Made; its program waits for start.
    case created
    /// Its program runs.
    case running
    /// Its program is frozen: not in the specification, but known to every engine (ST-03).
    case paused
    /// Its program is gone.
    case stopped

    /// The specification's word.
    public var name: String {
        switch self {
        case .creating: "creating"
        case .created: "created"
        case .running: "running"
        case .paused: "paused"
        case .stopped: "stopped"
        }
    }

    /// Makes a status of its word.
    public init?(name: String) {
        guard let status = ContainerStatus.allCases.first(where: { $0.name == name }) else { return nil }
        self = status
    }
}

/// A container's state.
public struct State: Equatable, Sendable {
    /// The specification that the document complies with (ST-01).
    public var ociVersion = SpecVersion.maximum
    /// The container's id (ST-02).
    public var id: String
    /// What it is doing (ST-03).
    public var status: ContainerStatus
    /// The container's process (ST-04); not shown once it is gone.
    public var pid: Int32
    /// The bundle's absolute path (ST-05).
    public var bundle: String
    /// The config's annotations (ST-06).
    public var annotations: [Pair] = []
    /// The root file system's absolute path (ST-08); absent in what hooks get.
    public var rootfs: String?
    /// When it was created, in RFC 3339 (ST-08).
    public var created: String?
    /// Who owns it (ST-08): runc leaves it empty.
    public var owner: String?

    /// Makes a state of what every state has.
    public init(id: String, status: ContainerStatus, pid: Int32, bundle: String) {
        self.id = id
        self.status = status
        self.pid = pid
        self.bundle = bundle
    }

    /// The state as a JSON object, its members in runc's order.
    public func json(pretty: Bool = false) -> String {
        var writer = JSONWriter(pretty: pretty)
        write(to: &writer)
        return writer.string
    }

    /// Writes the state as a JSON object, also as a part of a greater document.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("ociVersion", ociVersion)
            writer.member("id", id)
            writer.member("pid", status == .stopped ? 0 : pid)
            writer.member("status", status.name)
            writer.member("bundle", bundle)
            if let rootfs { writer.member("rootfs", rootfs) }
            if let created { writer.member("created", created) }
            if !annotations.isEmpty {
                writer.object("annotations") { writer in
                    for pair in annotations { writer.member(pair.key, pair.value) }
                }
            }
            if let owner { writer.member("owner", owner) }
        }
    }
}

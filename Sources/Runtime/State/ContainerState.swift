/// A container's state, as `state`, `list` and hooks get it.

public import Spec

/// The statuses of the specification (ST-03), and `paused`, which every engine knows.
public enum ContainerStatus: String, Equatable, Sendable {
    /// `create` is at work.
    case creating
    /// Waits for start.
    case created
    /// The payload runs.
    case running
    /// The payload is frozen.
    case paused
    /// The payload has ended, or `create` was interrupted.
    case stopped

    /// Whether there is a process to signal (OP-04).
    public var hasProcess: Bool {
        switch self {
        case .created, .running, .paused: true
        case .creating, .stopped: false
        }
    }
}

/// The state of a container. Source: runtime.md#state; rows ST-01 to ST-08.
public struct ContainerState: Equatable, Sendable {
    /// The specification's version.
    public var ociVersion = SpecVersion.maximum
    /// The container's id.
    public var id: String
    /// The first process; 0 where there is none (ST-04).
    public var pid: Int32 = 0
    /// The status.
    public var status: ContainerStatus
    /// The bundle's absolute path.
    public var bundle = ""
    /// The root file system's absolute path.
    public var rootfs = ""
    /// When it was created, in RFC 3339.
    public var created = ""
    /// The config's annotations.
    public var annotations: [Pair] = []
    /// The user who created it; empty: not looked up.
    public var owner = ""

    /// Makes the state of a record.
    init(id: ContainerID, record: Record?, status: ContainerStatus) {
        self.id = id.name
        self.status = status
        guard let record else { return }
        ociVersion = record.ociVersion
        pid = status.hasProcess ? record.process.pid : 0
        bundle = record.bundle
        rootfs = record.rootfs
        created = record.created
        annotations = record.annotations
    }

    /// Writes the state with runc's names in runc's order (ST-07, ST-08).
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("ociVersion", ociVersion)
            writer.member("id", id)
            writer.member("pid", pid)
            writer.member("status", status.rawValue)
            writer.member("bundle", bundle)
            writer.member("rootfs", rootfs)
            writer.member("created", created)
            if !annotations.isEmpty {
                writer.object("annotations") { writer in
                    for pair in annotations { writer.member(pair.key, pair.value) }
                }
            }
            writer.member("owner", owner)
        }
    }

    /// The state as hooks get it on their standard input.
    public var json: String {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.string
    }
}

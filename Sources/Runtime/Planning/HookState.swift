/// The state document that hooks get, in pieces: its status and pid are known only when the hook runs. Rows H-01, ST.

public import Spec

/// What a state document says whichever hook reads it.
public struct HookState: Equatable, Sendable {
    private let beforeStatus: String
    private let afterPID: String

    /// Makes a document without status and pid.
    public init(id: String, bundle: String, rootfs: String, annotations: [Pair]) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("ociVersion", "1.3.0")
            writer.member("id", id)
        }
        // Without its closing brace: the members go on.
        beforeStatus = String(writer.string.dropLast()) + ",\"status\":\""
        writer = JSONWriter()
        writer.object { writer in
            writer.member("bundle", bundle)
            writer.member("rootfs", rootfs)
            writer.object("annotations") { writer in
                for pair in annotations { writer.member(pair.key, pair.value) }
            }
        }
        afterPID = "," + String(writer.string.dropFirst())
    }

    /// The document up to the pid.
    public func beforePID(status: String) -> String { beforeStatus + status + "\",\"pid\":" }

    /// The document after the pid.
    public var suffix: String { afterPID }

    /// The whole document.
    public func document(status: String, pid: Int32) -> String { beforePID(status: status) + "\(pid)" + afterPID }
}

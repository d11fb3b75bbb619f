/// How a container ended, as whoever saw it wrote it down: ROOT/ID/exit.json, kept until delete.

import Linux
import Spec

/// The end of a container.
public struct ExitRecord: Equatable, Sendable {
    /// The first process's exit status, which is the payload's; 128+N if signal N ended it.
    public var status: Int32
    /// When it ended, in RFC 3339; nil where nobody was looking.
    public var time: String?

    /// Describes an end.
    public init(status: Int32, time: String?) {
        self.status = status
        self.time = time
    }

    /// The record as a line of JSON, without the newline.
    public func json(_ id: ContainerID) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("id", id.name)
            writer.member("exitStatus", status)
            if let time { writer.member("exitedAt", time) }
        }
        return writer.string
    }

    /// Reads a record; nil for what this build has not written.
    init?(_ text: [UInt8]) {
        guard let root = try? JSONDocument(text).root, let status: Int32 = root["exitStatus"]?.integer() else { return nil }
        self.init(status: status, time: root["exitedAt"]?.string)
    }
}

extension Entry {
    /// What is known of the container's end.
    func readExit() -> ExitRecord? {
        guard let file = try? OwnedFD.open(File.exit, [.read, .noFollow], at: directory.number), let text = try? file.readAll() else {
            return nil
        }
        return ExitRecord(text)
    }

    /// Keeps what is known of the container's end, if the container is still there.
    ///
    /// Under the lock, so that no file comes into a directory that is being deleted. Who cannot have it has at least told the caller.
    mutating func keep(_ exit: ExitRecord) {
        guard let isLocked = try? lock(within: 2000), isLocked else { return }
        defer { unlock() }
        guard let isCurrent = try? isCurrent(), isCurrent, readExit() == nil else { return }
        try? save(Array((exit.json(id) + "\n").utf8), as: File.exit)
    }
}

/// What the runtime itself keeps of a checkpoint, beside criu's images: `swoci.json` in their directory.
///
/// It is written last: a directory without it has no checkpoint that could be restored.

import Spec

/// A file of the payload's that comes from outside of the container.
struct OutsideFile: Equatable {
    /// What it is, for who restores it.
    enum Kind: String {
        /// A pipe or a socket, whose place another one takes.
        case channel
        /// /dev/null.
        case null
        /// Another file of the host.
        case file
    }

    /// The number of the payload's descriptor.
    var descriptor: Int32
    /// What criu calls it.
    var key: String
    var kind: Kind
    /// Its path when it was dumped.
    var path: String
    /// Of another file of the host: the file system it was on, by which it is known again.
    var fileSystem: UInt64 = 0
    /// And its inode number there.
    var inode: UInt64 = 0
}

/// A mount of the container that comes from outside.
struct OutsideMount: Equatable {
    /// Where the thing that is mounted is found again.
    enum Origin: Equatable {
        /// The source of the config's mount with this destination.
        case mount(destination: String)
        /// The host's file of this path: a device, or what hides a file.
        case host(path: String)
        /// The container's cgroup in the hierarchy that has this controller; none: in cgroup v2.
        case cgroup(controller: String)
    }

    /// What criu calls it.
    var key: String
    var origin: Origin
}

/// What is kept.
struct CheckpointRecord: Equatable {
    static let file = "swoci.json"
    private static let version = 1

    /// What criu calls the supervising init's program; nil where the payload is the first process.
    var program: String?
    /// The payload's process id in the container's PID namespace.
    var payload: Int32 = 1
    /// Whether the network namespace was dumped without its devices.
    var emptiesNetwork = false
    var files: [OutsideFile] = []
    var mounts: [OutsideMount] = []

    init() {}

    /// The record as a JSON text.
    var encoded: [UInt8] {
        var writer = JSONWriter(pretty: true)
        writer.object { writer in
            writer.member("version", CheckpointRecord.version)
            if let program { writer.member("program", program) }
            writer.member("payload", payload)
            writer.member("emptiesNetwork", emptiesNetwork)
            writer.array("files") { writer in
                for file in files {
                    writer.object { writer in
                        writer.member("descriptor", file.descriptor)
                        writer.member("key", file.key)
                        writer.member("kind", file.kind.rawValue)
                        writer.member("path", file.path)
                        if file.kind == .file {
                            writer.member("fileSystem", file.fileSystem)
                            writer.member("inode", file.inode)
                        }
                    }
                }
            }
            writer.array("mounts") { writer in
                for mount in mounts {
                    writer.object { writer in
                        writer.member("key", mount.key)
                        switch mount.origin {
                        case .mount(let destination): writer.member("destination", destination)
                        case .host(let path): writer.member("host", path)
                        case .cgroup(let controller): writer.member("cgroup", controller)
                        }
                    }
                }
            }
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    /// Reads a record; nil for what this build has not written.
    init?(_ text: [UInt8]) {
        guard let root = try? JSONDocument(text).root, root["version"]?.integer(as: Int.self) == CheckpointRecord.version,
            let payload = root["payload"]?.integer(as: Int32.self), let emptiesNetwork = root["emptiesNetwork"]?.bool
        else { return nil }
        self.payload = payload
        self.emptiesNetwork = emptiesNetwork
        program = root["program"]?.string
        if let files = root["files"]?.elements {
            for file in files {
                guard let descriptor = file["descriptor"]?.integer(as: Int32.self), let key = file["key"]?.string,
                    let kind = file["kind"]?.string.flatMap({ OutsideFile.Kind(rawValue: $0) }), let path = file["path"]?.string
                else { return nil }
                var outside = OutsideFile(descriptor: descriptor, key: key, kind: kind, path: path)
                if kind == .file {
                    guard let fileSystem = file["fileSystem"]?.integer(as: UInt64.self),
                        let inode = file["inode"]?.integer(as: UInt64.self)
                    else { return nil }
                    outside.fileSystem = fileSystem
                    outside.inode = inode
                }
                self.files.append(outside)
            }
        }
        if let mounts = root["mounts"]?.elements {
            for mount in mounts {
                guard let key = mount["key"]?.string, let origin = OutsideMount.Origin(mount) else { return nil }
                self.mounts.append(OutsideMount(key: key, origin: origin))
            }
        }
    }
}

extension OutsideMount.Origin {
    fileprivate init?(_ value: JSONValue) {
        if let destination = value["destination"]?.string {
            self = .mount(destination: destination)
        } else if let path = value["host"]?.string {
            self = .host(path: path)
        } else if let controller = value["cgroup"]?.string {
            self = .cgroup(controller: controller)
        } else {
            return nil
        }
    }
}

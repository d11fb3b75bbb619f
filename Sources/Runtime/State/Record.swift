/// What is known of a container on disk: ROOT/ID/record.json.
///
/// Written once before anything is made, naming what will be made, and once more when the container stands. `delete` works from it
/// alone. Source: security rule of crash safety; spec rows LC-02, LC-12.

public import Cgroups
public import Spec

/// A container's record.
public struct Record: Equatable, Sendable {
    /// How far `create` had come when it wrote the record.
    public enum Intent: String, Equatable, Sendable {
        /// Nothing is sure to be there; all that the record names may be.
        case creating
        /// The container stands.
        case created
    }

    /// The form of the file that this build writes and reads.
    static let version = 1

    /// The specification's version that the state complies with (ST-01).
    public var ociVersion = SpecVersion.maximum
    /// The container's id.
    public var id: ContainerID
    /// How far `create` had come.
    public var intent = Intent.creating
    /// The container's first process: what waits for start.
    public var process = ProcessIdentity.none
    /// The payload's process, which takes the signals: the first process itself, or its child.
    public var payload = ProcessIdentity.none
    /// The first process where it supervises the payload and passes signals on to it.
    var supervisor: ProcessIdentity? { payload.pid == 0 || payload == process ? nil : process }
    /// The boot in which the processes live.
    public var bootID = ""
    /// The bundle's absolute path (ST-05).
    public var bundle: String
    /// The root file system's absolute path.
    public var rootfs = ""
    /// When the container was created, in RFC 3339.
    public var created = ""
    /// The config's annotations (ST-06).
    public var annotations: [Pair] = []
    /// The container's cgroup, as `create` makes it and `delete` removes it; empty: none.
    public var cgroup = CgroupRecord()
    /// What is the container's own in the resctrl tree.
    public var resctrl = ResctrlRecord()
    /// Whether the container has a pid namespace of its own, so that all its processes end with the first.
    public var ownsPIDNamespace = true
    /// Whether the config has a process that start could run (P-01).
    public var hasProcess = true
    /// Whether the config has poststart hooks.
    public var hasPoststart = false
    /// Whether the config has poststop hooks.
    public var hasPoststop = false

    /// Makes the record of a container that is about to be created.
    public init(id: ContainerID, bundle: String) {
        self.id = id
        self.bundle = bundle
    }

    /// The value of an annotation.
    public func annotation(_ key: String) -> String? {
        annotations.first { $0.key == key }?.value
    }
}

extension Record {
    /// The record as a JSON text.
    var encoded: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("version", Record.version)
            writer.member("ociVersion", ociVersion)
            writer.member("id", id.name)
            writer.member("intent", intent.rawValue)
            writer.member("pid", process.pid)
            writer.member("startTime", process.startTime)
            writer.member("payloadPID", payload.pid)
            writer.member("payloadStartTime", payload.startTime)
            writer.member("bootID", bootID)
            writer.member("bundle", bundle)
            writer.member("rootfs", rootfs)
            writer.member("created", created)
            writer.object("annotations") { writer in
                for pair in annotations { writer.member(pair.key, pair.value) }
            }
            writer.member("cgroupPaths", cgroup.paths)
            writer.member("cgroupCreated", cgroup.created)
            writer.array("cgroupInodes") { writer in for inode in cgroup.inodes { writer.value(inode) } }
            if let owner = cgroup.owner { writer.member("cgroupOwner", owner) }
            if let unified = cgroup.unified { writer.member("cgroupUnified", unified) }
            if let freezer = cgroup.freezer { writer.member("cgroupFreezer", freezer) }
            if let scope = cgroup.scope {
                writer.object("scope") { writer in
                    writer.member("unit", scope.unit)
                    writer.member("description", scope.description)
                    writer.member("socket", scope.manager.socket)
                    writer.member("isBus", scope.manager.isBus)
                    writer.member("isUser", scope.manager.isUser)
                }
            }
            if !resctrl.directories.isEmpty { writer.member("resctrl", resctrl.directories) }
            writer.member("ownsPIDNamespace", ownsPIDNamespace)
            writer.member("hasProcess", hasProcess)
            writer.member("hasPoststart", hasPoststart)
            writer.member("hasPoststop", hasPoststop)
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    /// Reads a record; nil for what this build has not written.
    init?(_ text: [UInt8]) {
        guard let root = try? JSONDocument(text).root, root["version"]?.integer(as: Int.self) == Record.version,
            let id = root["id"]?.string.flatMap({ ContainerID(directory: $0) }), let bundle = root["bundle"]?.string,
            let intent = root["intent"]?.string.flatMap({ Intent(rawValue: $0) })
        else { return nil }
        self.init(id: id, bundle: bundle)
        self.intent = intent
        ociVersion = root["ociVersion"]?.string ?? ""
        process = ProcessIdentity(pid: root["pid"]?.integer() ?? 0, startTime: root["startTime"]?.integer() ?? 0)
        payload = ProcessIdentity(pid: root["payloadPID"]?.integer() ?? 0, startTime: root["payloadStartTime"]?.integer() ?? 0)
        bootID = root["bootID"]?.string ?? ""
        rootfs = root["rootfs"]?.string ?? ""
        created = root["created"]?.string ?? ""
        if let members = root["annotations"]?.members {
            for member in members { annotations.append(Pair(key: member.key, value: member.value.string ?? "")) }
        }
        cgroup.paths = strings(root["cgroupPaths"])
        cgroup.created = strings(root["cgroupCreated"])
        cgroup.inodes = root["cgroupInodes"]?.elements.map { $0.integer() ?? 0 } ?? []
        cgroup.owner = root["cgroupOwner"]?.string
        cgroup.unified = root["cgroupUnified"]?.string
        cgroup.freezer = root["cgroupFreezer"]?.string
        if let scope = root["scope"] {
            // Without all of it the unit could not be removed: then this is no record.
            guard let unit = scope["unit"]?.string, let description = scope["description"]?.string,
                let socket = scope["socket"]?.string, let isBus = scope["isBus"]?.bool, let isUser = scope["isUser"]?.bool
            else { return nil }
            cgroup.scope = ScopeRecord(
                unit: unit, description: description, manager: ServiceManager(socket: socket, isBus: isBus, isUser: isUser))
        }
        resctrl.directories = strings(root["resctrl"])
        ownsPIDNamespace = root["ownsPIDNamespace"]?.bool ?? true
        hasProcess = root["hasProcess"]?.bool ?? true
        hasPoststart = root["hasPoststart"]?.bool ?? false
        hasPoststop = root["hasPoststop"]?.bool ?? false
    }
}

private func strings(_ array: JSONValue?) -> [String] {
    array?.elements.compactMap { $0.string } ?? []
}

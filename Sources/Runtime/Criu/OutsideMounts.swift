/// Which mounts of a container come from outside of it, and what stands for them on another day. Pure.
///
/// criu makes a container's own file systems again by itself. What is bound from the host it must be told of by name, and on restore what
/// the name means: as in runc that is what the bundle's config says then, so that a container can move to another bundle.
/// Source: criu.org, "External bind mounts".

import Spec

/// A line of /proc/PID/mountinfo.
struct ContainerMount: Equatable {
    var id: UInt64
    /// What of its file system is mounted.
    var root: String
    var point: String
    var options: [String]
    var type: String
    /// The options of the file system itself.
    var superOptions: [String]

    /// Reads a table.
    ///
    /// - Source: proc_pid_mountinfo(5).
    static func table(_ text: String) -> [ContainerMount] {
        var result: [ContainerMount] = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 2, let id = UInt64(fields[0]) else { continue }
            result.append(
                ContainerMount(
                    id: id, root: unescaped(fields[3]), point: unescaped(fields[4]),
                    options: fields[5].split(separator: ",").map(String.init),
                    type: unescaped(fields[dash + 1]),
                    superOptions: fields.count > dash + 3 ? fields[dash + 3].split(separator: ",").map(String.init) : []))
        }
        return result
    }
}

/// Where things of the config are in the container, with all links followed.
struct ResolvedPaths: Equatable {
    /// The bind mounts: where they are, and the destination that the config has.
    var binds: [(point: String, destination: String)] = []
    /// The masked paths.
    var masked: [String] = []
    /// Devices that are bound where none can be made: where they are, and their path on the host.
    var devices: [(point: String, path: String)] = []

    static func == (a: ResolvedPaths, b: ResolvedPaths) -> Bool {
        a.masked == b.masked && a.binds.elementsEqual(b.binds) { $0 == $1 } && a.devices.elementsEqual(b.devices) { $0 == $1 }
    }
}

/// The mounts that come from outside, each called by its mount point.
func outsideMounts(_ table: [ContainerMount], _ paths: ResolvedPaths, hasCgroupNamespace: Bool) -> [OutsideMount] {
    var result: [OutsideMount] = []
    for mount in table where mount.point != "/" {
        let origin: OutsideMount.Origin
        if let bind = paths.binds.last(where: { $0.point == mount.point }) {
            origin = .mount(destination: bind.destination)
        } else if mount.root == "/null", paths.masked.contains(mount.point) {
            origin = .host(path: "/dev/null")
        } else if let device = paths.devices.last(where: { $0.point == mount.point }) {
            origin = .host(path: device.path)
        } else if mount.type == "cgroup" {
            origin = .cgroup(
                controller: mount.superOptions.first { !["rw", "ro", "xattr", "clone_children", "noprefix"].contains($0) } ?? "")
        } else if mount.type == "cgroup2", !hasCgroupNamespace {
            origin = .cgroup(controller: "")
        } else {
            continue
        }
        if !result.contains(where: { $0.key == mount.point }) { result.append(OutsideMount(key: mount.point, origin: origin)) }
    }
    return result
}

/// A mount that criu could not make again; nil where there is none.
func mountThatCannotBeRestored(_ table: [ContainerMount]) -> ContainerMount? {
    table.first { $0.options.contains("idmapped") }
}

/// What the names of outside mounts mean for a bundle.
///
/// - Parameter cgroup: The container's cgroup in the hierarchy of a controller; none for cgroup v2.
/// - Throws: A mount of the checkpoint that the bundle does not have any more.
func outsideSources(
    _ mounts: [OutsideMount], _ config: Config, bundle: String, cgroup: (String) -> String?
) throws(Failure) -> [CriuOptions.Named<String>] {
    var result: [CriuOptions.Named<String>] = []
    for mount in mounts {
        let source: String?
        switch mount.origin {
        case .mount(let destination):
            let mount = config.mounts.last { $0.isBind && cleanPath($0.destination.value) == destination }
            source = mount?.source.map { absolutePath($0.value, in: bundle) }
        case .host(let path): source = path
        case .cgroup(let controller): source = cgroup(controller)
        }
        guard let source else {
            throw Failure(
                "restore the mount", mount.key, detail: "the checkpoint has it, and the bundle's config does not",
                hint: "a bind mount with this destination is needed")
        }
        result.append(CriuOptions.Named(mount.key, source))
    }
    return result
}

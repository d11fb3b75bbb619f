/// The root file system as criu wants it: a mount of its own, with a place for every mount of the config.
///
/// All of it happens in a mount namespace that is criu's alone, so that nothing of it is left whatever dies when. Only the empty files and
/// directories that create would make, too, stay in the root file system.

import CLinux
import Linux
import Spec

/// What is prepared before criu starts.
struct RestoreRoot: Equatable {
    /// A mount of the config.
    struct Point: Equatable {
        /// Where it goes, absolute.
        var destination: String
        /// What is bound there; nil for a file system, whose content criu restores.
        var source: String?
        /// Whether others are mounted in it.
        var hasOthers = false
    }

    /// The root file system's path, without links.
    var path: String
    var points: [Point]

    /// Finds out which mounts need a place: all but those inside of file systems that criu restores, with their content.
    init(_ config: Config, path: String, bundle: String) {
        self.path = path
        points = []
        var restored: [String] = []
        for mount in config.mounts {
            let destination = cleanPath(mount.destination.value)
            if restored.contains(where: { isBelow(destination, $0) }) { continue }
            let source = mount.isBind ? mount.source.map { absolutePath($0.value, in: bundle) } : nil
            if source == nil { restored.append(destination) }
            for index in points.indices where isBelow(destination, points[index].destination) { points[index].hasOthers = true }
            points.append(Point(destination: destination, source: source))
        }
    }

    /// Where criu finds it: a directory of procfs, whose mount nothing of a container's depends on.
    ///
    /// That of the root file system itself may have to stay as it is for the sake of mounts from outside, which are restored into the same peer groups.
    static let mountPoint = "/proc/fs"

    /// Makes the places, and the mount, in a mount namespace of the calling process's own.
    ///
    /// - Parameter object: What is at work.
    func prepare(_ object: inout String) throws(Errno) {
        try unshare(NamespaceFlag.mount)
        object = RestoreRoot.mountPoint
        let target = try OwnedFD.open(RestoreRoot.mountPoint, [.path, .directory])
        // What is mounted here is not to be seen elsewhere.
        let proc = try containingMount(target)
        try setPropagation(proc.number, MountFlag.isPrivate)
        object = path
        let root = try OwnedFD.open(path, [.path, .directory])
        if !points.isEmpty {
            // A tree for this alone, so that what is mounted in it for the time being is not to be seen elsewhere, too.
            let draft = try MountTree.copy(at: root.number, recursive: true)
            try setPropagation(draft.descriptor.number, MountFlag.isPrivate | MountFlag.recursive)
            try draft.attach(to: target.number)
            try makePoints(below: draft.descriptor, &object)
            object = RestoreRoot.mountPoint
            let detach = 2  // MNT_DETACH
            try RestoreRoot.mountPoint.withPath { path throws(Errno) in _ = try kernel(__NR_umount2, path.address, detach) }
        }
        object = path
        try MountTree.copy(at: root.number, recursive: true).attach(to: target.number)
    }

    private func makePoints(below root: borrowing OwnedFD, _ object: inout String) throws(Errno) {
        let directory = RootDirectory(root.number)
        for point in points {
            object = point.destination
            let isDirectory = try point.source.map { (path) throws(Errno) in try RestoreRoot.isDirectory(path) } ?? true
            let target = OwnedFD(
                try point.destination.withPath { path throws(Errno) in
                    try directory.mountPoint(path, isDirectory: isDirectory, noFollow: false).release()
                })
            guard point.hasOthers, let source = point.source else { continue }
            let tree = MountTree(
                OwnedFD(try source.withPath { path throws(Errno) in try MountTree.copy(of: path, recursive: true).release() }))
            try setPropagation(tree.descriptor.number, MountFlag.isPrivate | MountFlag.recursive)
            try tree.attach(to: target.number)
        }
    }

    private static func isDirectory(_ path: String) throws(Errno) -> Bool {
        try path.withPath { path throws(Errno) in try FileStatus.of(path, at: workingDirectory, follow: true) }.isDirectory
    }
}

/// The root of the mount that a directory is in.
private func containingMount(_ directory: borrowing OwnedFD) throws(Errno) -> OwnedFD {
    var current = try directory.duplicate()
    while try !isMountRoot(current.number) { current = try OwnedFD.open("..", [.path, .directory], at: current.number) }
    return current
}

/// Whether a path is that of a directory's content.
private func isBelow(_ path: String, _ directory: String) -> Bool {
    path != directory && (directory == "/" || path.utf8.starts(with: (directory + "/").utf8))
}

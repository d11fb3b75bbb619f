/// A change of a running container's mounts, made by a child of the runtime inside the container's namespaces.
///
/// Whatever belongs to the host is opened before: sources of bind mounts come along as detached trees. Inside, every path is resolved
/// below the container's root, to a descriptor, for the container may exchange anything at any time.

import CLinux
import Linux

/// A mount to be made, with all that the host has to do with it done.
struct PreparedMount {
    /// Where it goes, absolute.
    var destination: String
    /// Whether the last component must not be a link.
    var noFollow: Bool
    /// Changes of propagation, MS_* bits.
    var propagation: [UInt32]
    /// What is mounted.
    var content: Content

    enum Content {
        /// A detached tree's descriptor, and whether its root is a directory.
        case tree(Int32, isDirectory: Bool)
        /// A new file system.
        case filesystem(type: String, source: String?, parameters: [String], attributes: UInt64)
    }
}

/// What the child does.
enum MountChange {
    /// Makes mounts, in their order.
    case add([PreparedMount])
    /// Takes mounts away, in their order.
    case remove([String])

    /// Makes the change inside the namespaces of a process; after a failure mounts that were made are taken away again.
    ///
    /// - Parameters:
    ///   - root: The process's root directory.
    ///   - namespaces: The CLONE_NEW* flags of those that are not the caller's.
    func perform(inside process: borrowing OwnedFD, _ root: borrowing OwnedFD, joining namespaces: UInt64) throws(Failure) {
        let target = process.number
        let root = RootDirectory(root.number)
        let answer = try Failure.during("change the container's mounts") { () throws(Errno) -> String in
            try self.answer(of: target, root, namespaces)
        }
        if answer.isEmpty { return }
        let parts = answer.split(separator: " ", maxSplits: 1)
        let errno = Errno(code: Int32(parts[0]) ?? 5)
        let object = parts.count == 2 ? String(parts[1]) : ""
        switch self {
        case .add:
            throw Failure(
                object.isEmpty ? "enter the container" : "mount on", object.isEmpty ? nil : object, errno: errno,
                hint: errno == .noDevice ? "this kernel has no such file system" : nil)
        case .remove:
            let isLink = errno == .loop
            throw Failure(
                object.isEmpty ? "enter the container" : "unmount", object.isEmpty ? nil : object,
                detail: errno == .invalidArgument
                    ? "it is not a mount point, or not one of the container's own"
                    : isLink ? "a link is on the way, which the container can point to what confines it" : nil,
                errno: errno == .invalidArgument || isLink ? nil : errno, hint: isLink ? "name it as \"mounts list\" does" : nil)
        }
    }

    /// What the child says: nothing where all went well, else an errno and the mount.
    private func answer(of target: Int, _ root: RootDirectory, _ namespaces: UInt64) throws(Errno) -> String {
        var ends: (Int32, Int32) = (-1, -1)
        try withUnsafeMutablePointer(to: &ends) { ends throws(Errno) in
            _ = try kernel(__NR_pipe2, Int(bitPattern: ends), Int(O_CLOEXEC))
        }
        let reader = OwnedFD(ends.0)
        let writer = OwnedFD(ends.1)
        let child = try cloneProcess(CloneOptions())
        if child.isChild {
            var object = ""
            do throws(Errno) {
                try enter(target, namespaces)
                try carryOut(below: root, &object)
                exitProcess(0)
            } catch {
                try? writer.writeAll("\(error.code) \(object)")
                exitProcess(1)
            }
        }
        _ = consume writer
        let pidfd = OwnedFD(child.pidfd)
        let answer = String(decoding: try reader.readAll(), as: UTF8.self)
        let end = try wait(for: pidfd.number)
        // Killed before it could say anything.
        if answer.isEmpty && end != .exited(0) { throw Errno.inputOutput }
        return answer
    }

    /// Joins the container's namespaces.
    ///
    /// - Source: setns(2) with a pidfd, Linux 5.8.
    private func enter(_ target: Int, _ namespaces: UInt64) throws(Errno) {
        // A container with a user namespace of its own must not look into this process.
        try setDumpable(false)
        try kernel(__NR_setns, target, Int(truncatingIfNeeded: namespaces))
    }

    /// - Parameter object: The mount that is at work.
    private func carryOut(below root: RootDirectory, _ object: inout String) throws(Errno) {
        switch self {
        case .add(let mounts):
            var made: [AttachedMount] = []
            for mount in mounts {
                object = mount.destination
                do throws(Errno) { try mount.make(below: root, &made) } catch {
                    for mount in made.reversed() { mount.detach(below: root) }
                    throw error
                }
            }
        case .remove(let destinations):
            for destination in destinations {
                object = destination
                try unmount(destination, below: root)
            }
        }
    }

    /// Takes away what is mounted on a path without links.
    ///
    /// The container could point a link to /proc, and have what masks a file there taken away.
    private func unmount(_ path: String, below root: RootDirectory) throws(Errno) {
        try path.withPath { path throws(Errno) in
            // Nothing is to be made where there is nothing.
            _ = try OwnedFD.open(path, [.path, .noFollow], below: root.descriptor, resolve: [.inRoot, .noSymlinks])
            var name = PathBuffer()
            let parent = try root.parent(of: path, name: &name, followLinks: false)
            try detachMount(name.cString, in: parent)
        }
    }
}

/// Takes the mount of a name in a directory away.
private func detachMount(_ name: CString, in directory: borrowing OwnedFD) throws(Errno) {
    try kernel(__NR_fchdir, directory.number)
    let detach = 2  // MNT_DETACH
    let noFollow = 8  // UMOUNT_NOFOLLOW
    _ = try kernel(__NR_umount2, name.address, detach | noFollow)
}

/// A mount that this change has made, to be taken away again where a later one fails.
private struct AttachedMount {
    /// The mount's root, open for as long as the child lives.
    var tree: Int32
    var destination: String

    /// Takes it away, and no other: by itself where it is a directory, else by a name that means it.
    func detach(below root: RootDirectory) {
        if (try? kernel(__NR_fchdir, Int(tree))) != nil {
            kernelIgnoringFailure(__NR_umount2, literal(".").address, 2)
            return
        }
        try? destination.withPath { path throws(Errno) in
            var name = PathBuffer()
            let parent = try root.parent(of: path, name: &name)
            let found = try OwnedFD.open(name.cString, [.path, .noFollow], at: parent.number)
            if try mountID(found.number) == mountID(Int(tree)) { try detachMount(name.cString, in: parent) }
        }
    }
}

extension PreparedMount {
    /// Makes the mount, and notes it as soon as it is attached.
    fileprivate func make(below root: RootDirectory, _ made: inout [AttachedMount]) throws(Errno) {
        switch content {
        case .tree(let tree, let isDirectory):
            try attach(MountTree(OwnedFD(tree)), below: root, isDirectory: isDirectory, &made)
        case .filesystem(let type, let source, let parameters, let attributes):
            let tree = try type.withPath { type throws(Errno) in
                let context = try FilesystemContext(type: type)
                if let source { try context.set("source", source) }
                for parameter in parameters {
                    let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    try context.set(String(parts[0]), parts.count == 2 ? String(parts[1]) : nil)
                }
                return try context.mount(attributes: attributes).release()
            }
            try attach(MountTree(OwnedFD(tree)), below: root, isDirectory: true, &made)
        }
    }

    private func attach(
        _ tree: consuming MountTree, below root: RootDirectory, isDirectory: Bool, _ made: inout [AttachedMount]
    ) throws(Errno) {
        let target = OwnedFD(
            try destination.withPath { path throws(Errno) in
                try root.mountPoint(path, isDirectory: isDirectory, noFollow: noFollow).release()
            })
        try tree.attach(to: target.number)
        let root = tree.release()
        made.append(AttachedMount(tree: root, destination: destination))
        for change in propagation { try setPropagation(Int(root), change) }
    }
}

extension FilesystemContext {
    fileprivate borrowing func set(_ key: String, _ value: String?) throws(Errno) {
        // The descriptor alone crosses into the closures.
        let context = descriptor.number
        try key.withPath { key throws(Errno) in
            guard let value else {
                _ = try kernel(__NR_fsconfig, context, Int(FSCONFIG_SET_FLAG.rawValue), key.address, 0, 0)
                return
            }
            try value.withPath { value throws(Errno) in
                _ = try kernel(__NR_fsconfig, context, Int(FSCONFIG_SET_STRING.rawValue), key.address, value.address, 0)
            }
        }
    }
}

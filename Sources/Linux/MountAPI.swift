/// The mount interface that works on descriptors: trees are opened, changed while nobody sees them, and put into place.
///
/// Linux 5.12 has all of it. Source: open_tree(2), move_mount(2), mount_setattr(2), fsopen(2), fsconfig(2), fsmount(2).

import CLinux

/// MOUNT_ATTR_* and MS_* numbers by which mounts are changed.
public enum MountFlag {
    /// All access time settings: whoever changes one must clear them together.
    public static let accessTimeMask = UInt64(MOUNT_ATTR__ATIME)
    /// `ro`.
    public static let readOnly = UInt64(MOUNT_ATTR_RDONLY)
    /// `nosuid`.
    public static let noSuid = UInt64(MOUNT_ATTR_NOSUID)
    /// `nodev`.
    public static let noDev = UInt64(MOUNT_ATTR_NODEV)
    /// `noexec`.
    public static let noExec = UInt64(MOUNT_ATTR_NOEXEC)
    /// MS_REC: with the mounts below.
    public static let recursive: UInt32 = 0x4000
    /// MS_SLAVE.
    public static let slave: UInt32 = 1 << 19
    /// MS_PRIVATE.
    public static let isPrivate: UInt32 = 1 << 18
}

/// A mounted or detached tree of mounts.
public struct MountTree: ~Copyable {
    /// The tree's root.
    public let descriptor: OwnedFD

    /// Takes over a tree's descriptor.
    public init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }

    /// Gives the tree's descriptor away, open.
    public consuming func release() -> Int32 { descriptor.release() }

    /// Copies the tree at a path; the copy is detached until it is attached somewhere.
    ///
    /// With the empty path, at the descriptor.
    public static func copy(
        of path: CString = emptyPath, at directory: Int = workingDirectory, recursive: Bool, noFollow: Bool = false
    ) throws(Errno) -> MountTree {
        let flags =
            Int(OPEN_TREE_CLONE) | Int(CL_OPEN_TREE_CLOEXEC) | Int(AT_EMPTY_PATH) | (recursive ? Int(AT_RECURSIVE) : 0)
            | (noFollow ? Int(AT_SYMLINK_NOFOLLOW) : 0)
        return MountTree(OwnedFD(try kernel(__NR_open_tree, directory, path.address, flags)))
    }

    /// Puts a detached tree on top of what a descriptor refers to.
    public borrowing func attach(to target: Int) throws(Errno) {
        try kernel(
            __NR_move_mount, descriptor.number, emptyPath.address, target, emptyPath.address,
            Int(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
    }

    /// Sets and clears attributes.
    ///
    /// See ``setMountAttributes(_:path:set:clear:recursive:)``.
    public borrowing func change(set: UInt64, clear: UInt64, recursive: Bool) throws(Errno) {
        try setMountAttributes(descriptor.number, set: set, clear: clear, recursive: recursive)
    }
}

/// Sets and clears MOUNT_ATTR_* bits of a mount and, if recursive, of all below it.
///
/// All or none of them change.
///
/// - Throws: ``Errno/notPermitted`` where a bit to be cleared is locked by a user namespace; ``Errno/invalidArgument`` where the path
///   is not a mount's root.
public func setMountAttributes(
    _ directory: Int, path: CString = emptyPath, set: UInt64, clear: UInt64, recursive: Bool
) throws(Errno) {
    if set | clear == 0 { return }
    try mountSetattr(directory, path, mount_attr(attr_set: set, attr_clr: clear, propagation: 0, userns_fd: 0), recursive)
}

/// Sets the propagation type of a mount: MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, with MS_REC for all below it too.
public func setPropagation(_ directory: Int, path: CString = emptyPath, _ flags: UInt32) throws(Errno) {
    if flags == 0 { return }
    let propagation = UInt64(flags & ~MountFlag.recursive)
    try mountSetattr(
        directory, path, mount_attr(attr_set: 0, attr_clr: 0, propagation: propagation, userns_fd: 0),
        flags & MountFlag.recursive != 0)
}

/// Gives a detached tree the id mapping of a user namespace.
///
/// Linux 5.12, by file system.
public func setIDMapping(_ tree: Int, userNamespace: Int, recursive: Bool) throws(Errno) {
    try mountSetattr(
        tree, emptyPath,
        mount_attr(attr_set: UInt64(MOUNT_ATTR_IDMAP), attr_clr: 0, propagation: 0, userns_fd: UInt64(userNamespace)), recursive)
}

private func mountSetattr(_ directory: Int, _ path: CString, _ attributes: mount_attr, _ recursive: Bool) throws(Errno) {
    var attributes = attributes
    try withUnsafeMutablePointer(to: &attributes) { pointer throws(Errno) in
        _ = try kernel(
            __NR_mount_setattr, directory, path.address, Int(AT_EMPTY_PATH) | (recursive ? Int(AT_RECURSIVE) : 0),
            Int(bitPattern: pointer), MemoryLayout<mount_attr>.size)
    }
}

/// A file system being configured: parameters one by one, so that a refused one is known.
public struct FilesystemContext: ~Copyable {
    /// The context's descriptor, from which the kernel's messages are read.
    public let descriptor: OwnedFD

    /// Starts to make a file system of a type.
    ///
    /// - Throws: ``Errno/noDevice`` for a type this kernel does not have.
    public init(type: CString) throws(Errno) {
        descriptor = OwnedFD(try kernel(__NR_fsopen, type.address, Int(FSOPEN_CLOEXEC)))
    }

    /// Starts to change the file system mounted at a descriptor.
    ///
    /// Source: fspick(2).
    public init(reconfiguring target: Int) throws(Errno) {
        descriptor = OwnedFD(
            try kernel(__NR_fspick, target, emptyPath.address, Int(FSPICK_EMPTY_PATH | FSPICK_CLOEXEC)))
    }

    /// Sets a parameter that has a value.
    public borrowing func set(_ key: CString, to value: CString) throws(Errno) {
        try kernel(__NR_fsconfig, descriptor.number, Int(FSCONFIG_SET_STRING.rawValue), key.address, value.address, 0)
    }

    /// Sets a parameter that has none.
    public borrowing func set(_ key: CString) throws(Errno) {
        try kernel(__NR_fsconfig, descriptor.number, Int(FSCONFIG_SET_FLAG.rawValue), key.address, 0, 0)
    }

    /// Makes the file system and mounts it, detached.
    ///
    /// `attributes` are MOUNT_ATTR_* bits.
    public borrowing func mount(attributes: UInt64) throws(Errno) -> MountTree {
        try kernel(__NR_fsconfig, descriptor.number, Int(FSCONFIG_CMD_CREATE.rawValue), 0, 0, 0)
        return MountTree(
            OwnedFD(try kernel(__NR_fsmount, descriptor.number, Int(FSMOUNT_CLOEXEC), Int(truncatingIfNeeded: attributes))))
    }

    /// Makes the changes of a file system that is mounted already.
    public borrowing func reconfigure() throws(Errno) {
        try kernel(__NR_fsconfig, descriptor.number, Int(FSCONFIG_CMD_RECONFIGURE.rawValue), 0, 0, 0)
    }

    /// Reads the kernel's next message about this context ("e tmpfs: Bad value for 'size'"); 0 bytes if there is none.
    public borrowing func readMessage(into buffer: UnsafeMutableRawPointer, capacity: Int) -> Int {
        (try? descriptor.read(into: buffer, count: capacity)) ?? 0
    }
}

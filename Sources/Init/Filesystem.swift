/// The mount steps. A path of the plan is resolved once, inside the container's root, to a descriptor; from then on only
/// descriptors are used, and a tree gets its attributes before anybody can see it.

import Linux
import Plan

/// PROC_SUPER_MAGIC of linux/magic.h.
private let procfsMagic: Int64 = 0x9fa0

extension Executor {
    /// The container's root, for resolving paths in it.
    var rootDirectory: RootDirectory { RootDirectory(Int(root)) }

    /// Keeps a source open for a later step.
    mutating func openSource(_ step: OpenSource) throws(Errno) {
        let tree = try copyTree(step.source)
        while openedSlots.count <= Int(step.slot) { openedSlots.append(-1) }
        openedSlots[Int(step.slot)] = tree.release()
    }

    /// The tree a step names: taken from its slot, or copied from the path.
    mutating func openTree(_ source: TreeSource) throws(Errno) -> MountTree {
        guard source.slot > 0 else { return try copyTree(source) }
        let slot = Int(source.slot - 1)
        if slot < openedSlots.count, openedSlots[slot] >= 0 {
            let descriptor = openedSlots[slot]
            openedSlots[slot] = -1
            return MountTree(OwnedFD(descriptor))
        }
        guard slot < Int(plan.header.slotCount) else { throw .badMessage }
        return MountTree(OwnedFD(Int32(bitPattern: plan.header.firstSlot) + Int32(slot)))
    }

    private func copyTree(_ source: TreeSource) throws(Errno) -> MountTree {
        try MountTree.copy(of: plan.cString(source.path), recursive: source.options & 1 != 0, noFollow: source.options & 2 != 0)
    }

    /// Mounts the root directory on itself, so that it is a mount, and takes it as the container's root.
    mutating func attachRoot(_ step: AttachRoot) throws(Errno) {
        let null = try OwnedFD.open(literal("/dev/null"), .path)
        let status = try FileStatus.of(at: null.number)
        if !status.isCharacterDevice(1, 3) {
            detail = Detail(reason: .wrongNode, text: literal("/dev/null"))
            throw .invalidArgument
        }
        let tree = try openTree(step.source)
        try attach(tree, over: plan.cString(step.source.path))
        self.null = null.release()
        root = tree.release()
    }

    /// Puts the root tree over its own directory, where hooks look for it.
    ///
    /// A directory above it that this user may not enter (a user namespace without rights there) leaves only the root itself, which
    /// nobody but this process can tell apart.
    private func attach(_ tree: borrowing MountTree, over path: UnsafePointer<CChar>) throws(Errno) {
        do {
            let target = try OwnedFD.open(path, [.path, .directory])
            try tree.attach(to: target.number)
        } catch {
            if error != .accessDenied { throw error }
            let target = try OwnedFD.open(literal("/"), [.path, .directory])
            try tree.attach(to: target.number)
        }
    }

    /// Opens a mount's target below the root, made if missing.
    ///
    /// Rows M-02, M-10.
    mutating func openTarget(_ target: Target, isDirectory: Bool, linkIsTarget: Bool = false) throws(Errno) -> OwnedFD {
        let path = plan.cString(target.path)
        let noFollow = target.options & 1 != 0
        do throws(Errno) {
            let result =
                target.options & 2 != 0
                ? try rootDirectory.resolve(path, noFollow ? [.path, .noFollow] : .path)
                : try rootDirectory.mountPoint(path, isDirectory: isDirectory, noFollow: noFollow)
            if noFollow, !linkIsTarget, try FileStatus.of(at: result.number).isLink { throw Errno.loop }
            if target.options & 10 == 0, try isInContainersProcfs(result) { throw Errno.crossDevice }
            return result
        } catch {
            if error == .loop || error == .crossDevice { detail = Detail(reason: .unsafePath, text: path) }
            throw error
        }
    }

    /// Whether a link of the image led a mount into /proc, where it could fake what labels and masks are set through.
    ///
    /// Row M-10. Another procfs elsewhere in the container is the config's own affair.
    private func isInContainersProcfs(_ target: borrowing OwnedFD) throws(Errno) -> Bool {
        if try fileSystemMagic(target.number) != procfsMagic { return false }
        guard let proc = try existing(literal("/proc")) else { return false }
        return try mountID(target.number) == mountID(proc.number)
    }

    /// Makes sure that a directory goes on a directory, and a file on a file.
    private mutating func checkKind(of target: borrowing OwnedFD, isDirectory: Bool) throws(Errno) {
        let status = try FileStatus.of(at: target.number)
        if status.isDirectory == isDirectory { return }
        detail = Detail(reason: .otherKind, value: status.isDirectory ? 1 : 0)
        throw .invalidArgument
    }

    mutating func bind(_ step: Bind) throws(Errno) {
        let tree = try openTree(step.source)
        let status = try FileStatus.of(at: tree.descriptor.number)
        if step.target.options & 4 != 0 { try checkIsProcfs(tree) }
        let target = try openTarget(step.target, isDirectory: status.isDirectory, linkIsTarget: true)
        try checkKind(of: target, isDirectory: status.isDirectory)
        try change(tree.descriptor.number, step.attributes)
        try tree.attach(to: target.number)
        try apply(step.propagation, to: tree.descriptor.number, path: emptyPath)
    }

    /// Refuses to put anything but a procfs where the payload and its libraries expect one: labels and masks are set through it.
    private mutating func checkIsProcfs(_ tree: borrowing MountTree) throws(Errno) {
        // Any file of a procfs has its magic number; its root has inode 1 (PROC_ROOT_INO).
        if try fileSystemMagic(tree.descriptor.number) == procfsMagic, try FileStatus.of(at: tree.descriptor.number).inode == 1 { return }
        detail = Detail(reason: .unsafePath, text: literal("/proc"))
        throw .invalidArgument
    }

    /// Sets a tree's attributes.
    private mutating func change(_ tree: Int, _ attributes: AttributeChange) throws(Errno) {
        do {
            try setMountAttributes(tree, set: attributes.recursiveSet, clear: attributes.recursiveClear, recursive: true)
            try setMountAttributes(tree, set: attributes.set, clear: attributes.clear, recursive: false)
        } catch {
            if error == .notPermitted {
                detail = Detail(reason: .lockedFlags, value: UInt32(truncatingIfNeeded: attributes.clear | attributes.recursiveClear))
            }
            throw error
        }
    }

    mutating func mountFilesystem(_ step: MountFilesystem) throws(Errno) {
        let options = MountFilesystem.Options(rawValue: step.options)
        let target = try openTarget(step.target, isDirectory: true)
        try checkKind(of: target, isDirectory: true)
        let tree: MountTree
        do throws(Errno) {
            tree = try makeFilesystem(step, options, covering: target)
        } catch {
            if error != .notPermitted || !options.contains(.bindWhenRefused) { throw error }
            // A user namespace that does not own the network namespace may not mount sysfs, but see the host's. Row M-13.
            tree = try MountTree.copy(of: plan.cString(step.target.path), recursive: true)
            try change(tree.descriptor.number, step.attributes)
        }
        if options.contains(.copyUp) {
            try copyUp(from: target.number, to: tree.descriptor.number)
            if options.contains(.inheritOwner) {
                let covered = try FileStatus.of(at: target.number)
                // AT_EMPTY_PATH 0x1000
                try kernel(
                    SystemCallNumber.fchownat, tree.descriptor.number, Int(bitPattern: emptyPath), Int(covered.uid), Int(covered.gid),
                    0x1000)
            }
            try tree.change(set: step.attributes.set & MountFlag.readOnly, clear: 0, recursive: false)
        }
        try tree.attach(to: target.number)
        try apply(step.propagation, to: tree.descriptor.number, path: emptyPath)
    }

    private mutating func makeFilesystem(
        _ step: MountFilesystem, _ options: MountFilesystem.Options, covering target: borrowing OwnedFD
    ) throws(Errno) -> MountTree {
        let context = try FilesystemContext(type: plan.cString(step.type))
        do throws(Errno) {
            if step.source.count > 0 { try context.set(literal("source"), to: plan.cString(step.source)) }
            for index in 0..<Int(step.parameters.count) { try set(plan.text(step.parameters, index), on: context) }
            if options.contains(.inheritMode) {
                var mode = PathBuffer()
                try mode.append(octal: try FileStatus.of(at: target.number).mode & 0o7777)
                try context.set(literal("mode"), to: mode.cString)
            }
            detail = Detail()
            // What is copied up could not be written to a read-only mount.
            let attributes = options.contains(.copyUp) ? step.attributes.set & ~MountFlag.readOnly : step.attributes.set
            return try context.mount(attributes: attributes | step.attributes.recursiveSet)
        } catch {
            addMessage(of: context)
            throw error
        }
    }

    /// Sets one parameter: "key" or "key=value".
    private mutating func set(_ parameter: Text, on context: borrowing FilesystemContext) throws(Errno) {
        let text = plan.cString(parameter)
        detail = Detail(reason: .mountParameter, text: text)
        var key = PathBuffer()
        var at = 0
        while text[at] != 0, text[at] != 61 {
            try key.append(byte: text[at])
            at += 1
        }
        if text[at] == 0 { try context.set(text) } else { try context.set(key.cString, to: text + at + 1) }
    }

    /// Puts the kernel's own words behind the parameter that it refused.
    private mutating func addMessage(of context: borrowing FilesystemContext) {
        let parameter = detail.reason == .mountParameter ? detail : Detail(reason: .mountParameter)
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: Message.maximumText)
        var count = 0
        while let text = parameter.text, count < parameter.count, count < 2048 {
            buffer[count] = text[count]
            count += 1
        }
        buffer[count] = 0
        count += 1
        count += context.readMessage(into: buffer + count, capacity: Message.maximumText - count)
        detail = Detail(reason: .mountParameter, text: buffer, count: count)
    }

    /// Opens the mount that is at a target.
    private mutating func openMount(_ target: Target) throws(Errno) -> OwnedFD {
        var target = target
        target.options |= 2
        do throws(Errno) {
            let mounted = try openTarget(target, isDirectory: true)
            if try !isMountRoot(mounted.number) { throw Errno.noEntry }
            return mounted
        } catch {
            if error == .noEntry { detail = Detail(reason: .notMounted) }
            throw error
        }
    }

    mutating func remount(_ step: Remount) throws(Errno) {
        let mounted = try openMount(step.target)
        if step.parameters.count > 0 {
            let context = try FilesystemContext(reconfiguring: mounted.number)
            do throws(Errno) {
                for index in 0..<Int(step.parameters.count) { try set(plan.text(step.parameters, index), on: context) }
                detail = Detail()
                try context.reconfigure()
            } catch {
                addMessage(of: context)
                throw error
            }
        }
        try change(mounted.number, step.attributes)
        try apply(step.propagation, to: mounted.number, path: emptyPath)
    }

    /// Mounts a path on itself, read-only.
    ///
    /// A path that is not there needs no protection. Row X-03.
    func makeReadonly(_ path: UnsafePointer<CChar>) throws(Errno) {
        guard let target = try existing(path) else { return }
        let tree = try MountTree.copy(at: target.number, recursive: true)
        try tree.change(set: MountFlag.readOnly, clear: 0, recursive: false)
        try tree.attach(to: target.number)
    }

    /// Covers a file with /dev/null, a directory with an empty one.
    ///
    /// Row X-02.
    mutating func mask(_ path: UnsafePointer<CChar>) throws(Errno) {
        guard let target = try existing(path) else { return }
        guard try FileStatus.of(at: target.number).isDirectory else {
            return try MountTree.copy(at: Int(null), recursive: false).attach(to: target.number)
        }
        if emptyDirectory >= 0 {
            return try MountTree.copy(at: Int(emptyDirectory), recursive: false).attach(to: target.number)
        }
        // One file system for all: it is empty and stays so.
        let context = try FilesystemContext(type: literal("tmpfs"))
        try context.set(literal("nr_inodes"), to: literal("2"))
        try context.set(literal("size"), to: literal("4k"))
        try context.set(literal("mode"), to: literal("0555"))
        let tree = try context.mount(
            attributes: MountFlag.readOnly | MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec)
        try tree.attach(to: target.number)
        emptyDirectory = tree.release()
    }

    /// Opens what is at a path; nil if nothing is.
    private func existing(_ path: UnsafePointer<CChar>) throws(Errno) -> OwnedFD? {
        do { return try rootDirectory.resolve(path) } catch {
            if error == .noEntry || error == .notDirectory { return nil }
            throw error
        }
    }

    /// Makes the container's root `/`.
    ///
    /// Row LC-14.
    mutating func enterRoot(_ step: EnterRoot) throws(Errno) {
        try kernel(SystemCallNumber.fchdir, Int(root))
        if step.way == EnterRoot.Way.changing.rawValue {
            try kernel(SystemCallNumber.chroot, Int(bitPattern: literal(".")))
        } else if step.way == EnterRoot.Way.moving.rawValue {
            let slash = try OwnedFD.open(literal("/"), [.path, .directory])
            try MountTree(rootDirectory.duplicate()).attach(to: slash.number)
            try kernel(SystemCallNumber.chroot, Int(bitPattern: literal(".")))
        } else {
            // pivot_root(".", ".") stacks the old root on the new one: no directory is needed to put it in. MNT_DETACH 2.
            try kernel(SystemCallNumber.pivotRoot, Int(bitPattern: literal(".")), Int(bitPattern: literal(".")))
            try kernel(SystemCallNumber.umount2, Int(bitPattern: literal(".")), 2)
        }
        try kernel(SystemCallNumber.chdir, Int(bitPattern: literal("/")))
    }
}

/// Device nodes, links and directories of the container. No link that an image put into /dev is followed on the way.

import Linux
import Plan

extension Executor {
    func makeDirectory(_ step: MakeDirectory) throws(Errno) {
        _ = try rootDirectory.makeDirectories(plan.cString(step.path), mode: step.mode)
    }

    func makeWorkingDirectory(_ path: UnsafePointer<CChar>) throws(Errno) {
        do { _ = try rootDirectory.makeDirectories(path, mode: 0o755) } catch {
            // A read-only image: whether the directory is there is seen when it is entered.
            if error != .readOnly { throw error }
        }
    }

    mutating func makeSymlink(_ step: MakeSymlink) throws(Errno) {
        let parent = try openParent(step.path)
        do {
            try kernel(
                SystemCallNumber.symlinkat, Int(bitPattern: plan.cString(step.target)), parent.directory.number,
                Int(bitPattern: parent.name.cString))
        } catch {
            // What the image has there stays, as runc and crun have it. A read-only /dev is the config's wish.
            if step.keepExisting == 0 || (error != .exists && error != .readOnly) { throw error }
        }
    }

    /// Makes a node, or checks that what is there is the node.
    ///
    /// Row D-03.
    mutating func makeNode(_ step: MakeNode) throws(Errno) {
        let parent = try openParent(step.path)
        let type = step.mode & 0o170000
        // The kernel's encoding of a device number in 32 bits (new_encode_dev).
        let device = step.minor & 0xff | (step.major & 0xfff) << 8 | (step.minor & ~0xff) << 12
        do {
            try kernel(
                SystemCallNumber.mknodat, parent.directory.number, Int(bitPattern: parent.name.cString), Int(step.mode), Int(device))
        } catch {
            if error != .exists { throw error }
            let status = try FileStatus.of(parent.name.cString, at: parent.directory.number)
            if status.kind != type || (type != 0o010000 && (status.deviceMajor != step.major || status.deviceMinor != step.minor)) {
                detail = Detail(reason: .wrongNode, text: plan.cString(step.path))
                throw error
            }
            return
        }
        if step.uid | step.gid == 0 { return }
        let node = try OwnedFD.open(parent.name.cString, [.path, .noFollow], at: parent.directory.number)
        let status = try FileStatus.of(at: node.number)
        if status.kind != type || (type != 0o010000 && (status.deviceMajor != step.major || status.deviceMinor != step.minor)) {
            detail = Detail(reason: .wrongNode, text: plan.cString(step.path))
            throw .exists
        }
        // AT_EMPTY_PATH 0x1000
        try kernel(
            SystemCallNumber.fchownat, node.number, Int(bitPattern: emptyPath), Int(step.uid), Int(step.gid), 0x1000)
    }

    /// Mounts a node of the host's after a look at what it is.
    ///
    /// Row D-01.
    mutating func bindNode(_ step: BindNode) throws(Errno) {
        let node = try OwnedFD.open(plan.cString(step.source), [.path, .noFollow])
        let status = try FileStatus.of(at: node.number)
        guard status.kind == step.kind, status.deviceMajor == step.major, status.deviceMinor == step.minor else {
            detail = Detail(reason: .wrongNode, text: plan.cString(step.source))
            throw .noDevice
        }
        let tree = try MountTree.copy(at: node.number, recursive: false)
        try tree.change(set: MountFlag.noSuid | MountFlag.noExec, clear: 0, recursive: false)
        let parent = try openParent(step.path)
        do {
            _ = try OwnedFD.open(
                parent.name.cString, [.write, .create, .exclusive, .noFollow], at: parent.directory.number, mode: 0o644)
        } catch {
            if error != .exists { throw error }
        }
        let target = try OwnedFD.open(parent.name.cString, [.path, .noFollow], at: parent.directory.number)
        if try FileStatus.of(at: target.number).isLink {
            detail = Detail(reason: .unsafePath, text: plan.cString(step.path))
            throw .loop
        }
        try tree.attach(to: target.number)
    }

    /// A path's directory and last component.
    struct Place: ~Copyable {
        let directory: OwnedFD
        let name: PathBuffer
    }

    /// Opens the directory of a path without following links: /dev as a link would lead set-up elsewhere.
    mutating func openParent(_ path: Text) throws(Errno) -> Place {
        var name = PathBuffer()
        do {
            let directory = try rootDirectory.parent(of: plan.cString(path), name: &name, followLinks: false)
            return Place(directory: directory, name: name)
        } catch {
            if error == .loop { detail = Detail(reason: .unsafePath, text: plan.cString(path)) }
            throw error
        }
    }
}

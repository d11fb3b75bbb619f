/// tmpcopyup: what a tmpfs would cover is copied into it first, with types, modes, owners, extended attributes, hard links and holes.
/// Row MO-32.

import Linux
import Plan

extension Executor {
    /// Copies a directory's content.
    ///
    /// Links are copied as links and never followed.
    func copyUp(from source: Int, to destination: Int) throws(Errno) {
        // A reading descriptor of the covered directory: the target was opened as a place only.
        let directory = try OwnedFD.open(literal("."), [.read, .directory, .noFollow], at: source)
        let made = try OwnedFD.open(literal("."), [.read, .directory, .noFollow], at: destination)
        var copy = CopyUp(root: made.number)
        try copy.copyEntries(of: directory.number, to: made.number, depth: 0)
        try copy.finish()
        try copyAttributes(from: directory.number, to: made.number)
    }
}

/// One copy at work.
private struct CopyUp {
    /// The new file system's root.
    let root: Int
    /// A directory of names for those files that have several, each called by the source's inode; -1 while there are none.
    private var links: Int32 = -1
    private let linksName = literal(".swoci-copy-up")

    init(root: Int) { self.root = root }

    mutating func copyEntries(of source: Int, to destination: Int, depth: Int) throws(Errno) {
        // As deep as the arena and a usual limit of open files allow.
        if depth > 100 { throw .nameTooLong }
        let capacity = 4096
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try kernel(SystemCallNumber.getdents64, source, Int(bitPattern: buffer), capacity)
            if count == 0 { return }
            var at = 0
            while at < count {
                // struct linux_dirent64: inode 8, offset 8, length 2, type 1, name.
                let length = Int((buffer + at + 16).loadUnaligned(as: UInt16.self))
                let name = UnsafePointer((buffer + at + 19).assumingMemoryBound(to: CChar.self))
                if !isDots(name) { try copyEntry(name, from: source, to: destination, depth: depth) }
                at += length
            }
        }
    }

    private func isDots(_ name: UnsafePointer<CChar>) -> Bool {
        name[0] == 46 && (name[1] == 0 || (name[1] == 46 && name[2] == 0))
    }

    private mutating func copyEntry(_ name: UnsafePointer<CChar>, from source: Int, to destination: Int, depth: Int) throws(Errno) {
        let status = try FileStatus.of(name, at: source)
        let address = Int(bitPattern: name)
        let hasOtherNames = !status.isDirectory && status.linkCount > 1
        if hasOtherNames, try link(status, to: destination, name) { return }
        if status.isLink {
            let link = try OwnedFD.open(name, [.path, .noFollow], at: source)
            var target = PathBuffer()
            try target.readLink(link.number)
            try kernel(SystemCallNumber.symlinkat, Int(bitPattern: target.cString), destination, address)
        } else if status.isDirectory {
            try kernel(SystemCallNumber.mkdirat, destination, address, Int(status.mode & 0o7777))
            let from = try OwnedFD.open(name, [.read, .directory, .noFollow], at: source)
            let to = try OwnedFD.open(name, [.read, .directory, .noFollow], at: destination)
            try copyEntries(of: from.number, to: to.number, depth: depth + 1)
        } else if status.isRegular {
            let from = try OwnedFD.open(name, [.read, .noFollow, .nonBlocking], at: source)
            let to = try OwnedFD.open(name, [.write, .create, .exclusive, .noFollow], at: destination, mode: status.mode & 0o7777)
            try copyContent(from: from.number, to: to.number, size: Int(truncatingIfNeeded: status.size))
        } else {
            let device = status.deviceMinor & 0xff | status.deviceMajor << 8 | (status.deviceMinor & ~0xff) << 12
            try kernel(SystemCallNumber.mknodat, destination, address, Int(status.mode), Int(device))
        }
        // AT_SYMLINK_NOFOLLOW 0x100. A change of owner clears set-user bits and file capabilities, so these come after it.
        try kernel(SystemCallNumber.fchownat, destination, address, Int(status.uid), Int(status.gid), 0x100)
        if status.isRegular || status.isDirectory {
            let from = try OwnedFD.open(name, [.read, .noFollow, .nonBlocking], at: source)
            let to = try OwnedFD.open(name, [.read, .noFollow, .nonBlocking], at: destination)
            if status.mode & 0o6000 != 0 { try kernel(SystemCallNumber.fchmod, to.number, Int(status.mode & 0o7777)) }
            try copyAttributes(from: from.number, to: to.number)
        }
        if hasOtherNames { try remember(status, destination, name) }
    }

    /// Copies what is not a hole.
    private func copyContent(from source: Int, to destination: Int, size: Int) throws(Errno) {
        var at = 0
        while at < size {
            // SEEK_DATA 3, SEEK_HOLE 4. ENXIO: there is no more data.
            do { at = try kernel(SystemCallNumber.lseek, source, at, 3) } catch {
                if error == .noDeviceOrAddress { break }
                throw error
            }
            let end = try kernel(SystemCallNumber.lseek, source, at, 4)
            try kernel(SystemCallNumber.lseek, source, at, 0)
            try kernel(SystemCallNumber.lseek, destination, at, 0)
            while at < end {
                let count = try kernel(SystemCallNumber.sendfile, destination, source, 0, min(end - at, 1 << 20))
                // Somebody made it shorter meanwhile.
                if count == 0 { return }
                at += count
            }
        }
        try kernel(SystemCallNumber.ftruncate, destination, size)
    }

    /// Gives a file that was copied under another name this name too; false if it was not copied yet.
    private mutating func link(_ status: FileStatus, to destination: Int, _ name: UnsafePointer<CChar>) throws(Errno) -> Bool {
        guard links >= 0 else { return false }
        let kept = try keptName(status)
        do {
            try kernel(SystemCallNumber.linkat, Int(links), Int(bitPattern: kept.cString), destination, Int(bitPattern: name), 0)
            return true
        } catch {
            if error == .noEntry { return false }
            throw error
        }
    }

    /// Keeps a name of a file for its other names to come.
    private mutating func remember(_ status: FileStatus, _ directory: Int, _ name: UnsafePointer<CChar>) throws(Errno) {
        if links < 0 {
            try kernel(SystemCallNumber.mkdirat, root, Int(bitPattern: linksName), 0o700)
            links = try OwnedFD.open(linksName, [.read, .directory, .noFollow], at: root).release()
        }
        let kept = try keptName(status)
        try kernel(SystemCallNumber.linkat, directory, Int(bitPattern: name), Int(links), Int(bitPattern: kept.cString), 0)
    }

    private func keptName(_ status: FileStatus) throws(Errno) -> PathBuffer {
        var name = PathBuffer()
        try name.append(number: Int(truncatingIfNeeded: status.fileSystem & UInt64(Int64.max)))
        try name.append(byte: 45)
        try name.append(number: Int(truncatingIfNeeded: status.inode & UInt64(Int64.max)))
        return name
    }

    /// Removes the kept names.
    mutating func finish() throws(Errno) {
        guard links >= 0 else { return }
        let directory = OwnedFD(links)
        links = -1
        let capacity = 4096
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            // From the start each time: what is removed moves the others.
            try kernel(SystemCallNumber.lseek, directory.number, 0, 0)
            let count = try kernel(SystemCallNumber.getdents64, directory.number, Int(bitPattern: buffer), capacity)
            var at = 0
            var removed = 0
            while at < count {
                let name = UnsafePointer((buffer + at + 19).assumingMemoryBound(to: CChar.self))
                if !isDots(name) {
                    try kernel(SystemCallNumber.unlinkat, directory.number, Int(bitPattern: name), 0)
                    removed += 1
                }
                at += Int((buffer + at + 16).loadUnaligned(as: UInt16.self))
            }
            if removed == 0 { break }
        }
        // AT_REMOVEDIR 0x200
        try kernel(SystemCallNumber.unlinkat, root, Int(bitPattern: linksName), 0x200)
    }
}

/// Copies the extended attributes of a file or directory, ACLs and file capabilities among them.
///
/// Source: xattr(7).
private func copyAttributes(from source: Int, to destination: Int) throws(Errno) {
    let size: Int
    do { size = try kernel(SystemCallNumber.flistxattr, source, 0, 0) } catch {
        if error == .notSupported { return }
        throw error
    }
    if size == 0 { return }
    let names = UnsafeMutablePointer<CChar>.allocate(capacity: size)
    defer { names.deallocate() }
    let count = try kernel(SystemCallNumber.flistxattr, source, Int(bitPattern: names), size)
    var at = 0
    while at < count {
        let name = UnsafePointer(names + at)
        while names[at] != 0 { at += 1 }
        at += 1
        try copyAttribute(name, from: source, to: destination)
    }
}

private func copyAttribute(_ name: UnsafePointer<CChar>, from source: Int, to destination: Int) throws(Errno) {
    let address = Int(bitPattern: name)
    let size = try kernel(SystemCallNumber.fgetxattr, source, address, 0, 0)
    let value = UnsafeMutableRawPointer.allocate(byteCount: max(size, 1), alignment: 1)
    defer { value.deallocate() }
    let count = try kernel(SystemCallNumber.fgetxattr, source, address, Int(bitPattern: value), size)
    do { try kernel(SystemCallNumber.fsetxattr, destination, address, Int(bitPattern: value), count, 0) } catch {
        // What a tmpfs cannot hold stays behind: user attributes before Linux 6.6, and those of another file system's own. Labels and
        // hashes are the kernel's to give.
        let isKernels = begins(name, literal("security.")) && !begins(name, literal("security.capability"))
        if error != .notSupported && !(isKernels && (error == .notPermitted || error == .accessDenied)) { throw error }
    }
}

private func begins(_ text: UnsafePointer<CChar>, _ start: UnsafePointer<CChar>) -> Bool {
    var at = 0
    while start[at] != 0 {
        if text[at] != start[at] { return false }
        at += 1
    }
    return true
}

/// tmpcopyup: what a tmpfs would cover is copied into it first, with types, modes and owners. Row MO-32.

import Linux
import Plan

extension Executor {
    /// Copies a directory's content.
    ///
    /// Links are copied as links and never followed.
    func copyUp(from source: Int, to destination: Int) throws(Errno) {
        // A reading descriptor of the covered directory: the target was opened as a place only.
        let directory = try OwnedFD.open(literal("."), [.read, .directory, .noFollow], at: source)
        try copyEntries(of: directory.number, to: destination, depth: 0)
    }

    private func copyEntries(of source: Int, to destination: Int, depth: Int) throws(Errno) {
        if depth > 64 { throw .nameTooLong }
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

    private func copyEntry(_ name: UnsafePointer<CChar>, from source: Int, to destination: Int, depth: Int) throws(Errno) {
        let status = try FileStatus.of(name, at: source)
        let address = Int(bitPattern: name)
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
            while try kernel(SystemCallNumber.sendfile, to.number, from.number, 0, 1 << 20) > 0 {}
        } else {
            let device = status.deviceMinor & 0xff | status.deviceMajor << 8 | (status.deviceMinor & ~0xff) << 12
            try kernel(SystemCallNumber.mknodat, destination, address, Int(status.mode), Int(device))
        }
        // AT_SYMLINK_NOFOLLOW 0x100. A change of owner clears the set-user bits, so they are set again.
        try kernel(SystemCallNumber.fchownat, destination, address, Int(status.uid), Int(status.gid), 0x100)
        if status.mode & 0o6000 != 0, status.isRegular {
            let file = try OwnedFD.open(name, [.read, .noFollow, .nonBlocking], at: destination)
            try kernel(SystemCallNumber.fchmod, file.number, Int(status.mode & 0o7777))
        }
    }
}

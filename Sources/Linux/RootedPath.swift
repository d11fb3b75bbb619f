/// Paths inside a directory that somebody else controls: resolved once, inside it, to a descriptor.
///
/// An image can hold any symbolic link, and its neighbours can change it at any time. So a path is used for one openat2(2), which
/// keeps the walk inside the root in the kernel, and from then on only the descriptor is used.

import CLinux

/// How openat2(2) resolves a path.
public struct ResolveFlags: OptionSet, Sendable {
    /// RESOLVE_* bits.
    public let rawValue: UInt64

    /// Makes flags of RESOLVE_* bits.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Absolute links and `..` stay inside the directory (RESOLVE_IN_ROOT).
    public static let inRoot = ResolveFlags(rawValue: UInt64(RESOLVE_IN_ROOT))
    /// Leaving the directory is an error (RESOLVE_BENEATH).
    public static let beneath = ResolveFlags(rawValue: UInt64(RESOLVE_BENEATH))
    /// No symbolic link is followed (RESOLVE_NO_SYMLINKS).
    public static let noSymlinks = ResolveFlags(rawValue: UInt64(RESOLVE_NO_SYMLINKS))
    /// No link of /proc that jumps elsewhere is followed (RESOLVE_NO_MAGICLINKS).
    public static let noMagicLinks = ResolveFlags(rawValue: UInt64(RESOLVE_NO_MAGICLINKS))
    /// Crossing into another mount is an error (RESOLVE_NO_XDEV).
    public static let noCrossing = ResolveFlags(rawValue: UInt64(RESOLVE_NO_XDEV))
}

extension OwnedFD {
    /// Opens a path below a directory.
    ///
    /// Source: openat2(2), Linux 5.6.
    ///
    /// - Throws: ``Errno/crossDevice`` where the walk would leave what `resolve` allows, ``Errno/loop`` for a link that may not be
    ///   followed.
    public static func open(
        _ path: CString, _ flags: OpenFlags, below directory: Int, resolve: ResolveFlags, mode: UInt32 = 0
    ) throws(Errno) -> OwnedFD {
        var how = open_how()
        how.flags = UInt64(UInt32(bitPattern: flags.rawValue | O_CLOEXEC))
        how.mode = UInt64(mode)
        how.resolve = resolve.rawValue
        // EAGAIN: a rename or mount happened anywhere on the system during a walk with "..". The kernel asks to try again.
        var attempts = 128
        while true {
            do {
                let result = try withUnsafeMutablePointer(to: &how) { pointer throws(Errno) in
                    try kernel(__NR_openat2, directory, path.address, Int(bitPattern: pointer), MemoryLayout<open_how>.size)
                }
                return OwnedFD(result)
            } catch {
                attempts -= 1
                if error != .again || attempts == 0 { throw error }
            }
        }
    }
}

/// A directory that is `/` to the paths resolved in it: a view of a descriptor that somebody else owns for longer.
public struct RootDirectory {
    /// The directory's descriptor.
    public let descriptor: Int

    /// Sees an open directory as a root.
    public init(_ descriptor: Int) { self.descriptor = descriptor }

    /// Opens a path as a place in the file system.
    ///
    /// - Throws: ``Errno/noEntry`` if nothing is there.
    public func resolve(_ path: CString, _ flags: OpenFlags = .path) throws(Errno) -> OwnedFD {
        try OwnedFD.open(path, flags, below: descriptor, resolve: [.inRoot, .noMagicLinks])
    }

    /// Opens the directory that holds a path's last component, made if missing, and says what that component is called.
    ///
    /// - Throws: ``Errno/loop`` where a component is a symbolic link and `followLinks` is false.
    public func parent(
        of path: CString, name: inout PathBuffer, followLinks: Bool = true, directoryMode: UInt32 = 0o755
    ) throws(Errno) -> OwnedFD {
        var directory = PathBuffer()
        try PathBuffer.split(path, directory: &directory, name: &name)
        if name.isEmpty || name.isDots { throw .invalidArgument }
        return try makeDirectories(directory.cString, mode: directoryMode, followLinks: followLinks)
    }

    /// Opens a path for a mount, made as an empty file or directory if it is missing.
    public func mountPoint(_ path: CString, isDirectory: Bool, noFollow: Bool) throws(Errno) -> OwnedFD {
        do {
            return try resolve(path, noFollow ? [.path, .noFollow] : .path)
        } catch {
            if error != .noEntry { throw error }
        }
        if isDirectory { return try makeDirectories(path, mode: 0o755) }
        return try makeFile(path)
    }

    /// Opens a directory, made if missing together with what is missing above it.
    ///
    /// Walks component by component, so that a dangling link in the image is followed inside the root as if its target existed.
    public func makeDirectories(_ path: CString, mode: UInt32, followLinks: Bool = true) throws(Errno) -> OwnedFD {
        do {
            let links: ResolveFlags = followLinks ? [] : .noSymlinks
            return try OwnedFD.open(
                path, [.path, .directory], below: descriptor, resolve: [.inRoot, .noMagicLinks, links])
        } catch {
            if error != .noEntry { throw error }
        }
        return try walk(path, leaf: .directory(mode), followLinks: followLinks)
    }

    /// Opens a new empty file, made together with what is missing above it; one that a dangling link leads to as well.
    func makeFile(_ path: CString) throws(Errno) -> OwnedFD {
        try walk(path, leaf: .file, followLinks: true)
    }

    /// A descriptor of the root that is the caller's own.
    public func duplicate() throws(Errno) -> OwnedFD {
        OwnedFD(try kernel(__NR_fcntl, descriptor, Int(F_DUPFD_CLOEXEC), 3))
    }

    private enum Leaf {
        case directory(UInt32)
        case file
    }

    private func walk(_ path: CString, leaf: Leaf, followLinks: Bool) throws(Errno) -> OwnedFD {
        // `done` exists; `rest` is still to be walked. A link found on the way goes in front of `rest`.
        var done = PathBuffer()
        var rest = PathBuffer()
        try rest.append(path)
        var here = try duplicate()
        var links = 0
        var name = PathBuffer()
        while rest.takeComponent(&name) {
            if name.isDot { continue }
            if name.isDotDot {
                done.removeLastComponent()
                here = try openDone(done)
                continue
            }
            let isLast = rest.isAtEnd
            do throws(Errno) {
                let next = try OwnedFD.open(name.cString, [.path, .noFollow], at: here.number)
                let status = try FileStatus.of(at: next.number)
                if !status.isLink {
                    if !isLast && !status.isDirectory { throw Errno.notDirectory }
                    here = next
                    try done.appendComponent(name.cString)
                    continue
                }
                links += 1
                if !followLinks || links > 40 { throw Errno.loop }
                var target = PathBuffer()
                try target.readLink(next.number)
                if target.isAbsolute {
                    done.clear()
                    here = try duplicate()
                }
                try rest.prepend(target)
                continue
            } catch {
                if error != .noEntry { throw error }
            }
            if isLast, case .file = leaf {
                let made = try OwnedFD.open(name.cString, [.write, .create, .exclusive, .noFollow], at: here.number, mode: 0o644)
                _ = consume made
                return try OwnedFD.open(name.cString, [.path, .noFollow], at: here.number)
            }
            var mode: UInt32 = 0o755
            if isLast, case .directory(let wanted) = leaf { mode = wanted }
            do { try kernel(__NR_mkdirat, here.number, name.cString.address, Int(mode)) } catch { if error != .exists { throw error } }
            here = try OwnedFD.open(name.cString, [.path, .directory, .noFollow], at: here.number)
            try done.appendComponent(name.cString)
        }
        return here
    }

    private func openDone(_ done: borrowing PathBuffer) throws(Errno) -> OwnedFD {
        if done.isEmpty { return try duplicate() }
        return try OwnedFD.open(done.cString, [.path, .directory], below: descriptor, resolve: [.inRoot, .noMagicLinks])
    }
}

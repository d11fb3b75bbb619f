/// Which directories are the container's own: those with the inode numbers that create noted.
///
/// A path can come to name another cgroup, when somebody removes the container's and makes one of the same name. The kernel gives no
/// inode number of a cgroup twice before the next boot.

import Linux

extension CgroupRecord {
    /// The record with the identities of its directories, which exist by now.
    public func identified() throws(CgroupError) -> CgroupRecord {
        var result = self
        result.inodes = []
        for path in paths {
            result.inodes.append(
                try attempt("look at the cgroup", path) { () throws(Errno) in try inode(path) ?? 0 })
        }
        return result
    }

    /// The record less the directories that have come to be others', which nobody may touch on the container's behalf.
    ///
    /// - Throws: Where a directory without a noted identity is the root of a hierarchy, or none of a hierarchy at all: a damaged record must not
    ///   end the host.
    func verified() throws(CgroupError) -> CgroupRecord {
        // Before the identities were noted: somebody else may have been first to make the cgroup.
        if inodes.isEmpty, let owner, let first = paths.first, let other = CgroupMarker.read(first), other != owner {
            return CgroupRecord()
        }
        var foreign: [String] = []
        for (index, path) in paths.enumerated() {
            guard let found = try attempt("look at the cgroup", path, { () throws(Errno) in try inode(path) }) else { continue }
            if index < inodes.count, inodes[index] != 0 {
                if found != inodes[index] { foreign.append(path) }
            } else {
                try Cgroup.checkIsBelowRoot(path)
            }
        }
        if foreign.isEmpty { return self }
        var result = self
        result.inodes = []
        for (index, path) in paths.enumerated() where index < inodes.count && !foreign.contains(path) {
            result.inodes.append(inodes[index])
        }
        result.paths = paths.filter { path in !foreign.contains(path) }
        result.created = created.filter { path in !foreign.contains(path) }
        if let unified, foreign.contains(unified) { result.unified = nil }
        if let freezer, foreign.contains(freezer) { result.freezer = nil }
        return result
    }
}

/// The inode number of what is at a path; nil where there is nothing.
private func inode(_ path: String) throws(Errno) -> UInt64? {
    do throws(Errno) {
        return try path.withPath { path throws(Errno) in try FileStatus.of(path, at: workingDirectory) }.inode
    } catch {
        if error == .noEntry { return nil }
        throw error
    }
}

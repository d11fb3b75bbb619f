/// Whose a cgroup is, where all can see it: an extended attribute with the path of the container's state directory.
///
/// A stopped container keeps its empty cgroup until delete, which ends whatever is in it by then. So nobody may take it meanwhile, and
/// state roots do not know of each other.

import CLinux
import Linux

/// The mark on the first of a container's directories.
enum CgroupMarker {
    /// What only the host's root can write, and no container can change; and what cgroup v2 lets its owner write.
    ///
    /// Source: xattr(7).
    private static let names: [StaticString] = ["trusted.swoci.container", "user.swoci.container"]

    /// Marks a cgroup that has no mark.
    ///
    /// - Returns: Whether it is nobody else's: one that cannot be marked at all has no protection but being in use.
    static func set(_ owner: String, on directory: String) -> Bool {
        let onlyNew = 1  // XATTR_CREATE
        for name in names {
            do throws(Errno) {
                try directory.withPath { directory throws(Errno) in
                    try owner.withPath { owner throws(Errno) in
                        _ = try kernel(
                            __NR_setxattr, directory.address, literal(name).address, owner.address, length(owner), onlyNew)
                    }
                }
                return true
            } catch { if error == .exists { return false } }
        }
        return true
    }

    /// Takes a container's mark away, if it is that.
    static func remove(_ owner: String, from directory: String) {
        guard read(directory) == owner else { return }
        for name in names {
            _ = try? directory.withPath { path throws(Errno) in try kernel(__NR_removexattr, path.address, literal(name).address) }
        }
    }

    /// The container whose mark a cgroup has.
    static func read(_ directory: String) -> String? {
        // PATH_MAX
        var buffer = [UInt8](repeating: 0, count: 4096)
        for name in names {
            let count = buffer.withUnsafeMutableBufferPointer { buffer in
                try? directory.withPath { path throws(Errno) in
                    try kernel(__NR_getxattr, path.address, literal(name).address, Int(bitPattern: buffer.baseAddress), buffer.count)
                }
            }
            if let count { return String(decoding: buffer[..<count], as: UTF8.self) }
        }
        return nil
    }

    private static func length(_ text: CString) -> Int {
        var count = 0
        while text[count] != 0 { count += 1 }
        return count
    }
}

extension Cgroup {
    /// Takes a directory that is there already, if a container can live in it alone and it is nobody's (CG-02).
    static func take(_ place: CgroupPlan.Place, of plan: CgroupPlan, _ record: inout CgroupRecord) throws(CgroupError) {
        let directory = place.directory
        let isFirst = directory == plan.places[0].directory
        if record.created.contains(directory) {
            // Made since the look at the host. Who is first in the first hierarchy makes it in all.
            record.created.removeAll { isFirst ? record.paths.contains($0) : $0 == directory }
            if isFirst { throw CgroupError("take the cgroup", directory, problem: "another call has made it meanwhile") }
        }
        if isFirst { try checkIsNobodys(directory, record) }
        try checkIsFit(place)
        guard isFirst, let owner = record.owner else { return }
        if !CgroupMarker.set(owner, on: directory), CgroupMarker.read(directory) != owner {
            throw CgroupError("take the cgroup", directory, problem: "another call has taken it meanwhile")
        }
    }

    /// Refuses a cgroup of another container that is still there: deleting that one would end who takes it.
    private static func checkIsNobodys(_ directory: String, _ record: CgroupRecord) throws(CgroupError) {
        guard let other = CgroupMarker.read(directory), other != record.owner else { return }
        guard exists(other) else { return CgroupMarker.remove(other, from: directory) }
        throw CgroupError(
            "take the cgroup", directory, problem: "it is the cgroup of the container whose state is in \(other)",
            hint: "give linux.cgroupsPath another value, or delete that container")
    }
}

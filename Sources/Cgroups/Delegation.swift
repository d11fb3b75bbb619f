/// Giving a container's v2 cgroup to the user of its processes, so that it can make cgroups of its own.
///
/// Whether a container gets it is the caller's rule (CG-06): on cgroup v2, with a cgroup namespace of its own and a writable cgroup
/// mount. What is given is decided here.

import CLinux
import Linux

extension Cgroup {
    /// Changes the owner of the cgroup's directory and of the files that the kernel lists for delegation, and of nothing else.
    ///
    /// - Source: config-linux.md#cgroup-ownership; cgroups(7), /sys/kernel/cgroup/delegate; row CG-07.
    public static func delegate(_ directory: String, toUser uid: UInt32) throws(CgroupError) {
        var names = ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]
        if let listed = try? readText("/sys/kernel/cgroup/delegate") { names = split(listed, "\n") }
        for path in [directory] + names.map({ name in directory + "/" + name }) {
            do throws(Errno) { try changeOwner(of: path, to: uid) } catch {
                // Files of controllers that are not enabled.
                if error == .noEntry && path != directory { continue }
                throw CgroupError("change the owner", path, error, value: "\(uid)")
            }
        }
    }

    private static func changeOwner(of path: String, to uid: UInt32) throws(Errno) {
        // -1: the group stays.
        try path.withPath { path throws(Errno) in
            _ = try kernel(__NR_fchownat, workingDirectory, path.address, Int(uid), -1, 0)
        }
    }
}

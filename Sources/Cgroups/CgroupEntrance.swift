/// The way into the v1 hierarchies that a single-threaded process takes by itself.
///
/// Moving another process by `cgroup.procs` makes the kernel wait until no task of the host is in the middle of a fork or an exit,
/// which takes milliseconds. A thread that writes 0 to `tasks` moves only itself, and nothing has to wait (Linux 5.16, cgroup_attach_lock).

import CLinux
public import Linux

/// The open `tasks` files of a container's v1 cgroups, with `cgroup.procs` for v2.
public struct CgroupEntrance: ~Copyable {
    private let descriptors: [Int32]
    private let paths: [String]

    /// Opens the way into the container's cgroups.
    ///
    /// - Parameter skippingUnified: Leaves cgroup v2 out, for a process that is cloned into it.
    public init(_ record: CgroupRecord, skippingUnified: Bool) throws(CgroupError) {
        var descriptors: [Int32] = []
        var paths: [String] = []
        for path in record.paths {
            let isUnified = path == record.unified
            if isUnified && skippingUnified { continue }
            let file = path + (isUnified ? "/cgroup.procs" : "/tasks")
            do throws(Errno) { descriptors.append(try OwnedFD.open(file, .write).release()) } catch {
                for descriptor in descriptors { kernelIgnoringFailure(__NR_close, Int(descriptor)) }
                throw CgroupError("open", file, error)
            }
            paths.append(file)
        }
        self.descriptors = descriptors
        self.paths = paths
    }

    deinit {
        for descriptor in descriptors { kernelIgnoringFailure(__NR_close, Int(descriptor)) }
    }

    /// Moves the calling thread into every cgroup.
    ///
    /// Takes no memory, so that it may run in a new child.
    ///
    /// - Returns: nil, or which file refused and why: see ``path(of:)``.
    public borrowing func enter() -> (index: Int, errno: Errno)? {
        descriptors.withUnsafeBufferPointer { descriptors in
            for index in descriptors.indices {
                let zero = literal("0").address
                do throws(Errno) { try kernel(__NR_write, Int(descriptors[index]), zero, 1) } catch { return (index, error) }
            }
            return nil
        }
    }

    /// The file that an index of ``enter()`` means.
    public borrowing func path(of index: Int) -> String { paths[index] }
}

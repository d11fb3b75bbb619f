/// The pause and resume operations: a container's processes stand still, and go on.

import Cgroups
import Spec

extension StateStore {
    /// Freezes all processes of a running container, and returns when they stand still.
    ///
    /// Takes the lock, so that a container that is about to be deleted is not frozen meanwhile.
    /// - Source: row CG-10.
    public func pause(_ id: ContainerID) throws(Failure) {
        var entry = try find(id)
        guard try entry.lock() else { throw Failure("pause the container", id.name, kind: .notFound) }
        let record = try entry.readRecord()
        guard let record, try entry.status(record) == .running else { throw Failure("pause the container", id.name, kind: .notRunning) }
        guard !record.cgroup.paths.isEmpty else {
            throw Failure(
                "pause the container", id.name, detail: "it has no cgroup of its own, and only a cgroup can be frozen",
                hint: "an ordinary user gets one in a cgroup of the user manager: systemd-run --user --scope")
        }
        do throws(CgroupError) { try Cgroup.freeze(record.cgroup) } catch { throw Failure(error) }
    }

    /// Lets the processes of a paused container go on.
    public func resume(_ id: ContainerID) throws(Failure) {
        var entry = try find(id)
        guard try entry.lock() else { throw Failure("resume the container", id.name, kind: .notFound) }
        let record = try entry.readRecord()
        guard let record, try entry.status(record) == .paused else { throw Failure("resume the container", id.name, kind: .notPaused) }
        do throws(CgroupError) { try Cgroup.thaw(record.cgroup) } catch { throw Failure(error) }
    }
}

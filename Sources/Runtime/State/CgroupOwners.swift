/// Whose cgroup is it: a cgroup that another container's record names cannot be taken, not even while it is empty.
///
/// Deleting that container would end the processes of the one that took it.

import Cgroups

extension StateStore {
    /// Refuses a container a cgroup that is another's.
    ///
    /// Only where a cgroup was there before the container can it be another's, so the others' records are read in that rare case alone.
    /// - Source: row CG-02.
    func refuseCgroupOfOther(_ record: Record) throws(Failure) {
        let taken = record.cgroup.paths.filter { path in !record.cgroup.created.contains(path) }
        if taken.isEmpty { return }
        for id in try ids() where id != record.id {
            guard let other = try open(id)?.readRecord(), let path = taken.first(where: { other.cgroup.paths.contains($0) }) else {
                continue
            }
            throw Failure(
                "take the cgroup", path, detail: "it is the cgroup of container \(id.name)",
                hint: "give linux.cgroupsPath another value, or delete that container")
        }
    }
}

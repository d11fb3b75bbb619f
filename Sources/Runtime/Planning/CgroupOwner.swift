/// Who may make cgroups inside the container: the user of its process, where the config shows that it is to have a tree of its own.

import Spec

extension Config {
    /// The host's id of the user who gets the container's cgroup; nil: it stays the runtime's.
    ///
    /// That needs cgroup v2, whose subtrees are safe to give away, a new cgroup namespace, and a cgroup mount that can be written to.
    /// In a user namespace that is joined nobody knows here who the user is on the host.
    /// - Source: config-linux.md#cgroup-ownership; row CG-06.
    func cgroupOwner(isCgroupV2: Bool) -> UInt32? {
        guard isCgroupV2, let namespace = linux.namespace(.cgroup), namespace.path == nil else { return nil }
        guard let user = process?.user.uid.value else { return nil }
        let isWritable = mounts.contains { mount in
            mount.source?.value == "cgroup" && cleanPath(mount.destination.value) == "/sys/fs/cgroup"
                && !MountOptions(mount.options).isReadOnly
        }
        guard isWritable else { return nil }
        guard let users = linux.namespace(.user) else { return user }
        return users.path == nil ? hostID(user, in: linux.uidMappings) : nil
    }
}

/// The namespace steps: joining what exists, being born into what is new.

import Linux
import Plan

extension Executor {
    func joinNamespace(_ step: JoinNamespace) throws(Errno) {
        let namespace = OwnedFD(Int32(bitPattern: step.descriptor))
        try Linux.joinNamespace(namespace.number, type: UInt64(step.type))
    }

    /// Makes a time namespace and sets its clocks while nobody is in it: the first process inside freezes them.
    ///
    /// Source: time_namespaces(7).
    func offsetClocks(_ step: OffsetClocks) throws(Errno) {
        try unshare(NamespaceFlag.time)
        if step.lines.count == 0 { return }
        let file = try OwnedFD.open(literal("/proc/self/timens_offsets"), .write)
        // PROC_SUPER_MAGIC: the host's own procfs, not something mounted over it.
        if try fileSystemMagic(file.number) != 0x9fa0 { throw .invalidArgument }
        _ = try file.write(plan.cString(step.lines), count: Int(step.lines.count))
    }

    /// Goes on in a child that is born into new namespaces, as the runtime's child like this process, which ends.
    func enterNewNamespaces(_ step: EnterNewNamespaces) throws(Errno) {
        var options = CloneOptions(flags: step.flags)
        options.asSibling = true
        let cloned = try cloneProcess(options)
        if !cloned.isChild { exitProcess(0) }
        // The new process is dumpable as this one is: not. Its id reaches the runtime as the packet's credentials.
        try channel.send(Message(.cloned, value: step.awaitsMappings))
        if !channel.awaitWord(.proceed) { exitProcess(InitStatus.failed) }
    }

    /// Takes over the ids of the user namespace's root, which own what this process makes from now on.
    func becomeRoot() throws(Errno) {
        do { try setGroups(emptyPath, count: 0) } catch {
            // An unprivileged user namespace forbids setgroups(2); the groups then stay those of the caller, as they must.
            if error != .notPermitted { throw error }
        }
        try setGroupID(0)
        try setUserID(0)
        try stopKeepingCapabilities()
        // A change of user makes the process undumpable unless /proc/sys/fs/suid_dumpable says otherwise.
        try setDumpable(false)
    }

    /// Joins a new session keyring, so that the container does not see the caller's keys.
    ///
    /// Source: keyctl(2).
    func joinSessionKeyring(_ name: UnsafePointer<CChar>) throws(Errno) {
        do {
            try kernel(SystemCallNumber.keyctl, 1, Int(bitPattern: name))
        } catch {
            // A kernel without keyrings has none to share.
            if error != .notImplemented { throw error }
        }
    }

    func setName(_ call: Int32, _ name: Text) throws(Errno) {
        try kernel(call, Int(bitPattern: plan.cString(name)), Int(name.count))
    }
}

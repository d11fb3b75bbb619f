/// The namespace steps: joining what exists, being born into what is new.

import Linux
import Plan

extension Executor {
    /// Joins one namespace, or several of a process at once: the kernel then takes the user namespace first, but with the rights that this
    /// process had before (setns(2), Linux 5.8).
    mutating func joinNamespace(_ step: JoinNamespace) throws(Errno) {
        let namespace = OwnedFD(Int32(bitPattern: step.descriptor))
        forgetProcfs()
        try Linux.joinNamespace(namespace.number, type: UInt64(step.type))
        // New credentials restore /proc/sys/fs/suid_dumpable, which may say "dumpable".
        try setDumpable(false)
        if UInt64(step.type) & NamespaceFlag.mount != 0, root < 0 {
            root = try OwnedFD.open(literal("/"), [.path, .directory]).release()
        }
    }

    /// Closes a procfs opened so far: it shows another PID namespace's processes.
    private mutating func forgetProcfs() {
        if procfs >= 0 { _ = OwnedFD(procfs) }
        procfs = -1
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
    mutating func enterNewNamespaces(_ step: EnterNewNamespaces) throws(Errno) {
        var options = CloneOptions(flags: step.flags)
        options.asSibling = true
        let cloned = try cloneProcess(options)
        if !cloned.isChild { exitProcess(0) }
        forgetProcfs()
        // The new process is dumpable as this one is: not. While the runtime writes its mappings it has to be (see `main`).
        if step.awaitsMappings != 0 { try setDumpable(true) }
        // Its id reaches the runtime as the packet's credentials.
        try channel.send(Message(.cloned, value: step.awaitsMappings))
        if !channel.awaitWord(.proceed) { exitProcess(InitStatus.failed) }
        if step.awaitsMappings != 0 { try setDumpable(false) }
    }

    /// Takes over ids of the user namespace, its root's or another's, which own what this process makes from now on.
    func become(uid: UInt32, gid: UInt32) throws(Errno) {
        do { try setGroups(emptyPath, count: 0) } catch {
            // An unprivileged user namespace forbids setgroups(2); the groups then stay those of the caller, as they must.
            if error != .notPermitted { throw error }
        }
        try setGroupID(gid)
        try setUserID(uid)
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

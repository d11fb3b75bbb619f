/// Files of procfs, through an instance of the container's namespaces that no image or neighbour can mount over.

import Linux
import Plan

extension Executor {
    /// The descriptor of a procfs of this process's own.
    @discardableResult
    mutating func openProcfs() throws(Errno) -> Int {
        if procfs >= 0 { return Int(procfs) }
        do throws(Errno) {
            let context = try FilesystemContext(type: literal("proc"))
            let tree = try context.mount(attributes: MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec)
            procfs = tree.release()
        } catch {
            // A user namespace whose host covers parts of /proc may not mount one. Its visible one then has to do; RESOLVE_NO_XDEV and
            // the check below keep it honest.
            if error != .notPermitted { throw error }
            let directory = try OwnedFD.open(literal("/proc"), [.path, .directory])
            if try fileSystemMagic(directory.number) != 0x9fa0 { throw error }
            procfs = directory.release()
        }
        return Int(procfs)
    }

    /// Writes a value to a file below a procfs path, in one write.
    private mutating func write(_ value: UnsafePointer<CChar>, count: Int, to path: UnsafePointer<CChar>) throws(Errno) {
        let file = try OwnedFD.open(
            path, .write, below: try openProcfs(), resolve: [.beneath, .noSymlinks, .noMagicLinks, .noCrossing])
        if try file.write(value, count: count) != count { throw .inputOutput }
    }

    mutating func setSysctl(_ step: SetSysctl) throws(Errno) {
        var path = PathBuffer()
        try path.append(literal("sys/"))
        try path.append(plan.cString(step.path))
        try write(plan.cString(step.value), count: Int(step.value.count), to: path.cString)
    }

    /// Names the label that the next execve takes on, or that keys made until then get.
    ///
    /// Rows P-14, P-15.
    mutating func setExecLabel(_ step: SetExecLabel) throws(Errno) {
        if step.module == SetExecLabel.Module.appArmor.rawValue {
            return try tellAppArmor(literal("exec "), step.label, attribute: literal("exec"))
        }
        var path = PathBuffer()
        try appendOwnDirectory(&path)
        try path.append(literal(step.module == SetExecLabel.Module.keys.rawValue ? "/attr/keycreate" : "/attr/exec"))
        try write(plan.cString(step.label), count: Int(step.label.count), to: path.cString)
    }

    /// Gives this process an SELinux label at once, if the policy has a dynamic transition for it (setcon(3)).
    mutating func takeLabel(_ label: Text) -> Bool {
        var path = PathBuffer()
        do throws(Errno) {
            try appendOwnDirectory(&path)
            try path.append(literal("/attr/current"))
            try write(plan.cString(label), count: Int(label.count), to: path.cString)
            return true
        } catch { return false }
    }

    /// Puts this process into an AppArmor profile at once.
    mutating func changeProfile(_ profile: Text) throws(Errno) {
        try tellAppArmor(literal("changeprofile "), profile, attribute: literal("current"))
    }

    /// Source: aa_change_onexec(2), aa_change_profile(2).
    private mutating func tellAppArmor(
        _ command: UnsafePointer<CChar>, _ profile: Text, attribute: UnsafePointer<CChar>
    ) throws(Errno) {
        var value = PathBuffer()
        try value.append(command)
        try value.append(plan.cString(profile))
        var path = PathBuffer()
        try appendOwnDirectory(&path)
        try path.append(literal("/attr/apparmor/"))
        try path.append(attribute)
        do { return try write(value.cString, count: value.count, to: path.cString) } catch {
            // Before Linux 5.8 there is only the file that one security module has to itself.
            if error != .noEntry { throw error }
        }
        path.clear()
        try appendOwnDirectory(&path)
        try path.append(literal("/attr/"))
        try path.append(attribute)
        try write(value.cString, count: value.count, to: path.cString)
    }

    /// The process's own directory, by number: "self" is a link.
    private func appendOwnDirectory(_ path: inout PathBuffer) throws(Errno) {
        try path.append(number: Int(ownProcessID()))
    }
}

/// The steps that give the payload's process its identity and its limits. Rows P.

import Linux
import Plan

extension Executor {
    func setScheduler(_ step: SetScheduler) throws(Errno) {
        var attributes = SchedulerAttributes(step)
        try withUnsafeMutablePointer(to: &attributes) { pointer throws(Errno) in
            _ = try kernel(SystemCallNumber.schedSetattr, 0, Int(bitPattern: pointer), 0)
        }
    }

    func setIOPriority(_ step: SetIOPriority) throws(Errno) {
        // IOPRIO_WHO_PROCESS 1, this process.
        try kernel(SystemCallNumber.ioprioSet, 1, 0, Int(step.value))
    }

    func setMemoryPolicy(_ step: SetMemoryPolicy) throws(Errno) {
        let bits = Int(step.mask.count) * 8
        // The kernel reads one bit less than it is told (set_mempolicy(2), "maxnode").
        let mask = bits == 0 ? 0 : Int(bitPattern: plan.cString(step.mask))
        try kernel(SystemCallNumber.setMempolicy, Int(step.mode), mask, bits == 0 ? 0 : bits + 1)
    }

    /// Takes on the user's ids.
    ///
    /// The permitted capabilities are kept for ``setCapabilities(_:)``.
    func setUser(_ step: SetUser) throws(Errno) {
        giveStandardStreams(to: step.uid)
        try setKeepCapabilities(true)
        if step.skipsGroups == 0 { try setGroups(plan.cString(step.groups), count: Int(step.groups.count / 4)) }
        try setGroupID(step.gid)
        try setUserID(step.uid)
        try setKeepCapabilities(false)
        // A change of user restores /proc/sys/fs/suid_dumpable, which may say "dumpable".
        try setDumpable(false)
    }

    /// Makes the user own stdin, stdout and stderr, so that it can open /dev/stdout where that is a pipe or a file of the caller's.
    ///
    /// As runc and crun have it: /dev/null and what cannot be given away (an unmapped owner, a read-only file system) stay as they are.
    private func giveStandardStreams(to uid: UInt32) {
        for descriptor in 0...2 {
            guard let status = try? FileStatus.of(at: descriptor), status.uid != uid, !status.isCharacterDevice(1, 3) else { continue }
            // AT_EMPTY_PATH 0x1000; the group stays.
            kernelIgnoringFailure(
                SystemCallNumber.fchownat, descriptor, Int(bitPattern: emptyPath), Int(uid), Int(UInt32.max), 0x1000)
        }
    }

    func setCapabilities(_ step: SetCapabilities) throws(Errno) {
        try Linux.setCapabilities(effective: step.effective, permitted: step.permitted, inheritable: step.inheritable)
        try setAmbientCapabilities(step.ambient)
    }

    /// Enters the working directory.
    ///
    /// The first try has the rights from before the change of user, the last one the payload's: either may be the one that can enter.
    mutating func changeDirectory(_ path: UnsafePointer<CChar>) throws(Errno) {
        do {
            try kernel(SystemCallNumber.chdir, Int(bitPattern: path))
        } catch {
            if error == .accessDenied, hasEnteredDirectory { return }
            if error == .accessDenied, isBeforeUserChange {
                isBeforeUserChange = false
                return
            }
            detail = Detail(reason: .workingDirectory, text: path)
            throw error
        }
        isBeforeUserChange = false
        hasEnteredDirectory = true
        // A directory outside the root has a path that begins with "(unreachable)" (getcwd(2)).
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: 4096)
        defer { buffer.deallocate() }
        let count = try kernel(SystemCallNumber.getcwd, Int(bitPattern: buffer), 4096)
        if count < 2 || buffer[0] != 47 {
            detail = Detail(reason: .workingDirectory, text: path)
            throw .noEntry
        }
    }

    /// Finds the user's home directory in the container's /etc/passwd; "/" without an entry.
    ///
    /// Row P-07.
    mutating func setHome(uid: UInt32) throws(Errno) {
        let result = UnsafeMutablePointer<CChar>.allocate(capacity: 4096)
        let prefix = literal("HOME=")
        for index in 0..<5 { result[index] = prefix[index] }
        result[5] = 47
        result[6] = 0
        home = UnsafePointer(result)
        guard let file = try? rootDirectory.resolve(literal("/etc/passwd"), [.read, .nonBlocking]) else { return }
        guard try FileStatus.of(at: file.number).isRegular else { return }
        let size = min(try fileSize(file.number), 1 << 20)
        if size == 0 { return }
        let bytes = try mapFile(file.number, count: size)
        PasswordFile(bytes, count: size).copyHome(of: uid, to: result + 5, capacity: 4000)
        unmap(bytes, count: size)
    }
}

/// The kernel's struct sched_attr (sched_setattr(2)), 48 bytes: the first version, which every kernel takes.
private struct SchedulerAttributes {
    var size: UInt32 = 48
    var policy: UInt32
    var flags: UInt64
    var nice: Int32
    var priority: UInt32
    var runtime: UInt64
    var deadline: UInt64
    var period: UInt64

    init(_ step: SetScheduler) {
        policy = step.policy
        flags = step.flags
        nice = Int32(bitPattern: step.nice)
        priority = step.priority
        runtime = step.runtime
        deadline = step.deadline
        period = step.period
    }
}

/// An /etc/passwd file's bytes.
///
/// Source: passwd(5).
private struct PasswordFile {
    let bytes: UnsafeRawPointer
    let count: Int

    init(_ bytes: UnsafeRawPointer, count: Int) {
        self.bytes = bytes
        self.count = count
    }

    private func byte(_ index: Int) -> UInt8 { bytes.load(fromByteOffset: index, as: UInt8.self) }

    /// Copies the home directory of the first entry with that user id: name:password:uid:gid:comment:home:shell.
    func copyHome(of uid: UInt32, to result: UnsafeMutablePointer<CChar>, capacity: Int) {
        var at = 0
        while at < count {
            var field = 0
            var number: UInt64? = 0
            var length = 0
            var isMatch = false
            while at < count, byte(at) != 10 {
                let here = byte(at)
                at += 1
                if here == 58 {
                    if field == 2 { isMatch = length > 0 && number == UInt64(uid) }
                    field += 1
                    length = 0
                    continue
                }
                length += 1
                if field == 2 {
                    number = here >= 48 && here <= 57 ? number.map { $0 &* 10 &+ UInt64(here - 48) } : nil
                } else if field == 5, isMatch, length < capacity {
                    result[length - 1] = CChar(bitPattern: here)
                    result[length] = 0
                }
            }
            if isMatch { return }
            at += 1
        }
    }
}

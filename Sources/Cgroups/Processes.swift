/// The processes of a container's cgroup and of the cgroups below it.

import CLinux
import Linux

extension Cgroup {
    /// All processes of the container, each once.
    ///
    /// - Source: cgroups(7), cgroup.procs.
    public static func pids(_ record: CgroupRecord) throws(CgroupError) -> [Int32] {
        let record = try record.verified()
        guard let path = record.unified ?? record.freezer ?? record.paths.first else { return [] }
        return try processes(below: path)
    }

    /// The processes of a cgroup and of all cgroups below it.
    ///
    /// None where there is no such cgroup.
    static func processes(below directory: String) throws(CgroupError) -> [Int32] {
        var result: [Int32] = []
        var waiting = [directory]
        while let path = waiting.popLast() {
            do throws(Errno) {
                result += try processes(of: path)
                for name in try subdirectories(of: path) { waiting.append(path + "/" + name) }
            } catch {
                // ENODEV: removed between open and read.
                if error != .noEntry && error != .noDevice { throw CgroupError("list the processes of the cgroup", path, error) }
            }
        }
        return result
    }

    /// The processes of one cgroup.
    static func processes(of directory: String) throws(Errno) -> [Int32] {
        do throws(Errno) {
            // 0 stands for a process of a PID namespace out of sight.
            return split(try readLongText(directory + "/cgroup.procs"), "\n").compactMap { Int32($0) }.filter { $0 > 0 }
        } catch {
            // A threaded cgroup: its processes are listed where its threaded domain starts.
            if error == .notSupported { return [] }
            throw error
        }
    }

    /// Pids for a sentence, not more than one can read.
    static func list(_ pids: [Int32]) -> String {
        let text = pids.prefix(16).map { "\($0)" }.joined(separator: ", ")
        return pids.count > 16 ? text + ", ..." : text
    }

    /// Sends a signal to all processes of the container.
    ///
    /// They are frozen meanwhile, so that none can fork away and no pid can come to mean another process. SIGKILL wakes a paused
    /// container; after any other signal it is paused as before.
    /// - Parameter supervisor: A process that passes signals on to another one of them, which is to get each once; only SIGKILL is for it.
    /// - Source: cgroups(7), cgroup.kill (Linux 5.14).
    public static func killAll(_ record: CgroupRecord, signal: Int32, supervisor: Int32? = nil) throws(CgroupError) {
        let record = try record.verified()
        let isKill = signal == 9
        if isKill, let unified = record.unified {
            if (try? writeText("1", to: unified + "/cgroup.kill")) != nil {
                thawForDeath(record)
                return
            }
        }
        let wasFrozen = try isFrozen(record)
        if !wasFrozen {
            // A cgroup that cannot be frozen in time still gets its signals: the caller repeats SIGKILL until it is empty.
            try? freeze(record, within: 100_000_000)
        }
        let result: Errno?
        do throws(CgroupError) {
            result = signalEach(try pids(record).filter { isKill || $0 != supervisor }, signal)
        } catch {
            if !wasFrozen || isKill { try? thaw(record) }
            throw error
        }
        if !wasFrozen || isKill { try thaw(record) }
        if isKill { thawForDeath(record) }
        if let result { throw CgroupError("signal the processes of the cgroup", record.paths.first ?? "", result, value: "\(signal)") }
    }

    private static func signalEach(_ pids: [Int32], _ signal: Int32) -> Errno? {
        var failure: Errno?
        for pid in pids {
            do throws(Errno) { try kernel(__NR_kill, Int(pid), Int(signal)) } catch {
                if error != .noProcess { failure = error }
            }
        }
        return failure
    }

    /// Lets processes that a v1 freezer holds receive their SIGKILL, also those that the container has frozen itself.
    ///
    /// A frozen v2 cgroup does not keep them from it.
    private static func thawForDeath(_ record: CgroupRecord) {
        guard let freezer = record.freezer else { return }
        var waiting = [freezer]
        while let path = waiting.popLast() {
            try? writeText("THAWED", to: path + "/freezer.state")
            for name in (try? subdirectories(of: path)) ?? [] { waiting.append(path + "/" + name) }
        }
    }
}

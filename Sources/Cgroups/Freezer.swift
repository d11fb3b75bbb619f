/// Freezing and thawing a container: cgroup v2's `cgroup.freeze` or v1's freezer controller (CG-10).

import CLinux
import Linux

extension Cgroup {
    /// Freezes all processes of the container and waits until they stand still.
    ///
    /// Where that fails they run again.
    ///
    /// Beside v1 hierarchies the one of v2 is used as well: its freezer does not hold SIGKILL back.
    /// - Throws: After the time is over, an error that names the processes.
    public static func freeze(_ record: CgroupRecord, within nanoseconds: Int64 = 2_000_000_000) throws(CgroupError) {
        let deadline = monotonicTime() + nanoseconds
        let record = try record.verified()
        do throws(CgroupError) {
            if let unified = record.unified, exists(unified + "/cgroup.freeze") {
                try freezeUnified(unified, until: deadline)
            } else if let freezer = record.freezer {
                try freezeV1(freezer, until: deadline)
            } else {
                throw CgroupError(
                    "freeze the cgroup", record.paths.first ?? "", problem: "this host has no cgroup freezer",
                    hint: "needs Linux 5.2 with cgroup v2, or the v1 controller freezer")
            }
        } catch {
            try? thaw(record)
            throw error
        }
    }

    /// Lets all processes of the container run again, whichever freezer holds them.
    public static func thaw(_ record: CgroupRecord) throws(CgroupError) {
        let record = try record.verified()
        if let unified = record.unified { try thaw(unified + "/cgroup.freeze", "0") }
        if let freezer = record.freezer { try thaw(freezer + "/freezer.state", "THAWED") }
    }

    private static func thaw(_ file: String, _ value: String) throws(CgroupError) {
        do throws(Errno) { try writeText(value, to: file) } catch {
            // Without the file there is nothing frozen; ENODEV: the cgroup was removed meanwhile.
            if error != .noEntry && error != .noDevice { throw CgroupError("thaw the cgroup", file, error, value: value) }
        }
    }

    /// Whether the container is frozen, or told to be.
    ///
    /// A cgroup that is gone is not.
    public static func isFrozen(_ record: CgroupRecord) throws(CgroupError) -> Bool {
        if let unified = record.unified, try isFrozen(directory: unified, isUnified: true) { return true }
        if let freezer = record.freezer, try isFrozen(directory: freezer, isUnified: false) { return true }
        return false
    }

    /// Whether one cgroup is told to be frozen.
    static func isFrozen(directory: String, isUnified: Bool) throws(CgroupError) -> Bool {
        let file = directory + (isUnified ? "/cgroup.freeze" : "/freezer.state")
        do throws(Errno) {
            let state = try readText(file)
            return state == "1" || state == "FROZEN" || state == "FREEZING"
        } catch {
            if error == .noEntry || error == .noDevice { return false }
            throw CgroupError("read", file, error)
        }
    }

    private static func freezeUnified(_ directory: String, until deadline: Int64) throws(CgroupError) {
        let events = directory + "/cgroup.events"
        do throws(Errno) {
            let file = try OwnedFD.open(events, .read)
            try writeText("1", to: directory + "/cgroup.freeze")
            while true {
                if try file.event("frozen") { return }
                let left = deadline - monotonicTime()
                if left <= 0 { break }
                waitForChange(of: file, nanoseconds: left)
            }
        } catch {
            throw CgroupError("freeze the cgroup", directory + "/cgroup.freeze", error)
        }
        throw stuck(directory)
    }

    private static func freezeV1(_ directory: String, until deadline: Int64) throws(CgroupError) {
        let file = directory + "/freezer.state"
        var wait: Int64 = 50_000
        var round = 0
        do throws(Errno) {
            while true {
                // Writing it again catches tasks that were made meanwhile.
                try writeText("FROZEN", to: file)
                if try readText(file) == "FROZEN" { return }
                if deadline <= monotonicTime() { break }
                round += 1
                // FREEZING can stick for ever on a task in the middle of a vfork; thawing lets it pass.
                if round % 16 == 0 { try writeText("THAWED", to: file) }
                pause(nanoseconds: wait)
                wait = min(wait * 2, 10_000_000)
            }
        } catch {
            throw CgroupError("freeze the cgroup", file, error)
        }
        throw stuck(directory)
    }

    private static func stuck(_ directory: String) -> CgroupError {
        let inside = (try? processes(below: directory)) ?? []
        return CgroupError(
            "freeze the cgroup", directory, problem: "processes did not stand still in time", value: describe(inside),
            hint: "a process in an uninterruptible system call cannot be frozen")
    }
}

extension OwnedFD {
    /// Whether a flag of this cgroup.events is set.
    ///
    /// Reads it anew, which also makes it ready for the next wait.
    borrowing func event(_ name: String) throws(Errno) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 256)
        let descriptor = number
        let count = try buffer.withUnsafeMutableBufferPointer { buffer throws(Errno) in
            try kernel(__NR_pread64, descriptor, Int(bitPattern: buffer.baseAddress), buffer.count, 0)
        }
        let lines = split(String(decoding: buffer.prefix(count), as: UTF8.self), "\n")
        return lines.contains(name + " 1")
    }
}

/// Waiting until a cgroup has no process any more, woken by the kernel: by cgroup.events of v2, by pidfds for v1.

import CLinux
import Linux

extension Cgroup {
    /// Waits until nothing lives in these directories, or the time is over.
    ///
    /// Processes that are made meanwhile are not waited for: the caller looks again.
    static func waitUntilEmpty(_ paths: [String], _ record: CgroupRecord, until deadline: Int64) throws(CgroupError) {
        for path in paths {
            if path == record.unified { waitUntilUnpopulated(path, until: deadline) }
            for pid in try processes(below: path) { waitForEnd(of: pid, until: deadline) }
        }
    }

    /// Waits until a v2 cgroup says that it has no process any more.
    private static func waitUntilUnpopulated(_ directory: String, until deadline: Int64) {
        guard let file = try? OwnedFD.open(directory + "/cgroup.events", .read) else { return }
        while let isPopulated = try? file.event("populated"), isPopulated {
            let left = deadline - monotonicTime()
            if left <= 0 { return }
            waitForChange(of: file, nanoseconds: left)
        }
    }

    private static func waitForEnd(of pid: Int32, until deadline: Int64) {
        guard let process = try? OwnedFD(kernel(__NR_pidfd_open, Int(pid), 0)) else { return }
        waitForChange(of: process, nanoseconds: max(0, deadline - monotonicTime()), events: 1)
    }

    /// Processes for a sentence, not more than one can read: "12 (sleep, state D)".
    static func describe(_ pids: [Int32]) -> String {
        let shown = pids.prefix(8).map { pid in
            let name = (try? readText("/proc/\(pid)/comm")) ?? "?"
            let state = (try? readText("/proc/\(pid)/stat")).flatMap { stateLetter($0) } ?? "?"
            return "\(pid) (\(name), state \(state))"
        }
        return shown.joined(separator: ", ") + (pids.count > 8 ? ", ..." : "")
    }

    /// Field 3 of /proc/PID/stat, the first after the command in its parentheses.
    private static func stateLetter(_ line: String) -> String? {
        guard let end = line.utf8.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        return line[line.utf8.index(after: end)...].split(separator: " ").first.map(String.init)
    }
}

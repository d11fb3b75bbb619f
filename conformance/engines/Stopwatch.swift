/// How long a program takes, and the processor time that it and everybody who works for it use.

import Foundation

final class Stopwatch {
    struct Time {
        /// Milliseconds from the program's start to its end.
        let wall: Double
        /// Milliseconds of processor time in all cgroups of the run, but without this program's own.
        let cpu: Double
    }

    private let children: Children
    private let meter: String

    init(_ children: Children) {
        self.children = children
        // The root of the run's cgroup namespace: what engines' daemons, runtimes and containers use is charged there as well.
        let hierarchy = Cgroups.hierarchies.first { $0.unified ? Cgroups.isUnified : $0.controllers.contains("cpuacct") }
        meter = "\(hierarchy?.directory ?? "")/\(Cgroups.isUnified ? "cpu.stat" : "cpuacct.usage")"
    }

    /// Runs a program that must succeed, and waits until what it left to others is done before the processor time is read.
    func time(_ launch: Launch, name: String) throws -> Time {
        settle()
        let (before, own) = (used(), Self.own())
        let start = DispatchTime.now().uptimeNanoseconds
        let pid = try children.start(launch)
        var status: Int32 = 0
        guard waitpid(pid, &status, 0) == pid, status == 0 else {
            throw Complaint("\(name): status \(status): \((try? String(contentsOfFile: launch.error, encoding: .utf8)) ?? "")")
        }
        let wall = DispatchTime.now().uptimeNanoseconds - start
        settle()
        return Time(wall: Double(wall) / 1e6, cpu: used() - before - (Self.own() - own))
    }

    /// Waits until the set of processes stands still for a while: cleaners, shims and processes that end.
    private func settle() {
        var (seen, since) = (Set<pid_t>(), DispatchTime.now().uptimeNanoseconds)
        let limit = Deadline(seconds: 5)
        while !limit.passed {
            _ = children.status(of: 0)
            let living = Set(children.living())
            if living != seen { (seen, since) = (living, DispatchTime.now().uptimeNanoseconds) }
            if DispatchTime.now().uptimeNanoseconds - since > 60_000_000 { return }
            usleep(15_000)
        }
    }

    private func used() -> Double {
        let text = (try? String(contentsOfFile: meter, encoding: .utf8)) ?? ""
        if !Cgroups.isUnified { return (Double(text.trimmingCharacters(in: .newlines)) ?? 0) / 1e6 }
        let line = text.split(separator: "\n").first { $0.hasPrefix("usage_usec ") }
        return (line?.split(separator: " ").last.flatMap { Double($0) } ?? 0) / 1e3
    }

    private static func own() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }
}

/// Starting the process that takes a further one into a container: born into the container's cgroups, on the host otherwise.

import CLinux
import Cgroups
import Linux
import Plan
import Spec

/// Which cgroups a further process joins.
struct ExecCgroups: Equatable, Sendable {
    /// Their directories.
    var record: CgroupRecord
    /// Whether the cgroup of the container's first process serves where the container's own takes no processes.
    var hasFallback: Bool
}

/// What that process inherits, and how it is born.
struct ExecLauncher {
    let launch: LaunchPlan
    let preservedDescriptors: UInt32

    /// Starts it; it waits for the first word on its socket.
    func start(in container: borrowing JoinedContainer, _ cgroups: ExecCgroups) throws(Failure) -> LaunchedInit {
        let image = try InitImage()
        let entrance = try Failure.ofCgroups { () throws(CgroupError) in try CgroupEntrance(cgroups.record, skippingUnified: true) }
        var directory = try openUnified(cgroups.record)
        defer { kernelIgnoringFailure(__NR_close, Int(directory)) }
        let header = PlanHeader(startSocket: 0, preservedDescriptors: preservedDescriptors)
        var clone = CloneOptions()
        clone.cgroup = directory
        do throws(Errno) {
            let birth = try Birth(image, launch.plan.encoded(header), inheriting: [container.process.raw, container.root.raw])
            do throws(Errno) { return try birth.give(clone, entering: entrance) } catch {
                if error == .accessDenied, cgroups.hasFallback, cgroups.record.scope != nil {
                    // What is above both his session and his containers is not an ordinary user's to write: systemd moves for him.
                    clone.cgroup = -1
                    var outside = try birth.give(clone, entering: entrance)
                    outside.isOutside = true
                    return outside
                }
                // A cgroup v2 whose controllers are enabled for its children takes no processes: a systemd in the container has made such
                // a cgroup of it, and lives in one below.
                guard error == .busy, cgroups.hasFallback, let other = try? openOwn(of: container) else { throw error }
                kernelIgnoringFailure(__NR_close, Int(directory))
                directory = other
                clone.cgroup = directory
                return try birth.give(clone, entering: entrance)
            }
        } catch {
            throw Failure(
                "start the process in the container's cgroup", cgroups.record.unified, errno: error, systemCall: systemCallName(error.call),
                hint: error == .busy
                    ? "a cgroup v2 with children that have controllers takes no processes itself"
                    : CgroupAccess.movingHint(error, to: cgroups.record.unified))
        }
    }

    private func openUnified(_ record: CgroupRecord) throws(Failure) -> Int32 {
        guard let path = record.unified else { return -1 }
        do throws(Errno) { return try OwnedFD.open(path, [.path, .directory]).release() } catch {
            throw Failure.addingProcess(path, error)
        }
    }

    private func openOwn(of container: borrowing JoinedContainer) throws(CgroupError) -> Int32 {
        try Cgroup.unifiedDirectory(ofProcess: container.record.process.pid, CgroupLayout.detect()).release()
    }
}

extension Failure {
    /// Runs acts on cgroups that a process is to join.
    static func ofCgroups<R: ~Copyable>(_ body: () throws(CgroupError) -> R) throws(Failure) -> R {
        do { return try body() } catch {
            if error.operation == "open", let errno = error.errno { throw addingProcess(error.path, errno) }
            throw Failure(error)
        }
    }

    /// A cgroup cannot be joined: runc's words, which its users look for.
    fileprivate static func addingProcess(_ path: String, _ error: Errno) -> Failure {
        Failure("join the container's cgroup", detail: "adding pid to \(quoted(path)): \(error.text)")
    }
}

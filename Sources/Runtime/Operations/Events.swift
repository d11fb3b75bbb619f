/// The events operation: a container's statistics once, or statistics and out-of-memory events until it ends.

import CLinux
import Cgroups
import Linux
import Spec

extension StateStore {
    /// The statistics of a container that has not ended.
    ///
    /// - Source: row CLI-12.
    public func statistics(_ id: ContainerID) throws(Failure) -> ContainerEvent {
        let container = try WatchedContainer(try find(id))
        return try container.statistics()
    }

    /// Hands over a container's events until it ends: statistics in every interval, and each time that memory ran out.
    ///
    /// - Source: row CLI-12.
    public func watch(_ id: ContainerID, interval milliseconds: Int, _ handle: (ContainerEvent) throws(Failure) -> Void) throws(Failure) {
        let container = try WatchedContainer(try find(id))
        var watch = try Failure.ofCgroup { () throws(CgroupError) in try OOMWatch.start(container.record.cgroup, container.layout) }
        var next = monotonicMilliseconds() + milliseconds
        var hasEnded = false
        while !hasEnded {
            hasEnded = try container.wait(or: watch, milliseconds: max(0, next - monotonicMilliseconds()))
            let kills = try watch.take()
            for _ in 0..<max(0, kills) { try handle(.outOfMemory) }
            if hasEnded || monotonicMilliseconds() < next { continue }
            try handle(try container.statistics())
            // Where writing takes longer than the interval, some are left out.
            next = max(next + milliseconds, monotonicMilliseconds())
        }
    }
}

extension OOMWatch? {
    fileprivate mutating func take() throws(Failure) -> Int {
        do throws(CgroupError) { return try self?.take() ?? 0 } catch { throw Failure(error) }
    }

    /// What to wait for; nothing where there is no watch.
    ///
    /// In one place: Swift 6.3 in a release dies of two looks at the same case of an optional that cannot be copied.
    @inline(never)
    fileprivate func pollEntry() -> cl_pollfd {
        switch self {
        case .some(let watch): cl_pollfd(fd: watch.descriptor, events: watch.pollEvents, revents: 0)
        case nil: cl_pollfd(fd: -1, events: 0, revents: 0)
        }
    }
}

/// A container that has not ended, and what there is to watch of it.
private struct WatchedContainer: ~Copyable {
    let record: Record
    let process: OwnedFD
    let layout: CgroupLayout

    init(_ entry: borrowing Entry) throws(Failure) {
        guard let record = try entry.readRecord(), record.intent == .created, let process = try record.openProcess() else {
            throw Failure("container with id \(entry.id.name) is not running")
        }
        guard !record.cgroup.paths.isEmpty else {
            throw Failure("read the statistics", entry.id.name, detail: "the container has no cgroup of its own")
        }
        let layout = try Failure.ofCgroup { () throws(CgroupError) in try CgroupLayout.detect() }
        self.record = record
        self.process = process
        self.layout = layout
    }

    func statistics() throws(Failure) -> ContainerEvent {
        try Failure.ofCgroup { () throws(CgroupError) in .statistics(try Cgroup.statistics(record.cgroup, layout)) }
    }

    /// Waits for the container's end, for memory to run out, or for the time to be over.
    ///
    /// - Returns: Whether the container has ended.
    func wait(or watch: borrowing OOMWatch?, milliseconds: Int) throws(Failure) -> Bool {
        var entries = (
            cl_pollfd(fd: process.raw, events: PollEvents.readable, revents: 0),
            watch.pollEntry()
        )
        try Failure.during("wait for the container's events") { () throws(Errno) in
            _ = try withUnsafeMutablePointer(to: &entries) { both throws(Errno) in
                try poll(UnsafeMutableRawPointer(both).assumingMemoryBound(to: cl_pollfd.self), 2, milliseconds: milliseconds)
            }
        }
        return entries.0.revents != 0
    }
}

extension Failure {
    /// Runs an act on cgroups, and takes its error over.
    static func ofCgroup<R: ~Copyable>(_ body: () throws(CgroupError) -> R) throws(Failure) -> R {
        do { return try body() } catch { throw Failure(error) }
    }
}

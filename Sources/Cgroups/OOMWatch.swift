/// Hearing of out-of-memory kills in a container: an eventfd on memory.oom_control (v1), or memory.events (v2).

import CLinux
import Linux

/// A watch on the out-of-memory kills of a container.
///
/// Its descriptor goes into the caller's poll(2); ``take()`` says what has happened since the last time.
public struct OOMWatch: ~Copyable {
    private let source: OwnedFD
    private let control: String
    private let isUnified: Bool
    private var known: UInt64 = 0

    /// The descriptor to wait on.
    public var descriptor: Int32 { source.raw }

    /// What to wait for: POLLIN on an eventfd, POLLPRI on a file of kernfs.
    public var pollEvents: Int16 { isUnified ? 2 : 1 }

    /// Watches a container; nil where no memory controller counts for it.
    ///
    /// - Source: cgroup-v1/memory.rst, "OOM Control"; cgroup-v2.rst, "memory.events".
    public static func start(_ record: CgroupRecord, _ layout: CgroupLayout) throws(CgroupError) -> OOMWatch? {
        guard let directory = record.directory(of: "memory", in: layout) else { return nil }
        let control = directory + (layout.isUnified("memory") ? "/memory.events" : "/memory.oom_control")
        guard exists(control) else { return nil }
        if layout.isUnified("memory") {
            let source = try attempt("open", control) { () throws(Errno) in try OwnedFD.open(control, .read) }
            var watch = OOMWatch(source: source, control: control, isUnified: true)
            watch.known = try watch.killCount()
            return watch
        }
        let flags = 0o2000000 | 0o4000  // EFD_CLOEXEC | EFD_NONBLOCK
        let source = try attempt("make an eventfd for", control) { () throws(Errno) in OwnedFD(try kernel(__NR_eventfd2, 0, flags)) }
        let registry = directory + "/cgroup.event_control"
        try attempt("watch", registry) { () throws(Errno) in
            let file = try OwnedFD.open(control, .read)
            try writeText("\(source.raw) \(file.raw)", to: registry)
        }
        return OOMWatch(source: source, control: control, isUnified: false)
    }

    private init(source: consuming OwnedFD, control: String, isUnified: Bool) {
        self.source = source
        self.control = control
        self.isUnified = isUnified
    }

    /// How many out-of-memory kills there were since the last call; a v1 cgroup tells of each time that memory ran out.
    public mutating func take() throws(CgroupError) -> Int {
        if isUnified {
            let count = try killCount()
            defer { known = max(known, count) }
            return count > known ? Int(count - known) : 0
        }
        var count: UInt64 = 0
        do throws(Errno) {
            _ = try withUnsafeMutablePointer(to: &count) { count throws(Errno) in try source.read(into: count, count: 8) }
        } catch {
            if error == .again { return 0 }
            throw CgroupError("read the eventfd of", control, error)
        }
        // The removal of the cgroup counts as well.
        return Int(count) - (exists(control) ? 0 : 1)
    }

    /// The count of memory.events, read anew, which also makes the file ready for the next wait.
    private func killCount() throws(CgroupError) -> UInt64 {
        do throws(Errno) {
            var buffer = [UInt8](repeating: 0, count: 1024)
            let descriptor = source.number
            let count = try buffer.withUnsafeMutableBufferPointer { buffer throws(Errno) in
                try kernel(__NR_pread64, descriptor, Int(bitPattern: buffer.baseAddress), buffer.count, 0)
            }
            let text = StatisticsText(path: control, text: String(decoding: buffer.prefix(count), as: UTF8.self))
            do throws(CgroupError) { return try text.counters()["oom_kill"] } catch { throw Errno.badMessage }
        } catch {
            // The cgroup was removed meanwhile.
            if error == .noDevice { return known }
            throw CgroupError("read", control, error)
        }
    }
}

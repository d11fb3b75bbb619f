/// Carrying a resctrl plan out: the kernel's file system of that name, whose directories are classes of service.
///
/// Source: the kernel's Documentation/filesystems/resctrl.rst; rows RT-01 to RT-08.

import CLinux
import Linux
import Spec

/// A mounted resctrl tree.
struct Resctrl {
    /// Where it is mounted.
    let root: String
    private let place: (Origin) -> Failure.Place?

    /// Takes a tree as it is.
    init(root: String, place: @escaping (Origin) -> Failure.Place? = { _ in nil }) {
        self.root = root
        self.place = place
    }

    /// Finds the tree: where everybody mounts it, else by the mount table.
    init(finding origin: Origin, place: @escaping (Origin) -> Failure.Place?) throws(Failure) {
        self.place = place
        let usual = "/sys/fs/resctrl"
        if let directory = try? OwnedFD.open(usual, .path), (try? fileSystemMagic(directory.number)) == 0x0765_5821 {
            root = usual
            return
        }
        do throws(Errno) {
            let table = try OwnedFD.open("/proc/self/mountinfo", .read).readAll()
            guard let found = Resctrl.mountPoint(in: String(decoding: table, as: UTF8.self)) else {
                throw Errno.noDevice
            }
            root = found
        } catch {
            throw Failure(
                "use resctrl", detail: "it is not mounted [RT-01]", place: place(origin), hint: "mount -t resctrl resctrl /sys/fs/resctrl")
        }
    }

    /// The mount point of the first resctrl in a mount table.
    ///
    /// Source: proc_pid_mountinfo(5).
    static func mountPoint(in table: String) -> String? {
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash >= 5, fields.count > dash + 1, fields[dash + 1] == "resctrl" else { continue }
            return String(fields[4])
        }
        return nil
    }

    private func directory(_ plan: ResctrlPlan) -> String { plan.group.isEmpty ? root : "\(root)/\(plan.group)" }

    private func monitor(_ plan: ResctrlPlan) -> String? { plan.monitor.map { "\(directory(plan))/mon_groups/\($0)" } }

    private func exists(_ path: String) -> Bool { (try? OwnedFD.open(path, [.path, .directory])) != nil }

    /// Refuses what is seen not to work before anything is made.
    ///
    /// What is to be the container's own may not be there.
    func check(_ plan: ResctrlPlan) throws(Failure) {
        let group = directory(plan)
        let isThere = exists(group)
        if plan.kind == .own && isThere {
            throw failure(plan, "make the class of service", group, "it exists [RT-02]", hint: "name it in closID to use it, or remove it")
        }
        if plan.kind == .existing && !isThere {
            throw failure(
                plan, "use the class of service", group, "it does not exist, and no schema says what to make [RT-02]",
                hint: "make it, or add a schema")
        }
        if let monitor = monitor(plan), exists(monitor) { throw failure(plan, "make the monitoring group", monitor, "it exists [RT-06]") }
        if isThere { try compare(plan) }
    }

    /// Makes what the plan asks for.
    func make(_ plan: ResctrlPlan) throws(Failure) {
        let group = directory(plan)
        let isNew = !exists(group)
        do throws(Failure) {
            if isNew {
                try makeDirectory(group, plan, "make the class of service", "no class of service is free; the hardware has \(classes)")
                if !plan.schemata.isEmpty { try write(plan) }
            } else {
                try compare(plan)
            }
            if let monitor = monitor(plan) {
                try makeDirectory(monitor, plan, "make the monitoring group", "no monitoring id (RMID) is free")
            }
        } catch {
            if isNew { remove(group) }
            throw error
        }
    }

    /// Puts a process into the plan's groups; its children are born there.
    func place(_ pid: Int32, _ plan: ResctrlPlan) throws(Failure) {
        for directory in [directory(plan), monitor(plan)].compactMap({ $0 }) {
            do throws(Errno) { try writeFile("\(directory)/tasks", "\(pid)") } catch {
                throw Failure(
                    "put the process into the group", "\(directory)/tasks", detail: status, errno: error, place: place(plan.origin))
            }
        }
    }

    /// Removes what a container had for itself; what is gone already is no error.
    static func remove(_ record: ResctrlRecord) throws(Failure) {
        for directory in record.directories {
            do throws(Errno) { try removeDirectory(directory) } catch {
                if error != .noEntry { throw Failure("remove the resctrl group", directory, errno: error) }
            }
        }
    }

    // MARK: Pieces

    private func compare(_ plan: ResctrlPlan) throws(Failure) {
        if plan.schemata.isEmpty { return }
        let file = "\(directory(plan))/schemata"
        let existing: String
        do throws(Errno) { existing = try readText(file) } catch {
            throw Failure("read", file, errno: error, place: place(plan.origin))
        }
        guard let line = plan.mismatch(with: existing) else { return }
        throw Failure(
            "use the class of service", directory(plan), detail: "it exists with another schema than \(quoted(line.value)) [RT-02]",
            place: place(line.origin), hint: "it has \(quoted(existing))")
    }

    private func makeDirectory(_ path: String, _ plan: ResctrlPlan, _ operation: String, _ full: String) throws(Failure) {
        do throws(Errno) {
            try path.withPath { path throws(Errno) in _ = try kernel(__NR_mkdirat, workingDirectory, path.address, 0o755) }
        } catch {
            throw Failure(operation, path, detail: status, errno: error, place: place(plan.origin), hint: error == .noSpace ? full : nil)
        }
    }

    private func write(_ plan: ResctrlPlan) throws(Failure) {
        let file = "\(directory(plan))/schemata"
        do throws(Errno) { try writeFile(file, plan.text) } catch {
            throw Failure("write the schema", file, detail: status, errno: error, place: place(plan.schemata[0].origin))
        }
    }

    /// Writes a control file in one write(2).
    private func writeFile(_ path: String, _ text: String) throws(Errno) {
        let file = try OwnedFD.open(path, [.write, .create, .noFollow], mode: 0o644)
        let bytes = Array(text.utf8)
        let descriptor = file.number
        let count = try bytes.withUnsafeBufferPointer { bytes throws(Errno) in
            try kernel(__NR_write, descriptor, Int(bitPattern: bytes.baseAddress), bytes.count)
        }
        if count != bytes.count { throw .inputOutput }
    }

    /// The kernel's words about what failed last; nil for none.
    var status: String? {
        guard let text = try? readText("\(root)/info/last_cmd_status"), text != "ok", !text.isEmpty else { return nil }
        return text
    }

    /// How many classes the hardware has, in words.
    private var classes: String {
        for resource in ["L3", "L3CODE", "L2", "MB"] {
            if let count = try? readText("\(root)/info/\(resource)/num_closids") { return count }
        }
        return "few"
    }

    private func remove(_ path: String) { try? removeDirectory(path) }

    private func failure(_ plan: ResctrlPlan, _ operation: String, _ object: String, _ detail: String, hint: String? = nil) -> Failure {
        Failure(operation, object, detail: detail, place: place(plan.origin), hint: hint)
    }
}

/// Removes a directory of a kernel file system, whose files go with it.
private func removeDirectory(_ path: String) throws(Errno) {
    let removeDirectory = 0x200  // AT_REMOVEDIR
    try path.withPath { path throws(Errno) in _ = try kernel(__NR_unlinkat, workingDirectory, path.address, removeDirectory) }
}

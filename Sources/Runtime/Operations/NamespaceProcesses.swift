/// The processes of a container that has no cgroup of its own: those of its PID namespace, and their children in others.

import CLinux
import Linux

extension Record {
    /// All processes that are known to be the container's without a cgroup that says so, by id.
    func processesWithoutCgroup() throws(Failure) -> [ProcessIdentity] {
        guard try openProcess() != nil else { return [] }
        var found = [process]
        if payload != process, try openPayload() != nil { found.append(payload) }
        // Without a PID namespace of its own the rest is anybody's.
        if ownsPIDNamespace, let namespace = pidNamespace(of: process.pid) { add(processesOf: namespace, to: &found) }
        return found.sorted { $0.pid < $1.pid }
    }

    private func add(processesOf namespace: FileStatus, to found: inout [ProcessIdentity]) {
        var pids = Set(found.map { $0.pid })
        var others: [(identity: ProcessIdentity, parent: Int32)] = []
        for pid in allProcesses() where !pids.contains(pid) {
            // Its start time first: if the id is given to another process meanwhile, the identity is nobody's.
            guard let line = try? readText("/proc/\(pid)/stat"), let time = startTimeField(line), let parent = parentField(line) else {
                continue
            }
            let identity = ProcessIdentity(pid: pid, startTime: time)
            if let other = pidNamespace(of: pid), other.isSameFile(as: namespace) {
                pids.insert(pid)
                found.append(identity)
            } else {
                others.append((identity, parent))
            }
        }
        // What has a namespace below the container's descends from one of those.
        var count = -1
        while count != found.count {
            count = found.count
            for (identity, parent) in others where pids.contains(parent) && pids.insert(identity.pid).inserted { found.append(identity) }
        }
    }

    /// Sends a signal to these processes.
    func signalWithoutCgroup(_ signal: SignalNumber) throws(Failure) {
        for process in try processesWithoutCgroup() where signal == .kill || process != supervisor {
            do throws(Errno) {
                if let handle = try process.open() { try send(signal, to: handle) }
            } catch {
                if error != .noProcess { throw Failure("signal the container's process", "\(process.pid)", errno: error) }
            }
        }
    }
}

private func pidNamespace(of pid: Int32) -> FileStatus? {
    try? "/proc/\(pid)/ns/pid".withPath { path throws(Errno) in try FileStatus.of(path, at: workingDirectory, follow: true) }
}

/// Field 4 of a line of /proc/PID/stat, which follows the state.
private func parentField(_ line: String) -> Int32? {
    let bytes = Array(line.utf8)
    guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
    return fields.count > 1 ? Int32(String(decoding: fields[1], as: UTF8.self)) : nil
}

private func allProcesses() -> [Int32] {
    guard let directory = try? OwnedFD.open("/proc", [.read, .directory]), let names = try? directoryNames(directory) else { return [] }
    return names.compactMap { Int32($0) }
}

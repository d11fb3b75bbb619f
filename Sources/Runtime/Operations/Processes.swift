/// The ps operation: the processes of a container, as numbers or as ps(1) shows them.

import CLinux
import Cgroups
import Linux

extension StateStore {
    /// The ids of a container's processes in the runtime's PID namespace, sorted; none where it has stopped.
    ///
    /// - Source: row CLI-10.
    public func processes(_ id: ContainerID) throws(Failure) -> [Int32] {
        let entry = try find(id)
        guard let record = try entry.readRecord() else { return [] }
        guard !record.cgroup.paths.isEmpty else { return try record.processesWithoutCgroup().map { $0.pid } }
        do throws(CgroupError) { return try Cgroup.pids(record.cgroup).sorted() } catch { throw Failure(error) }
    }
}

/// What ps(1) prints about some processes: its header, and the lines with their ids.
///
/// - Parameters:
///   - options: ps' own options; none stands for `-ef`.
///   - searchPath: The directories in which ps is looked for, colon-separated.
public func processTable(_ pids: [Int32], options: [String], searchPath: String) throws(Failure) -> String {
    let output = try runPS(options.isEmpty ? ["-ef"] : options, searchPath)
    guard let table = filtered(table: output, by: pids) else {
        throw Failure("list the processes", detail: "ps prints no column PID", hint: "leave out the options that hide it")
    }
    return table
}

/// The header of a table, and the lines whose column "PID" is one of the ids; nil where there is no such column.
func filtered(table: String, by pids: [Int32]) -> String? {
    let lines = table.split(separator: "\n")
    guard let header = lines.first, let column = cells(header).firstIndex(of: "PID") else { return nil }
    let wanted = Set(pids)
    var result = header + "\n"
    for line in lines.dropFirst() {
        let cells = cells(line)
        if column < cells.count, let pid = Int32(cells[column]), wanted.contains(pid) { result += line + "\n" }
    }
    return String(result)
}

private func cells(_ line: Substring) -> [Substring] { line.split(separator: " ") }

/// Runs ps and returns what it prints.
///
/// Its errors go where the runtime's go.
private func runPS(_ options: [String], _ searchPath: String) throws(Failure) -> String {
    do throws(Errno) {
        var ends: (Int32, Int32) = (-1, -1)
        try withUnsafeMutablePointer(to: &ends) { ends throws(Errno) in
            _ = try kernel(__NR_pipe2, Int(bitPattern: ends), Int(O_CLOEXEC))
        }
        let reader = OwnedFD(ends.0)
        let words = vector(["ps"] + options)
        let candidates = searchPath.split(separator: ":").map { vector(["\($0)/ps"]) }
        let child = try cloneProcess(CloneOptions())
        if child.isChild {
            kernelIgnoringFailure(__NR_dup3, Int(ends.1), 1, 0)
            // Without an environment: ps takes options from it. The null after the words is an empty one.
            let arguments = words.baseAddress!
            let environment = arguments + words.count - 1
            for path in candidates {
                kernelIgnoringFailure(__NR_execve, Int(bitPattern: path[0]), Int(bitPattern: arguments), Int(bitPattern: environment))
            }
            exitProcess(127)
        }
        let process = OwnedFD(child.pidfd)
        _ = OwnedFD(ends.1)
        let text = try reader.readAll()
        switch try wait(for: process.number) {
        case .exited(0): return String(decoding: text, as: UTF8.self)
        case .exited(127): throw Errno.noEntry
        default: throw Errno.invalidArgument
        }
    } catch {
        switch error {
        case .noEntry: throw Failure("run ps", detail: "it is in no directory of PATH", hint: "\"ps --format json\" needs no program")
        case .invalidArgument: throw Failure("run ps", detail: "it failed")
        default: throw Failure("run ps", errno: error)
        }
    }
}

/// A null-terminated vector of C strings, which live as long as the process.
func vector(_ words: [String]) -> UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?> {
    let result = UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: words.count + 1)
    for (index, word) in words.enumerated() {
        let bytes = word.utf8CString
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        for at in 0..<bytes.count { copy[at] = bytes[at] }
        result[index] = copy
    }
    result[words.count] = nil
    return result
}

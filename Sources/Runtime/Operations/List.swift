/// The list operation: the states of all containers.

import Linux
public import Spec

/// All containers, and what could not be listed.
public struct ContainerList: Equatable, Sendable {
    /// The states, sorted by id.
    public var states: [State] = []
    /// Remarks on containers that `create` is still at, or was interrupted at (CLI-11).
    public var notes: [String] = []
}

extension StateStore {
    /// The states of all containers.
    ///
    /// Those that vanish meanwhile are left out.
    public func list() throws(Failure) -> ContainerList {
        var list = ContainerList()
        var owners = OwnerNames()
        for id in try ids() {
            do throws(Failure) { try add(id, &owners, to: &list) } catch {
                list.notes.append("container \(quoted(id.name)): \(error.message)")
            }
        }
        return list
    }

    private func add(_ id: ContainerID, _ owners: inout OwnerNames, to list: inout ContainerList) throws(Failure) {
        guard let entry = try open(id) else { return }
        let record = try entry.readRecord()
        let status = try entry.status(record)
        if record == nil {
            guard try entry.isCurrent() else { return }
            let remedy = status == .creating ? "it is being created" : "its create was interrupted: delete --force \(id.name)"
            list.notes.append("container \(quoted(id.name)) has no record; \(remedy)")
            return
        }
        var state = State(id, record, status)
        if let owner = try? FileStatus.of(at: entry.directory.number).uid { state.owner = owners.name(of: owner) }
        list.states.append(state)
    }
}

/// Users' names out of /etc/passwd, read once.
private struct OwnerNames {
    private var lines: [Substring]?
    private var passwd = ""

    mutating func name(of user: UInt32) -> String {
        if lines == nil {
            passwd = (try? readText("/etc/passwd")) ?? ""
            lines = passwd.split(separator: "\n")
        }
        for line in lines ?? [] {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 2, UInt32(fields[2]) == user { return String(fields[0]) }
        }
        return "#\(user)"
    }
}

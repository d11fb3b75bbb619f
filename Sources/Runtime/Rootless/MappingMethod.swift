/// How the id maps of a container's user namespace come into force: decided before anything is made.
///
/// Who holds CAP_SETUID may write any map. Anybody may map his own id alone. For more there are newuidmap and newgidmap, which let a
/// user have what /etc/subuid and /etc/subgid give him. Source: user_namespaces(7), newuidmap(1), subuid(5); rows I-01 to I-03.

import Spec

/// A way to put an id map into force.
public enum MappingMethod: Equatable, Sendable {
    /// The runtime writes it.
    case written
    /// The runtime writes it when it has given up setgroups(2), which the kernel asks of who lacks CAP_SETGID.
    case writtenWithoutSetgroups
    /// The program of that path writes it.
    case program(String)
}

/// The two kinds of ids.
public enum IDKind: Equatable, Sendable {
    case user
    case group

    /// "uid", "gid".
    var id: String { self == .user ? "uid" : "gid" }
    /// The program that writes maps for ordinary users.
    var program: String { self == .user ? "newuidmap" : "newgidmap" }
    /// The file that says which ids a user may have.
    var table: String { self == .user ? "/etc/subuid" : "/etc/subgid" }
    /// The specification's row.
    var row: String { self == .user ? "I-01" : "I-02" }
}

/// What there is to know about ``IDKind/program`` on this host.
public struct MappingProgram: Equatable, Sendable {
    /// Whether it is there and what the kernel will think of it.
    public enum State: Equatable, Sendable {
        /// In none of the directories that are searched.
        case missing
        /// There, but it would not gain any rights: neither set-user-id nor with capabilities.
        case powerless(String)
        /// There.
        case usable(String)
    }

    /// Where it is.
    public var state: State
    /// The host ids that the user may have, first and count; nil where only the program can find them out.
    public var subordinates: [IDRange]?
    /// Whether no_new_privs keeps every program from gaining rights.
    public var isBarred = false

    /// Describes a program.
    public init(_ state: State, subordinates: [IDRange]?) {
        self.state = state
        self.subordinates = subordinates
    }
}

/// Ids in a row.
public struct IDRange: Equatable, Sendable {
    /// The first.
    public var first: UInt32
    /// How many.
    public var count: UInt32

    /// Makes a range.
    public init(first: UInt32, count: UInt32) {
        self.first = first
        self.count = count
    }
}

extension Caller {
    /// Decides how a map of a new user namespace is written.
    ///
    /// - Parameter program: Finds out about the helper; called where it is needed only.
    /// - Throws: What the kernel or the helper would refuse, with the map's line.
    func method(
        for mappings: [IDMapping], _ kind: IDKind, program: () -> MappingProgram
    ) throws(PlanningError) -> MappingMethod {
        let known = kind == .user ? users : groups
        if isInUserNamespace { try checkKnown(mappings, known, kind) }
        if capabilities.contains(kind == .user ? .setUserID : .setGroupID) { return .written }
        if mappings.count == 1, mappings[0].size == 1, mappings[0].hostID == (kind == .user ? uid : gid) {
            return kind == .user ? .written : .writtenWithoutSetgroups
        }
        return try method(of: program(), mappings, kind)
    }

    private func checkKnown(_ mappings: [IDMapping], _ known: [IDMapping], _ kind: IDKind) throws(PlanningError) {
        let ranges = known.map { IDRange(first: $0.containerID, count: $0.size) }
        guard let (mapping, missing) = firstOutside(ranges, mappings) else { return }
        throw PlanningError(
            "\(kind.id) \(missing) does not exist in the user namespace that swoci runs in", origin: mapping.origin,
            hint: "it has \(list(ranges))", row: kind.row)
    }

    private func method(of program: MappingProgram, _ mappings: [IDMapping], _ kind: IDKind) throws(PlanningError) -> MappingMethod {
        let own = kind == .user ? uid : gid
        let alone = "map \(kind.id) \(own) alone, which needs no program"
        func refusal(_ problem: String, _ hint: String, _ mapping: IDMapping) -> PlanningError {
            PlanningError(problem, origin: mapping.origin, hint: hint, row: kind.row)
        }
        let first = mappings.first { $0.hostID != own || $0.size != 1 } ?? mappings[0]
        let path: String
        switch program.state {
        case .missing:
            throw refusal(
                "an ordinary user needs \(kind.program) for this map, and it is missing",
                "install uidmap (Debian) or shadow-utils, or \(alone)", first)
        case .powerless(let path):
            throw refusal(
                "\(path) is neither set-user-id nor has it capabilities: it could not write the map", "chmod u+s \(path), or \(alone)",
                first)
        case .usable(let found): path = found
        }
        if program.isBarred {
            throw refusal(
                "no_new_privs is set for swoci, which keeps \(kind.program) from writing this map", "start swoci without it, or \(alone)",
                first)
        }
        if let ranges = program.subordinates, let (mapping, missing) = firstOutside(ranges + [IDRange(first: own, count: 1)], mappings) {
            let has = ranges.isEmpty ? "gives none" : "gives \(list(ranges))"
            throw refusal(
                "host \(kind.id) \(missing) is not yours to map: \(kind.table) \(has)",
                ranges.isEmpty ? "have ids added to \(kind.table), or \(alone)" : "map from these, or \(alone)", mapping)
        }
        return .program(path)
    }
}

/// The first mapping with a host id outside of some ranges, and that id.
private func firstOutside(_ ranges: [IDRange], _ mappings: [IDMapping]) -> (IDMapping, UInt32)? {
    for mapping in mappings {
        var next = UInt64(mapping.hostID)
        let end = next + UInt64(mapping.size)
        while next < end {
            let holder = ranges.first { next >= UInt64($0.first) && next < UInt64($0.first) + UInt64($0.count) }
            guard let holder else { return (mapping, UInt32(truncatingIfNeeded: next)) }
            next = UInt64(holder.first) + UInt64(holder.count)
        }
    }
    return nil
}

private func list(_ ranges: [IDRange]) -> String {
    ranges.map { $0.count == 1 ? "\($0.first)" : "\($0.first) to \(UInt64($0.first) + UInt64($0.count) - 1)" }.joined(separator: ", ")
}

/// Reads a table of subordinate ids: "name:first:count" or "uid:first:count" a line.
///
/// - Source: subuid(5).
func subordinates(in table: String, user: UInt32, name: String) -> [IDRange] {
    table.split(separator: "\n").compactMap { line in
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 3, fields[0] == name || UInt32(fields[0]) == user, let first = UInt32(fields[1]),
            let count = UInt32(fields[2])
        else { return nil }
        return IDRange(first: first, count: count)
    }
}

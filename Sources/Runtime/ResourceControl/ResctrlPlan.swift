/// What a config asks of resctrl, as data: groups, and lines for their `schemata`. Rows RT-01 to RT-06.

public import Spec

/// A container's place in the resctrl tree.
public struct ResctrlPlan: Equatable, Sendable {
    /// What happens to the class of service.
    public enum Class: Equatable, Sendable {
        /// A new one, named like the container, which goes with it.
        case own
        /// One of that name: made where it is missing, and the same where it exists.
        case shared
        /// One that must exist, and stays as it is.
        case existing
        /// The default one, at the tree's root: it stays as it is.
        case standard
    }

    /// What happens to the class.
    public var kind: Class
    /// The class's directory below the tree's root; empty for the default one.
    public var group: String
    /// The lines for `schemata`: the cache's first, then the memory bandwidth, then the rest.
    public var schemata: [Located<String>]
    /// The monitoring group below the class; nil: none.
    public var monitor: String?
    /// The config's place that names the class.
    public var origin: Origin

    /// Decides what a config asks for.
    public init(_ config: IntelRdt, containerID: String) {
        schemata = [config.l3CacheSchema, config.memBwSchema].compactMap { $0 } + config.schemata
        monitor = config.enableMonitoring ? containerID : nil
        origin = config.closID?.origin ?? config.origin
        guard let name = config.closID?.value, !name.isEmpty else {
            kind = .own
            group = containerID
            return
        }
        group = name == "/" ? "" : name
        kind = name == "/" ? .standard : schemata.isEmpty ? .existing : .shared
    }

    /// What is written to `schemata`, at once, so that the kernel takes all of it or nothing.
    public var text: String { schemata.map { $0.value + "\n" }.joined() }

    /// The first line that a class's `schemata` does not fulfil; nil if it has all of them.
    public func mismatch(with existing: String) -> Located<String>? {
        let present = SchemataLine.parse(existing)
        for line in schemata {
            for wanted in SchemataLine.parse(line.value) where !wanted.isFulfilled(by: present) { return line }
        }
        return nil
    }
}

/// One line of `schemata`: "L3:0=ffff;1=00ff".
struct SchemataLine: Equatable {
    /// "L3", "L3CODE", "MB", ...
    var resource: String
    /// The domains and their values, which are written in one way: lower case, without leading zeros.
    var domains: [(id: String, value: String)]

    /// The lines of a text. The kernel puts blanks before a resource's name.
    static func parse(_ text: String) -> [SchemataLine] {
        text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            var domains: [(id: String, value: String)] = []
            for domain in parts[1].split(separator: ";") {
                let pair = domain.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard pair.count == 2 else { return nil }
                domains.append((plain(pair[0]), plain(pair[1])))
            }
            return SchemataLine(resource: parts[0].split(separator: " ").joined(), domains: domains)
        }
    }

    /// Whether the lines of a class give every domain of this one the same value.
    func isFulfilled(by lines: [SchemataLine]) -> Bool {
        guard let line = lines.first(where: { $0.resource == resource }) else { return false }
        return domains.allSatisfy { wanted in line.domains.contains { $0.id == wanted.id && $0.value == wanted.value } }
    }

    private static func plain(_ text: Substring) -> String {
        let trimmed = text.split(separator: " ").joined().lowercased()
        let digits = trimmed.utf8.drop { $0 == UInt8(ascii: "0") }
        return digits.isEmpty && !trimmed.isEmpty ? "0" : String(Substring(digits))
    }

    static func == (left: SchemataLine, right: SchemataLine) -> Bool {
        left.resource == right.resource && left.domains.count == right.domains.count
            && zip(left.domains, right.domains).allSatisfy { $0.id == $1.id && $0.value == $1.value }
    }
}

/// What `create` made in the resctrl tree, for `delete` to remove (RT-08).
public struct ResctrlRecord: Equatable, Sendable {
    /// The directories, in the order in which they go: a monitoring group, a class.
    public var directories: [String] = []

    /// Makes an empty record.
    public init() {}

    /// What a plan makes below a tree's root that is the container's alone.
    public init(_ plan: ResctrlPlan, root: String) {
        let group = plan.group.isEmpty ? root : "\(root)/\(plan.group)"
        if let monitor = plan.monitor { directories.append("\(group)/mon_groups/\(monitor)") }
        if plan.kind == .own { directories.append(group) }
    }
}

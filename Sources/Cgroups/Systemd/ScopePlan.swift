/// A container's scope as data: what systemd is asked for.

public import Spec

/// A scope to be made.
public struct ScopePlan: Equatable, Sendable {
    /// The unit: "libpod-web.scope".
    public let unit: String
    /// Its slice.
    public let slice: String
    /// What it is called; the words by which it is known again as this container's.
    public let description: String
    /// Where systemd is reached.
    public let manager: ServiceManager
    /// Its properties, but for those of every scope.
    public let properties: [UnitProperty]
}

/// A container's scope, as far as removing it has to know.
public struct ScopeRecord: Equatable, Sendable {
    /// The unit.
    public var unit: String
    /// Its description: a unit of that name that is described otherwise is somebody else's.
    public var description: String
    /// Where systemd is reached.
    public var manager: ServiceManager

    /// Names a scope.
    public init(unit: String, description: String, manager: ServiceManager) {
        self.unit = unit
        self.description = description
        self.manager = manager
    }
}

/// What a scope needs to know of its container beyond what every cgroup does.
public struct ScopeRequest: Equatable, Sendable {
    /// The service manager.
    public var facts: ServiceManagerFacts
    /// The container's annotations.
    public var annotations: [Pair]
    /// What tells the container from all others: its id, and its state root where that is not the usual one.
    public var container: String

    /// Asks for a scope.
    public init(facts: ServiceManagerFacts, annotations: [Pair], container: String) {
        self.facts = facts
        self.annotations = annotations
        self.container = container
    }
}

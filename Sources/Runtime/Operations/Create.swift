/// The create operation.

/// A container that waits for start.
public struct CreatedContainer: Equatable, Sendable {
    /// Its first process.
    public var process: ProcessIdentity
}

/// Creates a container.
public func createContainer(_ request: CreateRequest, store: StateStore) throws(Failure) -> CreatedContainer {
    throw Failure("create the container", request.id.name, detail: "this build cannot create containers")
}

/// What the init would do for a bundle, a line for each step.
public func describePlan(_ request: CreateRequest) throws(Failure) -> [String] {
    throw Failure("plan the container", request.id.name, detail: "this build cannot plan containers")
}

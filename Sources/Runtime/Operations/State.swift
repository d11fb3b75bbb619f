/// The state operation: what a container is doing now.

public import Spec

extension StateStore {
    /// The state of a container.
    ///
    /// - Source: runtime.md#query-state; row OP-01.
    public func state(_ id: ContainerID) throws(Failure) -> State {
        let entry = try find(id)
        let record = try entry.readRecord()
        return State(id, record, try entry.status(record))
    }
}

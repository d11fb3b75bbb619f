/// The state operation: what a container is doing now.

extension StateStore {
    /// The state of a container.
    ///
    /// - Source: runtime.md#query-state; row OP-01.
    public func state(_ id: ContainerID) throws(Failure) -> ContainerState {
        let entry = try find(id)
        let record = entry.readRecord()
        return ContainerState(id: id, record: record, status: entry.status(record))
    }
}

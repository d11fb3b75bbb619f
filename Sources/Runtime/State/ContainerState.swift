/// From a record to the state that `state`, `list` and hooks get.

public import Spec

extension ContainerStatus {
    /// Whether there is a process to signal (OP-04).
    var hasProcess: Bool {
        switch self {
        case .created, .running, .paused: true
        case .creating, .stopped: false
        }
    }
}

extension State {
    /// The state of a container; one that `create` never got to recording has but an id.
    init(_ id: ContainerID, _ record: Record?, _ status: ContainerStatus) {
        self.init(id: id.name, status: status, pid: status.hasProcess ? record?.process.pid ?? 0 : 0, bundle: record?.bundle ?? "")
        rootfs = record?.rootfs ?? ""
        created = record?.created ?? ""
        owner = ""
        guard let record else { return }
        ociVersion = record.ociVersion
        annotations = record.annotations
    }
}

extension Record {
    /// The state as hooks get it on their standard input (ST-07).
    public func stateForHooks(_ status: ContainerStatus) -> String {
        var state = State(id: id.name, status: status, pid: process.pid, bundle: bundle)
        state.ociVersion = ociVersion
        state.annotations = annotations
        return state.json()
    }
}

/// The update operation: new limits for a container that is there, all of them or none.
///
/// Source: spec rows CLI-13, RD, RM, RC, RB, RH, RU.

import Cgroups
import Linux
import Spec

extension StateStore {
    /// Changes limits of a container that has not ended.
    ///
    /// - Returns: Remarks for the user.
    public func update(_ id: ContainerID, _ request: UpdateRequest) throws(Failure) -> [String] {
        var entry = try find(id)
        guard try entry.lock() else { throw Failure("update the container", id.name, kind: .notFound) }
        let record = try entry.readRecord()
        let status = try entry.status(record)
        guard let record, [.created, .running, .paused].contains(status) else {
            throw Failure("update the container", id.name, kind: .notRunning)
        }
        return try entry.update(record, request)
    }
}

extension Entry {
    fileprivate func update(_ record: Record, _ request: UpdateRequest) throws(Failure) -> [String] {
        guard !record.cgroup.paths.isEmpty else {
            throw Failure(
                "update the container", record.id.name, detail: "it has no cgroup of its own",
                hint: "it was created with --cgroup-manager disabled")
        }
        let layout: CgroupLayout
        do throws(CgroupError) { layout = try CgroupLayout.detect() } catch { throw Failure(error) }
        let recorded = try readResources()
        try takeBackUnfinishedUpdate(record, recorded, layout)

        var remarks = request.remarks
        var resources = request.resources
        if let devices = resources.devices, !devices.isEmpty, try !Caller.current().ownsHost {
            resources.devices = nil
            remarks.append(Preparation.noDeviceRules)
        }
        let update: CgroupUpdate
        do throws(CgroupError) {
            update = try CgroupUpdate(resources, recorded: recorded, record: record.cgroup, layout: layout)
        } catch {
            throw Failure(error, place: request.place(of: error.origin))
        }
        let undo = Cgroup.undo(of: update)
        let new = recorded.updated(by: resources)
        try beginUpdate(RecordedResources(resources: new, undo: undo))
        let change = record.cgroup.scope.map { ScopeChange(scope: $0, old: recorded, new: new) }
        do throws(Failure) {
            try apply(update, undo, change, record, request)
        } catch {
            try? dropUpdate()
            throw error
        }
        return remarks + update.warnings.map { $0.text }
    }

    /// Sets everything, or leaves everything as it was.
    private func apply(
        _ update: CgroupUpdate, _ undo: [CgroupUndo], _ change: ScopeChange?, _ record: Record, _ request: UpdateRequest
    ) throws(Failure) {
        let schemata = try Resctrl.change(record.resctrl, request.schemata)
        do throws(CgroupError) { try Cgroup.apply(update, undo: undo, telling: change) } catch {
            schemata?.restore()
            throw Failure(error, place: request.place(of: error.origin))
        }
        do throws(Failure) { try finishUpdate() } catch {
            Cgroup.revert(update, undo: undo, telling: change)
            schemata?.restore()
            throw error
        }
    }

    /// Takes back what an update had changed before it died.
    private func takeBackUnfinishedUpdate(_ record: Record, _ recorded: Resources, _ layout: CgroupLayout) throws(Failure) {
        guard let unfinished = try readUnfinishedUpdate() else { return }
        let change = record.cgroup.scope.map { ScopeChange(scope: $0, old: recorded, new: unfinished.resources) }
        do throws(CgroupError) {
            let update = try CgroupUpdate(unfinished.resources, recorded: recorded, record: record.cgroup, layout: layout)
            Cgroup.revert(update, undo: unfinished.undo, telling: change)
        } catch { throw Failure(error) }
        try dropUpdate()
    }
}

/// An update of a container whose cgroup is a unit's: systemd is told the new limits, so that it does not bring the old ones back.

import DBus
public import Spec

/// What an update changes for a unit.
public struct ScopeChange: Equatable, Sendable {
    /// The unit.
    public var scope: ScopeRecord
    /// All limits in force before.
    public var old: Resources
    /// All limits in force afterwards.
    public var new: Resources

    /// Describes a change.
    public init(scope: ScopeRecord, old: Resources, new: Resources) {
        self.scope = scope
        self.old = old
        self.new = new
    }
}

extension Cgroup {
    /// Sets the new limits, in the files and in the unit's properties: all or none.
    ///
    /// - Parameters:
    ///   - undo: What ``undo(of:)`` said before.
    ///   - change: What systemd is told; nil where the cgroup is no unit's.
    public static func apply(_ update: CgroupUpdate, undo: [CgroupUndo], telling change: ScopeChange?) throws(CgroupError) {
        try apply(update, undo: undo)
        guard let change else { return }
        do throws(CgroupError) {
            try tell(change.scope, change.new, update)
            // Once more, because systemd has written the files as well, and rounds some values.
            try WriteRun().run(update.writes.filter { !$0.file.hasPrefix("devices.") })
        } catch {
            revert(update, undo: undo, telling: change)
            throw error
        }
    }

    /// Takes back an update that was applied.
    public static func revert(_ update: CgroupUpdate, undo: [CgroupUndo], telling change: ScopeChange?) {
        if let change { try? tell(change.scope, change.old, update) }
        revert(update, undo: undo)
    }

    /// Sets a unit's properties to limits, and where that makes systemd write the device list of cgroup v1, writes that again as a whole.
    private static func tell(_ scope: ScopeRecord, _ resources: Resources, _ update: CgroupUpdate) throws(CgroupError) {
        let layout = CgroupLayout(hierarchies: update.places.map { $0.hierarchy })
        var translation = Translation(layout: layout, places: update.places)
        try translation.translate(resources)
        let writes = translation.writes
        do throws(DBusError) {
            var systemd = try Systemd.reach(scope.manager)
            var properties = unitProperties(writes, version: try systemd.facts().version)
            if !layout.isUnified, let devices = resources.devices {
                properties += deviceProperties(DeviceRules.complete(devices, origin: .none))
            }
            if properties.isEmpty { return }
            try systemd.set(properties, of: scope.unit)
        } catch { throw CgroupError("set the properties of the unit", scope.unit, error) }
        try WriteRun().run(writes.filter { $0.file.hasPrefix("devices.") })
    }
}

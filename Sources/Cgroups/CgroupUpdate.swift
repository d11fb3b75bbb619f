/// New limits for a cgroup that exists: decided as data, then all of them set or none.
///
/// What the files say before is read first and kept by the caller on disk, so that whoever finds an update that died in between can
/// take it back.

import Linux
public import Spec

/// An update of a cgroup's limits, decided.
public struct CgroupUpdate: Equatable, Sendable {
    /// The container's directories.
    public let places: [CgroupPlan.Place]
    /// The new limits, in the order in which they are written.
    public let writes: [CgroupWrite]
    /// The controllers of cgroup v2 that the limits need.
    public let neededControllers: [CgroupPlan.Requirement]
    /// The device filter that takes the place of the one in force; nil: that stays.
    public let deviceProgram: DeviceProgram?
    /// Remarks for the user.
    public let warnings: [CgroupWarning]
    /// The device filter in force, for the way back; nil: there is none.
    let oldProgram: DeviceProgram?
    /// The way back to the device rules in force on cgroup v1; nil: the file tells.
    let oldDevices: [CgroupUndo]?

    /// Decides what an update does to a cgroup.
    ///
    /// Limits that the update leaves out keep their values, and count where they bound those that it names.
    /// - Parameters:
    ///   - resources: The limits to set.
    ///   - recorded: The limits in force.
    ///   - record: The container's cgroup; nothing outside of it is touched.
    /// - Throws: An error with its origin for a limit that this host cannot take.
    /// - Source: rows CLI-13, RD, RM, RC, RB, RH, RU.
    public init(_ resources: Resources, recorded: Resources, record: CgroupRecord, layout: CgroupLayout) throws(CgroupError) {
        var places: [CgroupPlan.Place] = []
        var known = layout
        known.hierarchies = []
        for hierarchy in layout.hierarchies {
            guard let path = record.paths.first(where: { $0.hasPrefix(hierarchy.mountPoint + "/") }) else { continue }
            known.hierarchies.append(hierarchy)
            places.append(.init(hierarchy: hierarchy, directory: path, parents: parents(of: path, below: hierarchy.mountPoint)))
        }
        self.places = places
        var translation = Translation(layout: known, places: places, recorded: recorded)
        var resources = resources
        let old = recorded.devices.map { DeviceRules.complete($0, origin: .none) }
        let new = (resources.devices ?? []).isEmpty ? nil : DeviceRules.complete(resources.devices ?? [], origin: resources.origin)
        resources.devices = nil
        try translation.translate(resources)
        var oldDevices: [CgroupUndo]? = []
        if let new, !DeviceRules.areSame(new, old) {
            if layout.isUnified {
                translation.deviceProgram = DeviceProgram(new)
            } else {
                let steps = try DeviceRules.steps(from: old, to: new)
                for step in steps { try translation.write("devices", step.file, step.value, step.origin) }
                let directory = try translation.require("devices", "devices.allow", resources.origin)
                oldDevices = try old.map { old throws(CgroupError) in
                    try DeviceRules.steps(from: new, to: old).map { CgroupUndo(path: "\(directory)/\($0.file)", value: $0.value) }
                }
            }
        }
        writes = translation.writes
        neededControllers = translation.needed
        deviceProgram = translation.deviceProgram
        warnings = translation.warnings
        oldProgram = old.map { DeviceProgram($0) }
        self.oldDevices = oldDevices
    }

    /// The place in the unified hierarchy.
    var unified: CgroupPlan.Place? { places.first { $0.hierarchy.isUnified } }
}

/// The directories between a mount point and a directory below it, outermost first.
private func parents(of path: String, below mountPoint: String) -> [String] {
    var result: [String] = []
    var parent = mountPoint
    for component in path.dropFirst(mountPoint.count).split(separator: "/").dropLast() {
        parent += "/" + component
        result.append(parent)
    }
    return result
}

extension Cgroup {
    /// What takes an update back, by what the files say now.
    public static func undo(of update: CgroupUpdate) -> [CgroupUndo] {
        var result = update.writes.flatMap { CgroupUndo.before($0) }
        if let devices = update.oldDevices { result += devices.reversed() }
        result.reverse()
        return result
    }

    /// Sets the new limits, all or none.
    ///
    /// - Parameter undo: What ``undo(of:)`` said before.
    public static func apply(_ update: CgroupUpdate, undo: [CgroupUndo]) throws(CgroupError) {
        if let place = update.unified, !update.neededControllers.isEmpty {
            try enableControllers(place, needed: update.neededControllers)
        }
        do throws(CgroupError) {
            try WriteRun().run(update.writes)
            // The last, because it takes effect at once and as a whole.
            if let program = update.deviceProgram, let place = update.unified { try DeviceFilter.attach(program, to: place.directory) }
        } catch {
            restore(undo)
            throw error
        }
    }

    /// Takes back an update that was applied.
    public static func revert(_ update: CgroupUpdate, undo: [CgroupUndo]) {
        restore(undo)
        guard update.deviceProgram != nil, let place = update.unified else { return }
        if let old = update.oldProgram {
            try? DeviceFilter.attach(old, to: place.directory)
        } else {
            try? DeviceFilter.detach(from: place.directory)
        }
    }

    /// Writes old values back, as far as the kernel takes them.
    ///
    /// Limits that bound each other may have to change places: what is refused is tried again after the others.
    public static func restore(_ undo: [CgroupUndo]) {
        var left = undo
        while !left.isEmpty {
            let refused = left.filter { step in (try? writeText(step.value, to: step.path)) == nil }
            if refused.count == left.count { return }
            left = refused
        }
    }
}

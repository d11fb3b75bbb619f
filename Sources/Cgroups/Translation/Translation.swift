/// From resources to writes: what all kinds of limits share.
///
/// A limit that this host cannot set is an error that names it, never a limit left out (config-linux.md#unified).

import Linux
import Spec

/// Collects the writes of one container's limits.
struct Translation {
    let layout: CgroupLayout
    let places: [CgroupPlan.Place]
    /// What an update's limits add to; nothing for a new cgroup.
    let recorded: Resources
    var writes: [CgroupWrite] = []
    var needed: [CgroupPlan.Requirement] = []
    var deviceProgram: DeviceProgram?
    var warnings: [CgroupWarning] = []

    init(layout: CgroupLayout, places: [CgroupPlan.Place], recorded: Resources = Resources()) {
        self.layout = layout
        self.places = places
        self.recorded = recorded
    }

    /// Whether limits of a controller go to cgroup v2.
    func isUnified(_ controller: String) -> Bool { layout.isUnified(controller) }

    /// Translates all limits.
    mutating func translate(_ resources: Resources) throws(CgroupError) {
        if let memory = resources.memory { try translate(memory) }
        if let cpu = resources.cpu { try translate(cpu) }
        if let pids = resources.pids { try translate(pids: pids) }
        try translate(resources.hugepageLimits)
        if let blockIO = resources.blockIO { try translate(blockIO) }
        if let network = resources.network { try translate(network) }
        try translate(resources.rdma)
        try translate(unified: resources.unified)
        if let devices = resources.devices { try translate(devices, origin: resources.origin) }
    }

    /// Adds a write to a file of a controller, which must be there.
    mutating func write(
        _ controller: String, _ file: String, _ value: String, _ origin: Origin, _ leniency: CgroupWrite.Leniency = .none,
        hint: String? = nil
    ) throws(CgroupError) {
        let directory = try require(controller, file, origin)
        writes.append(CgroupWrite(directory: directory, file: file, value: value, origin: origin, leniency: leniency, hint: hint))
    }

    /// The directory of a controller that a limit needs.
    mutating func require(_ controller: String, _ file: String, _ origin: Origin) throws(CgroupError) -> String {
        guard let index = layout.index(of: controller) else {
            throw CgroupError(
                "set the limit", file, problem: "this host has no cgroup controller \"\(controller)\"", origin: origin,
                hint: layout.isUnified
                    ? "see cgroup.controllers in the mount point of cgroup v2" : "see /proc/cgroups and mount the controller's hierarchy")
        }
        if places[index].hierarchy.isUnified, !needed.contains(where: { $0.controller == controller }) {
            needed.append(.init(controller: controller, origin: origin))
        }
        return places[index].directory
    }

    /// The error of a value that no kernel takes.
    func invalid(_ file: String, _ problem: String, value: String, _ origin: Origin, hint: String? = nil) -> CgroupError {
        CgroupError("set the limit", file, problem: problem, value: value, origin: origin, hint: hint)
    }

    /// The error of a limit that cgroup v2 cannot express.
    func onlyInV1(_ file: String, _ origin: Origin, hint: String? = nil) -> CgroupError {
        CgroupError(
            "set the limit", file, problem: "\(file) exists only in cgroup v1 and this host has cgroup v2", origin: origin, hint: hint)
    }

    /// The tolerance for files that newer kernels do without.
    static func tolerating(missing reason: String) -> CgroupWrite.Leniency {
        .tolerates([.noEntry, .notSupported], reason: reason)
    }
}

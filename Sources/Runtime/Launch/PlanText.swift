/// A launch in words: what `swoci plan` prints.

import Cgroups
import Plan
import Spec

extension Preparation {
    /// The steps of create and start in their order, a line each, with the config line that each comes from.
    func described(_ bundle: Bundle) -> [String] {
        var lines: [String] = []
        func add(_ text: String, _ origin: Origin) {
            let number = lines.count + 1
            var line = (number < 10 ? " " : "") + "\(number). \(text)"
            if let place = bundle.place(of: origin) { line += "   [\(place.file):\(place.line):\(place.column)]" }
            lines.append(line)
        }
        if let cgroup {
            let origin = bundle.config.linux.cgroupsPath?.origin ?? .none
            if let scope = cgroup.scope {
                add("have systemd make the scope \(scope.unit) in \(scope.slice), with the cgroup \(cgroup.path)", origin)
            } else {
                add("make the cgroup \(cgroup.path)", origin)
            }
            for write in cgroup.writes { add("write \(write.value) to \(write.directory)/\(write.file)", write.origin) }
        }
        for action in launch.describeRuntimeActions() { add(action.0, action.1) }
        for planned in launch.plan.steps { add(launch.plan.describe(planned), Origin(node: planned.origin)) }
        return lines
    }
}

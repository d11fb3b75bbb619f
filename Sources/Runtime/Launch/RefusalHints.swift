/// What a person could do about a step that the kernel refused, where an errno says less than is known.

import Linux
import Plan

extension Step {
    /// A way out, or a likely cause, for a step's failure.
    func hint(_ errno: Errno) -> String? {
        switch (self, errno) {
        case (.setScheduler, .notPermitted):
            "it needs CAP_SYS_NICE; a real-time policy in cgroup v1 also linux.resources.cpu.realtimeRuntime"
        case (.setScheduler, .busy): "the kernel has no room for it: the bandwidth of all deadlines is limited (kernel.sched_rt_runtime_us)"
        case (.setMemoryPolicy, .invalidArgument):
            "the nodes must be there (this host has \(onlineNodes)); MPOL_PREFERRED_MANY needs Linux 5.15, MPOL_WEIGHTED_INTERLEAVE 6.9"
        case (.setSysctl, .noEntry): "this kernel does not have it, or only for the host's first namespaces"
        case (.setSysctl, .invalidArgument): "the kernel does not take this value; a group must be mapped in the container's user namespace"
        case (.setSysctl, .accessDenied), (.setSysctl, .notPermitted): "the container's user namespace does not own it"
        case (.setExecLabel(let step), .noEntry) where step.module == SetExecLabel.Module.appArmor.rawValue: noProfile
        case (.supervise(let step), .noEntry) where step.profile.count > 0: noProfile
        case (.setExecLabel(let step), .invalidArgument) where step.module != SetExecLabel.Module.appArmor.rawValue:
            "the label is not valid in the loaded policy"
        default: nil
        }
    }

    private var noProfile: String { "the profile is not loaded: see /sys/kernel/security/apparmor/profiles" }

    private var onlineNodes: String {
        guard let nodes = try? readText("/sys/devices/system/node/online") else { return "one" }
        return nodes
    }
}

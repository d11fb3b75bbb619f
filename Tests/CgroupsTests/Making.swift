import Cgroups

extension Cgroup {
    /// Makes a cgroup whose record nobody keeps.
    static func make(_ plan: CgroupPlan) throws(CgroupError) {
        var record = plan.record()
        try make(plan, &record)
    }
}

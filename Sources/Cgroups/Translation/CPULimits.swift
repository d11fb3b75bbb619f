/// CPU limits. Source: config-linux.md#cpu; rows RC-01 to RC-09.

import Linux
import Spec

extension Translation {
    mutating func translate(_ cpu: Resources.CPU) throws(CgroupError) {
        try translateIdle(cpu)
        try translateShares(cpu)
        try checkBandwidth(cpu)
        try isUnified("cpu") ? translateBandwidthV2(cpu) : translateBandwidthV1(cpu)
        try translateRealtime(cpu)
        for (list, file) in [(cpu.cpus, "cpuset.cpus"), (cpu.mems, "cpuset.mems")] {
            guard let list, !list.value.isEmpty else { continue }
            try write("cpuset", file, list.value, list.origin, hint: "a cgroup can only have what its parent has (\(file) there)")
        }
    }

    private mutating func translateIdle(_ cpu: Resources.CPU) throws(CgroupError) {
        guard let idle = cpu.idle else { return }
        guard idle.value == 0 || idle.value == 1 else { throw invalid("cpu.idle", "idle is 0 or 1", value: "\(idle.value)", idle.origin) }
        let leniency = idle.value == 0 ? Self.tolerating(missing: "no cgroup is idle before Linux 5.15") : .none
        try write("cpu", "cpu.idle", "\(idle.value)", idle.origin, leniency, hint: "needs Linux 5.15")
    }

    private mutating func translateShares(_ cpu: Resources.CPU) throws(CgroupError) {
        var shares = Self.given(cpu.shares)
        // A group that was idle comes back with the default weight.
        if shares == nil, let idle = cpu.idle, idle.value == 0, recorded.cpu?.idle?.value == 1, let old = Self.given(recorded.cpu?.shares) {
            shares = Located(old.value, idle.origin)
        }
        guard let shares else { return }
        if (cpu.idle ?? recorded.cpu?.idle)?.value == 1 {
            // EINVAL: an idle cgroup's weight cannot be set.
            warnings.append(.init("an idle cgroup has no cpu shares: they are ignored", shares.origin))
            return
        }
        let most: UInt64 = 262_144
        if shares.value > most { warnings.append(.init("cpu shares above \(most) count as \(most)", shares.origin)) }
        if isUnified("cpu") {
            try write("cpu", "cpu.weight", "\(CPUWeight.of(shares: shares.value))", shares.origin)
        } else {
            try write("cpu", "cpu.shares", "\(min(shares.value, most))", shares.origin)
        }
    }

    private func checkBandwidth(_ cpu: Resources.CPU) throws(CgroupError) {
        let file = isUnified("cpu") ? "cpu.max" : "cpu.cfs_quota_us"
        if let quota = Self.given(cpu.quota), quota.value < 1000, quota.value != -1 {
            throw invalid(file, "the kernel's smallest quota is 1000 microseconds", value: "\(quota.value)", quota.origin)
        }
        if let period = Self.given(cpu.period), !(1000...1_000_000).contains(period.value) {
            throw invalid(
                isUnified("cpu") ? "cpu.max" : "cpu.cfs_period_us", "the period is 1000 to 1000000 microseconds", value: "\(period.value)",
                period.origin)
        }
        guard let quota = Self.given(cpu.quota) ?? Self.given(recorded.cpu?.quota), quota.value > 0 else { return }
        if let burst = cpu.burst, burst.value > UInt64(quota.value) {
            throw invalid(
                isUnified("cpu") ? "cpu.max.burst" : "cpu.cfs_burst_us", "the burst is at most the quota \(quota.value)",
                value: "\(burst.value)",
                burst.origin)
        }
        if cpu.burst == nil, let burst = recorded.cpu?.burst, burst.value > UInt64(quota.value) {
            throw invalid(file, "the quota is at least the burst \(burst.value)", value: "\(quota.value)", quota.origin)
        }
    }

    private mutating func translateBandwidthV1(_ cpu: Resources.CPU) throws(CgroupError) {
        let quota = Self.given(cpu.quota)
        let hint = "the parent's quota and period bound the container's"
        if let period = Self.given(cpu.period) {
            try write(
                "cpu", "cpu.cfs_period_us", "\(period.value)", period.origin, quota != nil ? .mayFollowNext : .none, hint: hint)
        }
        if let quota {
            try write(
                "cpu", "cpu.cfs_quota_us", "\(quota.value)", quota.origin, cpu.burst != nil ? .mayFollowNext : .none, hint: hint)
        }
        try translateBurst(cpu, file: "cpu.cfs_burst_us")
    }

    private mutating func translateBandwidthV2(_ cpu: Resources.CPU) throws(CgroupError) {
        let period = Self.given(cpu.period)
        if let quota = Self.given(cpu.quota) {
            // The kernel keeps the period that is not written; a new cgroup's is 100000.
            let amount = Self.amount(quota.value)
            let value = period.map { "\(amount) \($0.value)" } ?? amount
            try write("cpu", "cpu.max", value, quota.origin, cpu.burst != nil ? .mayFollowNext : .none)
        } else if let period {
            try write("cpu", "cpu.max", "\(period.value)", period.origin, .keepsFirstField)
        }
        try translateBurst(cpu, file: "cpu.max.burst")
    }

    private mutating func translateBurst(_ cpu: Resources.CPU, file: String) throws(CgroupError) {
        guard let burst = cpu.burst else { return }
        let leniency = burst.value == 0 ? Self.tolerating(missing: "there is no burst before Linux 5.14") : .none
        try write("cpu", file, "\(burst.value)", burst.origin, leniency, hint: "needs Linux 5.14 and a quota that is not smaller")
    }

    private mutating func translateRealtime(_ cpu: Resources.CPU) throws(CgroupError) {
        let hint = "needs CONFIG_RT_GROUP_SCHED and a budget in every parent"
        if let period = Self.given(cpu.realtimePeriod) {
            if isUnified("cpu") { throw onlyInV1("cpu.rt_period_us", period.origin) }
            let leniency: CgroupWrite.Leniency = Self.given(cpu.realtimeRuntime) != nil ? .mayFollowNext : .none
            try write("cpu", "cpu.rt_period_us", "\(period.value)", period.origin, leniency, hint: hint)
        }
        if let runtime = Self.given(cpu.realtimeRuntime) {
            if isUnified("cpu") { throw onlyInV1("cpu.rt_runtime_us", runtime.origin) }
            try write("cpu", "cpu.rt_runtime_us", "\(runtime.value)", runtime.origin, hint: hint)
        }
    }
}

/// Rules for the cgroup's limits. Rows RD, RM, RC, RB, RH, RU.

func checkResources(_ linux: Linux, _ findings: inout Findings) {
    guard let resources = linux.resources else { return }
    checkLimits(resources, isUpdate: false, &findings)
    if resources.devices == nil, !linux.has(.user) {
        findings.warning(resources.origin, "no device rules: the container may use every device that its capabilities allow", "RD-07")
    }
}

func checkLimits(_ resources: Resources, isUpdate: Bool, _ findings: inout Findings) {
    if let memory = resources.memory { checkMemory(memory, isUpdate: isUpdate, &findings) }
    if let cpu = resources.cpu { checkCPU(cpu, &findings) }
    if let blockIO = resources.blockIO { checkBlockIO(blockIO, &findings) }
    var pageSizes: Set<String> = []
    for limit in resources.hugepageLimits where !pageSizes.insert(limit.pageSize).inserted {
        findings.error(limit.origin, "a second limit for pages of \(limit.pageSize)", "RH-02")
    }
    for priority in resources.network?.priorities ?? [] where priority.value.name.isEmpty {
        findings.error(priority.origin, "an interface's name is empty", "RH-05")
    }
    if let pids = resources.pids, pids.value < -1 {
        findings.error(pids.origin, "pids limit must be -1 (no limit) or more", got: "\(pids.value)", "RH-07")
    }
    for pair in resources.unified {
        let isName = !pair.key.isEmpty && pair.key != "." && pair.key != ".." && !pair.key.utf8.contains(UInt8(ascii: "/"))
        if !isName { findings.error(pair.origin, "must be a file's name in the cgroup's directory", got: shown(pair.key), "RU-01") }
    }
}

private func checkMemory(_ memory: Resources.Memory, isUpdate: Bool, _ findings: inout Findings) {
    let limits = [
        (memory.limit, "RM-02"), (memory.reservation, "RM-03"), (memory.swap, "RM-04"), (memory.kernel, "RM-06"),
        (memory.kernelTCP, "RM-07"),
    ]
    for case (let limit?, let row) in limits where limit.value < -1 {
        findings.error(limit.origin, "must be -1 (no limit) or more", got: "\(limit.value)", row)
    }
    for case (let limit?, let row) in [(memory.kernel, "RM-06"), (memory.kernelTCP, "RM-07")] where limit.value > 0 {
        findings.warning(limit.origin, "kernels since 5.16 have no such limit: it is ignored", got: "\(limit.value)", row)
    }
    if let limit = memory.limit, limit.value == 0 { findings.note(limit.origin, "0 counts as no setting", "RM-02") }
    let limit = memory.limit?.value ?? 0
    if let reservation = memory.reservation, limit > 0, reservation.value > limit {
        findings.warning(reservation.origin, "reservation is above the limit", got: "\(reservation.value) > \(limit)", "RM-03")
    }
    if let swap = memory.swap, swap.value > 0 {
        if limit == 0, !isUpdate {
            findings.error(swap.origin, "swap is memory and swap together and needs a memory limit", got: "\(swap.value)", "RM-04")
        } else if limit > 0, swap.value < limit {
            findings.error(
                swap.origin, "swap is memory and swap together and must be at least the limit \(limit)", got: "\(swap.value)", "RM-04")
        }
    }
    if let swappiness = memory.swappiness, swappiness.value > 100 {
        findings.error(swappiness.origin, "swappiness must be in 0...100", got: "\(swappiness.value)", "RM-08")
    }
}

private func checkCPU(_ cpu: Resources.CPU, _ findings: inout Findings) {
    if let shares = cpu.shares, shares.value == 1 || shares.value > 262_144 {
        findings.note(shares.origin, "shares are brought into 2...262144", got: "\(shares.value)", "RC-01")
    }
    let quota = cpu.quota?.value ?? 0
    if let quota = cpu.quota, quota.value < -1 || (1..<1000).contains(quota.value) {
        findings.error(
            quota.origin, "quota must be -1 (no limit) or at least 1000", got: "\(quota.value)", hint: "kernel minimum is 1000 us", "RC-02")
    }
    if let burst = cpu.burst, quota > 0, burst.value > UInt64(quota) {
        findings.error(burst.origin, "burst is above the quota \(quota)", got: "\(burst.value)", "RC-03")
    }
    if let period = cpu.period, period.value != 0, !(1000...1_000_000).contains(period.value) {
        findings.error(period.origin, "period must be in 1000...1000000", got: "\(period.value)", "RC-04")
    }
    if let runtime = cpu.realtimeRuntime, let period = cpu.realtimePeriod, runtime.value > 0, UInt64(runtime.value) > period.value,
        period.value != 0
    {
        findings.error(runtime.origin, "realtimeRuntime is above realtimePeriod \(period.value)", got: "\(runtime.value)", "RC-05")
    }
    checkList(cpu.cpus, row: "RC-07", &findings)
    checkList(cpu.mems, row: "RC-08", &findings)
    if let idle = cpu.idle, idle.value != 0, idle.value != 1 {
        findings.error(idle.origin, "idle must be 0 or 1", got: "\(idle.value)", "RC-09")
    }
}

private func checkBlockIO(_ blockIO: Resources.BlockIO, _ findings: inout Findings) {
    for case (let weight?, let row) in [(blockIO.weight, "RB-01"), (blockIO.leafWeight, "RB-02")] {
        if weight.value != 0, !(10...1000).contains(weight.value) {
            findings.error(weight.origin, "weight must be in 10...1000", got: "\(weight.value)", row)
        }
    }
}

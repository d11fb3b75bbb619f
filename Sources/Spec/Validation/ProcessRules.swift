/// Rules for the process. Rows P.

func checkProcess(_ process: Process?, _ linux: Linux, _ findings: inout Findings) {
    guard let process else { return }
    checkProgram(process, &findings)
    checkRlimits(process.rlimits, &findings)
    if let sets = process.capabilities { checkCapabilities(sets, &findings) }
    if let adjustment = process.oomScoreAdj, !(-1000...1000).contains(adjustment.value) {
        findings.error(adjustment.origin, "oomScoreAdj must be in -1000...1000", got: "\(adjustment.value)", "P-23")
    }
    if let scheduler = process.scheduler { checkScheduler(scheduler, &findings) }
    checkList(process.execCPUAffinity?.initial, row: "P-36", &findings)
    checkList(process.execCPUAffinity?.final, row: "P-37", &findings)
    checkUser(process, linux, &findings)
}

private func checkProgram(_ process: Process, _ findings: inout Findings) {
    // What a document lacks was noted in decoding.
    if process.args.isEmpty, process.origin == .none { findings.error(.none, "args must have at least one element", "P-08") }
    if let program = process.args.first, program.value.isEmpty { findings.error(program.origin, "the program's name is empty", "P-08") }
    if !isAbsolute(process.cwd.value), process.cwd.origin != .none || !process.cwd.value.isEmpty {
        findings.error(process.cwd.origin, "cwd must be absolute", got: shown(process.cwd.value), "P-06")
    }
    for entry in process.env { checkEnvironmentEntry(entry, "P-07", &findings) }
    if process.consoleSize != nil, !process.terminal {
        findings.note(process.origin, "consoleSize is ignored without a terminal", "P-03")
    }
}

private func checkRlimits(_ limits: [Rlimit], _ findings: inout Findings) {
    var firstOfResource: [Int32: Int] = [:]
    for (index, limit) in limits.enumerated() {
        if let first = firstOfResource[limit.resource] {
            findings.error(limit.origin, "rlimits[\(index)] repeats \(limit.name) of rlimits[\(first)]", "P-10")
        } else {
            firstOfResource[limit.resource] = index
        }
        if limit.soft > limit.hard {
            findings.error(limit.origin, "soft limit is above the hard limit", got: "soft \(limit.soft) > hard \(limit.hard)", "P-12")
        }
    }
}

/// What the kernel would refuse to grant is dropped with a warning, by the specification (P-16).
private func checkCapabilities(_ sets: CapabilitySets, _ findings: inout Findings) {
    func warn(_ set: CapabilitySet, _ reason: String, _ row: String) {
        for name in set.names { findings.warning(sets.origin, "\(name) \(reason)", row) }
    }
    warn(sets.effective.subtracting(sets.permitted), "is ignored in effective: not permitted", "P-18")
    warn(sets.ambient.subtracting(sets.inheritable), "cannot be ambient: not inheritable", "P-21")
    warn(sets.ambient.intersection(sets.inheritable).subtracting(sets.permitted), "cannot be ambient: not permitted", "P-21")
}

private func checkScheduler(_ scheduler: Scheduler, _ findings: inout Findings) {
    let origin = scheduler.origin
    let policy = SchedulerNames.name(scheduler.policy)
    if scheduler.policy == SchedulerNames.unimplemented {
        findings.error(origin, "Linux has no SCHED_ISO", "P-25")
        return
    }
    if !(-20...19).contains(scheduler.nice) { findings.error(origin, "nice must be in -20...19", got: "\(scheduler.nice)", "P-26") }
    if scheduler.policy == SchedulerNames.fifo || scheduler.policy == SchedulerNames.roundRobin {
        if !(1...99).contains(scheduler.priority) {
            findings.error(origin, "\(policy) needs a priority in 1...99", got: "\(scheduler.priority)", "P-27")
        }
    } else if scheduler.priority != 0 {
        findings.error(origin, "\(policy) has no priority", got: "\(scheduler.priority)", "P-27")
    }
    if scheduler.flags & SchedulerNames.utilClamp != 0 {
        findings.warning(origin, "the config has no utilization values: UTIL_CLAMP flags set the clamp to 0", "P-28")
    }
    checkDeadline(scheduler, policy, &findings)
}

private func checkDeadline(_ scheduler: Scheduler, _ policy: String, _ findings: inout Findings) {
    let (runtime, deadline, period) = (scheduler.runtime, scheduler.deadline, scheduler.period)
    guard scheduler.policy == SchedulerNames.deadline else {
        if runtime != 0 || deadline != 0 || period != 0 {
            findings.error(scheduler.origin, "runtime, deadline and period need SCHED_DEADLINE, not \(policy)", "P-29")
        }
        return
    }
    // Period 0 stands for the deadline.
    if runtime == 0 || runtime > deadline || (period != 0 && deadline > period) {
        findings.error(
            scheduler.origin, "SCHED_DEADLINE needs 0 < runtime <= deadline <= period", got: "\(runtime), \(deadline), \(period)", "P-29")
    }
}

/// A list of CPUs or nodes.
func checkList(_ list: Located<String>?, row: String, _ findings: inout Findings) {
    guard let list, case .failure(let problem) = IndexList.parse(list.value) else { return }
    findings.error(list.origin, problem.message, got: shown(list.value), row)
}

private func checkUser(_ process: Process, _ linux: Linux, _ findings: inout Findings) {
    let user = process.user
    let ids = [(user.uid, "P-39"), (user.gid, "P-40")] + user.additionalGids.map { ($0, "P-43") }
    for (id, row) in ids where id.value == UInt32.max {
        findings.error(id.origin, "4294967295 is no id: to the kernel it means \"unchanged\"", row)
    }
    // The kernel's limit (NGROUPS_MAX, setgroups(2)).
    if user.additionalGids.count > 65536 {
        findings.error(
            user.additionalGids[65536].origin, "a process has at most 65536 groups", got: "\(user.additionalGids.count)", "P-43")
    }
    if let umask = user.umask, umask > 0o777 { findings.error(process.origin, "umask must be in 0...511", got: "\(umask)", "P-42") }
    let uid = user.uid.origin == .none ? Located(user.uid.value, process.origin) : user.uid
    let gid = user.gid.origin == .none ? Located(user.gid.value, process.origin) : user.gid
    checkMapped(uid, "uid", linux.uidMappings, linux, row: "P-39", &findings)
    checkMapped(gid, "gid", linux.gidMappings, linux, row: "P-40", &findings)
    for gid in user.additionalGids { checkMapped(gid, "gid", linux.gidMappings, linux, row: "P-43", &findings) }
}

/// An id that a process or a file is to have must exist in a new user namespace.
func checkMapped(
    _ id: Located<UInt32>, _ kind: String, _ mappings: [IDMapping], _ linux: Linux, row: String, _ findings: inout Findings
) {
    guard !mappings.isEmpty, !linux.lacksMappings, let user = linux.namespace(.user), user.path == nil else { return }
    for mapping in mappings where id.value >= mapping.containerID && id.value - mapping.containerID < mapping.size { return }
    findings.error(id.origin, "\(kind) \(id.value) is not mapped in linux.\(kind)Mappings", row)
}

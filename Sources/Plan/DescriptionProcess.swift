/// The steps of the payload's process in words.

extension Plan {
    func describe(_ fields: RunHook) -> String {
        let kind = fields.kind == RunHook.Kind.createContainer.rawValue ? "createContainer" : "startContainer"
        let timeout = fields.timeout == 0 ? "" : ", for \(fields.timeout) s at most"
        return "run \(kind) hook \(fields.index), \(show(fields.path))\(timeout)"
    }

    func describe(_ fields: OpenConsole) -> String {
        var text = "open a terminal for uid \(fields.uid)"
        if fields.rows != 0 || fields.columns != 0 { text += " (\(fields.rows) rows, \(fields.columns) columns)" }
        return text + (fields.mountsConsole == 1 ? ", also as /dev/console" : "")
    }

    func describe(_ fields: Supervise) -> String {
        let kept = fields.capabilities == 0 ? "no capability" : capabilityNames(fields.capabilities)
        let profile = fields.profile.count == 0 ? "" : " and the AppArmor profile \(show(fields.profile))"
        let label = fields.label.count == 0 ? "" : " and the SELinux label \(show(fields.label)), if the policy lets it"
        return "go on in a child, supervised by a process of \(userWords(fields.user)) with \(kept)\(profile)\(label)"
    }

    func describe(_ fields: SetScheduler) -> String {
        let names = ["SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE"]
        var words = [Int(fields.policy) < names.count ? names[Int(fields.policy)] : "\(fields.policy)"]
        if fields.nice != 0 { words.append("nice \(Int32(bitPattern: fields.nice))") }
        if fields.priority != 0 { words.append("priority \(fields.priority)") }
        if fields.flags != 0 { words.append("flags 0x\(hexadecimal(fields.flags))") }
        if fields.period | fields.runtime | fields.deadline != 0 {
            words.append("\(fields.runtime) ns of every \(fields.period) ns by \(fields.deadline) ns")
        }
        return "set the scheduler \(words.joined(separator: ", "))"
    }

    func describe(_ fields: SetIOPriority) -> String {
        let classes = ["none", "real time", "best effort", "idle"]
        let number = Int(fields.value >> 13)
        return "set the I/O priority \(number < classes.count ? classes[number] : "\(number)") \(fields.value & 0x1FFF)"
    }

    func describe(_ fields: SetMemoryPolicy) -> String {
        let names = [
            "MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED_MANY",
            "MPOL_WEIGHTED_INTERLEAVE",
        ]
        let mode = Int(fields.mode & 0xFFF)
        var text = "set the memory policy \(mode < names.count ? names[mode] : "\(mode)")"
        if fields.mode >> 12 != 0 { text += " with flags 0x\(hexadecimal(UInt64(fields.mode & ~0xFFF)))" }
        let nodes = indices(fields.mask)
        return nodes.isEmpty ? text : "\(text) on nodes \(nodes.joined(separator: ", "))"
    }

    func describe(_ fields: SetExecLabel) -> String {
        if fields.module == SetExecLabel.Module.keys.rawValue { return "give new keys the SELinux label \(show(fields.label))" }
        let module = fields.module == SetExecLabel.Module.appArmor.rawValue ? "AppArmor profile" : "SELinux label"
        return "set the payload's \(module) \(show(fields.label))"
    }

    func describe(_ fields: SetCapabilities) -> String {
        var parts: [String] = []
        if fields.effective == fields.permitted {
            parts.append("effective and permitted \(capabilityNames(fields.effective))")
        } else {
            parts.append("effective \(capabilityNames(fields.effective))")
            parts.append("permitted \(capabilityNames(fields.permitted))")
        }
        if fields.inheritable != 0 { parts.append("inheritable \(capabilityNames(fields.inheritable))") }
        if fields.ambient != 0 { parts.append("ambient \(capabilityNames(fields.ambient))") }
        return "set capabilities: \(parts.joined(separator: "; "))"
    }

    func describe(_ fields: FindExecutable) -> String {
        let text = "look for the program \(show(fields.file))"
        return fields.searchPath.count == 0 ? text : "\(text) in \(strings(fields.searchPath).map { shownText($0) }.joined(separator: ":"))"
    }

    func describe(_ fields: LoadSeccomp) -> String {
        "load the system call filter of \(fields.program.count / 8) instructions"
            + (fields.flags == 0 ? "" : " with flags 0x\(hexadecimal(UInt64(fields.flags)))")
            + (fields.hasListener ? ", and hand its listener over" : "")
    }

    func describe(_ fields: Execute) -> String {
        let kept = fields.preservedDescriptors
        let descriptors = kept == 0 ? "" : ", with descriptors 3 to \(kept + 2)"
        let count = fields.environment.count
        return "execute \(show(fields.arguments)) with \(count) environment \(count == 1 ? "entry" : "entries")\(descriptors)"
    }

    func userWords(_ fields: SetUser) -> String {
        // More than a person reads are counted.
        let all = numbers(fields.groups)
        let groups = all.prefix(32).map { "\($0)" } + (all.count > 32 ? ["\(all.count - 32) more"] : [])
        return "uid \(fields.uid), gid \(fields.gid)" + (groups.isEmpty ? "" : ", groups \(groups.joined(separator: ", "))")
    }
}

/// Memory limits. Source: config-linux.md#memory; rows RM-01 to RM-11.

import Linux
import Spec

extension Translation {
    mutating func translate(_ memory: Resources.Memory) throws(CgroupError) {
        try translateKernelMemory(memory)
        try translateReservation(memory)
        try isUnified("memory") ? translateV2(memory) : translateV1(memory)
        if let swappiness = memory.swappiness {
            if swappiness.value > 100 {
                throw invalid("memory.swappiness", "swappiness is 0 to 100", value: "\(swappiness.value)", swappiness.origin)
            }
            if isUnified("memory") { throw onlyInV1("memory.swappiness", swappiness.origin) }
            try write("memory", "memory.swappiness", "\(swappiness.value)", swappiness.origin)
        }
    }

    /// Kernel memory, which cgroup v2 counts with the rest, and v1 since Linux 5.16 as well but for TCP's (RM-06, RM-07).
    private mutating func translateKernelMemory(_ memory: Resources.Memory) throws(CgroupError) {
        for (limit, file) in [(memory.kernel, "memory.kmem.limit_in_bytes"), (memory.kernelTCP, "memory.kmem.tcp.limit_in_bytes")] {
            guard let limit = Self.given(limit) else { continue }
            warnings.append(.init("kernel memory limits are obsolete: what the kernel does not have is ignored", limit.origin))
            if isUnified("memory") { continue }
            try write("memory", file, "\(limit.value)", limit.origin, Self.tolerating(missing: "kernel memory counts as memory"))
        }
    }

    /// The soft limit; on v2 a protection, as all runtimes translate it (RM-03).
    private mutating func translateReservation(_ memory: Resources.Memory) throws(CgroupError) {
        guard let reservation = Self.given(memory.reservation) else { return }
        if let limit = Self.given(memory.limit), limit.value > 0, reservation.value > limit.value {
            warnings.append(.init("the memory reservation is above the limit", reservation.origin))
        }
        if isUnified("memory") {
            try write("memory", "memory.low", Self.amount(reservation.value), reservation.origin)
        } else {
            try write("memory", "memory.soft_limit_in_bytes", "\(reservation.value)", reservation.origin)
        }
    }

    private mutating func translateV1(_ memory: Resources.Memory) throws(CgroupError) {
        // Must come before the limits: it can only be set while the cgroup has no children (before 5.11).
        if let hierarchy = memory.useHierarchy {
            let value = hierarchy.value ? "1" : "0"
            let leniency = hierarchy.value ? Self.tolerating(missing: "the hierarchy is always used") : .none
            try write("memory", "memory.use_hierarchy", value, hierarchy.origin, leniency, hint: "Linux 5.11 and later always use it")
        }
        let limit = Self.given(memory.limit)
        let swap = try memoryAndSwap(memory)
        if let limit {
            try write(
                "memory", "memory.limit_in_bytes", "\(limit.value)", limit.origin, swap != nil ? .mayFollowNext : .none,
                hint: "the container may be using more already")
            requireUsageBelow(memory, limit.value, .init(file: "memory.usage_in_bytes", limit: "memory limit"))
        }
        if let swap {
            // Without swap accounting nothing is swapped out of reach of the limit that "no swap at all" or "no limit" ask for.
            let harmless = swap.value == -1 || swap.value == limit?.value
            try write(
                "memory", "memory.memsw.limit_in_bytes", "\(swap.value)", swap.origin,
                harmless ? Self.tolerating(missing: "swap is not accounted") : .none, hint: "swap accounting needs swapaccount=1 at boot")
            requireUsageBelow(memory, swap.value, .init(file: "memory.memsw.usage_in_bytes", limit: "memory+swap limit"))
        }
        // A new cgroup's killer is on.
        if let oom = memory.disableOOMKiller, oom.value || recorded.memory?.disableOOMKiller?.value == true {
            try write("memory", "memory.oom_control", oom.value ? "1" : "0", oom.origin)
        }
    }

    private mutating func translateV2(_ memory: Resources.Memory) throws(CgroupError) {
        if let hierarchy = memory.useHierarchy, !hierarchy.value {
            throw onlyInV1("memory.use_hierarchy", hierarchy.origin, hint: "cgroup v2 always counts children")
        }
        if let oom = memory.disableOOMKiller, oom.value {
            throw onlyInV1("memory.oom_control", oom.origin, hint: "use memory.high in resources.unified")
        }
        let limit = Self.given(memory.limit)
        let swap = try memoryAndSwap(memory)
        if let swap = swap ?? swapInForce(limit) {
            let inForce = limit ?? Self.given(recorded.memory?.limit)
            let alone = swap.value < 0 ? -1 : swap.value - max(inForce?.value ?? 0, 0)
            // What create tolerated is no error later.
            let isHarmless = alone <= 0 || Self.given(memory.swap) == nil
            try write(
                "memory", "memory.swap.max", Self.amount(alone), swap.origin,
                isHarmless ? Self.tolerating(missing: "swap is not accounted") : .none, hint: "swap accounting needs swapaccount=1 at boot")
        }
        if let limit {
            try write("memory", "memory.max", Self.amount(limit.value), limit.origin)
            requireUsageBelow(memory, limit.value, .init(file: "memory.current", limit: "memory limit"))
        }
    }

    /// Has the last write refused where the container uses as much already, if the config asks for the look (RM-11).
    private mutating func requireUsageBelow(_ memory: Resources.Memory, _ limit: Int64, _ usage: CgroupWrite.Usage) {
        guard let check = memory.checkBeforeUpdate ?? recorded.memory?.checkBeforeUpdate, check.value, limit > 0 else { return }
        writes[writes.count - 1].usage = usage
    }

    /// The limit of memory and swap that a new memory limit leaves in force: on v2 what is left of it for swap has to be set anew.
    private func swapInForce(_ limit: Located<Int64>?) -> Located<Int64>? {
        guard let limit, let swap = Self.given(recorded.memory?.swap), swap.value > 0 else { return nil }
        return Located(swap.value, limit.origin)
    }

    /// The limit of memory and swap together, which must be at least the memory limit; -1 is none; nil: leave it alone (RM-04).
    private func memoryAndSwap(_ memory: Resources.Memory) throws(CgroupError) -> Located<Int64>? {
        let file = isUnified("memory") ? "memory.swap.max" : "memory.memsw.limit_in_bytes"
        let limit = Self.given(memory.limit)
        guard let swap = Self.given(memory.swap) else {
            // No limit of memory is also none of memory and swap.
            if let limit, limit.value == -1 { return Located(-1, limit.origin) }
            if let limit, let inForce = swapInForce(limit), limit.value > inForce.value {
                throw invalid(
                    isUnified("memory") ? "memory.max" : "memory.limit_in_bytes",
                    "the limit of memory and swap together is \(inForce.value), and must be at least the memory limit",
                    value: "\(limit.value)", limit.origin, hint: "set memory.swap as well")
            }
            return nil
        }
        if swap.value == -1 { return swap }
        guard let limit = limit ?? Self.given(recorded.memory?.limit) else {
            throw invalid(
                file, "swap is memory and swap together and needs a memory limit", value: "\(swap.value)", swap.origin,
                hint: "set memory.limit")
        }
        if limit.value > swap.value {
            throw invalid(
                file, "swap is memory and swap together and must be at least the limit \(limit.value)", value: "\(swap.value)", swap.origin)
        }
        return swap
    }

    /// A value that is not absent; 0 is how engines say "leave it alone".
    static func given<Number: BinaryInteger>(_ value: Located<Number>?) -> Located<Number>? {
        guard let value, value.value != 0 else { return nil }
        return value
    }

    /// An amount as v2 takes it: -1 is "max".
    static func amount(_ value: Int64) -> String { value < 0 ? "max" : "\(value)" }
}

/// Limits on top of limits: what is set after an update that names only some.
///
/// Zeros leave a limit alone wherever 0 is no limit of its own, as engines send whole objects full of them.

extension Resources {
    /// These limits with those of an update in their places.
    ///
    /// - Source: row CLI-13; config-linux.md#control-groups.
    public func updated(by update: Resources) -> Resources {
        var result = self
        if let devices = update.devices, !devices.isEmpty { result.devices = devices }
        if let memory = update.memory { result.memory = (self.memory ?? Memory()).updated(by: memory) }
        if let cpu = update.cpu { result.cpu = (self.cpu ?? CPU()).updated(by: cpu) }
        if let blockIO = update.blockIO { result.blockIO = (self.blockIO ?? BlockIO()).updated(by: blockIO) }
        if let network = update.network { result.network = (self.network ?? Network()).updated(by: network) }
        if let pids = update.pids { result.pids = pids }
        result.hugepageLimits = merge(hugepageLimits, update.hugepageLimits) { $0.pageSize == $1.pageSize }
        result.rdma = merge(rdma, update.rdma) { $0.device == $1.device }
        result.unified = merge(unified, update.unified) { $0.key == $1.key }
        // The same limit by another name.
        if let pair = update.unified.first(where: { $0.key == "memory.max" }) {
            let limit = pair.value == "max" ? -1 : Int64(pair.value)
            if let limit, limit != 0 { result.memory = (result.memory ?? Memory()).updated(by: Memory(limit: Located(limit, pair.origin))) }
        } else if (update.memory?.limit?.value ?? 0) != 0 {
            result.unified.removeAll { $0.key == "memory.max" }
        }
        return result
    }
}

/// A list with the elements of another one, which replace those that are about the same thing.
private func merge<Element>(_ old: [Element], _ new: [Element], isSame: (Element, Element) -> Bool) -> [Element] {
    if new.isEmpty { return old }
    return old.filter { element in !new.contains { isSame($0, element) } } + new
}

/// The new value, unless it is absent or 0.
private func given<Number: BinaryInteger>(_ new: Located<Number>?, else old: Located<Number>?) -> Located<Number>? {
    if let new, new.value != 0 { return new }
    return old
}

/// The new text, unless it is absent or empty.
private func given(_ new: Located<String>?, else old: Located<String>?) -> Located<String>? {
    if let new, !new.value.isEmpty { return new }
    return old
}

extension Resources.Memory {
    fileprivate init(limit: Located<Int64>) { self.limit = limit }

    fileprivate func updated(by update: Resources.Memory) -> Resources.Memory {
        var result = self
        result.limit = given(update.limit, else: limit)
        result.reservation = given(update.reservation, else: reservation)
        result.swap = given(update.swap, else: swap)
        // No limit of memory is also none of memory and swap (RM-04).
        if update.limit?.value == -1, (update.swap?.value ?? 0) == 0 { result.swap = update.limit }
        result.kernel = given(update.kernel, else: kernel)
        result.kernelTCP = given(update.kernelTCP, else: kernelTCP)
        result.swappiness = update.swappiness ?? swappiness
        result.disableOOMKiller = update.disableOOMKiller ?? disableOOMKiller
        result.useHierarchy = update.useHierarchy ?? useHierarchy
        result.checkBeforeUpdate = update.checkBeforeUpdate ?? checkBeforeUpdate
        return result
    }
}

extension Resources.CPU {
    fileprivate func updated(by update: Resources.CPU) -> Resources.CPU {
        var result = self
        result.shares = given(update.shares, else: shares)
        result.quota = given(update.quota, else: quota)
        result.burst = update.burst ?? burst
        result.period = given(update.period, else: period)
        result.realtimeRuntime = given(update.realtimeRuntime, else: realtimeRuntime)
        result.realtimePeriod = given(update.realtimePeriod, else: realtimePeriod)
        result.cpus = given(update.cpus, else: cpus)
        result.mems = given(update.mems, else: mems)
        result.idle = update.idle ?? idle
        return result
    }
}

extension Resources.BlockIO {
    fileprivate func updated(by update: Resources.BlockIO) -> Resources.BlockIO {
        var result = self
        result.weight = given(update.weight, else: weight)
        result.leafWeight = given(update.leafWeight, else: leafWeight)
        result.weightDevice = merge(weightDevice, update.weightDevice) { $0.major == $1.major && $0.minor == $1.minor }
        result.throttleReadBps = throttles(throttleReadBps, update.throttleReadBps)
        result.throttleWriteBps = throttles(throttleWriteBps, update.throttleWriteBps)
        result.throttleReadIOPS = throttles(throttleReadIOPS, update.throttleReadIOPS)
        result.throttleWriteIOPS = throttles(throttleWriteIOPS, update.throttleWriteIOPS)
        return result
    }

    private func throttles(_ old: [Resources.Throttle], _ new: [Resources.Throttle]) -> [Resources.Throttle] {
        merge(old, new) { $0.major == $1.major && $0.minor == $1.minor }
    }
}

extension Resources.Network {
    fileprivate func updated(by update: Resources.Network) -> Resources.Network {
        var result = self
        if let classID = update.classID, classID.value != 0 { result.classID = classID }
        result.priorities = merge(priorities, update.priorities) { $0.value.name == $1.value.name }
        return result
    }
}

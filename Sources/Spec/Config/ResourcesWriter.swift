/// Limits as JSON, in the form that config.json has them: what decoding reads gives the same limits again.

extension Resources {
    /// Writes the object.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            if let devices { writer.array("devices") { writer in for rule in devices { rule.write(to: &writer) } } }
            if let memory { memory.write(to: &writer) }
            if let cpu { cpu.write(to: &writer) }
            if let blockIO { blockIO.write(to: &writer) }
            if !hugepageLimits.isEmpty {
                writer.array("hugepageLimits") { writer in
                    for limit in hugepageLimits {
                        writer.object { writer in
                            writer.member("pageSize", limit.pageSize)
                            writer.member("limit", limit.limit)
                        }
                    }
                }
            }
            if let network { network.write(to: &writer) }
            if let pids { writer.object("pids") { $0.member("limit", pids.value) } }
            if !rdma.isEmpty {
                writer.object("rdma") { writer in
                    for limit in rdma {
                        writer.object(limit.device) { writer in
                            if let handles = limit.hcaHandles { writer.member("hcaHandles", handles) }
                            if let objects = limit.hcaObjects { writer.member("hcaObjects", objects) }
                        }
                    }
                }
            }
            if !unified.isEmpty { writer.object("unified") { writer in for pair in unified { writer.member(pair.key, pair.value) } } }
        }
    }
}

extension Resources.DeviceRule {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("allow", allow)
            writer.member("type", kind == .all ? "a" : kind == .block ? "b" : "c")
            if let major { writer.member("major", major) }
            if let minor { writer.member("minor", minor) }
            writer.member("access", (read ? "r" : "") + (write ? "w" : "") + (mknod ? "m" : ""))
        }
    }
}

extension JSONWriter {
    fileprivate mutating func member<Integer: FixedWidthInteger>(_ name: String, _ value: Located<Integer>?) {
        if let value { member(name, value.value) }
    }

    fileprivate mutating func member(_ name: String, _ value: Located<Bool>?) {
        if let value { member(name, value.value) }
    }

    fileprivate mutating func member(_ name: String, _ value: Located<String>?) {
        if let value { member(name, value.value) }
    }
}

extension Resources.Memory {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object("memory") { writer in
            writer.member("limit", limit)
            writer.member("reservation", reservation)
            writer.member("swap", swap)
            writer.member("kernel", kernel)
            writer.member("kernelTCP", kernelTCP)
            writer.member("swappiness", swappiness)
            writer.member("disableOOMKiller", disableOOMKiller)
            writer.member("useHierarchy", useHierarchy)
            writer.member("checkBeforeUpdate", checkBeforeUpdate)
        }
    }
}

extension Resources.CPU {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object("cpu") { writer in
            writer.member("shares", shares)
            writer.member("quota", quota)
            writer.member("burst", burst)
            writer.member("period", period)
            writer.member("realtimeRuntime", realtimeRuntime)
            writer.member("realtimePeriod", realtimePeriod)
            writer.member("cpus", cpus)
            writer.member("mems", mems)
            writer.member("idle", idle)
        }
    }
}

extension Resources.BlockIO {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object("blockIO") { writer in
            writer.member("weight", weight)
            writer.member("leafWeight", leafWeight)
            if !weightDevice.isEmpty { writer.array("weightDevice") { writer in for device in weightDevice { device.write(to: &writer) } } }
            for (name, throttles) in [
                ("throttleReadBpsDevice", throttleReadBps), ("throttleWriteBpsDevice", throttleWriteBps),
                ("throttleReadIOPSDevice", throttleReadIOPS), ("throttleWriteIOPSDevice", throttleWriteIOPS),
            ] where !throttles.isEmpty {
                writer.array(name) { writer in for throttle in throttles { throttle.write(to: &writer) } }
            }
        }
    }
}

extension Resources.WeightDevice {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("major", major)
            writer.member("minor", minor)
            if let weight { writer.member("weight", weight) }
            if let leafWeight { writer.member("leafWeight", leafWeight) }
        }
    }
}

extension Resources.Throttle {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("major", major)
            writer.member("minor", minor)
            writer.member("rate", rate)
        }
    }
}

extension Resources.Network {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object("network") { writer in
            writer.member("classID", classID)
            if !priorities.isEmpty {
                writer.array("priorities") { writer in
                    for priority in priorities {
                        writer.object { writer in
                            writer.member("name", priority.value.name)
                            writer.member("priority", priority.value.priority)
                        }
                    }
                }
            }
        }
    }
}

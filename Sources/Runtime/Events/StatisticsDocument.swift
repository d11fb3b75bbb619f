/// The events that `events` prints, a JSON object each, in the shape and the order of keys that runc gave them and its readers know.
///
/// What is absent there where it is zero is absent here. Members of our own, `rdma` and `misc`, come last and only where a host has them.

public import Cgroups
import Spec

/// An event of a container.
public enum ContainerEvent: Equatable, Sendable {
    /// Statistics.
    case statistics(CgroupStatistics)
    /// A process was killed for want of memory.
    case outOfMemory

    /// The event as one line of JSON, without the newline.
    public func line(_ id: ContainerID) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            switch self {
            case .statistics(let statistics):
                writer.member("type", "stats")
                writer.member("id", id.name)
                writer.object("data") { writer in statistics.write(to: &writer) }
            case .outOfMemory:
                writer.member("type", "oom")
                writer.member("id", id.name)
            }
        }
        return writer.string
    }
}

extension CgroupStatistics {
    /// Writes the members of an event's `data`.
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object("cpu") { writer in cpu.write(to: &writer) }
        writer.object("cpuset") { writer in cpuset.write(to: &writer) }
        writer.object("memory") { writer in memory.write(to: &writer) }
        writer.object("pids") { writer in
            writer.nonZero("current", pids.current)
            writer.nonZero("limit", pids.limit)
        }
        writer.object("blkio") { writer in blockIO.write(to: &writer) }
        writer.object("hugetlb") { writer in
            for row in hugePages {
                writer.object(row.pageSize) { writer in
                    writer.nonZero("usage", row.usage)
                    writer.nonZero("max", row.maximum)
                    writer.member("failcnt", row.failures)
                }
            }
        }
        writer.object("intel_rdt") { _ in }
        // Those of runc's own network set-up, which is gone.
        writer.name("network_interfaces")
        writer.null()
        writeDevices(to: &writer)
    }

    private func writeDevices(to writer: inout JSONWriter) {
        if !rdmaCurrent.isEmpty || !rdmaLimit.isEmpty {
            writer.object("rdma") { writer in
                writer.array("current") { writer in for device in rdmaCurrent { device.write(to: &writer) } }
                writer.array("limit") { writer in for device in rdmaLimit { device.write(to: &writer) } }
            }
        }
        guard !misc.isEmpty else { return }
        writer.object("misc") { writer in
            for row in misc {
                writer.object(row.name) { writer in
                    writer.nonZero("usage", row.usage)
                    writer.nonZero("events", row.events)
                }
            }
        }
    }
}

extension CgroupStatistics.CPU {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object("usage") { writer in
            writer.nonZero("total", total)
            writer.nonEmpty("percpu", perCPU)
            writer.nonEmpty("percpu_kernel", perCPUKernel)
            writer.nonEmpty("percpu_user", perCPUUser)
            writer.member("kernel", kernel)
            writer.member("user", user)
        }
        writer.object("throttling") { writer in
            writer.nonZero("periods", periods)
            writer.nonZero("throttledPeriods", throttledPeriods)
            writer.nonZero("throttledTime", throttledTime)
        }
        pressure?.write(to: &writer)
    }
}

extension CgroupStatistics.CPUSet {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.nonEmpty("cpus", cpus)
        for (index, name) in Self.flagNames.enumerated() {
            if index == 1 { writer.nonEmpty("mems", mems) }
            writer.member(name, flags[index])
        }
        writer.member("sched_relax_domain_level", relaxDomainLevel)
    }
}

extension CgroupStatistics.Memory {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.nonZero("cache", cache)
        for (name, use) in [("usage", usage), ("swap", swap), ("kernel", kernel), ("kernelTCP", kernelTCP)] {
            writer.object(name) { writer in
                writer.member("limit", use.limit)
                writer.nonZero("usage", use.usage)
                writer.nonZero("max", use.maximum)
                writer.member("failcnt", use.failures)
            }
        }
        if !raw.isEmpty { writer.object("raw") { writer in raw.write(to: &writer) } }
        pressure?.write(to: &writer)
        if !events.isEmpty { writer.object("event_count") { writer in events.write(to: &writer) } }
    }
}

extension [CgroupStatistics.Counter] {
    /// Sorted by name, as encoders of maps do.
    fileprivate func write(to writer: inout JSONWriter) {
        for counter in sorted(by: { $0.name < $1.name }) { writer.member(counter.name, counter.value) }
    }
}

extension CgroupStatistics.BlockIO {
    fileprivate func write(to writer: inout JSONWriter) {
        let rows = [
            ("ioServiceBytesRecursive", serviceBytes), ("ioServicedRecursive", serviced), ("ioQueueRecursive", queued),
            ("ioServiceTimeRecursive", serviceTime), ("ioWaitTimeRecursive", waitTime), ("ioMergedRecursive", merged),
            ("ioTimeRecursive", time), ("sectorsRecursive", sectors),
        ]
        for (name, entries) in rows where !entries.isEmpty {
            writer.array(name) { writer in
                for entry in entries {
                    writer.object { writer in
                        writer.nonZero("major", entry.major)
                        writer.nonZero("minor", entry.minor)
                        if !entry.operation.isEmpty { writer.member("op", entry.operation) }
                        writer.nonZero("value", entry.value)
                    }
                }
            }
        }
        pressure?.write(to: &writer)
    }
}

extension CgroupStatistics.RDMADevice {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("device", name)
            if let handles { writer.member("hca_handles", handles) }
            if let objects { writer.member("hca_objects", objects) }
        }
    }
}

extension Pressure {
    /// Writes the member "psi".
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object("psi") { writer in
            for (name, stall) in [("some", some), ("full", full)] {
                writer.object(name) { writer in
                    for (name, share) in [("avg10", stall.average10), ("avg60", stall.average60), ("avg300", stall.average300)] {
                        writer.name(name)
                        writer.raw(share.text)
                    }
                    writer.member("total", stall.total)
                }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func nonZero(_ name: String, _ value: UInt64) {
        if value != 0 { member(name, value) }
    }

    fileprivate mutating func nonEmpty<Number: FixedWidthInteger>(_ name: String, _ values: [Number]) {
        if values.isEmpty { return }
        array(name) { writer in for value in values { writer.value(value) } }
    }
}

/// From the writes of a container's limits to properties of its unit, so that systemd itself has the same in mind when it writes the
/// unit's cgroup files again: at `daemon-reload`, or `set-property`. What it has no word for is in the files alone.

public import DBus
import Spec

/// A property of a unit.
public struct UnitProperty: Equatable, Sendable {
    /// Its name on D-Bus.
    public var name: String
    /// Its value.
    public var value: DBusValue

    /// Sets a property.
    public init(_ name: String, _ value: DBusValue) {
        self.name = name
        self.value = value
    }
}

/// A control file that has a property, by the form of its content.
private enum Form {
    /// A number, or "max".
    case amount
    /// A number that has a least value.
    case atLeast(UInt64)
    /// Numbers as in "0-3,7".
    case list
    /// "W" or "default W" for the default, "M:N W" for a device, with the property for devices.
    case weight(device: String)
    /// "M:N RATE" for a device.
    case rate
}

/// The control files with a property each.
///
/// `since` is the first systemd that has it. Source: systemd.resource-control(5); org.freedesktop.systemd1(5).
private let table: [(file: StaticString, property: String, since: Int, form: Form)] = [
    ("memory.max", "MemoryMax", 231, .amount),
    ("memory.high", "MemoryHigh", 231, .amount),
    ("memory.low", "MemoryLow", 231, .amount),
    ("memory.min", "MemoryMin", 240, .amount),
    ("memory.swap.max", "MemorySwapMax", 232, .amount),
    ("memory.zswap.max", "MemoryZSwapMax", 253, .amount),
    ("pids.max", "TasksMax", 227, .atLeast(1)),
    ("cpu.weight", "CPUWeight", 232, .amount),
    ("cpuset.cpus", "AllowedCPUs", 244, .list),
    ("cpuset.mems", "AllowedMemoryNodes", 244, .list),
    ("io.weight", "IOWeight", 230, .weight(device: "IODeviceWeight")),
    // cgroup v1
    ("memory.limit_in_bytes", "MemoryLimit", 205, .amount),
    ("cpu.shares", "CPUShares", 205, .amount),
    ("blkio.weight", "BlockIOWeight", 205, .weight(device: "")),
    ("blkio.weight_device", "BlockIOWeight", 205, .weight(device: "BlockIODeviceWeight")),
    ("blkio.throttle.read_bps_device", "BlockIOReadBandwidth", 205, .rate),
    ("blkio.throttle.write_bps_device", "BlockIOWriteBandwidth", 205, .rate),
]

/// The keys of io.max.
private let ioMaximum: [(key: StaticString, property: String)] = [
    ("rbps", "IOReadBandwidthMax"), ("wbps", "IOWriteBandwidthMax"), ("riops", "IOReadIOPSMax"), ("wiops", "IOWriteIOPSMax"),
]

/// The properties that mean the same as writes, for a systemd of a version.
///
/// - Source: rows CG-01, RM, RC, RB, RH-07, RU-01.
func unitProperties(_ writes: [CgroupWrite], version: Int) -> [UnitProperty] {
    var result: [UnitProperty] = []
    var bandwidth = Bandwidth()
    for write in writes {
        var file = write.file
        var value = write.value
        // systemd takes weights in the scale of io.weight and knows itself what BFQ makes of them.
        if file == "io.bfq.weight", case .otherwise(let other, let converted) = write.leniency { (file, value) = (other, converted) }
        switch file {
        case "cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us": bandwidth.take(write)
        case "cpu.idle":
            // Weight 0 is what the word "idle" stands for.
            if value == "1" && version >= 252 { result.append(UnitProperty("CPUWeight", .uint64(0))) }
        case "io.max": result += ioMaxima(value)
        default:
            for row in table where row.since <= version && equal(row.file, file) { result += property(row.property, row.form, value) }
        }
    }
    return result + bandwidth.properties(version)
}

private func property(_ name: String, _ form: Form, _ value: String) -> [UnitProperty] {
    switch form {
    case .amount: return amount(value).map { [UnitProperty(name, .uint64($0))] } ?? []
    case .atLeast(let least): return amount(value).map { [UnitProperty(name, .uint64(max(least, $0)))] } ?? []
    case .list: return bitmask(value).map { [UnitProperty(name, .bytes($0))] } ?? []
    case .rate: return device(value).map { [UnitProperty(name, .array(of: "(st)", [$0]))] } ?? []
    case .weight(let forDevices):
        let fields = split(value, " ")
        if fields.count == 1 || fields.first == "default" {
            return amount(fields.last ?? "").map { [UnitProperty(name, .uint64($0))] } ?? []
        }
        return device(value).map { [UnitProperty(forDevices, .array(of: "(st)", [$0]))] } ?? []
    }
}

/// "M:N VALUE" as a device's path with a number.
private func device(_ value: String) -> DBusValue? {
    let fields = split(value, " ")
    guard fields.count == 2, let number = amount(fields[1]) else { return nil }
    return deviceValue(fields[0], number)
}

private func deviceValue(_ numbers: String, _ value: UInt64) -> DBusValue {
    .structure([.string("/dev/block/" + numbers), .uint64(value)])
}

/// "M:N rbps=R wiops=max ..." as a property for each key.
private func ioMaxima(_ value: String) -> [UnitProperty] {
    let fields = split(value, " ")
    guard let numbers = fields.first else { return [] }
    var result: [UnitProperty] = []
    for field in fields.dropFirst() {
        let pair = split(field, "=")
        guard pair.count == 2, let rate = amount(pair[1]) else { continue }
        for row in ioMaximum where equal(row.key, pair[0]) {
            result.append(UnitProperty(row.property, .array(of: "(st)", [deviceValue(numbers, rate)])))
        }
    }
    return result
}

/// A number; "max" and what is below zero are all there is.
private func amount(_ text: String) -> UInt64? {
    if text == "max" || text.hasPrefix("-") { return .max }
    return UInt64(text)
}

/// A list as in "0-3,7" as a mask: bit n of byte n/8.
private func bitmask(_ list: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    for range in split(list, ",") {
        let ends = split(range, "-").map { UInt16($0) }
        guard ends.count == 1 || ends.count == 2, let first = ends[0], let last = ends[ends.count - 1], first <= last, last < 8192 else {
            return nil
        }
        for bit in Int(first)...Int(last) {
            while bytes.count <= bit / 8 { bytes.append(0) }
            bytes[bit / 8] |= 1 << UInt8(bit % 8)
        }
    }
    return bytes.isEmpty ? nil : bytes
}

private func equal(_ name: StaticString, _ text: String) -> Bool { name.description == text }

/// The CPU bandwidth, which is two numbers in one file or two.
private struct Bandwidth {
    private var quota: UInt64?
    private var period: UInt64?

    mutating func take(_ write: CgroupWrite) {
        switch write.file {
        case "cpu.cfs_quota_us": quota = amount(write.value)
        case "cpu.cfs_period_us": period = UInt64(write.value)
        default:
            let fields = split(write.value, " ")
            if write.leniency == .keepsFirstField {
                period = UInt64(write.value)
            } else {
                quota = fields.first.flatMap { amount($0) }
                if fields.count > 1 { period = UInt64(fields[1]) }
            }
        }
    }

    /// systemd has the quota for a second, in steps of 10 ms.
    ///
    /// It is rounded up: what it reads again at daemon-reload is never less than what was asked for.
    func properties(_ version: Int) -> [UnitProperty] {
        var result: [UnitProperty] = []
        if let quota {
            var perSecond = UInt64.max
            let product = quota.multipliedReportingOverflow(by: 1_000_000)
            if quota != .max && !product.overflow {
                let exact = product.partialValue / max(1, period ?? 100_000)
                perSecond = (exact + 9999) / 10_000 * 10_000
            }
            result.append(UnitProperty("CPUQuotaPerSecUSec", .uint64(perSecond)))
        }
        if let period, version >= 242 { result.append(UnitProperty("CPUQuotaPeriodUSec", .uint64(period))) }
        return result
    }
}

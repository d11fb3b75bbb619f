/// Limits of block devices. Source: config-linux.md#block-io; rows RB-01 to RB-07.

import Spec

extension Translation {
    /// The controller's name on this host.
    private var controller: String { isUnified ? "io" : "blkio" }

    /// Whether it is cgroup v2's, which is another one by name.
    private var isUnified: Bool { layout.index(of: "blkio") == nil && isUnified("io") }

    mutating func translate(_ blockIO: Resources.BlockIO) throws(CgroupError) {
        if let weight = Self.given(blockIO.weight) {
            try checkWeight(weight.value, weight.origin)
            let hint = "weights need the BFQ scheduler (or io.cost on cgroup v2)"
            if isUnified {
                let other = CgroupWrite.Leniency.otherwise(file: "io.weight", value: "\(Self.ioWeight(weight.value))")
                try write(controller, "io.bfq.weight", "\(weight.value)", weight.origin, other, hint: hint)
            } else {
                let other = CgroupWrite.Leniency.otherwise(file: "blkio.bfq.weight", value: "\(weight.value)")
                try write(controller, "blkio.weight", "\(weight.value)", weight.origin, other, hint: hint)
            }
        }
        if let leaf = Self.given(blockIO.leafWeight) { try translate(leafWeight: "\(leaf.value)", leaf.value, leaf.origin) }
        for device in blockIO.weightDevice { try translate(device) }
        try translate(blockIO.throttleReadBps, v1: "blkio.throttle.read_bps_device", v2: "rbps")
        try translate(blockIO.throttleWriteBps, v1: "blkio.throttle.write_bps_device", v2: "wbps")
        try translate(blockIO.throttleReadIOPS, v1: "blkio.throttle.read_iops_device", v2: "riops")
        try translate(blockIO.throttleWriteIOPS, v1: "blkio.throttle.write_iops_device", v2: "wiops")
    }

    /// The weight of `io.weight`: 10...1000 to 1...10000.
    static func ioWeight(_ weight: UInt16) -> UInt64 { 1 + (UInt64(weight) - 10) * 9999 / 990 }

    /// Whole disks have weights and rates, partitions have not.
    private static let wholeDisk = "name the whole disk, not a partition of it"

    private func checkWeight(_ weight: UInt16, _ origin: Origin) throws(CgroupError) {
        if !(10...1000).contains(weight) {
            throw invalid(isUnified ? "io.weight" : "blkio.weight", "a weight is 10 to 1000", value: "\(weight)", origin)
        }
    }

    private mutating func translate(leafWeight value: String, file: String = "blkio.leaf_weight", _ weight: UInt16, _ origin: Origin)
        throws(CgroupError)
    {
        try checkWeight(weight, origin)
        if isUnified { throw onlyInV1(file, origin) }
        try write(controller, file, value, origin, hint: "leaf weights went with the CFQ scheduler in Linux 5.0")
    }

    private mutating func translate(_ device: Resources.WeightDevice) throws(CgroupError) {
        let number = "\(device.major):\(device.minor)"
        if let weight = device.weight, weight != 0 {
            try checkWeight(weight, device.origin)
            let value = "\(number) \(weight)"
            if isUnified {
                let other = CgroupWrite.Leniency.otherwise(file: "io.weight", value: "\(number) \(Self.ioWeight(weight))")
                try write(controller, "io.bfq.weight", value, device.origin, other, hint: Self.wholeDisk)
            } else {
                let other = CgroupWrite.Leniency.otherwise(file: "blkio.bfq.weight_device", value: value)
                try write(controller, "blkio.weight_device", value, device.origin, other, hint: Self.wholeDisk)
            }
        }
        if let leaf = device.leafWeight, leaf != 0 {
            try translate(leafWeight: "\(number) \(leaf)", file: "blkio.leaf_weight_device", leaf, device.origin)
        }
    }

    private mutating func translate(_ throttles: [Resources.Throttle], v1: String, v2: String) throws(CgroupError) {
        for throttle in throttles {
            let number = "\(throttle.major):\(throttle.minor)"
            if isUnified {
                let rate = throttle.rate == 0 ? "max" : "\(throttle.rate)"
                try write(controller, "io.max", "\(number) \(v2)=\(rate)", throttle.origin, hint: Self.wholeDisk)
            } else {
                try write(controller, v1, "\(number) \(throttle.rate)", throttle.origin, hint: Self.wholeDisk)
            }
        }
    }
}

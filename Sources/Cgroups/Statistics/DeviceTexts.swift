/// Statistics files with a form of their own: lists of processors, their time in both modes, RDMA devices.

extension StatisticsText {
    /// A list of numbers and ranges: "0-3,8".
    ///
    /// - Source: cpuset(7), "List format".
    func list() throws(CgroupError) -> [UInt32] {
        var result: [UInt32] = []
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard let first = UInt32(ends[0]), let last = ends.count == 2 ? UInt32(ends[1]) : first, first <= last, last <= 1 << 16,
                ends.count <= 2
            else { throw malformed(part) }
            result += first...last
        }
        return result
    }

    /// cpuacct.usage_all: a header, then "CPU USER SYSTEM" in each line.
    func usageByMode() throws(CgroupError) -> (kernel: [UInt64], user: [UInt64]) {
        var result: (kernel: [UInt64], user: [UInt64]) = ([], [])
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            guard words.count == 3 else { throw malformed(line) }
            result.user.append(try number(words[1]))
            result.kernel.append(try number(words[2]))
        }
        return result
    }

    /// rdma.current and rdma.max: "mlx4_0 hca_handle=2 hca_object=max".
    func rdmaDevices() throws(CgroupError) -> [CgroupStatistics.RDMADevice] {
        var result: [CgroupStatistics.RDMADevice] = []
        for line in lines {
            let words = line.split(separator: " ")
            guard let name = words.first else { continue }
            var device = CgroupStatistics.RDMADevice(name: String(name))
            for word in words.dropFirst() {
                let parts = word.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else { throw malformed(word) }
                let value = parts[1] == "max" ? nil : try number(parts[1])
                if parts[0] == "hca_handle" { device.handles = value }
                if parts[0] == "hca_object" { device.objects = value }
            }
            result.append(device)
        }
        return result
    }

    /// The name of a page size in cgroup files, out of a directory of /sys/kernel/mm/hugepages: "hugepages-2048kB" is "2MB".
    static func pageSize(directory name: String) -> String? {
        guard name.utf8.starts(with: "hugepages-".utf8), name.utf8.suffix(2).elementsEqual("kB".utf8),
            let kilobytes = UInt64(name.dropFirst(10).dropLast(2))
        else { return nil }
        if kilobytes >= 1 << 20 { return "\(kilobytes >> 20)GB" }
        return kilobytes >= 1 << 10 ? "\(kilobytes >> 10)MB" : "\(kilobytes)KB"
    }
}

/// The counts of block devices: v1's files with an operation in each line, and v2's io.stat with a device in each.

extension StatisticsText {
    /// Lines such as "8:0 Read 4096" or "8:0 4096"; the sums ("8:0 Total 4096", "Total 4096") as the kernel writes them, the last one left out.
    ///
    /// - Source: Documentation/admin-guide/cgroup-v1/blkio-controller.rst.
    func blockIOEntries() throws(CgroupError) -> [CgroupStatistics.BlockIOEntry] {
        var result: [CgroupStatistics.BlockIOEntry] = []
        for line in lines {
            let words = line.split(separator: " ")
            // The sum over all devices.
            if words.first == "Total" { continue }
            guard words.count == 2 || words.count == 3 else { throw malformed(line) }
            let (major, minor) = try device(words[0])
            result.append(
                .init(
                    major: major, minor: minor, operation: words.count == 3 ? String(words[1]) : "",
                    value: try number(words[words.count - 1])))
        }
        return result
    }

    /// io.stat: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6".
    ///
    /// - Source: cgroup-v2.rst, "io.stat".
    func ioStat() throws(CgroupError) -> CgroupStatistics.BlockIO {
        var result = CgroupStatistics.BlockIO()
        for line in lines {
            let words = line.split(separator: " ")
            // A device that is gone has no numbers.
            guard let name = words.first, words.count > 1, name.contains(":") else { continue }
            let (major, minor) = try device(name)
            for word in words.dropFirst() {
                let parts = word.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else { throw malformed(word) }
                func entry(_ operation: String) throws(CgroupError) -> CgroupStatistics.BlockIOEntry {
                    .init(major: major, minor: minor, operation: operation, value: try number(parts[1]))
                }
                switch parts[0] {
                case "rbytes": result.serviceBytes.append(try entry("Read"))
                case "wbytes": result.serviceBytes.append(try entry("Write"))
                case "dbytes": result.serviceBytes.append(try entry("Discard"))
                case "rios": result.serviced.append(try entry("Read"))
                case "wios": result.serviced.append(try entry("Write"))
                case "dios": result.serviced.append(try entry("Discard"))
                // Those of io.cost and io.latency, which have no place in the result.
                default: continue
                }
            }
        }
        return result
    }

    private func device(_ word: Substring) throws(CgroupError) -> (major: UInt64, minor: UInt64) {
        let parts = word.split(separator: ":")
        guard parts.count == 2 else { throw malformed(word) }
        return (try number(parts[0]), try number(parts[1]))
    }
}

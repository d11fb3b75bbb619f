/// Reading a container's statistics from this host's hierarchies.

import Linux

extension Cgroup {
    /// The statistics of a container.
    ///
    /// - Throws: Where a file cannot be read or understood. What a host does not have is not missed.
    /// - Source: row CLI-12.
    public static func statistics(_ record: CgroupRecord, _ layout: CgroupLayout) throws(CgroupError) -> CgroupStatistics {
        let names = (try? subdirectories(of: "/sys/kernel/mm/hugepages")) ?? []
        let pageSizes = names.compactMap { StatisticsText.pageSize(directory: $0) }.sorted()
        let files = StatisticsReader { controller, file throws(CgroupError) in
            guard let directory = record.directory(of: controller, in: layout) else { return nil }
            return try readStatistics("\(directory)/\(file)")
        }
        if layout.isUnified { return try CgroupStatistics(v2: files, pageSizes: pageSizes) }
        return try CgroupStatistics(v1: files, pageSizes: pageSizes)
    }

    private static func readStatistics(_ path: String) throws(CgroupError) -> StatisticsText? {
        do throws(Errno) {
            var text = try readLongText(path)
            if text.utf8.last == UInt8(ascii: "\n") { text.removeLast() }
            return StatisticsText(path: path, text: text)
        } catch {
            // EOPNOTSUPP: pressure is off (psi=0), or a controller's file without its device. ENODEV: the cgroup was removed meanwhile.
            if error == .noEntry || error == .notSupported || error == .noDevice { return nil }
            throw CgroupError("read", path, error)
        }
    }
}

extension CgroupRecord {
    /// The container's directory where a controller is; "" stands for the unified hierarchy.
    ///
    /// On a v2 host that one has them all.
    func directory(of controller: String, in layout: CgroupLayout) -> String? {
        if controller.isEmpty || layout.isUnified { return unified }
        guard let index = layout.index(of: controller) else { return nil }
        let mountPoint = layout.hierarchies[index].mountPoint + "/"
        return paths.first { $0.utf8.starts(with: mountPoint.utf8) }
    }
}

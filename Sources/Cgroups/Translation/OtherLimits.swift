/// Huge pages, network classes, processes, RDMA and the raw files of cgroup v2. Source: config-linux.md; rows RH and RU.

import Linux
import Spec

extension Translation {
    /// The number of processes.
    ///
    /// 0 allows no process beside the first one, which is there already: that is a limit of 1. A literal 0 would keep the first one
    /// from being made in the cgroup (RH-07).
    mutating func translate(pids limit: Located<Int64>) throws(CgroupError) {
        if limit.value < -1 { throw invalid("pids.max", "the limit is at least -1", value: "\(limit.value)", limit.origin) }
        try write("pids", "pids.max", limit.value == 0 ? "1" : Self.amount(limit.value), limit.origin)
    }

    /// Huge pages: reservations where the kernel counts them, and page faults (RH-01).
    mutating func translate(_ limits: [Resources.HugepageLimit]) throws(CgroupError) {
        for limit in limits {
            let stem = "hugetlb." + limit.pageSize
            guard Self.isPageSize(limit.pageSize) else {
                throw invalid(stem, "a page size is a number with KB, MB or GB", value: limit.pageSize, limit.origin)
            }
            let (reserved, faulted) =
                isUnified("hugetlb") ? (".rsvd.max", ".max") : (".rsvd.limit_in_bytes", ".limit_in_bytes")
            let early = CgroupWrite.Leniency.tolerates([.noEntry], reason: "reservations are not limited before Linux 5.7")
            try write("hugetlb", stem + reserved, "\(limit.limit)", limit.origin, early)
            try write(
                "hugetlb", stem + faulted, "\(limit.limit)", limit.origin, hint: "the host's page sizes are in /sys/kernel/mm/hugepages")
        }
    }

    private static func isPageSize(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count >= 3, bytes[bytes.count - 1] == UInt8(ascii: "B"), bytes[0] != UInt8(ascii: "0") else { return false }
        let unit = bytes[bytes.count - 2]
        guard unit == UInt8(ascii: "K") || unit == UInt8(ascii: "M") || unit == UInt8(ascii: "G") else { return false }
        return bytes.dropLast(2).allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// The class and the priorities of packets, which only cgroup v1 has (RH-04 to RH-06).
    mutating func translate(_ network: Resources.Network) throws(CgroupError) {
        if let classID = network.classID, classID.value != 0 {
            if isUnified("net_cls") { throw onlyInV1("net_cls.classid", classID.origin) }
            try write("net_cls", "net_cls.classid", "\(classID.value)", classID.origin)
        }
        for priority in network.priorities {
            if isUnified("net_prio") { throw onlyInV1("net_prio.ifpriomap", priority.origin) }
            let value = "\(priority.value.name) \(priority.value.priority)"
            try write("net_prio", "net_prio.ifpriomap", value, priority.origin, hint: "the interface must exist on the host")
        }
    }

    /// RDMA handles and objects: the same file in both versions (RH-08).
    mutating func translate(_ limits: [Resources.RDMALimit]) throws(CgroupError) {
        for limit in limits {
            var value = limit.device
            if let handles = limit.hcaHandles { value += " hca_handle=\(handles)" }
            if let objects = limit.hcaObjects { value += " hca_object=\(objects)" }
            try write("rdma", "rdma.max", value, limit.origin, hint: "the host's devices are in /sys/class/infiniband")
        }
    }

    /// Files that no limit is set by: what is written to them changes which cgroups or processes there are, and how they are kept track of.
    private static let acts: [(file: String, reason: String)] = [
        (
            "cgroup.type",
            "a threaded cgroup cannot hold a container: its processes would be in several cgroups, and few controllers work there"
        ),
        ("cgroup.procs", "processes join the container's cgroup by create and exec only"),
        ("cgroup.threads", "processes join the container's cgroup by create and exec only"),
        ("cgroup.subtree_control", "a cgroup that enables controllers for its children takes no processes, and so no container"),
        ("cgroup.freeze", "pause freezes a container, and resume lets it go on"),
        ("cgroup.kill", "kill and delete end a container"),
    ]

    /// The raw files, after everything that was converted (RU-01).
    mutating func translate(unified pairs: [Pair]) throws(CgroupError) {
        for pair in pairs {
            let key = pair.key
            if key.isEmpty || key == "." || key == ".." || key.utf8.contains(UInt8(ascii: "/")) {
                throw invalid(key, "a key of resources.unified is the name of a file in the cgroup", value: pair.value, pair.origin)
            }
            let controller = String(key.prefix { $0 != "." })
            // Beside v1 hierarchies only what those have not is in cgroup v2, and what every cgroup of it has.
            guard let place = places.first(where: { $0.hierarchy.isUnified }), controller == "cgroup" || isUnified(controller) else {
                throw invalid(key, "resources.unified needs cgroup v2, and this host has cgroup v1", value: pair.value, pair.origin)
            }
            if let reason = Self.acts.first(where: { $0.file == key })?.reason {
                throw invalid(key, reason, value: pair.value, pair.origin)
            }
            let hint = "the file is not in the cgroup where the kernel is too old for it or a parent does not enable its controller"
            for line in split(pair.value, "\n") {
                if let other = writes.first(where: { $0.file == key && $0.origin != pair.origin && key != "io.max" }) {
                    if other.value == line { continue }
                    throw invalid(key, "another limit of the config already sets this file to \(other.value)", value: line, pair.origin)
                }
                if controller == "cgroup" {
                    writes.append(CgroupWrite(directory: place.directory, file: key, value: line, origin: pair.origin, hint: hint))
                } else {
                    try write(controller, key, line, pair.origin, hint: hint)
                }
            }
        }
    }
}

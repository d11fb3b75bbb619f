import Spec
import Testing

@testable import Cgroups

/// Layouts of three kinds of hosts.
enum Host {
    static let v1 = CgroupLayout(
        hierarchies: [
            "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb", "net_cls", "net_prio", "rdma",
        ]
        .map { CgroupHierarchy(mountPoint: "/cg/\($0)", controllers: [$0]) } + [
            CgroupHierarchy(mountPoint: "/cg/systemd", controllers: [])
        ])
    static let v2 = CgroupLayout(hierarchies: [
        CgroupHierarchy(
            mountPoint: "/cg", controllers: ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"], isUnified: true)
    ])
    static let hybrid = CgroupLayout(hierarchies: [
        CgroupHierarchy(mountPoint: "/cg/cpu,cpuacct", controllers: ["cpu", "cpuacct"]),
        CgroupHierarchy(mountPoint: "/cg/memory", controllers: ["memory"]),
        CgroupHierarchy(mountPoint: "/cg/freezer", controllers: ["freezer"]),
        CgroupHierarchy(mountPoint: "/cg/unified", controllers: [], isUnified: true),
    ])
}

/// A place in a document that tests can recognise.
let somewhere = Origin(node: 77)

func at<Value>(_ value: Value) -> Located<Value> { Located(value, somewhere) }

/// The writes of limits as "file=value", in order.
func writes(_ layout: CgroupLayout, _ change: (inout Resources) -> Void) throws -> [String] {
    var resources = Resources()
    change(&resources)
    return try CgroupPlan(cgroupsPath: nil, id: "c", layout: layout, resources: resources).writes.map { "\($0.file)=\($0.value)" }
}

/// The error that limits give.
func refusal(_ layout: CgroupLayout, _ change: (inout Resources) -> Void) -> CgroupError? {
    var resources = Resources()
    change(&resources)
    do {
        _ = try CgroupPlan(cgroupsPath: nil, id: "c", layout: layout, resources: resources)
        return nil
    } catch {
        return error
    }
}

import Spec
import Testing

@testable import Cgroups

@Suite("Cgroup paths and ownership (CG-01)")
struct PathTests {
    @Test(
        "a cgroupsPath gives the same path below every mount point",
        arguments: [
            (nil, "/swoci/c"), ("", "/swoci/c"), ("/a/b", "/a/b"), ("a/b", "/a/b"), ("//a//./b/", "/a/b"),
            ("/kubepods/pod1/x:y", "/kubepods/pod1/x:y"),
        ])
    func path(given: String?, expected: String) throws {
        let plan = try CgroupPlan(cgroupsPath: given.map { at($0) }, id: "c", layout: Host.hybrid, resources: nil)
        #expect(plan.path == expected)
        #expect(plan.places.map(\.directory) == ["cpu,cpuacct", "memory", "freezer", "unified"].map { "/cg/\($0)\(expected)" })
        #expect(plan.writes.isEmpty)
    }

    @Test(
        "a path out of the hierarchy, to its root, to the parent of all or with control characters is refused with its origin",
        arguments: ["..", "/a/../../b", "/a/..", "/", ".", "/a\nb", "/swoci", "swoci/."])
    func refused(path: String) {
        do {
            let plan = try CgroupPlan(cgroupsPath: at(path), id: "c", layout: Host.v1, resources: nil)
            Issue.record("accepted as \(plan.path)")
        } catch {
            #expect(error.origin == somewhere)
            #expect(error.path == path)
        }
    }

    @Test("the record owns what is missing: the leaf and its missing parents, outermost first")
    func missingParents() throws {
        let plan = try CgroupPlan(cgroupsPath: at("/pods/p1/c"), id: "c", layout: Host.hybrid, resources: nil)
        let present: Set = ["/cg/memory/pods", "/cg/memory/pods/p1", "/cg/freezer/pods", "/cg/unified/pods/p1/c"]
        let record = plan.record { present.contains($0) }
        #expect(
            record.created == [
                "/cg/cpu,cpuacct/pods", "/cg/cpu,cpuacct/pods/p1", "/cg/cpu,cpuacct/pods/p1/c", "/cg/memory/pods/p1/c",
                "/cg/freezer/pods/p1", "/cg/freezer/pods/p1/c",
            ])
        #expect(record.paths.count == 4)
        #expect(record.unified == "/cg/unified/pods/p1/c")
        #expect(record.freezer == "/cg/freezer/pods/p1/c")
    }

    @Test("the shared parent is nobody's")
    func sharedParent() throws {
        let plan = try CgroupPlan(cgroupsPath: nil, id: "c", layout: Host.v2, resources: nil)
        #expect(plan.record { _ in false }.created == ["/cg/swoci/c"])
    }
}

@Suite("Host layouts (CG-03)")
struct LayoutTests {
    private static let hybrid = """
        9:name=systemd:/
        3:net_cls,net_prio:/a:b
        2:cpu,cpuacct:/user.slice
        1:memory:/process/1471
        0::/
        """

    @Test("hierarchies stand where their names say, v2 last and without controllers")
    func listing() {
        #expect(
            CgroupLayout.parse(listing: Self.hybrid, root: "/sys/fs/cgroup") == [
                .init(mountPoint: "/sys/fs/cgroup/memory", controllers: ["memory"]),
                .init(mountPoint: "/sys/fs/cgroup/cpu,cpuacct", controllers: ["cpu", "cpuacct"]),
                .init(mountPoint: "/sys/fs/cgroup/net_cls,net_prio", controllers: ["net_cls", "net_prio"]),
                .init(mountPoint: "/sys/fs/cgroup/systemd", controllers: []),
                .init(mountPoint: "/sys/fs/cgroup/unified", controllers: [], isUnified: true),
            ])
    }

    @Test("the mount table gives the real mount points and drops what is not mounted")
    func mountTable() {
        let table = """
            22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
            30 22 0:25 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpuacct,cpu
            31 22 0:26 / /cgroups/mem rw,relatime - cgroup cgroup rw,memory
            32 22 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
            """
        let found = CgroupLayout.locate(
            CgroupLayout.parse(listing: Self.hybrid, root: "/sys/fs/cgroup"), in: CgroupLayout.parse(mountTable: table))
        #expect(
            found == [
                .init(mountPoint: "/cgroups/mem", controllers: ["memory"]),
                .init(mountPoint: "/sys/fs/cgroup/cpu", controllers: ["cpu", "cpuacct"]),
                .init(mountPoint: "/sys/fs/cgroup/systemd", controllers: []),
            ])
    }

    @Test("joined controllers are found by each of their names")
    func joined() {
        #expect(Host.hybrid.index(of: "cpuacct") == 0)
        #expect(Host.hybrid.index(of: "hugetlb") == nil)
        #expect(!Host.hybrid.isUnified)
        #expect(Host.v2.isUnified)
    }
}

import Spec
import Testing

@testable import Runtime

@Suite("Who owns the container's cgroup")
struct CgroupOwnerTests {
    struct Case: Sendable {
        var isV2 = true
        var hasNamespace = true
        var options = ""
        var owner: UInt32?
    }

    private func config(_ row: Case, _ change: (String) -> String = { $0 }) throws -> Config {
        let text = """
            {"ociVersion": "1.1.0", "root": {"path": "rootfs"},
             "process": {"args": ["true"], "cwd": "/", "user": {"uid": 7, "gid": 0}},
             "mounts": [{"destination": "/sys/fs/cgroup/", "type": "cgroup", "source": "cgroup", "options": ["nosuid"\(row.options)]}],
             "linux": {"namespaces": [{"type": "mount"}\(row.hasNamespace ? #", {"type": "cgroup"}"# : "")]}}
            """
        let (config, findings) = Config.check(try JSONDocument(Array(change(text).utf8)))
        #expect(!findings.hasErrors)
        return config
    }

    @Test(
        "its user does, on cgroup v2 with a namespace of its own and a mount without ro, and nowhere else (CG-06)",
        arguments: [
            Case(owner: 7), Case(options: #", "rw""#, owner: 7), Case(options: #", "ro""#), Case(hasNamespace: false),
            Case(hasNamespace: false, options: #", "ro""#), Case(isV2: false), Case(isV2: false, options: #", "ro""#),
            Case(isV2: false, hasNamespace: false),
        ])
    func rule(row: Case) throws {
        #expect(try config(row).cgroupOwner(isCgroupV2: row.isV2) == row.owner)
    }

    @Test("another mount, another place or a joined namespace do not count (CG-06)")
    func others() throws {
        for (old, new) in [
            (#""source": "cgroup""#, #""source": "other""#), ("/sys/fs/cgroup/", "/cgroup"),
            (#"{"type": "cgroup"}"#, #"{"type": "cgroup", "path": "/proc/1/ns/cgroup"}"#),
            (#"{"type": "cgroup"}"#, #"{"type": "cgroup"}, {"type": "user", "path": "/proc/1/ns/user"}"#),
        ] {
            let config = try config(Case()) { $0.replacing(old, with: new) }
            #expect(config.cgroupOwner(isCgroupV2: true) == nil, "\(new)")
        }
    }

    @Test("the user is the one on the host (CG-07)")
    func mapped() throws {
        let config = try config(Case()) {
            $0.replacing(
                #"{"type": "cgroup"}]"#,
                with: #"{"type": "cgroup"}, {"type": "user"}], "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 10}]"# + ", "
                    + #""gidMappings": [{"containerID": 0, "hostID": 100000, "size": 10}]"#)
        }
        #expect(config.cgroupOwner(isCgroupV2: true) == 100007)
    }
}

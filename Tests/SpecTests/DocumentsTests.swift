import Foundation
import Testing

@testable import Spec

@Suite("State, features and the template")
struct DocumentsTests {
    @Test("a state has runc's members in runc's order (ST-01 to ST-08)")
    func state() {
        var state = State(id: "c1", status: .running, pid: 42, bundle: "/b")
        #expect(state.json() == #"{"ociVersion":"1.3.0","id":"c1","pid":42,"status":"running","bundle":"/b"}"#)
        state.rootfs = "/b/rootfs"
        state.created = "2026-01-02T03:04:05.000000006Z"
        state.annotations = [Pair(key: "a", value: "\"")]
        state.owner = ""
        state.status = .stopped
        #expect(
            state.json(pretty: true) == """
                {
                  "ociVersion": "1.3.0",
                  "id": "c1",
                  "pid": 0,
                  "status": "stopped",
                  "bundle": "/b",
                  "rootfs": "/b/rootfs",
                  "created": "2026-01-02T03:04:05.000000006Z",
                  "annotations": {
                    "a": "\\""
                  },
                  "owner": ""
                }
                """)
        for status in ContainerStatus.allCases { #expect(ContainerStatus(name: status.name) == status) }
    }

    @Test("features name what the tables hold (FE-02 to FE-15, A-04)")
    func features() throws {
        let document = try document(featuresJSON(libseccompVersion: "2.5.4"))
        let root = document.root
        func strings(_ value: JSONValue?) -> [String] { value?.elements.compactMap { $0.string } ?? [] }
        #expect(root["ociVersionMin"]?.string == "1.0.0" && root["ociVersionMax"]?.string == "1.3.0")
        #expect(strings(root["hooks"]).count == 6)
        let options = strings(root["mountOptions"])
        #expect(options.count == 65 && Set(options).count == 65 && options.contains("rro") && options == options.sorted())
        let linux = try #require(root["linux"])
        #expect(strings(linux["namespaces"]) == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"])
        let capabilities = strings(linux["capabilities"])
        #expect(capabilities.count == 41 && capabilities.first == "CAP_CHOWN" && capabilities.last == "CAP_CHECKPOINT_RESTORE")
        let seccomp = try #require(linux["seccomp"])
        #expect(seccomp["enabled"]?.bool == true)
        #expect(strings(seccomp["actions"]).count == 9 && strings(seccomp["operators"]).count == 7 && strings(seccomp["archs"]).count == 23)
        #expect(strings(seccomp["knownFlags"]).count == 4)
        #expect(strings(linux["memoryPolicy"]?["modes"]).count == 7 && strings(linux["memoryPolicy"]?["flags"]).count == 3)
        #expect(linux["mountExtensions"]?["idmap"]?["enabled"]?.bool == true)
        #expect(linux["cgroup"]?["v1"]?.bool == true && linux["cgroup"]?["v2"]?.bool == true && linux["cgroup"]?["systemd"]?.bool == true)
        #expect(linux["netDevices"]?["enabled"]?.bool == true && linux["intelRdt"]?["enabled"]?.bool == true)
        #expect(root["annotations"]?["io.github.seccomp.libseccomp.version"]?.string == "2.5.4")
        #expect(linux["intelRdt"]?["schemata"]?.bool == true && linux["intelRdt"]?["monitoring"]?.bool == true)
        let unsafe = strings(root["potentiallyUnsafeConfigAnnotations"])
        #expect(unsafe.contains("org.swoci."))
        // What an image says of itself is the image's (A-03).
        for known in KnownAnnotation.allCases where !known.rawValue.hasPrefix("org.opencontainers.image.") {
            #expect(unsafe.contains { known.rawValue.hasPrefix($0) }, "\(known.rawValue) is not listed (FE-15)")
        }
    }

    @Test("features claim what the flags say")
    func flags() throws {
        var flags = FeatureFlags()
        flags.systemd = false
        flags.seccomp = false
        let text = featuresJSON(libseccompVersion: "", supportedSeccompFlags: [], flags: flags)
        let linux = try #require(try document(text).root["linux"])
        #expect(linux["cgroup"]?["systemd"]?.bool == false)
        #expect(linux["seccomp"]?.count == 1)
        let some = featuresJSON(libseccompVersion: "", seccompArchitectures: ["SCMP_ARCH_X86"], supportedSeccompFlags: [])
        let seccomp = try document(some).root["linux"]?["seccomp"]
        #expect(seccomp?["archs"]?.count == 1 && seccomp?["supportedFlags"]?.count == 0 && seccomp?["knownFlags"]?.count == 4)
    }

    @Test("docs/ANNOTATIONS.md lists every annotation that has an effect (A-04)")
    func annotationsDocument() throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: package.appendingPathComponent("docs/ANNOTATIONS.md"), encoding: .utf8)
        for known in KnownAnnotation.allCases { #expect(text.contains("| `\(known.rawValue)` |"), "\(known.rawValue) is missing") }
    }

    @Test("the template for root has nothing to find fault with")
    func template() throws {
        let text = SpecTemplate().json
        #expect(try findings(text) == [])
        let (config, _) = Config.decode(try document(text))
        #expect(
            config.mounts.map { $0.destination.value } == [
                "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup",
            ])
        #expect(config.linux.namespaces.map { $0.type } == [.pid, .network, .ipc, .uts, .mount, .cgroup])
        #expect(config.process?.capabilities?.bounding.names == ["CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE"])
        #expect(config.process?.terminal == true && config.process?.noNewPrivileges == true && config.root?.readonly == true)
        #expect(config.linux.resources?.devices?.count == 1)
        #expect(text.hasSuffix("}\n"))
    }

    @Test("the template for a user maps root and leaves out what a user may not do")
    func rootlessTemplate() throws {
        let text = SpecTemplate(rootless: SpecTemplate.Rootless(uid: 1000, gid: 1001)).json
        #expect(try findings(text) == [])
        let (config, _) = Config.decode(try document(text))
        #expect(config.linux.uidMappings.map { [$0.containerID, $0.hostID, $0.size] } == [[0, 1000, 1]])
        #expect(config.linux.gidMappings.map { [$0.containerID, $0.hostID, $0.size] } == [[0, 1001, 1]])
        #expect(config.linux.namespace(.user) != nil && config.linux.namespace(.network) == nil && config.linux.resources == nil)
        #expect(!text.contains("gid=5"))
        let sys = try #require(config.mounts.first { $0.destination.value == "/sys" })
        #expect(sys.isBind && sys.source?.value == "/sys")
        #expect(sys.options.contains { $0.value == .attribute(.readOnly, set: true, recursive: true) })
        #expect(config.mounts.last?.destination.value == "/sys/fs/cgroup")
    }
}

@Suite("Names")
struct NamesTests {
    @Test("the option table has the specification's 61 options, rnodev and three extensions (MO-01 to MO-35)")
    func mountOptions() {
        #expect(MountOption.names.count == 65)
        for row in MountOption.table { #expect(MountOption(row.name) == row.option) }
        #expect(MountOption("rnoatime") == .attribute(.noAtime, set: true, recursive: true))
        #expect(MountOption("suid") == .attribute(.noSuid, set: false, recursive: false))
        #expect(MountOption("loud") == .superblock(.silent, set: false))
        #expect(MountOption("runbindable") == .propagation(Propagation(.unbindable, recursive: true)))
        #expect(MountOption("size=64k") == .data(key: "size", value: "64k"))
        #expect(MountOption("newinstance") == .data(key: "newinstance", value: nil))
        #expect(MountOption("ridmap=uids=0-1-10;gids=0-1-10") == .idmap(recursive: true, mapping: "uids=0-1-10;gids=0-1-10"))
        #expect(MountOption("ro=1") == .data(key: "ro", value: "1"))
    }

    @Test("capabilities have the kernel's numbers (P-17)")
    func capabilities() {
        let numbers = ["CAP_CHOWN": 0, "CAP_NET_RAW": 13, "CAP_SYS_ADMIN": 21, "CAP_SETFCAP": 31, "CAP_CHECKPOINT_RESTORE": 40]
        for (name, number) in numbers { #expect(Capability(name: name)?.number == UInt8(number)) }
        #expect(Capability(name: "CHOWN") == nil && Capability(number: 41) == nil)
        #expect(CapabilitySet(rawValue: 0b100001).names == ["CAP_CHOWN", "CAP_KILL"])
    }

    @Test(
        "suggestions are near or absent",
        arguments: [
            ("noexce", "noexec"), ("NOEXEC", "noexec"), ("noexecutive", "noexec"), ("rbnid", "rbind"), ("size", nil), ("x", nil), ("", nil),
        ] as [(String, String?)])
    func suggestions(word: String, expected: String?) {
        #expect(nearest(to: word, among: ["noexec", "rbind", "ro", "nosuid"]) == expected)
    }

    @Test("lists of CPUs are merged and in order; faults have a column (P-36, RC-07)")
    func indexLists() throws {
        #expect(try IndexList.parse("0-3,7").get() == [0...3, 7...7])
        #expect(try IndexList.parse("7,0-3,2-5").get() == [0...5, 7...7])
        #expect(try IndexList.parse("").get() == [])
        for (text, column) in [("0-", 1), ("0,,1", 3), ("0-3,x", 5), ("3-1", 1), ("0,70000", 3), (" 1", 1), ("1,", 3)] {
            guard case .failure(let problem) = IndexList.parse(text) else {
                Issue.record("\(text) is taken for a list")
                continue
            }
            #expect(problem.message == "bad list at column \(column): want numbers and ranges such as 0-3,7")
        }
    }

    @Test(
        "sysctl names have two forms (SY-01)",
        arguments: [
            ("net.ipv4.ip_forward", "net/ipv4/ip_forward"), ("net/ipv4/conf/eno2.100/rp_filter", "net/ipv4/conf/eno2.100/rp_filter"),
            ("net.ipv4.conf.eno2/100.rp_filter", "net/ipv4/conf/eno2.100/rp_filter"), ("kernel", nil), ("net..x", nil),
            ("net/../kernel/x", nil),
            ("net.ipv4.", nil), ("/net/x", nil), ("net.a b", nil), ("net/ipv4/./x", nil), ("net.//.x", nil),
        ] as [(String, String?)])
    func sysctlPaths(name: String, path: String?) {
        #expect(Sysctl.path(name) == path)
    }
}

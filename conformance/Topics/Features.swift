/// The features document against the binary: what it lists is tried, item by item, so that it can promise nothing that is not there.

import Foundation

extension RuntimeUnderTest {
    /// A part of the features document, by names from the top.
    fileprivate func feature(_ path: String...) -> Any? {
        path.reduce(features as Any?) { part, name in (part as? Object)?[name] }
    }
}

extension Lab {
    /// A list of the features document; the case is skipped where the runtime has none.
    fileprivate func listed(_ path: String...) throws -> [String] {
        let list = path.reduce(runtime.features as Any?) { part, name in (part as? Object)?[name] } as? [String]
        guard let list, !list.isEmpty else { throw Skip("the runtime's features do not list \(path.joined(separator: "."))") }
        return list
    }
}

/// Mount options that mean nothing on a plain tmpfs.
private let specialOptions: Set = [
    "bind", "rbind", "remount", "idmap", "ridmap", "copy-symlink", "src-nofollow", "dest-nofollow", "tmpcopyup",
]

let features = Topic("features") { topic in
    topic.claim("every mount option of the features is taken", rows: ["FE-04"]) { lab in
        for option in try lab.listed("mountOptions") {
            let source = try lab.folder(["file": "x"])
            let box = try lab.container("ls -d /mnt") {
                switch option {
                case "bind", "rbind", "src-nofollow", "dest-nofollow", "copy-symlink":
                    $0.mount("/mnt", type: "bind", source: source, option.contains("bind") ? [option] : ["rbind", option])
                case "idmap", "ridmap":
                    $0.mount("/mnt", type: "bind", source: source, ["rbind", option])
                    let mapping = [["containerID": 0, "hostID": 1000, "size": 10] as Object]
                    $0["/mounts/6/uidMappings"] = mapping
                    $0["/mounts/6/gidMappings"] = mapping
                case "remount":
                    $0.mount("/mnt", type: "tmpfs", source: "tmpfs")
                    $0.mount("/mnt", type: "tmpfs", source: "tmpfs", [option, "ro"])
                default: $0.mount("/mnt", type: "tmpfs", source: "tmpfs", [option])
                }
            }
            let outcome = try box.run()
            if specialOptions.contains(option), outcome.err.contains("idmap") || outcome.err.contains("id-mapped") { continue }
            try equal(outcome.line, "/mnt", "output with \(option) (\(outcome.err))")
        }
    }

    topic.claim("every namespace of the features can be made", rows: ["FE-05"]) { lab in
        for type in try lab.listed("linux", "namespaces") {
            let box = try lab.container("for n in /proc/self/ns/*; do readlink $n; done") {
                $0.share(type)
                $0.append("/linux/namespaces", ["type": type])
                guard type == "user" else { return }
                let mapping = [["containerID": 0, "hostID": 0, "size": 65536] as Object]
                $0["/linux/uidMappings"] = mapping
                $0["/linux/gidMappings"] = mapping
            }
            let name = ["network": "net", "mount": "mnt"][type] ?? type
            let outcome = try box.run()
            try equal(outcome.status, 0, "status with \(type) (\(outcome.err))")
            try expect(!outcome.out.contains(Namespace.own(name)), "the \(type) namespace is the suite's own")
        }
    }

    topic.claim("every capability of the features can be granted", rows: ["FE-06", "P-17"]) { lab in
        let all = try lab.listed("linux", "capabilities")
        let own = lab.read("/proc/self/status").split(separator: "\n").first { $0.hasPrefix("CapBnd:") }?.split(separator: "\t").last
        guard let held = own.flatMap({ UInt64($0, radix: 16) }) else { throw Skip("no CapBnd") }
        let box = try lab.container("grep ^CapBnd: /proc/self/status") {
            for set in ["bounding", "permitted", "effective"] { $0["/process/capabilities/\(set)"] = all }
        }
        let outcome = try box.run()
        let seen = outcome.line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) }
        try equal(seen, held & ((1 << UInt64(all.count)) - 1), "CapBnd (\(outcome.err))")
    }

    topic.claim("every seccomp action, operator, architecture and flag of the features is taken", rows: ["FE-08"]) { lab in
        func taken(_ what: String, _ filter: Object) throws {
            let outcome = try lab.container("echo fine") { $0["/linux/seccomp"] = filter }.run()
            try equal(outcome.line, "fine", "output with \(what) (\(outcome.err))")
        }
        for action in try lab.listed("linux", "seccomp", "actions") where action != "SCMP_ACT_NOTIFY" {
            try taken(action, allowing(but: [rule(mkdirCalls, action)]))
        }
        for op in try lab.listed("linux", "seccomp", "operators") {
            // A value that none of the comparisons finds.
            let value = op == "SCMP_CMP_NE" || op == "SCMP_CMP_LT" || op == "SCMP_CMP_LE" ? 0 : 99
            let argument: Object = ["index": 0, "value": value, "valueTwo": 0, "op": op]
            try taken(op, allowing(but: [rule(["personality"], "SCMP_ACT_ERRNO", args: [argument])]))
        }
        for flag in try lab.listed("linux", "seccomp", "supportedFlags") {
            var filter = allowing(but: [rule(mkdirCalls, "SCMP_ACT_ERRNO")])
            filter["flags"] = [flag]
            try taken(flag, filter)
        }
        for architecture in try lab.listed("linux", "seccomp", "archs") {
            var filter = allowing(but: [rule(mkdirCalls, "SCMP_ACT_ERRNO")])
            filter["architectures"] = [architecture]
            let outcome = try lab.container("echo fine") { $0["/linux/seccomp"] = filter }.run()
            // libseccomp refuses an architecture of the other byte order beside this one's.
            try expect(outcome.line == "fine" || !lab.runtime.isSwoci || outcome.err.contains("here"), "\(architecture): \(outcome.err)")
        }
        let known = Set(try lab.listed("linux", "seccomp", "knownFlags"))
        try expect(known.isSuperset(of: try lab.listed("linux", "seccomp", "supportedFlags")), "a supported flag is not known")
    }

    topic.claim("every memory policy of the features is taken", rows: ["FE-13", "MP-01"], since: "1.3.0") { lab in
        guard FileManager.default.fileExists(atPath: "/proc/self/numa_maps") else { throw Skip("this kernel has no NUMA") }
        for mode in try lab.listed("linux", "memoryPolicy", "modes") {
            let box = try lab.container("echo fine") {
                $0["/linux/memoryPolicy"] = ["mode": mode, "nodes": mode == "MPOL_DEFAULT" || mode == "MPOL_LOCAL" ? "" : "0"] as Object
            }
            try equal(try box.printed(), "fine", "output with \(mode)")
        }
        for flag in try lab.listed("linux", "memoryPolicy", "flags") {
            let box = try lab.container("echo fine") {
                $0["/linux/memoryPolicy"] = ["mode": "MPOL_BIND", "nodes": "0", "flags": [flag]] as Object
            }
            try equal(try box.printed(), "fine", "output with \(flag)")
        }
    }

    topic.claim("sections that the features enable are no unknown properties", rows: ["FE-09", "FE-10", "FE-12"]) { lab in
        try lab.oursOnly()
        for name in ["apparmor", "selinux", "intelRdt", "netDevices"] {
            try equal(lab.runtime.feature("linux", name, "enabled") as? Bool, true, "\(name).enabled")
        }
        try equal(lab.runtime.feature("linux", "intelRdt", "schemata") as? Bool, true, "intelRdt.schemata")
        try equal(lab.runtime.feature("linux", "intelRdt", "monitoring") as? Bool, true, "intelRdt.monitoring")
        let box = try lab.container {
            $0["/process/apparmorProfile"] = "unconfined"
            $0["/process/selinuxLabel"] = "system_u:system_r:container_t:s0"
            $0["/linux/mountLabel"] = "system_u:object_r:container_file_t:s0"
            $0["/linux/intelRdt"] = ["closID": "x", "schemata": ["L2:0=f"], "enableMonitoring": true] as Object
            $0["/linux/netDevices"] = ["eth0": ["name": "eth1"]]
        }
        let outcome = try lab.run(["validate", "--bundle", box.bundle])
        try expect(!(outcome.out + outcome.err).contains("unknown"), "output: \(outcome.out)\(outcome.err)")
        try equal(outcome.status, 0, "status (\(outcome.out))")
    }

    topic.claim("the properties that enableMonitoring replaced are remarked on", rows: ["RT-07"]) { lab in
        try lab.oursOnly()
        let box = try lab.container { $0["/linux/intelRdt"] = ["closID": "x", "enableCMT": true, "enableMBM": false] as Object }
        let outcome = try lab.run(["validate", "--bundle", box.bundle])
        try contains(outcome.out + outcome.err, "enableMonitoring", "remark")
        try equal(outcome.status, 0, "status")
    }

    topic.claim("what the features say of cgroups is so", rows: ["FE-07"]) { lab in
        try lab.oursOnly()
        for name in ["v1", "v2", "rdma"] { try equal(lab.runtime.feature("linux", "cgroup", name) as? Bool, true, name) }
        guard let systemd = lab.runtime.feature("linux", "cgroup", "systemd") as? Bool else { throw Failure(message: "no systemd") }
        if systemd { return }
        let outcome = try lab.run(["--systemd-cgroup", "run", "--bundle", lab.container().bundle, "x"])
        try expect(outcome.status != 0, "systemd cgroups were used")
    }

    topic.claim("annotations that change something are listed as unsafe, and no others", rows: ["FE-15", "A-04", "FE-14"]) { lab in
        try lab.oursOnly()
        let unsafe = lab.runtime.features["potentiallyUnsafeConfigAnnotations"] as? [String] ?? []
        for key in ["org.swoci.init", "run.oci.keep_original_groups", "org.systemd.property.KillMode"] {
            try expect(unsafe.contains { key == $0 || ($0.hasSuffix(".") && key.hasPrefix($0)) }, "\(key) is not among \(unsafe)")
        }
        try expect(!unsafe.contains { "org.example.key".hasPrefix($0) }, "unsafe: \(unsafe)")
        let own = lab.runtime.features["annotations"] as? [String: String] ?? [:]
        try expect(own["io.github.seccomp.libseccomp.version"]?.split(separator: ".").count == 3, "annotations: \(own)")
        try expect(["true", "false"].contains(own["org.opencontainers.runc.checkpoint.enabled"] ?? ""), "annotations: \(own)")
    }

    topic.claim("sysctls of a user namespace are set in one, and refused without", rows: ["SY-05", "SY-01"]) { lab in
        if lab.runtime.version.hasPrefix("crun") { throw Skip("crun refuses them") }
        let mapping = [["containerID": 0, "hostID": 0, "size": 65536] as Object]
        let box = try lab.container("cat /proc/sys/user/max_mnt_namespaces") {
            $0["/linux/sysctl"] = ["user.max_mnt_namespaces": "77"]
            $0.append("/linux/namespaces", ["type": "user"])
            $0["/linux/uidMappings"] = mapping
            $0["/linux/gidMappings"] = mapping
        }
        try equal(try box.printed(), "77", "value")
        try lab.container { $0["/linux/sysctl"] = ["user.max_mnt_namespaces": "77"] }.refused()
    }

    topic.claim("sysctls of a PID namespace are set in one, and refused without", rows: ["SY-06"]) { lab in
        try lab.oursOnly()
        let before = lab.read("/proc/sys/vm/memfd_noexec")
        if before.isEmpty { throw Skip("this kernel has no vm.memfd_noexec") }
        let box = try lab.container("cat /proc/sys/vm/memfd_noexec") { $0["/linux/sysctl"] = ["vm.memfd_noexec": "1"] }
        try equal(try box.printed(), "1", "value")
        try equal(lab.read("/proc/sys/vm/memfd_noexec"), before, "the host's value")
        try lab.container {
            $0["/linux/sysctl"] = ["vm.memfd_noexec": "1"]
            $0.share("pid")
        }.refused("pid")
    }

    topic.claim("a process without a user is root's", rows: ["P-38"]) { lab in
        let box = try lab.container("id -u; id -g") { $0["/process/user"] = nil }
        let outcome = try box.run()
        if outcome.status != 0, !lab.runtime.isSwoci { throw Skip("the runtime wants a user") }
        try equal(outcome.lines, ["0", "0"], "uid and gid")
    }
}

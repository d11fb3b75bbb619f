/// Annotations: what they must be, which of them change something, and that no other does.

import Foundation

/// Values that the image specification does not have, and ones that are fine here.
private let imageAnnotations: [(key: String, wrong: [String], right: [String])] = [
    ("os", ["Linux", "windows", ""], ["linux"]), ("architecture", ["x86_64", "mips", ""], ["amd64", "arm64"]),
    ("created", ["yesterday", "2024-05-01", "2024-05-01 12:00"], ["2024-05-01T12:00:00Z", "2024-05-01T12:00:00.123+02:00"]),
    ("stopSignal", ["SIGNOTHING", "99"], ["SIGINT", "INT", "37", "RTMIN+3"]),
]

let annotations = Topic("annotations") { topic in
    topic.claim("annotations are kept, empty values too", rows: ["A-01"]) { lab in
        let box = try lab.container { $0["/annotations"] = ["org.example.empty": "", "no dots": "ü\n\"x\""] }
        try box.created()
        let seen = try box.state()["annotations"] as? [String: String]
        try equal(seen?["org.example.empty"], "", "empty value")
        try equal(seen?["no dots"], "ü\n\"x\"", "value with special characters")
    }

    for (key, wrong, right) in imageAnnotations {
        topic.claim(
            "validate remarks on values of org.opencontainers.image.\(key) that the image specification does not have",
            rows: ["A-02", "A-03"]
        ) {
            lab in
            try lab.oursOnly()
            for value in wrong + right {
                let box = try lab.container { $0["/annotations"] = ["org.opencontainers.image.\(key)": value] }
                let outcome = try lab.run(["validate", "--bundle", box.bundle])
                try equal(outcome.status, 0, "status with \(value)")
                // One of the two architectures is this machine's.
                if key == "architecture", right.contains(value) { continue }
                try equal(
                    (outcome.out + outcome.err).contains("image.\(key)"), wrong.contains(value), "a remark on \(value): \(outcome.out)")
            }
        }
    }

    topic.claim("an image for another architecture is remarked on, and runs", rows: ["A-02"]) { lab in
        try lab.oursOnly()
        let box = try lab.container("echo fine") { $0["/annotations"] = ["org.opencontainers.image.architecture": "s390x"] }
        let outcome = try box.run()
        try equal(outcome.line, "fine", "output")
        try contains(outcome.err, "exec format error", "remark")
    }

    topic.claim("run.oci.keep_original_groups keeps the caller's groups", rows: ["A-04", "P-43"]) { lab in
        if lab.runtime.version.hasPrefix("runc") { throw Skip("an annotation of crun and swoci") }
        for (value, kept) in [("1", true), (nil, false)] as [(String?, Bool)] {
            let box = try lab.container {
                $0["/process/args"] = ["grep", "^Groups:", "/proc/self/status"]
                $0["/annotations"] = value.map { ["run.oci.keep_original_groups": $0] } ?? [:]
            }
            let words = [
                "setpriv", "--groups", "4242,4243", lab.runtime.path, "--root", lab.stateRoot, "run", "--bundle", box.bundle, box.id,
            ]
            let outcome = try lab.execute(Launch(arguments: words))
            try equal(outcome.out.contains("4242 4243"), kept, "groups: \(outcome.out)\(outcome.err)")
        }
    }

    topic.claim("additionalGids beside run.oci.keep_original_groups are left out with a warning", rows: ["A-04", "P-43"]) { lab in
        try lab.oursOnly()
        let box = try lab.container {
            $0["/process/args"] = ["grep", "^Groups:", "/proc/self/status"]
            $0["/process/user/additionalGids"] = [777]
            $0["/annotations"] = ["run.oci.keep_original_groups": "1"]
        }
        let outcome = try box.run()
        try expect(!outcome.out.contains("777"), "groups: \(outcome.out)")
        try contains(outcome.err, "additionalGids", "warning")
    }

    topic.claim("an annotation that gives a path of the host or a command has no effect", rows: ["A-04"]) { lab in
        try lab.oursOnly()
        let target = lab.fresh("target")
        let box = try lab.container("echo fine") {
            $0["/annotations"] = [
                "run.oci.hooks.stdout": target, "run.oci.hooks.stderr": target,
                "run.oci.seccomp.receiver": target, "run.oci.handler": target, "run.oci.seccomp_bpf_data": "AAAA",
                "org.systemd.property.ExecStart": "'/bin/touch \(target)'", "module.wasm.image/variant": "compat",
            ]
            $0.append("/hooks/createRuntime", try lab.hook("echo hook"))
        }
        try equal(try box.printed(), "fine", "output")
        try expect(!FileManager.default.fileExists(atPath: target), "the target was made")
    }
}

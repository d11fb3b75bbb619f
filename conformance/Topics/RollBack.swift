/// What each failure leaves behind: nothing of the runtime's, and the hooks that the lifecycle still owes. Rows LC-02, LC-12, LC-15.

import Foundation

/// A way to make create fail, by the phase that it gets to, and whether the poststop hooks answer it.
private struct Fault: Sendable {
    let phase: String
    let owesPoststop: Bool
    let spoil: @Sendable (inout Config, Lab) throws -> Void
}

private let faults: [Fault] = [
    Fault(phase: "reading the config", owesPoststop: false) { config, _ in config["/process/cwd"] = "relative" },
    Fault(phase: "planning", owesPoststop: false) { config, _ in config.mount("/x", source: "/run", ["bind", "idmap=nonsense"]) },
    Fault(phase: "making the cgroup", owesPoststop: false) { config, _ in
        config["/linux/resources/unified"] = ["no.such.file": "1"]
        config["/linux/resources/cpu"] = ["cpus": "4095"]
    },
    Fault(phase: "joining namespaces", owesPoststop: false) { config, _ in config.join("network", "/etc/passwd") },
    Fault(phase: "mounting", owesPoststop: false) { config, _ in config.mount("/x", type: "tmpfs", source: "tmpfs", ["flavour=vanilla"]) },
    Fault(phase: "making devices", owesPoststop: false) { config, _ in
        config["/linux/devices"] = [["path": "/etc/passwd", "type": "c", "major": 1, "minor": 3] as Object]
    },
    Fault(phase: "a prestart hook", owesPoststop: true) { config, lab in config.append("/hooks/prestart", try lab.hook("exit 1")) },
    Fault(phase: "a createRuntime hook", owesPoststop: true) { config, lab in config.append("/hooks/createRuntime", try lab.hook("exit 1"))
    },
    Fault(phase: "a createContainer hook", owesPoststop: true) { config, lab in
        config.append("/hooks/createContainer", try lab.hook("exit 1"))
    },
    Fault(phase: "looking for the program", owesPoststop: false) { config, _ in config["/process/args"] = ["/no/such/program"] },
]

extension Lab {
    /// What a failed create could leave on the host: mounts, processes, cgroups.
    fileprivate func traces() -> [String] {
        let mounts = read("/proc/self/mountinfo").split(separator: "\n").map { String($0) }
        let processes = children.living().map { "process \($0) \(read("/proc/\($0)/comm"))" }
        return mounts + processes + Cgroups.marked(by: Isolation.token)
    }
}

let rollBack = Topic("roll-back") { topic in
    for fault in faults {
        topic.claim("a create that fails at \(fault.phase) leaves nothing, and the id is free", rows: ["LC-02", "LC-15", "OP-02", "H-07"]) {
            lab in
            let box = try lab.container("echo payload >/ran") {
                $0.append("/hooks/poststop", try lab.hook("echo stopped >>\(lab.log)"))
            }
            let good = box.config
            // What a first life leaves for good (the parents of the cgroup) is no trace.
            _ = try box.printed()
            unlink("\(box.rootfs)/ran")
            unlink(lab.log)
            let before = lab.traces()
            try fault.spoil(&box.config, lab)
            try box.save()
            try box.refused()
            try lab.eventually("nothing to be left of the create") { lab.traces() == before }
            try expect(!FileManager.default.fileExists(atPath: "\(box.rootfs)/ran"), "the program ran")
            if lab.runtime.isSwoci || !fault.owesPoststop {
                try equal(lab.read(lab.log), fault.owesPoststop ? "stopped\n" : "", "poststop hooks")
            }
            box.config = good
            try box.save()
            _ = try box.printed()
        }
    }

    topic.claim("a create whose memory limit kills the init fails in words and leaves nothing", rows: ["LC-15", "RM-02"]) { lab in
        try Cgroups.require("memory")
        let box = try lab.container { $0["/linux/resources/memory"] = ["limit": 4096] }
        lab.limit(seconds: 8)
        try box.refused()
    }

    topic.claim(
        "a program that cannot be executed fails start; the container has stopped, and delete runs poststop hooks",
        rows: ["LC-08", "LC-13"]
    ) {
        lab in
        let box = try lab.container { $0.append("/hooks/poststop", try lab.hook("echo stopped >>\(lab.log)")) }
        try "not a program\n".write(toFile: "\(box.rootfs)/odd", atomically: false, encoding: .utf8)
        chmod("\(box.rootfs)/odd", 0o755)
        box.config["/process/args"] = ["/odd"]
        try box.save()
        let made = try box.create()
        if made.status == 0 {
            try refused(box.start(), "start")
            try box.stopped()
            try equal(try box.delete().status, 0, "delete")
            try equal(lab.read(lab.log), "stopped\n", "poststop hooks")
        }
        try box.gone()
    }

    topic.claim(
        "a startContainer hook that fails destroys the container, and poststop hooks run", rows: ["LC-07", "LC-12", "LC-13"], since: "1.0.2"
    ) {
        lab in
        let box = try lab.container("echo payload >/ran") { $0.append("/hooks/poststop", try lab.hook("echo stopped >>\(lab.log)")) }
        try box.startHook("exit 3")
        try box.created()
        try refused(box.start(), "start")
        _ = try box.delete("--force")
        try box.gone()
        try equal(lab.read(lab.log), "stopped\n", "poststop hooks")
        try expect(!FileManager.default.fileExists(atPath: "\(box.rootfs)/ran"), "the program ran")
    }

    topic.claim("a poststart hook that fails ends the program and destroys the container", rows: ["LC-09", "LC-12", "LC-13"]) { lab in
        try lab.oursOnly()
        let box = try lab.container("exec sleep 100") {
            $0.append("/hooks/poststart", try lab.hook("exit 3"))
            $0.append("/hooks/poststop", try lab.hook("echo stopped >>\(lab.log)"))
        }
        try box.created()
        let pid = try box.pid()
        try refused(box.start(), "start")
        try lab.eventually("the program's end") { Children.state(of: pid) == "" || Children.state(of: pid) == "Z" }
        _ = try box.delete("--force")
        try box.gone()
        try equal(lab.read(lab.log), "stopped\n", "poststop hooks")
    }

    topic.claim("mount points made in the root stay, nothing else", rows: ["LC-15", "M-02"]) { lab in
        let box = try lab.container {
            $0.mount("/made/deep", type: "tmpfs", source: "tmpfs")
            $0.mount("/bad", type: "tmpfs", source: "tmpfs", ["flavour=vanilla"])
        }
        try box.refused()
        let mounts = lab.read("/proc/self/mountinfo")
        try expect(!mounts.contains(box.rootfs), "mounts are left")
        try equal(try FileManager.default.contentsOfDirectory(atPath: "\(box.rootfs)/made/deep"), [], "the mount point")
    }
}

/// The runtime's own files, and values that try to reach beyond what they are for.

import Foundation

extension Lab {
    /// The permissions of a file.
    fileprivate func mode(of path: String) throws -> Int {
        var status = stat()
        try expect(lstat(path, &status) == 0, "\(path) is not there")
        return Int(status.st_mode) & 0o7777
    }
}

/// Values that would write more than one file if they were taken for more than a value.
private let smuggled = ["1\nkernel.core_pattern=|/evil", "1+kernel.core_pattern=/evil", "1 kernel.core_pattern=/evil"]

let securityState = Topic("security of state and values") { topic in
    topic.claim("the state is for its owner only", rows: ["OP-06", "CVE-2021-41103"]) { lab in
        let box = try lab.container("exec sleep 100")
        try box.up()
        for name in try FileManager.default.subpathsOfDirectory(atPath: lab.stateRoot) where name.contains(box.id) {
            let path = "\(lab.stateRoot)/\(name)"
            try expect(try lab.mode(of: path) & 0o022 == 0, "\(name) can be written by others")
            if name == box.id, lab.runtime.isSwoci { try equal(try lab.mode(of: path) & 0o077, 0, "what others may do in \(name)") }
        }
    }

    topic.claim("a state root that others may write to is refused", rows: ["OP-06", "CVE-2015-1331"]) { lab in
        try lab.oursOnly()
        let root = try lab.folder()
        chmod(root, 0o777)
        let box = try lab.container()
        let outcome = try lab.execute(Launch(arguments: [lab.runtime.path, "--root", root, "create", "--bundle", box.bundle, box.id]))
        try refused(outcome, "create")
        try equal(try FileManager.default.contentsOfDirectory(atPath: root), [], "what is in the root")
        chmod(root, 0o700)
        try equal(chown(root, 4242, 4242), 0, "chown")
        let other = try lab.execute(Launch(arguments: [lab.runtime.path, "--root", root, "create", "--bundle", box.bundle, box.id]))
        try refused(other, "create below another user's root")
    }

    topic.claim("another user's directory in a sticky state root is no container", rows: ["OP-06", "CVE-2015-1331"]) { lab in
        try lab.oursOnly()
        let box = try lab.container { $0.append("/hooks/poststop", try lab.hook("echo ran >>\(lab.log)")) }
        try box.up()
        try box.stopped()
        chmod(lab.stateRoot, 0o1777)
        let entry = "\(lab.stateRoot)/\(box.id)"
        try equal(chown(entry, 4242, 4242), 0, "chown")
        for words in [["state"], ["start"], ["kill", "--all"], ["delete"], ["delete", "--force"]] {
            let outcome = try lab.run(words + [box.id])
            try refused(outcome, words[0])
            try contains(outcome.err, "belongs to user 4242", words[0])
        }
        let list = try lab.run(["list", "--quiet"])
        try equal(list.out, "", "list")
        try equal(lab.read(lab.log), "", "what a hook of that directory wrote")
        chown(entry, 0, 0)
        try equal(try box.delete().status, 0, "delete of an own one")
        try equal(lab.read(lab.log), "ran\n", "what the hook wrote")
    }

    topic.claim("a container whose record is damaged can be listed around, and deleted by force", rows: ["CLI-11", "OP-05", "LC-12"]) {
        lab in
        try lab.oursOnly()
        let good = try lab.container("exec sleep 100")
        let bad = try lab.container("exec sleep 100")
        try good.up()
        try bad.up()
        let pid = try bad.pid()
        for text in ["", "{", "[]", #"{"intent":"created","process":{"pid":-1}}"#, String(repeating: "[", count: 100_000)] {
            try text.write(toFile: "\(lab.stateRoot)/\(bad.id)/record.json", atomically: false, encoding: .utf8)
            let list = try lab.run(["list", "-q"])
            try equal(list.status, 0, "list with the record \(text.prefix(20)) (\(list.err))")
            try contains(list.out, good.id, "list")
            let state = try lab.run(["state", bad.id])
            try expect(state.status <= 1, "state ended with \(state.status)")
        }
        try equal(try bad.delete("--force").status, 0, "delete --force")
        try equal(try good.status(), "running", "status of the other")
        // Nobody knows its processes and its cgroups any more.
        kill(pid, SIGKILL)
        try lab.eventually("its cgroups are free") {
            for path in Cgroups.marked(by: bad.id) { rmdir(path) }
            return Cgroups.marked(by: bad.id).isEmpty
        }
    }

    for value in smuggled {
        topic.claim("a sysctl's value \(value.debugDescription) reaches no other sysctl", rows: ["CVE-2022-0811", "SY-01", "SY-08"]) {
            lab in
            let before = lab.read("/proc/sys/kernel/core_pattern")
            let box = try lab.container("true") { $0["/linux/sysctl"] = ["kernel.shm_rmid_forced": value] }
            _ = try box.run()
            try equal(lab.read("/proc/sys/kernel/core_pattern"), before, "the host's core_pattern")
        }
    }

    for name in ["unconfined_foo", "UNCONFINED", "unconfined "] {
        topic.claim("the AppArmor profile \(name.debugDescription) is not taken for \"unconfined\"", rows: ["P-14"]) { lab in
            let modules = lab.read("/sys/module/apparmor/parameters/enabled")
            if modules.contains("Y") { throw Skip("the host has AppArmor, which knows its profiles") }
            if lab.runtime.version.hasPrefix("crun") { throw Skip("crun ignores profiles where there is no AppArmor") }
            try lab.container { $0["/process/apparmorProfile"] = name }.refused()
        }
    }

    topic.claim("/dev/console as a link leads nowhere", rows: ["CVE-2025-52565", "P-02"]) { lab in
        let outside = try lab.file("outside\n")
        let box = try lab.container("echo printed") {
            $0["/process/terminal"] = true
            $0["/mounts"] = ($0["/mounts"] as! [Object]).filter { $0["destination"] as? String != "/dev" }
        }
        unlink("\(box.rootfs)/dev/console")
        symlink(outside, "\(box.rootfs)/dev/console")
        let console = try Console(lab)
        try? console.create(box)
        _ = try? box.start()
        try equal(lab.read(outside), "outside\n", "the file outside")
    }

    topic.claim("more mappings than the kernel takes are refused before anything is made", rows: ["CVE-2021-43784", "I-01"]) { lab in
        let box = try lab.container {
            $0.append("/linux/namespaces", ["type": "user"])
            let many = (0..<400).map { ["containerID": $0 * 2, "hostID": $0 * 2, "size": 1] as Object }
            $0["/linux/uidMappings"] = many
            $0["/linux/gidMappings"] = many
        }
        try box.refused()
    }

    topic.claim("a hostname cannot carry more than a name", rows: ["U-01", "G-01"]) { lab in
        for name in ["a\u{0}b", "a\u{0}/proc/sys"] { try lab.container { $0["/hostname"] = name }.refused() }
    }
}

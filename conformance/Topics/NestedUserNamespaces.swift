/// A runtime that is root only of a user namespace: no device nodes, no device rules, perhaps one single id.

import Foundation

/// What such a container does: the usual things of a small image.
private let script = """
    id -u; echo x >/dev/null && head -c 1 /dev/zero | wc -c; test -d /sys/class && echo sys; touch /tmp/made && stat -c %u:%g /tmp/made; \
    hostname; cat /proc/self/uid_map
    """

extension Lab {
    /// Runs a container by a runtime inside new namespaces, whose user namespace has ids from `first` on.
    func nested(_ box: Container, first: Int, count: Int, _ options: [String]) throws -> Outcome {
        let files = try folder()
        // Root inside has to own what the runtime writes to, and may be nobody outside.
        try command("chown", "\(first):\(first)", files)
        let runtime = "mount -t tmpfs tmpfs '\(files)' && mount -t proc proc /proc && exec \"$0\" \"$@\""
        let inner = ["unshare", "-m", "-p", "-f", "-i", "-u", "-n", "--kill-child", "sh", "-c", runtime]
        let outer = """
            unshare -U sleep 30 & holder=$!
            own=$(readlink /proc/self/ns/user)
            while [ "$(readlink /proc/$holder/ns/user)" = "$own" ]; do sleep 0.01; done
            if [ \(count) = 1 ]; then echo deny >/proc/$holder/setgroups; fi
            echo "0 \(first) \(count)" >/proc/$holder/uid_map
            echo "0 \(first) \(count)" >/proc/$holder/gid_map
            nsenter -t $holder -U --setuid 0 --setgid 0 --preserve-credentials "$@" || status=$?
            kill $holder; wait $holder 2>/dev/null || :
            exit $status
            """
        let outerRange = outer.replacingOccurrences(of: " --preserve-credentials", with: count == 1 ? " --preserve-credentials" : "")
        return try execute(
            Launch(
                arguments: ["sh", "-c", outerRange, "sh"] + inner + [self.runtime.path] + options
                    + ["--root", "\(files)/state", "run", "--bundle", box.bundle, box.id]))
    }
}

let nestedUserNamespaces = Topic("nested") { topic in
    for (first, count) in [(0, 1), (100_000, 65536)] {
        for hasOwn in [false, true] {
            let ids = count == 1 ? "one id" : "a range of ids"
            let claim = "inside a user namespace of \(ids) a container \(hasOwn ? "with a further one" : "without one of its own") runs"
            topic.claim(claim, rows: ["N-09", "N-12", "D-01", "M-13", "M-14", "I-01"]) { lab in
                try lab.oursOnly()
                let size = count == 1 ? 1 : 1000
                let box = try lab.container(script) {
                    if hasOwn { $0.userNamespace(uids: [(0, 0, size)], gids: [(0, 0, size)]) }
                    if count == 1 { $0["/process/user/additionalGids"] = nil }
                }
                box.ownRootfs(UInt32(first), UInt32(first))
                let outcome = try lab.nested(box, first: first, count: count, ["--cgroup-manager", "disabled"])
                try equal(outcome.status, 0, "status (\(outcome.err))")
                let lines = outcome.lines.map { $0.split(separator: " ").joined(separator: " ") }
                let map = hasOwn ? "0 0 \(size)" : "0 \(first) \(count)"
                try equal(lines, ["0", "1", "sys", "0:0", "conformance", map], "output (\(outcome.err))")
            }
        }
    }

    topic.claim("inside a user namespace without rights over cgroups, a container without limits runs in the caller's", rows: ["CG-01"]) {
        lab in
        try lab.oursOnly()
        let box = try lab.container("cat /proc/self/cgroup") { $0["/linux/cgroupsPath"] = nil }
        box.ownRootfs(100_000, 100_000)
        let outcome = try lab.nested(box, first: 100_000, count: 65536, [])
        try equal(outcome.status, 0, "status (\(outcome.err))")
        try expect(!outcome.out.contains(box.id), "it has a cgroup: \(outcome.out)")
        let strict = try lab.nested(box, first: 100_000, count: 65536, ["--rootless", "false"])
        try expect(strict.status != 0, "it ran though it may not do without")
        try contains(strict.err, "--cgroup-manager disabled", "message")
    }

    topic.claim("inside a user namespace without rights over cgroups, a limit says why it cannot be", rows: ["CG-01", "RH-07"]) { lab in
        try lab.oursOnly()
        let box = try lab.container(script) {
            $0["/linux/cgroupsPath"] = nil
            $0["/linux/resources/pids"] = ["limit": 50]
        }
        box.ownRootfs(100_000, 100_000)
        let outcome = try lab.nested(box, first: 100_000, count: 65536, [])
        try expect(outcome.status != 0, "it ran")
        try contains(outcome.err, "/linux/resources/pids/limit", "message")
        try contains(outcome.err, "may not make cgroups", "message")
    }
}

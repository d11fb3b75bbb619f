/// Options of create and run that engines pass, by what they do.

import Foundation

let commandLine = Topic("command line") { topic in
    topic.claim("--pidfd-socket takes a pidfd of the container's first process", rows: ["CLI-05", "CLI-07"]) { lab in
        if lab.runtime.version.hasPrefix("crun") { throw Skip("an option of runc and swoci") }
        let path = lab.fresh("pidfd")
        let listener = try UnixSocket.listen(at: path)
        defer { close(listener) }
        let box = try lab.container("exec sleep 100")
        let words = [lab.runtime.path, "--root", lab.stateRoot, "create", "--bundle", box.bundle, "--pidfd-socket", path, box.id]
        let errors = lab.fresh("err")
        let pid = try lab.children.start(Launch(arguments: words, error: errors))
        if lab.read(errors).contains("not defined") { throw Skip("the runtime is older than the option") }
        let received = try UnixSocket.receive(from: listener, sentBy: pid, lab)
        defer { received.descriptors.forEach { close($0) } }
        try equal(try lab.children.wait(for: pid, until: lab.deadline, "create"), 0, "create")
        try equal(received.descriptors.count, 1, "descriptors")
        try equal(String(decoding: received.bytes, as: UTF8.self), "standard", "message")
        let info = lab.read("/proc/self/fdinfo/\(received.descriptors[0])")
        let named = info.split(separator: "\n").first { $0.hasPrefix("Pid:") }?.split(separator: "\t").last.flatMap { pid_t($0) }
        try equal(named, try box.pid(), "the pidfd's process")
    }

    topic.claim("a pidfd socket where nobody listens fails create, and nothing is left", rows: ["CLI-07", "LC-15"]) { lab in
        try lab.oursOnly()
        let box = try lab.container()
        let outcome = try box.create(["--pidfd-socket", lab.fresh("nobody")])
        try refused(outcome, "create")
        try contains(outcome.err, "pidfd", "message")
        try box.gone()
    }

    topic.claim("a container has a session keyring of its own, but with --no-new-keyring", rows: ["CLI-05", "P-15"]) { lab in
        if lab.read("/proc/keys").isEmpty { throw Skip("this kernel shows no keys") }
        for (options, isNew) in [([], true), (["--no-new-keyring"], false)] as [([String], Bool)] {
            let box = try lab.container("cat /proc/keys") { $0["/linux/maskedPaths"] = [] as [String] }
            let outcome = try box.run(options)
            try equal(outcome.status, 0, "status (\(outcome.err))")
            try equal(outcome.out.contains("_ses.\(box.id)"), isNew, "a keyring of its own in \(outcome.out)")
        }
    }

    topic.claim("--version tells the version, the commit and the specification, a line each", rows: ["CLI-15"]) { lab in
        try lab.oursOnly()
        let lines = try lab.run(["--version"]).lines
        try expect(lines.count >= 3, "lines: \(lines)")
        try expect(lines[0].range(of: #"^swoci version [0-9]+\.[0-9]+\.[0-9]+"#, options: .regularExpression) != nil, "first: \(lines[0])")
        try expect(lines.contains { $0.hasPrefix("commit: ") }, "no commit in \(lines)")
        try expect(lines.contains { $0.hasPrefix("spec: 1.") }, "no spec in \(lines)")
    }

    topic.claim("a failing command writes one JSON object to --log, whatever there is to warn of", rows: ["CLI-02"]) { lab in
        let log = lab.fresh("log")
        let box = try lab.container { $0["/process/args"] = ["/no/such/program"] }
        box.config.append("/process/capabilities/bounding", "CAP_TO_FLY")
        try box.save()
        let outcome = try lab.run(["--log", log, "--log-format", "json", "create", "--bundle", box.bundle, box.id])
        try expect(outcome.status != 0, "it was not refused")
        let lines = lab.read(log).split(separator: "\n")
        let errors = try lines.map { try object(String($0)) }.filter { $0["level"] as? String == "error" }
        try equal(errors.count, 1, "errors in the log: \(lines)")
        try expect(errors[0]["msg"] is String && errors[0]["time"] is String, "entry: \(errors[0])")
        if lab.runtime.isSwoci { try equal(lines.count, 1, "lines in the log") }
    }

    topic.claim("what is written to the payload's NOTIFY_SOCKET reaches the service manager, and nobody waits for it", rows: ["CLI-16"]) {
        lab in
        try lab.oursOnly()
        let path = lab.fresh("notify")
        let manager = try UnixSocket.datagrams(at: path)
        defer { close(manager) }
        let box = try lab.container("echo $NOTIFY_SOCKET; exec sleep 100")
        lab.limit(seconds: 5)
        try equal(try box.create { $0.environment.append("NOTIFY_SOCKET=\(path)") }.status, 0, "create")
        try box.started()
        try box.writes("notify")
        let inside = "/proc/\(try box.pid())/root" + box.text.trimmingCharacters(in: .newlines)
        let sender = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(sender) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: inside.utf8.prefix(107)) }
        let sent = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(sender, "READY=1", 7, 0, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try equal(sent, 7, "bytes sent to \(inside)")
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = recv(manager, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        try equal(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self), "READY=1", "what the service manager got")
    }
}

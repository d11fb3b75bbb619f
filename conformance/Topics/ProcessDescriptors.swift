/// Which descriptors the payload finds, and what its standard ones are: a part of the topic "process".

import Foundation

func addDescriptorCases(to topic: inout Topic) {
    topic.claim("only stdio is open in the payload", rows: ["L-07"]) { lab in
        let box = try lab.container("for f in /proc/self/fd/*; do echo ${f##*/}; done") { $0["/process/args"] = ["ls", "/proc/self/fd"] }
        let extra = try lab.file("leak")
        let descriptor = open(extra, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let outcome = try box.run { $0.descriptors = [(7, descriptor), (25, descriptor)] }
        // ls itself holds the directory open.
        try equal(outcome.lines, ["0", "1", "2", "3"], "descriptors")
    }

    topic.claim("a created container's init holds no file of the host", rows: ["L-07"]) { lab in
        let box = try lab.container()
        let extra = try lab.file("leak")
        let descriptor = open(extra, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        try equal(try box.create { $0.descriptors = [(9, descriptor)] }.status, 0, "create")
        let folder = "/proc/\(try box.pid())/fd"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where Int(name) ?? 0 > 2 {
            try expect(Namespace.at("\(folder)/\(name)") != extra, "descriptor \(name) is the caller's file")
        }
    }

    topic.claim("--preserve-fds passes descriptors on", rows: ["CLI-05", "L-07"]) { lab in
        let box = try lab.container("cat <&3; cat <&4; ls /proc/self/fd | tr '\\n' ' '")
        let descriptors = try ["three\n", "four\n", "five\n"].map { open(try lab.file($0), O_RDONLY | O_CLOEXEC) }
        defer { descriptors.forEach { close($0) } }
        let outcome = try box.run(["--preserve-fds", "2"]) { launch in
            for (index, descriptor) in descriptors.enumerated() { launch.descriptors.append((Int32(3 + index), descriptor)) }
        }
        try contains(outcome.out, "three\nfour\n", "content")
        try expect(!outcome.out.hasSuffix("5 6 "), "descriptor 5 was passed as well: \(outcome.out)")
    }

    topic.claim("LISTEN_FDS passes sockets on, and LISTEN_PID is the payload", rows: ["CLI-16", "L-07"]) { lab in
        let box = try lab.container("echo $LISTEN_FDS $LISTEN_PID $$; cat <&3")
        let descriptor = open(try lab.file("three"), O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let outcome = try box.run {
            $0.arguments = ["sh", "-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", "sh"] + $0.arguments
            $0.descriptors = [(3, descriptor)]
        }
        let words = outcome.lines.first?.split(separator: " ").map(String.init) ?? []
        try equal(words.first, "1", "LISTEN_FDS")
        try equal(words.dropFirst().first, words.last, "LISTEN_PID")
        try contains(outcome.out, "three", "content of descriptor 3")
    }

    topic.claim("LISTEN_FDNAMES goes with the sockets", rows: ["CLI-16", "L-07"]) { lab in
        let box = try lab.container("echo $LISTEN_FDNAMES; cat <&3; cat <&4")
        let descriptors = try ["three", "four"].map { open(try lab.file($0), O_RDONLY | O_CLOEXEC) }
        defer { descriptors.forEach { close($0) } }
        let outcome = try box.run {
            $0.arguments = ["sh", "-c", "LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=web:admin exec \"$@\"", "sh"] + $0.arguments
            $0.descriptors = [(3, descriptors[0]), (4, descriptors[1])]
        }
        if outcome.lines.first == "threefour" { throw Skip("the runtime does not pass the names on") }
        try equal(outcome.line, "web:admin\nthreefour", "output")
    }

    topic.claim("a service's payload reaches the service manager's socket", rows: ["CLI-16"]) { lab in
        if !lab.runtime.isSwoci { throw Skip("other runtimes stand between the two") }
        let path = lab.fresh("notify")
        let socket = try UnixSocket.datagrams(at: path)
        defer { close(socket) }
        let box = try lab.container("echo $NOTIFY_SOCKET; stat -c %F $NOTIFY_SOCKET")
        let outcome = try box.run { $0.environment.append("NOTIFY_SOCKET=\(path)") }
        try equal(outcome.lines, ["/run/notify/notify.sock", "socket"], "output")
        try equal(outcome.status, 0, "status")
        // Another that is gone is no reason not to start.
        let again = try lab.container("echo fine $NOTIFY_SOCKET")
        let without = try again.run { $0.environment.append("NOTIFY_SOCKET=\(lab.directory)/nobody") }
        try equal(without.line, "fine", "output")
        try contains(without.err, "NOTIFY_SOCKET", "warning")
    }

    topic.claim("without a terminal stdin, stdout and stderr are the caller's", rows: ["L-08", "P-02"]) { lab in
        let input = try lab.file("from stdin")
        let box = try lab.container("cat; echo to stderr >&2; tty -s || echo no tty")
        let outcome = try box.run { $0.input = input }
        try equal(outcome.line, "from stdinno tty", "stdout")
        try contains(outcome.err, "to stderr", "stderr")
    }

    topic.claim("stdio of create is the payload's stdio after start", rows: ["CLI-05"]) { lab in
        let input = try lab.file("from create")
        let box = try lab.container("cat; echo to stderr >&2")
        try equal(try box.create { $0.input = input }.status, 0, "create")
        try box.started()
        try box.stopped()
        try equal(box.text, "from create", "stdout")
        try contains(lab.read(box.errors), "to stderr", "stderr")
    }
}

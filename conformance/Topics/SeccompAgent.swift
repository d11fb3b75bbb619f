/// Seccomp with a listener: who is handed the filter's descriptor, and what its answers do.

import Foundation

/// The answering side of a filter with NOTIFY: gets one listener, says something to every call until it is closed.
final class Agent {
    let path: String
    private let lab: Lab
    private let socket: Int32
    private var listener: Int32 = -1

    init(_ lab: Lab) throws {
        self.lab = lab
        path = lab.fresh("agent")
        socket = try UnixSocket.listen(at: path)
    }

    deinit {
        close(socket)
        if listener >= 0 { close(listener) }
    }

    /// Takes the listener and returns the state that came with it.
    func take(sentBy pid: pid_t) throws -> Object {
        let received = try UnixSocket.receive(from: socket, sentBy: pid, lab)
        try equal(received.descriptors.count, 1, "descriptors")
        listener = received.descriptors[0]
        return try object(String(decoding: received.bytes, as: UTF8.self))
    }

    /// Waits for the first call and returns who makes it, in this process's PID namespace; nobody answers it.
    func nextCaller() throws -> pid_t {
        var notification = [UInt64](repeating: 0, count: 10)
        try lab.eventually("a call") {
            var item = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            return poll(&item, 1, 0) > 0 && ioctl(listener, 0xC050_2100, &notification) == 0
        }
        return pid_t(truncatingIfNeeded: notification[1])
    }

    /// Answers calls until a process has ended; returns how many there were, and the process's status.
    ///
    /// The notification has 80 bytes: an id, a pid, flags, and what the filter saw. The answer has 24: the id, a value, an error, flags.
    func answer(errno: Int32, until pid: pid_t) throws -> (calls: Int, status: Int32) {
        var calls = 0
        var status: Int32?
        try lab.eventually("the end of process \(pid)") {
            var item = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            if poll(&item, 1, 0) > 0, item.revents & Int16(POLLIN) != 0 {
                var notification = [UInt64](repeating: 0, count: 10)
                // SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND; flag 1: let the call pass.
                if ioctl(listener, 0xC050_2100, &notification) == 0 {
                    var reply: [UInt64] = [notification[0], 0, errno == 0 ? 1 << 32 : UInt64(UInt32(bitPattern: -errno))]
                    if ioctl(listener, 0xC018_2101, &reply) == 0 { calls += 1 }
                }
            }
            status = lab.children.status(of: pid)
            return status != nil
        }
        return (calls, status ?? -1)
    }
}

/// Seccomp with an agent that answers.
let seccompAgent = Topic("seccomp agent") { topic in
    /// Runs a container in the foreground with an agent that answers its filter's calls.
    @Sendable func answered(_ lab: Lab, errno: Int32, names: [String], _ script: String, _ change: (inout Config) -> Void = { _ in }) throws
        -> (text: String, calls: Int, status: Int32)
    {
        let agent = try Agent(lab)
        let box = try lab.container(script) {
            $0["/linux/seccomp"] = allowing(but: [rule(names, "SCMP_ACT_NOTIFY")])
            $0["/linux/seccomp/listenerPath"] = agent.path
            change(&$0)
        }
        let words = [lab.runtime.path, "--root", lab.stateRoot, "run", "--bundle", box.bundle, box.id]
        let pid = try lab.children.start(Launch(arguments: words, output: box.output, error: box.errors))
        _ = try agent.take(sentBy: pid)
        let (calls, status) = try agent.answer(errno: errno, until: pid)
        return (box.text + lab.read(box.errors), calls, status)
    }

    topic.claim("the agent's answer is the payload's result", rows: ["SE-06", "SE-10"]) { lab in
        let result = try answered(lab, errno: 28, names: mkdirCalls, "mkdir /x 2>&1; echo end")
        try contains(result.text, "No space left on device", "mkdir")
        try contains(result.text, "end", "output")
        try equal(result.calls, 1, "calls that were asked about")
    }

    topic.claim("the agent can let a call pass", rows: ["SE-06"]) { lab in
        let result = try answered(lab, errno: 0, names: mkdirCalls, "mkdir /x && echo made")
        try contains(result.text, "made", "output")
    }

    for (name, calls) in [
        ("write, sendmsg and close", ["write", "sendmsg", "close", "close_range"]), ("execve", ["execve"]),
        ("rt_sigaction and nanosleep", ["rt_sigaction", "rt_sigprocmask", "nanosleep", "clock_nanosleep", "futex"]),
    ] {
        for placement in ["exec", "supervise"] {
            topic.claim("a filter that asks about \(name) starts (\(placement))", rows: ["SE-06", "SE-10", "SE-17"]) { lab in
                let result = try answered(lab, errno: 0, names: calls, "echo end") {
                    $0["/annotations"] = ["org.swoci.init": placement]
                }
                try contains(result.text, "end", "output")
                try equal(result.status, 0, "status")
            }
        }
    }

    topic.claim("a filter with an agent works without noNewPrivileges", rows: ["SE-06", "SE-17"]) { lab in
        let result = try answered(lab, errno: 28, names: mkdirCalls, "mkdir /x 2>&1; grep ^NoNewPrivs /proc/self/status") {
            $0["/process/noNewPrivileges"] = false
            $0["/process/user"] = ["uid": 1000, "gid": 1000]
            $0["/process/capabilities"] = [:] as Object
        }
        try contains(result.text, "No space left on device", "mkdir")
        try contains(result.text, "NoNewPrivs:\t0", "status")
    }

    topic.claim("a filter with an agent works in a user namespace and without a PID namespace", rows: ["SE-06", "N-09"]) { lab in
        let result = try answered(lab, errno: 28, names: mkdirCalls, "mkdir /tmp/x 2>&1; ls /proc/self/fd | wc -l") {
            $0.share("pid")
            $0.mount("/tmp", type: "tmpfs", source: "tmpfs")
        }
        try contains(result.text, "No space left on device", "mkdir")
        try contains(result.text, "\n4", "descriptors of ls")
    }

    topic.claim("no thread and no child but the payload's own is left", rows: ["SE-06", "L-07"]) { lab in
        let script = "grep ^Threads /proc/self/status; set -- /proc/[0-9]*; echo $# process"
        let result = try answered(lab, errno: 28, names: mkdirCalls, script) {
            $0["/annotations"] = ["org.swoci.init": "exec"]
        }
        try contains(result.text, "Threads:\t1", "status")
        try contains(result.text, "\n1 process", "processes")
    }

    for flag in ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] {
        topic.claim("a filter with an agent takes the flag \(flag)", rows: ["SE-05", "SE-06"]) { lab in
            let result = try answered(lab, errno: 28, names: mkdirCalls, "mkdir /x 2>&1") { $0["/linux/seccomp/flags"] = [flag] }
            try contains(result.text, "No space left on device", "mkdir")
        }
    }

    topic.claim("a payload that cannot be executed is start's error though the filter asks about sendmsg", rows: ["SE-06", "LC-08"]) {
        lab in
        let agent = try Agent(lab)
        let box = try lab.container {
            $0["/linux/seccomp"] = allowing(but: [rule(["sendmsg", "exit_group", "write"], "SCMP_ACT_NOTIFY")])
            $0["/linux/seccomp/listenerPath"] = agent.path
            $0["/process/args"] = ["/bad"]
        }
        try "not a program".write(toFile: "\(box.rootfs)/bad", atomically: false, encoding: .utf8)
        chmod("\(box.rootfs)/bad", 0o755)
        try box.created()
        let words = [lab.runtime.path, "--root", lab.stateRoot, "start", box.id]
        let errors = lab.fresh("err")
        let pid = try lab.children.start(Launch(arguments: words, error: errors))
        _ = try agent.take(sentBy: pid)
        let (_, status) = try agent.answer(errno: 1, until: pid)
        try equal(status, 1, "status of start")
        try contains(lab.read(errors), "exec format error", "message")
        try box.stopped()
    }

    topic.claim("without an agent start fails with the reason, and the container has stopped", rows: ["SE-06", "LC-08"]) { lab in
        for placement in ["exec", "supervise"] {
            let box = try lab.container("echo ran") {
                $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_NOTIFY")])
                $0["/linux/seccomp/listenerPath"] = lab.fresh("nobody")
                $0["/annotations"] = ["org.swoci.init": placement]
            }
            try box.created()
            let outcome = try box.start()
            try equal(outcome.status, 1, "status of start")
            try contains(outcome.err, "seccomp agent", "message")
            try equal(try box.status(), "stopped", "status")
            try equal(box.text, "", "output")
            try equal(try box.delete().status, 0, "delete")
        }
    }

    topic.claim("an agent that goes away unheard fails start", rows: ["SE-06"]) { lab in
        let path = lab.fresh("agent")
        close(try UnixSocket.listen(at: path))
        let box = try lab.container("echo ran") {
            $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_NOTIFY")])
            $0["/linux/seccomp/listenerPath"] = path
        }
        try contains(try box.run().err, "connection refused", "message")
        try box.gone()
    }
}

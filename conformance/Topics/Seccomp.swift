/// Seccomp by effect: what the payload may not call, what it gets instead, and what is refused.

import Foundation

/// What a filter has about one call; as a dictionary of the config.
private func rule(_ names: [String], _ action: String, errno: Int? = nil, args: [Object]? = nil) -> Object {
    var rule: Object = ["names": names, "action": action]
    rule["errnoRet"] = errno
    rule["args"] = args
    return rule
}

private func allowing(but rules: [Object]) -> Object { ["defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules] }

private let mkdirCalls = ["mkdir", "mkdirat"]

/// Rules against some modes of chmod: operator, value, second value, modes that fail, modes that pass.
private let operators = [
    ("SCMP_CMP_EQ", 0o700, 0, [0o700], [0o701, 0o600]), ("SCMP_CMP_NE", 0o700, 0, [0o701], [0o700]),
    ("SCMP_CMP_LT", 0o400, 0, [0o377], [0o400]), ("SCMP_CMP_LE", 0o400, 0, [0o377, 0o400], [0o401]),
    ("SCMP_CMP_GT", 0o400, 0, [0o401], [0o400]), ("SCMP_CMP_GE", 0o400, 0, [0o400, 0o401], [0o377]),
    ("SCMP_CMP_MASKED_EQ", 0o4000, 0o4000, [0o4755, 0o6711], [0o755, 0o2755]),
]

/// Calls that a shell, and a runtime's last steps before it, make.
private let everyday = """
    access arch_prctl brk capget capset chdir clone clone3 close close_range dup dup2 dup3 epoll_create1 epoll_ctl
    epoll_pwait epoll_wait eventfd2 execve execveat exit exit_group faccessat faccessat2 fchdir fcntl fork fstat fstatfs
    futex getcwd getdents64 getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getrandom getrlimit gettid getuid
    ioctl kill lseek lstat madvise mmap mprotect mremap munmap nanosleep newfstatat open openat openat2 pidfd_open
    pidfd_send_signal pipe pipe2 poll ppoll prctl pread64 prlimit64 read readlink readlinkat recvfrom recvmsg restart_syscall
    rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_getaffinity sched_yield
    seccomp sendmsg sendto set_robust_list set_tid_address setgid setgroups setpgid setresgid setresuid setsid setuid
    sigaltstack signalfd4 socket connect socketpair stat statfs statx tgkill tkill uname umask vfork wait4 waitid write
    writev
    """.split(whereSeparator: \.isWhitespace).map(String.init)

let seccomp = Topic("seccomp") { topic in
    topic.claim("the payload runs in filter mode", rows: ["SE-01"]) { lab in
        let box = try lab.container("grep ^Seccomp: /proc/self/status") {
            $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_ERRNO")])
        }
        try equal(try box.printed(), "Seccomp:\t2", "status")
    }

    topic.claim("without seccomp there is no filter", rows: ["SE-01"]) { lab in
        try equal(try lab.container("grep ^Seccomp: /proc/self/status").printed(), "Seccomp:\t0", "status")
    }

    for privileged in [true, false] {
        topic.claim("a filter works with noNewPrivileges \(privileged)", rows: ["SE-01", "SE-17"]) { lab in
            let box = try lab.container("mkdir /x 2>&1; ls -d /x") {
                $0["/process/noNewPrivileges"] = privileged
                $0["/process/user"] = ["uid": 1000, "gid": 1000]
                $0["/process/capabilities"] = [:] as Object
                $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_ERRNO", errno: 38)])
            }
            try contains(try box.run().out, "Function not implemented", "mkdir")
        }
    }

    for (errno, words) in [(nil, "Operation not permitted"), (38, "Function not implemented"), (28, "No space left on device")]
        as [(Int?, String)]
    {
        topic.claim("ERRNO with \(errno.map { "errnoRet \($0)" } ?? "no errnoRet") gives \"\(words)\"", rows: ["SE-10", "SE-11"]) { lab in
            let box = try lab.container("mkdir /x 2>&1; [ -d /x ] || echo none") {
                $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_ERRNO", errno: errno)])
            }
            let text = try box.printed()
            try contains(text, words, "mkdir")
            try contains(text, "none", "directory")
        }
    }

    for (op, value, second, failing, passing) in operators {
        topic.claim("an argument compared by \(op)", rows: ["SE-12", "SE-13", "SE-15"] + (second == 0 ? [] : ["SE-14"])) { lab in
            func octal(_ modes: [Int]) -> String { modes.map { String($0, radix: 8) }.joined(separator: " ") }
            let box = try lab.container("touch /f; for m in \(octal(failing + passing)); do chmod $m /f 2>/dev/null && echo $m; done; true")
            {
                func argument(_ index: Int) -> [Object] { [["index": index, "value": value, "valueTwo": second, "op": op]] }
                $0["/linux/seccomp"] = allowing(but: [
                    rule(["chmod"], "SCMP_ACT_ERRNO", args: argument(1)), rule(["fchmodat"], "SCMP_ACT_ERRNO", args: argument(2)),
                ])
            }
            try equal(try box.printed().split(separator: "\n").joined(separator: " "), octal(passing), "modes that could be set")
        }
    }

    topic.claim("several arguments of a rule must all match", rows: ["SE-12", "SE-15"]) { lab in
        let box = try lab.container("ulimit -c 0 && echo set; kill -0 $$ && echo zero; kill -10 1 2>/dev/null || echo refused; true") {
            $0["/linux/seccomp"] = allowing(but: [
                rule(
                    ["kill"], "SCMP_ACT_ERRNO",
                    args: [
                        ["index": 0, "value": 1, "op": "SCMP_CMP_EQ"], ["index": 1, "value": 10, "op": "SCMP_CMP_EQ"],
                    ])
            ])
        }
        try equal(try box.printed(), "set\nzero\nrefused", "output")
    }

    for action in ["SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"] {
        topic.claim("\(action) ends the payload with 128+31", rows: ["SE-10", "LC-10"]) { lab in
            let box = try lab.container {
                $0["/process/args"] = ["mkdir", "/x"]
                $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, action)])
            }
            try equal(try box.run().status, 159, "status")
        }
    }

    topic.claim("SCMP_ACT_LOG lets the call pass", rows: ["SE-10"]) { lab in
        let box = try lab.container("mkdir /x && echo made") { $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_LOG")]) }
        try equal(try box.printed(), "made", "output")
    }

    topic.claim("SCMP_ACT_TRACE without a tracer is ENOSYS", rows: ["SE-10"]) { lab in
        let box = try lab.container("mkdir /x 2>&1") { $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_TRACE")]) }
        try contains(try box.run().out, "Function not implemented", "mkdir")
    }

    for (errno, words) in [(nil, "Operation not permitted"), (28, "No space left on device")] as [(Int?, String)] {
        topic.claim(
            "what is not listed gets the default action, \(errno.map { "with defaultErrnoRet \($0)" } ?? "EPERM")",
            rows: ["SE-02", "SE-03"]
        ) { lab in
            let box = try lab.container("mkdir /x 2>&1; echo alive") {
                var filter: Object = ["defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule(everyday, "SCMP_ACT_ALLOW")]]
                filter["defaultErrnoRet"] = errno
                $0["/linux/seccomp"] = filter
            }
            let text = try box.printed()
            try contains(text, words, "mkdir")
            try contains(text, "alive", "output")
        }
    }

    topic.claim("unknown call names are skipped, the others count", rows: ["SE-09"]) { lab in
        let box = try lab.container("mkdir /x 2>&1; true") {
            $0["/linux/seccomp"] = allowing(but: [rule(["no_such_call"] + mkdirCalls + ["nor_this"], "SCMP_ACT_ERRNO")])
        }
        try contains(try box.printed(), "Operation not permitted", "mkdir")
    }

    topic.claim("a rule with the default action is no error", rows: ["SE-10"]) { lab in
        let box = try lab.container("mkdir /x && echo made") { $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_ALLOW")]) }
        try equal(try box.printed(), "made", "output")
    }

    topic.claim("a second container with the same filter is filtered the same", rows: ["SE-01"]) { lab in
        for _ in 1...2 {
            let box = try lab.container("mkdir /x 2>&1; grep ^Seccomp: /proc/self/status") {
                $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_ERRNO", errno: 28)])
            }
            let text = try box.printed()
            try contains(text, "No space left on device", "mkdir")
            try contains(text, "Seccomp:\t2", "status")
        }
    }

    topic.claim("a filter that differs a little is not mistaken for an earlier one", rows: ["SE-01"]) { lab in
        for (errno, words) in [(28, "No space left on device"), (38, "Function not implemented")] {
            let box = try lab.container("mkdir /x 2>&1; true") {
                $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_ERRNO", errno: errno)])
            }
            try contains(try box.printed(), words, "mkdir")
        }
    }

    topic.claim("further architectures are accepted", rows: ["SE-04"]) { lab in
        let box = try lab.container("mkdir /x 2>&1; true") {
            $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_ERRNO")])
            $0["/linux/seccomp/architectures"] = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"]
        }
        try contains(try box.printed(), "Operation not permitted", "mkdir")
    }

    for flag in ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"] {
        topic.claim("the flag \(flag) is accepted", rows: ["SE-05"]) { lab in
            let box = try lab.container("mkdir /x 2>&1; true") {
                $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_ERRNO")])
                $0["/linux/seccomp/flags"] = [flag]
            }
            let known = ((lab.runtime.features["linux"] as? Object)?["seccomp"] as? Object)?["supportedFlags"] as? [String]
            if let known, !known.contains(flag) { throw Skip("the runtime does not list the flag \(flag) as supported") }
            try contains(try box.printed(), "Operation not permitted", "mkdir")
        }
    }

    topic.claim("20,000 rules of one call each argument are compiled or refused within seconds", rows: ["SE-08"]) { lab in
        for (count, fits) in [(1000, true), (20_000, false)] {
            let rules = (0..<count).map {
                rule(["personality"], "SCMP_ACT_ERRNO", args: [["index": 0, "value": $0 + 100, "op": "SCMP_CMP_EQ"]])
            }
            let box = try lab.container("echo fine") { $0["/linux/seccomp"] = allowing(but: rules) }
            let begin = Date()
            let outcome = try box.run()
            try expect(Date().timeIntervalSince(begin) < 8, "it took \(Date().timeIntervalSince(begin)) s")
            if fits {
                try equal(outcome.line, "fine", "output (\(outcome.err))")
            } else {
                try expect(outcome.status != 0, "it was not refused")
            }
        }
    }

    topic.claim("20,000 rules that say the same are one", rows: ["SE-08"]) { lab in
        let rules = [Object](repeating: rule(mkdirCalls, "SCMP_ACT_ERRNO", errno: 28), count: 20_000)
        let box = try lab.container("mkdir /x 2>&1; true") { $0["/linux/seccomp"] = allowing(but: rules) }
        let begin = Date()
        try contains(try box.printed(), "No space left on device", "mkdir")
        try expect(Date().timeIntervalSince(begin) < 5, "it took \(Date().timeIntervalSince(begin)) s")
    }

    for name in [
        "X86", "X86_64", "X32", "ARM", "AARCH64", "MIPS", "MIPS64", "MIPS64N32", "MIPSEL", "MIPSEL64", "MIPSEL64N32", "PPC", "PPC64",
        "PPC64LE",
        "S390", "S390X", "PARISC", "PARISC64", "RISCV64", "LOONGARCH64", "M68K", "SH", "SHEB",
    ] {
        topic.claim("the architecture SCMP_ARCH_\(name) works or is named in the refusal", rows: ["SE-04"]) { lab in
            let box = try lab.container("mkdir /x 2>&1; true") {
                $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_ERRNO")])
                $0["/linux/seccomp/architectures"] = ["SCMP_ARCH_\(name)"]
            }
            let outcome = try box.run()
            if outcome.status == 0 {
                try contains(outcome.out, "Operation not permitted", "mkdir")
            } else if lab.runtime.isSwoci {
                try contains(outcome.err, "SCMP_ARCH_\(name)", "message")
                try contains(outcome.err, "libseccomp", "message")
            }
        }
    }

    for action in ["KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ALLOW", "LOG"] {
        topic.claim("errnoRet with \(action) is refused", rows: ["SE-11"]) { lab in
            try lab.container {
                $0["/linux/seccomp"] =
                    ["defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule(mkdirCalls, "SCMP_ACT_\(action)", errno: 1)]] as Object
            }.refused("errnoRet")
        }
    }

    topic.claim("NOTIFY without a listener path is refused", rows: ["SE-06"]) { lab in
        try lab.container { $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_NOTIFY")]) }.refused()
    }

    topic.claim("NOTIFY with nobody listening is refused", rows: ["SE-06"]) { lab in
        let path = lab.fresh("nobody")
        let box = try lab.container("echo ran") {
            $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_NOTIFY")])
            $0["/linux/seccomp/listenerPath"] = path
        }
        // The filter may be loaded at create or just before the program runs.
        var outcome = try box.create()
        if outcome.status == 0 {
            outcome = try box.start()
            try box.stopped()
        }
        try expect(!(outcome.err + lab.read(box.errors)).isEmpty, "nobody was told")
        try equal(box.text, "", "output of a payload that must not run")
    }

    topic.claim("NOTIFY sends the listener one state with the filter's descriptor", rows: ["SE-06", "SE-07", "SE-18", "SE-19", "SE-20"]) {
        lab in
        let path = lab.fresh("agent")
        let listener = try UnixSocket.listen(at: path)
        defer { close(listener) }
        let box = try lab.container("mkdir /x 2>&1; echo end") {
            $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_NOTIFY")])
            $0["/linux/seccomp/listenerPath"] = path
            $0["/linux/seccomp/listenerMetadata"] = "meta data"
        }
        let words = [lab.runtime.path, "--root", lab.stateRoot, "run", "--bundle", box.bundle, box.id]
        let pid = try lab.children.start(Launch(arguments: words, output: box.output, error: box.errors))
        let received = try UnixSocket.receive(from: listener, sentBy: pid, lab)
        let state = try object(String(decoding: received.bytes, as: UTF8.self))
        // With its only listener gone, a call that would wait for an answer gets ENOSYS.
        received.descriptors.forEach { close($0) }
        try equal(received.descriptors.count, 1, "descriptors")
        try equal(state["fds"] as? [String], ["seccompFd"], "fds")
        try equal(state["metadata"] as? String, "meta data", "metadata")
        try expect(state["ociVersion"] is String && (state["pid"] as? Int ?? 0) > 0, "ociVersion or pid is missing: \(state)")
        let inner = state["state"] as? Object ?? [:]
        try equal(inner["id"] as? String, box.id, "state.id")
        try equal(inner["status"] as? String, "creating", "state.status")
        try equal(inner["bundle"] as? String, box.bundle, "state.bundle")
        _ = try lab.children.wait(for: pid, until: lab.deadline, "run")
        try contains(box.text, "Function not implemented", "mkdir")
        try contains(box.text, "end", "output")
    }

    topic.claim("a listener path without a NOTIFY rule is ignored", rows: ["SE-06"]) { lab in
        let path = lab.fresh("nobody")
        let box = try lab.container("echo fine") {
            $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls, "SCMP_ACT_ERRNO")])
            $0["/linux/seccomp/listenerPath"] = path
        }
        try equal(try box.printed(), "fine", "output")
    }
}

/// The answering side of a filter with NOTIFY: gets one listener, says something to every call until it is closed.
private final class Agent {
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
        let result = try answered(lab, errno: 28, names: mkdirCalls, "grep ^Threads /proc/self/status; ls -d /proc/[0-9]* | wc -l") {
            $0["/annotations"] = ["org.swoci.init": "exec"]
        }
        try contains(result.text, "Threads:\t1", "status")
        // sh, ls and wc.
        try contains(result.text, "\n3", "processes")
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

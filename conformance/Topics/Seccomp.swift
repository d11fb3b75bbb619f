/// Seccomp by effect: what the payload may not call, what it gets instead, and what is refused.

import Foundation

/// What a filter has about one call; as a dictionary of the config.
func rule(_ names: [String], _ action: String, errno: Int? = nil, args: [Object]? = nil) -> Object {
    var rule: Object = ["names": names, "action": action]
    rule["errnoRet"] = errno
    rule["args"] = args
    return rule
}

func allowing(but rules: [Object]) -> Object { ["defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules] }

let mkdirCalls = ["mkdir", "mkdirat"]

/// Rules against some modes of chmod: operator, value, second value, modes that fail, modes that pass.
private let operators = [
    ("SCMP_CMP_EQ", 0o700, 0, [0o700], [0o701, 0o600]), ("SCMP_CMP_NE", 0o700, 0, [0o701], [0o700]),
    ("SCMP_CMP_LT", 0o400, 0, [0o377], [0o400]), ("SCMP_CMP_LE", 0o400, 0, [0o377, 0o400], [0o401]),
    ("SCMP_CMP_GT", 0o400, 0, [0o401], [0o400]), ("SCMP_CMP_GE", 0o400, 0, [0o400, 0o401], [0o377]),
    ("SCMP_CMP_MASKED_EQ", 0o4000, 0o4000, [0o4755, 0o6711], [0o755, 0o2755]),
]

/// Calls that a shell, and a runtime's last steps before it, make.
let everyday = """
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

    for user in [0, 1000] {
        topic.claim(
            "without noNewPrivileges the payload of uid \(user) has nothing of what loading the filter takes",
            rows: ["SE-17", "P-16", "P-22"]
        ) { lab in
            let box = try lab.container("grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb):' /proc/self/status") {
                $0["/process/noNewPrivileges"] = false
                $0["/process/user"] = ["uid": user, "gid": user]
                $0["/process/capabilities"] = Dictionary(
                    uniqueKeysWithValues: ["bounding", "permitted", "effective"].map { ($0, ["CAP_KILL"]) })
                // Some runtimes drop capabilities after the load.
                let calls = lab.runtime.isSwoci ? mkdirCalls + ["capset", "prctl", "close_range", "sendto"] : mkdirCalls
                $0["/linux/seccomp"] = allowing(but: [rule(calls, "SCMP_ACT_ERRNO")])
            }
            let sets = try box.printed(lines: 5).map { UInt64($0[1], radix: 16) }
            let own: UInt64 = user == 0 ? 1 << 5 : 0
            try equal(sets, [0, own, own, 1 << 5, 0], "inheritable, permitted, effective, bounding and ambient set")
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

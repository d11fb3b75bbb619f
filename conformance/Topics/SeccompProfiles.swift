/// Whole filters: calls that are younger than the profile, names that nobody knows, rules that disagree, and what can never work.

import Foundation

/// A program for this machine that makes one system call with all arguments 0 and exits with its errno, 0 for none.
private func caller(of number: UInt32) throws -> [UInt8] {
    #if arch(x86_64)
        func little(_ value: UInt64, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) } }
        // mov eax, number; syscall; mov edi, eax; neg edi; mov eax, 60 (exit); syscall
        let code = [0xB8] + little(UInt64(number), 4) + [0x0F, 0x05, 0x89, 0xC7, 0xF7, 0xDF, 0xB8] + little(60, 4) + [0x0F, 0x05]
        let base: UInt64 = 0x40_0000
        let size = UInt64(64 + 56 + code.count)
        // elf(5): the header of a 64-bit executable, one loadable segment, the code.
        var file: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        file += little(2, 2) + little(62, 2) + little(1, 4) + little(base + 120, 8) + little(64, 8) + little(0, 8) + little(0, 4)
        file += little(64, 2) + little(56, 2) + little(1, 2) + little(0, 6)
        file += little(1, 4) + little(5, 4) + little(0, 8) + little(base, 8) + little(base, 8) + little(size, 8) + little(size, 8)
        return file + little(4096, 8) + code
    #else
        throw Skip("the program is written for x86_64")
    #endif
}

extension Lab {
    /// What a system call says in a container with a filter: its errno.
    fileprivate func errno(of number: UInt32, under filter: Object) throws -> Int32 {
        let box = try container {
            $0["/process/args"] = ["/call"]
            $0["/linux/seccomp"] = filter
        }
        try Data(caller(of: number)).write(to: URL(fileURLWithPath: "\(box.rootfs)/call"))
        chmod("\(box.rootfs)/call", 0o755)
        return try box.run().status
    }
}

let seccompProfiles = Topic("seccomp profiles") { topic in
    /// A profile that knows calls up to faccessat2 (439), without io_uring_setup (425) and sysinfo (99).
    @Sendable func profile() -> Object { ["defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule(everyday, "SCMP_ACT_ALLOW")]] }

    for (number, name, errno) in [(99, "sysinfo", 1), (425, "io_uring_setup", 1), (2000, "a call of the future", 38)]
        as [(UInt32, String, Int32)]
    {
        topic.claim("a profile that does not list \(name) answers \(errno == 38 ? "ENOSYS" : "its default")", rows: ["SE-16"]) { lab in
            try equal(try lab.errno(of: number, under: profile()), errno, "errno")
        }
    }

    topic.claim("a profile with an errno of its own for the default answers ENOSYS to calls of the future", rows: ["SE-16", "SE-03"]) {
        lab in
        var other = profile()
        other["defaultErrnoRet"] = 28
        try equal(try lab.errno(of: 99, under: other), 28, "errno of a call that it could have listed")
        try equal(try lab.errno(of: 2000, under: other), 38, "errno of a call of the future")
    }

    topic.claim("a profile that allows by default lets calls of the future through to the kernel", rows: ["SE-16"]) { lab in
        try equal(try lab.errno(of: 2000, under: allowing(but: [rule(mkdirCalls, "SCMP_ACT_ERRNO")])), 38, "errno")
    }

    topic.claim("ENOSYS for calls of the future holds on each architecture of the profile", rows: ["SE-16", "SE-04"]) { lab in
        var other = profile()
        other["architectures"] = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
        try equal(try lab.errno(of: 2000, under: other), 38, "errno")
        try equal(try lab.errno(of: 0x4000_0000 + 2000, under: other), 38, "errno of an x32 call")
        try equal(try lab.errno(of: 99, under: other), 1, "errno of a call that it could have listed")
    }

    topic.claim("SCMP_ACT_NOTIFY as the default is refused", rows: ["SE-02"]) { lab in
        try lab.container {
            $0["/linux/seccomp"] = ["defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": lab.fresh("agent")] as Object
        }.refused()
    }

    for (name, filter) in [
        ("refuses everything", #"{"defaultAction": "SCMP_ACT_ERRNO"}"#),
        ("kills at every call", #"{"defaultAction": "SCMP_ACT_KILL_PROCESS"}"#),
        ("refuses execve", #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_ERRNO"}]}"#),
        ("traps execve", #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_TRAP"}]}"#),
    ] {
        topic.claim("a filter that \(name) fails create: nothing could ever be executed under it", rows: ["SE-10", "SE-17"]) { lab in
            try lab.oursOnly()
            try lab.container { $0["/linux/seccomp"] = try object(filter) }.refused("execve", "/linux/seccomp")
        }
    }

    topic.claim("a filter that looks at the arguments of execve is taken", rows: ["SE-12"]) { lab in
        let box = try lab.container("echo fine") {
            $0["/linux/seccomp"] = allowing(but: [
                rule(["execve"], "SCMP_ACT_ERRNO", args: [["index": 0, "value": 0, "op": "SCMP_CMP_EQ"]])
            ])
        }
        try equal(try box.printed(), "fine", "output")
    }

    topic.claim("of two rules that disagree one counts, and the payload runs", rows: ["SE-10"]) { lab in
        let box = try lab.container("mkdir /x 2>&1; echo end") {
            $0["/linux/seccomp"] = allowing(but: [
                rule(mkdirCalls, "SCMP_ACT_ERRNO", errno: 28), rule(mkdirCalls, "SCMP_ACT_ERRNO", errno: 38),
            ])
        }
        let text = try box.printed()
        try contains(text, "end", "output")
        try expect(text.contains("No space left on device") || text.contains("Function not implemented"), "mkdir: \(text)")
        guard lab.runtime.isSwoci else { return }
        try contains(text, "No space left on device", "mkdir, by the first rule")
        let told = try lab.run(["--debug", "run", "--bundle", box.bundle, box.id])
        try contains(told.err, "two rules for mkdir disagree: /linux/seccomp/syscalls/0 counts, ", "messages under --debug")
        try contains(told.err, "/linux/seccomp/syscalls/1 does not", "messages under --debug")
    }

    topic.claim("names that libseccomp does not know are told under --debug only", rows: ["SE-09"]) { lab in
        try lab.oursOnly()
        for _ in 1...2 {
            let box = try lab.container("echo fine") {
                $0["/linux/seccomp"] = allowing(but: [rule(["no_such_call"] + mkdirCalls, "SCMP_ACT_ERRNO")])
            }
            let quiet = try box.run()
            try equal(quiet.err, "", "messages")
            let outcome = try lab.run(["--debug", "run", "--bundle", box.bundle, box.id])
            try equal(outcome.line, "fine", "output")
            try contains(outcome.err, "no_such_call", "messages under --debug")
        }
    }

    topic.claim("run.oci.seccomp_fail_unknown_syscall makes an unknown name an error", rows: ["SE-09", "A-04"]) { lab in
        let box = try lab.container {
            $0["/annotations"] = ["run.oci.seccomp_fail_unknown_syscall": "1"]
            $0["/linux/seccomp"] = allowing(but: [rule(mkdirCalls + ["no_such_call"], "SCMP_ACT_ERRNO")])
        }
        if lab.runtime.version.hasPrefix("runc") { throw Skip("an annotation of crun and swoci") }
        try box.refused("no_such_call")
    }
}

/// The supervisor's own system call filter: a handful of calls, everything else fails.

import CLinux
import Linux

/// The calls that waiting, reaping, forwarding and ending take.
private let allowedCalls: InlineArray<7, Int32> = [
    __NR_rt_sigtimedwait, __NR_wait4, __NR_kill, __NR_exit_group, __NR_madvise, __NR_munmap, __NR_restart_syscall,
]

/// Loads the filter.
///
/// The process has no_new_privs by now.
func loadSupervisorFilter() throws(Errno) {
    var program = InlineArray<12, sock_filter>(repeating: sock_filter())
    // seccomp_data: the call's number at 0, the architecture at 4. BPF_LD|BPF_W|BPF_ABS 0x20, BPF_JMP|BPF_JEQ|BPF_K 0x15, BPF_RET 0x06.
    program[0] = sock_filter(code: 0x20, jt: 0, jf: 0, k: 4)
    program[1] = sock_filter(code: 0x15, jt: 0, jf: 8, k: UInt32(truncatingIfNeeded: CL_AUDIT_ARCH))
    program[2] = sock_filter(code: 0x20, jt: 0, jf: 0, k: 0)
    for index in 0..<7 {
        program[3 + index] = sock_filter(code: 0x15, jt: UInt8(7 - index), jf: 0, k: UInt32(allowedCalls[index]))
    }
    // SECCOMP_RET_ERRNO with EPERM; SECCOMP_RET_ALLOW.
    program[10] = sock_filter(code: 0x06, jt: 0, jf: 0, k: 0x0005_0001)
    program[11] = sock_filter(code: 0x06, jt: 0, jf: 0, k: 0x7fff_0000)
    try withUnsafePointer(to: &program) { pointer throws(Errno) in
        _ = try loadSeccompFilter(pointer, count: 12 * 8, flags: 0)
    }
}

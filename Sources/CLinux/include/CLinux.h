// The kernel's interface as Swift can import it: raw system calls and the structures they take.
//
// Only kernel headers are included, never those of a C library: swoci-init has none, and a raw call has no errno. A result
// in -4095...-1 is an error number.
#ifndef CLINUX_H
#define CLINUX_H

#include <asm/unistd.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <linux/stat.h>
#include <linux/types.h>
#include <linux/wait.h>

// Ends the process where no system call may.
__attribute__((noreturn)) static inline void cl_trap(void) { __builtin_trap(); }

#if defined(__x86_64__)
static inline long cl_syscall(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
// The AUDIT_ARCH_* value of this build's system calls (linux/audit.h), which seccomp programs check.
enum { CL_AUDIT_ARCH = (int)0xC000003E };
#elif defined(__aarch64__)
static inline long cl_syscall(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
enum { CL_AUDIT_ARCH = (int)0xC00000B7 };
#else
#error "swoci runs on x86_64 and aarch64"
#endif

// The kernel's siginfo_t. Only these fields are read.
struct cl_siginfo {
    __s32 signo, error, code, padding;
    __s32 pid;
    __u32 uid;
    __s32 status;
    __u8 rest[100];
};

struct cl_timespec {
    __s64 seconds, nanoseconds;
};

struct cl_pollfd {
    __s32 fd;
    __s16 events, revents;
};

// The kernel's struct sockaddr_un (linux/un.h), which names paths of at most 107 bytes.
struct cl_sockaddr_un {
    __u16 family;
    char path[108];
};

struct cl_iovec {
    void *base;
    unsigned long length;
};

struct cl_msghdr {
    void *name;
    __s32 name_length, padding;
    struct cl_iovec *vectors;
    unsigned long vector_count;
    void *control;
    unsigned long control_length;
    __u32 flags, padding2;
};

struct cl_cmsghdr {
    unsigned long length;
    __s32 level, type;
};

struct cl_ucred {
    __s32 pid;
    __u32 uid, gid;
};

// The terminal structures of asm-generic/termbits.h and termios.h.
struct cl_termios {
    __u32 input, output, control, local;
    __u8 line, characters[19];
};

struct cl_winsize {
    __u16 rows, columns, width, height;
};

// The 64-byte struct sched_attr of sched_setattr(2), which older headers lack.
struct cl_sched_attr {
    __u32 size, policy;
    __u64 flags;
    __s32 nice;
    __u32 priority;
    __u64 runtime, deadline, period;
    __u32 util_min, util_max;
};

struct cl_rlimit64 {
    __u64 current, maximum;
};

struct cl_ifreq {
    char name[16];
    __s16 flags;
    char padding[22];
};

// What statfs(2) fills in; the first word is the file system's magic number.
struct cl_statfs {
    __s64 type, words[14];
};

// One record of getdents64(2), without its name.
struct cl_dirent64 {
    __u64 inode;
    __s64 offset;
    __u16 length;
    __u8 type;
};

// Macros that Swift cannot import because they compute or cast.
enum {
    CL_TIOCSCTTY = 0x540E,
    CL_TIOCGWINSZ = 0x5413,
    CL_TIOCSWINSZ = 0x5414,
    CL_TIOCSPTLCK = 0x40045431,
    CL_TIOCGPTPEER = 0x5441,
    CL_TCGETS = 0x5401,
    CL_TCSETS = 0x5402,
    CL_SIOCGIFFLAGS = 0x8913,
    CL_SIOCSIFFLAGS = 0x8914,
    CL_NS_GET_NSTYPE = 0xB703,
    CL_NS_GET_USERNS = 0xB701,
};
#define CL_OPEN_TREE_CLOEXEC 0x80000
static const __u64 CL_CLONE_CLEAR_SIGHAND = 0x100000000ULL;
static const __u64 CL_CLONE_INTO_CGROUP = 0x200000000ULL;

#endif

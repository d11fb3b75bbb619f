/// The system calls that the init makes without a wrapper in Linux, because one step each uses them.

import CLinux

enum SystemCallNumber {
    static let clone = __NR_clone
    static let nanosleep = __NR_nanosleep
    static let umask = __NR_umask
    static let sethostname = __NR_sethostname
    static let setdomainname = __NR_setdomainname
    static let personality = __NR_personality
    static let keyctl = __NR_keyctl
    static let ioprioSet = __NR_ioprio_set
    static let schedSetattr = __NR_sched_setattr
    static let schedSetaffinity = __NR_sched_setaffinity
    static let setMempolicy = __NR_set_mempolicy
    static let prctl = __NR_prctl
    static let setsid = __NR_setsid
    static let setpgid = __NR_setpgid
    static let getcwd = __NR_getcwd
    static let fchdir = __NR_fchdir
    static let chdir = __NR_chdir
    static let chroot = __NR_chroot
    static let pivotRoot = __NR_pivot_root
    static let umount2 = __NR_umount2
    static let execve = __NR_execve
    static let faccessat2 = __NR_faccessat2
    static let mknodat = __NR_mknodat
    static let symlinkat = __NR_symlinkat
    static let readlinkat = __NR_readlinkat
    static let mkdirat = __NR_mkdirat
    static let fchownat = __NR_fchownat
    static let fchmod = __NR_fchmod
    static let getdents64 = __NR_getdents64
    static let dup3 = __NR_dup3
    static let pipe2 = __NR_pipe2
    static let kill = __NR_kill
    static let wait4 = __NR_wait4
    static let madvise = __NR_madvise
    static let sendfile = __NR_sendfile
    static let utimensat = __NR_utimensat
    static let lseek = __NR_lseek
    static let ftruncate = __NR_ftruncate
    static let linkat = __NR_linkat
    static let unlinkat = __NR_unlinkat
    static let flistxattr = __NR_flistxattr
    static let fgetxattr = __NR_fgetxattr
    static let fsetxattr = __NR_fsetxattr
}

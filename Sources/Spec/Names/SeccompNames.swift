/// Names of the `seccomp` section. Source: config-linux.md#seccomp, seccomp.h of libseccomp.

enum SeccompNames {
    /// Actions; the errno of the two that carry one comes from elsewhere (SE-10).
    static let actions: [Named<SeccompAction>] = [
        Named("SCMP_ACT_ALLOW", .allow), Named("SCMP_ACT_ERRNO", .errno(1)), Named("SCMP_ACT_KILL", .killThread),
        Named("SCMP_ACT_KILL_PROCESS", .killProcess), Named("SCMP_ACT_KILL_THREAD", .killThread), Named("SCMP_ACT_TRAP", .trap),
        Named("SCMP_ACT_TRACE", .trace(1)), Named("SCMP_ACT_LOG", .log), Named("SCMP_ACT_NOTIFY", .notify),
    ]

    /// Comparisons (SE-15).
    static let operators: [Named<SeccompCondition.Operator>] = [
        Named("SCMP_CMP_NE", .notEqual), Named("SCMP_CMP_LT", .less), Named("SCMP_CMP_LE", .lessOrEqual), Named("SCMP_CMP_EQ", .equal),
        Named("SCMP_CMP_GE", .greaterOrEqual), Named("SCMP_CMP_GT", .greater), Named("SCMP_CMP_MASKED_EQ", .maskedEqual),
    ]

    /// Architectures (SE-04).
    static let architectures: [StaticString] = [
        "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64",
        "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64",
        "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",
        "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
    ]

    /// Filter flags (SE-05).
    static let flags: [StaticString] = [
        "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
    ]
}

/// The names of all architectures that a config may list (SE-04).
public func seccompArchitectureNames() -> [String] { SeccompNames.architectures.map { $0.text } }

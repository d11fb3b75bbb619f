/// The annotations that change what swoci does, in one list; docs/ANNOTATIONS.md says what each does. Rows.

/// An annotation that has an effect.
public enum KnownAnnotation: String, CaseIterable, Equatable, Sendable {
    /// Whether the payload or the init is PID 1: "exec" or "supervise".
    case initPlacement = "org.swoci.init"
    /// The signal that `kill` sends by default.
    case stopSignal = "org.opencontainers.image.stopSignal"
    /// The payload keeps the caller's supplementary groups, as podman's `--group-add keep-groups` asks for.
    case keepOriginalGroups = "run.oci.keep_original_groups"
    /// A system call's name that libseccomp does not know is an error.
    case seccompFailUnknown = "run.oci.seccomp_fail_unknown_syscall"
    /// A socket that takes a pidfd of the container's first process.
    case pidfdReceiver = "run.oci.pidfd_receiver"
    /// Which mount option carries `linux.mountLabel`.
    case mountContextType = "run.oci.mount_context_type"
    /// A file with options for criu, in the place of the host's; empty: none.
    case criuConfig = "org.criu.config"
}

extension Config {
    /// The value of an annotation that has an effect.
    public func annotation(_ known: KnownAnnotation) -> String? { annotation(known.rawValue) }

    /// Whether an annotation that is a switch is on: it is there, and not "0" or "false".
    public func isSet(_ known: KnownAnnotation) -> Bool {
        guard let value = annotation(known) else { return false }
        return value != "0" && value != "false"
    }
}

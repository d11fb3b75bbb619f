/// The options of `checkpoint` and `restore`, as runc and crun have them.

/// What both take.
private let criuFlags: [Flag] = [
    Flag("work-path", value: "DIR", "the directory of the log and of criu's own files (default: that of the images)"),
    Flag("tcp-established", "allow established TCP connections"),
    Flag("ext-unix-sk", "allow unix sockets with peers outside of the container"),
    Flag("shell-job", "allow a payload that uses a terminal outside of the container"),
    Flag("lazy-pages", "hand pages over when they are asked for"),
    Flag("file-locks", "keep file locks"),
    Flag("manage-cgroups-mode", value: "MODE", "cgroups inside of the container's: soft (default), full, strict or ignore"),
    Flag("empty-ns", value: "NAMESPACE", "network: restore that namespace without its devices"),
    Flag("auto-dedup", "take pages that a later image has out of the earlier ones"),
]

/// The options of `checkpoint`.
let checkpointFlags: [Flag] =
    [
        Flag("image-path", value: "DIR", "the directory of the images (default: checkpoint)"),
        Flag("parent-path", value: "DIR", "the images of an earlier --pre-dump, relative to those of this checkpoint"),
        Flag("leave-running", "let the container go on"),
        Flag("pre-dump", "dump the memory only, and let the container go on"),
        Flag("tcp-skip-in-flight", "leave TCP connections out that are not established yet"),
        Flag("link-remap", "give files without a name one for the time being"),
        Flag("status-fd", value: "FD", "descriptor that gets a zero byte when lazy pages can be asked for"),
        Flag("page-server", value: "ADDRESS:PORT", "where the pages go, instead of the images"),
    ] + criuFlags

/// The options of `restore`.
let restoreFlags: [Flag] =
    [
        Flag("bundle", "b", value: "DIR", "the bundle's directory (default: the working directory)"),
        Flag("image-path", value: "DIR", "the directory of the images (default: checkpoint)"),
        Flag("detach", "d", "return when the container runs"),
        Flag("pid-file", value: "FILE", "file that takes the pid of the container's first process"),
        Flag("console-socket", value: "PATH", "unix socket that takes the terminal's descriptor"),
        Flag(
            "preserve-fds", value: "N",
            "give the payload N descriptors from 3 on in the place of those of the same numbers that it had from outside"),
        Flag("no-subreaper", "do not adopt processes that the container leaves behind"),
        Flag("no-pivot", "accepted for callers that pass it on: criu enters the root in its own way"),
        Flag("tcp-close", "restore TCP connections as closed ones"),
        Flag(
            "lsm-profile", value: "TYPE:NAME",
            "AppArmor profile or SELinux label instead of that of the images: apparmor:NAME, selinux:LABEL"),
        Flag("lsm-mount-context", value: "CONTEXT", "SELinux context of the mounts instead of that of the images"),
    ] + criuFlags

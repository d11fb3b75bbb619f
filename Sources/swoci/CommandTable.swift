/// The commands and options: what is understood, what help says, what a shell completes.

/// The commands.
enum Command: String, CaseIterable {
    case checkpoint
    case completion
    case create
    case delete
    case events
    case exec
    case features
    case kill
    case list
    case mounts
    case pause
    case plan
    case ps
    case restore
    case resume
    case run
    case spec
    case start
    case state
    case update
    case validate
    case wait
}

/// What there is to know about a command before it runs.
struct CommandDescription {
    /// What it does, in a few words.
    let summary: String
    /// How its operands are written.
    let operands: String
    /// How many operands it takes.
    let operandCount: ClosedRange<Int>
    /// Its options.
    let flags: [Flag]
    /// What else there is to say.
    let notes: String
    /// Whether all words after the first operand are operands too, whatever they look like.
    let takesWordsAsTheyAre: Bool

    init(
        _ summary: String, _ operands: String, _ operandCount: ClosedRange<Int>, _ flags: [Flag] = [], notes: String = "",
        takesWordsAsTheyAre: Bool = false
    ) {
        self.summary = summary
        self.operands = operands
        self.operandCount = operandCount
        self.flags = flags
        self.notes = notes
        self.takesWordsAsTheyAre = takesWordsAsTheyAre
    }
}

/// The options before the command.
let globalFlags: [Flag] = [
    Flag("root", value: "DIR", "state root (root: /run/swoci, others: $XDG_RUNTIME_DIR/swoci)"),
    Flag("log", value: "FILE", "append errors to FILE, or to the host's log: journald:ID, syslog:ID"),
    Flag("log-format", value: "FORMAT", "format of the log: text or json"),
    Flag("log-level", value: "LEVEL", "what goes to the log: error, warning, info or debug"),
    Flag("debug", "tell more, as --log-level debug does"),
    Flag("systemd-cgroup", "the same as --cgroup-manager systemd"),
    Flag("cgroup-manager", value: "MANAGER", "who manages the cgroup: cgroupfs, systemd or disabled"),
    Flag(
        "rootless", value: "MODE", "true: do without a cgroup where none may be made; false: fail; auto (default): true for who is not root"
    ),
    Flag("criu", value: "PATH", "the criu that checkpoint and restore run (default: criu in PATH)"),
    Flag("version", "v", "print the version"),
]

/// The options of `create`, which `run` has as well.
private let createFlags: [Flag] = [
    Flag("bundle", "b", value: "DIR", "the bundle's directory (default: the working directory)"),
    Flag("config", "f", value: "FILE", "the config, instead of the bundle's config.json"),
    Flag("console-socket", value: "PATH", "unix socket that takes the terminal's descriptor"),
    Flag("pid-file", value: "FILE", "file that takes the pid of the container's first process"),
    Flag("pidfd-socket", value: "PATH", "unix socket that takes a pidfd of the container's first process"),
    Flag("preserve-fds", value: "N", "pass N descriptors from 3 on to the payload"),
    Flag("no-pivot", "enter the root without pivot_root, for a root on a ramdisk"),
    Flag("no-new-keyring", "keep the caller's session keyring"),
    Flag("no-subreaper", "run: do not adopt processes that the container leaves behind; create never does"),
]

/// The options of `exec`.
private let execFlags: [Flag] = [
    Flag("process", "p", value: "FILE", "the process as JSON, in the config's form; - for standard input"),
    Flag("cwd", value: "DIR", "working directory; it must be there"),
    Flag("env", "e", value: "NAME=VALUE", "environment variable (may be repeated)"),
    Flag("tty", "t", "give it a terminal"),
    Flag("user", "u", value: "USER[:GROUP]", "ids, or names in the container's /etc/passwd and /etc/group"),
    Flag("additional-gids", "g", value: "GID", "further group (may be repeated)"),
    Flag("cap", "c", value: "CAP", "further capability, such as CAP_CHOWN (may be repeated)"),
    Flag("no-new-privs", "give up gaining privileges, as the container may have done already"),
    Flag("apparmor", value: "PROFILE", "AppArmor profile"),
    Flag("process-label", value: "LABEL", "SELinux label"),
    Flag("cgroup", value: "[CONTROLLERS:]PATH", "cgroup below the container's (may be repeated for v1 controllers)"),
    Flag("preserve-fds", value: "N", "pass N descriptors from 3 on to the process"),
    Flag("detach", "d", "return when the process runs"),
    Flag("pid-file", value: "FILE", "file that takes the process's pid"),
    Flag("console-socket", value: "PATH", "unix socket that takes the terminal's descriptor"),
    Flag("pidfd-socket", value: "PATH", "unix socket that takes a pidfd of the process"),
    Flag("ignore-paused", "do not mind a paused container: the process waits until it is resumed"),
]

/// The options of `update`.
private let updateFlags: [Flag] = [
    Flag("resources", "r", value: "FILE", "limits as the JSON object of linux.resources; - is standard input"),
    Flag("memory", value: "BYTES", "memory limit"),
    Flag("memory-reservation", value: "BYTES", "soft memory limit"),
    Flag("memory-swap", value: "BYTES", "limit of memory and swap together"),
    Flag("kernel-memory", value: "BYTES", "limit of kernel memory, which kernels since 5.16 do not have"),
    Flag("kernel-memory-tcp", value: "BYTES", "limit of kernel memory for TCP, cgroup v1 only"),
    Flag("cpu-share", "cpu-shares", value: "N", "relative weight, 2 to 262144"),
    Flag("cpu-quota", value: "USEC", "CPU time in each period; -1 is no limit"),
    Flag("cpu-period", value: "USEC", "length of a period"),
    Flag("cpu-burst", value: "USEC", "CPU time that may be saved up"),
    Flag("cpu-idle", value: "0|1", "whether the container only runs when nothing else does"),
    Flag("cpu-rt-period", value: "USEC", "length of a real-time period"),
    Flag("cpu-rt-runtime", value: "USEC", "real-time CPU time in each period"),
    Flag("cpuset-cpus", value: "LIST", "CPUs, such as 0-3,7"),
    Flag("cpuset-mems", value: "LIST", "memory nodes"),
    Flag("pids-limit", value: "N", "number of processes; -1 is no limit"),
    Flag("blkio-weight", value: "N", "relative weight of block I/O, 10 to 1000"),
    Flag("l3-cache-schema", value: "LINE", "L3 line of the container's class of service"),
    Flag("mem-bw-schema", value: "LINE", "MB line of the container's class of service"),
]

extension Command {
    /// The command's row in the table.
    var description: CommandDescription {
        switch self {
        case .create:
            CommandDescription("create a container, up to its payload", "CONTAINER-ID [BUNDLE]", 1...2, createFlags)
        case .checkpoint:
            CommandDescription(
                "write a running container's processes to files", "CONTAINER-ID", 1...1, checkpointFlags,
                notes: """
                    criu does it, and needs root. The container is deleted then, unless it is to go on; where criu fails, it goes on as before.
                    Further options for criu: /etc/criu/swoci.conf, else /etc/criu/runc.conf, or the file that the annotation org.criu.config names.
                    """)
        case .restore:
            CommandDescription(
                "make a container again from the files of checkpoint", "CONTAINER-ID", 1...1, restoreFlags,
                notes: """
                    Mounts, cgroup and hooks (prestart, createRuntime) are those of the bundle's config. Without --detach it waits for the \
                    container's end and deletes it, as run does.
                    """)
        case .run:
            CommandDescription(
                "create a container, start it, wait for its end and delete it", "CONTAINER-ID [BUNDLE]", 1...2,
                createFlags + [Flag("detach", "d", "return when the payload runs"), Flag("keep", "keep the container when it has ended")],
                notes: "Exits with the payload's status, or 128+N if signal N ended it.")
        case .start:
            CommandDescription("start the payload of a created container", "CONTAINER-ID", 1...1)
        case .state:
            CommandDescription("print the state of a container as JSON", "CONTAINER-ID", 1...1)
        case .kill:
            CommandDescription(
                "send a signal to a container's payload", "CONTAINER-ID [SIGNAL]", 1...2,
                [
                    Flag("all", "a", "signal all processes of the container"),
                    Flag("regex", "r", "signal all containers whose ids the pattern CONTAINER-ID is found in"),
                    Flag("signal", "s", value: "SIGNAL", "the signal, as SIGNAL"),
                ],
                notes: "SIGNAL is a name such as TERM, SIGKILL or RTMIN+3, or a number. Default: the image's stop signal, or TERM.")
        case .delete:
            CommandDescription(
                "delete a container that has ended", "CONTAINER-ID", 1...1,
                [
                    Flag("force", "f", "end it first if it runs; succeed if there is none"),
                    Flag("regex", "r", "delete all containers whose ids the pattern CONTAINER-ID is found in"),
                ])
        case .events:
            CommandDescription(
                "print a container's statistics and out-of-memory events", "CONTAINER-ID", 1...1,
                [
                    Flag("interval", value: "DURATION", "time between statistics, such as 100ms, 1m30s (default: 5s)"),
                    Flag("stats", "print the statistics once and exit"),
                ],
                notes: "One JSON object a line, until the container ends.")
        case .exec:
            CommandDescription(
                "run a further process in a container", "CONTAINER-ID [PROGRAM [ARGUMENT...]]", 1...(1 << 20), execFlags,
                notes: """
                    The process is that of the container's config, or of --process, with the options on top. Exits with its status, or 128+N if \
                    signal N ended it; with 255 where it could not be run.
                    """,
                takesWordsAsTheyAre: true)
        case .list:
            CommandDescription(
                "list the containers of the state root", "", 0...0,
                [Flag("format", "f", value: "FORMAT", "table or json"), Flag("quiet", "q", "print the ids only")])
        case .completion:
            CommandDescription(
                "print the completion script of a shell", "SHELL", 1...1,
                notes: "SHELL is bash, zsh or fish: source <(swoci completion bash)")
        case .mounts:
            CommandDescription(
                "show or change the mounts of a running container", "list|add|remove CONTAINER-ID [FILE]", 2...3,
                notes:
                    "FILE, or - for standard input, has mounts as config.json has them; of those to be removed only the destination counts."
            )
        case .wait:
            CommandDescription(
                "wait for a container's end and print its exit status as JSON", "CONTAINER-ID", 1...1,
                notes:
                    "A status is known where wait was at work at the end, and kept until delete. Needs Linux 6.15, or a parent that does not reap."
            )
        case .pause:
            CommandDescription("freeze all processes of a container", "CONTAINER-ID", 1...1)
        case .resume:
            CommandDescription("let the processes of a paused container go on", "CONTAINER-ID", 1...1)
        case .ps:
            CommandDescription(
                "show the processes of a container", "CONTAINER-ID [PS-OPTIONS]", 1...1024,
                [Flag("format", "f", value: "FORMAT", "table or json")],
                notes: "The table is that of ps(1) with PS-OPTIONS (default: -ef); json is an array of process ids.",
                takesWordsAsTheyAre: true)
        case .spec:
            CommandDescription(
                "write a config.json to begin with", "", 0...0,
                [Flag("bundle", "b", value: "DIR", "the directory to write it to"), Flag("rootless", "for a caller who is not root")])
        case .features:
            CommandDescription("print what this build supports, as JSON", "", 0...0)
        case .update:
            CommandDescription(
                "change limits of a container", "CONTAINER-ID", 1...1, updateFlags,
                notes: """
                    Limits that are not named stay as they are, and so does everything if one cannot be set.
                    BYTES may have a unit, as 64M or 1.5g; -1 is no limit. 0 changes nothing, but for pids, cpu-burst and cpu-idle.
                    """)
        case .validate:
            CommandDescription(
                "check a bundle's config.json and print every problem", "[BUNDLE]", 0...1,
                [Flag("bundle", "b", value: "DIR", "the bundle's directory, as BUNDLE")],
                notes: "Exits with 0 where there is no error, 1 where there is one, 2 where there is nothing to read.")
        case .plan:
            CommandDescription(
                "print what would be done for a bundle, step by step", "[BUNDLE]", 0...1,
                [Flag("bundle", "b", value: "DIR", "the bundle's directory, as BUNDLE")])
        }
    }
}

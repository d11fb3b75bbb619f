/// The language between the runtime and the init: what `swoci-init` can be told to do, one step at a time.
///
/// A step is plain data. Its strings live in the plan's text area, so that the init reads them in place. The order of the cases is
/// roughly that of a create; what a step means is said here, how it is done in Sources/Init.

/// One thing that the init does.
public enum Step: Equatable, Sendable {
    // Namespaces
    /// Joins a namespace by a descriptor that the runtime opened and checked, or all those of a pidfd's process that are asked for.
    /// Row N-03.
    case joinNamespace(JoinNamespace)
    /// Takes an inherited directory as the place where later paths start.
    case takeRoot(OneNumber)
    /// Makes a time namespace for the processes to come and sets its clocks. Row T-01.
    case offsetClocks(OffsetClocks)
    /// Continues in a child that is born into new namespaces; the process so far ends. Row N-12.
    case enterNewNamespaces(EnterNewNamespaces)
    /// Takes the ids of the user namespace's root. Row I-04.
    case becomeRoot
    /// Takes ids of a user namespace that has no root, so that files made from now on have an owner. Row I-05.
    case becomeOwner(Owner)
    /// Makes a cgroup namespace whose root is the cgroup the process is in by now. Row N-10.
    case unshareCgroupNamespace
    /// Joins a new session keyring of that name.
    case joinSessionKeyring(OneText)
    /// Sets the loopback device up. Row N-05.
    case bringLoopbackUp

    // The root file system
    /// Opens a bind's source before mounts are cut off from the host's, so that it stays their peer. Row MO-19.
    case openSource(OpenSource)
    /// Sets the propagation of every mount the container sees so far, so that none of its mounts reaches the host. Row X-01.
    case isolateMounts(PropagationChange)
    /// Makes the root file system a mount of its own and the place where later paths start. Row R-02.
    case attachRoot(AttachRoot)
    /// Makes and mounts a file system. Row M-04.
    case mountFilesystem(MountFilesystem)
    /// Mounts a file or directory of the host's. Row M-03.
    case bind(Bind)
    /// Changes what is mounted already. Row MO-16.
    case remount(Remount)
    /// Makes a directory and what is missing above it.
    case makeDirectory(MakeDirectory)
    /// Makes a symbolic link where nothing is. Row L-01.
    case makeSymlink(MakeSymlink)
    /// Makes a device node, or checks that the one there is it. Row D-01.
    case makeNode(MakeNode)
    /// Mounts a device node of the host's, where nodes cannot be made. Row D-01.
    case bindNode(BindNode)
    /// Makes a path read-only. Row X-03.
    case makeReadonly(OneText)
    /// Makes a path unreadable. Row X-02.
    case mask(OneText)
    /// Makes the root mount itself read-only. Row R-03.
    case makeRootReadonly
    /// Makes the container's root the root directory, the host's out of reach.
    case enterRoot(EnterRoot)
    /// Sets the root mount's propagation. Row X-01.
    case setRootPropagation(PropagationChange)

    // What the runtime waits for
    /// Tells the runtime how far things are and waits for its word.
    case synchronize(SyncPoint)
    /// Runs a hook. Rows H-04, H-05.
    case runHook(RunHook)

    // The container's own parameters
    /// Row U-01.
    case setHostname(OneText)
    /// Row U-02.
    case setDomainname(OneText)
    /// Writes a kernel parameter. Row SY-01.
    case setSysctl(SetSysctl)
    /// Makes the terminal, sends its other end to the runtime. Row P-02.
    case openConsole(OpenConsole)

    // The payload's process
    /// Makes the working directory if it is missing. Row P-06.
    case makeWorkingDirectory(OneText)
    /// Splits: the process so far supervises, a child goes on to become the payload.
    case supervise(Supervise)
    /// Starts a session, with the terminal if there is one.
    case startSession(StartSession)
    /// Rows P-36, P-37.
    case setAffinity(OneText)
    /// Row P-24.
    case setScheduler(SetScheduler)
    /// Row P-32.
    case setIOPriority(SetIOPriority)
    /// Row MP-01.
    case setMemoryPolicy(SetMemoryPolicy)
    /// Row X-05.
    case setPersonality(OneNumber)
    /// Row P-42.
    case setUmask(OneNumber)
    /// The AppArmor profile or SELinux label of the payload. Rows P-14, P-15.
    case setExecLabel(SetExecLabel)
    /// Drops what is not listed from the bounding set. Row P-17.
    case limitBoundingSet(OneNumber64)
    /// Rows P-39 to P-43.
    case setUser(SetUser)
    /// Rows P-18 to P-21.
    case setCapabilities(SetCapabilities)
    /// Row P-22.
    case setNoNewPrivileges
    /// Row P-06.
    case changeDirectory(OneText)
    /// Adds HOME of the user's entry in /etc/passwd to the environment. Row P-07.
    case setHome(OneNumber)
    /// Looks the payload's program up, so that a missing one fails the create. Row P-08.
    case findExecutable(FindExecutable)
    /// Tells the runtime that all is set up, waits for its commit and then for start.
    case awaitStart
    /// Tells the runtime that all is set up and waits for its commit alone: a process that joins a running container.
    case awaitCommit
    /// Loads the system call filter. Row SE-17.
    case loadSeccomp(LoadSeccomp)
    /// Executes the payload. Row LC-08.
    case execute(Execute)
}

/// A string in the plan's text area, NUL-terminated there.
public struct Text: Equatable, Hashable, Sendable {
    /// Where its first byte is, from the start of the text area.
    public var offset: UInt32
    /// How many bytes it has, without the NUL.
    public var count: UInt32

    /// The empty string that every text area begins with.
    public static let empty = Text(offset: 0, count: 0)
}

/// A list of strings: `count` consecutive ``Text`` records in the text area.
public struct TextList: Equatable, Hashable, Sendable {
    /// Where the first record is, aligned to 4 bytes.
    public var offset: UInt32
    /// How many strings.
    public var count: UInt32

    /// No strings.
    public static let empty = TextList(offset: 0, count: 0)
}

/// What has one string.
public struct OneText: Equatable, Sendable {
    /// The string.
    public var text: Text
    /// Wraps it.
    public init(_ text: Text) { self.text = text }
}

/// What has one number.
public struct OneNumber: Equatable, Sendable {
    /// The number.
    public var value: UInt32
    /// Wraps it.
    public init(_ value: UInt32) { self.value = value }
}

/// What has one long number.
public struct OneNumber64: Equatable, Sendable {
    /// The number.
    public var value: UInt64
    /// Wraps it.
    public init(_ value: UInt64) { self.value = value }
}

/// ``Step/becomeOwner(_:)``.
public struct Owner: Equatable, Sendable {
    /// The user.
    public var uid: UInt32
    /// The group.
    public var gid: UInt32
    /// Names the ids.
    public init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }
}

/// ``Step/joinNamespace(_:)``.
public struct JoinNamespace: Equatable, Sendable {
    /// The CLONE_NEW* flag of its type; of all types to join where the descriptor is a pidfd.
    public var type: UInt32
    /// The number of an inherited descriptor.
    public var descriptor: UInt32
    /// Joins the namespace of that descriptor.
    public init(type: UInt32, descriptor: UInt32) {
        self.type = type
        self.descriptor = descriptor
    }
}

/// ``Step/offsetClocks(_:)``: lines of /proc/self/timens_offsets.
public struct OffsetClocks: Equatable, Sendable {
    /// What is written: "monotonic SECS NANOSECS\nboottime SECS NANOSECS\n".
    ///
    /// Empty: a new time namespace as it is.
    public var lines: Text
    /// Offsets by those lines.
    public init(lines: Text) { self.lines = lines }
}

/// ``Step/enterNewNamespaces(_:)``.
public struct EnterNewNamespaces: Equatable, Sendable {
    /// CLONE_NEW* flags.
    public var flags: UInt64
    /// Whether the runtime has to write id mappings before the child may go on.
    public var awaitsMappings: UInt32
    /// Enters namespaces of those flags.
    public init(flags: UInt64, awaitsMappings: Bool) {
        self.flags = flags
        self.awaitsMappings = awaitsMappings ? 1 : 0
    }
}

/// How far the init is when it waits for the runtime.
public enum SyncPoint: UInt32, Equatable, Sendable {
    /// Mounts are made, the root is not entered: time for prestart and createRuntime hooks, and for network devices.
    case runtimeHooks = 1
}

/// ``Step/runHook(_:)``.
public struct RunHook: Equatable, Sendable {
    /// The kinds of hooks the init runs.
    public enum Kind: UInt32, Equatable, Sendable {
        /// Row H-04.
        case createContainer = 1
        /// Row H-05.
        case startContainer = 2
    }

    /// The kind.
    public var kind: UInt32
    /// Its number in the config's list, from 0.
    public var index: UInt32
    /// The program.
    public var path: Text
    /// Its arguments with argv[0].
    public var arguments: TextList
    /// Its environment.
    public var environment: TextList
    /// Seconds; 0: no limit.
    public var timeout: UInt32
    /// The state JSON up to the pid, which the init fills in as it is in its own namespace.
    public var stateBeforePID: Text
    /// The state JSON after the pid.
    public var stateAfterPID: Text

    /// Makes a hook step.
    public init(
        kind: Kind, index: UInt32, path: Text, arguments: TextList, environment: TextList, timeout: UInt32, stateBeforePID: Text,
        stateAfterPID: Text
    ) {
        self.kind = kind.rawValue
        self.index = index
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.timeout = timeout
        self.stateBeforePID = stateBeforePID
        self.stateAfterPID = stateAfterPID
    }
}

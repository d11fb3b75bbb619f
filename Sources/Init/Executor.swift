/// The interpreter: takes the plan's steps one after the other and does each.
///
/// What a step needs is in the files beside this one, as extensions of `Executor`. Whatever fails ends the process: there is no way to
/// go on with half a container.

import CInit
import Linux
import Plan

struct Executor {
    var plan: PlanReader
    var channel: Channel
    /// The number of the step at hand.
    var step = 0
    /// What a failure of the step at hand would add to its errno.
    var detail = Detail()
    /// The container's root directory, once it is attached; -1 before.
    var root: Int32 = -1
    /// The host's /dev/null, checked to be that, for masking files.
    var null: Int32 = -1
    /// The read-only empty directory that masked directories share, once there is one.
    var emptyDirectory: Int32 = -1
    /// A procfs of the container's namespaces that nobody can mount over, once it is needed.
    var procfs: Int32 = -1
    /// Trees opened by ``Step/openSource(_:)``: slot N at N, -1 for none.
    var openedSlots: [Int32] = []
    /// The HOME entry to add to the payload's environment, if any.
    var home: UnsafePointer<CChar>?
    /// The payload's program, once found.
    var executable: UnsafePointer<CChar>?
    /// Who reports a failure once the payload's filter has a listener, nil before.
    var handover: UnsafeMutablePointer<ListenerHandover>?
    /// The limit of open files that is set right before execve, if it is a low one.
    var fileLimit: LimitMessage?
    /// Whether signals and descriptors are as the payload finds them.
    var isReadyToExecute = false
    /// Whether the working directory was entered already with the rights before the change of user.
    var hasEnteredDirectory = false
    /// Whether no try to enter it was made yet.
    var isBeforeUserChange = true

    init(plan: PlanReader, channel: Channel) {
        self.plan = plan
        self.channel = channel
    }

    /// Carries out the plan.
    ///
    /// Ends in the payload, in the supervisor or with a report.
    mutating func run() -> Never {
        // Modes of the nodes and directories that are made are exact.
        kernelIgnoringFailure(SystemCallNumber.umask, 0)
        while step < plan.stepCount {
            detail = Detail()
            do throws(Errno) {
                guard let next = plan.next() else {
                    detail = Detail(reason: .badPlan)
                    throw .badMessage
                }
                try perform(next.step)
            } catch {
                if let handover { fail(handover, error, status: exitStatus(error)) }
                channel.fail(error, detail, step: step)
                exitProcess(exitStatus(error))
            }
            step += 1
        }
        exitProcess(InitStatus.failed)
    }

    /// What the process ends with after a failed step: the shell's convention where the program is to blame.
    private func exitStatus(_ error: Errno) -> Int32 {
        switch detail.reason {
        case .notInPath: 127
        case .notExecutable: error == .noEntry ? 127 : 126
        default: InitStatus.failed
        }
    }

    private mutating func perform(_ step: Step) throws(Errno) {
        switch step {
        case .joinNamespace(let step): try joinNamespace(step)
        case .takeRoot(let step): root = Int32(bitPattern: step.value)
        case .offsetClocks(let step): try offsetClocks(step)
        case .enterNewNamespaces(let step): try enterNewNamespaces(step)
        case .becomeRoot: try become(uid: 0, gid: 0)
        case .becomeOwner(let owner): try become(uid: owner.uid, gid: owner.gid)
        case .unshareCgroupNamespace: try unshare(NamespaceFlag.cgroup)
        case .joinSessionKeyring(let step): try joinSessionKeyring(plan.cString(step.text))
        case .bringLoopbackUp: try bringLoopbackUp()
        case .openSource(let step): try openSource(step)
        case .isolateMounts(let change): try apply(change, to: workingDirectory, path: literal("/"))
        case .attachRoot(let step): try attachRoot(step)
        case .mountFilesystem(let step): try mountFilesystem(step)
        case .bind(let step): try bind(step)
        case .remount(let step): try remount(step)
        case .makeDirectory(let step): try makeDirectory(step)
        case .makeSymlink(let step): try makeSymlink(step)
        case .makeNode(let step): try makeNode(step)
        case .bindNode(let step): try bindNode(step)
        case .makeReadonly(let step): try makeReadonly(plan.cString(step.text))
        case .mask(let step): try mask(plan.cString(step.text))
        case .makeRootReadonly:
            try setMountAttributes(Int(root), set: MountFlag.readOnly, clear: 0, recursive: false)
        case .enterRoot(let step): try enterRoot(step)
        case .setRootPropagation(let change): try apply(change, to: Int(root), path: emptyPath)
        case .synchronize(let point): try synchronize(point)
        case .runHook(let step): try runHook(step)
        case .setHostname(let step): try setName(SystemCallNumber.sethostname, step.text)
        case .setDomainname(let step): try setName(SystemCallNumber.setdomainname, step.text)
        case .setSysctl(let step): try setSysctl(step)
        case .openConsole(let step): try openConsole(step)
        case .makeWorkingDirectory(let step): try makeWorkingDirectory(plan.cString(step.text))
        case .supervise(let step): try supervise(step)
        case .startSession(let step): try startSession(step)
        case .setAffinity(let step):
            try kernel(SystemCallNumber.schedSetaffinity, 0, Int(step.text.count), Int(bitPattern: plan.cString(step.text)))
        case .setScheduler(let step): try setScheduler(step)
        case .setIOPriority(let step): try setIOPriority(step)
        case .setMemoryPolicy(let step): try setMemoryPolicy(step)
        case .setPersonality(let step): try kernel(SystemCallNumber.personality, Int(step.value))
        case .setUmask(let step): try kernel(SystemCallNumber.umask, Int(step.value))
        case .setExecLabel(let step): try setExecLabel(step)
        case .limitBoundingSet(let step): try limitBoundingSet(to: step.value)
        case .setUser(let step): try setUser(step)
        case .setCapabilities(let step): try setCapabilities(step)
        case .setNoNewPrivileges: try setNoNewPrivileges()
        case .changeDirectory(let step): try changeDirectory(plan.cString(step.text))
        case .setHome(let step): try setHome(uid: step.value)
        case .findExecutable(let step): try findExecutable(step)
        case .awaitStart: try awaitStart()
        case .awaitCommit: try awaitCommit()
        case .loadSeccomp(let step): try loadSeccomp(step)
        case .execute(let step): try execute(step)
        }
    }

    /// Applies up to two propagation changes.
    func apply(_ change: PropagationChange, to directory: Int, path: UnsafePointer<CChar>) throws(Errno) {
        try setPropagation(directory, path: path, change.first)
        try setPropagation(directory, path: path, change.second)
    }

    /// Tells the runtime how far things are and waits for its word.
    ///
    /// A runtime that is gone ends the container.
    private func synchronize(_ point: SyncPoint) throws(Errno) {
        try channel.send(Message(.synchronize, value: point.rawValue))
        if !channel.awaitWord(.proceed) { exitProcess(InitStatus.failed) }
    }
}

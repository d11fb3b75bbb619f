/// The runtime's side of a create, once the init runs: what it does when the init says how far it is.

import CLinux
import Linux
import Plan
import Spec

/// What the handshake found out.
struct Handshake: ~Copyable {
    /// The container's init.
    private(set) var initPID: Int32
    /// Its handle.
    private(set) var initProcess: OwnedFD
    /// The payload's process: the init itself, or its child.
    private(set) var payloadPID: Int32 = 0
    /// The other end of the container's terminal.
    private(set) var console: OwnedFD?
    /// Whether a hook was due: from then on poststop hooks answer a failure (LC-03 to LC-05).
    private(set) var hasReachedHooks = false
    /// What the init wants people to know.
    private(set) var remarks: [String] = []

    private let socket: OwnedFD
    private let launch: LaunchPlan
    private let mounts: [Mount]
    private let namespaces: [Namespace]
    private let bundle: String
    private let place: (Origin) -> Failure.Place?

    init(_ started: consuming LaunchedInit, _ launch: LaunchPlan, of bundle: Bundle? = nil, place: @escaping (Origin) -> Failure.Place?) {
        initPID = started.pid
        initProcess = started.process
        socket = started.socket
        self.launch = launch
        mounts = bundle?.config.mounts ?? []
        namespaces = bundle?.config.linux.namespaces ?? []
        self.bundle = bundle?.path ?? ""
        self.place = place
    }

    /// Goes through the handshake to the point where the payload's process waits for the commit.
    ///
    /// - Parameters:
    ///   - devices: The network devices for the container.
    ///   - afterStage: Called once the first process of a staged launch is gone.
    ///   - runHooks: Called before the first hook of create; runs those of the runtime's namespaces, given the init's pid and a pidfd of it.
    mutating func run(
        devices: NetworkDevices, afterStage: () throws(Failure) -> Void, runHooks: (Int32, Int32) throws(Failure) -> Void
    ) throws(Failure) {
        try setOOMScore()
        if launch.createsUserNamespace && !launch.isStaged { try writeMappings() }
        try say(.proceed)
        while payloadPID == 0 {
            let (message, text, info) = try receive()
            switch MessageKind(rawValue: message.kind) {
            case .cloned:
                try follow(info.pid)
                try afterStage()
                if message.value != 0 { try writeMappings() }
                try say(.proceed)
            case .synchronize:
                // Hooks may look at the devices, so these come first.
                try devices.move(toNamespaceOf: initPID)
                if launch.hasCreateHooks {
                    hasReachedHooks = true
                    try runHooks(initPID, initProcess.raw)
                }
                try say(.proceed)
            case .console:
                if info.descriptor >= 0 { console = OwnedFD(info.descriptor) }
            case .warning: remarks.append(text)
            case .failed: throw failure(message, text)
            case .ready: payloadPID = info.pid
            default: throw Failure("talk to the init", detail: "it said something that makes no sense (\(message.kind))")
            }
        }
        try setLimits()
    }

    /// Gives the terminal's other end away.
    mutating func takeConsole() -> OwnedFD? { console.take() }

    /// Ends the init, and with it whatever else it started, and reaps it.
    func kill() {
        try? send(signal: Signal.kill, to: initProcess.number)
        _ = try? wait(for: initProcess.number)
    }

    /// Tells the payload's process that the container is recorded: from now on it waits for start, whoever dies.
    mutating func commit() throws(Failure) { try say(.commit) }

    /// Waits until the payload is executed, after a commit that is at once the start.
    ///
    /// - Parameter handOver: Passes the listener of the payload's filter on.
    /// - Returns: What the init wants people to know.
    func awaitExecution(handOver: (Int32) throws(Failure) -> Void) throws(Failure) -> [String] {
        try awaitPayload(socket, initProcess, payloadPID, handOver: handOver)
    }

    /// Takes the process that the staged init cloned for the container's init, and reaps the stage.
    private mutating func follow(_ pid: Int32) throws(Failure) {
        do throws(Errno) {
            // It is our child (CLONE_PARENT) and not reaped, so its id cannot be another's.
            let process = try openProcess(pid)
            _ = try wait(for: initProcess.number)
            initProcess = process
            initPID = pid
        } catch {
            throw Failure("follow the init into its namespaces", errno: error)
        }
    }

    private func writeMappings() throws(Failure) {
        try writeIDMappings(
            of: initPID, uids: launch.uidMappings, by: launch.uidMethod, gids: launch.gidMappings, by: launch.gidMethod, place: place)
    }

    /// Rows P-23: from outside, where raising the priority may be allowed.
    private func setOOMScore() throws(Failure) {
        guard let score = launch.oomScoreAdj else { return }
        do throws(Errno) { try writeText("\(score.value)", to: "/proc/\(initPID)/oom_score_adj") } catch {
            throw Failure(
                "set oomScoreAdj to \(score.value)", errno: error, place: place(score.origin),
                hint: error == .accessDenied ? "a value below the current one needs CAP_SYS_RESOURCE" : nil)
        }
    }

    /// Rows P-10 to P-13: last of all, because a low limit would get in the way of the set-up, and from outside, where raising a limit may be allowed.
    ///
    /// Source: prlimit(2).
    private mutating func setLimits() throws(Failure) {
        for limit in launch.rlimits {
            var word = LimitMessage(resource: limit.resource, soft: limit.soft, hard: limit.hard)
            var problem: Errno?
            if word.comesLast {
                // Only a hard limit may need rights that the process lacks.
                if limit.hard >= LimitMessage.fewFiles { problem = raise(limit) }
                if problem == nil { problem = try haveInitSet(&word) }
            } else {
                do throws(Errno) { try setResourceLimit(of: payloadPID, limit.resource, soft: limit.soft, hard: limit.hard) } catch {
                    problem = error
                }
                // Without CAP_SYS_RESOURCE nobody sets limits of another user's process, but everybody may lower his own.
                if problem == .notPermitted { problem = try haveInitSet(&word) }
            }
            guard let problem else { continue }
            throw Failure(
                "set \(limit.name) to \(limit.soft):\(limit.hard)", errno: problem, place: place(limit.origin),
                hint: problem == .notPermitted ? "raising a hard limit needs CAP_SYS_RESOURCE" : nil)
        }
    }

    /// Sets the hard limit of open files and a soft one that the waiting process can live with.
    ///
    /// - Returns: Why not, where the process may not lower the limit itself either.
    private func raise(_ limit: Rlimit) -> Errno? {
        do throws(Errno) {
            try setResourceLimit(of: payloadPID, limit.resource, soft: LimitMessage.fewFiles, hard: limit.hard)
            return nil
        } catch { return error == .notPermitted ? nil : error }
    }

    /// Has the payload's process set a limit of its own.
    ///
    /// - Returns: Why it could not; nil if it could.
    private mutating func haveInitSet(_ word: inout LimitMessage) throws(Failure) -> Errno? {
        do throws(Errno) { try sendPacket(socket.number, &word, LimitMessage.size) } catch {
            throw Failure("talk to the init", errno: error)
        }
        let (message, _, _) = try receive()
        return message.kind == MessageKind.limit.rawValue ? nil : Errno(code: message.errno, call: message.call)
    }

    // MARK: Words

    private mutating func say(_ word: MessageKind) throws(Failure) {
        var message = Message(word)
        do throws(Errno) { try sendPacket(socket.number, &message, Message.size) } catch {
            // The init is gone; what it said last is the reason.
            if error == .brokenPipe || error == .connectionReset, let (message, text, _) = try? receive(),
                message.kind == MessageKind.failed.rawValue
            {
                throw failure(message, text)
            }
            throw Failure("talk to the init", errno: error)
        }
    }

    private func receive() throws(Failure) -> (Message, String, PacketInfo) {
        var buffer = [UInt8](repeating: 0, count: Message.size + Message.maximumText)
        let descriptor = socket.number
        let info: PacketInfo
        do throws(Errno) {
            info = try buffer.withUnsafeMutableBufferPointer { buffer throws(Errno) in
                try receivePacket(descriptor, buffer.baseAddress!, buffer.count)
            }
        } catch {
            if error == .connectionReset { throw deathOfInit() }
            throw Failure("hear the init", errno: error)
        }
        guard info.count >= Message.size else { throw deathOfInit() }
        let message = buffer.withUnsafeBytes { $0.loadUnaligned(as: Message.self) }
        return (message, String(decoding: buffer[Message.size..<info.count], as: UTF8.self), info)
    }

    /// The init closed its socket without a word.
    private func deathOfInit() -> Failure {
        let end = (try? poll(initProcess.raw, timeout: 1000))?.first == true ? try? wait(for: initProcess.number) : nil
        let detail =
            switch end {
            case .exited(let status): "it ended with status \(status)"
            case .killed(let signal): "it was killed by signal \(signal)"
            case nil: "it closed its socket"
            }
        return Failure(
            "set the container up", detail: "the init gave no reason: \(detail)",
            hint: end == .killed(9) || end == .exited(137) ? "a memory limit that is too low for the set-up kills it" : nil)
    }

    /// A failed step with its words and its config line.
    private mutating func failure(_ message: Message, _ text: String) -> Failure {
        let steps = launch.plan.steps
        guard message.step < steps.count else {
            return Failure(message, text: text, doing: "enter the container's cgroups")
        }
        let planned = steps[Int(message.step)]
        var path: String?
        if case .runHook(let step) = planned.step {
            hasReachedHooks = true
            path = launch.plan.string(step.path)
        }
        var failure = Failure(
            message, text: text, doing: launch.plan.describe(planned), place: place(Origin(node: planned.origin)),
            hook: (.createContainer, path))
        let mount = mounts.first { $0.origin.node == planned.origin }
        if let mount { failure.explain(planned.step, message, text, of: mount, in: bundle, place: place) }
        failure.explain(planned.step, namespaces.first { $0.origin.node == planned.origin }, among: namespaces, place: place)
        if let errno = failure.errno, let hint = planned.step.hint(errno) { failure.hint = hint }
        failure.hint = failure.hint ?? launch.plan.hintOfUserNamespaces(planned.step, failure.errno)
        return failure
    }
}

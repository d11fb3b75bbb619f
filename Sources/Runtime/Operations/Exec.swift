/// The exec operation: a further process in a container that is there.
///
/// As in create everything is decided first: the container is looked at, the process put together, planned. Then one process is made,
/// which joins the container and carries the plan out; nothing of it is left if the runtime dies before the commit, which is the last
/// word. Source: rows CLI-08, P-35 to P-37.

import CLinux
import Cgroups
import Linux
import Plan
import Spec

extension StateStore {
    /// Runs a process in a container.
    ///
    /// - Parameter report: Takes what people should know though it stopped nothing, before the process runs.
    /// - Returns: Its exit status, 128+N if signal N ended it; 0 at once where the caller does not wait.
    public func exec(_ request: ExecRequest, report: (String) -> Void) throws(Failure) -> Int32 {
        try passDescriptors(request.preservedDescriptors)
        let container = try JoinedContainer(request.id, self, ignoringPause: request.ignoresPause)
        let preparation = try ExecPreparation(request, container, self)
        let cgroups = try request.cgroupsToJoin(container.record)
        let resctrl: Resctrl? =
            if let plan = preparation.launch.resctrl { try Resctrl(finding: plan.origin, place: preparation.place) } else { nil }

        let launcher = ExecLauncher(launch: preparation.launch, preservedDescriptors: request.preservedDescriptors)
        let started = try launcher.start(in: container, cgroups)
        let isOutside = started.isOutside
        var handshake = Handshake(started, preparation.launch, place: preparation.place)
        do throws(Failure) {
            if isOutside, let scope = cgroups.record.scope {
                let pid = handshake.initPID
                try Failure.ofCgroups { () throws(CgroupError) in try Cgroup.move(pid, into: scope) }
            }
            try handshake.run(devices: NetworkDevices([], place: preparation.place)) { () throws(Failure) in
            } runHooks: { _, _ throws(Failure) in
            }
            if let resctrl, let plan = preparation.launch.resctrl { try resctrl.place(handshake.payloadPID, plan) }
            var console = handshake.takeConsole()
            if let socket = request.consoleSocket, let terminal = console.take() { try sendConsole(terminal, to: socket) }
            if let socket = request.pidfdSocket { try sendProcess(handshake.initProcess, to: socket, word: "setns") }
            if let file = request.pidFile { try writePIDFile(file, handshake.payloadPID) }
            for remark in preparation.remarks + handshake.remarks { report(remark) }
            // Held back before the process can end: none is lost between commit and wait.
            let signals = request.isDetached ? nil : try holdSignals()
            let consoleNumber = number(of: console)
            if consoleNumber >= 0 { adoptTerminalSize(consoleNumber) }
            try handshake.commit()
            for warning in try awaitExecution(handshake, container, preparation.config) { report(warning) }
            guard let signals else { return 0 }
            let handle = handshake.initProcess.raw
            let process = ForegroundProcess(pid: handshake.payloadPID, console: consoleNumber) { signal in
                kernelIgnoringFailure(__NR_pidfd_send_signal, Int(handle), Int(signal.rawValue), 0, 0)
            }
            return try process.waitForEnd(signals)
        } catch {
            handshake.kill()
            throw error
        }
    }

    private func awaitExecution(
        _ handshake: borrowing Handshake, _ container: borrowing JoinedContainer, _ config: Config
    ) throws(Failure) -> [String] {
        let record = container.record
        let pid = handshake.payloadPID
        let status = container.status
        return try handshake.awaitExecution { listener throws(Failure) in
            let listener = OwnedFD(listener)
            guard let seccomp = config.linux.seccomp else {
                throw Failure("hand the seccomp listener over", detail: "the config has no filter")
            }
            try sendListener(listener, of: record, pid, status, seccomp)
        }
    }

    private func number(of console: borrowing OwnedFD?) -> Int32 {
        switch console {
        case .some(let console): console.raw
        case nil: -1
        }
    }
}

extension ExecRequest {
    /// The cgroups that the process joins: the container's, or those below it that the options name.
    fileprivate func cgroupsToJoin(_ record: Record) throws(Failure) -> ExecCgroups {
        guard !cgroups.isEmpty else { return ExecCgroups(record: record.cgroup, hasFallback: true) }
        guard !record.cgroup.paths.isEmpty else {
            throw Failure("join the cgroup", cgroups[0], detail: "the container has no cgroup of its own")
        }
        do throws(CgroupError) {
            var subs: [SubCgroup] = []
            for text in cgroups { subs.append(try SubCgroup(text)) }
            return ExecCgroups(record: try record.cgroup.joining(subs, CgroupLayout.detect()), hasFallback: false)
        } catch {
            throw Failure(error)
        }
    }
}

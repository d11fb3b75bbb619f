/// What has to be known before anything is made: the host's facts, and with them the plan.

import CLinux
import Cgroups
import Linux
import Plan
import Spec

/// A container's launch, decided but not begun.
struct Preparation {
    /// The init's plan and what the runtime does around it.
    var launch: LaunchPlan
    /// The container's cgroup; nil where cgroups are left alone.
    var cgroup: CgroupPlan?
    /// What people should know.
    var remarks: [String]
}

/// How a container is called for: what is not in its config.
struct LaunchOptions: Equatable, Sendable {
    /// `--no-pivot`.
    var noPivot = false
    /// `--no-new-keyring`.
    var noNewKeyring = false
    /// How many descriptors from 3 on the payload keeps, those of socket activation included.
    var preservedDescriptors: UInt32 = 0
    /// LISTEN_FDS and LISTEN_FDNAMES for the payload.
    var listenEnvironment: [String] = []
    /// NOTIFY_SOCKET of the caller (CLI-16).
    var notifySocket: String?
    /// Whether what nobody need know is told as well (`--debug`).
    var explains = false
    /// Who manages the cgroup.
    var cgroupManager = CgroupManager.cgroupfs
    /// Whether a cgroup may be left out where the caller may make none: `--rootless`; nil: that is found out.
    var isRootless: Bool?
    /// XDG_RUNTIME_DIR of the caller, and DBUS_SESSION_BUS_ADDRESS: where his own service manager is.
    var runtimeDirectory: String?
    var sessionBus: String?

    /// Makes the options of an ordinary call.
    init() {}
}

extension Preparation {
    /// Decides everything for a container; makes nothing but a cache entry for its system call filter.
    ///
    /// - Parameter descriptors: The joined namespaces as descriptors for the init; empty where the plan is only to be read.
    init(
        _ bundle: Bundle, id: ContainerID, options: LaunchOptions, store: StateStore?, descriptors: [PlanningFacts.JoinedNamespace]
    ) throws(Failure) {
        var config = bundle.config
        remarks = bundle.remarks
        if let socket = options.notifySocket, let remark = config.pass(notifySocket: socket) { remarks.append(remark) }
        var facts = PlanningFacts(bundle: bundle.path, containerID: id.name, rootfsPath: bundle.rootfs)
        facts.noPivot = options.noPivot
        facts.noNewKeyring = options.noNewKeyring
        facts.preservedDescriptors = options.preservedDescriptors
        facts.listenEnvironment = options.listenEnvironment
        facts.joinedNamespaces = descriptors
        facts.capabilitiesHeld = try Preparation.capabilitiesHeld(config)
        let caller = try Caller.current()
        do throws(PlanningError) { try facts.add(caller, config) } catch { throw Failure(error, place: bundle.place(of: error.origin)) }
        facts.clocks = config.linux.timeOffsets.map { (offset: TimeOffset) -> Int64 in
            Int64(offset.clock == .monotonic ? monotonicMilliseconds() : bootMilliseconds()) / 1000
        }
        if config.linux.mountLabel != nil || config.process?.selinuxLabel != nil {
            facts.isSELinuxEnabled = try Preparation.isSELinuxEnabled()
        }
        if config.process?.apparmorProfile != nil {
            facts.hasAppArmor = Preparation.hasAppArmor
        }
        facts.payloadScript = config.process?.script(inRoot: bundle.rootfs) ?? []
        facts.copiedLinks = Preparation.copiedLinks(bundle)
        do throws(CgroupError) {
            cgroup =
                options.cgroupManager == .disabled ? nil : try Preparation.planCgroup(config, id, caller, options, store, &facts, &remarks)
            if cgroup == nil, config.mounts.contains(where: { $0.type?.value.hasPrefix("cgroup") ?? false }) {
                if let layout = try? CgroupLayout.detect() { facts.addOwnCgroup(layout) }
            }
        } catch {
            throw Failure(error, place: bundle.place(of: error.origin))
        }
        if let seccomp = config.linux.seccomp {
            let program = try Preparation.compile(seccomp, bundle, store)
            remarks += try Preparation.unknownCalls(seccomp, bundle, tells: options.explains)
            facts.seccompProgram = PlanningFacts.SeccompProgram(bytes: program.instructions, flags: program.flags)
        }
        facts.state = HookState(id: id.name, bundle: bundle.path, rootfs: bundle.rootfs, annotations: config.annotations)
        do throws(PlanningError) { launch = try Planner.plan(config, facts) } catch {
            throw Failure(error, place: bundle.place(of: error.origin))
        }
        for warning in launch.warnings { remarks.append(warning.message) }
    }

    private static func compile(_ seccomp: Seccomp, _ bundle: Bundle, _ store: StateStore?) throws(Failure) -> SeccompProgram {
        let place: (Origin) -> Failure.Place? = { bundle.place(of: $0) }
        let program =
            if let store {
                try cachedSeccomp(seccomp, source: bundle.document.bytes(of: seccomp.origin), store: store, place: place)
            } else { try compileSeccomp(seccomp, place: place) }
        if refusesExecve(program.instructions) {
            throw Failure(
                "use the seccomp filter", detail: "it refuses execve, so that nothing could ever be executed under it",
                place: place(seccomp.origin), hint: "allow execve")
        }
        return program
    }

    /// Names of system calls that this libseccomp does not know: remarks, if anybody wants them, or an error where the config asks for one (SE-09).
    private static func unknownCalls(_ seccomp: Seccomp, _ bundle: Bundle, tells: Bool) throws(Failure) -> [String] {
        let isError = bundle.config.isSet(.seccompFailUnknown)
        guard isError || tells else { return [] }
        let unknown = unknownSystemCalls(seccomp)
        if isError, let first = unknown.first {
            throw Failure(
                "use the seccomp filter", detail: "libseccomp \(libseccompVersion()) does not know the system call \(quoted(first.value))",
                place: bundle.place(of: first.origin), hint: "leave \(KnownAnnotation.seccompFailUnknown.rawValue) out to skip such names")
        }
        guard tells else { return [] }
        func pointer(_ origin: Origin) -> String { bundle.place(of: origin)?.pointer ?? "a rule" }
        let disagreeing = disagreements(seccomp).map {
            "seccomp: two rules for \($0.name) disagree: \(pointer($0.first)) counts, \(pointer($0.second)) does not [SE-10]"
        }
        return disagreeing
            + unknown.map {
                "seccomp: libseccomp \(libseccompVersion()) does not know the system call \($0.value), which is left out [SE-09]"
            }
    }

    /// What the runtime could grant: everything in a new user namespace, its own permitted set elsewhere.
    ///
    /// Source: capget(2).
    static func capabilitiesHeld(_ config: Config) throws(Failure) -> CapabilitySet {
        if let namespace = config.linux.namespace(.user), namespace.path == nil { return CapabilitySet(rawValue: .max) }
        let held = try Failure.during("read the runtime's own capabilities") { () throws(Errno) in try permittedCapabilities() }
        return CapabilitySet(rawValue: held)
    }

    /// Whether this host has AppArmor.
    static var hasAppArmor: Bool { (try? readText("/sys/module/apparmor/parameters/enabled")) == "Y" }

    /// Whether this host has SELinux.
    ///
    /// Not to know it is an error: the labels would be left out.
    static func isSELinuxEnabled() throws(Failure) -> Bool {
        let file = "/sys/fs/selinux/enforce"
        do throws(Errno) { _ = try OwnedFD.open(file, .read) } catch {
            if error == .noEntry { return false }
            throw Failure("look for SELinux", file, errno: error)
        }
        return true
    }

    /// The targets of `copy-symlink` sources that are links (MO-35).
    private static func copiedLinks(_ bundle: Bundle) -> [PlanningFacts.CopiedLink] {
        var result: [PlanningFacts.CopiedLink] = []
        for (index, mount) in bundle.config.mounts.enumerated() {
            guard let source = mount.source?.value, mount.options.contains(where: { $0.value == .copySymlink }) else { continue }
            let path = source.utf8.first == UInt8(ascii: "/") ? source : "\(bundle.path)/\(source)"
            if let target = try? readLink(path) { result.append(PlanningFacts.CopiedLink(mount: index, target: target)) }
        }
        return result
    }
}

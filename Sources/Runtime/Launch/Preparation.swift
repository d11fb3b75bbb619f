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
    /// Whether a cgroup is made (`--cgroup-manager disabled`).
    var usesCgroups = true

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
        facts.isInUserNamespace = Preparation.isInUserNamespace
        facts.setgroupsDenied = Preparation.setgroupsDenied(config)
        if facts.isInUserNamespace { facts.mappedGroups = Preparation.mappedGroups() }
        facts.clocks = config.linux.timeOffsets.map { (offset: TimeOffset) -> Int64 in
            Int64(offset.clock == .monotonic ? monotonicMilliseconds() : bootMilliseconds()) / 1000
        }
        if config.linux.mountLabel != nil || config.process?.selinuxLabel != nil {
            facts.isSELinuxEnabled = try Preparation.isSELinuxEnabled()
        }
        if config.process?.apparmorProfile != nil {
            facts.hasAppArmor = Preparation.hasAppArmor
        }
        facts.copiedLinks = Preparation.copiedLinks(bundle)
        cgroup = nil
        if options.usesCgroups {
            do throws(CgroupError) {
                let layout = try CgroupLayout.detect()
                var resources = config.linux.resources
                if facts.isInUserNamespace, resources?.devices != nil {
                    // The kernel takes device rules from the host's first user namespace alone, and gives no device node to another.
                    resources?.devices = nil
                    remarks.append("device rules are left out: inside a user namespace nobody may set them, nor make device nodes [RD-01]")
                }
                let plan = try CgroupPlan(
                    cgroupsPath: config.linux.cgroupsPath, id: id.name, layout: layout, resources: resources)
                for warning in plan.warnings { remarks.append(warning.text) }
                facts.add(plan, layout)
                cgroup = plan
            } catch {
                throw Failure(error, place: bundle.place(of: error.origin))
            }
        }
        if let seccomp = config.linux.seccomp {
            let program = try Preparation.compile(seccomp, bundle, store)
            for name in program.unknownNames { remarks.append("seccomp: this libseccomp does not know the system call \(name)") }
            facts.seccompProgram = PlanningFacts.SeccompProgram(bytes: program.instructions, flags: program.flags)
        }
        facts.state = HookState(id: id.name, bundle: bundle.path, rootfs: bundle.rootfs, annotations: config.annotations)
        do throws(PlanningError) { launch = try Planner.plan(config, facts) } catch {
            throw Failure(
                "plan the container", detail: error.message + (error.row.isEmpty ? "" : " [\(error.row)]"),
                place: bundle.place(of: error.origin), hint: error.hint.isEmpty ? nil : error.hint)
        }
        for warning in launch.warnings { remarks.append(warning.message) }
    }

    private static func compile(_ seccomp: Seccomp, _ bundle: Bundle, _ store: StateStore?) throws(Failure) -> SeccompProgram {
        let place: (Origin) -> Failure.Place? = { bundle.place(of: $0) }
        guard let store else { return try compileSeccomp(seccomp, place: place) }
        return try cachedSeccomp(seccomp, source: bundle.document.bytes(of: seccomp.origin), store: store, place: place)
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

    /// Whether the container's user namespace will forbid setgroups(2): because the runtime's own does, which those below it inherit, or
    /// because the runtime has to give it up to write a group mapping without CAP_SETGID.
    ///
    /// - Source: user_namespaces(7).
    private static func setgroupsDenied(_ config: Config) -> Bool {
        if (try? readText("/proc/self/setgroups")) == "deny" { return true }
        guard let namespace = config.linux.namespace(.user), namespace.path == nil else { return false }
        return (try? permittedCapabilities()).map { $0 & 1 << 6 == 0 } ?? false
    }

    /// The groups that the runtime's own user namespace knows.
    private static func mappedGroups() -> [IDMapping] {
        guard let map = try? readText("/proc/self/gid_map") else { return [] }
        return map.split(separator: "\n").compactMap { line in
            let numbers = line.split(separator: " ").compactMap { UInt32($0) }
            return numbers.count == 3 ? IDMapping(containerID: numbers[0], hostID: numbers[1], size: numbers[2]) : nil
        }
    }

    /// Whether the runtime itself is in a user namespace other than the host's first, which maps every id to itself.
    private static var isInUserNamespace: Bool {
        guard let map = try? readText("/proc/self/uid_map") else { return false }
        return map.split(whereSeparator: { $0 == " " || $0 == "\n" }).joined(separator: " ") != "0 0 4294967295"
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

extension PlanningFacts {
    /// Takes over where the container's cgroups are, for its cgroup mount.
    fileprivate mutating func add(_ plan: CgroupPlan, _ layout: CgroupLayout) {
        isCgroupV2 = layout.isUnified
        if let place = plan.unified { cgroupV2Directory = place.directory }
        if isCgroupV2 { return }
        cgroupMounts = plan.places.map { place in
            let point = place.hierarchy.mountPoint
            let name = String(point[point.index(after: point.lastIndex(of: "/") ?? point.startIndex)...])
            let links = place.hierarchy.controllers.count > 1 ? place.hierarchy.controllers : []
            return CgroupMount(name: name, directory: place.directory, links: links)
        }
    }
}

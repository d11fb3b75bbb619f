/// Device nodes, links in /dev, the terminal, and the hooks that come next. Rows D, L, P-02, H.

internal import Plan
internal import Spec

/// A node as planning sees it.
private struct PlannedNode {
    var kind: Device.Kind
    var path: String
    var major: UInt32
    var minor: UInt32
    var mode: UInt32 = 0o666
    var uid: UInt32 = 0
    var gid: UInt32 = 0
    var origin = Origin.none

    /// S_IFCHR, S_IFBLK or S_IFIFO.
    ///
    /// Source: inode(7).
    var type: UInt32 {
        switch kind {
        case .character: 0o020000
        case .block: 0o060000
        case .fifo: 0o010000
        }
    }
}

/// The default devices.
///
/// Rows D-08 to D-13.
private let defaultNodes = [
    PlannedNode(kind: .character, path: "/dev/null", major: 1, minor: 3),
    PlannedNode(kind: .character, path: "/dev/zero", major: 1, minor: 5),
    PlannedNode(kind: .character, path: "/dev/full", major: 1, minor: 7),
    PlannedNode(kind: .character, path: "/dev/random", major: 1, minor: 8),
    PlannedNode(kind: .character, path: "/dev/urandom", major: 1, minor: 9),
    PlannedNode(kind: .character, path: "/dev/tty", major: 5, minor: 0),
]

/// The links in /dev.
///
/// Rows L-01 to L-05, D-15.
private let defaultLinks: [(path: String, target: String)] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/core", "/proc/kcore"),
    ("/dev/ptmx", "pts/ptmx"),
]

extension PlanDraft {
    /// Plans nodes and links.
    ///
    /// A /dev that is the host's is left as it is (D-16).
    mutating func planDevices() {
        let listed = config.linux.devices.map { device in
            PlannedNode(
                kind: device.kind, path: cleanPath(device.path.value), major: device.major, minor: device.minor, mode: device.fileMode,
                uid: device.uid ?? 0, gid: device.gid ?? 0, origin: device.origin)
        }
        let paths = listed.map { $0.path }
        let isHosts = config.mounts.last { cleanPath($0.destination.value) == "/dev" }?.isBind ?? false
        if !isHosts {
            for node in defaultNodes where !paths.contains(node.path) { plan(node) }
        }
        // Opening terminals is up to the container's own devpts, whatever is listed (D-15).
        for node in listed where node.path != "/dev/ptmx" && !(isHosts && node.path.hasPrefix("/dev/")) { plan(node) }
        if !isHosts {
            for link in defaultLinks { add(.makeSymlink(MakeSymlink(target: text(link.target), path: text(link.path)))) }
        }
        if let cwd = config.process?.cwd { add(.makeWorkingDirectory(OneText(text(cwd.value))), cwd.origin) }
    }

    private mutating func plan(_ node: PlannedNode) {
        let path = text(node.path)
        // A user namespace may make pipes but no devices: mknod(2) is for CAP_MKNOD of the host's first namespace.
        if (hasUserNamespace || facts.isInUserNamespace) && node.kind != .fifo {
            add(.bindNode(BindNode(source: path, path: path, kind: node.type, major: node.major, minor: node.minor)), node.origin)
        } else {
            let step = MakeNode(
                path: path, mode: node.type | node.mode & 0o7777, major: node.major, minor: node.minor, uid: node.uid, gid: node.gid)
            add(.makeNode(step), node.origin)
        }
    }

    /// Plans the terminal, the point where the runtime's hooks run, and the container's hooks.
    mutating func planTerminal() {
        guard let process = config.process, process.terminal else { return }
        let size = process.consoleSize
        let step = OpenConsole(rows: UInt32(size?.height ?? 0), columns: UInt32(size?.width ?? 0), uid: process.user.uid.value)
        add(.openConsole(step), process.origin)
    }

    /// Plans the hooks of create (H-02 to H-04).
    mutating func planCreateHooks() {
        let hooks = config.hooks
        let hook = hooks.prestart.first ?? hooks.createRuntime.first ?? hooks.createContainer.first
        launch.hasCreateHooks = hook != nil
        launch.netDevices = config.linux.netDevices
        if let origin = launch.netDevices.first?.origin ?? hook?.origin { add(.synchronize(.runtimeHooks), origin) }
        for (index, hook) in hooks.createContainer.enumerated() {
            planHook(hook, .createContainer, index, environment: hook.env ?? [])
        }
    }

    /// Plans a hook that the init runs (H-08 to H-11).
    mutating func planHook(_ hook: Hook, _ kind: RunHook.Kind, _ index: Int, environment: [String]) {
        let status = kind == .createContainer ? "creating" : "created"
        let step = RunHook(
            kind: kind, index: UInt32(index), path: text(hook.path), arguments: texts(hook.args ?? [hook.path]),
            environment: texts(environment), timeout: UInt32(clamping: hook.timeout ?? 0),
            stateBeforePID: text(facts.state.beforePID(status: status)), stateAfterPID: text(facts.state.suffix))
        add(.runHook(step), hook.origin)
    }
}

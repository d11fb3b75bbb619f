/// Plans by hand, in few words.

import CLinux
import Foundation
import Linux
import Plan

/// Whether what these plans do is allowed here.
let isRoot = geteuid() == 0

/// The number of sethostname(2), as failures name it.
let sethostnameCall = __NR_sethostname

/// The PATH of every payload.
let searchPath = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]

/// A plan that grows step by step.
struct PlanBuilder {
    var plan = Plan()
    /// Descriptors for the payload, from 3 on.
    var preserved: [Int32] = []

    /// The number of the step that was added last.
    var last: UInt32 { UInt32(plan.steps.count - 1) }

    mutating func add(_ step: Step) { plan.append(step) }

    // MARK: The payload

    /// The steps from the search for the program to its execution.
    mutating func execute(_ arguments: [String], path: [String] = searchPath, environment: [String] = []) {
        find(arguments[0], path: path)
        add(.awaitStart)
        finish(arguments, path: path, environment: environment)
    }

    mutating func find(_ program: String, path: [String] = searchPath) {
        add(.findExecutable(FindExecutable(file: plan.add(program), searchPath: plan.add(path))))
    }

    mutating func finish(_ arguments: [String], path: [String] = searchPath, environment: [String] = []) {
        let environment = ["PATH=\(path.joined(separator: ":"))"] + environment
        add(
            .execute(
                Execute(
                    arguments: plan.add(arguments), environment: plan.add(environment),
                    preservedDescriptors: UInt32(preserved.count))))
    }

    /// A payload that runs a shell script.
    mutating func shell(_ script: String, environment: [String] = []) { execute(["sh", "-c", script], environment: environment) }

    static func shell(_ script: String, environment: [String] = []) -> PlanBuilder {
        var builder = PlanBuilder()
        builder.shell(script, environment: environment)
        return builder
    }

    /// Splits, with a supervisor of that user and those capabilities.
    mutating func supervise(uid: UInt32 = 0, capabilities: UInt64 = 0) {
        add(.supervise(Supervise(user: user(uid, uid), capabilities: capabilities)))
        add(.startSession(StartSession(terminal: false)))
    }

    mutating func user(_ uid: UInt32, _ gid: UInt32, groups: [UInt32] = []) -> SetUser {
        SetUser(uid: uid, gid: gid, groups: groups.isEmpty ? .empty : plan.add(numbers: groups), skipsGroups: false)
    }

    // MARK: Mounts

    /// Cuts the mounts off from the host's and makes a directory the root.
    ///
    /// Every plan that mounts begins with this.
    mutating func root(_ directory: String) {
        add(.isolateMounts(PropagationChange(MountFlag.slave | MountFlag.recursive)))
        add(.attachRoot(AttachRoot(source: TreeSource(path: plan.add(directory), recursive: true))))
    }

    mutating func bind(_ source: String, to target: String, noFollow: Bool = false, _ attributes: AttributeChange = AttributeChange()) {
        add(
            .bind(
                Bind(
                    source: TreeSource(path: plan.add(source), recursive: true),
                    target: Target(path: plan.add(target), noFollow: noFollow), attributes: attributes)))
    }

    mutating func mount(
        _ type: String, on target: String, _ parameters: [String] = [], noFollow: Bool = false, attributes: UInt64 = 0,
        options: MountFilesystem.Options = []
    ) {
        var change = AttributeChange()
        change.set = attributes
        add(
            .mountFilesystem(
                MountFilesystem(
                    type: plan.add(type), source: plan.add(type), target: Target(path: plan.add(target), noFollow: noFollow),
                    parameters: plan.add(parameters), attributes: change, options: options)))
    }

    /// The host's programs, read-only, so that a payload runs in a root of its own.
    mutating func bindPrograms() {
        var attributes = AttributeChange()
        attributes.recursiveSet = MountFlag.readOnly
        for name in ["/usr", "/bin", "/lib", "/lib64"] where access(name, F_OK) == 0 { bind(name, to: name, attributes) }
    }

    mutating func hook(_ script: String, timeout: UInt32 = 0, kind: RunHook.Kind = .createContainer, index: UInt32 = 0) {
        hook(["sh", "-c", script], path: "/bin/sh", timeout: timeout, kind: kind, index: index)
    }

    mutating func hook(
        _ arguments: [String], path: String, timeout: UInt32 = 0, kind: RunHook.Kind = .createContainer, index: UInt32 = 0
    ) {
        add(
            .runHook(
                RunHook(
                    kind: kind, index: index, path: plan.add(path), arguments: plan.add(arguments),
                    environment: plan.add(["PATH=/usr/bin:/bin", "GREETING=hello"]), timeout: timeout,
                    stateBeforePID: plan.add("{\"pid\":"), stateAfterPID: plan.add(",\"id\":\"box\"}"))))
    }
}

extension String {
    var lines: [String] { split(separator: "\n").map(String.init) }

    /// The value of a line "key:<tab>value" of /proc/PID/status.
    func field(_ name: String) -> String? {
        lines.first { $0.hasPrefix("\(name):") }?.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
    }
}

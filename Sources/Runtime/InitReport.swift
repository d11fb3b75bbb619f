/// What the init said about a failed step, as a failure for people.

import CLinux
import Linux
public import Plan

extension Failure {
    /// The words of a failed startContainer hook before its number.
    public static let startContainerHook = "error running startContainer hook"

    /// Reads the init's report.
    ///
    /// - Parameters:
    ///   - text: The text that came with the message.
    ///   - operation: What the failed step was about to do, such as "mount"; at start nobody knows the step any more.
    ///   - object: What it was done to.
    ///   - place: The config line that asked for the step.
    ///   - hook: A hook step's kind and its program, if that is known.
    public init(
        _ message: Message, text: String, doing operation: String = "start the payload", object: String? = nil, place: Place? = nil,
        hook: (kind: RunHook.Kind, path: String?) = (.startContainer, nil)
    ) {
        let errno = message.errno > 0 ? Errno(code: message.errno) : nil
        let reason = FailureReason(rawValue: message.reason) ?? .badPlan
        self.init(operation, object, errno: errno, systemCall: systemCallName(message.call), place: place)
        switch reason {
        case .systemCall:
            if object == nil, !text.isEmpty { self.object = text }
        case .notInPath:
            self = Failure(operation, text, place: place, kind: .notInPath)
        case .notExecutable:
            self = Failure(operation, text, errno: errno, place: place, kind: .notExecutable)
            // The search found the file: only execve can miss what it needs (P-08).
            if message.call == __NR_execve, errno == .noEntry { hint = "the file is there: the interpreter that it names is missing" }
            if errno == .execFormat { hint = "it is a program for another machine, or a script without #!" }
        case .unsafePath:
            self.object = text.isEmpty ? object : text
            detail = "the path leads out of the container, or to something that it must not lead to"
        case .wrongNode:
            self.object = text.isEmpty ? object : text
            detail = "there is a file of another kind already"
        case .hookFailed: self = Failure(hook, message, end: .exited(Int32(bitPattern: message.value)), text: text, place: place)
        case .hookKilled: self = Failure(hook, message, end: .signalled(Int32(bitPattern: message.value)), text: text, place: place)
        case .hookTimedOut: self = Failure(hook, message, end: .timedOut(seconds: Int(message.value)), text: text, place: place)
        case .mountParameter:
            // The kernel may refuse the whole without naming a parameter.
            let parts = text.split(separator: "\0", maxSplits: 1, omittingEmptySubsequences: false)
            let option = parts.first.flatMap { $0.isEmpty ? nil : "mount option \(quoted(String($0)))" }
            let words = parts.count == 2 && !parts[1].isEmpty ? kernelWords(String(parts[1])) : nil
            detail = option.map { option in words.map { "\(option): \($0)" } ?? option } ?? words
        case .lockedFlags:
            detail = "the mount has flags that a user namespace may not clear"
            hint = "keep the source mount's \(lockedNames(message.value))"
        case .notMounted:
            detail = "nothing is mounted there"
        case .otherKind:
            detail = message.value == 1 ? "a file cannot be mounted on a directory" : "a directory cannot be mounted on a file"
        case .badPlan:
            detail = "swoci and swoci-init are not of the same build"
        case .workingDirectory:
            let directory = text.isEmpty ? object ?? "" : text
            self = Failure(operation, directory, errno: errno, place: place, kind: .workingDirectory)
            if errno == nil { detail = "it lies outside the root" }
        }
    }
}

extension Failure {
    /// The failure of a hook that ran inside; it has one pipe for both of its outputs.
    private init(
        _ hook: (kind: RunHook.Kind, path: String?), _ message: Message, end: ProcessEnd, text: String, place: Place?
    ) {
        let words = hook.kind == .createContainer ? "error running createContainer hook" : Failure.startContainerHook
        let result = HookResult(end: end, output: "", errors: text)
        self.init(
            "\(words) #\(message.hook)", detail: result.words(path: hook.path ?? "", milliseconds: Int(message.milliseconds)),
            place: place)
        // As a shell has it: 127 for a program that is missing, 126 for one that cannot be executed (H-08).
        guard text.isEmpty, end == .exited(127) || end == .exited(126) else { return }
        let namespace =
            hook.kind == .createContainer ? "from the container's mount namespace, with the host's root" : "inside the container"
        hint = end == .exited(127) ? "it may be missing: it is looked up \(namespace)" : "it may be no program, or one for another machine"
    }

    /// Whether a startContainer hook failed, which destroys the container (LC-07).
    var isOfStartContainerHook: Bool { operation.utf8.starts(with: Failure.startContainerHook.utf8) }
}

/// A file system's message without the mark of its kind: "e tmpfs: Bad value for 'size'".
///
/// Source: fsopen(2).
private func kernelWords(_ message: String) -> String {
    let bytes = Array(message.utf8)
    let isMarked = bytes.count > 2 && bytes[1] == UInt8(ascii: " ") && "ewi".utf8.contains(bytes[0])
    return trimmed(isMarked ? String(decoding: bytes[2...], as: UTF8.self) : message)
}

/// A hook's output without the line's end.
func trimmed(_ text: String) -> String {
    var bytes = text.utf8[...]
    while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: " ") { bytes.removeLast() }
    return String(Substring(bytes))
}

/// MOUNT_ATTR_* bits as mount options.
private func lockedNames(_ bits: UInt32) -> String {
    let names: [(bit: UInt32, name: String)] = [(1, "ro"), (2, "nosuid"), (4, "nodev"), (8, "noexec"), (0x70, "atime options")]
    let set = names.filter { bits & $0.bit != 0 }.map { $0.name }
    return set.isEmpty ? "flags" : set.joined(separator: ",")
}

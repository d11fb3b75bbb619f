/// What the init said about a failed step, as a failure for people.

import Linux
public import Plan

extension Failure {
    /// The operation of a failed startContainer hook, whose container is destroyed.
    public static let startContainerHook = "error running startContainer hook"

    /// Reads the init's report.
    ///
    /// - Parameters:
    ///   - text: The text that came with the message.
    ///   - operation: What the failed step was about to do, such as "mount"; at start nobody knows the step any more.
    ///   - object: What it was done to.
    ///   - place: The config line that asked for the step.
    ///   - hook: A hook step's words: "error running createContainer hook #0".
    public init(
        _ message: Message, text: String, doing operation: String = "start the payload", object: String? = nil, place: Place? = nil,
        hook: String = Failure.startContainerHook
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
        case .unsafePath:
            self.object = text.isEmpty ? object : text
            detail = "the path leads out of the container, or to something that it must not lead to"
        case .wrongNode:
            self.object = text.isEmpty ? object : text
            detail = "there is a file of another kind already"
        case .hookFailed:
            self = Failure(hook, detail: "exit status \(message.value), stdout: , stderr: \(trimmed(text))", place: place)
        case .hookKilled:
            self = Failure(hook, detail: "signal \(message.value), stdout: , stderr: \(trimmed(text))", place: place)
        case .hookTimedOut:
            self = Failure(hook, detail: "it took longer than its timeout, and was killed", place: place)
        case .mountParameter:
            let parts = text.split(separator: "\0", maxSplits: 1, omittingEmptySubsequences: false)
            detail = "mount option \(quoted(String(parts.first ?? "")))"
            if parts.count == 2, !parts[1].isEmpty { detail = "\(detail ?? ""): \(trimmed(String(parts[1])))" }
        case .lockedFlags:
            detail = "the mount has flags that a user namespace may not clear"
            hint = "keep the source mount's \(lockedNames(message.value))"
        case .badPlan:
            detail = "swoci and swoci-init are not of the same build"
        case .workingDirectory:
            let directory = text.isEmpty ? object ?? "" : text
            self = Failure(operation, directory, errno: errno, place: place, kind: .workingDirectory)
            if errno == nil { detail = "it lies outside the root" }
        }
    }
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

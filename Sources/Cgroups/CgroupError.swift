/// What can go wrong with cgroups, as data: whoever reports it composes the sentence and looks the origin up.

public import Linux
public import Spec

/// A failed act on a cgroup, or a limit that cannot be expressed on this host.
public struct CgroupError: Error, Equatable, Sendable {
    /// What there is to say: boxed, because it would be copied at every place that passes an error on.
    private struct Content: Equatable, Sendable {
        var operation: String
        var path: String
        var errno: Errno?
        var problem: String
        var value: String?
        var origin: Origin
        var hint: String?
    }

    private let content: Boxed<Content>

    /// Makes an error of a failed system call.
    @inline(never)
    public init(
        _ operation: String, _ path: String, _ errno: Errno, value: String? = nil, origin: Origin = .none, hint: String? = nil
    ) {
        content = Boxed(Content(operation: operation, path: path, errno: errno, problem: "", value: value, origin: origin, hint: hint))
    }

    /// Makes an error that was found without asking the kernel.
    @inline(never)
    public init(
        _ operation: String, _ path: String, problem: String, value: String? = nil, origin: Origin = .none, hint: String? = nil
    ) {
        content = Boxed(Content(operation: operation, path: path, errno: nil, problem: problem, value: value, origin: origin, hint: hint))
    }
}

extension CgroupError {
    /// What was being done: "write", "make cgroup", "translate".
    public var operation: String { content.value.operation }
    /// The file or directory it was done to; for a translation, the limit's control file or controller.
    public var path: String { content.value.path }
    /// The kernel's answer, if the kernel was asked.
    public var errno: Errno? { content.value.errno }
    /// What is wrong in words, where no system call failed.
    public var problem: String { content.value.problem }
    /// The value that was being written.
    public var value: String? { content.value.value }
    /// The place in the document that asked for it.
    public var origin: Origin { content.value.origin }
    /// What the reader may do about it.
    public var hint: String? { content.value.hint }
}

/// A remark on a limit that was changed or left out, as the specification allows.
public struct CgroupWarning: Equatable, Sendable {
    /// The remark.
    public var text: String
    /// The place in the document.
    public var origin: Origin

    /// Makes a remark.
    public init(_ text: String, _ origin: Origin) {
        self.text = text
        self.origin = origin
    }
}

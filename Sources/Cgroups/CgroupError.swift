/// What can go wrong with cgroups, as data: whoever reports it composes the sentence and looks the origin up.

public import Linux
public import Spec

/// A failed act on a cgroup, or a limit that cannot be expressed on this host.
public struct CgroupError: Error, Equatable, Sendable {
    /// What was being done: "write", "make cgroup", "translate".
    public var operation: String
    /// The file or directory it was done to; for a translation, the limit's control file or controller.
    public var path: String
    /// The kernel's answer, if the kernel was asked.
    public var errno: Errno?
    /// What is wrong in words, where no system call failed.
    public var problem = ""
    /// The value that was being written.
    public var value: String?
    /// The place in the document that asked for it.
    public var origin = Origin.none
    /// What the reader may do about it.
    public var hint: String?

    /// Makes an error of a failed system call.
    public init(
        _ operation: String, _ path: String, _ errno: Errno, value: String? = nil, origin: Origin = .none, hint: String? = nil
    ) {
        self.operation = operation
        self.path = path
        self.errno = errno
        self.value = value
        self.origin = origin
        self.hint = hint
    }

    /// Makes an error that was found without asking the kernel.
    public init(
        _ operation: String, _ path: String, problem: String, value: String? = nil, origin: Origin = .none, hint: String? = nil
    ) {
        self.operation = operation
        self.path = path
        self.problem = problem
        self.value = value
        self.origin = origin
        self.hint = hint
    }
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

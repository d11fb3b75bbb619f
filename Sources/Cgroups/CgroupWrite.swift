/// A value for a control file, as data.

public import Linux
public import Spec

/// One write(2) to a control file of the container's cgroup.
public struct CgroupWrite: Equatable, Sendable {
    /// The cgroup's directory, absolute.
    public var directory: String
    /// The control file.
    public var file: String
    /// What is written.
    public var value: String
    /// The place in the document that asked for it.
    public var origin: Origin
    /// What else may happen than that the file takes the value.
    public var leniency = Leniency.none
    /// What the reader may do where the kernel refuses the value.
    public var hint: String?
    /// What must be below the value, or it is not written (RM-11).
    public var usage: Usage?

    /// A usage that a limit is held against.
    public struct Usage: Equatable, Sendable {
        /// The file that tells it.
        public var file: String
        /// What the limit is called.
        public var limit: String
    }

    /// The ways in which a write may go beside its plain course.
    ///
    /// There is one at most.
    public enum Leniency: Equatable, Sendable {
        /// Any failure is an error.
        case none
        /// These errors leave everything as it should be, for the reason given.
        case tolerates([Errno], reason: String)
        /// Where the file is missing, this other file of the same directory takes this value.
        case otherwise(file: String, value: String)
        /// Where the kernel refuses the value because of the next write's old value, the next write comes first.
        ///
        /// Two limits that bound each other have no order that is right both for raising and for lowering them (RM-05).
        case mayFollowNext
        /// The file's first field is kept, the value is its second (RC-04).
        case keepsFirstField
    }

    /// Makes a write that may not fail.
    public init(
        directory: String, file: String, value: String, origin: Origin = .none, leniency: Leniency = .none, hint: String? = nil
    ) {
        self.directory = directory
        self.file = file
        self.value = value
        self.origin = origin
        self.leniency = leniency
        self.hint = hint
    }

    /// The file's absolute path.
    public var path: String { directory + "/" + file }
}

/// What went wrong, as a value for people and engines: the error of every operation.
///
/// The sentence is composed here and nowhere else. Engines match some of its words (`container does not exist`), and read
/// "no such file or directory" or "permission denied" as a missing or forbidden program: those words stand only for their true
/// meaning. Source: spec rows CLI-03, OP-01 to OP-05.

public import Linux

/// The error of every operation.
public struct Failure: Error, Equatable, Sendable {
    /// The failures that engines or callers tell apart.
    public enum Kind: Equatable, Sendable {
        /// Anything that needs no telling apart.
        case general
        /// The command line makes no sense.
        case usage
        /// A file cannot be read.
        case unreadable
        /// The config has problems: all of them, in ``Failure/problems``.
        case invalidConfig
        /// No container has the id.
        case notFound
        /// A container has the id already.
        case exists
        /// The id breaks the grammar (ST-02).
        case invalidID
        /// Neither created nor running (OP-04).
        case notRunning
        /// Not paused, so that it cannot be resumed.
        case notPaused
        /// Started already (OP-03).
        case alreadyStarted
        /// It has ended, and so cannot be started (OP-03).
        case hasStopped
        /// Neither stopped nor created (OP-05).
        case notStopped
        /// The config has no process to start (OP-03).
        case noProcess
        /// The program is in no directory of PATH.
        case notInPath
        /// The program cannot be executed: errno says why.
        case notExecutable
        /// The process's working directory cannot be entered: errno says why.
        case workingDirectory
    }

    /// Where in config.json the cause stands.
    public struct Place: Equatable, Sendable {
        /// The file's name as the user knows it.
        public var file: String
        /// The JSON pointer (RFC 6901).
        public var pointer: String
        /// The line, from 1.
        public var line: Int
        /// The column, from 1.
        public var column: Int

        /// Names a place.
        public init(file: String = "config.json", pointer: String, line: Int, column: Int) {
            self.file = file
            self.pointer = pointer
            self.line = line
            self.column = column
        }
    }

    /// What there is to say: boxed, because it would be copied at every place that passes a failure on.
    private struct Content: Equatable, Sendable {
        var kind: Kind
        var operation: String
        var object: String?
        var detail: String?
        var systemCall: String?
        var errno: Errno?
        var place: Place?
        var hint: String?
        var problems: [String] = []
    }

    private var content: Boxed<Content>

    /// Makes a failure.
    @inline(never)
    public init(
        _ operation: String, _ object: String? = nil, detail: String? = nil, errno: Errno? = nil, systemCall: String? = nil,
        place: Place? = nil, hint: String? = nil, kind: Kind = .general
    ) {
        content = Boxed(
            Content(
                kind: kind, operation: operation, object: object, detail: detail, systemCall: systemCall, errno: errno, place: place,
                hint: hint))
    }

    /// Makes the failure of a config with these findings.
    public init(problems: [String]) {
        self.init("read the config", kind: .invalidConfig)
        content.value.problems = problems
    }

    /// The message: one line, lower-case errno words.
    public var message: String {
        if let first = problems.first {
            return oneLine(problems.count == 1 ? first : "\(first) (and \(problems.count - 1) more)")
        }
        var parts = [subject]
        if let detail, !detail.isEmpty { parts.append(detail) }
        if let systemCall { parts.append(systemCall) }
        if let errno, kind != .notExecutable { parts.append(kind == .workingDirectory ? errno.text : errno.words) }
        var text = parts.joined(separator: ": ")
        if let place { text += " (\(place.file):\(place.line):\(place.column): \(place.pointer))" }
        if let hint { text += "; \(hint)" }
        return oneLine(text)
    }

    /// What the sentence starts with: the words that engines match, where a kind has some.
    private var subject: String {
        let name = object ?? ""
        return switch kind {
        case .general, .usage, .unreadable, .invalidConfig: object.map { "\(operation) \(quoted($0))" } ?? operation
        case .notFound: "container does not exist"
        case .exists: "container with given ID already exists"
        case .invalidID: "invalid container ID format: \(quoted(name))"
        case .notRunning: "container not running"
        case .notPaused: "container not paused"
        case .alreadyStarted: "cannot start an already running container"
        case .hasStopped: "cannot start a container that has stopped"
        case .notStopped: "cannot delete container \(name) that is not stopped"
        case .noProcess: "cannot start a container without a process"
        case .notInPath: "exec: \(quoted(name)): executable file not found in $PATH"
        case .notExecutable: "exec: \(quoted(name)): \(execWords(name))"
        case .workingDirectory: "chdir to cwd (\(quoted(name))) set in config.json failed"
        }
    }

    /// A missing program is named twice, as os/exec has it.
    private func execWords(_ program: String) -> String {
        let words = errno?.text ?? "unknown error"
        return errno == .noEntry ? "stat \(program): \(words)" : words
    }
}

extension Failure {
    /// The kind.
    public var kind: Kind { content.value.kind }
    /// What was being done, in lower case: "mount".
    ///
    /// For kinds with words of their own not used.
    public var operation: String {
        get { content.value.operation }
        set { content.value.operation = newValue }
    }
    /// On what: a path, an id, a program.
    public var object: String? {
        get { content.value.object }
        set { content.value.object = newValue }
    }
    /// What is wrong beyond errno, in lower case.
    public var detail: String? {
        get { content.value.detail }
        set { content.value.detail = newValue }
    }
    /// The system call that failed.
    public var systemCall: String? { content.value.systemCall }
    /// Its error number.
    public var errno: Errno? { content.value.errno }
    /// The cause in config.json.
    public var place: Place? {
        get { content.value.place }
        set { content.value.place = newValue }
    }
    /// What the user could do about it.
    public var hint: String? {
        get { content.value.hint }
        set { content.value.hint = newValue }
    }
    /// The findings of a config that cannot be used, a line each.
    public var problems: [String] { content.value.problems }
}

extension Errno {
    /// What the error means where no program is missing: engines take "no such file or directory" for the payload's (CLI-03).
    var words: String { self == .noEntry ? "missing (ENOENT)" : text }
}

/// A text between double quotes; quotes and backslashes inside are escaped.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        if scalar == "\"" || scalar == "\\" { result += "\\" }
        result.unicodeScalars.append(scalar)
    }
    return result + "\""
}

/// A text without what would break the line or drive a terminal: control characters become their escapes.
public func oneLine(_ text: String) -> String {
    // In UTF-8 the second set of control characters, U+0080 to U+009F, begins with this byte.
    let secondSet: UInt8 = 0xC2
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == secondSet }) else { return text }
    var result: [UInt8] = []
    func escape(_ byte: UInt8) {
        result += Array("\\x".utf8)
        for digit in [byte >> 4, byte & 15] { result.append(digit < 10 ? 48 + digit : 87 + digit) }
    }
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "\n"): result += Array("\\n".utf8)
        case UInt8(ascii: "\t"): result.append(UInt8(ascii: " "))
        case 0..<0x20, 0x7F: escape(byte)
        case 0x80..<0xA0 where result.last == secondSet:
            result.removeLast()
            escape(byte)
        default: result.append(byte)
        }
    }
    return String(decoding: result, as: UTF8.self)
}

extension Failure {
    /// Runs system calls, and says what was being done where one fails.
    static func during<R: ~Copyable>(
        _ operation: String, _ object: String? = nil, hint: String? = nil, _ body: () throws(Errno) -> R
    ) throws(Failure) -> R {
        do { return try body() } catch { throw Failure(operation, object, errno: error, hint: hint) }
    }
}

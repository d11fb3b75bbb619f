/// What is wrong with a document, for a person to read: one line that names the place, the fault, the value, the way out and the rule.

/// One finding.
public struct Diagnostic: Equatable, Sendable {
    /// How bad it is.
    public enum Severity: UInt8, Equatable, Sendable {
        /// The config cannot be used.
        case error
        /// It can, but probably does not do what was meant.
        case warning
        /// Something to know.
        case note
    }

    /// How bad it is.
    public var severity: Severity
    /// The value's place in the document.
    public var origin: Origin
    /// Line and column where there is no document to look them up in: that of a syntax error.
    public var line: Int?
    /// The byte in the line, from 1.
    public var column: Int?
    /// What is wrong.
    public var message: String
    /// The value that is wrong.
    public var got: String?
    /// What to do.
    public var hint: String?
    /// The rule's row in the specification checklist, such as "RM-04".
    public var row: String

    /// Puts a finding together.
    public init(_ severity: Severity, _ origin: Origin, _ message: String, got: String? = nil, hint: String? = nil, row: String) {
        self.severity = severity
        self.origin = origin
        self.message = message
        self.got = got
        self.hint = hint
        self.row = row
    }

    /// The finding of a text that is no JSON.
    public init(_ error: JSONDocument.SyntaxError) {
        self.init(.error, .none, error.message, row: error.row)
        line = error.line
        column = error.column
    }

    /// The finding in one line: `config.json:LINE:COL: /json/pointer: what is wrong (got VALUE); hint [ROW-ID]`, less what is absent.
    public func rendered(file: String = "config.json", document: JSONDocument?) -> String {
        sentence(file, document, mark: severity.mark)
    }

    /// The same of a finding that whoever shows it calls a warning or an error anyway.
    public func unmarked(file: String = "config.json", document: JSONDocument?) -> String { sentence(file, document, mark: "") }

    private func sentence(_ file: String, _ document: JSONDocument?, mark: String) -> String {
        var text = file
        var pointer = ""
        if let line, let column {
            text += ":\(line):\(column)"
        } else if let document, origin != .none {
            let position = document.position(of: origin)
            text += ":\(position.line):\(position.column)"
            pointer = document.pointer(of: origin)
        }
        text += ": "
        if !pointer.isEmpty { text += pointer + ": " }
        text += mark + message
        if let got { text += " (got \(got))" }
        if let hint { text += "; \(hint)" }
        return text + " [\(row)]"
    }
}

extension Diagnostic.Severity {
    /// What a finding that is no error is marked with.
    fileprivate var mark: String {
        switch self {
        case .error: ""
        case .warning: "warning: "
        case .note: "note: "
        }
    }
}

extension Sequence where Element == Diagnostic {
    /// Whether a config with these findings cannot be used.
    public var hasErrors: Bool { contains { $0.severity == .error } }
}

/// The findings of a pass over a document or a config.
struct Findings {
    private(set) var list: [Diagnostic] = []
    /// How many errors were found, also those that found no room.
    private(set) var errorCount = 0

    /// More than anybody reads; a bound on what a hostile document can cost.
    static let limit = 256

    @inline(never)
    mutating func error(_ origin: Origin, _ message: String, got: String? = nil, hint: String? = nil, _ row: String) {
        add(Diagnostic(.error, origin, message, got: got, hint: hint, row: row))
    }

    @inline(never)
    mutating func warning(_ origin: Origin, _ message: String, got: String? = nil, hint: String? = nil, _ row: String) {
        add(Diagnostic(.warning, origin, message, got: got, hint: hint, row: row))
    }

    @inline(never)
    mutating func note(_ origin: Origin, _ message: String, got: String? = nil, hint: String? = nil, _ row: String) {
        add(Diagnostic(.note, origin, message, got: got, hint: hint, row: row))
    }

    /// An error always finds room: warnings alone never make a config pass.
    private mutating func add(_ diagnostic: Diagnostic) {
        if diagnostic.severity == .error { errorCount += 1 }
        if list.count < Findings.limit || (diagnostic.severity == .error && list.count < 2 * Findings.limit) { list.append(diagnostic) }
    }

    /// Whether there is no room but for errors: what only makes a note better need not be worked out any more.
    var isFull: Bool { list.count >= Findings.limit }

    /// The findings in the document's order.
    var sorted: [Diagnostic] { Findings.sorted(list) }

    static func sorted(_ list: [Diagnostic]) -> [Diagnostic] {
        if list.count < 2 { return list }
        return list.enumerated().sorted { left, right in
            (left.element.origin.node, left.offset) < (right.element.origin.node, right.offset)
        }.map { $0.element }
    }
}

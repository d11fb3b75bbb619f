/// What a case is: a claim, the spec rows that it proves, and the steps that could refute it.

import Foundation

/// One claim about a runtime.
struct Case: Sendable {
    let name: String
    let rows: [String]
    /// The first spec release that has what the case needs; a runtime that declares less is skipped.
    let since: String
    /// Commands beyond the specification's that the case uses; a runtime without them is skipped.
    let commands: [String]
    let body: @Sendable (Lab) throws -> Void
}

/// Cases about one subject, in one file.
struct Topic: Sendable {
    let name: String
    private let commands: [String]
    private(set) var cases: [Case] = []

    init(_ name: String, commands: [String] = [], _ describe: (inout Topic) -> Void) {
        self.name = name
        self.commands = commands
        describe(&self)
    }

    /// Adds a claim to the topic.
    mutating func claim(
        _ name: String, rows: [String], since: String = "1.0.0", commands: [String] = [], _ body: @escaping @Sendable (Lab) throws -> Void
    ) {
        cases.append(Case(name: name, rows: rows, since: since, commands: self.commands + commands, body: body))
    }
}

/// Thrown by a case that cannot be judged here.
struct Skip: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// Thrown when a claim does not hold.
struct Failure: Error {
    let message: String
}

/// Fails the case unless the condition holds.
func expect(_ condition: Bool, _ message: @autoclosure () throws -> String) throws {
    if !condition { throw Failure(message: try message()) }
}

/// Fails the case unless a command failed and said why.
func refused(_ outcome: Outcome, _ what: String) throws {
    try expect(outcome.status != 0, "\(what) was not refused")
    try expect(!outcome.err.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty, "\(what) failed without a message")
}

/// Fails the case unless both values are equal.
func equal<T: Equatable>(_ actual: T, _ expected: T, _ what: @autoclosure () throws -> String) throws {
    if actual != expected {
        throw Failure(message: "\(try what()): got \(String(reflecting: actual)), want \(String(reflecting: expected))")
    }
}

/// Fails the case unless the text has the part.
func contains(_ text: String, _ part: String, _ what: @autoclosure () throws -> String) throws {
    if !part.isEmpty && !text.contains(part) {
        throw Failure(message: "\(try what()): no \(String(reflecting: part)) in \(String(reflecting: text))")
    }
}

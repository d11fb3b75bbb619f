import Foundation
import Testing

@testable import Spec

/// One case of a file in Configs/rules: what is put into a good config, and every finding, rendered.
///
/// A file is a list of claims ("# ..."), each with cases that blank lines part. A case has lines of input, which begin with the name of
/// a parameter of `config(...)` or with "document", and the expected lines, which begin with the file's name.
struct RuleCase: CustomTestStringConvertible, Sendable {
    var claim: String
    var place: String
    var input: [String: String] = [:]
    var expected: [String] = []

    var testDescription: String { "\(claim) (\(place))" }

    var text: String {
        if let document = input["document"] { return document }
        return config(
            root: input["root"] ?? "", process: input["process"], namespaces: input["namespaces"] ?? "", linux: input["linux"] ?? "")
    }

    static func all() throws -> [RuleCase] {
        let directory = try #require(Bundle.module.resourceURL).appendingPathComponent("Configs/rules")
        return try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted().flatMap { name in
            cases(of: try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8), named: name)
        }
    }

    private static func cases(of file: String, named name: String) -> [RuleCase] {
        var cases: [RuleCase] = []
        var claim = ""
        var isOpen = false
        for (number, line) in file.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.isEmpty {
                isOpen = false
            } else if line.hasPrefix("# ") {
                claim = String(line.dropFirst(2))
            } else {
                if !isOpen { cases.append(RuleCase(claim: claim, place: "\(name):\(number + 1)")) }
                isOpen = true
                if line.hasPrefix("config.json:") {
                    cases[cases.count - 1].expected.append(String(line))
                } else {
                    let parts = line.split(separator: " ", maxSplits: 1)
                    cases[cases.count - 1].input[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
                }
            }
        }
        return cases
    }
}

@Suite("Rules")
struct RuleTests {
    @Test("every rule finds what it should, where it is, and nothing else", arguments: try RuleCase.all())
    func rule(_ rule: RuleCase) throws {
        #expect(try findings(rule.text) == rule.expected)
    }

    @Test("there are cases for every part of the config")
    func parts() throws {
        let parts = Set(try RuleCase.all().map { $0.place.prefix { $0 != "." } })
        #expect(parts == ["document", "linux", "mount", "namespace", "process", "resource", "root", "seccomp", "sysctl"])
    }
}

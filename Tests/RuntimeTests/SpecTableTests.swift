/// docs/SPEC.md against the sources: a row that claims to be implemented is cited by code and by a proof.

import Foundation
import Testing

/// The package's directory.
private let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// A line of the table.
private struct Row {
    let id: String
    let item: String
    let state: String
    let whereColumn: String
    let proofColumn: String

    init?(_ line: String) {
        let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
        guard cells.count == 7, cells[1].wholeMatch(of: /[A-Z]+-\d\d/) != nil else { return nil }
        (id, item, state, whereColumn, proofColumn) = (cells[1], cells[2], cells[3], cells[4], cells[5])
    }
}

/// A file's lines that count as citations.
///
/// In sources every mention does. A proof is what runs: the rows of a claim, a test's name, a table of cases, an expected diagnostic. A
/// comment proves nothing.
private func citingLines(of text: String, file: URL, isProof: Bool) -> [Substring] {
    let lines = text.split(separator: "\n")
    guard isProof else { return lines }
    if file.pathExtension == "txt" { return lines.filter { !$0.hasPrefix("#") } }
    return lines.map { line in
        // "//" in a string is a part of an address here, and no row follows it.
        line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
    }
}

/// Which files cite which rows; `P-38 to P-43` cites all six.
private func citations(in directories: [String], areProofs: Bool) throws -> [String: Set<String>] {
    var result: [String: Set<String>] = [:]
    for directory in directories {
        let root = package.appendingPathComponent(directory)
        guard let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil) else { continue }
        for case let file as URL in files where ["swift", "txt"].contains(file.pathExtension) && !file.path.contains("SpecTable") {
            let text = try String(contentsOf: file, encoding: .utf8)
            let name = directory + file.path.dropFirst(root.path.count)
            for line in citingLines(of: text, file: file, isProof: areProofs) {
                for match in line.matches(of: /\b([A-Z]{1,3})-(\d\d)(?:(?: to |\.\.\.?)(?:[A-Z]{1,3}-)?(\d\d))?/) {
                    guard let first = Int(match.2) else { continue }
                    let last = match.3.flatMap { Int($0) } ?? first
                    for number in first...max(first, last) {
                        result["\(match.1)-\(number < 10 ? "0" : "")\(number)", default: []].insert(name)
                    }
                }
            }
        }
    }
    return result
}

/// The most telling names first: claims about the binary, then about its parts; the shorter ones before the longer.
private func byWeight(_ left: String, _ right: String) -> Bool {
    let (isLeft, isRight) = (left.hasPrefix("conformance"), right.hasPrefix("conformance"))
    return isLeft == isRight ? (left.count, left) < (right.count, right) : isLeft
}

/// At most three names, then how many more there are.
private func summary(_ names: Set<String>) -> String {
    let sorted = names.sorted(by: byWeight)
    let shown = sorted.prefix(3).joined(separator: ", ")
    return sorted.count > 3 ? "\(shown) and \(sorted.count - 3) more" : shown
}

@Test("every row of docs/SPEC.md that says yes is cited by its code and by a proof")
func specTable() throws {
    let file = package.appendingPathComponent("docs/SPEC.md")
    let code = try citations(in: ["Sources"], areProofs: false)
    let proofs = try citations(in: ["Tests", "conformance"], areProofs: true)
    var lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
    var count = 0
    for index in lines.indices {
        guard let row = Row(lines[index]) else { continue }
        count += 1
        #expect(["yes", "n/a", "no"].contains(row.state), "\(row.id) has the state \(row.state)")
        let wanted = (summary(code[row.id] ?? []), summary(proofs[row.id] ?? []))
        if row.state == "yes" {
            #expect(!wanted.0.isEmpty, "\(row.id) is implemented nowhere that says so")
            #expect(!wanted.1.isEmpty, "\(row.id) is proven by nothing")
        }
        let columns = row.state == "yes" ? wanted : ("", "")
        let line = "| \(row.id) | \(row.item) | \(row.state) | \(columns.0) | \(columns.1) |"
        if ProcessInfo.processInfo.environment["UPDATE_SPEC"] != nil { lines[index] = line }
        #expect(lines[index] == line, "\(row.id) is not up to date")
    }
    #expect(count > 250)
    if ProcessInfo.processInfo.environment["UPDATE_SPEC"] != nil {
        try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
    }
}

/// What is worth telling of criu's log.

/// The last lines of a log that tell of errors, without times, sources and what says no more than that it failed.
///
/// - Returns: At most three lines and 600 bytes; nothing where the log has none.
func criuErrors(_ log: [UInt8]) -> String {
    var lines: [[UInt8]] = []
    for line in log.split(separator: UInt8(ascii: "\n")) {
        guard let text = words(of: line), lines.last != text else { continue }
        lines.append(text)
    }
    var result: [UInt8] = []
    for line in lines.suffix(3) { result += (result.isEmpty ? [] : Array("; ".utf8)) + line }
    return result.count <= 600 ? String(decoding: result, as: UTF8.self) : String(decoding: result.prefix(600), as: UTF8.self) + "..."
}

/// "(00.012) Error (criu/net.c:12): words" as "words"; nil where the line tells of no error, or only that there was one.
private func words(of line: ArraySlice<UInt8>) -> [UInt8]? {
    let word = Array("Error".utf8)
    guard let start = line.indices.first(where: { line[$0...].starts(with: word) }) else { return nil }
    var rest = line[(start + word.count)...]
    if rest.starts(with: Array(" (".utf8)) {
        let end = Array("): ".utf8)
        guard let close = rest.indices.first(where: { rest[$0...].starts(with: end) }) else { return nil }
        rest = rest[(close + end.count)...]
    } else if rest.starts(with: Array(": ".utf8)) {
        rest = rest.dropFirst(2)
    }
    // criu tries helpers that may be missing; what comes of it is told in lines of their own.
    let saysNothing = ["execvp(", "exited, status="].contains { rest.starts(with: Array($0.utf8)) }
    if rest.isEmpty || saysNothing || rest.reversed().starts(with: Array("FAILED.".utf8.reversed())) { return nil }
    return Array(rest)
}

/// "Did you mean": the known name that is nearest to what somebody wrote.

/// The candidate nearest to a word, if any is near enough to be what was meant.
///
/// A candidate counts if the word is its beginning or the other way round (three bytes at least), or if few edits lead from one to the
/// other: none in a single letter, one in a word of up to four bytes, two up to eight, else three. Capitals do not count.
public func nearest(to word: String, among candidates: [String]) -> String? {
    let word = lowercase(word)
    guard word.count <= 64 else { return nil }
    let limit = word.count < 2 ? 0 : word.count <= 4 ? 1 : word.count <= 8 ? 2 : 3
    var best: (distance: Int, name: String)?
    for name in candidates {
        let candidate = lowercase(name)
        var distance = editDistance(word, candidate)
        if distance > limit {
            let (short, long) = word.count < candidate.count ? (word, candidate) : (candidate, word)
            guard short.count >= 3, long.starts(with: short) else { continue }
            distance = limit
        }
        if best == nil || distance < best!.distance { best = (distance, name) }
    }
    return best?.name
}

/// The hint that names the nearest candidate, or all of them where there are few.
func suggestion(for word: String, among candidates: [String]) -> String? {
    if let name = nearest(to: word, among: candidates) { return "did you mean \"\(name)\"?" }
    if candidates.count > 10 { return nil }
    var list = "known: "
    for (index, name) in candidates.enumerated() { list += index == 0 ? name : ", " + name }
    return list
}

/// How many insertions, deletions, replacements and swaps of neighbours lead from one word to the other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for row in left.indices {
        var line = [row + 1]
        line.reserveCapacity(right.count + 1)
        for column in right.indices {
            var cost = Swift.min(last[column + 1] + 1, line[column] + 1, last[column] + (left[row] == right[column] ? 0 : 1))
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                cost = Swift.min(cost, beforeLast[column - 1] + 1)
            }
            line.append(cost)
        }
        beforeLast = last
        last = line
    }
    return last[right.count]
}

private func lowercase(_ word: String) -> [UInt8] {
    word.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
}

/// Durations as runc's command line takes them: decimal numbers, each with a unit, such as "1m30s" or "1.5h".

/// The units and their nanoseconds; those that begin another's name come after it.
private let units: [(name: String, nanoseconds: Int64)] = [
    ("ns", 1), ("us", 1000), ("µs", 1000), ("μs", 1000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
]

/// Reads a duration; nil for what is none, or too long.
func durationInNanoseconds(_ text: String) -> Int64? {
    if text == "0" { return 0 }
    var rest = Array(text.utf8)[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest.removeFirst() }
    guard !rest.isEmpty else { return nil }
    var total: Int64 = 0
    while !rest.isEmpty {
        guard let part = takePart(&rest) else { return nil }
        let (sum, isTooLong) = total.addingReportingOverflow(part)
        if isTooLong { return nil }
        total = sum
    }
    return isNegative ? -total : total
}

/// Takes a number and its unit from the front.
private func takePart(_ rest: inout ArraySlice<UInt8>) -> Int64? {
    let (whole, wholeCount, isTooLong) = takeDigits(&rest)
    var fraction: Int64 = 0
    var fractionCount = 0
    if rest.first == UInt8(ascii: ".") {
        rest.removeFirst()
        // What is beyond a nanosecond of an hour does not count.
        (fraction, fractionCount, _) = takeDigits(&rest, atMost: 6)
    }
    guard wholeCount + fractionCount > 0, !isTooLong, let unit = units.first(where: { rest.starts(with: $0.name.utf8) }) else { return nil }
    rest.removeFirst(unit.name.utf8.count)
    let (product, overflows) = whole.multipliedReportingOverflow(by: unit.nanoseconds)
    if overflows { return nil }
    var scale: Int64 = 1
    for _ in 0..<fractionCount { scale *= 10 }
    let (sum, isOver) = product.addingReportingOverflow(fraction * unit.nanoseconds / scale)
    return isOver ? nil : sum
}

/// Takes digits from the front; of more than `atMost` the rest is skipped.
private func takeDigits(_ rest: inout ArraySlice<UInt8>, atMost: Int = 18) -> (value: Int64, count: Int, isCut: Bool) {
    var value: Int64 = 0
    var count = 0
    var isCut = false
    while let byte = rest.first, byte &- UInt8(ascii: "0") < 10 {
        rest.removeFirst()
        if count < atMost {
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            count += 1
        } else {
            isCut = true
        }
    }
    return (value, count, isCut)
}

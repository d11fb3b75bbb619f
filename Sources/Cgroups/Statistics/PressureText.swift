/// Pressure stall information: how long processes waited for a resource.

/// A share in hundredths of a percent, as the kernel prints it: exact, and without floating point.
public struct Percentage: Equatable, Sendable {
    /// Hundredths of a percent.
    public var hundredths: UInt64

    /// Makes a share.
    public init(hundredths: UInt64) { self.hundredths = hundredths }

    /// Reads "12.34"; nil for anything else.
    init?(_ text: Substring) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count == 2, let whole = UInt64(parts[0]), let fraction = UInt64(parts[1]) else { return nil }
        hundredths = whole * 100 + fraction
    }

    /// The shortest decimal: "0", "1.5", "12.34".
    public var text: String {
        let (whole, fraction) = (hundredths / 100, hundredths % 100)
        if fraction == 0 { return "\(whole)" }
        if fraction % 10 == 0 { return "\(whole).\(fraction / 10)" }
        return fraction < 10 ? "\(whole).0\(fraction)" : "\(whole).\(fraction)"
    }
}

/// The pressure on a resource.
///
/// - Source: Documentation/accounting/psi.rst (Linux 4.20).
public struct Pressure: Equatable, Sendable {
    /// Shares of the last 10, 60 and 300 seconds, and microseconds since the cgroup was made.
    public struct Stall: Equatable, Sendable {
        /// The share of the last 10 seconds.
        public var average10 = Percentage(hundredths: 0)
        /// The share of the last 60 seconds.
        public var average60 = Percentage(hundredths: 0)
        /// The share of the last 300 seconds.
        public var average300 = Percentage(hundredths: 0)
        /// Microseconds since the cgroup was made.
        public var total: UInt64 = 0
    }

    /// While at least one process waited.
    public var some = Stall()
    /// While all processes waited.
    public var full = Stall()
}

extension StatisticsText {
    /// The two lines of a pressure file: "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same with "full".
    func pressure() throws(CgroupError) -> Pressure {
        var result = Pressure()
        for line in lines {
            let words = line.split(separator: " ")
            guard let kind = words.first, words.count == 5 else { throw malformed(line) }
            let stall = Pressure.Stall(
                average10: try percentage("avg10=", words[1]), average60: try percentage("avg60=", words[2]),
                average300: try percentage("avg300=", words[3]), total: try number(field("total=", words[4])))
            switch kind {
            case "some": result.some = stall
            case "full": result.full = stall
            default: throw malformed(line)
            }
        }
        return result
    }

    private func percentage(_ name: String, _ word: Substring) throws(CgroupError) -> Percentage {
        guard let share = Percentage(try field(name, word)) else { throw malformed(word) }
        return share
    }

    private func field(_ name: String, _ word: Substring) throws(CgroupError) -> Substring {
        guard word.utf8.starts(with: name.utf8) else { throw malformed(word) }
        return word.dropFirst(name.utf8.count)
    }
}

/// Lists of CPUs and memory nodes in the kernel's form: "0-3,7".

/// The kernel's list format.
///
/// Source: cpuset(7) "List format"; rows P-36, RC-07, MP-02.
public enum IndexList {
    /// Why a text is no list.
    public struct Problem: Error, Equatable {
        /// What is wrong, with the column of the token at fault.
        public let message: String
    }

    /// No machine has as many CPUs or nodes.
    static let maximum: UInt32 = 65535

    /// The ranges of a list, in ascending order without overlap.
    ///
    /// An empty list has none.
    public static func parse(_ text: String) -> Result<[ClosedRange<UInt32>], Problem> {
        if text.isEmpty { return .success([]) }
        var ranges: [ClosedRange<UInt32>] = []
        var column = 1
        for token in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let range = range(token) else {
                return .failure(Problem(message: "bad list at column \(column): want numbers and ranges such as 0-3,7"))
            }
            ranges.append(range)
            column += token.utf8.count + 1
        }
        ranges.sort { $0.lowerBound < $1.lowerBound }
        var merged: [ClosedRange<UInt32>] = []
        for range in ranges {
            if let last = merged.last, range.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        return .success(merged)
    }

    private static func range(_ token: Substring) -> ClosedRange<UInt32>? {
        let ends = token.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = number(ends[0]), let last = number(ends[ends.count - 1]), first <= last else { return nil }
        return first...last
    }

    private static func number(_ text: Substring) -> UInt32? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), let number = UInt32(text), number <= maximum else {
            return nil
        }
        return number
    }
}

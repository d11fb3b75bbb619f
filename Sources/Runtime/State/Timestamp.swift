/// Moments in the form of RFC 3339, in UTC.

import CLinux
import Linux

/// A moment of the wall clock.
public struct Timestamp: Equatable, Sendable {
    /// Seconds since 1970.
    public let seconds: Int64
    /// At most 999999999.
    public let nanoseconds: Int64

    /// Makes a moment.
    public init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The present moment.
    public static func now() -> Timestamp {
        var time = cl_timespec()
        withUnsafeMutablePointer(to: &time) { kernelIgnoringFailure(__NR_clock_gettime, 0, Int(bitPattern: $0)) }
        return Timestamp(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }

    /// Such as "2024-02-29T23:59:59.000000001Z".
    public var text: String {
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let second = seconds - days * 86_400
        let date = civil(days)
        return padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + "T" + padded(second / 3600, 2) + ":"
            + padded(second / 60 % 60, 2) + ":" + padded(second % 60, 2) + "." + padded(nanoseconds, 9) + "Z"
    }

    /// The Gregorian date of a day since 1970: years begin in March, so that the leap day is a year's last.
    private func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    private func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

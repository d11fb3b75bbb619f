/// Signals, as people and engines name them. Source: signal(7); row OP-04.

/// A signal's number.
public struct SignalNumber: Equatable, Sendable {
    /// The number: 0 only asks whether there is a process.
    public let rawValue: Int32

    /// SIGKILL.
    public static let kill = SignalNumber(rawValue: 9)
    /// SIGTERM.
    public static let terminate = SignalNumber(rawValue: 15)

    private init(rawValue: Int32) { self.rawValue = rawValue }

    /// The first and the last realtime signal that C libraries leave to programs.
    private static let realtime: ClosedRange<Int32> = 34...64

    /// The names; for a number with several, all of them.
    private static let names: [(name: StaticString, number: Int32)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("IOT", 6), ("BUS", 7), ("FPE", 8), ("KILL", 9),
        ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13), ("ALRM", 14), ("TERM", 15), ("STKFLT", 16), ("CHLD", 17), ("CLD", 17),
        ("CONT", 18), ("STOP", 19), ("TSTP", 20), ("TTIN", 21), ("TTOU", 22), ("URG", 23), ("XCPU", 24), ("XFSZ", 25),
        ("VTALRM", 26), ("PROF", 27), ("WINCH", 28), ("IO", 29), ("POLL", 29), ("PWR", 30), ("SYS", 31), ("UNUSED", 31),
    ]

    /// Reads a name with or without SIG, in any case, `RTMIN+N`, `RTMAX-N`, or a number.
    public init(_ text: String) throws(Failure) {
        guard let number = SignalNumber.number(text) else {
            throw Failure("unknown signal", text, kind: .usage)
        }
        rawValue = number
    }

    private static func number(_ text: String) -> Int32? {
        if let number = digits(text.utf8[...]) { return number <= realtime.upperBound ? number : nil }
        var name = text.utf8.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 & 0xDF : $0 }[...]
        if name.starts(with: "SIG".utf8) { name = name.dropFirst(3) }
        for row in names where name.elementsEqual(UnsafeBufferPointer(start: row.name.utf8Start, count: row.name.utf8CodeUnitCount)) {
            return row.number
        }
        return realtimeNumber(name)
    }

    private static func realtimeNumber(_ name: ArraySlice<UInt8>) -> Int32? {
        let rest = name.dropFirst(5)
        let isMinimum = name.starts(with: "RTMIN".utf8)
        guard isMinimum || name.starts(with: "RTMAX".utf8) else { return nil }
        if rest.isEmpty { return isMinimum ? realtime.lowerBound : realtime.upperBound }
        guard rest.first == UInt8(ascii: isMinimum ? "+" : "-"), let offset = digits(rest.dropFirst()) else { return nil }
        let number = isMinimum ? realtime.lowerBound + offset : realtime.upperBound - offset
        return realtime.contains(number) ? number : nil
    }

    /// One to three decimal digits.
    private static func digits(_ text: some Collection<UInt8>) -> Int32? {
        guard (1...3).contains(text.count) else { return nil }
        var number: Int32 = 0
        for byte in text {
            guard byte &- UInt8(ascii: "0") < 10 else { return nil }
            number = number * 10 + Int32(byte - UInt8(ascii: "0"))
        }
        return number
    }
}

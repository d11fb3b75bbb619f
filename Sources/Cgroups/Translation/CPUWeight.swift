/// From `cpu.shares` of cgroup v1 to `cpu.weight` of v2, with both defaults (1024 and 100) and both ends meeting.
///
/// There is no mathematics library to link, and these few series are exact to far more than the whole numbers asked for.

/// The conversion of CPU shares.
enum CPUWeight {
    /// The weight of at least one share: the ceiling of 10^((l² + 125l) / 612 - 7/34), where l is log₂ of the shares (RC-01).
    static func of(shares: UInt64) -> UInt64 {
        if shares <= 2 { return 1 }
        if shares >= 262_144 { return 10_000 }
        let l = binaryLogarithm(Double(shares))
        let weight = powerOfTen((l * l + 125 * l) / 612 - 7.0 / 34)
        // 1024 shares are exactly 100: an error in the last bit must not make it 101.
        let below = UInt64(weight - 1e-9)
        return Double(below) < weight - 1e-9 ? below + 1 : below
    }

    /// log₂ of a normal number, by the series of the inverse hyperbolic tangent.
    private static func binaryLogarithm(_ number: Double) -> Double {
        let t = (number.significand - 1) / (number.significand + 1)
        var power = t
        var sum = 0.0
        for odd in stride(from: 1, to: 40, by: 2) {
            sum += power / Double(odd)
            power *= t * t
        }
        return Double(number.exponent) + 2 * sum * 1.442695040888963407
    }

    /// 10 to a small positive power, by the exponential series for the fraction.
    private static func powerOfTen(_ exponent: Double) -> Double {
        let whole = Int(exponent)
        let x = (exponent - Double(whole)) * 2.302585092994045684
        var term = 1.0
        var sum = 1.0
        for n in 1..<40 {
            term *= x / Double(n)
            sum += term
        }
        for _ in 0..<whole { sum *= 10 }
        return sum
    }
}

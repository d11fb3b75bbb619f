/// The kernel's clocks. Source: clock_gettime(2).

import CLinux

private func read(_ clock: Int) -> cl_timespec {
    var time = cl_timespec()
    withUnsafeMutablePointer(to: &time) { pointer in
        kernelIgnoringFailure(__NR_clock_gettime, clock, Int(bitPattern: pointer))
    }
    return time
}

/// Milliseconds of the clock that never goes back (CLOCK_MONOTONIC).
public func monotonicMilliseconds() -> Int {
    let time = read(1)
    return Int(time.seconds) * 1000 + Int(time.nanoseconds) / 1_000_000
}

/// Milliseconds since the start of the system, sleep included (CLOCK_BOOTTIME).
public func bootMilliseconds() -> Int {
    let time = read(7)
    return Int(time.seconds) * 1000 + Int(time.nanoseconds) / 1_000_000
}

/// The time of day: seconds since 1970 and nanoseconds (CLOCK_REALTIME).
public func timeOfDay() -> (seconds: Int64, nanoseconds: Int64) {
    let time = read(0)
    return (time.seconds, time.nanoseconds)
}

/// Signals: sets of them, waiting for them, their dispositions.

public import CLinux

/// Signal numbers that are the same on x86_64 and aarch64.
public enum Signal {
    /// SIGKILL.
    public static let kill: Int32 = 9
    /// SIGPIPE.
    public static let brokenPipe: Int32 = 13
    /// SIGTERM.
    public static let terminate: Int32 = 15
    /// SIGCHLD.
    public static let child: Int32 = 17
    /// SIGSTOP.
    public static let stop: Int32 = 19
    /// SIGURG.
    public static let urgent: Int32 = 23
    /// SIGXFSZ.
    public static let fileTooLarge: Int32 = 25
    /// SIGWINCH.
    public static let windowChange: Int32 = 28
}

/// A kernel signal set: one bit a signal, bit 0 for signal 1.
public struct SignalSet: Equatable, Sendable {
    /// The bits.
    public var bits: UInt64

    /// Makes a set of its bits.
    public init(bits: UInt64) { self.bits = bits }

    /// No signal.
    public static let none = SignalSet(bits: 0)
    /// All signals but those that a fault of the process itself raises: ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS.
    public static let forwardable = SignalSet(bits: ~0x4000_04f8)

    /// Makes this the set of blocked signals and returns the one it replaces.
    ///
    /// Source: rt_sigprocmask(2).
    @discardableResult
    public func block() throws(Errno) -> SignalSet {
        var new = self
        var old = SignalSet.none
        try withUnsafeMutablePointer(to: &new) { new throws(Errno) in
            try withUnsafeMutablePointer(to: &old) { old throws(Errno) in
                _ = try kernel(__NR_rt_sigprocmask, 2, Int(bitPattern: new), Int(bitPattern: old), 8)
            }
        }
        return old
    }

    /// Waits until one of the set is pending, takes it and returns its number.
    ///
    /// The set has to be blocked.
    ///
    /// - Parameter info: Takes where the signal comes from.
    /// - Source: rt_sigtimedwait(2).
    public func wait(_ info: inout cl_siginfo) throws(Errno) -> Int32 {
        var set = self
        return try withUnsafeMutablePointer(to: &set) { set throws(Errno) in
            try withUnsafeMutablePointer(to: &info) { info throws(Errno) in
                Int32(truncatingIfNeeded: try kernel(__NR_rt_sigtimedwait, Int(bitPattern: set), Int(bitPattern: info), 0, 8))
            }
        }
    }

    /// Does nothing for a while, whatever is pending.
    public static func pause(milliseconds: Int) {
        var set = none
        var time = cl_timespec(seconds: Int64(milliseconds / 1000), nanoseconds: Int64(milliseconds % 1000) * 1_000_000)
        withUnsafeMutablePointer(to: &set) { set in
            withUnsafeMutablePointer(to: &time) { time in
                kernelIgnoringFailure(__NR_rt_sigtimedwait, Int(bitPattern: set), 0, Int(bitPattern: time), 8)
            }
        }
    }
}

/// What a signal does where nothing handles it.
public enum SignalDisposition: UInt, Sendable {
    /// What the kernel does by itself (SIG_DFL).
    case standard = 0
    /// Nothing (SIG_IGN).
    case ignored = 1
}

/// Sets what a signal does.
///
/// Source: rt_sigaction(2).
public func setDisposition(of signal: Int32, _ disposition: SignalDisposition) {
    // struct sigaction of the kernel: handler, flags, restorer (on x86_64), mask.
    var action: (UInt, UInt, UInt, UInt) = (disposition.rawValue, 0, 0, 0)
    withUnsafeMutablePointer(to: &action) { pointer in
        kernelIgnoringFailure(__NR_rt_sigaction, Int(signal), Int(bitPattern: pointer), 0, 8)
    }
}

/// Sets every signal to its default disposition: execve keeps ignored ones ignored, and a caller may have ignored some.
public func resetSignalDispositions() {
    for signal in 1...64 { setDisposition(of: Int32(signal), .standard) }
}

/// Pseudo terminals, by descriptor only. Source: ioctl_tty(2), pts(4).

import CLinux

/// Unlocks the terminal that belongs to an open ptmx and opens it, without a path that somebody could have replaced.
public func openPeerTerminal(of ptmx: Int) throws(Errno) -> OwnedFD {
    var unlocked: Int32 = 0
    try withUnsafeMutablePointer(to: &unlocked) { pointer throws(Errno) in
        _ = try kernel(__NR_ioctl, ptmx, Int(CL_TIOCSPTLCK), Int(bitPattern: pointer))
    }
    return OwnedFD(
        try kernel(__NR_ioctl, ptmx, Int(CL_TIOCGPTPEER), Int(O_RDWR | O_NOCTTY | O_CLOEXEC)))
}

/// Sets a terminal's size in characters.
public func setTerminalSize(_ terminal: Int, rows: UInt16, columns: UInt16) throws(Errno) {
    var size = cl_winsize(rows: rows, columns: columns, width: 0, height: 0)
    try withUnsafeMutablePointer(to: &size) { pointer throws(Errno) in
        _ = try kernel(__NR_ioctl, terminal, Int(CL_TIOCSWINSZ), Int(bitPattern: pointer))
    }
}

/// A terminal's size in characters.
public func terminalSize(_ terminal: Int) throws(Errno) -> (rows: UInt16, columns: UInt16) {
    var size = cl_winsize()
    try withUnsafeMutablePointer(to: &size) { pointer throws(Errno) in
        _ = try kernel(__NR_ioctl, terminal, Int(CL_TIOCGWINSZ), Int(bitPattern: pointer))
    }
    return (size.rows, size.columns)
}

/// A terminal's modes.
public struct TerminalModes {
    private var modes: cl_termios

    /// Reads the modes of a terminal.
    ///
    /// - Throws: ``Errno/notTerminal`` where it is none.
    public init(of terminal: Int) throws(Errno) {
        var modes = cl_termios()
        try withUnsafeMutablePointer(to: &modes) { pointer throws(Errno) in
            _ = try kernel(__NR_ioctl, terminal, Int(CL_TCGETS), Int(bitPattern: pointer))
        }
        self.modes = modes
    }

    /// Sets a terminal to these modes.
    public func apply(to terminal: Int) throws(Errno) {
        var modes = modes
        try withUnsafeMutablePointer(to: &modes) { pointer throws(Errno) in
            _ = try kernel(__NR_ioctl, terminal, Int(CL_TCSETS), Int(bitPattern: pointer))
        }
    }

    /// Without the translation of a newline to carriage return and newline, which would change a payload's output.
    public var withoutNewlineTranslation: TerminalModes {
        var result = self
        result.modes.output &= ~4  // ONLCR
        return result
    }

    /// The character that a reader of lines takes for the end; nil where bytes are read as they come.
    public var endOfFile: UInt8? {
        // ICANON 2, VEOF 4.
        modes.local & 2 != 0 ? modes.characters.4 : nil
    }

    /// Hands on every byte as it is typed.
    ///
    /// Output is still processed: a newline from a terminal ``withoutNewlineTranslation`` needs its carriage return somewhere.
    public var raw: TerminalModes {
        var result = self
        // As cfmakeraw(3) otherwise: no input processing, no echo, no line editing, no signals, 8 bits.
        result.modes.input &= ~0o2753
        result.modes.local &= ~0o100113
        result.modes.control = (result.modes.control & ~0o460) | 0o60
        return result
    }
}

/// Makes the terminal on a descriptor the controlling one of the session that the caller leads.
public func takeTerminal(_ terminal: Int) throws(Errno) {
    try kernel(__NR_ioctl, terminal, Int(CL_TIOCSCTTY), 0)
}

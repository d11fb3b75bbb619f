/// The process's environment, which may be empty: engines call with as little as they like.

import CLinux
import Linux

/// The environment variables that the caller gave.
struct Environment {
    private let variables: [String]

    /// Reads the vector that follows the arguments' terminating null.
    init(after arguments: UnsafePointer<UnsafePointer<CChar>?>, _ count: Int) {
        var variables: [String] = []
        var next = arguments + count + 1
        while let variable = next.pointee {
            // Only what is asked for below is worth copying.
            if Environment.isRelevant(variable) { variables.append(String(cString: variable)) }
            next += 1
        }
        self.variables = variables
    }

    /// The value of a variable; an empty one counts as unset.
    subscript(_ name: String) -> String? {
        for variable in variables where variable.utf8.starts(with: (name + "=").utf8) {
            let value = String(variable.dropFirst(name.count + 1))
            return value.isEmpty ? nil : value
        }
        return nil
    }

    /// DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR, LISTEN_FDS, NOTIFY_SOCKET and PATH.
    private static func isRelevant(_ variable: UnsafePointer<CChar>) -> Bool {
        switch UInt8(bitPattern: variable[0]) {
        case UInt8(ascii: "D"), UInt8(ascii: "X"), UInt8(ascii: "L"), UInt8(ascii: "N"), UInt8(ascii: "P"): true
        default: false
        }
    }
}

/// Makes the call independent of what the caller ignores, and its failures errors instead of its death.
///
/// What the container and hooks execute starts with defaults again.
func settleSignals() {
    // Ignored, it has the kernel reap children unseen: of the runtime, which waits for them, and of the init, which inherits it.
    setDisposition(of: Signal.child, .standard)
    // A reader that is gone, or RLIMIT_FSIZE, must not end a create half-way.
    setDisposition(of: Signal.brokenPipe, .ignored)
    setDisposition(of: Signal.fileTooLarge, .ignored)
}

/// Opens /dev/null as whichever of standard input, output and error is closed (L-08).
///
/// Otherwise the next file that is opened would be taken for one of them.
func openMissingStandardFiles() {
    for number in 0..<3 {
        do { try kernel(__NR_fcntl, number, Int(F_GETFD)) } catch {
            // The lowest free number is this one: those below are open.
            kernelIgnoringFailure(__NR_openat, workingDirectory, literal("/dev/null").address, Int(O_RDWR))
        }
    }
}

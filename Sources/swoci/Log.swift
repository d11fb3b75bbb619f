/// Where the log goes: a file, or one of the host's log services (CLI-02).

import Linux
import Runtime

/// The value of `--log`.
enum Log: Equatable {
    /// A file that is appended to: `PATH` or `file:PATH`.
    case file(String)
    /// The journal, with an identifier: `journald:ID`.
    case journal(String)
    /// Syslog, with an identifier: `syslog:ID`.
    case syslog(String)

    /// Reads the value; an empty one is no log.
    init?(_ text: String) {
        if text.isEmpty { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let rest = parts.count == 2 ? String(parts[1]) : ""
        switch parts[0] {
        case "file" where parts.count == 2: self = .file(rest)
        case "journald" where parts.count == 2: self = .journal(rest)
        case "syslog" where parts.count == 2: self = .syslog(rest)
        default: self = .file(text)
        }
    }

    /// What the user called it.
    var name: String {
        switch self {
        case .file(let path): path
        case .journal(let identifier): "journald:" + identifier
        case .syslog(let identifier): "syslog:" + identifier
        }
    }

    /// Appends a line to a file, or hands the message to a service.
    ///
    /// - Parameters:
    ///   - message: The message, which is one line.
    ///   - line: The line for a file, with its newline.
    func append(_ message: String, level: String, line: String) throws(Errno) {
        switch self {
        case .file(let path):
            let file = try OwnedFD.open(path, [.write, .create, .append, .noControllingTerminal], mode: 0o644)
            try file.writeAll(line)
        case .journal(let identifier):
            try Log.send(Log.journalEntry(message, Log.priority(level), identifier), to: "/run/systemd/journal/socket")
        case .syslog(let identifier):
            try Log.send(Log.syslogEntry(message, Log.priority(level), identifier), to: "/dev/log")
        }
    }

    /// The severity of RFC 5424.
    private static func priority(_ level: String) -> Int {
        switch level {
        case "error": 3
        case "warning": 4
        default: 6
        }
    }

    /// An entry in the journal's own protocol: a variable a line.
    ///
    /// - Source: systemd's "Native Journal Protocol".
    static func journalEntry(_ message: String, _ priority: Int, _ identifier: String) -> String {
        "MESSAGE=\(message)\nPRIORITY=\(priority)\nSYSLOG_IDENTIFIER=\(oneLine(identifier))\n"
    }

    /// An entry for the local syslog, of the facility "daemon".
    ///
    /// - Source: RFC 3164, section 4.1; without a time, which the receiver adds.
    static func syslogEntry(_ message: String, _ priority: Int, _ identifier: String) -> String {
        "<\(3 * 8 + priority)>\(oneLine(identifier)): \(message)"
    }

    private static func send(_ entry: String, to socket: String) throws(Errno) {
        let connection = try socket.withPath { path throws(Errno) in try connect(to: path, .datagram, within: 1).release() }
        try OwnedFD(connection).writeAll(entry)
    }
}

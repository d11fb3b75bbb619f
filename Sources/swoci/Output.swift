/// What swoci says: results on standard output, errors on standard error and in the log.
///
/// Engines read both: the log may hold one JSON object for a failing call and nothing else (CLI-02), and standard error is the
/// error's text where there is no log. Colours never.

import Linux
import Runtime
import Spec

/// Writes to standard output.
func print(_ text: String) throws(Failure) {
    let output = OwnedFD(Int32(1))
    do throws(Errno) { try output.writeAll(text) } catch {
        _ = output.release()
        throw Failure("write to standard output", errno: error)
    }
    _ = output.release()
}

/// Where errors and remarks go.
struct Reporter {
    /// How the log is written.
    enum Format: String {
        case text
        case json
    }

    /// The log.
    var log: Log?
    /// Its format.
    var format = Format.text
    /// Whether remarks go to the log.
    ///
    /// Engines that read one object from it do not ask for them.
    var logsWarnings = false

    /// Reports the error that ends the call.
    func error(_ message: String) {
        append("error", message)
        writeError(message)
    }

    /// Reports the failure that ends the call: in the log as one entry, to a person as one line, or a line for each of a config's problems.
    func failure(_ failure: Failure) {
        append("error", failure.message)
        if failure.problems.isEmpty { return writeError(failure.message) }
        for problem in failure.problems { writeError(problem) }
    }

    /// Reports a remark: to the log if there is one and it is asked for, to standard error if there is none.
    func warning(_ message: String) {
        if log == nil { writeError("warning: " + message) } else if logsWarnings { append("warning", message) }
    }

    /// Reports a remark of a call whose standard error becomes the container's: only where remarks are asked for.
    ///
    /// Engines that pass no log would show it, or keep it, as the payload's words.
    func remark(_ message: String) {
        if logsWarnings { warning(message) }
    }

    private func writeError(_ message: String) {
        let errors = OwnedFD(Int32(2))
        // There is nobody left to tell.
        try? errors.writeAll(oneLine(message) + "\n")
        _ = errors.release()
    }

    private func append(_ level: String, _ message: String) {
        guard let log else { return }
        let line = Reporter.line(level, message, time: Timestamp.now().text, format)
        do throws(Errno) { try log.append(oneLine(message), level: level, line: line) } catch {
            writeError("cannot write the log \"\(log.name)\": \(error.text)")
        }
    }

    /// A line of the log.
    static func line(_ level: String, _ message: String, time: String, _ format: Format) -> String {
        switch format {
        case .text: return "time=\(JSONWriter.quoted(time)) level=\(level) msg=\(JSONWriter.quoted(message))\n"
        case .json:
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("level", level)
                writer.member("msg", message)
                writer.member("time", time)
            }
            return writer.string + "\n"
        }
    }
}

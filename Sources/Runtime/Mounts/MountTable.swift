/// The mounts that a container sees, out of its /proc/PID/mountinfo.

import Spec

/// The mounts of a table as a JSON array in the form that config.json has.
///
/// - Source: proc_pid_mountinfo(5).
func mountListJSON(mountTable: String) -> String {
    var writer = JSONWriter(pretty: true)
    writer.array { writer in
        for line in mountTable.split(separator: "\n") {
            let fields = line.split(separator: " ")
            // Optional fields end with a dash; after it come type, source and the options of the file system.
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 2 else { continue }
            writer.object { writer in
                writer.member("destination", unescaped(fields[4]))
                writer.member("type", unescaped(fields[dash + 1]))
                writer.member("source", unescaped(fields[dash + 2]))
                writer.member("options", fields[5].split(separator: ",").map(String.init))
            }
        }
    }
    return writer.string
}

/// A field in which blanks, newlines and backslashes are octal numbers: "\040".
func unescaped(_ field: Substring) -> String {
    var result: [UInt8] = []
    var rest = Array(field.utf8)[...]
    while let byte = rest.popFirst() {
        let digits = rest.prefix(3)
        if byte == UInt8(ascii: "\\"), digits.count == 3, let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) {
            result.append(code)
            rest.removeFirst(3)
        } else {
            result.append(byte)
        }
    }
    return String(decoding: result, as: UTF8.self)
}

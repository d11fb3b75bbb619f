/// `swoci list`

import Runtime
import Spec

func list(_ context: Context) throws(Failure) {
    let format = context.options["format"] ?? "table"
    guard format == "table" || format == "json" else { throw Failure("invalid format option", format, kind: .usage) }
    let list = try context.store().list()
    for note in list.notes { context.reporter.warning(note) }
    if context.options.isSet("quiet") {
        var text = ""
        for state in list.states { text += state.id + "\n" }
        try print(text)
    } else if format == "json" {
        try print(jsonList(list.states) + "\n")
    } else {
        try print(table(list.states))
    }
}

/// One line: an array of states.
func jsonList(_ states: [State]) -> String {
    var writer = JSONWriter()
    writer.array { writer in
        for state in states { state.write(to: &writer) }
    }
    return writer.string
}

/// Columns as wide as their widest cell, at least 12, and a blank.
func table(_ states: [State]) -> String {
    var rows = [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]]
    for state in states {
        rows.append([state.id, "\(state.pid)", state.status.name, state.bundle, state.created ?? "", state.owner ?? ""])
    }
    var widths = [Int](repeating: 12, count: rows[0].count)
    for row in rows {
        for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.utf8.count + 1) }
    }
    var text = ""
    for row in rows {
        for (column, cell) in row.enumerated() {
            text += cell
            if column < row.count - 1 { text += String(repeating: " ", count: widths[column] - cell.utf8.count) }
        }
        text += "\n"
    }
    return text
}

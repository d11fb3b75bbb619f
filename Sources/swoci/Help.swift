/// Help, out of the table of commands.

/// The help of a command, or of swoci itself.
func helpText(_ command: Command?) -> String {
    if let command { return commandHelp(command) }
    var text = """
        NAME:
           swoci - OCI container runtime

        USAGE:
           swoci [global options] COMMAND [command options] [arguments]

        COMMANDS:

        """
    for command in Command.allCases { text += row(command.rawValue, command.description.summary, 12) }
    text += row("help", "print the help of a command", 12)
    text += "\nGLOBAL OPTIONS:\n" + rows(globalFlags)
    return text
}

private func commandHelp(_ command: Command) -> String {
    let description = command.description
    let options = description.flags.isEmpty ? "" : " [command options]"
    let operands = description.operands.isEmpty ? "" : " " + description.operands
    var text = """
        NAME:
           swoci \(command.rawValue) - \(description.summary)

        USAGE:
           swoci \(command.rawValue)\(options)\(operands)

        """
    if !description.notes.isEmpty { text += "\nDESCRIPTION:\n" }
    for line in description.notes.split(separator: "\n") { text += "   \(line)\n" }
    text += "\nOPTIONS:\n" + rows(description.flags)
    return text
}

private func rows(_ flags: [Flag]) -> String {
    let all = flags + [Flag("help", "h", "print this help")]
    var text = ""
    for flag in all {
        let value = flag.value.map { " " + $0 } ?? ""
        let short = flag.short.map { ", -" + ($0.utf8.count > 1 ? "-" : "") + $0 + value } ?? ""
        text += row("--\(flag.name)\(value)\(short)", flag.help, 30)
    }
    return text
}

private func row(_ left: String, _ right: String, _ width: Int) -> String {
    let gap = max(2, width - left.utf8.count)
    return "   " + left + String(repeating: " ", count: gap) + right + "\n"
}

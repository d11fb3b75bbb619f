/// Whether a command is a program that must be PID 1, or ends as one by executing it.
///
/// Such programs refuse to work under any other number. They are told by their names, since there is nothing else to tell them by
/// before they run; a script that becomes one is told by its words.

enum InitCommand {
    /// Programs that are made to be PID 1.
    static let programs = [
        "init", "systemd", "tini", "tini-static", "dumb-init", "catatonit", "docker-init", "podman-init", "s6-svscan", "s6-overlay-suexec",
        "s6-linux-init", "runit", "runit-init", "openrc-init", "finit", "sinit", "minit", "linuxrc", "my_init", "pid1",
    ]

    /// Whether the words of a command are such a program's, or hand over to one.
    ///
    /// - The program is one by its name, or it is `busybox` with one as the applet.
    /// - A later word is one by its path, as where an entry point gets its command: `/entrypoint /sbin/init`. A name alone would not do:
    ///   `git init` has nothing to do with it.
    /// - A word is a script, as after `sh -c`, in which ``script(_:)`` finds one.
    static func isNamed(by words: [String]) -> Bool {
        isCommand(words) || words.dropFirst().contains { script(Array($0.utf8)) }
    }

    /// Whether a shell's script executes such a program in its own place: a command that begins with `exec`.
    static func script(_ text: [UInt8]) -> Bool {
        var (word, command): ([UInt8], [String]?) = ([], nil)
        var isComment = false
        for byte in text + [newline] {
            if isComment && byte != newline { continue }
            isComment = byte == UInt8(ascii: "#") && word.isEmpty
            if isComment || quotes.contains(byte) { continue }
            let ends = separators.contains(byte)
            if !ends && byte != space && byte != UInt8(ascii: "\t") {
                word.append(byte)
                continue
            }
            if !word.isEmpty {
                let text = String(decoding: word, as: UTF8.self)
                if command == nil && text == "exec" { command = [] } else { command?.append(text) }
                word = []
            }
            guard ends else { continue }
            if let command, isCommand(command) { return true }
            command = nil
        }
        return false
    }

    private static func isCommand(_ words: [String]) -> Bool {
        guard let program = words.first else { return false }
        if isProgram(program) || lastComponent(program) == "busybox" && words.count > 1 && isProgram(words[1]) { return true }
        return words.dropFirst().contains { $0.utf8.contains(UInt8(ascii: "/")) && !$0.utf8.contains(space) && isProgram($0) }
    }

    private static func isProgram(_ word: String) -> Bool { programs.contains(lastComponent(word)) }
}

private let space = UInt8(ascii: " ")
private let newline = UInt8(ascii: "\n")
private let quotes = Array("'\"\\".utf8)
/// What ends a command.
private let separators = Array("\n;&|()`".utf8)

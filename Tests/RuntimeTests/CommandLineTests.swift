import Foundation
import Spec
import Testing

@testable import Runtime
@testable import swoci

@Suite("What commands need besides containers")
struct CommandLineTests {
    @Test(
        "patterns are POSIX extended regular expressions, found anywhere in an id",
        arguments: [
            ("a", "cat", true), ("^a", "cat", false), ("t$", "cat", true), ("^cat$", "cat", true), ("^ca$", "cat", false),
            ("c.t", "cat", true),
            ("c\\.t", "cat", false), ("c\\.t", "c.t", true), ("ca*t", "ct", true), ("ca+t", "ct", false), ("ca?t", "caat", false),
            ("^(cat|dog)$", "dog", true), ("^(cat|dog)$", "catdog", false), ("^(cat|dog)+$", "catdog", true), ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false), ("[]x]", "]", true), ("[a-]", "-", true), ("^[[:digit:]]{2,3}$", "1234", false),
            ("^[[:digit:]]{2,3}$", "123", true),
            ("^a{2}$", "aa", true), ("^a{2,}$", "aaaa", true), ("^a{2}$", "a", false), ("(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaac", false),
            (".*", "", true),
            ("^web-[0-2]$", "web-1", true), ("a|", "x", true),
        ])
    func patterns(_ pattern: String, _ text: String, _ expected: Bool) {
        #expect(IDPattern(pattern)?.matches(text) == expected)
    }

    @Test(
        "what is no pattern is told apart",
        arguments: ["", "(", ")", "(a", "a)", "[a", "*", "a{", "a{2", "a{3,2}", "a{999}", "[b-a]", "[[:nothing:]]", "\\"])
    func noPatterns(_ pattern: String) { #expect(IDPattern(pattern) == nil) }

    @Test("the log is a file, or a service of the host")
    func logs() {
        #expect(Log("") == nil)
        #expect(Log("/a:b") == .file("/a:b"))
        #expect(Log("file:/a") == .file("/a"))
        #expect(Log("journald:web") == .journal("web"))
        #expect(Log("syslog:web") == .syslog("web"))
        #expect(Log("journald") == .file("journald"))
        #expect(Log.journalEntry("it failed", 3, "a\nb") == "MESSAGE=it failed\nPRIORITY=3\nSYSLOG_IDENTIFIER=a\\nb\n")
        #expect(Log.syslogEntry("it failed", 3, "web") == "<27>web: it failed")
    }

    @Test("an end is written and read")
    func exitRecord() throws {
        let id = try ContainerID("box")
        let exit = ExitRecord(status: 137, time: "2024-02-29T23:59:59.000000001Z")
        #expect(exit.json(id) == #"{"id":"box","exitStatus":137,"exitedAt":"2024-02-29T23:59:59.000000001Z"}"#)
        #expect(ExitRecord(Array(exit.json(id).utf8)) == exit)
        #expect(ExitRecord(status: 0, time: nil).json(id) == #"{"id":"box","exitStatus":0}"#)
        #expect(ExitRecord(Array("{}".utf8)) == nil)
    }

    @Test("mounts are shown as config.json has them")
    func mountTable() {
        let table = """
            22 21 0:5 / / rw,relatime shared:1 - ext4 /dev/root rw
            23 22 0:6 /x /a\\040b ro,nosuid - tmpfs none rw,size=64k
            """
        #expect(
            mountListJSON(mountTable: table)
                .replacing(/\s/, with: "")
                == #"[{"destination":"/","type":"ext4","source":"/dev/root","options":["rw","relatime"]},"#
                + #"{"destination":"/ab","type":"tmpfs","source":"none","options":["ro","nosuid"]}]"#)
        #expect(mountListJSON(mountTable: table).contains(#""/a b""#))
    }

    @Test("mounts on their own are validated like those of a config")
    func mountList() throws {
        let good = try JSONDocument(Array(#"[{"destination":"/a","type":"tmpfs","source":"tmpfs","options":["ro"]}]"#.utf8))
        #expect(Mount.check(good).mounts.map(\.destination.value) == ["/a"])
        #expect(Mount.check(good).diagnostics.isEmpty)
        for text in [#"[{"source":"/"}]"#, #"{}"#, #"[{"destination":"/proc","type":"tmpfs"}]"#] {
            #expect(Mount.check(try JSONDocument(Array(text.utf8))).diagnostics.hasErrors, "\(text)")
        }
    }
}

@Suite("Completion scripts")
struct CompletionTests {
    /// What bash offers for a command line, the last word being completed.
    private func offers(_ words: String...) throws -> [String] {
        let script = """
            \(Shell.bash.script)
            swoci() { echo one; echo two; }
            COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " ")))
            COMP_CWORD=\(words.count - 1)
            _swoci
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let shell = Foundation.Process()
        let output = Pipe()
        shell.executableURL = URL(filePath: "/bin/bash")
        shell.arguments = ["-c", script]
        shell.standardOutput = output
        try shell.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        shell.waitUntilExit()
        return text.split(separator: "\n").map(String.init)
    }

    @Test("bash completes commands, options, values and the ids of containers")
    func bash() throws {
        #expect(try offers("swoci", "st") == ["start", "state"])
        #expect(try offers("swoci", "--log-f") == ["--log-format"])
        #expect(try offers("swoci", "--log-format", "") == ["text", "json"])
        #expect(try offers("swoci", "--root", "/x", "ki") == ["kill"])
        #expect(try offers("swoci", "kill", "") == ["one", "two"])
        #expect(try offers("swoci", "kill", "--a") == ["--all"])
        #expect(try offers("swoci", "list", "--format", "j") == ["json"])
        #expect(try offers("swoci", "completion", "z") == ["zsh"])
        #expect(try offers("swoci", "help", "paus") == ["pause"])
    }

    @Test("every command and option is in every script", arguments: Shell.allCases)
    func complete(_ shell: Shell) {
        for command in Command.allCases {
            #expect(shell.script.contains(command.rawValue))
            for flag in command.description.flags { #expect(shell.script.contains(flag.name)) }
        }
        for flag in globalFlags { #expect(shell.script.contains(flag.name)) }
    }
}

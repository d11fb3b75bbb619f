import Testing

@testable import Runtime
@testable import swoci

@Suite("The command line")
struct ArgumentsTests {
    /// What a command line means: the command, global options, its options, its operands.
    struct Expected {
        var request: Invocation.Request
        var globals: [(String, String)] = []
        var options: [(String, String)] = []
        var operands: [String] = []
    }

    static func invocation(_ expected: Expected) -> Invocation {
        var result = Invocation(request: expected.request)
        for (name, value) in expected.globals { result.globals.add(name, value) }
        for (name, value) in expected.options { result.options.add(name, value) }
        result.operands = expected.operands
        return result
    }

    static let lines: [(String, Expected)] = [
        // The calls of engines.
        (
            "--log-format=json --log /l create --bundle /b --pid-file /p --no-pivot --preserve-fds 2 --console-socket /s c1",
            Expected(
                request: .run(.create), globals: [("log-format", "json"), ("log", "/l")],
                options: [
                    ("bundle", "/b"), ("pid-file", "/p"), ("no-pivot", "true"), ("preserve-fds", "2"),
                    ("console-socket", "/s"),
                ], operands: ["c1"])
        ),
        (
            "checkpoint --image-path /i --work-path=/w --leave-running --file-locks --pre-dump --parent-path ../p c1",
            Expected(
                request: .run(.checkpoint),
                options: [
                    ("image-path", "/i"), ("work-path", "/w"), ("leave-running", "true"), ("file-locks", "true"), ("pre-dump", "true"),
                    ("parent-path", "../p"),
                ], operands: ["c1"])
        ),
        (
            "restore --bundle /b --pid-file /p --detach --image-path /i --work-path /b --tcp-close --console-socket /s c1",
            Expected(
                request: .run(.restore),
                options: [
                    ("bundle", "/b"), ("pid-file", "/p"), ("detach", "true"), ("image-path", "/i"), ("work-path", "/b"),
                    ("tcp-close", "true"), ("console-socket", "/s"),
                ], operands: ["c1"])
        ),
        (
            "--root /r --log /l --log-format json --debug --criu /c --systemd-cgroup --rootless=auto delete --force c1",
            Expected(
                request: .run(.delete),
                globals: [
                    ("root", "/r"), ("log", "/l"), ("log-format", "json"), ("debug", "true"), ("criu", "/c"), ("systemd-cgroup", "true"),
                    ("rootless", "auto"),
                ], options: [("force", "true")], operands: ["c1"])
        ),
        (
            "--cgroup-manager disabled create -b /b c1",
            Expected(
                request: .run(.create), globals: [("cgroup-manager", "disabled")], options: [("bundle", "/b")], operands: ["c1"])
        ),
        ("kill --all c1 15", Expected(request: .run(.kill), options: [("all", "true")], operands: ["c1", "15"])),
        ("kill c1", Expected(request: .run(.kill), operands: ["c1"])),
        ("list --format=json", Expected(request: .run(.list), options: [("format", "json")])),
        ("create c1 --bundle /b", Expected(request: .run(.create), options: [("bundle", "/b")], operands: ["c1"])),
        ("create c1 /b", Expected(request: .run(.create), operands: ["c1", "/b"])),
        ("run -d -b=/b c1", Expected(request: .run(.run), options: [("detach", "true"), ("bundle", "/b")], operands: ["c1"])),
        ("start -- -c1", Expected(request: .run(.start), operands: ["-c1"])),
        ("state -h", Expected(request: .help(.state))),
        ("--root /r state --help c1", Expected(request: .help(.state), globals: [("root", "/r")])),
        ("help kill", Expected(request: .help(.kill))),
        ("help", Expected(request: .help(nil))),
        ("-h", Expected(request: .help(nil))),
        ("", Expected(request: .help(nil))),
        ("--version", Expected(request: .version, globals: [("version", "true")])),
        ("-v", Expected(request: .version, globals: [("version", "true")])),
    ]

    @Test("words become a command, options and operands (CLI-01, CLI-05)", arguments: lines)
    func parses(_ line: String, _ expected: Expected) throws {
        let words = line.split(separator: " ").map(String.init)
        #expect(try parseArguments(words) == Self.invocation(expected))
    }

    static let errors: [(String, String, Int32)] = [
        ("nosuch", "No help topic for 'nosuch'", 3),
        ("help nosuch", "No help topic for 'nosuch'", 3),
        ("migrate --help", "No help topic for 'migrate'", 3),
        ("--nosuch state c1", "Incorrect Usage: flag provided but not defined: -nosuch", 1),
        ("state --x=1 c1", "Incorrect Usage: flag provided but not defined: -x", 1),
        ("state --bundle /b c1", "Incorrect Usage: flag provided but not defined: -bundle", 1),
        ("create c1 -b", "Incorrect Usage: flag needs an argument: -b", 1),
        ("delete --force=maybe c1", "Incorrect Usage: invalid boolean value \"maybe\" for -force", 1),
        ("state", "\"state\" requires exactly 1 argument(s): CONTAINER-ID", 1),
        ("state a b", "\"state\" requires exactly 1 argument(s): CONTAINER-ID", 1),
        ("list a", "\"list\" requires exactly 0 argument(s)", 1),
        ("kill", "\"kill\" requires 1 to 2 argument(s): CONTAINER-ID [SIGNAL]", 1),
    ]

    @Test("what makes no sense is said in runc's words", arguments: errors)
    func refuses(_ line: String, _ message: String, _ status: Int32) {
        do throws(UsageError) {
            _ = try parseArguments(line.split(separator: " ").map(String.init))
            Issue.record("\(line) was taken")
        } catch {
            #expect(error.message == message)
            #expect(error.status == status)
        }
    }

    @Test("a wrong command still knows where to log")
    func errorKeepsGlobals() {
        do throws(UsageError) {
            _ = try parseArguments(["--log", "/l", "--log-format=json", "nosuch"])
            Issue.record("it was taken")
        } catch {
            #expect(error.globals["log"] == "/l")
            #expect(error.globals["log-format"] == "json")
        }
    }

    @Test("an option may be taken back, and the last value counts")
    func lastCounts() throws {
        let invocation = try parseArguments(["delete", "--force", "--force=false", "c1"])
        #expect(!invocation.options.isSet("force"))
        #expect(try parseArguments(["--root", "/a", "--root=/b", "list"]).globals["root"] == "/b")
    }

    @Test("every command's help names it in the second line and lists its options", arguments: Command.allCases)
    func help(_ command: Command) {
        let lines = helpText(command).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "NAME:")
        #expect(lines[1].hasPrefix("   swoci \(command.rawValue) - "))
        for flag in command.description.flags { #expect(helpText(command).contains("--\(flag.name)")) }
        #expect(helpText(nil).contains("\n   \(command.rawValue) "))
    }

    @Test("no two options of a command have the same name or letter", arguments: Command.allCases)
    func unambiguous(_ command: Command) {
        let names = (command.description.flags + [Flag("help", "h", "")]).flatMap { [$0.name] + ($0.short.map { [$0] } ?? []) }
        #expect(Set(names).count == names.count)
    }

    @Test("the log's lines are one object or one line of text each (CLI-02)")
    func logLines() {
        let json = Reporter.line("error", "a \"b\"\n", time: "2024-01-01T00:00:00.000000000Z", .json)
        #expect(json == #"{"level":"error","msg":"a \"b\"\n","time":"2024-01-01T00:00:00.000000000Z"}"# + "\n")
        let text = Reporter.line("error", "a \"b\"", time: "T", .text)
        #expect(text == #"time="T" level=error msg="a \"b\"""# + "\n")
    }

    @Test("a table's columns are as wide as their cells")
    func listTable() {
        #expect(table([]) == "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n")
    }

    @Test("validate renders every finding with its place")
    func validateFindings() {
        let (lines, hasErrors) = findings(Array(#"{"ociVersion":"1.0.0","root":{"path":""}"#.utf8))
        #expect(hasErrors)
        #expect(lines.hasPrefix("config.json:1:"))
        #expect(lines.hasSuffix("[G-01]\n"))
    }
}

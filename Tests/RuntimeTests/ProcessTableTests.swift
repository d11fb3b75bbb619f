import Testing

@testable import Runtime
@testable import swoci

@Suite("The processes of a container (CLI-10)")
struct ProcessTableTests {
    private let table = """
        UID          PID    PPID  C STIME TTY          TIME CMD
        root           1       0  0 09:00 ?        00:00:01 /sbin/init 77
        root          77       1  0 09:00 ?        00:00:00 sleep 1
        root         770       1  0 09:00 ?        00:00:00 sleep 2

        """

    @Test("the header and the lines of the container's own pids remain")
    func filters() {
        #expect(
            filtered(table: table, by: [77, 5]) == """
                UID          PID    PPID  C STIME TTY          TIME CMD
                root          77       1  0 09:00 ?        00:00:00 sleep 1

                """)
    }

    @Test("without a process the header remains")
    func header() {
        #expect(filtered(table: table, by: []) == "UID          PID    PPID  C STIME TTY          TIME CMD\n")
    }

    @Test("a table without a column PID cannot be filtered", arguments: ["", "\n", "UID CMD\nroot 77\n"])
    func withoutColumn(_ table: String) {
        #expect(filtered(table: table, by: [77]) == nil)
    }

    @Test("words after the id are the options of ps(1)")
    func words() throws {
        let call = try parseArguments(["ps", "--format", "table", "box", "-e", "--format", "pid", "--help"])
        #expect(call.operands == ["box", "-e", "--format", "pid", "--help"])
        #expect(call.options["format"] == "table")
    }
}

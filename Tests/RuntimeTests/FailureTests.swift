import Linux
import Plan
import Testing

@testable import Runtime

@Suite("Failures compose one line that engines understand")
struct FailureTests {
    static let messages: [(Failure, String)] = [
        (Failure("find", "c1", kind: .notFound), "container does not exist"),
        (Failure("create", "c1", kind: .exists), "container with given ID already exists"),
        (Failure("check", "a/b", kind: .invalidID), #"invalid container ID format: "a/b""#),
        (Failure("signal", "c1", kind: .notRunning), "container not running"),
        (Failure("start", "c1", kind: .alreadyStarted), "cannot start an already running container"),
        (Failure("start", "c1", kind: .hasStopped), "cannot start a container that has stopped"),
        (Failure("delete", "c1", detail: "running", kind: .notStopped), "cannot delete container c1 that is not stopped: running"),
        (Failure("exec", "nosuch", kind: .notInPath), #"exec: "nosuch": executable file not found in $PATH"#),
        (Failure("exec", "/a", errno: .noEntry, kind: .notExecutable), #"exec: "/a": stat /a: no such file or directory"#),
        (Failure("exec", "/a", errno: .accessDenied, kind: .notExecutable), #"exec: "/a": permission denied"#),
        (Failure("exec", "/a", errno: .execFormat, kind: .notExecutable), #"exec: "/a": exec format error"#),
        (
            Failure("cwd", "/n", errno: .noEntry, kind: .workingDirectory),
            #"chdir to cwd ("/n") set in config.json failed: no such file or directory"#
        ),
        (Failure("unknown signal", "BAD"), #"unknown signal "BAD""#),
        (
            Failure(
                "mount", "/proc", errno: .notPermitted, systemCall: "fsmount",
                place: Failure.Place(pointer: "/mounts/2/options/1", line: 41, column: 30), hint: "join a new pid namespace"),
            #"mount "/proc": fsmount: operation not permitted (config.json:41:30: /mounts/2/options/1); join a new pid namespace"#
        ),
    ]

    @Test("each kind has its words (CLI-03, OP-01 to OP-05)", arguments: messages)
    func words(_ failure: Failure, _ message: String) {
        #expect(failure.message == message)
    }

    @Test("a missing file that is no program is not called by the words for a missing program (CLI-03)")
    func missingIsNotNotFound() {
        #expect(Failure("open", "/bundle/config.json", errno: .noEntry).message == #"open "/bundle/config.json": missing (ENOENT)"#)
    }

    @Test("the message is one line without control characters, whatever the names in it")
    func oneLine() {
        #expect(Failure("open", "a\nb\u{1B}[31m\"c\"").message == #"open "a\nb\x1b[31m\"c\"""#)
        // The second set of control characters, and letters of the same first byte.
        #expect(Failure("open", "\u{9B}31m\u{80}\u{9F}¡é").message == #"open "\x9b31m\x80\x9f¡é""#)
    }

    static let reports: [(FailureReason, Int32, UInt32, String, String)] = [
        (.systemCall, 1, 0, "/x", #"start the payload "/x": operation not permitted"#),
        (.notInPath, 2, 0, "sh", #"exec: "sh": executable file not found in $PATH"#),
        (.notExecutable, 13, 0, "/bin/x", #"exec: "/bin/x": permission denied"#),
        (.hookFailed, 0, 3, "no\n", "error running startContainer hook #2: exit status 3, stdout: , stderr: no (after 15 ms)"),
        (.hookKilled, 0, 9, "", "error running startContainer hook #2: signal 9, stdout: , stderr:  (after 15 ms)"),
        (
            .mountParameter, 22, 0, "size=x\0Bad value for 'size'",
            #"start the payload: mount option "size=x": Bad value for 'size': invalid argument"#
        ),
        (.workingDirectory, 13, 0, "/w", #"chdir to cwd ("/w") set in config.json failed: permission denied"#),
        (.badPlan, 0, 0, "", "start the payload: swoci and swoci-init are not of the same build"),
    ]

    @Test("the init's reports become sentences", arguments: reports)
    func report(_ reason: FailureReason, _ errno: Int32, _ value: UInt32, _ text: String, _ message: String) {
        var packet = Message(.failed, value: value)
        packet.reason = reason.rawValue
        packet.errno = errno
        packet.hook = 2
        packet.milliseconds = 15
        #expect(Failure(packet, text: text).message == message)
    }

    @Test("a failed system call is named")
    func systemCall() {
        var packet = Message(.failed)
        packet.errno = 22
        packet.call = 165
        #if arch(x86_64)
            #expect(Failure(packet, text: "/m", doing: "mount").message == #"mount "/m": mount: invalid argument"#)
        #endif
    }
}

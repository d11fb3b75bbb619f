import Foundation
import Spec
import Testing

@testable import Runtime

@Suite("Hooks of the runtime")
struct StateHookTests {
    static func shell(_ script: String) -> Hook {
        var hook = Hook(path: "/bin/sh")
        hook.args = ["sh", "-c", script]
        return hook
    }

    func run(_ hooks: [Hook], state: String = "{}") -> String? {
        failure { () throws(Failure) in try runRuntimeHooks(hooks, kind: .createRuntime, state: state, bundle: "/usr") }?.message
    }

    @Test("a hook gets the state on its standard input, the bundle as its directory (H-01)")
    func input() {
        #expect(run([Self.shell(#"test "$(cat)" = '{"id":"x"}' && test "$(pwd)" = /usr"#)], state: #"{"id":"x"}"#) == nil)
    }

    @Test("argv[0] is the config's; without args it is the path (H-09)")
    func arguments() {
        var hook = Hook(path: "/bin/sh")
        hook.args = ["other", "-c", "test $0 = other"]
        #expect(run([hook]) == nil)
        #expect(run([Hook(path: "/bin/true")]) == nil)
    }

    @Test("an absent environment is the runtime's, an empty one is empty (H-10)")
    func environment() {
        var hook = Hook(path: "/usr/bin/env")
        hook.args = ["env", "sh", "-c", "test -n \"$PATH\" && tr '\\0' '\\n' </proc/$$/environ | grep -q ^PATH="]
        #expect(run([hook]) == nil)
        var empty = Hook(path: "/bin/sh")
        empty.args = ["sh", "-c", "test -z \"$(tr -d '\\0' </proc/$$/environ)\""]
        empty.env = []
        #expect(run([empty]) == nil)
        var own = Self.shell("test \"$A\" = b")
        own.env = ["A=b"]
        #expect(run([own]) == nil)
    }

    @Test("a failing hook is named by kind and index with what it wrote, and ends the row (H-13)")
    func fails() throws {
        let mark = NSTemporaryDirectory() + "hook-\(UUID().uuidString)"
        let message = try #require(
            run([Self.shell("true"), Self.shell("echo out; echo err >&2; exit 3"), Self.shell("touch \(mark)")]))
        #expect(message.hasPrefix("error running createRuntime hook #1: exit status 3, stdout: out, stderr: err (/bin/sh, after "))
        #expect(!FileManager.default.fileExists(atPath: mark))
        #expect(run([Self.shell("kill -9 $$")])?.hasPrefix("error running createRuntime hook #0: signal 9, stdout: , stderr: ") == true)
    }

    @Test("a missing hook does not look like a missing payload (CLI-03)")
    func missing() {
        let message = run([Hook(path: "/nonexistent/hook")])
        #expect(message?.hasPrefix("error running createRuntime hook #0: cannot run it: missing (ENOENT) (/nonexistent/hook)") == true)
    }

    @Test("at its timeout the hook dies with all that it started (H-11)")
    func timeout() throws {
        var hook = Self.shell("sleep 600 & echo $!; wait")
        hook.timeout = 1
        let begin = Date()
        let message = try #require(run([hook]))
        #expect(Date().timeIntervalSince(begin) < 20)
        #expect(message.hasPrefix("error running createRuntime hook #0: killed after its timeout of 1 s, stdout: "))
        let child = try #require(message.split(separator: ":")[2].split(separator: ",").first.map { $0.filter(\.isNumber) })
        for _ in 0..<100 where FileManager.default.fileExists(atPath: "/proc/\(child)/cwd") { usleep(20_000) }
        let stat = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
        #expect(stat == nil || stat?.contains(") Z ") == true)
    }

    @Test("much output does not block a hook; what is kept is bounded (H-12)")
    func output() throws {
        let message = try #require(run([Self.shell("head -c 300000 /dev/zero | tr '\\0' x; exit 1")]))
        #expect(message.utf8.count < 70_000)
        #expect(message.utf8.count > 60_000)
    }

    @Test("endless output does not keep a hook from its timeout (H-11, H-12)")
    func endless() {
        var hook = Self.shell("yes")
        hook.timeout = 1
        #expect(run([hook])?.contains("killed after its timeout of 1 s") == true)
    }

    @Test("a hook that leaves a process behind with its pipes is not waited for")
    func daemon() {
        let begin = Date()
        #expect(run([Self.shell("sleep 5 & exit 0")]) == nil)
        #expect(Date().timeIntervalSince(begin) < 4)
    }
}

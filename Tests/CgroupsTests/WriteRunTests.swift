import Foundation
import Linux
import Spec
import Testing

@testable import Cgroups

/// A directory of plain files in the place of a cgroup.
private final class Files {
    let path = NSTemporaryDirectory() + "swoci-writes-\(UUID().uuidString)"

    init(_ files: [String: String]) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, content) in files { try Data(content.utf8).write(to: URL(filePath: path + "/" + name)) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ file: String, _ value: String, _ leniency: CgroupWrite.Leniency = .none) -> CgroupWrite {
        CgroupWrite(directory: path, file: file, value: value, origin: somewhere, leniency: leniency, hint: "a hint")
    }

    subscript(_ file: String) -> String? { try? String(contentsOfFile: path + "/" + file, encoding: .utf8) }
}

@Suite("Writes and their leniencies")
struct WriteRunTests {
    @Test("writes to one file follow each other, as each is one line to the kernel")
    func stretch() throws {
        let files = try Files(["allow": "", "deny": ""])
        try WriteRun().run([files.write("deny", "a"), files.write("allow", "b"), files.write("allow", "c"), files.write("deny", "d")])
        #expect(files["allow"] == "bc")
        #expect(files["deny"] == "d")
    }

    @Test("a missing file is an error with all that is known of the write")
    func missing() throws {
        let files = try Files([:])
        do {
            try WriteRun().run([files.write("a", "1")])
            Issue.record("wrote to a file that is not there")
        } catch {
            #expect(
                error == CgroupError("write", files.path + "/a", .noEntry, value: "1", origin: somewhere, hint: "a hint"))
        }
        #expect(files["a"] == nil)
    }

    @Test("a tolerated error is passed over, another one is not")
    func tolerated() throws {
        let files = try Files(["b": ""])
        try WriteRun().run([files.write("a", "1", .tolerates([.noEntry], reason: "r")), files.write("b", "2")])
        #expect(files["b"] == "2")
        #expect(throws: CgroupError.self) { try WriteRun().run([files.write("a", "1", .tolerates([.busy], reason: "r"))]) }
    }

    @Test("where the file is missing, its substitute takes its own value")
    func substitute() throws {
        let files = try Files(["other": ""])
        let write = files.write("a", "1", .otherwise(file: "other", value: "2"))
        try WriteRun().run([write])
        #expect(files["other"] == "2")
        let both = try Files(["a": "", "other": ""])
        try WriteRun().run([both.write("a", "1", .otherwise(file: "other", value: "2"))])
        #expect(both["a"] == "1")
        #expect(both["other"]?.isEmpty == true)
        let neither = try Files([:])
        #expect(throws: CgroupError.self) { try WriteRun().run([neither.write("a", "1", .otherwise(file: "b", value: "2"))]) }
    }

    @Test("a period is written behind the quota that is there (RC-04)")
    func quotaIsKept() throws {
        let files = try Files(["cpu.max": "20000 100000\n"])
        try WriteRun().run([files.write("cpu.max", "50000", .keepsFirstField)])
        #expect(files["cpu.max"]?.hasPrefix("20000 50000") == true)
    }

    @Test(
        "a limit at or below the usage is refused, one above it is set (RM-11)",
        arguments: [("100", true), ("101", false), ("99", true), ("max", false)])
    func usage(limit: String, isRefused: Bool) throws {
        let files = try Files(["memory.max": "", "memory.current": "100\n", "memory.high": "max\n"])
        var write = files.write("memory.max", limit)
        write.usage = .init(file: "memory.current", limit: "memory limit")
        if isRefused {
            do throws(CgroupError) {
                try WriteRun().run([write])
                Issue.record("set a limit below the usage")
            } catch {
                #expect(error.problem == "rejecting memory limit \(limit): it is not above the current usage 100")
                #expect(error.origin == somewhere)
            }
            #expect(files["memory.max"]?.isEmpty == true)
        } else {
            try WriteRun().run([write])
            #expect(files["memory.max"] == limit)
        }
        // The brake is off again, as far as plain files tell: they keep what a shorter text does not cover.
        #expect(files["memory.high"]?.hasPrefix("max") == true)
    }
}

import Foundation
import Linux
import Spec
import Testing

@testable import Cgroups
@testable import Runtime
@testable import swoci

@Suite("Updates from the command line")
struct UpdateOptionTests {
    @Test(
        "a number of bytes may have a unit (CLI-13)",
        arguments: [
            ("0", 0), ("1024", 1024), ("-1", -1), ("50M", 50 << 20), ("50m", 50 << 20), ("64k", 64 << 10), ("1.5g", 3 << 29),
            ("2GB", 2 << 30),
            ("2GiB", 2 << 30), ("1 MB", 1 << 20), ("1t", 1 << 40), ("8191P", 8191 << 50), ("9223372036854775807", Int64.max), ("0.5k", 512),
            ("12b", 12), ("", nil), ("M", nil), ("-2", nil), ("-1M", nil), ("1.5", nil), ("1x", nil), ("0x10", nil), ("1.2.3k", nil),
            ("9223372036854775808", nil), ("8192P", nil), ("+5", nil), ("5MM", nil),
        ] as [(String, Int64?)])
    func bytes(text: String, expected: Int64?) { #expect(byteCount(text) == expected) }

    private func limits(_ line: String) throws -> String {
        let words = "update \(line) c".split(separator: " ").map(String.init)
        var writer = JSONWriter()
        try updateRequest(try parseArguments(words).options).resources.write(to: &writer)
        return writer.string
    }

    @Test(
        "options are limits, those that are not given none (CLI-13)",
        arguments: [
            ("", "{}"),
            ("--memory 50M --memory-swap -1 --memory-reservation 1k", #"{"memory":{"limit":52428800,"reservation":1024,"swap":-1}}"#),
            ("--kernel-memory 1M --kernel-memory-tcp 2M", #"{"memory":{"kernel":1048576,"kernelTCP":2097152}}"#),
            ("--cpu-share 3 --cpu-quota -1 --cpu-period 4000", #"{"cpu":{"shares":3,"quota":-1,"period":4000}}"#),
            ("--cpu-shares=3 --cpu-burst 5 --cpu-idle 1", #"{"cpu":{"shares":3,"burst":5,"idle":1}}"#),
            ("--cpu-rt-period 9 --cpu-rt-runtime 8", #"{"cpu":{"realtimeRuntime":8,"realtimePeriod":9}}"#),
            ("--cpuset-cpus 0-1 --cpuset-mems 0", #"{"cpu":{"cpus":"0-1","mems":"0"}}"#),
            ("--pids-limit 0", #"{"pids":{"limit":0}}"#), ("--blkio-weight 500", #"{"blockIO":{"weight":500}}"#),
            ("--memory= --cpuset-cpus=", "{}"),
        ])
    func options(line: String, json: String) throws { #expect(try limits(line) == json) }

    @Test("lines for the class of service are taken as they are, empty ones not at all (RT-03, RT-04, CLI-13)")
    func schemata() throws {
        let words = ["update", "--l3-cache-schema", "L3:0=f;1=3", "--mem-bw-schema=MB:0=50", "c"]
        let lines = try updateRequest(try parseArguments(words).options).schemata
        #expect(lines.map { $0.option } == ["l3-cache-schema", "mem-bw-schema"])
        #expect(lines.map { $0.line } == ["L3:0=f;1=3", "MB:0=50"])
        #expect(try updateRequest(try parseArguments(["update", "--l3-cache-schema=", "c"]).options).schemata.isEmpty)
    }

    @Test(
        "what is no limit is refused with its option's name",
        arguments: [
            ("--memory x", "--memory"), ("--cpu-quota 5", "--cpu-quota"), ("--cpu-shares -1", "--cpu-share"),
            ("--memory 2M --memory-swap 1M", "--memory-swap"), ("--blkio-weight 5", "--blkio-weight"), ("--cpu-idle 2", "--cpu-idle"),
            ("--cpuset-cpus 0-", "--cpuset-cpus"), ("--pids-limit -2", "--pids-limit"), ("-r /dev/null --memory 1M", "--memory"),
        ])
    func refused(line: String, name: String) {
        do throws(Failure) {
            let words = "update \(line) c".split(separator: " ").map(String.init)
            guard let invocation = try? parseArguments(words) else { return }
            _ = try updateRequest(invocation.options)
            Issue.record("\(line) was taken")
        } catch {
            #expect(error.message.contains(name), "\(error.message)")
        }
    }

    @Test("what is wrong in a document is named with its file, line and pointer, all of it")
    func document() {
        do throws(Failure) {
            _ = try UpdateRequest(Array("{\n \"memory\": {\"limit\": -7},\n \"cpu\": {\"quota\": 1}}".utf8), file: "limits.json")
            Issue.record("it was taken")
        } catch {
            #expect(error.problems.count == 2)
            #expect(error.problems[0].hasPrefix("limits.json:2:22: /memory/limit: "))
            #expect(error.problems[1].hasPrefix("limits.json:3:19: /cpu/quota: "))
        }
    }

    @Test("the limits in force are kept as JSON with the way back; a text that was not finished is none")
    func recorded() {
        var resources = Resources()
        resources.pids = Located(5)
        let recorded = RecordedResources(resources: resources, undo: [CgroupUndo(path: "/a/b", value: "8:0 1\n")])
        let text = recorded.encoded
        let read = RecordedResources(text)
        #expect(read?.undo == recorded.undo)
        #expect(read?.resources.pids?.value == 5)
        for length in 0..<(text.count - 2) { #expect(RecordedResources(Array(text[..<length])) == nil) }
    }
}

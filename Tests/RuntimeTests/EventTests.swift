import Foundation
import Testing

@testable import Cgroups
@testable import Runtime
@testable import swoci

@Suite("Events as JSON")
struct EventTests {
    private let id: ContainerID

    init() throws { id = try ContainerID("box") }

    @Test("an out-of-memory event has no data (CLI-12)")
    func outOfMemory() { #expect(ContainerEvent.outOfMemory.line(id) == #"{"type":"oom","id":"box"}"#) }

    @Test("empty statistics have runc's members in runc's order (CLI-12)")
    func empty() {
        let use = #"{"limit":0,"failcnt":0}"#
        #expect(
            ContainerEvent.statistics(CgroupStatistics()).line(id)
                == #"{"type":"stats","id":"box","data":{"cpu":{"usage":{"kernel":0,"user":0},"throttling":{}},"#
                + #""cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,"#
                + #""memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0},"#
                + #""memory":{"usage":\#(use),"swap":\#(use),"kernel":\#(use),"kernelTCP":\#(use)},"pids":{},"blkio":{},"hugetlb":{},"#
                + #""intel_rdt":{},"network_interfaces":null}}"#)
    }

    @Test("what a host counts is added in its place: lists, memory.stat sorted, pressure, devices (CLI-12)")
    func full() {
        var statistics = CgroupStatistics()
        statistics.cpu.total = 5
        statistics.cpu.perCPU = [2, 3]
        statistics.cpu.throttledTime = 7
        var pressure = Pressure()
        pressure.some.average10 = Percentage(hundredths: 150)
        pressure.full.total = 9
        statistics.cpu.pressure = pressure
        statistics.cpuset.cpus = [0, 1]
        statistics.cpuset.mems = [0]
        statistics.memory.usage.usage = 8
        statistics.hugePages = [CgroupStatistics.HugePages(pageSize: "2MB")]
        statistics.misc = [CgroupStatistics.Misc(name: "sev")]
        let line = ContainerEvent.statistics(statistics).line(id)
        let stall = #"{"avg10":0,"avg60":0,"avg300":0,"total":9}"#
        for part in [
            #""usage":{"total":5,"percpu":[2,3],"kernel":0,"user":0},"throttling":{"throttledTime":7},"psi":{"some":{"avg10":1.5,"#,
            #""full":\#(stall)}},"cpuset":{"cpus":[0,1],"cpu_exclusive":0,"mems":[0],"mem_hardwall":0"#,
            #""memory":{"usage":{"limit":0,"usage":8,"failcnt":0}"#, #""hugetlb":{"2MB":{"failcnt":0}}"#,
            #""network_interfaces":null,"misc":{"sev":{}}}}"#,
        ] {
            #expect(line.contains(part), "\(part) in \(line)")
        }
        #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil)
    }

    @Test(
        "durations are Go's",
        arguments: [
            ("0", 0), ("5s", 5_000_000_000), ("100ms", 100_000_000), ("1m30s", 90_000_000_000), ("1.5h", 5_400_000_000_000),
            (".5s", 500_000_000),
            ("3us", 3000), ("3µs", 3000), ("7ns", 7), ("-5s", -5_000_000_000), ("", nil), ("5", nil), ("s", nil), ("5x", nil), (".s", nil),
            ("1s 2s", nil), ("99999999999999999999s", nil), ("9999999999h", nil),
        ] as [(String, Int64?)])
    func durations(_ text: String, _ expected: Int64?) { #expect(durationInNanoseconds(text) == expected) }
}

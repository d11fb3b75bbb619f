import Foundation
import Testing

@testable import Spec

private let everything = """
    {"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rw"}],
     "memory": {"limit": 1, "reservation": 2, "swap": 3, "kernel": 4, "kernelTCP": 5, "swappiness": 6, "disableOOMKiller": true,
                "useHierarchy": true, "checkBeforeUpdate": true},
     "cpu": {"shares": 2, "quota": 3000, "burst": 4, "period": 5000, "realtimeRuntime": 6, "realtimePeriod": 7, "cpus": "0-1", "mems": "0",
             "idle": 1},
     "blockIO": {"weight": 10, "leafWeight": 11, "weightDevice": [{"major": 8, "minor": 0, "weight": 12, "leafWeight": 13}],
                 "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}], "throttleWriteBpsDevice": [{"major": 8, "minor": 0, "rate": 2}],
                 "throttleReadIOPSDevice": [{"major": 8, "minor": 0, "rate": 3}], "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 4}]},
     "hugepageLimits": [{"pageSize": "2MB", "limit": 5}], "network": {"classID": 6, "priorities": [{"name": "eth0", "priority": 7}]},
     "pids": {"limit": 8}, "rdma": {"mlx5": {"hcaHandles": 9, "hcaObjects": 10}}, "unified": {"memory.high": "11", "io.max": "8:0 rbps=1"}}
    """

private func resources(_ text: String) throws -> Resources {
    let (resources, findings) = Resources.decode(try JSONDocument(Array(text.utf8)))
    #expect(!findings.hasErrors)
    return resources
}

/// Limits as JSON, which leaves their places out.
private func json(_ resources: Resources) -> String {
    var writer = JSONWriter()
    resources.write(to: &writer)
    return writer.string
}

@Suite("Limits on top of limits")
struct ResourcesUpdateTests {
    @Test("what is written as JSON reads the same, every limit of it")
    func roundTrip() throws {
        let first = try resources(everything)
        #expect(json(try resources(json(first))) == json(first))
        // Every name of the text is in the writing.
        let names = everything.split(separator: "\"").map { String($0) }.filter { $0.count > 3 && $0.allSatisfy { $0.isLetter } }
        #expect(names.count > 60)
        for name in names { #expect(json(first).contains("\"\(name)\""), "\(name)") }
    }

    @Test("an update of everything replaces everything, one of nothing nothing, one of zeros nothing")
    func extremes() throws {
        let all = try resources(everything)
        #expect(json(Resources().updated(by: all)) == json(all))
        #expect(json(all.updated(by: Resources())) == json(all))
        let zeros = try resources(
            """
            {"devices": [], "memory": {"limit": 0, "reservation": 0, "swap": 0, "kernel": 0, "kernelTCP": 0},
             "cpu": {"shares": 0, "quota": 0, "period": 0, "realtimeRuntime": 0, "realtimePeriod": 0, "cpus": "", "mems": ""},
             "blockIO": {"weight": 0, "leafWeight": 0}, "network": {"classID": 0}}
            """)
        #expect(json(all.updated(by: zeros)) == json(all))
    }

    @Test(
        "single limits take the place of their like",
        arguments: [
            (#"{"memory":{"limit":1,"swap":2}}"#, #"{"memory":{"limit":5}}"#, #"{"memory":{"limit":5,"swap":2}}"#),
            (#"{"memory":{"limit":1,"swap":2}}"#, #"{"memory":{"limit":-1}}"#, #"{"memory":{"limit":-1,"swap":-1}}"#),
            (#"{"pids":{"limit":1}}"#, #"{"pids":{"limit":0}}"#, #"{"pids":{"limit":0}}"#),
            (#"{"cpu":{"idle":1,"burst":5}}"#, #"{"cpu":{"idle":0,"burst":0}}"#, #"{"cpu":{"burst":0,"idle":0}}"#),
            (
                #"{"hugepageLimits":[{"pageSize":"2MB","limit":1},{"pageSize":"1GB","limit":2}]}"#,
                #"{"hugepageLimits":[{"pageSize":"2MB","limit":3}]}"#,
                #"{"hugepageLimits":[{"pageSize":"1GB","limit":2},{"pageSize":"2MB","limit":3}]}"#
            ),
            (#"{"unified":{"a":"1","b":"2"}}"#, #"{"unified":{"a":"3"}}"#, #"{"unified":{"b":"2","a":"3"}}"#),
            (
                #"{"memory":{"limit":1}}"#, #"{"unified":{"memory.max":"5"}}"#, #"{"memory":{"limit":5},"unified":{"memory.max":"5"}}"#
            ),
            (#"{"memory":{"limit":5},"unified":{"memory.max":"5"}}"#, #"{"memory":{"limit":7}}"#, #"{"memory":{"limit":7}}"#),
            (
                #"{"blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":1}]}}"#,
                #"{"blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":16,"rate":2}]}}"#,
                #"{"blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":1},{"major":8,"minor":16,"rate":2}]}}"#
            ),
        ])
    func single(before: String, update: String, after: String) throws {
        #expect(json(try resources(before).updated(by: try resources(update))) == after)
    }
}

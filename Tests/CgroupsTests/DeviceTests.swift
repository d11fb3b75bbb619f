import Spec
import Testing

@testable import Cgroups

private typealias Rule = Resources.DeviceRule

private func rule(_ allow: Bool, _ kind: Rule.Kind, _ major: UInt32? = nil, _ minor: UInt32? = nil, _ access: String = "rwm") -> Rule {
    var rule = Rule(allow: allow)
    rule.kind = kind
    rule.major = major
    rule.minor = minor
    rule.read = access.contains("r")
    rule.write = access.contains("w")
    rule.mknod = access.contains("m")
    rule.origin = somewhere
    return rule
}

/// Lists as engines and people write them.
private let lists: [(name: String, rules: [Rule])] = [
    ("empty", []),
    ("deny all", [rule(false, .all)]),
    ("privileged", [rule(true, .all)]),
    ("privileged in podman's words", [rule(false, .all), rule(true, .all)]),
    (
        "docker",
        [
            rule(false, .all), rule(true, .character, nil, nil, "m"), rule(true, .block, nil, nil, "m"), rule(true, .character, 1, 3),
            rule(true, .character, 1, 5), rule(true, .character, 1, 7), rule(true, .character, 1, 8), rule(true, .character, 1, 9),
            rule(true, .character, 5, 0), rule(true, .character, 5, 2), rule(true, .character, 136), rule(true, .character, 10, 200),
            rule(true, .character, 10),
        ]
    ),
    ("no leading deny", [rule(true, .character, 10, 200)]),
    ("accesses one by one", [rule(false, .all), rule(true, .block, 8, 0, "r"), rule(true, .block, 8, 0, "w")]),
    ("taken back", [rule(false, .all), rule(true, .block, 8), rule(false, .block, 8, 0, "w"), rule(true, .block, 8, 0, "w")]),
    ("taken back in part", [rule(true, .all), rule(false, .block, 8, nil, "wm"), rule(false, .character, 1, 3)]),
    ("no access", [rule(false, .all), rule(true, .block, 8, 0, "")]),
    ("any minor", [rule(false, .all), rule(true, .block, nil, 0), rule(false, .block, 9, 0, "r")]),
]

/// What a list says of a request, straight from its definition: each access is decided by the last rule that covers it.
private func isAllowed(_ rules: [Rule], _ kind: Rule.Kind, _ major: UInt32, _ minor: UInt32, _ access: UInt32) -> Bool {
    for (bit, covers) in [(1, \Rule.mknod), (2, \Rule.read), (4, \Rule.write)] as [(UInt32, KeyPath<Rule, Bool>)] where access & bit != 0 {
        let last = rules.last {
            $0.kind == .all
                || $0.kind == kind && ($0.major ?? major) == major && ($0.minor ?? minor) == minor && $0[keyPath: covers]
        }
        if last?.allow != true { return false }
    }
    return true
}

/// Runs a program as the kernel does.
///
/// Stops the test at anything the verifier would refuse.
private func run(_ program: DeviceProgram, _ context: [UInt32]) throws -> UInt64 {
    var registers = [UInt64](repeating: 0, count: 11)
    var next = 0
    while true {
        try #require(next < program.instructions.count, "runs off its end")
        let encoded = program.instructions[next].encoded
        next += 1
        let code = UInt8(encoded & 0xff)
        let destination = Int(encoded >> 8 & 15)
        let source = Int(encoded >> 12 & 15)
        let offset = Int(Int16(bitPattern: UInt16(encoded >> 16 & 0xffff)))
        let constant = Int64(Int32(bitPattern: UInt32(encoded >> 32)))
        let wide = UInt64(bitPattern: constant)
        switch code {
        case 0x61: registers[destination] = UInt64(context[offset / 4])
        case 0xbc: registers[destination] = registers[source] & 0xffff_ffff
        case 0x54: registers[destination] = registers[destination] & wide & 0xffff_ffff
        case 0x74: registers[destination] = (registers[destination] & 0xffff_ffff) >> wide
        case 0xb7: registers[destination] = wide
        case 0x15: if registers[destination] == wide { next += offset }
        case 0x55: if registers[destination] != wide { next += offset }
        case 0x95: return registers[0]
        default: Issue.record("unknown instruction \(code)")
        }
        try #require(offset >= 0, "jumps back")
    }
}

@Suite("Device rules (RD)")
struct DeviceTests {
    @Test("the program decides as the list does, for every kind of request", arguments: lists.indices)
    func program(index: Int) throws {
        let rules = DeviceRules.complete(lists[index].rules, origin: somewhere)
        let program = DeviceProgram(rules)
        var allowed = 0
        var total = 0
        for (number, kind) in [(1, Rule.Kind.block), (2, .character)] as [(UInt32, Rule.Kind)] {
            for major in [0, 1, 5, 8, 9, 10, 136, 4095] as [UInt32] {
                for minor in [0, 1, 2, 3, 5, 7, 8, 9, 200, 1_048_575] as [UInt32] {
                    for access in 1...7 as ClosedRange<UInt32> {
                        let answer = try run(program, [access << 16 | number, major, minor])
                        let expected = isAllowed(rules, kind, major, minor, access)
                        #expect(answer == (expected ? 1 : 0), "\(lists[index].name): \(kind) \(major):\(minor) \(access)")
                        total += 1
                        allowed += expected ? 1 : 0
                    }
                }
            }
        }
        // Neither everything nor nothing, unless everything is meant: else the comparison would prove little.
        #expect(allowed > 0)
        #expect((allowed == total) == lists[index].name.hasPrefix("privileged"))
    }

    @Test("no instruction is out of reach, which the verifier would refuse", arguments: lists.indices)
    func reachable(index: Int) {
        let code = DeviceProgram(DeviceRules.complete(lists[index].rules, origin: somewhere)).instructions
        var reached: Set<Int> = []
        var waiting = [0]
        while let next = waiting.popLast() {
            guard reached.insert(next).inserted else { continue }
            if code[next].code == 0x95 { continue }
            waiting.append(next + 1)
            if code[next].code == 0x15 || code[next].code == 0x55 { waiting.append(next + 1 + Int(code[next].offset)) }
        }
        #expect(reached == Set(code.indices))
    }

    @Test("v1 rules are written in their order, with what they need and no more (RD-01, RD-06)")
    func v1() throws {
        let implied = [
            "devices.allow=c *:* m", "devices.allow=b *:* m", "devices.allow=c 1:3 rwm", "devices.allow=c 1:5 rwm",
            "devices.allow=c 1:7 rwm", "devices.allow=c 1:8 rwm", "devices.allow=c 1:9 rwm", "devices.allow=c 5:0 rwm",
            "devices.allow=c 5:2 rwm", "devices.allow=c 136:* rwm",
        ]
        let expected: [(String, [String])] = [
            ("deny all", ["devices.deny=a"] + implied),
            ("empty", ["devices.deny=a"] + implied),
            ("privileged", ["devices.allow=a"]),
            ("privileged in podman's words", ["devices.deny=a", "devices.allow=a"]),
            ("no leading deny", ["devices.deny=a", "devices.allow=c 10:200 rwm"] + implied),
            ("docker", ["devices.deny=a"] + implied + ["devices.allow=c 10:200 rwm", "devices.allow=c 10:* rwm"]),
            ("no access", ["devices.deny=a"] + implied),
            (
                "taken back",
                ["devices.deny=a", "devices.allow=b 8:* rwm", "devices.deny=b 8:0 w", "devices.allow=b 8:0 w"] + implied
            ),
        ]
        for (name, writes) in expected {
            let list = try #require(lists.first { $0.name == name })
            #expect(try CgroupsTests.writes(Host.v1) { $0.devices = list.rules } == writes, "\(name)")
        }
    }

    @Test("without a list there is no rule on v1 and no program on v2 (RD-07)")
    func none() throws {
        #expect(try writes(Host.v1) { _ in }.isEmpty)
        #expect(try CgroupPlan(cgroupsPath: nil, id: "c", layout: Host.v2, resources: Resources()).deviceProgram == nil)
    }

    @Test("instructions are encoded as the kernel reads them")
    func encoding() {
        let instruction = DeviceProgram.Instruction(code: 0x55, destination: 2, source: 1, offset: -2, constant: -1)
        #expect(instruction.encoded == 0xffff_ffff_fffe_1255)
        #expect(DeviceProgram([rule(true, .all)]).instructions.suffix(2).map(\.encoded) == [0x0000_0001_0000_00b7, 0x95])
    }
}

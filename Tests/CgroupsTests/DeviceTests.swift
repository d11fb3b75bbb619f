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

/// What the verifier would refuse.
private enum Fault: Error { case runsOff, jumpsBack, unknown(UInt8) }

/// Runs a program as the kernel does.
///
/// Stops the test at anything the verifier would refuse.
private func run(_ program: DeviceProgram, _ context: [UInt32]) throws -> UInt64 {
    var registers = [UInt64](repeating: 0, count: 11)
    var next = 0
    while true {
        guard next < program.instructions.count else { throw Fault.runsOff }
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
        case 0x4c: registers[destination] = (registers[destination] | registers[source]) & 0xffff_ffff
        case 0x64: registers[destination] = registers[destination] << wide & 0xffff_ffff
        case 0x74: registers[destination] = (registers[destination] & 0xffff_ffff) >> wide
        case 0xb7: registers[destination] = wide
        case 0x55: if registers[destination] != wide { next += offset }
        case 0x95: return registers[0]
        default: throw Fault.unknown(code)
        }
        guard offset >= 0 else { throw Fault.jumpsBack }
    }
}

/// Numbers that look random and are the same in every run.
private struct Numbers {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    /// A number from 0 to a bound, without it.
    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }

    /// A rule among few devices, so that rules meet.
    mutating func rule() -> Rule {
        var rule = Rule(allow: below(2) == 0)
        let kind = below(16)
        rule.kind = kind == 0 ? .all : kind < 8 ? .block : .character
        if below(4) > 0 { rule.major = UInt32([0, 1, 8, 10, 4095][below(5)]) }
        if below(4) > 0 { rule.minor = UInt32([0, 1, 3, 200, 1_048_575][below(5)]) }
        let access = 1 + below(7)
        (rule.read, rule.write, rule.mknod) = (access & 1 != 0, access & 2 != 0, access & 4 != 0)
        return rule
    }
}

/// Numbers with those beside them, and the smallest and largest that there are.
private func neighbours(_ numbers: [UInt32], below bound: UInt32) -> [UInt32] {
    Set(([0, bound - 1] + numbers).flatMap { [$0 &- 1, $0, $0 &+ 1] }).filter { $0 < bound }.sorted()
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

    @Test("the program decides as the list does: random lists, every device that a rule tells from its neighbours (RD-01 to RD-05)")
    func randomPrograms() throws {
        var random = Numbers(seed: 20_260_704)
        for _ in 0..<60 {
            let rules = DeviceRules.complete((0..<random.below(25)).map { _ in random.rule() }, origin: somewhere)
            let program = DeviceProgram(rules)
            let majors = neighbours(rules.compactMap(\.major), below: 1 << 12)
            let minors = neighbours(rules.compactMap(\.minor), below: 1 << 20)
            for (number, kind) in [(1, Rule.Kind.block), (2, .character)] as [(UInt32, Rule.Kind)] {
                for major in majors {
                    for minor in minors {
                        for access in 1...7 as ClosedRange<UInt32> {
                            let answer = try run(program, [access << 16 | number, major, minor]) == 1
                            if answer != isAllowed(rules, kind, major, minor, access) {
                                Issue.record("\(rules.map(DeviceRules.text)): \(kind) \(major):\(minor) \(access)")
                                return
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("every device number is decided as the list does (RD-04)", arguments: lists.indices)
    func allNumbers(index: Int) throws {
        let rules = DeviceRules.complete(lists[index].rules, origin: somewhere)
        let program = DeviceProgram(rules)
        // A rule names a number or none, so the minors that no rule names are all one; the majors are gone through.
        let minors = neighbours(rules.compactMap(\.minor), below: 1 << 20)
        for major in 0..<(1 << 12) as Range<UInt32> {
            for minor in minors {
                for access in [1, 6] as [UInt32] {
                    let answer = try run(program, [access << 16 | 2, major, minor]) == 1
                    if answer != isAllowed(rules, .character, major, minor, access) {
                        Issue.record("\(lists[index].name): \(major):\(minor) \(access)")
                        return
                    }
                }
            }
        }
    }

    @Test("a rule for a number that no device has changes nothing (RD-04)")
    func impossible() throws {
        let rules = [rule(false, .all), rule(true, .block, 1 << 12), rule(true, .character, 0x8000_0000, 0xffff_ffff)]
        #expect(DeviceProgram(rules) == DeviceProgram([rule(false, .all)]))
    }

    @Test("more devices of a number than a jump can pass over (RD-01)")
    func longGroup() throws {
        let rules = [rule(false, .all)] + (0..<4200).map { rule(true, .block, 8, UInt32($0) * 2, "r") }
        let program = DeviceProgram(rules)
        for minor in [0, 1, 2, 8188, 8190, 8191, 8192, 8194, 8398, 8399, 8400] as [UInt32] {
            for access in 1...7 as ClosedRange<UInt32> {
                let answer = try run(program, [access << 16 | 1, 8, minor])
                #expect(answer == (access == 2 && minor % 2 == 0 && minor < 8400 ? 1 : 0), "\(minor) \(access)")
            }
        }
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
            if code[next].code == 0x55 { waiting.append(next + 1 + Int(code[next].offset)) }
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

import Foundation
import Spec
import Testing

@testable import Runtime

#if arch(x86_64)
    private let allow: UInt32 = 0x7FFF_0000
    private func errno(_ number: UInt32) -> UInt32 { 0x0005_0000 | number }

    @Suite("Seccomp filters decide as the config says")
    struct SeccompTests {
        static func profile(
            _ defaultAction: SeccompAction = .errno(1), _ rules: [SeccompRule], architectures: [String] = []
        ) -> Seccomp {
            var seccomp = Seccomp(defaultAction: defaultAction)
            seccomp.syscalls = rules
            seccomp.architectures = architectures.map { Located($0) }
            return seccomp
        }

        static func rule(_ names: [String], _ action: SeccompAction, _ args: [SeccompCondition] = []) -> SeccompRule {
            var rule = SeccompRule(names: names, action: action)
            rule.args = args
            return rule
        }

        static func decide(_ seccomp: Seccomp, _ number: UInt32, _ arguments: UInt64..., arch: UInt32 = SeccompCall.x8664) throws -> UInt32?
        {
            interpret(try compileSeccomp(seccomp).instructions, SeccompCall(number: number, architecture: arch, arguments: arguments))
        }

        @Test("a named call is allowed, others get the default's errno (SE-02, SE-03, SE-10)")
        func named() throws {
            let profile = Self.profile(.errno(13), [Self.rule(["read", "write", "futex_waitv"], .allow)])
            #expect(try Self.decide(profile, 0) == allow)
            #expect(try Self.decide(profile, 1) == allow)
            #expect(try Self.decide(profile, 2) == errno(13))
        }

        static let actions: [(SeccompAction, UInt32)] = [
            (.killThread, 0), (.killProcess, 0x8000_0000), (.trap, 0x0003_0000), (.errno(38), errno(38)), (.trace(7), 0x7FF0_0007),
            (.log, 0x7FFC_0000),
        ]

        @Test("every action is the kernel's (SE-10, SE-11)", arguments: actions)
        func action(_ action: SeccompAction, _ code: UInt32) throws {
            let profile = Self.profile(.allow, [Self.rule(["mount"], action)])
            #expect(try Self.decide(profile, 165) == code)
            #expect(try Self.decide(profile, 0) == allow)
        }

        static let conditions: [(SeccompCondition, UInt64, Bool)] = [
            (SeccompCondition(index: 0, value: 5, operation: .equal), 5, true),
            (SeccompCondition(index: 0, value: 5, operation: .equal), 1 << 32 | 5, false),
            (SeccompCondition(index: 0, value: 5, operation: .notEqual), 6, true),
            (SeccompCondition(index: 0, value: 5, operation: .notEqual), 5, false),
            (SeccompCondition(index: 0, value: 5, operation: .less), 4, true),
            (SeccompCondition(index: 0, value: 5, operation: .less), 5, false),
            (SeccompCondition(index: 0, value: 5, operation: .lessOrEqual), 5, true),
            (SeccompCondition(index: 0, value: 5, operation: .greater), 5, false),
            (SeccompCondition(index: 0, value: 5, operation: .greater), 1 << 40, true),
            (SeccompCondition(index: 0, value: 5, operation: .greaterOrEqual), 5, true),
            (SeccompCondition(index: 0, value: 0xF0, valueTwo: 0x10, operation: .maskedEqual), 0x1F, true),
            (SeccompCondition(index: 0, value: 0xF0, valueTwo: 0x10, operation: .maskedEqual), 0x2F, false),
        ]

        @Test("a condition holds or not (SE-12 to SE-15)", arguments: conditions)
        func condition(_ condition: SeccompCondition, _ argument: UInt64, _ holds: Bool) throws {
            let profile = Self.profile(.errno(1), [Self.rule(["personality"], .allow, [condition])])
            #expect(try Self.decide(profile, 135, argument) == (holds ? allow : errno(1)))
        }

        @Test("conditions on different arguments must all hold, on the same one any (SE-15)")
        func combination() throws {
            let first = SeccompCondition(index: 0, value: 1, operation: .equal)
            let second = SeccompCondition(index: 1, value: 2, operation: .equal)
            let both = Self.profile(.errno(1), [Self.rule(["socket"], .allow, [first, second])])
            #expect(try Self.decide(both, 41, 1, 2) == allow)
            #expect(try Self.decide(both, 41, 1, 3) == errno(1))
            let other = SeccompCondition(index: 0, value: 10, operation: .equal)
            let either = Self.profile(.errno(1), [Self.rule(["socket"], .allow, [first, other])])
            #expect(try Self.decide(either, 41, 1) == allow)
            #expect(try Self.decide(either, 41, 10) == allow)
            #expect(try Self.decide(either, 41, 2) == errno(1))
        }

        @Test("a rule that says what the default says is left out (SE-10)")
        func redundant() throws {
            let profile = Self.profile(.errno(1), [Self.rule(["read"], .errno(1)), Self.rule(["write"], .allow)])
            #expect(try Self.decide(profile, 0) == errno(1))
            #expect(try Self.decide(profile, 1) == allow)
        }

        @Test("of rules that disagree under equal conditions the first counts, and both are told (SE-10)")
        func disagreement() throws {
            let condition = SeccompCondition(index: 0, value: 5, operation: .equal)
            for args in [[], [condition]] {
                var rules = [
                    Self.rule(["personality"], .errno(1), args), Self.rule(["personality", "mount"], .errno(2), args),
                    Self.rule(["mount"], .allow, args), Self.rule(["personality"], .errno(1), args),
                ]
                for index in rules.indices { rules[index].origin = Origin(node: Int32(index + 1)) }
                let profile = Self.profile(.allow, rules)
                #expect(try Self.decide(profile, 135, 5) == errno(1))
                #expect(try Self.decide(profile, 135, 6) == (args.isEmpty ? errno(1) : allow))
                // What the default says anyway is no rule.
                #expect(
                    disagreements(profile) == [
                        SeccompDisagreement(name: "personality", first: Origin(node: 1), second: Origin(node: 2))
                    ])
            }
            let other = SeccompCondition(index: 0, value: 6, operation: .equal)
            let apart = [Self.rule(["mount"], .errno(1), [condition]), Self.rule(["mount"], .errno(2), [other])]
            #expect(disagreements(Self.profile(.allow, apart)).isEmpty)
        }

        @Test("unknown names are left out and told (SE-09)")
        func unknownNames() throws {
            let profile = Self.profile(.allow, [Self.rule(["nosuch", "mount", "nosuch", "other"], .errno(1))])
            let program = try compileSeccomp(profile)
            #expect(unknownSystemCalls(profile).map { $0.value } == ["nosuch", "other"])
            #expect(interpret(program.instructions, SeccompCall(number: 165)) == errno(1))
        }

        @Test("other architectures are filtered by their own numbers; without them their calls are killed (SE-04)")
        func architectures() throws {
            let rules = [Self.rule(["read"], .allow)]
            let both = Self.profile(.errno(1), rules, architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])
            #expect(try Self.decide(both, 3, arch: SeccompCall.i386) == allow)
            #expect(try Self.decide(both, 0, arch: SeccompCall.i386) == errno(1))
            #expect(try Self.decide(both, 0) == allow)
            #expect(try Self.decide(Self.profile(.errno(1), rules), 3, arch: SeccompCall.i386) == 0)
        }

        @Test("an architecture that libseccomp does not know is named (SE-04)", arguments: ["SCMP_ARCH_M68K", "X86", "SCMP_ARCH_X"])
        func unknownArchitecture(_ name: String) {
            let failure = failure { () throws(Failure) in try compileSeccomp(Self.profile(.allow, [], architectures: [name])) }
            #expect(failure?.object == name)
            #expect(failure?.message.contains("libseccomp \(libseccompVersion())") == true)
        }

        @Test("calls younger than the profile get ENOSYS where the default is another errno (SE-16)")
        func newCalls() throws {
            let rules = [Self.rule(["read", "mount_setattr"], .allow)]
            for architectures in [["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], []] {
                let profile = Self.profile(.errno(1), rules, architectures: architectures)
                #expect(try Self.decide(profile, 442) == allow)
                #expect(try Self.decide(profile, 443) == errno(38))
                #expect(try Self.decide(profile, 441) == errno(1))
                #expect(try Self.decide(profile, 0) == allow)
            }
            let all = Self.profile(.errno(1), rules, architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"])
            #expect(try Self.decide(all, 443, arch: SeccompCall.i386) == errno(38))
            #expect(try Self.decide(all, 441, arch: SeccompCall.i386) == errno(1))
            #expect(try Self.decide(all, 0x4000_0000 | 443) == errno(38))
            #expect(try Self.decide(all, 0x4000_0000 | 0) == allow)
            // Without x32 its calls are no new ones, but none of this profile's at all.
            #expect(try Self.decide(Self.profile(.errno(1), rules), 0x4000_0000) == 0)
        }

        @Test("no ENOSYS where new calls are allowed, killed or refused with it already (SE-16)")
        func noNewCalls() throws {
            let rules = [Self.rule(["read"], .trap)]
            #expect(try Self.decide(Self.profile(.allow, rules), 443) == allow)
            #expect(try Self.decide(Self.profile(.killProcess, rules), 443) == 0x8000_0000)
            #expect(newSyscallStub(Self.profile(.errno(38), rules)) == nil)
        }

        static let flagLists: [([String]?, UInt32)] = [
            (nil, 4), ([], 0), (["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"], 3), (["SECCOMP_FILTER_FLAG_SPEC_ALLOW"], 4),
            (["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], 0),
        ]

        @Test("flags are the kernel's bits; an absent list allows speculation (SE-05)", arguments: flagLists)
        func flags(_ names: [String]?, _ bits: UInt32) throws {
            var profile = Self.profile(.allow, [])
            profile.flags = names?.map { Located($0) }
            #expect(try compileSeccomp(profile).flags == bits)
        }

        @Test("an unknown flag is refused with its place")
        func unknownFlag() {
            var profile = Self.profile(.allow, [])
            profile.flags = [Located("SECCOMP_FILTER_FLAG_X", Origin(node: 7))]
            let failure = failure { () throws(Failure) in
                try compileSeccomp(profile) { Failure.Place(pointer: "/linux/seccomp/flags/0", line: Int($0.node), column: 1) }
            }
            #expect(failure?.place == Failure.Place(pointer: "/linux/seccomp/flags/0", line: 7, column: 1))
        }

        @Test("NOTIFY asks for a listener, without which the flags about one do not count (SE-05, SE-06)")
        func notify() throws {
            func flags(_ action: SeccompAction, _ names: [String]?) throws -> UInt32 {
                var profile = Self.profile(.allow, [Self.rule(["mount"], action)])
                profile.flags = names.map { names in names.map { Located("SECCOMP_FILTER_FLAG_\($0)") } }
                return try compileSeccomp(profile).flags
            }
            #expect(try flags(.notify, nil) == 12)
            #expect(try flags(.notify, []) == 8)
            #expect(try flags(.notify, ["WAIT_KILLABLE_RECV", "LOG"]) == 42)
            #expect(try flags(.notify, ["TSYNC"]) == 8)
            #expect(try flags(.errno(1), ["WAIT_KILLABLE_RECV", "TSYNC"]) == 1)
        }

        @Test("twenty thousand equal rules are compiled at once, as many different ones refused at once")
        func many() throws {
            let begin = Date()
            let names = ["read", "write", "openat", "close", "mmap"]
            let equal = (0..<20_000).map { Self.rule([names[$0 % 5]], .allow) }
            #expect(try Self.decide(Self.profile(.errno(1), equal), 0) == allow)
            #expect(Date().timeIntervalSince(begin) < 3)
            let different = (0..<20_000).map {
                Self.rule(["socket"], .allow, [SeccompCondition(index: 0, value: UInt64($0), operation: .equal)])
            }
            let failure = failure { () throws(Failure) in try compileSeccomp(Self.profile(.errno(1), different)) }
            #expect(failure?.message.contains("more than 4096 instructions") == true)
        }

        @Test("a filter is compiled once for the same text, and again for another (SE-01)")
        func cache() throws {
            let temporary = TemporaryStore()
            let profile = Self.profile(.errno(1), [Self.rule(["read"], .allow)])
            let source = Array("{}".utf8)
            let program = try cachedSeccomp(profile, source: source[...], store: temporary.store)
            let cache = SeccompCache(temporary.store, source: source[...])
            #expect(cache.read() == program.instructions)
            // A hit: what another profile would be compiled to does not matter.
            #expect(try cachedSeccomp(Self.profile(.allow, []), source: source[...], store: temporary.store) == program)
            #expect(SeccompCache(temporary.store, source: Array("{ }".utf8)[...]).read() == nil)
            #expect(try temporary.store.ids() == [])
        }

        @Test("a file that others may write, a short one, or one of another key is not believed")
        func distrust() throws {
            let temporary = TemporaryStore()
            let cache = SeccompCache(temporary.store, source: [1, 2, 3])
            cache.write([UInt8](repeating: 6, count: 16))
            #expect(cache.read() == [UInt8](repeating: 6, count: 16))
            let path = "\(temporary.store.root)/@seccomp/\(cache.name)"
            func mode(_ mode: Int, _ path: String) throws {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            }
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            try mode(0o620, path)
            #expect(cache.read() == nil)
            try mode(0o600, path)
            try mode(0o777, "\(temporary.store.root)/@seccomp")
            #expect(cache.read() == nil)
            try mode(0o700, "\(temporary.store.root)/@seccomp")
            #expect(cache.read() != nil)
            let content = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
            try Data(content.dropLast()).write(to: URL(fileURLWithPath: path))
            try mode(0o600, path)
            #expect(cache.read() == nil)
        }

        @Test("a cache file holds whole instructions of exactly its key")
        func cacheContent() {
            let key: [UInt8] = [1, 2, 3]
            let program = [UInt8](repeating: 7, count: 24)
            let content = SeccompCache.content(program, key: key)
            #expect(SeccompCache.program(in: content, key: key) == program)
            #expect(SeccompCache.program(in: content, key: [1, 2, 4]) == nil)
            #expect(SeccompCache.program(in: content, key: [1, 2]) == nil)
            #expect(SeccompCache.program(in: SeccompCache.content([], key: key), key: key) == nil)
            #expect(SeccompCache.program(in: SeccompCache.content([1, 2, 3], key: key), key: key) == nil)
            let large = [UInt8](repeating: 7, count: 8 * 4097)
            #expect(SeccompCache.program(in: SeccompCache.content(large, key: key), key: key) == nil)
            for count in 0..<content.count { #expect(SeccompCache.program(in: Array(content.prefix(count)), key: key) == nil) }
        }

        @Test("a cache that cannot be written is no failure")
        func unwritable() throws {
            let store = StateStore(root: "/proc/nonexistent")
            let profile = Self.profile(.allow, [])
            #expect(try cachedSeccomp(profile, source: [1], store: store) == compileSeccomp(profile))
        }
    }
#endif

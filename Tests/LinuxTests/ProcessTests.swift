import CLinux
import Foundation
import Linux
import Testing

@Suite("Processes and signals")
struct ProcessTests {
    @Test("a child's exit status is what it ended with", arguments: [0, 1, 7, 127, 255] as [Int32])
    func exit(_ code: Int32) throws {
        let status = try inChild { code }
        #expect(status == .exited(code))
        #expect(status.code == code)
    }

    @Test("a child's end by a signal is that signal, 128 + N for a shell", arguments: [1, 9, 11, 15, 40] as [Int32])
    func signal(_ number: Int32) throws {
        let status = try inChild { () throws(Errno) in
            resetSignalDispositions()
            _ = try SignalSet.none.block()
            // No core file: PR_SET_DUMPABLE.
            try setDumpable(false)
            try kernel(__NR_kill, Int(ownProcessID()), Int(number))
            return 0
        }
        #expect(status == .killed(number))
        #expect(status.code == 128 + number)
    }

    @Test(
        "a wait status word is read as wait(2) has it",
        arguments: [
            (0x0000, .exited(0)), (0x0700, .exited(7)), (0xff00, .exited(255)), (0x0009, .killed(9)), (0x008b, .killed(11)),
            (0x0025, .killed(37)),
        ] as [(Int32, Linux.ExitStatus)])
    func waitStatus(_ word: Int32, _ expected: Linux.ExitStatus) {
        #expect(Linux.ExitStatus(waitStatus: word) == expected)
    }

    @Test("a child in a new pid namespace is its first process", .enabled(if: isRoot))
    func pidNamespace() throws {
        #expect(try inChild(NamespaceFlag.pid) { ownProcessID() } == .exited(1))
        #expect(try inChild(0) { ownProcessID() == 1 ? 1 : 0 } == .exited(0))
    }

    @Test("a process is known by its handle, also after its end; it is reaped once")
    func handle() throws {
        let cloned = try cloneProcess(CloneOptions())
        if cloned.isChild { while true { kernelIgnoringFailure(__NR_ppoll, 0, 0, 0, 0, 0) } }
        let process = OwnedFD(cloned.pidfd)
        let other = try openProcess(cloned.pid)
        #expect(try poll(process.raw, timeout: 0).first == false)
        try send(signal: 0, to: other.number)
        try send(signal: Signal.kill, to: other.number)
        #expect(try poll(other.raw, timeout: 5000).first)
        #expect(try Linux.wait(for: process.number) == .killed(9))
        #expect(throws: Errno.noChild) { _ = try Linux.wait(for: process.number) }
        #expect(throws: Errno.noProcess) { try send(signal: Signal.terminate, to: process.number) }
        #expect(throws: Errno.noProcess) { _ = try openProcess(cloned.pid) }
    }

    @Test("of two descriptors those are ready that have data or lost their peer")
    func pollTwo() throws {
        let one = try packetSocketPair()
        let two = try packetSocketPair()
        func ready(_ timeout: Int) throws -> [Bool] {
            let result = try poll(one.near.raw, two.near.raw, timeout: timeout)
            return [result.first, result.second]
        }
        #expect(try ready(0) == [false, false])
        var byte: UInt8 = 1
        try sendPacket(two.far.number, &byte, 1)
        #expect(try ready(-1) == [false, true])
        try sendPacket(one.far.number, &byte, 1)
        #expect(try ready(1000) == [true, true])
        _ = try receivePacket(one.near.number, &byte, 1)
        _ = try receivePacket(two.near.number, &byte, 1)
        #expect(try ready(0) == [false, false])
        try kernel(__NR_shutdown, one.far.number, 2)
        #expect(try ready(-1) == [true, false])
    }

    @Test("waiting ends with its time", arguments: [0, 120])
    func timeout(_ milliseconds: Int) throws {
        let pair = try packetSocketPair()
        let before = monotonicMilliseconds()
        #expect(try poll(pair.near.raw, timeout: milliseconds) == (false, false))
        let took = monotonicMilliseconds() - before
        #expect((milliseconds - 1...milliseconds + 2000).contains(took), "\(took) ms")
    }

    @Test("a signal that is blocked waits to be taken; a set's bits are signal numbers less one")
    func signals() throws {
        let end =
            try inChild { () throws(Errno) in
                let set = SignalSet(bits: 1 << 9 | 1 << 36)
                try SignalSet.none.block()
                if try set.block() != .none { return 1 }
                if try set.block() != set { return 2 }
                let own = Int(ownProcessID())
                try kernel(__NR_kill, own, 37)
                try kernel(__NR_kill, own, 10)
                var info = cl_siginfo()
                if try set.wait(&info) != 10 || info.code != 0 { return 3 }
                if try set.wait(&info) != 37 { return 4 }
                let before = monotonicMilliseconds()
                try kernel(__NR_kill, own, 10)
                SignalSet.pause(milliseconds: 50)
                if monotonicMilliseconds() - before < 50 { return 5 }
                return try set.wait(&info) == 10 ? 0 : 6
            }
        #expect(end == .exited(0))
    }

    @Test("all signals can be waited for but those of a process's own faults")
    func forwardable() {
        let faults: Set<Int32> = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS]
        for signal in Int32(1)...64 {
            let isIn = SignalSet.forwardable.bits & 1 << UInt64(signal - 1) != 0
            #expect(isIn == !faults.contains(signal), "signal \(signal)")
        }
    }

    @Test("ignored signals kill again after their dispositions are reset")
    func dispositions() throws {
        let end =
            try inChild { () throws(Errno) in
                // struct sigaction of the kernel: SIG_IGN is 1.
                var action: (UInt, UInt, UInt, UInt) = (1, 0, 0, 0)
                try SignalSet.none.block()
                try withUnsafeMutablePointer(to: &action) { pointer throws(Errno) in
                    _ = try kernel(__NR_rt_sigaction, 12, Int(bitPattern: pointer), 0, 8)
                }
                try kernel(__NR_kill, Int(ownProcessID()), 12)
                resetSignalDispositions()
                try kernel(__NR_kill, Int(ownProcessID()), 12)
                return 1
            }
        #expect(end == .killed(12))
    }

    @Test("descriptors from a number on are closed, at once or by execve")
    func closing() throws {
        let end =
            try inChild { () throws(Errno) in
                let file = try makeMemoryFile(literal("x"))
                try kernel(__NR_dup3, file.number, 100, 0)
                try kernel(__NR_dup3, file.number, 101, 0)
                try closeDescriptorsOnExec(from: 101)
                // F_GETFD 1
                if try kernel(__NR_fcntl, 100, 1) != 0 { return 1 }
                if try kernel(__NR_fcntl, 101, 1) != 1 { return 2 }
                closeDescriptors(from: 101)
                try kernel(__NR_fcntl, 100, 1)
                do throws(Errno) { try kernel(__NR_fcntl, 101, 1) } catch { return error == .badDescriptor ? 0 : 3 }
                return 4
            }
        #expect(end == .exited(0))
    }

    @Test("the clock goes on, and the time of day is this century's")
    func clock() throws {
        let first = monotonicMilliseconds()
        usleep(20_000)
        #expect((19...2000).contains(monotonicMilliseconds() - first))
        let now = timeOfDay()
        #expect(abs(Double(now.seconds) - Date().timeIntervalSince1970) < 2)
        #expect((0..<1_000_000_000).contains(now.nanoseconds))
    }
}

@Suite("What a process may do")
struct CredentialTests {
    @Test("the permitted capabilities are those that /proc tells")
    func permitted() throws {
        let status = try readText("/proc/thread-self/status")
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("CapPrm:") })
        #expect(try permittedCapabilities() == UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16))
    }

    @Test("capabilities that are given up are gone, high numbers as well as low ones", .enabled(if: isRoot))
    func setCapabilities() throws {
        // KILL 5, SYSLOG 34
        let kept: UInt64 = 1 << 5 | 1 << 34
        let end =
            try inChild { () throws(Errno) in
                try Linux.setCapabilities(effective: kept, permitted: kept, inheritable: 1 << 5)
                if try permittedCapabilities() != kept { return 1 }
                try setAmbientCapabilities(1 << 5)
                // PR_CAP_AMBIENT_IS_SET 1
                if try processControl(PR_CAP_AMBIENT, 1, 5) != 1 { return 2 }
                try setAmbientCapabilities(0)
                if try processControl(PR_CAP_AMBIENT, 1, 5) != 0 { return 3 }
                do throws(Errno) { try setAmbientCapabilities(1 << 34) } catch {
                    if error != .notPermitted { return 4 }
                    do throws(Errno) { try Linux.setCapabilities(effective: 1, permitted: 1, inheritable: 0) } catch {
                        return error == .notPermitted ? 0 : 5
                    }
                    return 6
                }
                return 7
            }
        #expect(end == .exited(0))
    }

    @Test("the bounding set keeps what it is limited to, up to the last capability of the kernel", .enabled(if: isRoot))
    func boundingSet() throws {
        let last = Int(try readText("/proc/sys/kernel/cap_last_cap"))!
        let end =
            try inChild { () throws(Errno) in
                try limitBoundingSet(to: 1 << 0 | 1 << 21)
                var left: Int32 = 0
                for number in 0...last where try processControl(PR_CAPBSET_READ, number) == 1 {
                    if number != 0 && number != 21 { return 100 }
                    left += 1
                }
                return left
            }
        #expect(end == .exited(2))
    }

    @Test("user, group, no_new_privs and dumpable are set", .enabled(if: isRoot))
    func identity() throws {
        let end =
            try inChild { () throws(Errno) in
                try setGroups(emptyPath, count: 0)
                try setGroupID(4712)
                try setUserID(4711)
                if effectiveUser() != 4711 { return 1 }
                if try kernel(__NR_getegid) != 4712 { return 2 }
                if try kernel(__NR_getgroups, 0, 0) != 0 { return 3 }
                if try permittedCapabilities() != 0 { return 4 }
                do throws(Errno) { try setUserID(0) } catch {
                    try setNoNewPrivileges()
                    if try processControl(PR_GET_NO_NEW_PRIVS) != 1 { return 5 }
                    try setDumpable(true)
                    if try processControl(PR_GET_DUMPABLE) != 1 { return 6 }
                    try setDumpable(false)
                    return try processControl(PR_GET_DUMPABLE) == 0 ? 0 : 7
                }
                return 8
            }
        #expect(end == .exited(0))
    }

    @Test("capabilities survive a change of user if they are kept, and execve's way of keeping them is undone", .enabled(if: isRoot))
    func keepCapabilities() throws {
        let end =
            try inChild { () throws(Errno) in
                let all = try permittedCapabilities()
                try setKeepCapabilities(true)
                try setUserID(4711)
                if try permittedCapabilities() != all { return 1 }
                try keepCapabilitiesByExec()
                if try processControl(PR_CAP_AMBIENT, 1, 5) != 1 { return 2 }
                try stopKeepingCapabilities()
                if try processControl(PR_CAP_AMBIENT, 1, 5) != 0 { return 3 }
                return try permittedCapabilities() == all ? 0 : 4
            }
        #expect(end == .exited(0))
    }
}

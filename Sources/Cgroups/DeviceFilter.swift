/// Loading a device program into the kernel and attaching it to a cgroup. Source: bpf(2); row RD-01.

import CLinux
import Linux

/// The device filter of a v2 cgroup.
enum DeviceFilter {
    /// What our programs are called in the kernel: systemd attaches programs of its own to the cgroups of its units.
    private static let name: StaticString = "swoci_devices"

    /// Attaches a program, in the place of the one that an earlier call attached.
    ///
    /// At no time is a device allowed that neither the old program nor the new one allows.
    static func attach(_ program: DeviceProgram, to directory: String) throws(CgroupError) {
        do throws(Errno) {
            let cgroup = try OwnedFD.open(directory, [.read, .directory])
            let new = try load(program)
            var old = try attached(to: cgroup)
            if let replaced = old.first {
                do throws(Errno) {
                    try attach(new, to: cgroup, replacing: try descriptor(of: replaced))
                    old.removeFirst()
                } catch  where error == .invalidArgument {
                    // Before Linux 5.6 both are in force for a moment, and both must agree.
                    try attach(new, to: cgroup)
                }
            } else {
                try attach(new, to: cgroup)
            }
            for id in old { try detach(try descriptor(of: id), from: cgroup) }
        } catch {
            throw CgroupError(
                "attach the device filter", directory, error,
                hint: error == .notPermitted ? "needs CAP_BPF, CAP_NET_ADMIN and, before Linux 5.11, locked memory (ulimit -l)" : nil)
        }
    }

    /// Takes our program away: no device is refused any more, but by others' programs.
    static func detach(from directory: String) throws(CgroupError) {
        do throws(Errno) {
            let cgroup = try OwnedFD.open(directory, [.read, .directory])
            for id in try attached(to: cgroup) { try detach(try descriptor(of: id), from: cgroup) }
        } catch {
            throw CgroupError("detach the device filter", directory, error)
        }
    }

    private static func attach(_ program: borrowing OwnedFD, to cgroup: borrowing OwnedFD) throws(Errno) {
        // BPF_F_ALLOW_MULTI: programs of the parents and of the cgroups below are asked as well, and all must agree.
        var attributes = attachment(program, cgroup)
        attributes.set32(at: 12, UInt32(BPF_F_ALLOW_MULTI))
        try attributes.call(BPF_PROG_ATTACH)
    }

    private static func attach(
        _ program: borrowing OwnedFD, to cgroup: borrowing OwnedFD, replacing old: borrowing OwnedFD
    ) throws(Errno) {
        var attributes = attachment(program, cgroup)
        attributes.set32(at: 12, UInt32(BPF_F_ALLOW_MULTI) | UInt32(BPF_F_REPLACE))
        attributes.set32(at: 16, UInt32(old.raw))
        try attributes.call(BPF_PROG_ATTACH)
    }

    private static func detach(_ program: borrowing OwnedFD, from cgroup: borrowing OwnedFD) throws(Errno) {
        var attributes = attachment(program, cgroup)
        try attributes.call(BPF_PROG_DETACH)
    }

    private static func attachment(_ program: borrowing OwnedFD, _ cgroup: borrowing OwnedFD) -> Attributes {
        var attributes = Attributes()
        attributes.set32(at: 0, UInt32(cgroup.raw))
        attributes.set32(at: 4, UInt32(program.raw))
        attributes.set32(at: 8, UInt32(BPF_CGROUP_DEVICE.rawValue))
        return attributes
    }

    /// Loads a program.
    ///
    /// The kernel keeps it while it is attached.
    private static func load(_ program: DeviceProgram) throws(Errno) -> OwnedFD {
        let code = program.instructions.map { $0.encoded }
        let descriptor = try code.withUnsafeBufferPointer { code throws(Errno) in
            var attributes = Attributes()
            attributes.set32(at: 0, UInt32(BPF_PROG_TYPE_CGROUP_DEVICE.rawValue))
            attributes.set32(at: 4, UInt32(code.count))
            attributes.set64(at: 8, UInt64(UInt(bitPattern: code.baseAddress)))
            attributes.set64(at: 16, UInt64(UInt(bitPattern: literal("Apache-2.0"))))
            for index in 0..<name.utf8CodeUnitCount { attributes.set8(at: 48 + index, name.utf8Start[index]) }
            return try attributes.call(BPF_PROG_LOAD)
        }
        return OwnedFD(descriptor)
    }

    /// The ids of our programs that are attached to this very cgroup.
    private static func attached(to cgroup: borrowing OwnedFD) throws(Errno) -> [UInt32] {
        // BPF_CGROUP_MAX_PROGS.
        var ids = [UInt32](repeating: 0, count: 64)
        let directory = UInt32(cgroup.raw)
        let count = try ids.withUnsafeMutableBufferPointer { ids throws(Errno) in
            var attributes = Attributes()
            attributes.set32(at: 0, directory)
            attributes.set32(at: 4, UInt32(BPF_CGROUP_DEVICE.rawValue))
            attributes.set64(at: 16, UInt64(UInt(bitPattern: ids.baseAddress)))
            attributes.set32(at: 24, UInt32(ids.count))
            try attributes.call(BPF_PROG_QUERY)
            return Int(attributes.get32(at: 24))
        }
        var ours: [UInt32] = []
        for id in ids.prefix(count) where try isOurs(try descriptor(of: id)) { ours.append(id) }
        return ours
    }

    /// Whether a program has our name.
    private static func isOurs(_ program: borrowing OwnedFD) throws(Errno) -> Bool {
        // struct bpf_prog_info up to the end of its name, which begins at byte 64.
        var info = [UInt8](repeating: 0, count: 80)
        let descriptor = UInt32(program.raw)
        try info.withUnsafeMutableBufferPointer { info throws(Errno) in
            var attributes = Attributes()
            attributes.set32(at: 0, descriptor)
            attributes.set32(at: 4, UInt32(info.count))
            attributes.set64(at: 8, UInt64(UInt(bitPattern: info.baseAddress)))
            try attributes.call(BPF_OBJ_GET_INFO_BY_FD)
        }
        let count = name.utf8CodeUnitCount
        for index in 0..<count where info[64 + index] != name.utf8Start[index] { return false }
        return info[64 + count] == 0
    }

    private static func descriptor(of program: UInt32) throws(Errno) -> OwnedFD {
        var attributes = Attributes()
        attributes.set32(at: 0, program)
        return OwnedFD(try attributes.call(BPF_PROG_GET_FD_BY_ID))
    }

    /// The part of `union bpf_attr` that these commands use, as bytes: its members have no names that Swift could import.
    private struct Attributes {
        private var words = [UInt64](repeating: 0, count: 9)

        mutating func set32(at offset: Int, _ value: UInt32) {
            let shift = UInt64(offset % 8 * 8)
            words[offset / 8] = words[offset / 8] & ~(0xffff_ffff << shift) | UInt64(value) << shift
        }

        mutating func set8(at offset: Int, _ value: UInt8) { words[offset / 8] |= UInt64(value) << UInt64(offset % 8 * 8) }

        mutating func set64(at offset: Int, _ value: UInt64) { words[offset / 8] = value }

        func get32(at offset: Int) -> UInt32 { UInt32(truncatingIfNeeded: words[offset / 8] >> UInt64(offset % 8 * 8)) }

        @discardableResult
        mutating func call(_ command: bpf_cmd) throws(Errno) -> Int {
            try words.withUnsafeMutableBufferPointer { words throws(Errno) in
                try kernel(__NR_bpf, Int(command.rawValue), Int(bitPattern: words.baseAddress), words.count * 8)
            }
        }
    }
}

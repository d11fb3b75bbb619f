/// Loading a device program into the kernel and attaching it to a cgroup. Source: bpf(2); row RD-01.

import CLinux
import Linux

/// The device filter of a v2 cgroup.
enum DeviceFilter {
    /// Attaches a program, in the place of the one that an earlier call attached.
    static func attach(_ program: DeviceProgram, to directory: String) throws(CgroupError) {
        do throws(Errno) {
            let cgroup = try OwnedFD.open(directory, [.read, .directory])
            let new = try load(program)
            let old = try attached(to: cgroup)
            // BPF_F_ALLOW_MULTI: programs of the parents and of the cgroups below are asked as well, and all must agree.
            var attributes = Attributes()
            attributes.set32(at: 0, UInt32(cgroup.raw))
            attributes.set32(at: 4, UInt32(new.raw))
            attributes.set32(at: 8, UInt32(BPF_CGROUP_DEVICE.rawValue))
            attributes.set32(at: 12, UInt32(BPF_F_ALLOW_MULTI))
            guard old.count == 1 else {
                try attributes.call(BPF_PROG_ATTACH)
                return
            }
            let replaced = try descriptor(of: old[0])
            attributes.set32(at: 12, UInt32(BPF_F_ALLOW_MULTI) | UInt32(BPF_F_REPLACE))
            attributes.set32(at: 16, UInt32(replaced.raw))
            try attributes.call(BPF_PROG_ATTACH)
        } catch {
            throw CgroupError(
                "attach the device filter", directory, error,
                hint: error == .notPermitted ? "needs CAP_BPF, CAP_NET_ADMIN and, before Linux 5.11, locked memory (ulimit -l)" : nil)
        }
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
            return try attributes.call(BPF_PROG_LOAD)
        }
        return OwnedFD(descriptor)
    }

    /// The ids of the device programs that are attached to this very cgroup; more than four count as four.
    private static func attached(to cgroup: borrowing OwnedFD) throws(Errno) -> [UInt32] {
        var ids = [UInt32](repeating: 0, count: 4)
        let directory = UInt32(cgroup.raw)
        let count = try ids.withUnsafeMutableBufferPointer { ids throws(Errno) in
            var attributes = Attributes()
            attributes.set32(at: 0, directory)
            attributes.set32(at: 4, UInt32(BPF_CGROUP_DEVICE.rawValue))
            attributes.set64(at: 16, UInt64(UInt(bitPattern: ids.baseAddress)))
            attributes.set32(at: 24, UInt32(ids.count))
            // ENOSPC: there are more than asked for.
            do throws(Errno) { try attributes.call(BPF_PROG_QUERY) } catch  where error == .noSpace { return ids.count }
            return Int(attributes.get32(at: 24))
        }
        return Array(ids.prefix(count))
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

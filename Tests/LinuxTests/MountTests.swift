import CLinux
import Foundation
import Linux
import Testing

/// All of it happens in a child in a mount namespace of its own, whose mounts it cuts off before anything else.
@Suite("Mounts and namespaces", .enabled(if: isRoot))
struct MountTests {
    /// Calls what the children call, with arguments that the kernel refuses: what ordinary Swift makes on first use is made here.
    init() {
        try? setMountAttributes(-1, set: 1, clear: 0, recursive: false)
        _ = try? FilesystemContext(type: literal("nosuchfs"))
        _ = try? FileStatus.of(at: -1)
        _ = try? fileSystemMagic(-1)
        _ = try? FileStatus.of(literal("/dev/null"), at: workingDirectory)
    }

    private func isolated(_ flags: UInt64 = 0, _ body: () throws(Errno) -> Int32) throws -> Linux.ExitStatus {
        try inChild(NamespaceFlag.mount | flags) { () throws(Errno) in
            try setPropagation(workingDirectory, path: literal("/"), MountFlag.slave | MountFlag.recursive)
            return try body()
        }
    }

    @Test("a file system is made detached, put into place, changed, and seen by nobody else")
    func filesystem() throws {
        let host = try OwnedFD.open("/tmp", [.path, .directory])
        let hosts = try FileStatus.of(at: host.number)
        let end =
            try isolated { () throws(Errno) in
                let context = try FilesystemContext(type: literal("tmpfs"))
                try context.set(literal("size"), to: literal("64k"))
                try context.set(literal("mode"), to: literal("0701"))
                let tree = try context.mount(attributes: MountFlag.noExec)
                if try fileSystemMagic(tree.descriptor.number) != 0x0102_1994 { return 1 }
                let target = try OwnedFD.open(literal("/tmp"), [.path, .directory])
                try tree.attach(to: target.number)
                if try FileStatus.of(literal("/tmp"), at: workingDirectory).mode & 0o7777 != 0o701 { return 2 }
                let made = try OwnedFD.open(literal("/tmp/x"), [.write, .create], mode: 0o755)
                _ = consume made
                try tree.change(set: MountFlag.readOnly, clear: 0, recursive: false)
                do throws(Errno) { _ = try OwnedFD.open(literal("/tmp/y"), [.write, .create]) } catch {
                    if error != .readOnly { return 3 }
                    try tree.change(set: 0, clear: MountFlag.readOnly, recursive: false)
                    _ = try OwnedFD.open(literal("/tmp/y"), [.write, .create])
                    return 0
                }
                return 4
            }
        #expect(end == .exited(0))
        let now = try OwnedFD.open("/tmp", [.path, .directory])
        #expect(try FileStatus.of(at: now.number).isSameFile(as: hosts))
    }

    @Test("a refused parameter has the kernel's message, an unknown type its errno")
    func messages() throws {
        #expect(throws: Errno.noDevice) { _ = try FilesystemContext(type: literal("nosuchfs")) }
        let end =
            try isolated { () throws(Errno) in
                let context = try FilesystemContext(type: literal("tmpfs"))
                do throws(Errno) { try context.set(literal("size"), to: literal("many")) } catch {
                    if error != .invalidArgument { return 1 }
                    var bytes: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
                    let count = context.readMessage(into: &bytes, capacity: 64)
                    // "e tmpfs:"
                    if count < 20 || bytes.0 != 0x3a73_6670_6d74_2065 { return 2 }
                    return context.readMessage(into: &bytes, capacity: 64) == 0 ? 0 : 3
                }
                return 4
            }
        #expect(end == .exited(0))
    }

    @Test("a file system that is mounted is reconfigured")
    func reconfigure() throws {
        let end =
            try isolated { () throws(Errno) in
                let tree = try FilesystemContext(type: literal("tmpfs")).mount(attributes: 0)
                let change = try FilesystemContext(reconfiguring: tree.descriptor.number)
                try change.set(literal("ro"))
                try change.reconfigure()
                do throws(Errno) { _ = try OwnedFD.open(literal("x"), [.write, .create], at: tree.descriptor.number) } catch {
                    return error == .readOnly ? 0 : 1
                }
                return 2
            }
        #expect(end == .exited(0))
    }

    @Test("a copied tree can be changed without the original; attributes of no mount's root are refused")
    func copy() throws {
        let end =
            try isolated { () throws(Errno) in
                let copy = try MountTree.copy(of: literal("/dev/null"), recursive: false)
                try copy.change(set: MountFlag.noDev, clear: 0, recursive: false)
                do throws(Errno) { _ = try OwnedFD.open(emptyPath, .read, below: copy.descriptor.number, resolve: []) } catch {
                    if error != .noEntry { return 1 }
                }
                let null = try OwnedFD.open(literal("/dev/null"), .write)
                if try !FileStatus.of(at: copy.descriptor.number).isSameFile(as: FileStatus.of(at: null.number)) { return 2 }
                do throws(Errno) {
                    try setMountAttributes(workingDirectory, path: literal("/etc/passwd"), set: 1, clear: 0, recursive: false)
                } catch {
                    return error == .invalidArgument ? 0 : 3
                }
                return 4
            }
        #expect(end == .exited(0))
    }

    @Test("a namespace is known by its type, joined by its descriptor and left by making a new one")
    func namespaces() throws {
        let own = try OwnedFD.open("/proc/self/ns/uts", .read)
        #expect(try namespaceType(own.number) == NamespaceFlag.uts)
        let network = try OwnedFD.open("/proc/self/ns/net", .read)
        #expect(try namespaceType(network.number) == NamespaceFlag.network)
        let null = try OwnedFD.open("/dev/null", .read)
        #expect(throws: Errno.notTerminal) { _ = try namespaceType(null.number) }
        let number = own.number
        let end =
            try inChild(0) { () throws(Errno) in
                let before = try FileStatus.of(literal("/proc/self/ns/uts"), at: workingDirectory, follow: true)
                try unshare(NamespaceFlag.uts)
                if try FileStatus.of(literal("/proc/self/ns/uts"), at: workingDirectory, follow: true).isSameFile(as: before) { return 1 }
                do throws(Errno) { try joinNamespace(number, type: NamespaceFlag.network) } catch {
                    if error != .invalidArgument { return 2 }
                }
                try joinNamespace(number, type: NamespaceFlag.uts)
                return try FileStatus.of(literal("/proc/self/ns/uts"), at: workingDirectory, follow: true).isSameFile(as: before) ? 0 : 3
            }
        #expect(end == .exited(0))
    }

    @Test("the loopback device of a new network namespace is down until it is brought up")
    func loopback() throws {
        let end =
            try inChild(NamespaceFlag.network) { () throws(Errno) in
                func isUp() throws(Errno) -> Bool {
                    var request = cl_ifreq()
                    request.name.0 = 108
                    request.name.1 = 111
                    let socket = OwnedFD(try kernel(__NR_socket, 2, 2, 0))
                    try withUnsafeMutablePointer(to: &request) { pointer throws(Errno) in
                        _ = try kernel(__NR_ioctl, socket.number, Int(CL_SIOCGIFFLAGS), Int(bitPattern: pointer))
                    }
                    return request.flags & 1 != 0
                }
                if try isUp() { return 1 }
                try bringLoopbackUp()
                return try isUp() ? 0 : 2
            }
        #expect(end == .exited(0))
    }
}

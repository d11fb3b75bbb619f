/// From a prepared process to one that executes the init: one clone3 between them.

import CLinux
import Cgroups
import Linux
import Plan

/// The started init and the line to it.
struct LaunchedInit: ~Copyable {
    /// The process that was cloned: the container's init, or in a staged launch the one that clones it.
    let process: OwnedFD
    /// Its id.
    let pid: Int32
    /// The runtime's end of the handshake socket.
    let socket: OwnedFD
    /// Whether it could not be born into its cgroup and wants to be moved there.
    var isOutside = false
}

/// What the new process does between its birth and its execve, prepared before it is born: no memory is taken there.
///
/// The birth of the container's init, and of the process that takes a further one into a container.
struct Birth: ~Copyable {
    private let image: Int
    /// The runtime's end of the handshake socket.
    private let near: OwnedFD
    /// The child's end.
    private let far: OwnedFD
    private let plan: OwnedFD
    private let inherited: UnsafeMutableBufferPointer<Int32>
    private let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let argumentCount: Int
    /// Whether it is born into a new user namespace, whose root it is not before the mappings are used.
    private let entersUserNamespace: Bool

    /// Prepares a birth.
    ///
    /// - Parameters:
    ///   - image: The init's program.
    ///   - plan: The plan's bytes.
    ///   - descriptors: What the init inherits beside stdio, the socket and the plan.
    init(
        _ image: borrowing InitImage, _ bytes: [UInt8], inheriting descriptors: [Int32], entersUserNamespace: Bool = false
    ) throws(Errno) {
        let plan = try makeMemoryFile(literal("plan"))
        try plan.writeAll(bytes)
        let sockets = try packetSocketPair()
        try enableCredentials(sockets.near.number)
        let near = try sockets.near.duplicate()
        let far = try sockets.far.duplicate()
        self.entersUserNamespace = entersUserNamespace
        self.image = image.descriptor.number
        let all = [far.raw, plan.raw] + descriptors
        inherited = .allocate(capacity: all.count)
        _ = inherited.initialize(from: all)
        let words = ["swoci-init", "\(far.raw)", "\(plan.raw)"] + (entersUserNamespace ? ["unmapped"] : [])
        // The strings and the null that ends them; what follows it is the empty environment.
        arguments = .allocate(capacity: words.count + 1)
        argumentCount = words.count
        for (index, text) in words.enumerated() {
            let bytes = text.utf8CString
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            for at in 0..<bytes.count { copy[at] = bytes[at] }
            arguments[index] = copy
        }
        arguments[words.count] = nil
        self.plan = plan
        self.near = near
        self.far = far
    }

    deinit {
        for index in 0..<argumentCount { arguments[index]?.deallocate() }
        arguments.deallocate()
        inherited.deallocate()
    }

    /// Makes the process, which enters the v1 cgroups and then executes the init.
    ///
    /// - Throws: The kernel's refusal to make it; then it can be tried again.
    borrowing func give(_ options: CloneOptions, entering entrance: borrowing CgroupEntrance) throws(Errno) -> LaunchedInit {
        let socket = try near.duplicate()
        let cloned = try cloneProcess(options)
        if cloned.isChild { become(entering: entrance) }
        return LaunchedInit(process: OwnedFD(cloned.pidfd), pid: cloned.pid, socket: socket)
    }

    /// Enters the v1 cgroups, then executes the init.
    ///
    /// Does not return; the compiler is not told, because then it had no place for the caller's owned values.
    private borrowing func become(entering entrance: borrowing CgroupEntrance) {
        do throws(Errno) {
            if let refused = entrance.enter() { throw refused.errno }
            // execve by somebody else than the namespace's root takes all capabilities away.
            if entersUserNamespace { try keepCapabilitiesByExec() }
            for descriptor in inherited { try kernel(__NR_fcntl, Int(descriptor), Int(F_SETFD), 0) }
            try kernel(
                __NR_execveat, image, emptyPath.address, Int(bitPattern: arguments), Int(bitPattern: arguments + argumentCount),
                Int(AT_EMPTY_PATH))
        } catch {
            var message = Message(.failed)
            message.step = UInt32.max
            message.errno = error.code
            message.call = error.call
            _ = try? sendPacket(far.number, &message, Message.size)
        }
        exitProcess(1)
    }
}

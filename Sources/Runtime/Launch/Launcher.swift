/// Starting the init: everything it inherits is opened, then one clone3 into the container's namespaces and cgroups.

import CLinux
import Cgroups
import Linux
import Plan
import Spec

/// The started init and the line to it.
struct LaunchedInit: ~Copyable {
    /// The process that was cloned: the container's init, or in a staged launch the one that clones it.
    let process: OwnedFD
    /// Its id.
    let pid: Int32
    /// The runtime's end of the handshake socket.
    let socket: OwnedFD
}

/// What the init inherits, and how it is born.
struct Launcher {
    let launch: LaunchPlan
    let options: LaunchOptions
    let place: (Origin) -> Failure.Place?

    /// Starts the init, which waits for the first word on its socket.
    ///
    /// - Parameters:
    ///   - startSocket: The listening socket for `start`.
    ///   - joined: The namespaces it joins.
    ///   - cgroup: The cgroups it is born into; nil: the caller's.
    func start(
        startSocket: borrowing OwnedFD, joined: borrowing JoinedNamespaces, cgroup: CgroupRecord?
    ) throws(Failure) -> LaunchedInit {
        let image = try InitImage()
        let trees = try OpenTrees(launch.sources, after: options.preservedDescriptors, place: place)
        let entrance = try open(cgroup)
        let unified = try openUnified(cgroup)
        defer { kernelIgnoringFailure(__NR_close, Int(unified)) }
        do throws(Errno) {
            let plan = try makePlanFile(startSocket, trees)
            let sockets = try packetSocketPair()
            try enableCredentials(sockets.near.number)
            let near = try sockets.near.duplicate()
            let inherited = [sockets.far.raw, plan.raw, startSocket.raw] + joined.joined.map { $0.descriptor } + trees.descriptors
            let birth = try Birth(
                image, socket: sockets.far.raw, plan: plan.raw, inherited: inherited,
                entersUserNamespace: launch.cloneFlags & NamespaceFlag.user != 0)
            var clone = CloneOptions(flags: launch.cloneFlags)
            clone.cgroup = unified
            let cloned = try cloneProcess(clone)
            if cloned.isChild { birth.become(entering: entrance) }
            return LaunchedInit(process: OwnedFD(cloned.pidfd), pid: cloned.pid, socket: near)
        } catch {
            throw Failure("start the init", errno: error, systemCall: systemCallName(error.call))
        }
    }

    /// Writes the plan into a memory file.
    private func makePlanFile(_ startSocket: borrowing OwnedFD, _ trees: borrowing OpenTrees) throws(Errno) -> OwnedFD {
        let header = PlanHeader(
            startSocket: UInt32(startSocket.raw), preservedDescriptors: options.preservedDescriptors,
            slotCount: UInt32(trees.descriptors.count), firstSlot: UInt32(trees.descriptors.first ?? 0))
        let file = try makeMemoryFile(literal("plan"))
        try file.writeAll(launch.plan.encoded(header))
        return file
    }

    /// The way into the v1 hierarchies, which the child takes by itself: moving it from outside makes the kernel wait for milliseconds.
    private func open(_ cgroup: CgroupRecord?) throws(Failure) -> CgroupEntrance {
        do throws(CgroupError) { return try CgroupEntrance(cgroup ?? CgroupRecord(), skippingUnified: true) } catch {
            throw Failure(error, place: nil)
        }
    }

    /// The cgroup v2 directory to be born into, for the caller to close; -1 for none.
    private func openUnified(_ cgroup: CgroupRecord?) throws(Failure) -> Int32 {
        guard let cgroup else { return -1 }
        do throws(CgroupError) { return try Cgroup.unifiedDirectory(cgroup)?.release() ?? -1 } catch {
            throw Failure(error, place: nil)
        }
    }
}

/// What the new process does between its birth and its execve, prepared before it is born: no memory is taken there.
private struct Birth: ~Copyable {
    private let image: Int
    private let socket: Int32
    private let inherited: UnsafeMutableBufferPointer<Int32>
    private let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    /// Whether it is born into a new user namespace, whose root it is not before the mappings are used.
    private let entersUserNamespace: Bool

    init(
        _ image: borrowing InitImage, socket: Int32, plan: Int32, inherited: [Int32], entersUserNamespace: Bool
    ) throws(Errno) {
        self.entersUserNamespace = entersUserNamespace
        self.image = image.descriptor.number
        self.socket = socket
        self.inherited = .allocate(capacity: inherited.count)
        _ = self.inherited.initialize(from: inherited)
        // Three strings and the null that ends them; what follows it is the empty environment.
        arguments = .allocate(capacity: 4)
        for (index, text) in ["swoci-init", "\(socket)", "\(plan)"].enumerated() {
            let bytes = text.utf8CString
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            for at in 0..<bytes.count { copy[at] = bytes[at] }
            arguments[index] = copy
        }
        arguments[3] = nil
    }

    deinit {
        for index in 0..<3 { arguments[index]?.deallocate() }
        arguments.deallocate()
        inherited.deallocate()
    }

    /// Enters the v1 cgroups, then executes the init.
    ///
    /// Does not return; the compiler is not told, because then it had no place for the caller's owned values.
    borrowing func become(entering entrance: borrowing CgroupEntrance) {
        do throws(Errno) {
            if let refused = entrance.enter() { throw refused.errno }
            // execve by somebody else than the namespace's root takes all capabilities away.
            if entersUserNamespace { try keepCapabilitiesByExec() }
            for descriptor in inherited { try kernel(__NR_fcntl, Int(descriptor), Int(F_SETFD), 0) }
            try kernel(
                __NR_execveat, image, emptyPath.address, Int(bitPattern: arguments), Int(bitPattern: arguments + 3), Int(AT_EMPTY_PATH))
        } catch {
            var message = Message(.failed)
            message.step = UInt32.max
            message.errno = error.code
            message.call = error.call
            _ = try? sendPacket(Int(socket), &message, Message.size)
        }
        exitProcess(1)
    }
}

/// Trees of mounts that the init inherits: opened with the runtime's rights, with consecutive numbers.
struct OpenTrees: ~Copyable {
    private(set) var descriptors: [Int32] = []

    deinit {
        for descriptor in descriptors { kernelIgnoringFailure(__NR_close, Int(descriptor)) }
    }

    init(_ sources: [LaunchPlan.Source], after preserved: UInt32, place: (Origin) -> Failure.Place?) throws(Failure) {
        // Numbers that nothing of this program's reaches.
        let base = 64 + Int32(preserved)
        for source in sources {
            let tree = try OpenTrees.open(source, place)
            do throws(Errno) {
                let number = base + Int32(descriptors.count)
                let copy = try tree.duplicate(atLeast: number)
                if copy.raw != number { throw Errno.busy }
                descriptors.append(copy.release())
            } catch {
                throw Failure("keep the mount's source", source.path, errno: error, place: place(source.origin))
            }
        }
    }

    private static func open(_ source: LaunchPlan.Source, _ place: (Origin) -> Failure.Place?) throws(Failure) -> OwnedFD {
        let tree: OwnedFD
        do throws(Errno) {
            tree = OwnedFD(
                try source.path.withPath { path throws(Errno) in
                    try MountTree.copy(of: path, recursive: source.isRecursive, noFollow: source.noFollow).release()
                })
        } catch {
            throw Failure("open the mount's source", source.path, errno: error, place: place(source.origin))
        }
        guard let idMap = source.idMap else { return tree }
        let namespace: OwnedFD
        switch idMap.namespace {
        case .mapped(let uids, let gids): namespace = try makeMappingNamespace(uids: uids, gids: gids, place: place)
        case .joined(let descriptor):
            do throws(Errno) {
                namespace = OwnedFD(try kernel(__NR_fcntl, Int(descriptor), Int(F_DUPFD_CLOEXEC), 3))
            } catch { throw Failure("use the joined user namespace", errno: error) }
        }
        do throws(Errno) {
            try setIDMapping(tree.number, userNamespace: namespace.number, recursive: idMap.isRecursive)
        } catch {
            throw Failure(
                "map the ids of the mount's source", source.path, errno: error, place: place(source.origin),
                hint: error == .invalidArgument ? "its file system does not support id-mapped mounts on this kernel" : nil)
        }
        return tree
    }
}

/// Starting the init: everything it inherits is opened, then one clone3 into the container's namespaces and cgroups.

import CLinux
import Cgroups
import Linux
import Plan
import Spec

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
        let header = PlanHeader(
            startSocket: UInt32(startSocket.raw), preservedDescriptors: options.preservedDescriptors,
            slotCount: UInt32(trees.descriptors.count), firstSlot: UInt32(trees.descriptors.first ?? 0))
        do throws(Errno) {
            let birth = try Birth(
                image, launch.plan.encoded(header), inheriting: [startSocket.raw] + joined.joined.map { $0.descriptor } + trees.descriptors,
                entersUserNamespace: launch.cloneFlags & NamespaceFlag.user != 0)
            var clone = CloneOptions(flags: launch.cloneFlags)
            clone.cgroup = unified
            return try birth.give(clone, entering: entrance)
        } catch {
            throw Failure(
                "start the init", errno: error, systemCall: systemCallName(error.call),
                hint: CgroupAccess.movingHint(error, to: cgroup?.unified))
        }
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
            throw Failure(
                "open the mount's source", source.path,
                detail: error == .noEntry ? missing(source.path).map { "\(quoted($0)) is missing [M-03]" } : nil, errno: error,
                place: place(source.origin))
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
                hint: error == .invalidArgument
                    ? "its file system does not support id-mapped mounts on this kernel"
                    : error == .notPermitted ? "id-mapping a mount needs CAP_SYS_ADMIN where its file system was mounted" : nil)
        }
        return tree
    }
}

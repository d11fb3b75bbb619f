/// The namespaces that a container joins: opened and looked at by the runtime, joined by the init. Row N-03.

import CLinux
import Linux
import Plan
import Spec

/// Open descriptors of namespaces, in the config's order.
///
/// They are the init's to inherit.
struct JoinedNamespaces: ~Copyable {
    private(set) var joined: [(type: NamespaceType, descriptor: Int32)] = []

    deinit {
        for (_, descriptor) in joined { kernelIgnoringFailure(__NR_close, Int(descriptor)) }
    }

    /// Opens every namespace of the config that has a path, and makes sure that each is what the config says.
    init(_ config: Config, place: (Origin) -> Failure.Place?) throws(Failure) {
        for namespace in config.linux.namespaces {
            guard let path = namespace.path else { continue }
            let descriptor = try JoinedNamespaces.open(path, namespace.type, place)
            joined.append((namespace.type, descriptor))
            if namespace.type == .user, isOwn(descriptor, .user) {
                throw Failure(
                    "join the user namespace", path.value, detail: "it is the runtime's own, which nobody can join [N-09]",
                    place: place(path.origin), hint: "leave the entry out: the container is in that namespace anyway")
            }
            if isOwn(descriptor, namespace.type), let change = HostChange(config, namespace.type) {
                throw Failure(
                    change.operation, path.value, detail: "it is the host's own \(namespace.type.name) namespace [\(change.row)]",
                    place: place(change.origin), hint: "give the container a \(namespace.type.name) namespace of its own")
            }
        }
    }

    private static func open(
        _ path: Located<String>, _ type: NamespaceType, _ place: (Origin) -> Failure.Place?
    ) throws(Failure) -> Int32 {
        func failure(_ detail: String? = nil, _ errno: Errno? = nil, hint: String? = nil) -> Failure {
            Failure(
                "join the \(type.name) namespace", path.value, detail: detail, errno: errno, place: place(path.origin), hint: hint)
        }
        let file: OwnedFD
        do throws(Errno) { file = try OwnedFD.open(path.value, [.read, .nonBlocking, .noControllingTerminal]) } catch {
            throw failure(nil, error)
        }
        // NSFS_MAGIC; an ordinary file is what is left of a stale bind.
        guard (try? fileSystemMagic(file.number)) == 0x6e73_6673, let actual = try? namespaceType(file.number) else {
            throw failure("it is not a namespace", hint: "a mount point that \"ip netns\" left behind is an empty file")
        }
        guard actual == type.cloneFlag else {
            let name = NamespaceType.allCases.first { $0.cloneFlag == actual }?.name ?? "different"
            throw failure("it is a \(name) namespace, not \(type.name)")
        }
        return file.release()
    }
}

extension Failure {
    /// Adds to the failure of a namespace's step what the config knows: which file it was, and why the kernel may refuse it.
    mutating func explain(_ step: Step, _ namespace: Namespace?, among all: [Namespace], place: (Origin) -> Place?) {
        switch step {
        case .joinNamespace:
            guard let namespace, let path = namespace.path else { return }
            operation = "join the \(namespace.type.name) namespace"
            object = path.value
            self.place = place(path.origin)
            if errno == .notPermitted {
                hint = "joining it needs CAP_SYS_ADMIN in the user namespace that it belongs to [N-12]"
            }
        case .enterNewNamespaces:
            // A PID namespace whose first process has ended takes no new ones. Source: pid_namespaces(7).
            guard errno == .noMemory, let joined = all.first(where: { $0.type == .pid && $0.path != nil }), let path = joined.path else {
                return
            }
            operation = "join the pid namespace"
            object = path.value
            detail = "it has no init any more [N-04]"
            self.place = place(path.origin)
        default: break
        }
    }
}

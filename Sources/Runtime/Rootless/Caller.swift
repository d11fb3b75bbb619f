/// Who calls swoci and what that user may do: found out from the kernel, so that no option can be wrong about it.
///
/// Three kinds matter: root of the host; root of a user namespace, as under a rootless engine; and an ordinary user.

import CLinux
import Linux
public import Spec

/// The caller's credentials, as far as they decide how a container is made.
public struct Caller: Equatable, Sendable {
    /// The effective user id.
    public var uid: UInt32
    /// The effective group id.
    public var gid: UInt32
    /// The permitted capabilities, over the caller's own user namespace.
    public var capabilities: CapabilitySet
    /// The users that the caller's user namespace knows, and what they are outside of it.
    public var users: [IDMapping]
    /// The same of the groups.
    public var groups: [IDMapping]
    /// Whether the caller's user namespace forbids setgroups(2), which those below it inherit.
    public var deniesSetgroups = false
    /// Whether the caller may copy and change mounts where it is: CAP_SYS_ADMIN over the mount namespace's owner, which a user namespace
    /// without a mount namespace of its own does not give.
    public var ownsMounts: Bool

    /// Describes a caller.
    public init(uid: UInt32, gid: UInt32, capabilities: CapabilitySet, users: [IDMapping], groups: [IDMapping], ownsMounts: Bool) {
        self.uid = uid
        self.gid = gid
        self.capabilities = capabilities
        self.users = users
        self.groups = groups
        self.ownsMounts = ownsMounts
    }

    /// The map of the host's first user namespace: all ids, as they are.
    public static let allIDs = [IDMapping(containerID: 0, hostID: 0, size: UInt32.max)]

    /// Whether the caller is in a user namespace other than the host's first.
    public var isInUserNamespace: Bool { users != Caller.allIDs }

    /// Whether the caller may set up namespaces without a user namespace: CAP_SYS_ADMIN.
    public var mayMakeNamespaces: Bool { capabilities.contains(.systemAdministration) }

    /// Whether the host's cgroups are the caller's: root of the host.
    public var ownsHost: Bool { mayMakeNamespaces && !isInUserNamespace }

    /// Finds out about this process.
    ///
    /// - Source: user_namespaces(7), capget(2).
    static func current() throws(Failure) -> Caller {
        let held = try Failure.during("read the runtime's own capabilities") { () throws(Errno) in try permittedCapabilities() }
        var caller = Caller(
            uid: effectiveUser(), gid: UInt32(truncatingIfNeeded: (try? kernel(__NR_getegid)) ?? 0),
            capabilities: CapabilitySet(rawValue: held),
            users: readMap("/proc/self/uid_map"), groups: Caller.allIDs, ownsMounts: true)
        caller.deniesSetgroups = (try? readText("/proc/self/setgroups")) == "deny"
        if caller.isInUserNamespace { caller.groups = readMap("/proc/self/gid_map") }
        caller.ownsMounts = caller.ownsHost || caller.mayMakeNamespaces && Caller.mayCopyMounts
        return caller
    }

    /// The kernel says so only when asked: EPERM where not, whatever else it may have against this very copy.
    private static var mayCopyMounts: Bool {
        do throws(Errno) { _ = try MountTree.copy(of: literal("/"), recursive: false) } catch { return error != .notPermitted }
        return true
    }

    private static func readMap(_ path: String) -> [IDMapping] {
        // Without a /proc nothing is known of a namespace, and nothing could be made in one.
        guard let map = try? readText(path) else { return Caller.allIDs }
        return map.split(separator: "\n").compactMap { line in
            let numbers = line.split(separator: " ").compactMap { UInt32($0) }
            return numbers.count == 3 ? IDMapping(containerID: numbers[0], hostID: numbers[1], size: numbers[2]) : nil
        }
    }
}

/// Where a caller's containers are kept, if nobody says. Rows CLI-01, CLI-04.

import CLinux
import Linux

/// What decides about the state root.
struct StateRootFacts: Equatable {
    /// Whether /run belongs to the caller: to root of the host, or of a machine-like container.
    ///
    /// To the root that a rootless engine makes of a user it belongs to nobody.
    var ownsRun: Bool
    /// XDG_RUNTIME_DIR; nil where it is unset or empty.
    var runtimeDirectory: String?
    /// /run/user/UID, with the id that the user has outside of a user namespace, if it is there and the caller's.
    var userDirectory: String?

    /// The state root; nil where there is no place for one.
    var root: String? {
        if ownsRun { return "/run/swoci" }
        return (runtimeDirectory ?? userDirectory).map { $0 + "/swoci" }
    }
}

extension StateStore {
    /// The state root of the calling user: the same for every call, whatever its environment, where /run is the user's.
    ///
    /// Engines give root an empty XDG_RUNTIME_DIR, or none, or their own.
    public static func standard(runtimeDirectory: String?) throws(Failure) -> StateStore {
        var facts = StateRootFacts(ownsRun: owner(of: "/run").map { $0 == effectiveUser() } ?? (effectiveUser() == 0))
        if let runtimeDirectory, !runtimeDirectory.isEmpty { facts.runtimeDirectory = runtimeDirectory }
        if !facts.ownsRun && facts.runtimeDirectory == nil { facts.userDirectory = userDirectory() }
        guard let root = facts.root else {
            throw Failure(
                "find the state root", detail: "XDG_RUNTIME_DIR is not set, and there is no directory of yours in /run/user",
                hint: "set it, or give --root DIR", kind: .usage)
        }
        return StateStore(root: root, isExplicit: false)
    }

    private static func userDirectory() -> String? {
        guard let caller = try? Caller.current(), let outside = hostID(caller.uid, in: caller.users) else { return nil }
        let path = "/run/user/\(outside)"
        return owner(of: path) == caller.uid ? path : nil
    }

    private static func owner(of path: String) -> UInt32? {
        (try? path.withPath { path throws(Errno) in try FileStatus.of(path, at: workingDirectory, follow: true) })?.uid
    }
}

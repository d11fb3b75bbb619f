/// The service manager's socket in the container: how a payload tells that it is ready. Row CLI-16; sd_notify(3).
///
/// The socket itself is mounted, so nothing stands between the two and nothing waits for either.

import CLinux
import Linux
import Spec

extension Config {
    /// Where the payload finds the socket.
    private static let notifySocket = "/run/notify/notify.sock"

    /// Mounts the socket of NOTIFY_SOCKET and names it in the payload's environment, unless the config names one already.
    ///
    /// - Returns: Why it is not passed on, if it should be.
    mutating func pass(notifySocket path: String) -> String? {
        let name = "NOTIFY_SOCKET="
        guard let process, !process.env.contains(where: { $0.value.utf8.starts(with: name.utf8) }) else { return nil }
        if path.utf8.first == UInt8(ascii: "@") {
            // The name of an abstract socket belongs to a network namespace.
            if linux.namespace(.network) != nil { return "NOTIFY_SOCKET is out of reach of the container's network namespace" }
            self.process?.env.append(Located(name + path))
            return nil
        }
        let status = try? path.withPath { path throws(Errno) in try FileStatus.of(path, at: workingDirectory, follow: true) }
        guard path.utf8.first == UInt8(ascii: "/"), status?.kind == UInt32(S_IFSOCK) else {
            return "NOTIFY_SOCKET is not passed on: \(path) is no socket of this host"
        }
        var mount = Mount(destination: Located(Self.notifySocket))
        mount.source = Located(path)
        mount.options = ["bind", "nosuid", "nodev", "noexec"].map { Located(MountOption($0)) }
        mounts.append(mount)
        self.process?.env.append(Located(name + Self.notifySocket))
        return nil
    }
}

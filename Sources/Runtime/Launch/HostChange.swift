/// What a config changes in a namespace: refused where that namespace turns out to be the one that the runtime itself is in.
///
/// Joining the host's own namespace by its path is as good as having none of one's own. Rows SY-03, U-01, W-01.

import CLinux
import Linux
import Spec

/// The first thing in a config that would change a namespace of a type.
struct HostChange: Equatable {
    /// What would be done.
    var operation: String
    /// The config's place that asks for it.
    var origin: Origin
    /// The spec row that forbids it.
    var row: String

    private init(_ operation: String, _ origin: Origin, _ row: String) {
        self.operation = operation
        self.origin = origin
        self.row = row
    }

    /// Finds the change; nil where the config changes nothing of the kind.
    init?(_ config: Config, _ type: NamespaceType) {
        if type == .uts, let name = config.hostname {
            self.init("set the host name in", name.origin, "U-01")
        } else if type == .uts, let name = config.domainname {
            self.init("set the domain name in", name.origin, "U-02")
        } else if type == .network, let device = config.linux.netDevices.first {
            self.init("move a network device into", device.origin, "W-01")
        } else if let parameter = HostChange.parameter(config, type) {
            self.init("set the sysctl \(parameter.key) in", parameter.origin, Sysctl.row(type))
        } else {
            return nil
        }
    }

    private static func parameter(_ config: Config, _ type: NamespaceType) -> Pair? {
        config.linux.sysctl.first { parameter in Sysctl.path(parameter.key).flatMap { Sysctl.owner(ofPath: $0) } == type }
    }
}

/// Whether a descriptor refers to the namespace that this process is in.
func isOwn(_ descriptor: Int32, _ type: NamespaceType) -> Bool {
    guard let there = try? FileStatus.of(at: Int(descriptor)),
        let own = try? "/proc/self/ns/\(type.fileName)".withPath({ path throws(Errno) in
            try FileStatus.of(path, at: workingDirectory, follow: true)
        })
    else { return false }
    return there.isSameFile(as: own)
}

extension NamespaceType {
    /// The name below /proc/PID/ns.
    var fileName: String {
        switch self {
        case .network: "net"
        case .mount: "mnt"
        default: name
        }
    }
}

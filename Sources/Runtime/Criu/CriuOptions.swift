/// What criu is told: its options as data, and their encoding for its RPC interface.
///
/// Source: criu's images/rpc.proto, message criu_opts; decision 016.

/// Which cgroups criu makes and fills on restore: `--manage-cgroups-mode`.
public enum CgroupRestoreMode: String, CaseIterable, Equatable, Sendable {
    /// None: processes stay where the runtime puts them.
    case ignore
    /// Those that are missing; properties of those alone.
    case soft
    /// All properties of all.
    case full
    /// Only where none is there yet.
    case strict

    /// The number of the mode in criu_cg_mode.
    var code: UInt64 {
        switch self {
        case .ignore: 0
        case .soft: 3
        case .full: 4
        case .strict: 5
        }
    }
}

/// The options of one dump, pre-dump or restore.
struct CriuOptions: Equatable {
    /// A name in the image and what it stands for: a mount point, a source, or a descriptor.
    struct Named<Value: Equatable>: Equatable {
        var key: String
        var value: Value

        init(_ key: String, _ value: Value) {
            self.key = key
            self.value = value
        }
    }

    /// Descriptors of the runtime's: of the directory of the images, and of that of the log.
    var imageDirectory: Int32
    var workDirectory: Int32
    var logFile: String
    /// The first process of what is dumped.
    var pid: Int32?
    /// The root file system: on restore a mount point.
    var root: String
    var leavesRunning = false
    var extUnixSockets = false
    var tcpEstablished = false
    var tcpSkipInFlight = false
    var tcpClose = false
    var shellJob = false
    var fileLocks = false
    var autoDedup = false
    var linkRemap = false
    var lazyPages = false
    /// The images of an earlier pre-dump, relative to those of this dump.
    var parentImages: String?
    var pageServer: PageServer?
    var cgroupMode = CgroupRestoreMode.soft
    /// The container's cgroup in each hierarchy, by its controllers as /proc/PID/cgroup names them.
    var cgroupRoots: [Named<String>] = []
    /// The cgroup by which the processes are stopped for a dump.
    var freezeCgroup: String?
    /// Whether the network namespace is restored without its devices.
    var emptiesNetwork = false
    /// Whether connections are held up by nftables, instead of criu's own choice.
    var locksByNftables = false
    /// Mounts that come from outside of the container: on a dump mount points and their names, on a restore names and sources.
    var mounts: [Named<String>] = []
    /// Namespaces and files that come from outside, as criu's --external names them.
    var externals: [String] = []
    /// Descriptors that stand for things from outside on a restore.
    var inherited: [Named<Int32>] = []
    /// Namespaces to be joined on a restore, by their paths.
    var joined: [Named<String>] = []
    /// Whether restored processes are children of the runtime.
    var isRestore = false
    /// Whether files from outside may have other permissions than those that were dumped.
    var ignoresPermissions = false
    var lsmProfile: String?
    var lsmMountContext: String?
    /// A file with further options, which count more than these.
    var configFile: String?

    init(imageDirectory: Int32, workDirectory: Int32, logFile: String, root: String) {
        self.imageDirectory = imageDirectory
        self.workDirectory = workDirectory
        self.logFile = logFile
        self.root = root
    }

    /// The options as criu reads them.
    var encoded: [UInt8] {
        var writer = ProtocolBufferWriter()
        writer.add(1, Int(imageDirectory))
        writer.add(17, Int(workDirectory))
        // Errors, warnings, information and what helps to find bugs.
        writer.add(9, 4)
        writer.add(10, logFile)
        writer.add(12, true)
        writer.add(13, root)
        if let pid { writer.add(2, Int(pid)) }
        for (field, value) in switches where value { writer.add(field, true) }
        writer.add(14, ifAny: parentImages)
        if parentImages != nil { writer.add(15, true) }
        if let pageServer {
            writer.add(11) { server in
                server.add(1, pageServer.address)
                server.add(2, Int(pageServer.port))
            }
        }
        writer.add(24, cgroupMode != .ignore)
        writer.add(34, cgroupMode.code)
        for root in cgroupRoots {
            writer.add(25) { message in
                message.add(1, root.key)
                message.add(2, root.value)
            }
        }
        writer.add(44, ifAny: freezeCgroup)
        // CLONE_NEWNET
        if emptiesNetwork { writer.add(38, 0x4000_0000 as UInt64) }
        if locksByNftables { writer.add(64, 2 as UInt64) }
        for mount in mounts {
            writer.add(23) { message in
                message.add(1, mount.key)
                message.add(2, mount.value)
            }
        }
        for external in externals { writer.add(37, external) }
        for descriptor in inherited {
            writer.add(27) { message in
                message.add(1, descriptor.key)
                message.add(2, Int(descriptor.value))
            }
        }
        for namespace in joined {
            writer.add(39) { message in
                message.add(1, namespace.key)
                message.add(2, namespace.value)
            }
        }
        writer.add(53, ifAny: lsmProfile)
        writer.add(63, ifAny: lsmMountContext)
        writer.add(51, ifAny: configFile)
        return writer.bytes
    }

    /// The fields that are switches.
    private var switches: [(field: Int, value: Bool)] {
        [
            (3, leavesRunning), (4, extUnixSockets), (5, tcpEstablished), (7, shellJob), (8, fileLocks), (16, autoDedup), (18, linkRemap),
            (46, tcpSkipInFlight), (48, lazyPages), (52, tcpClose),
            // The terminal's other end is the runtime's to hand over; devices of another number are found by their path (evasive).
            (50, true), (6, isRestore), (26, isRestore), (66, ignoresPermissions),
        ]
    }
}

/// Where the pages of a dump go: `--page-server`.
public struct PageServer: Equatable, Sendable {
    /// The host.
    public var address: String
    /// The port.
    public var port: UInt16

    /// Reads `ADDRESS:PORT`; an IPv6 address stands in brackets.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")), let port = UInt16(String(decoding: bytes[(colon + 1)...], as: UTF8.self)),
            port > 0
        else { return nil }
        var address = bytes[..<colon]
        if address.first == UInt8(ascii: "["), address.last == UInt8(ascii: "]") { address = address.dropFirst().dropLast() }
        guard !address.isEmpty else { return nil }
        self.address = String(decoding: address, as: UTF8.self)
        self.port = port
    }
}

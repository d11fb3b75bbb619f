/// The requests to criu and its answers.
///
/// Source: criu's images/rpc.proto, messages criu_req and criu_resp.

/// What is asked of criu, and what an answer is about.
enum CriuRequestKind: UInt64, Equatable {
    case dump = 1
    case restore = 2
    case preDump = 4
    case notify = 6
    case version = 10

    /// A request with options.
    func request(_ options: CriuOptions? = nil, keepsOpen: Bool = false) -> [UInt8] {
        var writer = ProtocolBufferWriter()
        writer.add(1, rawValue)
        if let options { writer.add(2, options.encoded) }
        if keepsOpen { writer.add(4, true) }
        return writer.bytes
    }

    /// The answer to a notification.
    static func reply(success: Bool) -> [UInt8] {
        var writer = ProtocolBufferWriter()
        writer.add(1, CriuRequestKind.notify.rawValue)
        writer.add(3, success)
        return writer.bytes
    }
}

/// A point in criu's work at which the runtime has something to do.
enum CriuStage: String, Equatable {
    /// The images are written, the processes stand still.
    case postDump = "post-dump"
    /// The first process and its namespaces are there.
    case setUpNamespaces = "setup-namespaces"
    /// All is restored, and stands still.
    case postRestore = "post-restore"
    /// The terminal's other end comes with the message.
    case orphanTerminal = "orphan-pts-master"
    /// Pages can be asked for.
    case statusReady = "status-ready"
}

/// An answer.
struct CriuResponse: Equatable {
    var kind: UInt64
    var isSuccess: Bool
    /// What a notification is about; nil: nothing of the runtime's concern.
    var stage: CriuStage?
    /// The first process that was restored, where the answer names it.
    var pid: Int32 = 0
    /// criu's errno, 0 for none.
    var errno: Int32 = 0
    /// criu's own sentence.
    var message = ""
    /// criu's version, as 40101 for 4.1.1; 0 where the answer does not tell.
    var version = 0

    /// Reads an answer; nil for what is none.
    init?(_ bytes: [UInt8]) {
        guard let fields = ProtocolBufferFields(bytes), let kind = fields.integer(1), let success = fields.integer(2) else { return nil }
        self.kind = kind
        isSuccess = success != 0
        if let notify = fields.bytes(5).flatMap({ ProtocolBufferFields($0) }) {
            stage = notify.string(1).flatMap { CriuStage(rawValue: $0) }
            pid = Int32(truncatingIfNeeded: notify.integer(2) ?? 0)
        }
        if let restore = fields.bytes(4).flatMap({ ProtocolBufferFields($0) }) { pid = Int32(truncatingIfNeeded: restore.integer(1) ?? 0) }
        errno = Int32(truncatingIfNeeded: fields.integer(7) ?? 0)
        message = fields.string(9) ?? ""
        if let version = fields.bytes(10).flatMap({ ProtocolBufferFields($0) }) {
            func part(_ field: Int) -> Int { Int(clamping: version.integer(field) ?? 0) % 100 }
            self.version = part(1) * 10000 + part(2) * 100 + part(4)
        }
    }
}

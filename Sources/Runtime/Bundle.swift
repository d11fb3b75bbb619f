/// A bundle: the directory a container is made from, and its config, read once.
///
/// What is read here is what the container is made of, whatever happens to the files afterwards (G-02).

import CLinux
import Linux
import Spec

/// A bundle whose config is readable and valid.
struct Bundle {
    /// The directory's absolute path, without links (ST-05).
    let path: String
    /// The config's bytes as they were read.
    let text: [UInt8]
    /// The config as JSON, for telling where things stand.
    let document: JSONDocument
    /// The config.
    let config: Config
    /// What people should know about the config, though it is valid.
    let remarks: [String]
    /// The root file system's absolute path, without links.
    let rootfs: String

    /// Opens a bundle and reads its config, with all problems in one failure.
    ///
    /// - Parameter config: The config's file where it is not the bundle's config.json.
    /// - Throws: A failure of kind ``Failure/Kind/invalidConfig`` whose ``Failure/problems`` are the findings.
    /// - Source: rows G-01, R-02; bundle.md.
    init(_ directory: String, config file: String? = nil) throws(Failure) {
        path = try Bundle.absolute(directory, what: "open the bundle")
        text = try Bundle.readConfig(file ?? "\(path)/config.json")
        do throws(JSONDocument.SyntaxError) { document = try JSONDocument(text) } catch {
            throw Failure(problems: [Diagnostic(error).rendered(document: nil)])
        }
        let (config, findings) = Config.check(document)
        let document = self.document
        if findings.hasErrors {
            throw Failure(problems: findings.filter { $0.severity == .error }.map { $0.rendered(document: document) })
        }
        self.config = config
        remarks = findings.filter { $0.severity == .warning }.map { $0.unmarked(document: document) }
        guard let root = config.root else { throw Failure("open the root file system", detail: "the config has none") }
        let name = root.path.value
        rootfs = try Bundle.absolute(
            name.utf8.first == UInt8(ascii: "/") ? name : "\(path)/\(name)", what: "open the root file system",
            place: Bundle.place(of: root.path.origin, in: document))
    }

    /// Where in config.json a value stands.
    func place(of origin: Origin) -> Failure.Place? {
        Bundle.place(of: origin, in: document)
    }

    private static func place(of origin: Origin, in document: JSONDocument) -> Failure.Place? {
        if origin == .none { return nil }
        let (line, column) = document.position(of: origin)
        return Failure.Place(pointer: document.pointer(of: origin), line: line, column: column)
    }

    /// A directory's absolute path with all links followed, by way of its descriptor.
    private static func absolute(_ directory: String, what: String, place: Failure.Place? = nil) throws(Failure) -> String {
        do throws(Errno) {
            let descriptor = try OwnedFD.open(directory, [.path, .directory])
            return try readLink("/proc/self/fd/\(descriptor.raw)")
        } catch {
            throw Failure(what, directory, errno: error, place: place)
        }
    }

    /// Reads the config: a regular file of at most 16 MiB, without waiting for whoever may be at the other end of a fifo.
    private static func readConfig(_ file: String) throws(Failure) -> [UInt8] {
        do throws(Errno) {
            let descriptor = try OwnedFD.open(file, [.read, .nonBlocking, .noControllingTerminal])
            let status = try FileStatus.of(at: descriptor.number)
            guard status.isRegular else { throw Errno.invalidArgument }
            return try descriptor.readAll(limit: 16 << 20)
        } catch {
            let detail: String? =
                switch error {
                case .noEntry:
                    file.utf8.reversed().starts(with: "/config.json".utf8.reversed()) ? "the bundle has no config.json" : "it is missing"
                case .invalidArgument: "it is not a regular file"
                case .fileTooLarge: "it has more than 16 MiB"
                default: nil
                }
            // "no such file or directory" would be read as a missing program by engines.
            throw Failure("read", file, detail: detail, errno: detail == nil ? error : nil, kind: .unreadable)
        }
    }
}

/// The target of a symbolic link.
///
/// Source: readlink(2).
func readLink(_ path: String) throws(Errno) -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = try path.withPath { path throws(Errno) in
        try buffer.withUnsafeMutableBufferPointer { buffer throws(Errno) in
            try kernel(__NR_readlinkat, workingDirectory, path.address, Int(bitPattern: buffer.baseAddress), buffer.count)
        }
    }
    return String(decoding: buffer[..<count], as: UTF8.self)
}

/// The places of a checkpoint on disk, and what is told where criu fails.

import CLinux
import Linux

/// The directories that criu writes to, open.
struct CriuDirectories: ~Copyable {
    /// Where the images are.
    let images: OwnedFD
    /// Where the log goes.
    let work: OwnedFD
    /// The path of the log, for people.
    let log: String
    private let logFile: String
    /// The directory of the images, if it was missing before.
    private let made: String?

    /// Opens the directories.
    ///
    /// - Parameter isNew: Whether they are made where they are missing.
    init(_ settings: CriuSettings, logFile: String, isNew: Bool) throws(Failure) {
        self.logFile = logFile
        let isThere = (try? OwnedFD.open(settings.imagePath, .path)) != nil
        made = isThere ? nil : settings.imagePath
        let images = try CriuDirectories.open(settings.imagePath, "--image-path", making: isNew)
        let work = try CriuDirectories.open(settings.workPath ?? settings.imagePath, "--work-path", making: true)
        self.images = images
        self.work = work
        log = "\(settings.workPath ?? settings.imagePath)/\(logFile)"
        // What stands in an old one is not about this call.
        let directory = self.work.number
        _ = try? logFile.withPath { name throws(Errno) in try kernel(__NR_unlinkat, directory, name.address, 0) }
    }

    private static func open(_ path: String, _ option: String, making: Bool) throws(Failure) -> OwnedFD {
        do throws(Errno) {
            if making { try makeDirectories(path) }
            return try OwnedFD.open(path, [.read, .directory])
        } catch { throw Failure("open the directory of \(option)", path, errno: error) }
    }

    private static func makeDirectories(_ path: String) throws(Errno) {
        var made = path.utf8.first == UInt8(ascii: "/") ? "" : "."
        for component in path.split(separator: "/", omittingEmptySubsequences: true) {
            made += "/" + component
            do throws(Errno) {
                try made.withPath { name throws(Errno) in _ = try kernel(__NR_mkdirat, workingDirectory, name.address, 0o700) }
            } catch {
                guard error == .exists || error == .readOnly else { throw error }
            }
        }
    }

    /// Takes back the directory of the images, if it was missing before and nothing has been written to it.
    borrowing func removeIfEmpty() {
        guard let path = made else { return }
        _ = try? path.withPath { path throws(Errno) in try kernel(__NR_unlinkat, workingDirectory, path.address, Int(AT_REMOVEDIR)) }
    }

    /// The end of the log; nothing where there is none.
    private borrowing func logged() -> [UInt8] {
        guard let file = try? OwnedFD.open(logFile, [.read, .noFollow], at: work.number), let size = try? fileSize(file.number),
            (try? kernel(__NR_lseek, file.number, max(0, size - (256 << 10)), 0)) != nil
        else { return [] }
        return (try? file.readAll(limit: 1 << 20)) ?? []
    }

    /// What is told of a criu that has failed: its own reason, and where there is more.
    borrowing func failure(
        _ operation: String, _ id: ContainerID, _ criu: borrowing CriuProcess, _ response: CriuResponse?, _ problem: Failure?
    )
        -> Failure
    {
        let log = logged()
        var reason = criuErrors(log)
        if reason.isEmpty { reason = response?.message ?? "" }
        if reason.isEmpty {
            let printed = criu.printed()
            reason = criuErrors(printed)
            if reason.isEmpty, let line = printed.split(separator: UInt8(ascii: "\n")).last {
                reason = String(decoding: line.prefix(600), as: UTF8.self)
            }
        }
        if reason.isEmpty { reason = problem?.detail ?? "" }
        if reason.isEmpty, let errno = response?.errno, errno != 0 { reason = Errno(code: errno).words }
        return Failure(
            operation, id.name, detail: "criu: \(reason.isEmpty ? "it gives no reason" : reason)",
            hint: log.isEmpty ? nil : "\(self.log) tells more")
    }
}

/// The descriptors that criu gets for a restore: what stands for files, programs and namespaces from outside of the container.

import CLinux
import Linux
import Spec

/// Open descriptors, each with the name by which the images know it.
struct RestoreFiles: ~Copyable {
    private(set) var named: [CriuOptions.Named<Int32>] = []
    /// Whether a file may have other permissions than the one that was dumped.
    private(set) var ignoresPermissions = false

    deinit {
        for file in named { kernelIgnoringFailure(__NR_close, Int(file.value)) }
    }

    /// Opens what a checkpoint needs.
    ///
    /// - Parameter preserved: How many of the caller's descriptors from 3 on take the place of those that the payload had from outside.
    init(_ checkpoint: CheckpointRecord, joined: borrowing JoinedNamespaces, preserved: UInt32) throws(Failure) {
        if checkpoint.program != nil { try add(checkpoint.program!, InitImage().descriptor) }
        for (type, descriptor) in joined.joined where [.network, .pid].contains(type) { try add(type.criuKey, copying: descriptor) }
        for file in checkpoint.files where !named.contains(where: { $0.key == file.key }) {
            try add(file, isOwn: file.descriptor < 3 + Int32(preserved))
        }
    }

    /// Adds what takes the place of a file.
    ///
    /// - Parameter isOwn: Whether the caller's descriptor of the same number does, if it is of the kind.
    private mutating func add(_ file: OutsideFile, isOwn: Bool) throws(Failure) {
        let own = isOwn ? try? FileStatus.of(at: Int(file.descriptor)) : nil
        switch file.kind {
        case .channel:
            if own != nil { try add(file.key, copying: file.descriptor) }
        case .null:
            if own?.isCharacterDevice(1, 3) == true { return try add(file.key, copying: file.descriptor) }
            try add(file.key, opening: "/dev/null")
        case .file:
            ignoresPermissions = true
            if own?.isRegular == true { return try add(file.key, copying: file.descriptor) }
            try add(file.key, file.reopened())
        }
    }

    private mutating func add(_ key: String, opening path: String) throws(Failure) {
        try add(key, openOutside(path))
    }

    private mutating func add(_ key: String, _ file: borrowing OwnedFD) throws(Failure) { try add(key, copying: file.raw) }

    /// Adds a copy of a descriptor, whose number nothing of criu's reaches.
    private mutating func add(_ key: String, copying descriptor: Int32) throws(Failure) {
        let copy = try Failure.during("pass descriptor \(descriptor) to criu") { () throws(Errno) in
            try kernel(__NR_fcntl, Int(descriptor), Int(F_DUPFD_CLOEXEC), 64)
        }
        named.append(CriuOptions.Named(key, Int32(copy)))
    }
}

extension OutsideFile {
    /// Opens the file once more, if it is the one that was dumped.
    ///
    /// The path alone proves nothing: a file that a payload has from a mount namespace of its own making shows the path in there, which may well
    /// be that of a secret of the host.
    func reopened() throws(Failure) -> OwnedFD {
        let file = try openOutside(path)
        let number = file.number
        let status = try Failure.during("look at what the container had open", path) { () throws(Errno) in try FileStatus.of(at: number) }
        guard status.fileSystem == fileSystem, status.inode == inode else {
            throw Failure(
                "open what the container had open", path, detail: "it is not the file that descriptor \(descriptor) was open on",
                hint: "restore with a file as descriptor \(descriptor)")
        }
        return file
    }
}

private func openOutside(_ path: String) throws(Failure) -> OwnedFD {
    try Failure.during("open what the container had open", path) { () throws(Errno) in try OwnedFD.open(path, .path) }
}

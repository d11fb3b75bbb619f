/// Compiled filters, kept under the state root: compiling one costs more than all the rest of a create.
///
/// A file is a header, the whole key, and the program. The key is everything that the program depends on, so a hit is an equal key,
/// not an equal hash. Files are only believed if nobody but the state root's owner could have written them.

import CLinux
import CSeccomp
import Linux
public import Spec

/// Compiles a filter, or finds it compiled.
///
/// - Parameter source: The raw JSON text of the filter.
public func cachedSeccomp(
    _ seccomp: Seccomp, source: ArraySlice<UInt8>, store: StateStore, place: (Origin) -> Failure.Place? = { _ in nil }
) throws(Failure) -> SeccompProgram {
    let cache = SeccompCache(store, source: source)
    let flags = try filterFlags(seccomp, place)
    if let instructions = cache.read() { return SeccompProgram(instructions: instructions, flags: flags) }
    let program = try compileSeccomp(seccomp, place: place)
    cache.write(program.instructions)
    return program
}

/// The place of one filter in the cache.
struct SeccompCache {
    /// The directory under the state root: a name that no container's id can be.
    static let directory = "@seccomp"
    /// Counts changes of what the compiler makes of the same key.
    static let format: UInt8 = 1
    /// More files than that are leftovers of something that makes its filters up.
    static let maximumFiles = 128

    private let store: StateStore
    private let key: [UInt8]

    init(_ store: StateStore, source: ArraySlice<UInt8>) {
        self.store = store
        var key = Array("swoci \(SeccompCache.format) libseccomp \(libseccompVersion()) arch \(seccomp_arch_native())\n".utf8)
        key.append(contentsOf: source)
        self.key = key
    }

    /// The file's name: FNV-1a of the key.
    var name: String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// The program, if the file is there, ours, whole, and of this key.
    func read() -> [UInt8]? {
        guard let root = try? store.openRoot(making: false), let directory = openDirectory(root),
            let file = try? OwnedFD.open(name, [.read, .noFollow], at: directory.number), isTrusted(file, isRegular: true),
            let content = try? file.readAll(limit: 1 << 20)
        else { return nil }
        return SeccompCache.program(in: content, key: key)
    }

    /// Keeps a program.
    ///
    /// That it cannot be kept is no failure.
    func write(_ instructions: [UInt8]) {
        do { try replace(SeccompCache.content(instructions, key: key)) } catch {}
    }

    // MARK: Content

    /// "swsc", the key's length, the program's length; the key; the program.
    static func content(_ instructions: [UInt8], key: [UInt8]) -> [UInt8] {
        magic + word(key.count) + word(instructions.count) + key + instructions
    }

    /// The program of a file's content.
    static func program(in content: [UInt8], key: [UInt8]) -> [UInt8]? {
        let head = magic + word(key.count)
        guard content.count > head.count + 4, content.starts(with: head) else { return nil }
        let start = head.count + 4 + key.count
        let count = content.count - start
        guard count > 0, count % SeccompProgram.instructionSize == 0,
            count <= SeccompProgram.maximumCount * SeccompProgram.instructionSize,
            content[head.count..<(head.count + 4)] == word(count)[...], hasBytes(content, at: head.count + 4, key)
        else { return nil }
        var program: [UInt8] = []
        program.append(contentsOf: content[start...])
        return program
    }

    /// Whether these bytes stand there: eight at a time, because a key is a whole profile.
    private static func hasBytes(_ content: [UInt8], at start: Int, _ bytes: [UInt8]) -> Bool {
        guard start + bytes.count <= content.count else { return false }
        return content.withUnsafeBytes { content in
            bytes.withUnsafeBytes { bytes in
                var at = 0
                while at + 8 <= bytes.count {
                    guard
                        content.loadUnaligned(fromByteOffset: start + at, as: UInt64.self)
                            == bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                    else { return false }
                    at += 8
                }
                while at < bytes.count {
                    guard content[start + at] == bytes[at] else { return false }
                    at += 1
                }
                return true
            }
        }
    }

    private static let magic: [UInt8] = Array("swsc".utf8)

    private static func word(_ number: Int) -> [UInt8] {
        [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    // MARK: Files

    private func openDirectory(_ root: borrowing OwnedFD) -> OwnedFD? {
        guard let directory = try? OwnedFD.open(SeccompCache.directory, [.read, .directory, .noFollow], at: root.number),
            isTrusted(directory, isRegular: false)
        else { return nil }
        return directory
    }

    private func isTrusted(_ file: borrowing OwnedFD, isRegular: Bool) -> Bool {
        guard let status = try? FileStatus.of(at: file.number) else { return false }
        return status.uid == effectiveUser() && status.mode & 0o022 == 0 && status.isRegular == isRegular
    }

    private func replace(_ content: [UInt8]) throws(Errno) {
        guard let root = try? store.openRoot(making: true) else { return }
        do {
            try SeccompCache.directory.withPath { name throws(Errno) in _ = try kernel(__NR_mkdirat, root.number, name.address, 0o700) }
        } catch {
            if error != .exists { throw error }
        }
        guard let directory = openDirectory(root) else { return }
        try makeRoom(directory)
        // The pid keeps two writers apart; both write the same.
        let temporary = "\(name).\(cl_syscall(Int(__NR_getpid), 0, 0, 0, 0, 0, 0))"
        let file = try OwnedFD.open(temporary, [.write, .create, .truncate, .noFollow], at: directory.number, mode: 0o600)
        try file.writeAll(content)
        try temporary.withPath { old throws(Errno) in
            try name.withPath { new throws(Errno) in
                _ = try kernel(__NR_renameat2, directory.number, old.address, directory.number, new.address, 0)
            }
        }
    }

    private func makeRoom(_ directory: borrowing OwnedFD) throws(Errno) {
        let names = try directoryNames(directory)
        guard names.count >= SeccompCache.maximumFiles else { return }
        for name in names {
            try name.withPath { name throws(Errno) in kernelIgnoringFailure(__NR_unlinkat, directory.number, name.address, 0) }
        }
    }
}

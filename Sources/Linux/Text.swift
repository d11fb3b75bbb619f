/// Strings at the kernel's border: for the programs that have a heap. `swoci-init` uses none of this.

import CLinux

extension Errno {
    /// The symbolic name, as errno(3) lists it: "ENOENT".
    public var name: String {
        for row in errnoTable where row.code == code { return row.name.description }
        return "errno \(code)"
    }

    /// What the error means, in lower case as container engines match it: "no such file or directory".
    public var text: String {
        for row in errnoTable where row.code == code { return row.text.description }
        return "errno \(code)"
    }
}

extension String {
    /// Lends the string to the kernel, NUL-terminated.
    ///
    /// A string that came from JSON has no NUL inside: Spec refuses it.
    public func withPath<R>(_ body: (CString) throws(Errno) -> R) throws(Errno) -> R {
        let bytes = utf8CString
        return try bytes.withUnsafeBufferPointer { buffer throws(Errno) in try body(buffer.baseAddress!) }
    }
}

extension OwnedFD {
    /// Opens a path of the caller's own file system view.
    ///
    /// Source: openat(2).
    public static func open(
        _ path: String, _ flags: OpenFlags, at directory: Int = workingDirectory, mode: UInt32 = 0
    ) throws(Errno) -> OwnedFD {
        OwnedFD(try path.withPath { pointer throws(Errno) in try open(pointer, flags, at: directory, mode: mode).release() })
    }

    /// Reads to the end of the file.
    ///
    /// - Throws: ``Errno/fileTooLarge`` for more than `limit` bytes.
    public borrowing func readAll(limit: Int = 16 << 20) throws(Errno) -> [UInt8] {
        // Most files that are read whole are small: those of /proc, of cgroups, of the state directory.
        var result = [UInt8](repeating: 0, count: 4096)
        var filled = 0
        while true {
            let descriptor = number
            if filled == result.count {
                // All the rest at once, and a byte more that shows the end; it is no promise, as a file may grow.
                let size = (try? FileStatus.of(at: descriptor))?.size ?? 0
                let before = result
                result = [UInt8](repeating: 0, count: max(2 * filled, min(Int(clamping: size), limit) + 1))
                result.withUnsafeMutableBytes { larger in before.withUnsafeBytes { larger.copyMemory(from: $0) } }
            }
            let count = try result.withUnsafeMutableBufferPointer { buffer throws(Errno) in
                try kernel(__NR_read, descriptor, Int(bitPattern: buffer.baseAddress! + filled), buffer.count - filled)
            }
            filled += count
            if filled > limit { throw .fileTooLarge }
            if count == 0 {
                result.removeLast(result.count - filled)
                return result
            }
        }
    }

    /// Writes all of a string.
    public borrowing func writeAll(_ text: String) throws(Errno) {
        try writeAll(Array(text.utf8))
    }

    /// Writes all bytes.
    public borrowing func writeAll(_ bytes: [UInt8]) throws(Errno) {
        let descriptor = number
        try bytes.withUnsafeBufferPointer { buffer throws(Errno) in
            var done = 0
            while done < buffer.count {
                done += try kernel(__NR_write, descriptor, Int(bitPattern: buffer.baseAddress! + done), buffer.count - done)
            }
        }
    }
}

/// Reads a small file of /proc or /sys as text, without its last newline.
public func readText(_ path: String, at directory: Int = workingDirectory) throws(Errno) -> String {
    let bytes = try OwnedFD.open(path, .read, at: directory).readAll(limit: 1 << 20)
    return String(decoding: bytes.last == 10 ? bytes.dropLast() : bytes[...], as: UTF8.self)
}

/// Writes a control file of /proc, /sys or a cgroup in one write(2), which is how these files take a value.
public func writeText(_ text: String, to path: String, at directory: Int = workingDirectory) throws(Errno) {
    let file = try OwnedFD.open(path, .write, at: directory)
    let bytes = Array(text.utf8)
    let descriptor = file.number
    let count = try bytes.withUnsafeBufferPointer { buffer throws(Errno) in
        try kernel(__NR_write, descriptor, Int(bitPattern: buffer.baseAddress), buffer.count)
    }
    if count != bytes.count { throw .inputOutput }
}

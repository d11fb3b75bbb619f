/// The few kernel calls on cgroup directories that nobody else needs, and the words of /proc and cgroup files.

import CLinux
import Linux

/// Runs a system call and, where it fails, says what it was for.
func attempt<R: ~Copyable>(_ operation: String, _ path: String, _ body: () throws(Errno) -> R) throws(CgroupError) -> R {
    do { return try body() } catch { throw CgroupError(operation, path, error) }
}

/// The words between separators, without empty ones.
func split(_ text: String, _ separator: Character) -> [String] {
    text.split(separator: separator).map(String.init)
}

/// Reads a text of any length.
func readLongText(_ path: String) throws(Errno) -> String {
    String(decoding: try OwnedFD.open(path, .read).readAll(), as: UTF8.self)
}

/// The magic number of the file system a path is on; nil where there is nothing.
///
/// Source: statfs(2).
func fileSystemType(_ path: String) -> Int64? {
    var answer = cl_statfs()
    let result = try? path.withPath { path throws(Errno) in
        try withUnsafeMutablePointer(to: &answer) { answer throws(Errno) in
            try kernel(__NR_statfs, path.address, Int(bitPattern: answer))
        }
    }
    return result == nil ? nil : answer.type
}

/// Whether there is a file of that path.
func exists(_ path: String) -> Bool {
    (try? path.withPath { path throws(Errno) in try kernel(__NR_faccessat, workingDirectory, path.address, 0) }) != nil
}

/// Makes a directory.
func makeDirectory(_ path: String) throws(Errno) {
    try path.withPath { path throws(Errno) in _ = try kernel(__NR_mkdirat, workingDirectory, path.address, 0o755) }
}

/// Removes an empty directory, or a cgroup without processes and children.
func removeDirectory(_ path: String) throws(Errno) {
    try path.withPath { path throws(Errno) in
        _ = try kernel(__NR_unlinkat, workingDirectory, path.address, Int(AT_REMOVEDIR))
    }
}

/// The names of a directory's subdirectories.
func subdirectories(of path: String) throws(Errno) -> [String] {
    let directory = try OwnedFD.open(path, [.read, .directory])
    let descriptor = directory.number
    var names: [String] = []
    var buffer = [UInt8](repeating: 0, count: 8192)
    while true {
        let count = try buffer.withUnsafeMutableBufferPointer { buffer throws(Errno) in
            try kernel(__NR_getdents64, descriptor, Int(bitPattern: buffer.baseAddress), buffer.count)
        }
        if count == 0 { return names }
        var start = 0
        while start < count {
            // struct linux_dirent64: 8 bytes inode, 8 bytes offset, 2 bytes length, 1 byte type, the name.
            let length = Int(buffer[start + 16]) | Int(buffer[start + 17]) << 8
            let name = buffer[(start + 19)..<(start + length)].prefix { $0 != 0 }
            if buffer[start + 18] == 4, name != [46], name != [46, 46] { names.append(String(decoding: name, as: UTF8.self)) }
            start += length
        }
    }
}

/// Nanoseconds on the monotonic clock.
func monotonicTime() -> Int64 {
    var time = cl_timespec()
    withUnsafeMutablePointer(to: &time) { kernelIgnoringFailure(__NR_clock_gettime, 1, Int(bitPattern: $0)) }
    return time.seconds * 1_000_000_000 + time.nanoseconds
}

/// Sleeps.
func pause(nanoseconds: Int64) {
    var time = cl_timespec(seconds: nanoseconds / 1_000_000_000, nanoseconds: nanoseconds % 1_000_000_000)
    withUnsafeMutablePointer(to: &time) { kernelIgnoringFailure(__NR_nanosleep, Int(bitPattern: $0), 0) }
}

/// Waits until a file of kernfs says that it has changed since it was last read, or until the time is over.
///
/// - Parameter events: What to wait for: POLLPRI for a file of kernfs, POLLIN for a pidfd.
/// - Source: cgroups(7), cgroup.events; pidfd_open(2).
func waitForChange(of file: borrowing OwnedFD, nanoseconds: Int64, events: Int16 = 2) {
    var entry = cl_pollfd(fd: file.raw, events: events, revents: 0)
    var time = cl_timespec(seconds: nanoseconds / 1_000_000_000, nanoseconds: nanoseconds % 1_000_000_000)
    withUnsafeMutablePointer(to: &entry) { entry in
        withUnsafeMutablePointer(to: &time) { time in
            kernelIgnoringFailure(__NR_ppoll, Int(bitPattern: entry), 1, Int(bitPattern: time), 0)
        }
    }
}

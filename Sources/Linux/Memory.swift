/// Files in memory and memory from files.

import CLinux

/// Makes an unnamed file in memory.
///
/// Source: memfd_create(2).
public func makeMemoryFile(_ name: CString, sealable: Bool = false, executable: Bool = false) throws(Errno) -> OwnedFD {
    // MFD_CLOEXEC 1, MFD_ALLOW_SEALING 2, MFD_EXEC 0x10 (Linux 6.3; older kernels refuse the flag and make every file executable).
    let flags = 1 | (sealable ? 2 : 0)
    if executable {
        do { return OwnedFD(try kernel(__NR_memfd_create, name.address, flags | 0x10)) } catch {
            if error != .invalidArgument { throw error }
        }
    }
    return OwnedFD(try kernel(__NR_memfd_create, name.address, flags))
}

/// Forbids every later change of a memory file, and changing that.
///
/// Source: fcntl(2), F_ADD_SEALS.
public func seal(_ file: Int) throws(Errno) {
    // F_ADD_SEALS 1033; F_SEAL_SEAL 1, SHRINK 2, GROW 4, WRITE 8.
    try kernel(__NR_fcntl, file, 1033, 15)
}

/// Maps a file's bytes for reading.
///
/// Source: mmap(2).
public func mapFile(_ file: Int, count: Int) throws(Errno) -> UnsafeRawPointer {
    // PROT_READ 1, MAP_PRIVATE 2.
    UnsafeRawPointer(bitPattern: try kernel(__NR_mmap, 0, count, 1, 2, file, 0))!
}

/// Gives a mapping back.
public func unmap(_ address: UnsafeRawPointer, count: Int) {
    kernelIgnoringFailure(__NR_munmap, Int(bitPattern: address), count)
}

/// The size of an open file in bytes.
public func fileSize(_ file: Int) throws(Errno) -> Int {
    // SEEK_END 2.
    try kernel(__NR_lseek, file, 0, 2)
}

/// Goes back to the start of an open file.
public func seekToStart(_ file: borrowing OwnedFD) throws(Errno) {
    // SEEK_SET 0.
    try kernel(__NR_lseek, file.number, 0, 0)
}

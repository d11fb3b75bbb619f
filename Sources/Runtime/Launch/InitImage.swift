/// The init's program as a file that nobody can write: the process in the container is never backed by a writable host file.
///
/// A container that is root could open /proc/PID/exe of a process that enters it, and overwrite the host's program through it
/// (CVE-2019-5736). A sealed copy in memory costs some ten microseconds.

import CLinux
import Linux

/// A sealed copy of `swoci-init`.
struct InitImage: ~Copyable {
    let descriptor: OwnedFD

    /// Copies the init that was built and installed with this program.
    init() throws(Failure) {
        let path = try InitImage.find()
        do throws(Errno) {
            let program = try OwnedFD.open(path, .read)
            let size = try fileSize(program.number)
            let copy = try makeMemoryFile(literal("swoci-init"), sealable: true, executable: true)
            try seekToStart(program)
            var left = size
            while left > 0 {
                let count = try kernel(__NR_sendfile, copy.number, program.number, 0, left)
                if count == 0 { throw Errno.inputOutput }
                left -= count
            }
            try seal(copy.number)
            descriptor = copy
        } catch {
            throw Failure("copy the init", path, errno: error)
        }
    }

    /// Beside this program, or below its installation's libexec.
    private static func find() throws(Failure) -> String {
        do throws(Errno) {
            let own = try readLink("/proc/self/exe")
            let directory = own[..<(own.lastIndex(of: "/") ?? own.startIndex)]
            for candidate in ["\(directory)/swoci-init", "\(directory)/../libexec/swoci/swoci-init"] {
                let found = try? candidate.withPath { path throws(Errno) in try FileStatus.of(path, at: workingDirectory, follow: true) }
                if found?.isRegular == true { return candidate }
            }
            throw Errno.noEntry
        } catch {
            throw Failure(
                "find the init", "swoci-init", detail: "it is missing",
                hint: "it is expected beside swoci, or in ../libexec/swoci from there")
        }
    }
}

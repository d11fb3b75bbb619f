import Foundation
import Linux
import Testing

@Suite("Error numbers")
struct ErrnoTests {
    /// The names that linux/errno.h gives to numbers, first come first served: later ones are aliases.
    private func kernelNames() throws -> [Int32: String] {
        var names: [Int32: String] = [:]
        for file in ["errno-base.h", "errno.h"] {
            for line in try String(contentsOfFile: "/usr/include/asm-generic/\(file)", encoding: .utf8).split(separator: "\n") {
                let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
                guard words.count >= 3, words[0] == "#define", words[1].hasPrefix("E"), let code = Int32(words[2]) else { continue }
                if names[code] == nil { names[code] = String(words[1]) }
            }
        }
        return names
    }

    @Test("each has the name of the kernel's own list")
    func names() throws {
        let names = try kernelNames()
        #expect(names.count > 130)
        for (code, name) in names { #expect(Errno(code: code).name == name) }
    }

    @Test("each has the text of strerror(3), which engines match, beginning in lower case")
    func texts() throws {
        for code in try kernelNames().keys {
            let text = String(cString: strerror(code))
            #expect(Errno(code: code).text == text.prefix(1).lowercased() + text.dropFirst())
        }
    }

    @Test("a number that nobody knows is named by itself", arguments: [0, 41, 58, 134, 4095, -1] as [Int32])
    func unknown(_ code: Int32) {
        #expect(Errno(code: code).name == "errno \(code)")
        #expect(Errno(code: code).text == "errno \(code)")
    }

    /// The constants, by the name that each must have.
    static let constants: [(constant: Errno, code: Int32)] = [
        (.notPermitted, EPERM), (.noEntry, ENOENT), (.noProcess, ESRCH), (.interrupted, EINTR), (.inputOutput, EIO),
        (.noDeviceOrAddress, ENXIO), (.tooBig, E2BIG), (.execFormat, ENOEXEC), (.badDescriptor, EBADF), (.noChild, ECHILD),
        (.again, EAGAIN), (.noMemory, ENOMEM), (.accessDenied, EACCES), (.busy, EBUSY), (.exists, EEXIST), (.crossDevice, EXDEV),
        (.noDevice, ENODEV), (.notDirectory, ENOTDIR), (.isDirectory, EISDIR), (.invalidArgument, EINVAL), (.notTerminal, ENOTTY),
        (.fileTooLarge, EFBIG), (.noSpace, ENOSPC), (.illegalSeek, ESPIPE), (.readOnly, EROFS), (.brokenPipe, EPIPE),
        (.outOfRange, ERANGE), (.nameTooLong, ENAMETOOLONG), (.notImplemented, ENOSYS), (.notEmpty, ENOTEMPTY), (.loop, ELOOP),
        (.noData, ENODATA), (.protocolError, EPROTO), (.badMessage, EBADMSG), (.overflow, EOVERFLOW), (.notSupported, EOPNOTSUPP),
        (.connectionReset, ECONNRESET), (.timedOut, ETIMEDOUT), (.connectionRefused, ECONNREFUSED),
    ]

    @Test("the constants are the C library's numbers", arguments: constants.indices)
    func constant(_ index: Int) {
        #expect(ErrnoTests.constants[index].constant.code == ErrnoTests.constants[index].code)
    }

    @Test("a failed system call tells its number and the kernel's errno")
    func systemCall() {
        #expect {
            _ = try OwnedFD.open("/no/such/file", .read)
        } throws: { error in
            (error as? Errno).map { $0 == .noEntry && $0.call == openatCall } ?? false
        }
    }
}

/// The one funnel through which every system call passes.

import CLinux

/// Makes a system call, again where a signal interrupted it.
///
/// - Returns: The call's result, which is never negative.
/// - Throws: The kernel's error number.
@discardableResult
@inline(__always)
public func kernel(
    _ call: Int32, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0, _ f: Int = 0
) throws(Errno) -> Int {
    while true {
        let result = cl_syscall(Int(call), a, b, c, d, e, f)
        if result >= 0 { return result }
        if result != -4 { throw Errno(code: Int32(truncatingIfNeeded: -result), call: call) }
    }
}

/// Makes a system call whose failure changes nothing that the caller could still do something about.
@inline(__always)
public func kernelIgnoringFailure(_ call: Int32, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0) {
    _ = cl_syscall(Int(call), a, b, c, d, e, 0)
}

/// A NUL-terminated path or string that the kernel takes, borrowed from whoever owns the bytes.
public typealias CString = UnsafePointer<CChar>

extension CString {
    /// The address, as a system call takes it.
    @inline(__always)
    public var address: Int { Int(bitPattern: self) }
}

/// The empty path, with which the `*at` calls act on a descriptor itself (AT_EMPTY_PATH).
///
/// A `StaticString`'s bytes are in the program's read-only data, so that its address stays valid.
@inline(__always)
public var emptyPath: CString { literal("") }

/// The address of a string literal, which is NUL-terminated in the program's image.
@inline(__always)
public func literal(_ text: StaticString) -> CString {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

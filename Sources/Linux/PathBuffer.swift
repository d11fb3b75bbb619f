/// Path arithmetic in a fixed buffer, for a program without a heap.

import CLinux

/// A NUL-terminated path of at most 4095 bytes (PATH_MAX) that can be taken apart and put together.
public struct PathBuffer: ~Copyable {
    private static let capacity = 4096
    private let bytes: UnsafeMutablePointer<CChar>
    private var start = 0
    private var end = 0

    /// Makes an empty path.
    public init() {
        bytes = .allocate(capacity: PathBuffer.capacity)
        bytes[0] = 0
    }

    deinit {
        bytes.deallocate()
    }

    /// The path for a system call, valid while this value lives and is not changed.
    public var cString: CString { CString(bytes + start) }
    /// How many bytes it has.
    public var count: Int { end - start }
    /// Whether it has none.
    public var isEmpty: Bool { end == start }
    /// Whether only slashes are left.
    public var isAtEnd: Bool {
        var at = start
        while at < end, bytes[at] == slash { at += 1 }
        return at == end
    }
    /// Whether it begins with a slash.
    public var isAbsolute: Bool { end > start && bytes[start] == slash }
    /// Whether it is ".".
    public var isDot: Bool { count == 1 && bytes[start] == dot }
    /// Whether it is "..".
    public var isDotDot: Bool { count == 2 && bytes[start] == dot && bytes[start + 1] == dot }
    /// Whether it is "." or "..".
    public var isDots: Bool { isDot || isDotDot }

    /// Empties it.
    public mutating func clear() {
        start = 0
        end = 0
        bytes[0] = 0
    }

    /// Adds a string at the end.
    public mutating func append(_ text: CString) throws(Errno) {
        var at = 0
        while text[at] != 0 {
            try append(byte: text[at])
            at += 1
        }
    }

    /// Adds a decimal number at the end.
    public mutating func append(number: Int) throws(Errno) {
        if number >= 10 { try append(number: number / 10) }
        try append(byte: CChar(truncatingIfNeeded: 48 + number % 10))
    }

    /// Adds an octal number at the end.
    public mutating func append(octal number: UInt32) throws(Errno) {
        if number >= 8 { try append(octal: number / 8) }
        try append(byte: CChar(truncatingIfNeeded: 48 + number % 8))
    }

    /// Adds one byte at the end.
    public mutating func append(byte: CChar) throws(Errno) {
        if end + 1 >= PathBuffer.capacity { throw .nameTooLong }
        bytes[end] = byte
        end += 1
        bytes[end] = 0
    }

    /// Adds a component, with a slash before it.
    public mutating func appendComponent(_ name: CString) throws(Errno) {
        try append(byte: slash)
        try append(name)
    }

    /// Takes the last component away.
    public mutating func removeLastComponent() {
        while end > start, bytes[end - 1] != slash { end -= 1 }
        while end > start, bytes[end - 1] == slash { end -= 1 }
        bytes[end] = 0
    }

    /// Takes the first component away and puts it into `name`; false at the end.
    public mutating func takeComponent(_ name: inout PathBuffer) -> Bool {
        while start < end, bytes[start] == slash { start += 1 }
        if start == end { return false }
        name.clear()
        while start < end, bytes[start] != slash {
            name.bytes[name.end] = bytes[start]
            name.end += 1
            start += 1
        }
        name.bytes[name.end] = 0
        return true
    }

    /// Puts another path and a slash in front.
    public mutating func prepend(_ other: borrowing PathBuffer) throws(Errno) {
        let shift = other.count + 1
        let count = self.count
        if shift + count + 1 >= PathBuffer.capacity { throw .nameTooLong }
        // Byte by byte from the end: the ranges overlap.
        if start < shift {
            var at = count
            while at >= 0 {
                bytes[shift + at] = bytes[start + at]
                at -= 1
            }
        } else {
            for at in 0...count { bytes[shift + at] = bytes[start + at] }
        }
        for at in 0..<other.count { bytes[at] = other.bytes[other.start + at] }
        bytes[shift - 1] = slash
        start = 0
        end = shift + count
    }

    /// Sets it to the target of a symbolic link that a descriptor refers to.
    ///
    /// Source: readlinkat(2).
    public mutating func readLink(_ link: Int) throws(Errno) {
        clear()
        end = try kernel(__NR_readlinkat, link, emptyPath.address, Int(bitPattern: bytes), PathBuffer.capacity - 1)
        bytes[end] = 0
    }

    /// Splits a path at its last slash.
    public static func split(_ path: CString, directory: inout PathBuffer, name: inout PathBuffer) throws(Errno) {
        directory.clear()
        name.clear()
        try directory.append(path)
        while directory.end > 1, directory.bytes[directory.end - 1] == slash { directory.end -= 1 }
        var at = directory.end
        while at > 0, directory.bytes[at - 1] != slash { at -= 1 }
        for index in at..<max(at, directory.end) { try name.append(byte: directory.bytes[index]) }
        directory.end = at
        if at == 0 { try directory.append(byte: slash) }
        directory.bytes[directory.end] = 0
    }
}

private let slash = CChar(bitPattern: UInt8(ascii: "/"))
private let dot = CChar(bitPattern: UInt8(ascii: "."))

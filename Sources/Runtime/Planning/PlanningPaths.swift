/// Paths as text: nothing here looks at a file system.

/// The absolute path that a path means when nothing on the way is a link: no "." or "..", no double or last slash.
///
/// A relative path is taken to start at "/" (M-02), and ".." stops there.
func cleanPath(_ path: String) -> String {
    var parts: [ArraySlice<UInt8>] = []
    for part in Array(path.utf8).split(separator: UInt8(ascii: "/")) {
        if part.elementsEqual([UInt8(ascii: ".")]) { continue }
        if part.elementsEqual([UInt8(ascii: "."), UInt8(ascii: ".")]) {
            _ = parts.popLast()
        } else {
            parts.append(part)
        }
    }
    if parts.isEmpty { return "/" }
    var bytes: [UInt8] = []
    for part in parts {
        bytes.append(UInt8(ascii: "/"))
        bytes += part
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// A path as it is if absolute, else below the base.
func absolutePath(_ path: String, in base: String) -> String {
    path.utf8.first == UInt8(ascii: "/") ? path : "\(base)/\(path)"
}

/// What follows the last slash.
func lastComponent(_ path: String) -> String {
    String(decoding: Array(path.utf8).split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
}

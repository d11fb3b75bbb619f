/// Connections to the sockets of engines: consoles, seccomp agents.

import Linux

/// Connects to a local stream socket at a path of any length.
///
/// The directory is opened, and the socket reached through its descriptor: an address takes 107 bytes.
///
/// - Throws: ``Errno/again`` where the listener has no room for another connection for ten seconds.
func connectToStream(_ path: String) throws(Errno) -> OwnedFD {
    let (directory, name) = split(path)
    let place = try OwnedFD.open(directory, [.path, .directory])
    return OwnedFD(
        try "/proc/self/fd/\(place.raw)/\(name)".withPath { path throws(Errno) in try connect(to: path, .stream, within: 10).release() })
}

/// A path's directory and last component.
func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let directory = String(path[..<slash])
    return (directory.isEmpty ? "/" : directory, String(path[path.index(after: slash)...]))
}

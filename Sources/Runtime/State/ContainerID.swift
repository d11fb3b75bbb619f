/// A container's id: what names a container on the command line and its directory under the state root.

/// An id of 1 to 255 characters of `[A-Za-z0-9_+.-]`, neither `.` nor `..` (ST-02).
public struct ContainerID: Equatable, Hashable, Sendable {
    /// The id as a string.
    public let name: String

    /// Checks an id.
    public init(_ name: String) throws(Failure) {
        guard ContainerID.isValid(name) else {
            throw Failure(
                "check the container id", name, hint: "1 to 255 letters, digits, '_', '+', '.' and '-', not \".\" or \"..\"",
                kind: .invalidID)
        }
        self.name = name
    }

    /// An id read from the state root, if it is one.
    init?(directory name: String) {
        guard ContainerID.isValid(name) else { return nil }
        self.name = name
    }

    private static func isValid(_ name: String) -> Bool {
        // 255 is NAME_MAX: the id is one path component.
        guard (1...255).contains(name.utf8.count), name != ".", name != ".." else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}

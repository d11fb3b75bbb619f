/// From `cgroupsPath` under the systemd driver, `slice:prefix:name`, to a scope's name, its slice, and the place of its cgroup.

import Spec

/// The name of a container's scope and where it is.
struct ScopeName: Equatable {
    /// The scope: "libpod-web.scope".
    let unit: String
    /// Its slice: "user-web.slice".
    let slice: String
    /// The slice's cgroup, below the service manager's own: ["user.slice", "user-web.slice"].
    let slicePath: [String]

    /// The longest name of a unit.
    ///
    /// Source: systemd.unit(5).
    static let maximumLength = 255

    /// The scope of a container.
    ///
    /// An absent or empty `cgroupsPath` is `:swoci:ID`, an empty slice `system.slice`, or `user.slice` of a user's own manager. Without a
    /// prefix the name stands alone.
    /// - Source: rows CG-01; systemd.slice(5).
    init(_ cgroupsPath: Located<String>?, id: String, isUser: Bool) throws(CgroupError) {
        let path = cgroupsPath.map { $0.value.isEmpty ? ":swoci:\(id)" : $0.value } ?? ":swoci:\(id)"
        func refuse(_ problem: String, hint: String? = nil) -> CgroupError {
            CgroupError("take the cgroup path", path, problem: problem, origin: cgroupsPath?.origin ?? .none, hint: hint)
        }
        let parts = path.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else {
            throw refuse(
                "expected \"slice:prefix:name\" for the systemd cgroup manager",
                hint: "such as \"system.slice:swoci:\(id)\"; for a path use --cgroup-manager cgroupfs")
        }
        guard !parts[2].isEmpty else { throw refuse("the scope has no name") }
        if parts[2].hasSuffix(".slice") { throw refuse("a slice cannot hold a container's processes", hint: "name a scope in it") }
        for part in parts[1...] where part.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 < 32 || $0 == 127 }) {
            throw refuse("a scope's name has no \"/\" and no control characters")
        }
        unit = ScopeName.escape(parts[1].isEmpty ? parts[2] : parts[1] + "-" + parts[2]) + ".scope"
        if unit.utf8.count > Self.maximumLength { throw refuse("the scope's name has more than \(Self.maximumLength) bytes") }
        slice = parts[0].isEmpty ? (isUser ? "user.slice" : "system.slice") : parts[0] == "-" ? "-.slice" : parts[0]
        guard let path = ScopeName.path(ofSlice: slice) else {
            throw refuse("\"\(slice)\" is not the name of a slice", hint: "such as \"machine-web.slice\", which is in machine.slice")
        }
        slicePath = path
    }

    /// The cgroup of a slice: each dash leads one level down, so `a-b.slice` is `a.slice/a-b.slice`; nil for what is no slice's name.
    static func path(ofSlice slice: String) -> [String]? {
        let suffix = ".slice"
        guard slice.hasSuffix(suffix), slice.utf8.count <= maximumLength, slice.utf8.allSatisfy(isPlain) else { return nil }
        if slice == "-.slice" { return [] }
        var path: [String] = []
        var name = ""
        for part in slice.dropLast(suffix.count).split(separator: "-", omittingEmptySubsequences: false) {
            if part.isEmpty { return nil }
            name += (name.isEmpty ? "" : "-") + part
            path.append(name + suffix)
        }
        return path
    }

    /// A name with what no unit's name may have as `\xNN`, and a dot at its start, as systemd-escape(1) does.
    static func escape(_ name: String) -> String {
        var result: [UInt8] = []
        for (index, byte) in name.utf8.enumerated() {
            if isPlain(byte) && !(index == 0 && byte == UInt8(ascii: ".")) {
                result.append(byte)
            } else {
                result += Array("\\x".utf8)
                for digit in [byte >> 4, byte & 15] { result.append(digit < 10 ? 48 + digit : 87 + digit) }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// What stands for itself in a unit's name; "@" would make it an instance of a template.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "\\"):
            true
        default: false
        }
    }
}

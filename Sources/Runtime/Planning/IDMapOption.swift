/// The mapping that an `idmap=` option carries: `uids=0-1-10#10-11-10;gids=0-100-10`. Rows M-07, MO-33.
///
/// A range is FIRST-HOST-COUNT: ids from FIRST on of the file system appear as those from HOST on. With `@` before it, HOST is an id of the
/// container's user namespace.

internal import Spec

/// A parsed mapping.
struct IDMapOption: Equatable {
    var uids: [IDMapping] = []
    var gids: [IDMapping] = []

    /// Parses a mapping; nil where it is none, or where an id that is relative to the container is not mapped there.
    init?(_ text: String, containerUIDs: [IDMapping], containerGIDs: [IDMapping], origin: Origin) {
        for part in Array(text.utf8).split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false) {
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = String(decoding: part[..<equals], as: UTF8.self)
            let isUIDs = name == "uids"
            guard isUIDs || name == "gids" else { return nil }
            let container = isUIDs ? containerUIDs : containerGIDs
            var ranges: [IDMapping] = []
            for range in part[(equals + 1)...].split(separator: UInt8(ascii: "#"), omittingEmptySubsequences: false) {
                guard let mapping = Self.mapping(range, container, origin) else { return nil }
                ranges.append(mapping)
            }
            if isUIDs { uids += ranges } else { gids += ranges }
        }
        if uids.isEmpty || gids.isEmpty { return nil }
    }

    private static func mapping(_ range: ArraySlice<UInt8>, _ container: [IDMapping], _ origin: Origin) -> IDMapping? {
        let isRelative = range.first == UInt8(ascii: "@")
        let fields = range.dropFirst(isRelative ? 1 : 0).split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard fields.count == 3, let first = number(fields[0]), var host = number(fields[1]), let size = number(fields[2])
        else { return nil }
        if isRelative {
            guard let outside = hostID(host, in: container) else { return nil }
            host = outside
        }
        let last = UInt64(UInt32.max)
        guard size > 0, UInt64(first) + UInt64(size) <= last, UInt64(host) + UInt64(size) <= last else { return nil }
        return IDMapping(containerID: first, hostID: host, size: size, origin: origin)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt32? {
        guard !digits.isEmpty, digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
        var value: UInt32 = 0
        for digit in digits {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt32(digit - UInt8(ascii: "0")))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }
}

/// The id outside of an id inside; nil for one that is not mapped.
func hostID(_ id: UInt32, in mappings: [IDMapping]) -> UInt32? {
    for mapping in mappings where id >= mapping.containerID && id - mapping.containerID < mapping.size {
        return mapping.hostID &+ (id - mapping.containerID)
    }
    return nil
}

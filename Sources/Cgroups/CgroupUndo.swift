/// The way back from a write: what brings a control file to what it says now.
///
/// Most files read as they are written. Those with a line for each device or resource take one line at a time, and say nothing of a
/// device that has no limit.

import Linux

/// A write(2) that restores an old value.
public struct CgroupUndo: Equatable, Sendable {
    /// The control file, absolute.
    public var path: String
    /// What is written.
    public var value: String

    /// Makes a write.
    public init(path: String, value: String) {
        self.path = path
        self.value = value
    }

    /// The way back from a write that is about to be made; empty where the file is missing or only takes values.
    static func before(_ write: CgroupWrite) -> [CgroupUndo] {
        var file = write.file
        var value = write.value
        if case .otherwise(let other, let otherValue) = write.leniency, !exists(write.path) {
            file = other
            value = otherValue
        }
        if file == "devices.allow" || file == "devices.deny" { return [] }
        let path = write.directory + "/" + file
        guard let text = try? readText(path) else { return [] }
        var result = [CgroupUndo(path: path, value: oldValue(of: file, for: value, in: text))]
        for companion in companions(of: write) {
            let path = write.directory + "/" + companion
            if let text = try? readText(path) { result.insert(CgroupUndo(path: path, value: text), at: 0) }
        }
        return result
    }

    /// Other files that a write changes too.
    private static func companions(of write: CgroupWrite) -> [String] {
        // An idle group forgets its weight.
        if write.file == "cpu.idle" { return ["cpu.shares", "cpu.weight"] }
        return write.usage != nil && write.file == "memory.max" ? ["memory.high"] : []
    }

    /// What a device or resource without a line has.
    private enum Absent {
        /// Another value of the same file means none.
        case word(String)
        /// Each `key=` of the value is unlimited.
        case unlimitedKeys
    }

    /// The files with lines, by their names' ends.
    private static let lined: [(end: String, absent: Absent)] = [
        ("weight_device", .word("default")), ("_bps_device", .word("0")), ("_iops_device", .word("0")), ("io.max", .unlimitedKeys),
        ("io.latency", .word("target=0")), (".ifpriomap", .word("0")), ("rdma.max", .unlimitedKeys), ("misc.max", .word("max")),
    ]

    /// The value that a file with this text has, where a value is about to be written.
    static func oldValue(of file: String, for value: String, in text: String) -> String {
        let lines = split(text, "\n")
        let words = split(value, " ")
        let isLined = lined.first { file.hasSuffix($0.end) }
        // "8:0 100" is a device's weight, "100" the default one.
        let isWeight = file.hasSuffix("io.weight") || file.hasSuffix("bfq.weight")
        if isWeight, !(words.first ?? "").contains(":") {
            guard let line = lines.first else { return text }
            return line.hasPrefix("default ") ? String(line.dropFirst(8)) : line
        }
        if file == "memory.oom_control" { return lines.first.map { String($0.split(separator: " ").last ?? "0") } ?? "0" }
        guard let key = words.first, isLined != nil || isWeight else { return text.isEmpty ? "\n" : text }
        if let line = lines.first(where: { split($0, " ").first == key }) { return line }
        switch isLined?.absent ?? .word("default") {
        case .word(let word): return "\(key) \(word)"
        case .unlimitedKeys:
            return ([key] + words.dropFirst().map { String($0.prefix { $0 != "=" }) + "=max" }).joined(separator: " ")
        }
    }
}

/// New lines for the `schemata` of a container's own class of service (`update --l3-cache-schema`, `--mem-bw-schema`).

import Linux

/// A class's `schemata` before a change.
struct ResctrlUndo {
    fileprivate let file: String
    fileprivate let text: String

    /// Brings the old lines back.
    func restore() { try? writeText(text, to: file) }
}

extension Resctrl {
    /// Writes lines into the `schemata` of the class that create made for the container.
    ///
    /// - Returns: The way back; nil where there is nothing to change.
    /// - Source: rows RT-03, RT-04, CLI-13.
    static func change(_ record: ResctrlRecord, _ lines: [(option: String, line: String)]) throws(Failure) -> ResctrlUndo? {
        guard let first = lines.first else { return nil }
        // A monitoring group below somebody else's class is none to change.
        guard let group = record.directories.first(where: { !$0.split(separator: "/").contains("mon_groups") }) else {
            throw Failure(
                "set --\(first.option)", first.line, detail: "the container has no class of service of its own",
                hint: "linux.intelRdt without closID gives it one")
        }
        let file = "\(group)/schemata"
        do throws(Errno) {
            let undo = ResctrlUndo(file: file, text: try readText(file) + "\n")
            // In one write(2) the kernel takes all or nothing.
            try writeText(lines.map { $0.line + "\n" }.joined(), to: file)
            return undo
        } catch {
            let root = String(group[..<(group.lastIndex(of: "/") ?? group.startIndex)])
            throw Failure("set --\(first.option)", first.line, detail: Resctrl(root: root).status, errno: error)
        }
    }
}

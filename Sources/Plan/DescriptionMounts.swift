/// The steps of the file system in words.

extension Plan {
    func describe(_ fields: MountFilesystem) -> String {
        let source = string(fields.source)
        let options = MountFilesystem.Options(rawValue: fields.options)
        var text = "mount \(show(fields.type))"
        if source.utf8.first == UInt8(ascii: "/") { text += " of \(shownText(source))" }
        text += " on \(show(fields.target.path))"
        text += inParentheses(attributeWords(fields.attributes) + strings(fields.parameters).map { shownText($0) })
        text += targetWords(fields.target) + propagationClause(fields.propagation)
        if options.contains(.inheritMode) { text += ", with the mode of the directory below it" }
        if options.contains(.inheritOwner) { text += ", with its owner" }
        if options.contains(.copyUp) { text += ", filled with what was there" }
        if options.contains(.bindWhenRefused) { text += ", or bind the host's where the kernel refuses" }
        return text
    }

    func describe(_ fields: Bind) -> String {
        var text = "bind \(show(fields.source.path)) to \(show(fields.target.path))"
        text += inParentheses(attributeWords(fields.attributes))
        if fields.source.options & 1 != 0 { text += ", with everything below it" }
        if fields.source.options & 2 != 0 { text += ", a link itself" }
        if fields.source.slot != 0 { text += ", opened before" }
        return text + targetWords(fields.target) + propagationClause(fields.propagation)
    }

    func describe(_ fields: Remount) -> String {
        let words = attributeWords(fields.attributes) + strings(fields.parameters).map { shownText($0) }
        return "remount \(show(fields.target.path))" + inParentheses(words) + propagationClause(fields.propagation)
    }

    func describe(_ fields: MakeNode) -> String {
        let numbers = fields.mode & nodeType == 0o010000 ? "" : " \(fields.major):\(fields.minor)"
        var words = ["\(nodeLetter(fields.mode))\(numbers)", "mode \(octal(fields.mode & 0o7777))"]
        if fields.uid != 0 || fields.gid != 0 { words.append("owner \(fields.uid):\(fields.gid)") }
        return "make device node \(show(fields.path))" + inParentheses(words)
    }

    func describe(_ fields: BindNode) -> String {
        let words = ["\(nodeLetter(fields.kind)) \(fields.major):\(fields.minor)"]
        return "bind device node \(show(fields.source)) of the host to \(show(fields.path))" + inParentheses(words)
    }

    private func targetWords(_ target: Target) -> String {
        target.options & 1 != 0 ? ", which may not be a link" : ""
    }

    private func propagationClause(_ change: PropagationChange) -> String {
        change.first == 0 ? "" : ", \(propagationWords(change))"
    }
}

/// S_IFMT.
private let nodeType: UInt32 = 0o170000

private func nodeLetter(_ mode: UInt32) -> String {
    switch mode & nodeType {
    case 0o010000: "p"
    case 0o060000: "b"
    default: "c"
    }
}

private func inParentheses(_ words: [String]) -> String {
    words.isEmpty ? "" : " (\(words.joined(separator: ", ")))"
}

/// MS_* of a change in words: "rslave, then shared".
func propagationWords(_ change: PropagationChange) -> String {
    let first = propagationWord(change.first)
    return change.second == 0 ? first : "\(first), then \(propagationWord(change.second))"
}

private func propagationWord(_ flags: UInt32) -> String {
    let types: [(flag: UInt32, name: String)] = [(1 << 17, "unbindable"), (1 << 18, "private"), (1 << 19, "slave"), (1 << 20, "shared")]
    for type in types where flags & type.flag != 0 { return flags & 0x4000 != 0 ? "r\(type.name)" : type.name }
    return "unchanged"
}

/// The attributes as mount options.
func attributeWords(_ change: AttributeChange) -> [String] {
    let own = attributeWords(set: change.set, clear: change.clear)
    return own + attributeWords(set: change.recursiveSet, clear: change.recursiveClear).map { "r\($0)" }
}

private func attributeWords(set: UInt64, clear: UInt64) -> [String] {
    var words: [String] = []
    for row in attributeTable {
        if set & row.bit != 0 { words.append(row.set) } else if clear & row.bit != 0 { words.append(row.clear) }
    }
    switch set & 0x70 {
    case 0x10: words.append("noatime")
    case 0x20: words.append("strictatime")
    default: if clear & 0x70 != 0 { words.append("relatime") }
    }
    return words
}

/// MOUNT_ATTR_* and the options that set and clear them.
///
/// Source: linux/mount.h.
private let attributeTable: [(bit: UInt64, set: String, clear: String)] = [
    (0x1, "ro", "rw"), (0x2, "nosuid", "suid"), (0x4, "nodev", "dev"), (0x8, "noexec", "exec"), (0x80, "nodiratime", "diratime"),
    (0x20_0000, "nosymfollow", "symfollow"),
]

/// What has to be added to criu's images for the supervising init, whose program is a file in memory.
///
/// criu knows the init's program as memory (it saves what is mapped of it) and so writes no entry for it as a file, which the link
/// /proc/PID/exe needs on restore. The entry that is added says that the file comes from outside: the runtime brings it along.
/// Source: criu's images/{mm,fdinfo,regfile}.proto; decision 016.

/// What stands in an image file.
enum CriuImages {
    /// Two numbers of four bytes at the beginning tell what the file is.
    private static let header = 8
    /// fd_types.REG.
    private static let regular: UInt64 = 1

    /// The entry to append to files.img.
    ///
    /// - Parameters:
    ///   - memory: mm-PID.img of the process whose program is missing.
    ///   - files: files.img.
    ///   - key: What the program is called among what comes from outside.
    /// - Returns: Nothing where none is missing; nil where the images are not understood.
    static func programEntry(memory: [UInt8], files: [UInt8], key: String) -> [UInt8]? {
        guard let process = entries(memory)?.first.flatMap({ ProtocolBufferFields($0) }), let id = process.integer(12),
            let all = entries(files)
        else { return nil }
        for entry in all {
            guard let file = ProtocolBufferFields(entry) else { return nil }
            if file.integer(1) == regular, file.integer(2) == id { return [] }
        }
        var writer = ProtocolBufferWriter()
        writer.add(1, regular)
        writer.add(2, id)
        writer.add(3) { file in
            file.add(1, id)
            // Open for reading, at its beginning, with no owner.
            file.add(2, 0 as UInt64)
            file.add(3, 0 as UInt64)
            file.add(5) { owner in
                for field in 1...5 { owner.add(field, 0 as UInt64) }
            }
            file.add(6, key)
            // From outside.
            file.add(9, true)
        }
        return bytes(of: UInt32(writer.bytes.count)) + writer.bytes
    }

    /// The messages in an image file, each of which follows its length.
    private static func entries(_ image: [UInt8]) -> [[UInt8]]? {
        var rest = image.dropFirst(header)
        var result: [[UInt8]] = []
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            var count = 0
            for (shift, byte) in rest.prefix(4).enumerated() { count |= Int(byte) << (8 * shift) }
            rest = rest.dropFirst(4)
            guard count <= rest.count else { return nil }
            result.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return result
    }

    private static func bytes(of number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}

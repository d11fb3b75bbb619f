/// The specification's versions, and Semantic Versioning as far as it takes to read one.

/// The versions of the OCI runtime specification that this model covers (G-03, FE-02).
public enum SpecVersion {
    /// The oldest.
    public static let minimum = "1.0.0"
    /// The newest: also what state documents comply with (ST-01).
    public static let maximum = "1.3.0"

    static let minor = 3
}

/// MAJOR.MINOR.PATCH[-PRERELEASE][+BUILD].
///
/// Source: semver.org 2.0.0.
struct SemanticVersion: Equatable {
    let major: Int
    let minor: Int
    let patch: Int

    init?(_ text: String) {
        let withoutBuild = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        if withoutBuild.count == 2, !SemanticVersion.isDotted(withoutBuild[1], numbersAreBare: false) { return nil }
        let parts = withoutBuild[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, !SemanticVersion.isDotted(parts[1], numbersAreBare: true) { return nil }
        let numbers = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 3, let major = SemanticVersion.number(numbers[0]), let minor = SemanticVersion.number(numbers[1]),
            let patch = SemanticVersion.number(numbers[2])
        else { return nil }
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), !hasLeadingZero(text) else { return nil }
        return Int(text)
    }

    private static func hasLeadingZero(_ text: Substring) -> Bool { text.utf8.count > 1 && text.utf8.first == UInt8(ascii: "0") }

    /// Identifiers of letters, digits and hyphens; in a pre-release numbers have no leading zeros.
    private static func isDotted(_ text: Substring, numbersAreBare: Bool) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            guard !part.isEmpty, part.utf8.allSatisfy({ isIdentifierByte($0) }) else { return false }
            return !numbersAreBare || !hasLeadingZero(part) || !part.utf8.allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
        }
    }

    private static func isIdentifierByte(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "-")
    }
}

/// `exec --user`: numbers, or names that the container's own /etc/passwd and /etc/group explain. Row P-39.

import Spec

/// What the option says.
struct UserOption: Equatable, Sendable {
    /// A number or a name.
    enum Part: Equatable, Sendable {
        /// Digits are always a number, whatever names an image has (CVE-2016-3697).
        case number(UInt32)
        /// Anything else.
        case name(String)

        /// The name, of one that is none.
        var name: String? { if case .name(let name) = self { name } else { nil } }
    }

    /// The user.
    let user: Part
    /// The group; nil: the one that goes with the user.
    let group: Part?

    /// Takes "USER" or "USER:GROUP" apart.
    init(_ text: String) throws(Failure) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2 else { throw UserOption.refuse(text, "want USER or USER:GROUP") }
        user = try UserOption.part(parts[0], text)
        group = parts.count == 2 ? try UserOption.part(parts[1], text) : nil
    }

    /// Whether a file of the container's must be read.
    var hasName: Bool { user.name != nil || group?.name != nil }

    private static func part(_ part: String, _ whole: String) throws(Failure) -> Part {
        guard let first = part.utf8.first else { throw refuse(whole, "a part is empty") }
        // No name begins with a sign; a number with one is a mistake, and -1 would mean "unchanged" to the kernel.
        if first == UInt8(ascii: "-") || first == UInt8(ascii: "+") { throw refuse(whole, outOfRange) }
        guard part.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else { return .name(part) }
        guard let number = userOrGroupNumber(part) else { throw refuse(whole, outOfRange) }
        return .number(number)
    }

    private static let outOfRange = "ids are numbers from 0 to 4294967294"

    fileprivate static func refuse(_ text: String, _ problem: String) -> Failure {
        Failure("take the user", text, detail: problem, kind: .usage)
    }
}

/// The number of a user or group in decimal digits; nil for what is none, and for 4294967295, which means "unchanged" to the kernel.
func userOrGroupNumber(_ text: String) -> UInt32? {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), let number = UInt32(text), number < UInt32.max else {
        return nil
    }
    return number
}

/// The container's users and groups: its /etc/passwd and /etc/group as they are now.
struct Accounts: Equatable, Sendable {
    /// Text of passwd(5).
    var users = ""
    /// Text of group(5).
    var groups = ""

    /// Makes the user of an option.
    ///
    /// Of a user by name all groups are its own, unless the option names one; beside a number the config's stay.
    /// - Parameter config: The user of the config.
    func user(_ option: UserOption, config: User) throws(Failure) -> User {
        var result = config
        switch option.user {
        case .number(let uid): result.uid = Located(uid)
        case .name(let name):
            guard let fields = Accounts.entry(named: name, in: users), fields.count >= 4 else {
                throw Failure("find the user", name, detail: "the container's /etc/passwd has no entry of that name")
            }
            guard let uid = userOrGroupNumber(fields[2]), let gid = userOrGroupNumber(fields[3]) else {
                throw Failure("use the user", name, detail: "its entry in the container's /etc/passwd has no usable ids")
            }
            result.uid = Located(uid)
            result.gid = Located(gid)
            result.additionalGids = option.group == nil ? try groups(of: name) : []
        }
        switch option.group {
        case nil: break
        case .number(let gid): result.gid = Located(gid)
        case .name(let name):
            guard let fields = Accounts.entry(named: name, in: groups), fields.count >= 3 else {
                throw Failure("find the group", name, detail: "the container's /etc/group has no entry of that name")
            }
            result.gid = Located(try Accounts.gid(fields, name))
        }
        return result
    }

    /// The groups that list a user.
    private func groups(of user: String) throws(Failure) -> [Located<UInt32>] {
        var result: [Located<UInt32>] = []
        for line in groups.split(separator: "\n") {
            let fields = Accounts.fields(line)
            guard fields.count >= 4, fields[3].split(separator: ",").contains(where: { $0 == user }) else { continue }
            result.append(Located(try Accounts.gid(fields, fields[0])))
        }
        return result
    }

    private static func gid(_ fields: [String], _ name: String) throws(Failure) -> UInt32 {
        guard let gid = userOrGroupNumber(fields[2]) else {
            throw Failure("use the group", name, detail: "its entry in the container's /etc/group has no usable id")
        }
        return gid
    }

    /// The first line of a name.
    private static func entry(named name: String, in text: String) -> [String]? {
        for line in text.split(separator: "\n") {
            let fields = fields(line)
            if fields[0] == name { return fields }
        }
        return nil
    }

    private static func fields(_ line: Substring) -> [String] {
        line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    }
}

/// The mount options: a row for each of config.md's table and for our extensions.

/// A mount option by name.
public struct MountOptionRow: Sendable {
    let text: StaticString
    /// What it does.
    public let option: MountOption
    /// Its row in the specification checklist.
    public let row: String

    /// The name in a config.
    public var name: String { text.text }

    init(_ text: StaticString, _ option: MountOption, _ row: String) {
        self.text = text
        self.option = option
        self.row = row
    }
}

extension MountOption {
    /// What an option of a config does: what is in no table is a parameter for the file system (M-05).
    public init(_ text: String) {
        for row in MountOption.table where row.text.utf8CodeUnitCount == text.utf8.count && row.name == text {
            self = row.option
            return
        }
        self.init(parameter: text)
    }

    /// What no table has: `key` or `key=value`.
    private init(parameter text: String) {
        guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            self = .data(key: text, value: nil)
            return
        }
        let key = String(text[..<equals])
        let value = String(text[text.utf8.index(after: equals)...])
        switch key {
        case "idmap": self = .idmap(recursive: false, mapping: value)
        case "ridmap": self = .idmap(recursive: true, mapping: value)
        default: self = .data(key: key, value: value)
        }
    }

    init(_ text: JSONText) {
        for row in MountOption.table where text == row.text {
            self = row.option
            return
        }
        self.init(parameter: text.string)
    }

    /// The names of all options that are not a file system's own (FE-04).
    public static var names: [String] { table.map { $0.name } }

    /// All options that are not a file system's own.
    ///
    /// Source: config.md#linux-mount-options; rows MO.
    public static let table: [MountOptionRow] = [
        MountOptionRow("defaults", .defaults, "MO-01"),
        MountOptionRow("ro", .attribute(.readOnly, set: true, recursive: false), "MO-02"),
        MountOptionRow("rw", .attribute(.readOnly, set: false, recursive: false), "MO-02"),
        MountOptionRow("suid", .attribute(.noSuid, set: false, recursive: false), "MO-03"),
        MountOptionRow("nosuid", .attribute(.noSuid, set: true, recursive: false), "MO-03"),
        MountOptionRow("dev", .attribute(.noDev, set: false, recursive: false), "MO-04"),
        MountOptionRow("nodev", .attribute(.noDev, set: true, recursive: false), "MO-04"),
        MountOptionRow("exec", .attribute(.noExec, set: false, recursive: false), "MO-05"),
        MountOptionRow("noexec", .attribute(.noExec, set: true, recursive: false), "MO-05"),
        MountOptionRow("atime", .attribute(.noAtime, set: false, recursive: false), "MO-08"),
        MountOptionRow("noatime", .attribute(.noAtime, set: true, recursive: false), "MO-08"),
        MountOptionRow("diratime", .attribute(.noDirAtime, set: false, recursive: false), "MO-09"),
        MountOptionRow("nodiratime", .attribute(.noDirAtime, set: true, recursive: false), "MO-09"),
        MountOptionRow("relatime", .attribute(.relatime, set: true, recursive: false), "MO-10"),
        MountOptionRow("norelatime", .attribute(.relatime, set: false, recursive: false), "MO-10"),
        MountOptionRow("strictatime", .attribute(.strictAtime, set: true, recursive: false), "MO-11"),
        MountOptionRow("nostrictatime", .attribute(.strictAtime, set: false, recursive: false), "MO-11"),
        MountOptionRow("symfollow", .attribute(.noSymfollow, set: false, recursive: false), "MO-22"),
        MountOptionRow("nosymfollow", .attribute(.noSymfollow, set: true, recursive: false), "MO-22"),
        MountOptionRow("sync", .superblock(.synchronous, set: true), "MO-06"),
        MountOptionRow("async", .superblock(.synchronous, set: false), "MO-06"),
        MountOptionRow("dirsync", .superblock(.directorySynchronous, set: true), "MO-07"),
        MountOptionRow("iversion", .superblock(.inodeVersion, set: true), "MO-12"),
        MountOptionRow("noiversion", .superblock(.inodeVersion, set: false), "MO-12"),
        MountOptionRow("lazytime", .superblock(.lazyTime, set: true), "MO-13"),
        MountOptionRow("nolazytime", .superblock(.lazyTime, set: false), "MO-13"),
        MountOptionRow("loud", .superblock(.silent, set: false), "MO-14"),
        MountOptionRow("silent", .superblock(.silent, set: true), "MO-14"),
        MountOptionRow("mand", .superblock(.mandatoryLocks, set: true), "MO-15"),
        MountOptionRow("nomand", .superblock(.mandatoryLocks, set: false), "MO-15"),
        MountOptionRow("remount", .remount, "MO-16"),
        MountOptionRow("bind", .bind(recursive: false), "MO-17"),
        MountOptionRow("rbind", .bind(recursive: true), "MO-17"),
        MountOptionRow("private", .propagation(Propagation(.private, recursive: false)), "MO-18"),
        MountOptionRow("rprivate", .propagation(Propagation(.private, recursive: true)), "MO-18"),
        MountOptionRow("shared", .propagation(Propagation(.shared, recursive: false)), "MO-19"),
        MountOptionRow("rshared", .propagation(Propagation(.shared, recursive: true)), "MO-19"),
        MountOptionRow("slave", .propagation(Propagation(.slave, recursive: false)), "MO-20"),
        MountOptionRow("rslave", .propagation(Propagation(.slave, recursive: true)), "MO-20"),
        MountOptionRow("unbindable", .propagation(Propagation(.unbindable, recursive: false)), "MO-21"),
        MountOptionRow("runbindable", .propagation(Propagation(.unbindable, recursive: true)), "MO-21"),
        MountOptionRow("rro", .attribute(.readOnly, set: true, recursive: true), "MO-23"),
        MountOptionRow("rrw", .attribute(.readOnly, set: false, recursive: true), "MO-23"),
        MountOptionRow("rsuid", .attribute(.noSuid, set: false, recursive: true), "MO-24"),
        MountOptionRow("rnosuid", .attribute(.noSuid, set: true, recursive: true), "MO-24"),
        MountOptionRow("rdev", .attribute(.noDev, set: false, recursive: true), "MO-25"),
        MountOptionRow("rnodev", .attribute(.noDev, set: true, recursive: true), "MO-25"),
        MountOptionRow("rexec", .attribute(.noExec, set: false, recursive: true), "MO-26"),
        MountOptionRow("rnoexec", .attribute(.noExec, set: true, recursive: true), "MO-26"),
        MountOptionRow("ratime", .attribute(.noAtime, set: false, recursive: true), "MO-27"),
        MountOptionRow("rnoatime", .attribute(.noAtime, set: true, recursive: true), "MO-27"),
        MountOptionRow("rdiratime", .attribute(.noDirAtime, set: false, recursive: true), "MO-28"),
        MountOptionRow("rnodiratime", .attribute(.noDirAtime, set: true, recursive: true), "MO-28"),
        MountOptionRow("rrelatime", .attribute(.relatime, set: true, recursive: true), "MO-29"),
        MountOptionRow("rnorelatime", .attribute(.relatime, set: false, recursive: true), "MO-29"),
        MountOptionRow("rstrictatime", .attribute(.strictAtime, set: true, recursive: true), "MO-30"),
        MountOptionRow("rnostrictatime", .attribute(.strictAtime, set: false, recursive: true), "MO-30"),
        MountOptionRow("rsymfollow", .attribute(.noSymfollow, set: false, recursive: true), "MO-31"),
        MountOptionRow("rnosymfollow", .attribute(.noSymfollow, set: true, recursive: true), "MO-31"),
        MountOptionRow("tmpcopyup", .copyUp, "MO-32"),
        MountOptionRow("idmap", .idmap(recursive: false, mapping: nil), "MO-33"),
        MountOptionRow("ridmap", .idmap(recursive: true, mapping: nil), "MO-34"),
        MountOptionRow("copy-symlink", .copySymlink, "MO-35"),
        MountOptionRow("src-nofollow", .sourceNoFollow, "MO-35"),
        MountOptionRow("dest-nofollow", .destinationNoFollow, "MO-35"),
    ]
}

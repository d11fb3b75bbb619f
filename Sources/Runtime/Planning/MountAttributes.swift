/// Mount options as the kernel's numbers. Rows MO.

internal import Plan
internal import Spec

/// MOUNT_ATTR_* of linux/mount.h.
enum AttributeBit {
    static let readOnly: UInt64 = 0x1
    static let noSuid: UInt64 = 0x2
    static let noDev: UInt64 = 0x4
    static let noExec: UInt64 = 0x8
    /// The field of three access time values, of which `relatime` is 0.
    ///
    /// It only changes as a whole.
    static let accessTimeField: UInt64 = 0x70
    static let noAtime: UInt64 = 0x10
    static let strictAtime: UInt64 = 0x20
    static let noDirAtime: UInt64 = 0x80
    static let noSymfollow: UInt64 = 0x20_0000
}

extension MountAttribute {
    /// The attribute's own bit, or its value in the access time field.
    var bits: UInt64 {
        switch self {
        case .readOnly: AttributeBit.readOnly
        case .noSuid: AttributeBit.noSuid
        case .noDev: AttributeBit.noDev
        case .noExec: AttributeBit.noExec
        case .noAtime: AttributeBit.noAtime
        case .noDirAtime: AttributeBit.noDirAtime
        case .relatime: 0
        case .strictAtime: AttributeBit.strictAtime
        case .noSymfollow: AttributeBit.noSymfollow
        }
    }

    /// Whether it is a value of the access time field.
    var isAccessTime: Bool { self == .noAtime || self == .relatime || self == .strictAtime }
}

/// Bits to set and bits to clear, as far as the options have been read.
struct AttributeBits: Equatable {
    var set: UInt64 = 0
    var clear: UInt64 = 0

    /// Reads an option: it overrides those before it.
    mutating func apply(_ attribute: MountAttribute, set isSet: Bool) {
        guard !attribute.isAccessTime else { return applyAccessTime(attribute, set: isSet) }
        if isSet {
            set |= attribute.bits
            clear &= ~attribute.bits
        } else {
            set &= ~attribute.bits
            clear |= attribute.bits
        }
    }

    /// `atime` and `nostrictatime` go back to the default, which is `relatime`, unless the options chose another value by name.
    private mutating func applyAccessTime(_ attribute: MountAttribute, set isSet: Bool) {
        let field = AttributeBit.accessTimeField
        if !isSet {
            let isChosen = clear & field != 0
            if attribute == .relatime || isChosen && set & field != attribute.bits { return }
        }
        set = set & ~field | (isSet ? attribute.bits : 0)
        clear |= field
    }

    /// Forgets what was said about an attribute.
    mutating func forget(_ attribute: MountAttribute) {
        let bits = attribute.isAccessTime ? AttributeBit.accessTimeField : attribute.bits
        set &= ~bits
        clear &= ~bits
    }
}

/// A mount's options, sorted by what they act on.
struct MountOptions {
    /// Changes of the mount.
    var own = AttributeBits()
    /// Changes of the mount and of those below it.
    var recursive = AttributeBits()
    /// fsconfig(2) parameters, superblock flags first among equals of their order.
    var parameters: [(text: String, key: String, origin: Origin)] = []
    /// Changes of propagation in their order.
    var propagation: [Propagation] = []
    /// nil: no bind; else whether it is recursive.
    var bind: Bool?
    var isRemount = false
    var copiesUp = false
    var copiesSymlink = false
    var sourceNoFollow = false
    var destinationNoFollow = false
    /// `idmap`, `ridmap`, with the value.
    var idMap: (isRecursive: Bool, mapping: String?, origin: Origin)?

    @inline(never)
    init(_ options: [Located<MountOption>]) {
        for option in options { read(option.value, option.origin) }
    }

    /// Whether the mount ends up read-only.
    var isReadOnly: Bool { own.set & AttributeBit.readOnly != 0 || recursive.set & AttributeBit.readOnly != 0 }

    /// Whether the mount is to stay, or become, a peer of its source.
    var wantsPeer: Bool { !propagation.isEmpty && propagation.allSatisfy { $0.kind == .shared } }

    /// The changes for a mount with mounts below it.
    var treeAttributes: AttributeChange {
        var change = AttributeChange()
        (change.set, change.clear) = (own.set, own.clear)
        (change.recursiveSet, change.recursiveClear) = (recursive.set, recursive.clear)
        return change
    }

    /// The attributes of a new mount, on which nothing is set yet and below which there is nothing.
    var newAttributes: AttributeChange {
        var change = AttributeChange()
        change.set = recursive.set & ~own.clear | own.set
        return change
    }

    private mutating func read(_ option: MountOption, _ origin: Origin) {
        switch option {
        case .defaults: break
        case .bind(let isRecursive): bind = isRecursive
        case .attribute(let attribute, let isSet, recursive: true):
            recursive.apply(attribute, set: isSet)
            own.forget(attribute)
        case .attribute(let attribute, let isSet, recursive: false): own.apply(attribute, set: isSet)
        case .superblock(let flag, let isSet):
            guard let key = flag.parameter(isSet) else { break }
            parameters.append((key, key, origin))
        case .propagation(let change): propagation.append(change)
        case .remount: isRemount = true
        case .copyUp: copiesUp = true
        case .idmap(let isRecursive, let mapping): idMap = (isRecursive, mapping, origin)
        case .copySymlink: copiesSymlink = true
        case .sourceNoFollow: sourceNoFollow = true
        case .destinationNoFollow: destinationNoFollow = true
        case .data(let key, let value):
            if let value { parameters.append(("\(key)=\(value)", key, origin)) } else { parameters.append((key, key, origin)) }
        }
    }
}

extension SuperblockFlag {
    /// The fsconfig(2) flag, where there is one.
    func parameter(_ isSet: Bool) -> String? {
        switch self {
        case .synchronous: isSet ? "sync" : "async"
        case .directorySynchronous: isSet ? "dirsync" : nil
        // File systems that count changes do so by themselves; no parameter of theirs asks for it any more (MO-12).
        case .inodeVersion: nil
        case .lazyTime: isSet ? "lazytime" : "nolazytime"
        // Silence is about the kernel log; mandatory locks are gone since Linux 5.15 (MO-14, MO-15).
        case .silent, .mandatoryLocks: nil
        }
    }
}

/// The propagation of a mount.
///
/// - Parameter mustLeaveHost: The source was opened before the container's mounts were cut off from the host's: unless the mount is to stay
///   a peer, it is cut off first. In a user namespace it always is, as the kernel does for a whole mount namespace.
func propagationChange(_ requested: [Propagation], mustLeaveHost: Bool) -> PropagationChange {
    let flags = requested.map { $0.flags }
    guard mustLeaveHost else { return PropagationChange(flags.first ?? 0, flags.count > 1 ? flags[1] : 0) }
    let cut = PropagationFlag.slave | PropagationFlag.recursive
    guard let first = requested.first else { return PropagationChange(cut) }
    if requested.count > 1 {
        let leaves = first.kind != .shared
        return PropagationChange(leaves ? flags[0] | PropagationFlag.recursive : cut, flags[1])
    }
    let isCutAlready = first.recursive && first.kind != .shared
    return isCutAlready ? PropagationChange(flags[0]) : PropagationChange(cut, flags[0])
}

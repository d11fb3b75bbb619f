/// What a failed mount has to do with its config: the option or the source that is the cause, and words where errno has too few.

import Linux
import Plan
import Spec

extension Failure {
    /// Adds to the failure of a mount's step what only the config and the host know.
    mutating func explain(_ step: Step, _ message: Message, _ text: String, of mount: Mount, in bundle: String, place: (Origin) -> Place?) {
        switch FailureReason(rawValue: message.reason) {
        case .mountParameter:
            let parameter = text.split(separator: "\0", maxSplits: 1, omittingEmptySubsequences: false).first.map { String($0) }
            for option in MountOptions(mount.options).parameters where option.text == parameter { self.place = place(option.origin) }
        case .lockedFlags:
            for option in mount.options.reversed() where option.value.clears(UInt64(message.value)) { self.place = place(option.origin) }
        case .systemCall:
            switch step {
            case .mountFilesystem: explainType(mount, place)
            case .bind(let bind): explainSource(mount, bundle, isRecursive: bind.source.options & 1 != 0, place)
            default: break
            }
        default: break
        }
    }

    /// fsopen(2) knows no such type.
    private mutating func explainType(_ mount: Mount, _ place: (Origin) -> Place?) {
        guard systemCall == "fsopen", errno == .noDevice, let type = mount.type else { return }
        detail = "filesystem type \(quoted(type.value)) is not known to this kernel [M-04]"
        hint = "see /proc/filesystems; its module may not be loaded"
        self.place = place(type.origin)
    }

    /// open_tree(2) cannot open the source.
    private mutating func explainSource(_ mount: Mount, _ bundle: String, isRecursive: Bool, _ place: (Origin) -> Place?) {
        guard systemCall == "open_tree", let source = mount.source else { return }
        self.place = place(source.origin)
        if errno == .noEntry {
            detail = missing(absolutePath(source.value, in: bundle)).map { "\(quoted($0)) is missing [M-03]" }
        } else if errno == .invalidArgument, !isRecursive {
            hint = "a user namespace may not leave out what is mounted below the source: rbind takes it along"
        }
    }
}

extension MountOption {
    /// Whether it asks to clear one of these MOUNT_ATTR_* bits, or to change the access time setting among them.
    fileprivate func clears(_ bits: UInt64) -> Bool {
        guard case .attribute(let attribute, let isSet, recursive: _) = self else { return false }
        if attribute.isAccessTime { return bits & AttributeBit.accessTimeField != 0 }
        return !isSet && bits & attribute.bits != 0
    }
}

/// The first part of an absolute path that is not there, as far as one can see; nil where all of it is.
func missing(_ path: String) -> String? {
    guard path.utf8.first == UInt8(ascii: "/") else { return nil }
    var walked = ""
    for part in path.split(separator: "/") {
        walked += "/\(part)"
        do throws(Errno) { _ = try OwnedFD.open(walked, .path) } catch { return error == .noEntry ? walked : nil }
    }
    return nil
}

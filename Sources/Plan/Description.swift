/// A step in words, for people: `swoci plan` prints it, and tests compare it.

extension Plan {
    /// What a step does, as a sentence without its capital and full stop: "set the hostname to box".
    public func describe(_ planned: PlannedStep) -> String {
        switch planned.step {
        case .joinNamespace(let fields): describe(fields)
        case .takeRoot(let fields): "take the directory of descriptor \(fields.value) as the root file system"
        case .offsetClocks(let fields): "make a time namespace with clocks offset by \(clocks(fields.lines))"
        case .enterNewNamespaces(let fields): describe(fields)
        case .becomeRoot: "become root of the user namespace"
        case .becomeOwner(let fields): "become \(fields.uid):\(fields.gid) of the user namespace, which has no root"
        case .unshareCgroupNamespace: "make a cgroup namespace"
        case .joinSessionKeyring(let fields): "join a new session keyring, \(show(fields.text))"
        case .bringLoopbackUp: "bring the loopback device up"
        case .openSource(let fields): "open \(show(fields.source.path)) while it is still a peer of the host's"
        case .isolateMounts(let change): "make all mounts \(propagationWords(change)), so that none made here reaches the host"
        case .attachRoot(let fields): "take \(show(fields.source.path)) as the root file system"
        case .mountFilesystem(let fields): describe(fields)
        case .bind(let fields): describe(fields)
        case .remount(let fields): describe(fields)
        case .makeDirectory(let fields): "make the directory \(show(fields.path)) (mode \(octal(fields.mode)))"
        case .makeSymlink(let fields): "make the link \(show(fields.path)) to \(show(fields.target))"
        case .makeNode(let fields): describe(fields)
        case .bindNode(let fields): describe(fields)
        case .makeReadonly(let fields): "make \(show(fields.text)) read-only"
        case .mask(let fields): "mask \(show(fields.text))"
        case .makeRootReadonly: "make the root mount read-only"
        case .enterRoot(let fields): "enter the root" + ["", " by moving it", " by chroot alone"][min(Int(fields.way), 2)]
        case .setRootPropagation(let change): "make the root mount \(propagationWords(change))"
        case .synchronize(.runtimeHooks): "wait for the runtime, which moves network devices and runs prestart and createRuntime hooks"
        case .runHook(let fields): describe(fields)
        case .setHostname(let fields): "set the hostname to \(show(fields.text))"
        case .setDomainname(let fields): "set the domain name \(show(fields.text))"
        case .setSysctl(let fields): "set /proc/sys/\(string(fields.path)) to \(show(fields.value))"
        case .openConsole(let fields): describe(fields)
        case .makeWorkingDirectory(let fields): "make the working directory \(show(fields.text)) if it is missing"
        case .supervise(let fields): describe(fields)
        case .startSession(let fields): "start a session" + (fields.terminal == 1 ? " with the terminal" : "")
        case .setAffinity(let fields): "run on the CPUs \(indices(fields.text).joined(separator: ", "))"
        case .setScheduler(let fields): describe(fields)
        case .setIOPriority(let fields): describe(fields)
        case .setMemoryPolicy(let fields): describe(fields)
        case .setPersonality(let fields): "set the execution domain " + (fields.value == 0 ? "LINUX" : "LINUX32")
        case .setUmask(let fields): "set the umask \(octal(fields.value))"
        case .setExecLabel(let fields): describe(fields)
        case .limitBoundingSet(let fields): "limit capabilities to \(capabilityNames(fields.value))"
        case .setUser(let fields): "become \(userWords(fields))"
        case .setCapabilities(let fields): describe(fields)
        case .setNoNewPrivileges: "give up gaining privileges by execve"
        case .changeDirectory(let fields): "change to \(show(fields.text))"
        case .setHome(let fields): "set HOME to the home directory of uid \(fields.value)"
        case .findExecutable(let fields): describe(fields)
        case .awaitStart: "wait for start"
        case .awaitCommit: "wait for the runtime's word"
        case .loadSeccomp(let fields): describe(fields)
        case .execute(let fields): describe(fields)
        }
    }

    private func describe(_ fields: JoinNamespace) -> String {
        let isOne = fields.type & (fields.type &- 1) == 0
        return "join the \(namespaceNames(UInt64(fields.type))) namespace\(isOne ? "" : "s") of descriptor \(fields.descriptor)"
    }

    private func describe(_ fields: EnterNewNamespaces) -> String {
        let what = fields.flags == 0 ? "go on in a child" : "go on in a child in new \(namespaceNames(fields.flags)) namespaces"
        return what + (fields.awaitsMappings == 1 ? ", once the runtime has mapped its ids" : "")
    }

    /// "monotonic 100 0\nboottime 5 7\n" as "monotonic 100 s 0 ns, boottime 5 s 7 ns".
    private func clocks(_ lines: Text) -> String {
        let shown = string(lines).utf8.split(separator: UInt8(ascii: "\n")).map { line in
            let fields = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            return fields.count == 3 ? "\(fields[0]) \(fields[1]) s \(fields[2]) ns" : String(decoding: line, as: UTF8.self)
        }
        return shown.joined(separator: ", ")
    }
}

// Words for strings and numbers
extension Plan {
    /// A string of the plan, quoted where it would not be seen for what it is.
    func show(_ reference: Text) -> String { shownText(string(reference)) }

    /// A list of strings, like a command line.
    func show(_ list: TextList) -> String { strings(list).map { shownText($0) }.joined(separator: " ") }

    /// The numbers of the bits that are set in a mask.
    func indices(_ mask: Text) -> [String] {
        var result: [String] = []
        for (index, byte) in bytes(mask).enumerated() {
            for bit in 0..<8 where byte >> UInt8(bit) & 1 != 0 { result.append("\(index * 8 + bit)") }
        }
        return result
    }

    /// Big numbers as "1000, 2000".
    func numbers(_ reference: Text) -> [UInt32] {
        let bytes = Array(self.bytes(reference))
        return stride(from: 0, to: bytes.count / 4 * 4, by: 4).map { bytes.littleEndian(at: $0) }
    }
}

/// A string as people see it: in quotes where it is empty or has blanks or quotes; control characters never reach a terminal.
public func shownText(_ text: String) -> String {
    var result = ""
    var isPlain = !text.utf8.isEmpty
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x0A: result += "\\n"
        case 0..<0x20, 0x7F..<0xA0: result += "\\u{\(hexadecimal(UInt64(scalar.value)))}"
        case 0x20: result += " "
        case 0x22: result += "\\\""
        case 0x5C: result += "\\\\"
        default:
            result.unicodeScalars.append(scalar)
            continue
        }
        isPlain = false
    }
    return isPlain ? result : "\"\(result)\""
}

/// A mode's digits.
func octal(_ value: UInt32) -> String { "0" + (value == 0 ? "" : digits(UInt64(value), radix: 8)) }

/// A bit mask's digits.
func hexadecimal(_ value: UInt64) -> String { digits(value, radix: 16) }

private func digits(_ value: UInt64, radix: UInt64) -> String {
    var rest = value
    var result: [UInt8] = []
    repeat {
        let digit = UInt8(rest % radix)
        result.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        rest /= radix
    } while rest > 0
    return String(decoding: result.reversed(), as: UTF8.self)
}

/// "a, b and c".
func listed(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " and " + last
}

/// The namespaces of CLONE_NEW* flags: "pid, mount and uts".
public func namespaceNames(_ flags: UInt64) -> String {
    listed(namespaceTable.filter { flags & $0.flag != 0 }.map { $0.name })
}

private let namespaceTable: [(flag: UInt64, name: String)] = [
    (0x1000_0000, "user"), (0x2000_0000, "pid"), (0x4000_0000, "network"), (0x2_0000, "mount"), (0x800_0000, "ipc"),
    (0x400_0000, "uts"), (0x200_0000, "cgroup"), (0x80, "time"),
]

/// Rules for annotations: keys that are not empty, and the values of those that the image specification or swoci gives a meaning. Rows A.

func checkAnnotations(_ annotations: [Pair], _ findings: inout Findings) {
    for pair in annotations {
        if pair.key.isEmpty { findings.error(pair.origin, "annotation with an empty key", "A-01") }
        if pair.key == KnownAnnotation.stopSignal.rawValue, !isSignal(pair.value) {
            findings.warning(
                pair.origin, "stop signal is no signal", got: shown(pair.value), hint: "want a name such as SIGTERM or 1...64", "A-03")
        }
        if pair.key == KnownAnnotation.mountContextType.rawValue, !mountContextTypes.contains(where: { $0.text == pair.value }) {
            let hint = "want \(mountContextTypes.map { $0.text }.joined(separator: ", "))"
            findings.error(pair.origin, "no mount option for a label", got: shown(pair.value), hint: hint, "X-04")
        }
        checkImageAnnotation(pair, &findings)
    }
}

/// The options of mount(8) that take a label.
private let mountContextTypes: [StaticString] = ["context", "fscontext", "defcontext", "rootcontext"]

/// What the image says of itself: nothing here changes the container, so it is only remarked on (A-02).
private func checkImageAnnotation(_ pair: Pair, _ findings: inout Findings) {
    func warn(_ message: String, hint: String? = nil) {
        findings.warning(pair.origin, message, got: shown(pair.value), hint: hint, "A-02")
    }
    let prefix = "org.opencontainers.image."
    guard pair.key.hasPrefix(prefix) else { return }
    switch String(pair.key.dropFirst(prefix.utf8.count)) {
    case "os":
        if !operatingSystems.contains(where: { $0.text == pair.value }) {
            warn("not an operating system's name", hint: "want a value of GOOS such as linux")
        } else if pair.value != "linux" {
            warn("the image is for another operating system")
        }
    case "architecture":
        if !architectures.contains(where: { $0.text == pair.value }) {
            warn("not an architecture's name", hint: "want a value of GOARCH such as amd64 or arm64")
        } else if !runnableArchitectures.contains(where: { $0.text == pair.value }) {
            warn("the image is for another architecture: its programs may fail with \"exec format error\"")
        }
    case "created":
        if !isTimestamp(pair.value) { warn("not a point in time", hint: "want RFC 3339, such as 2024-05-01T12:00:00Z") }
    default: break
    }
}

/// Source: Go's list of GOOS, which the image specification names.
private let operatingSystems: [StaticString] = [
    "aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux", "netbsd", "openbsd", "plan9", "solaris", "wasip1",
    "windows",
]

/// Source: Go's list of GOARCH.
private let architectures: [StaticString] = [
    "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le", "riscv64", "s390x", "wasm",
]

/// What this machine's kernel can execute without help.
#if arch(x86_64)
    private let runnableArchitectures: [StaticString] = ["amd64", "386"]
#else
    private let runnableArchitectures: [StaticString] = ["arm64", "arm"]
#endif

/// Whether a text is a date and a time of RFC 3339.
private func isTimestamp(_ text: String) -> Bool {
    let pattern = Array("dddd-dd-ddTdd:dd:dd".utf8)
    let bytes = Array(text.utf8)
    guard bytes.count > pattern.count, zip(bytes, pattern).allSatisfy({ fits($0, $1) }) else { return false }
    var rest = bytes[pattern.count...]
    if rest.first == UInt8(ascii: ".") {
        let digits = rest.dropFirst().prefix { isDigit($0) }
        if digits.isEmpty { return false }
        rest = rest.dropFirst(1 + digits.count)
    }
    if rest.count == 1 { return rest.first == UInt8(ascii: "Z") || rest.first == UInt8(ascii: "z") }
    guard let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return false }
    let offset = Array("dd:dd".utf8)
    return rest.count == 1 + offset.count && zip(rest.dropFirst(), offset).allSatisfy { fits($0, $1) }
}

/// Whether a byte is what a pattern has at its place: "d" for a digit.
private func fits(_ byte: UInt8, _ wanted: UInt8) -> Bool { wanted == UInt8(ascii: "d") ? isDigit(byte) : byte & ~0x20 == wanted & ~0x20 }

private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

/// A signal's number, or its name with or without "SIG".
private func isSignal(_ text: String) -> Bool {
    if let number = Int(text) { return (1...64).contains(number) }
    var name = text.uppercased()
    if name.hasPrefix("SIG") { name = String(name.dropFirst(3)) }
    if let sign = name.utf8.firstIndex(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }) {
        guard Int(name[sign...]) != nil else { return false }
        name = String(name[..<sign])
    }
    return signalNames.contains { $0.text == name }
}

/// Source: signal(7), without what only some architectures have.
private let signalNames: [StaticString] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "IOT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
    "CHLD", "CLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "POLL", "PWR", "SYS",
    "RTMIN", "RTMAX",
]

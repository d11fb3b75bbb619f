/// `swoci update`

import Runtime
import Spec

func update(_ context: Context) throws(Failure) {
    let remarks = try context.store().update(context.containerID(), try updateRequest(context.options))
    for remark in remarks { context.reporter.warning(remark) }
}

/// What the options ask for.
func updateRequest(_ options: Options) throws(Failure) -> UpdateRequest {
    var request: UpdateRequest
    let limits = try UpdateOptions(options)
    if let file = options["resources"] {
        guard limits.names.isEmpty else {
            throw Failure("update the container", detail: "both --resources and --\(limits.names[0]) are given", kind: .usage)
        }
        request = try UpdateRequest(try readDocument(file, "read the resources"), file: file == "-" ? "stdin" : file)
    } else {
        request = try UpdateRequest(limits.resources, options: limits.names)
    }
    for option in ["l3-cache-schema", "mem-bw-schema"] {
        if let line = options[option], !line.isEmpty { request.schemata.append((option, line)) }
    }
    return request
}

/// Limits of single options.
struct UpdateOptions {
    /// The limits; the origin of each is its option's place in ``names``.
    private(set) var resources = Resources()
    /// The options that were given.
    private(set) var names: [String] = []
    private let options: Options

    /// Reads the options.
    init(_ options: Options) throws(Failure) {
        self.options = options
        var memory = Resources.Memory()
        memory.limit = try bytes("memory")
        memory.reservation = try bytes("memory-reservation")
        memory.swap = try bytes("memory-swap")
        memory.kernel = try bytes("kernel-memory")
        memory.kernelTCP = try bytes("kernel-memory-tcp")
        var cpu = Resources.CPU()
        cpu.shares = try number("cpu-share")
        cpu.quota = try number("cpu-quota")
        cpu.period = try number("cpu-period")
        cpu.burst = try number("cpu-burst")
        cpu.realtimePeriod = try number("cpu-rt-period")
        cpu.realtimeRuntime = try number("cpu-rt-runtime")
        cpu.idle = try number("cpu-idle")
        cpu.cpus = text("cpuset-cpus")
        cpu.mems = text("cpuset-mems")
        let weight: Located<UInt16>? = try number("blkio-weight")
        resources.pids = try number("pids-limit")
        if memory != Resources.Memory() { resources.memory = memory }
        if cpu != Resources.CPU() { resources.cpu = cpu }
        if let weight {
            var blockIO = Resources.BlockIO()
            blockIO.weight = weight
            resources.blockIO = blockIO
        }
    }

    private mutating func text(_ name: String) -> Located<String>? {
        guard let value = options[name], !value.isEmpty else { return nil }
        names.append(name)
        return Located(value, Origin(node: Int32(names.count - 1)))
    }

    private mutating func number<Number: FixedWidthInteger>(_ name: String) throws(Failure) -> Located<Number>? {
        guard let text = text(name) else { return nil }
        guard let number = Number(text.value) else {
            throw Failure(
                "read --\(name)", text.value, detail: "not a whole number from \(Number.min) to \(Number.max)", kind: .usage)
        }
        return Located(number, text.origin)
    }

    /// A number of bytes, also with a unit: 64M; -1 is no limit.
    private mutating func bytes(_ name: String) throws(Failure) -> Located<Int64>? {
        guard let text = text(name) else { return nil }
        guard let number = byteCount(text.value) else {
            throw Failure("read --\(name)", text.value, detail: "not a number of bytes", hint: "as 67108864, 64M, 1.5g or -1", kind: .usage)
        }
        return Located(number, text.origin)
    }
}

/// The number that a text such as "64M", "1.5GiB" or "-1" means; units are powers of 1024 (CLI-13).
func byteCount(_ text: String) -> Int64? {
    if text == "-1" { return -1 }
    var bytes = Array(text.utf8)[...]
    func drop(_ letter: Unicode.Scalar) {
        if let last = bytes.last, last | 0x20 == UInt8(ascii: letter) { bytes = bytes.dropLast() }
    }
    drop("b")
    drop("i")
    var shift = 0
    if let unit = bytes.last.flatMap({ Array("kmgtp".utf8).firstIndex(of: $0 | 0x20) }) {
        shift = 10 * (unit + 1)
        bytes = bytes.dropLast()
    }
    while bytes.last == UInt8(ascii: " ") { bytes = bytes.dropLast() }
    var whole: Int64 = 0
    var parts: Int64 = 1
    var hasPoint = false
    var digits = 0
    for byte in bytes {
        if byte == UInt8(ascii: "."), !hasPoint, shift > 0 {
            hasPoint = true
            continue
        }
        let digit = Int64(byte &- UInt8(ascii: "0"))
        guard digit < 10 else { return nil }
        digits += 1
        // More digits behind the point than a unit has bytes mean nothing.
        if hasPoint, parts > 1_000_000 { continue }
        let (tens, overflow) = whole.multipliedReportingOverflow(by: 10)
        guard !overflow, tens <= Int64.max - digit else { return nil }
        whole = tens + digit
        if hasPoint { parts *= 10 }
    }
    guard digits > 0 else { return nil }
    let (scaled, overflow) = whole.multipliedReportingOverflow(by: 1 << Int64(shift))
    return overflow ? nil : scaled / parts
}

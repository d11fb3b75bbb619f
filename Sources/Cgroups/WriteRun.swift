/// A run of writes: one open(2) for each stretch of writes to the same file, and the leniencies of `CgroupWrite`.

import Linux
import Spec

/// Carries writes out.
struct WriteRun {
    /// Writes all in order.
    func run(_ writes: [CgroupWrite]) throws(CgroupError) {
        var index = 0
        while index < writes.count {
            let write = writes[index]
            if write.isPlain {
                index = try stretch(of: writes, from: index)
                continue
            }
            if try !perform(write, mayWait: index + 1 < writes.count) {
                try perform(writes[index + 1])
                var again = write
                again.leniency = .none
                try perform(again)
                index += 1
            }
            index += 1
        }
    }

    /// Writes the plain writes that go to the same file, such as device rules, through one descriptor.
    ///
    /// - Returns: The index of the write after them.
    private func stretch(of writes: [CgroupWrite], from start: Int) throws(CgroupError) -> Int {
        let first = writes[start]
        var index = start
        do throws(Errno) {
            let file = try OwnedFD.open(first.path, .write)
            repeat {
                let bytes = Array(writes[index].value.utf8)
                let count = try bytes.withUnsafeBufferPointer { buffer throws(Errno) in
                    try file.write(UnsafeRawPointer(buffer.baseAddress!), count: buffer.count)
                }
                if count != bytes.count { throw .inputOutput }
                index += 1
            } while index < writes.count && writes[index].isPlain && writes[index].path == first.path
            return index
        } catch {
            throw failure(writes[index], error)
        }
    }

    /// Makes one write.
    ///
    /// - Returns: false where the next write must come first.
    @discardableResult
    private func perform(_ write: CgroupWrite, mayWait: Bool = false) throws(CgroupError) -> Bool {
        var value = write.value
        if write.leniency == .keepsFirstField {
            do throws(Errno) { value = (split(try readText(write.path), " ").first ?? "") + " " + value } catch {
                throw failure(write, error)
            }
        }
        if let usage = write.usage { try check(usage, write) }
        // On v2 a usage that grows between the look and the limit would end in the OOM killer: the throttle holds it meanwhile.
        let brake = write.usage != nil && write.file == "memory.max" ? write.directory + "/memory.high" : nil
        let high = brake.flatMap { try? readText($0) }
        if let brake, high != nil, let usage = write.usage {
            try? writeText(value, to: brake)
            try check(usage, write)
        }
        do throws(Errno) {
            try writeText(value, to: write.path)
            if let brake, let high { try writeText(high, to: brake) }
            return true
        } catch {
            switch write.leniency {
            case .mayFollowNext where mayWait && error == .invalidArgument: return false
            case .tolerates(let errors, _) where errors.contains(error): return true
            case .otherwise(let file, let value) where error == .noEntry:
                var other = write
                other.file = file
                other.value = value
                other.leniency = .none
                return try perform(other)
            default: throw failure(write, error)
            }
        }
    }

    /// Refuses a limit that the container is above already (RM-11).
    private func check(_ usage: CgroupWrite.Usage, _ write: CgroupWrite) throws(CgroupError) {
        let path = write.directory + "/" + usage.file
        let text = try attempt("read", path) { () throws(Errno) in try readText(path) }
        guard let limit = UInt64(write.value), let current = UInt64(text), current >= limit else { return }
        throw CgroupError(
            "set the limit", write.path, problem: "rejecting \(usage.limit) \(limit): it is not above the current usage \(current)",
            value: write.value, origin: write.origin)
    }

    private func failure(_ write: CgroupWrite, _ error: Errno) -> CgroupError {
        if error == .busy, write.file == "memory.limit_in_bytes", let now = try? readText(write.directory + "/memory.usage_in_bytes"),
            let peak = try? readText(write.directory + "/memory.max_usage_in_bytes")
        {
            return CgroupError(
                "set the limit", write.path,
                problem: "unable to set memory limit to \(write.value) (current usage: \(now), peak usage: \(peak))", value: write.value,
                origin: write.origin)
        }
        return CgroupError("write", write.path, error, value: write.value, origin: write.origin, hint: write.hint)
    }
}

extension CgroupWrite {
    /// Whether nothing has to be looked at beside the write itself.
    fileprivate var isPlain: Bool { leniency == .none && usage == nil }
}

/// The CPUs of a further process, before and after it joins the container's cgroup. Rows P-35 to P-37.

import CLinux
import Linux
import Spec

/// Runs the runtime, and with it the process to come, on the CPUs that the process is to begin on.
///
/// - Returns: The CPUs to run on once the cgroup is joined; nil where the kernel's choice stays.
func adoptInitialAffinity(
    _ affinity: ExecCPUAffinity?, _ place: (Origin) -> Failure.Place?
) throws(Failure) -> Located<[ClosedRange<UInt32>]>? {
    guard let affinity else { return nil }
    let possible = try possibleCPUs()
    let final = try list(affinity.final, among: possible, place)
    guard let initial = try list(affinity.initial, among: possible, place) else { return final }
    let mask = bitMask(initial.value.flatMap { Array($0) })
    do throws(Errno) {
        _ = try mask.withUnsafeBufferPointer { mask throws(Errno) in
            try kernel(__NR_sched_setaffinity, 0, mask.count, Int(bitPattern: mask.baseAddress))
        }
        return final
    } catch {
        // None of them is in the cpuset that the runtime itself is in: then they can only be the container's.
        if error == .invalidArgument { return final ?? initial }
        throw Failure("set the initial CPU affinity", errno: error, place: place(initial.origin))
    }
}

/// The CPUs of a list, all of which the host has; nil for no list and for an empty one.
private func list(
    _ text: Located<String>?, among possible: UInt32, _ place: (Origin) -> Failure.Place?
) throws(Failure) -> Located<[ClosedRange<UInt32>]>? {
    // What is no list has been refused before.
    guard let text, case .success(let ranges) = IndexList.parse(text.value), let last = ranges.last else { return nil }
    guard last.upperBound <= possible else {
        throw Failure(
            "set the CPU affinity", text.value, detail: "the host has no CPU \(last.upperBound) [P-36]", place: place(text.origin),
            hint: "its last one is \(possible)")
    }
    return Located(ranges, text.origin)
}

/// The highest number of a CPU that this host can have.
private func possibleCPUs() throws(Failure) -> UInt32 {
    let file = "/sys/devices/system/cpu/possible"
    let text = try Failure.during("read", file) { () throws(Errno) in try readText(file) }
    guard case .success(let ranges) = IndexList.parse(text), let last = ranges.last else {
        throw Failure("read", file, detail: "it holds no list of CPUs")
    }
    return last.upperBound
}

/// Masks of CPUs and memory nodes.

/// The words of set_mempolicy(2)'s node mask and of sched_setaffinity(2)'s CPU mask, 8 bytes each.
func bitMask(_ indices: [UInt32]) -> [UInt8] {
    var bytes: [UInt8] = []
    for number in indices {
        let index = Int(number / 8)
        while bytes.count <= index { bytes += [0, 0, 0, 0, 0, 0, 0, 0] }
        bytes[index] |= 1 << UInt8(number % 8)
    }
    return bytes
}

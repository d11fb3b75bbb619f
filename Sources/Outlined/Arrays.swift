/// Arrays that grow by calls, and bytes that are copied as memory: the library's own functions are loops over the bytes in a release.

extension Array {
    /// Adds an element at the end.
    @inline(never)
    public mutating func append(_ element: __owned Element) { appendOne(element, to: &self) }
}

extension Array where Element == UInt8 {
    /// Adds bytes at the end.
    @inline(never)
    public mutating func append(contentsOf bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

    /// Adds bytes at the end.
    @inline(never)
    public mutating func append(contentsOf bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { add($0) } }

    /// Adds bytes at the end.
    public static func += (bytes: inout [UInt8], more: [UInt8]) { bytes.append(contentsOf: more) }

    @inline(never)
    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        if capacity - count < bytes.count {
            var larger: [UInt8] = []
            larger.reserveCapacity(Swift.max(2 * count, count + bytes.count))
            withUnsafeBytes { larger.addWithinCapacity($0) }
            self = larger
        }
        addWithinCapacity(bytes)
    }

    private mutating func addWithinCapacity(_ bytes: UnsafeRawBufferPointer) {
        append(addingCapacity: bytes.count) { (span: inout OutputSpan<UInt8>) in
            span.withUnsafeMutableBufferPointer { buffer, count in
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                rest.copyMemory(from: bytes)
                count += bytes.count
            }
        }
    }
}

// The library's own function, reached by what it conforms to: by its name we would only find the one above.
private func appendOne<Elements: RangeReplaceableCollection>(_ element: __owned Elements.Element, to elements: inout Elements) {
    elements.append(element)
}

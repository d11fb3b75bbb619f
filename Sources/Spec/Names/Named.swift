/// Names that stand for values: a row each, found by name or by value.

/// A row of a table of names.
struct Named<Value> {
    let name: StaticString
    let value: Value

    init(_ name: StaticString, _ value: Value) {
        self.name = name
        self.value = value
    }
}

extension Named: Sendable where Value: Sendable {}

extension StaticString {
    /// The constant as a string.
    var text: String {
        String(decoding: UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount), as: UTF8.self)
    }
}

/// The value of a name in a table.
func find<Value>(_ name: JSONText, in table: [Named<Value>]) -> Value? {
    for row in table where name == row.name { return row.value }
    return nil
}

/// The value of a name in a table.
func find<Value>(_ name: String, in table: [Named<Value>]) -> Value? {
    for row in table where row.name.utf8CodeUnitCount == name.utf8.count && row.name.text == name { return row.value }
    return nil
}

/// All names of a table.
func names<Value>(of table: [Named<Value>]) -> [String] { table.map { $0.name.text } }

/// A value on the heap, so that it is one word wherever it goes.
///
/// For errors that say much: a typed error is returned like a result, so every `try` that passes one on would copy all of it, and that
/// is code at each of a thousand places for what happens at most once in a process.

/// A value on the heap, with the meaning of a value: whoever changes it has a box of his own.
public indirect enum Boxed<Value> {
    case value(Value)

    /// Puts a value in a box.
    public init(_ value: Value) { self = .value(value) }

    /// What is in the box.
    public var value: Value {
        get {
            switch self {
            case .value(let value): value
            }
        }
        set { self = .value(newValue) }
    }
}

extension Boxed: Equatable where Value: Equatable {}
extension Boxed: Sendable where Value: Sendable {}

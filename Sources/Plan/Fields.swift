/// How steps cross the exec: every field in its order, as 4 or 8 bytes of the machine's own byte order.
///
/// One list of fields serves both directions: a coder that encodes reads them, one that decodes sets them.

/// Reads or writes a step's fields, in their order.
protocol FieldCoder {
    /// Codes a field of 4 bytes.
    mutating func code(_ field: inout UInt32)
    /// Codes a field of 8 bytes.
    mutating func code(_ field: inout UInt64)
}

/// What consists of fields.
protocol Coded {
    /// Makes a value to decode into.
    init()
    /// Names the fields in their order.
    mutating func code(with coder: inout some FieldCoder)
}

extension FieldCoder {
    mutating func code(_ field: inout some Coded) {
        field.code(with: &self)
    }
}

extension Text: Coded {
    init() { self = .empty }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&offset)
        coder.code(&count)
    }
}

extension TextList: Coded {
    init() { self = .empty }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&offset)
        coder.code(&count)
    }
}

extension OneText: Coded {
    init() {
        text = .empty
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&text)
    }
}

extension OneNumber: Coded {
    init() {
        value = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&value)
    }
}

extension OneNumber64: Coded {
    init() {
        value = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&value)
    }
}

extension Owner: Coded {
    init() {
        uid = 0
        gid = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&uid)
        coder.code(&gid)
    }
}

extension JoinNamespace: Coded {
    init() {
        type = 0
        descriptor = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&type)
        coder.code(&descriptor)
    }
}

extension OffsetClocks: Coded {
    init() {
        lines = .empty
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&lines)
    }
}

extension EnterNewNamespaces: Coded {
    init() {
        flags = 0
        awaitsMappings = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&flags)
        coder.code(&awaitsMappings)
    }
}

extension RunHook: Coded {
    init() {
        kind = 0
        index = 0
        path = .empty
        arguments = .empty
        environment = .empty
        timeout = 0
        stateBeforePID = .empty
        stateAfterPID = .empty
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&kind)
        coder.code(&index)
        coder.code(&path)
        coder.code(&arguments)
        coder.code(&environment)
        coder.code(&timeout)
        coder.code(&stateBeforePID)
        coder.code(&stateAfterPID)
    }
}

/// The fields of the steps in MountSteps.swift, in their order. See Fields.swift.

extension TreeSource: Coded {
    init() {
        path = .empty
        slot = 0
        options = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&path)
        coder.code(&slot)
        coder.code(&options)
    }
}

extension AttributeChange: Coded {
    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&set)
        coder.code(&clear)
        coder.code(&recursiveSet)
        coder.code(&recursiveClear)
    }
}

extension PropagationChange: Coded {
    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&first)
        coder.code(&second)
    }
}

extension OpenSource: Coded {
    init() {
        slot = 0
        source = TreeSource()
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&slot)
        coder.code(&source)
    }
}

extension AttachRoot: Coded {
    init() {
        source = TreeSource()
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&source)
    }
}

extension Target: Coded {
    init() {
        path = .empty
        options = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&path)
        coder.code(&options)
    }
}

extension MountFilesystem: Coded {
    init() {
        type = .empty
        source = .empty
        target = Target()
        parameters = .empty
        attributes = AttributeChange()
        propagation = PropagationChange()
        options = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&type)
        coder.code(&source)
        coder.code(&target)
        coder.code(&parameters)
        coder.code(&attributes)
        coder.code(&propagation)
        coder.code(&options)
    }
}

extension Bind: Coded {
    init() {
        source = TreeSource()
        target = Target()
        attributes = AttributeChange()
        propagation = PropagationChange()
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&source)
        coder.code(&target)
        coder.code(&attributes)
        coder.code(&propagation)
    }
}

extension Remount: Coded {
    init() {
        target = Target()
        attributes = AttributeChange()
        propagation = PropagationChange()
        parameters = .empty
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&target)
        coder.code(&attributes)
        coder.code(&propagation)
        coder.code(&parameters)
    }
}

extension MakeDirectory: Coded {
    init() {
        path = .empty
        mode = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&path)
        coder.code(&mode)
    }
}

extension MakeSymlink: Coded {
    init() {
        target = .empty
        path = .empty
        keepExisting = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&target)
        coder.code(&path)
        coder.code(&keepExisting)
    }
}

extension MakeNode: Coded {
    init() {
        path = .empty
        mode = 0
        major = 0
        minor = 0
        uid = 0
        gid = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&path)
        coder.code(&mode)
        coder.code(&major)
        coder.code(&minor)
        coder.code(&uid)
        coder.code(&gid)
    }
}

extension BindNode: Coded {
    init() {
        source = .empty
        path = .empty
        kind = 0
        major = 0
        minor = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&source)
        coder.code(&path)
        coder.code(&kind)
        coder.code(&major)
        coder.code(&minor)
    }
}

extension EnterRoot: Coded {
    init() {
        way = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&way)
    }
}

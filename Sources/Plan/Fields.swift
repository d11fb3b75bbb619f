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

extension SetSysctl: Coded {
    init() {
        path = .empty
        value = .empty
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&path)
        coder.code(&value)
    }
}

extension OpenConsole: Coded {
    init() {
        rows = 0
        columns = 0
        uid = 0
        mountsConsole = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&rows)
        coder.code(&columns)
        coder.code(&uid)
        coder.code(&mountsConsole)
    }
}

extension Supervise: Coded {
    init() {
        user = SetUser()
        capabilities = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&user)
        coder.code(&capabilities)
    }
}

extension StartSession: Coded {
    init() {
        terminal = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&terminal)
    }
}

extension SetScheduler: Coded {
    init() {
        policy = 0
        nice = 0
        priority = 0
        flags = 0
        runtime = 0
        deadline = 0
        period = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&policy)
        coder.code(&nice)
        coder.code(&priority)
        coder.code(&flags)
        coder.code(&runtime)
        coder.code(&deadline)
        coder.code(&period)
    }
}

extension SetIOPriority: Coded {
    init() {
        value = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&value)
    }
}

extension SetMemoryPolicy: Coded {
    init() {
        mode = 0
        mask = .empty
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&mode)
        coder.code(&mask)
    }
}

extension SetExecLabel: Coded {
    init() {
        module = 0
        label = .empty
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&module)
        coder.code(&label)
    }
}

extension SetUser: Coded {
    init() {
        uid = 0
        gid = 0
        groups = .empty
        skipsGroups = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&uid)
        coder.code(&gid)
        coder.code(&groups)
        coder.code(&skipsGroups)
    }
}

extension SetCapabilities: Coded {
    init() {
        effective = 0
        permitted = 0
        inheritable = 0
        ambient = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&effective)
        coder.code(&permitted)
        coder.code(&inheritable)
        coder.code(&ambient)
    }
}

extension FindExecutable: Coded {
    init() {
        file = .empty
        searchPath = .empty
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&file)
        coder.code(&searchPath)
    }
}

extension LoadSeccomp: Coded {
    init() {
        program = .empty
        flags = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&program)
        coder.code(&flags)
    }
}

extension Execute: Coded {
    init() {
        arguments = .empty
        environment = .empty
        preservedDescriptors = 0
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&arguments)
        coder.code(&environment)
        coder.code(&preservedDescriptors)
    }
}

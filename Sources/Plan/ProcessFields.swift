/// The fields of the steps in ProcessSteps.swift, in their order. See Fields.swift.

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
        profile = .empty
        label = .empty
    }

    mutating func code(with coder: inout some FieldCoder) {
        coder.code(&user)
        coder.code(&capabilities)
        coder.code(&profile)
        coder.code(&label)
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

import Plan

/// One step of each kind, with a different number in every field, and their plan.
struct StepSamples {
    var plan = Plan()
    private var number: UInt32 = 100

    init() {
        addNamespaces()
        addMounts()
        addNodes()
        addRoot()
        addProcess()
        addPayload()
    }

    private mutating func next() -> UInt32 {
        number += 1
        return number
    }

    private mutating func text() -> Text { plan.add("text \(next())") }

    private mutating func list() -> TextList { plan.add(["first \(next())", "", "third \(next())"]) }

    private mutating func add(_ step: Step) { plan.append(step, origin: Int32(next())) }

    private mutating func attributes() -> AttributeChange {
        var change = AttributeChange()
        change.set = 1 << 33 | UInt64(next())
        change.clear = 1 << 34 | UInt64(next())
        change.recursiveSet = 1 << 35 | UInt64(next())
        change.recursiveClear = 1 << 36 | UInt64(next())
        return change
    }

    private mutating func target() -> Target { Target(path: text(), noFollow: true, mustExist: true) }

    private mutating func user() -> SetUser {
        SetUser(uid: next(), gid: next(), groups: plan.add(numbers: [next(), next()]), skipsGroups: true)
    }

    private mutating func addNamespaces() {
        add(.joinNamespace(JoinNamespace(type: next(), descriptor: next())))
        add(.takeRoot(OneNumber(next())))
        add(.offsetClocks(OffsetClocks(lines: plan.add("monotonic 5 7\nboottime -1 0\n"))))
        add(.enterNewNamespaces(EnterNewNamespaces(flags: 1 << 40 | 0x2002_0000, awaitsMappings: true)))
        add(.becomeRoot)
        add(.becomeOwner(Owner(uid: next(), gid: next())))
        add(.unshareCgroupNamespace)
        add(.joinSessionKeyring(OneText(text())))
        add(.bringLoopbackUp)
    }

    private mutating func addMounts() {
        add(.openSource(OpenSource(slot: next(), source: TreeSource(path: text(), recursive: true, noFollow: true))))
        add(.isolateMounts(PropagationChange(next(), next())))
        add(.attachRoot(AttachRoot(source: TreeSource(path: text(), recursive: true))))
        add(
            .mountFilesystem(
                MountFilesystem(
                    type: text(), source: text(), target: target(), parameters: list(), attributes: attributes(),
                    propagation: PropagationChange(next(), next()), options: [.copyUp, .bindWhenRefused])))
        add(
            .bind(
                Bind(
                    source: TreeSource(slot: next(), path: text(), recursive: true), target: target(), attributes: attributes(),
                    propagation: PropagationChange(next(), next()))))
        add(
            .remount(
                Remount(
                    target: target(), attributes: attributes(), propagation: PropagationChange(next(), next()), parameters: list())))
    }

    private mutating func addNodes() {
        add(.makeDirectory(MakeDirectory(path: text(), mode: next())))
        add(.makeSymlink(MakeSymlink(target: text(), path: text(), keepExisting: true)))
        add(.makeNode(MakeNode(path: text(), mode: next(), major: next(), minor: next(), uid: next(), gid: next())))
        add(.bindNode(BindNode(source: text(), path: text(), kind: next(), major: next(), minor: next())))
    }

    private mutating func addRoot() {
        add(.makeReadonly(OneText(text())))
        add(.mask(OneText(text())))
        add(.makeRootReadonly)
        add(.enterRoot(EnterRoot(.moving)))
        add(.setRootPropagation(PropagationChange(next(), next())))
        add(.synchronize(.runtimeHooks))
        add(
            .runHook(
                RunHook(
                    kind: .startContainer, index: next(), path: text(), arguments: list(), environment: list(), timeout: next(),
                    stateBeforePID: text(), stateAfterPID: text())))
        add(.setHostname(OneText(text())))
        add(.setDomainname(OneText(text())))
        add(.setSysctl(SetSysctl(path: text(), value: text())))
        add(.openConsole(OpenConsole(rows: next(), columns: next(), uid: next(), mountsConsole: true)))
        add(.makeWorkingDirectory(OneText(text())))
    }

    private mutating func addProcess() {
        add(.supervise(Supervise(user: user(), capabilities: 1 << 41 | UInt64(next()), profile: text(), label: text())))
        add(.startSession(StartSession(terminal: true)))
        add(.setAffinity(OneText(plan.add(bytes: [5, 0, 0, 0, 0, 0, 0, 1]))))
        add(
            .setScheduler(
                SetScheduler(policy: 6, nice: -5, priority: next(), flags: 1 << 42, runtime: 1 << 43, deadline: 1 << 44, period: 1 << 45)))
        add(.setIOPriority(SetIOPriority(priorityClass: 2, priority: 7)))
        add(.setMemoryPolicy(SetMemoryPolicy(mode: next(), mask: plan.add(bytes: [5, 0, 0, 0, 0, 0, 0, 1]))))
        add(.setPersonality(OneNumber(8)))
        add(.setUmask(OneNumber(next())))
        add(.setExecLabel(SetExecLabel(.seLinux, label: text())))
    }

    private mutating func addPayload() {
        add(.limitBoundingSet(OneNumber64(1 << 46 | UInt64(next()))))
        add(.setUser(user()))
        add(.setCapabilities(SetCapabilities(effective: 1 << 47, permitted: 1 << 48, inheritable: 1 << 49, ambient: 1 << 50)))
        add(.setNoNewPrivileges)
        add(.changeDirectory(OneText(text())))
        add(.setHome(OneNumber(next())))
        add(.findExecutable(FindExecutable(file: text(), searchPath: list())))
        add(.awaitStart)
        add(.awaitCommit)
        add(.loadSeccomp(LoadSeccomp(program: plan.add(bytes: [6, 0, 0, 0, 0, 0, 255, 127]), flags: next())))
        add(.execute(Execute(arguments: list(), environment: list(), preservedDescriptors: next())))
    }
}

/// A step's tag and fields, there and back.

extension Step {
    /// The tag that stands before the step's fields.
    ///
    /// Only the two programs of one build ever exchange it.
    var tag: UInt32 {
        switch self {
        case .joinNamespace: 1
        case .offsetClocks: 2
        case .enterNewNamespaces: 3
        case .becomeRoot: 4
        case .unshareCgroupNamespace: 5
        case .joinSessionKeyring: 6
        case .bringLoopbackUp: 7
        case .openSource: 8
        case .isolateMounts: 9
        case .attachRoot: 10
        case .mountFilesystem: 11
        case .bind: 12
        case .remount: 13
        case .makeDirectory: 14
        case .makeSymlink: 15
        case .makeNode: 16
        case .bindNode: 17
        case .makeReadonly: 18
        case .mask: 19
        case .makeRootReadonly: 20
        case .enterRoot: 21
        case .setRootPropagation: 22
        case .synchronize: 23
        case .runHook: 24
        case .setHostname: 25
        case .setDomainname: 26
        case .setSysctl: 27
        case .openConsole: 28
        case .makeWorkingDirectory: 29
        case .supervise: 30
        case .startSession: 31
        case .setScheduler: 32
        case .setIOPriority: 33
        case .setMemoryPolicy: 34
        case .setPersonality: 35
        case .setUmask: 36
        case .setExecLabel: 37
        case .limitBoundingSet: 38
        case .setUser: 39
        case .setCapabilities: 40
        case .setNoNewPrivileges: 41
        case .changeDirectory: 42
        case .setHome: 43
        case .findExecutable: 44
        case .awaitStart: 45
        case .loadSeccomp: 46
        case .execute: 47
        case .takeRoot: 48
        case .setAffinity: 49
        case .awaitCommit: 50
        case .becomeOwner: 51
        }
    }

    /// Codes the step's fields.
    func encode(with coder: inout some FieldCoder) {
        switch self {
        case .becomeRoot, .unshareCgroupNamespace, .bringLoopbackUp, .makeRootReadonly, .setNoNewPrivileges, .awaitStart, .awaitCommit:
            break
        case .joinNamespace(let fields): fields.encoded(with: &coder)
        case .takeRoot(let fields): fields.encoded(with: &coder)
        case .becomeOwner(let fields): fields.encoded(with: &coder)
        case .offsetClocks(let fields): fields.encoded(with: &coder)
        case .enterNewNamespaces(let fields): fields.encoded(with: &coder)
        case .joinSessionKeyring(let fields): fields.encoded(with: &coder)
        case .openSource(let fields): fields.encoded(with: &coder)
        case .isolateMounts(let fields): fields.encoded(with: &coder)
        case .attachRoot(let fields): fields.encoded(with: &coder)
        case .mountFilesystem(let fields): fields.encoded(with: &coder)
        case .bind(let fields): fields.encoded(with: &coder)
        case .remount(let fields): fields.encoded(with: &coder)
        case .makeDirectory(let fields): fields.encoded(with: &coder)
        case .makeSymlink(let fields): fields.encoded(with: &coder)
        case .makeNode(let fields): fields.encoded(with: &coder)
        case .bindNode(let fields): fields.encoded(with: &coder)
        case .makeReadonly(let fields): fields.encoded(with: &coder)
        case .mask(let fields): fields.encoded(with: &coder)
        case .enterRoot(let fields): fields.encoded(with: &coder)
        case .setRootPropagation(let fields): fields.encoded(with: &coder)
        case .synchronize(let point):
            var value = point.rawValue
            coder.code(&value)
        case .runHook(let fields): fields.encoded(with: &coder)
        case .setHostname(let fields): fields.encoded(with: &coder)
        case .setDomainname(let fields): fields.encoded(with: &coder)
        case .setSysctl(let fields): fields.encoded(with: &coder)
        case .openConsole(let fields): fields.encoded(with: &coder)
        case .makeWorkingDirectory(let fields): fields.encoded(with: &coder)
        case .supervise(let fields): fields.encoded(with: &coder)
        case .startSession(let fields): fields.encoded(with: &coder)
        case .setAffinity(let fields): fields.encoded(with: &coder)
        case .setScheduler(let fields): fields.encoded(with: &coder)
        case .setIOPriority(let fields): fields.encoded(with: &coder)
        case .setMemoryPolicy(let fields): fields.encoded(with: &coder)
        case .setPersonality(let fields): fields.encoded(with: &coder)
        case .setUmask(let fields): fields.encoded(with: &coder)
        case .setExecLabel(let fields): fields.encoded(with: &coder)
        case .limitBoundingSet(let fields): fields.encoded(with: &coder)
        case .setUser(let fields): fields.encoded(with: &coder)
        case .setCapabilities(let fields): fields.encoded(with: &coder)
        case .changeDirectory(let fields): fields.encoded(with: &coder)
        case .setHome(let fields): fields.encoded(with: &coder)
        case .findExecutable(let fields): fields.encoded(with: &coder)
        case .loadSeccomp(let fields): fields.encoded(with: &coder)
        case .execute(let fields): fields.encoded(with: &coder)
        }
    }

    /// Decodes the step of a tag; nil for a tag that no step has.
    init?(tag: UInt32, with coder: inout some FieldCoder) {
        switch tag {
        case 1: self = .joinNamespace(JoinNamespace(decodedWith: &coder))
        case 2: self = .offsetClocks(OffsetClocks(decodedWith: &coder))
        case 3: self = .enterNewNamespaces(EnterNewNamespaces(decodedWith: &coder))
        case 4: self = .becomeRoot
        case 5: self = .unshareCgroupNamespace
        case 6: self = .joinSessionKeyring(OneText(decodedWith: &coder))
        case 7: self = .bringLoopbackUp
        case 8: self = .openSource(OpenSource(decodedWith: &coder))
        case 9: self = .isolateMounts(PropagationChange(decodedWith: &coder))
        case 10: self = .attachRoot(AttachRoot(decodedWith: &coder))
        case 11: self = .mountFilesystem(MountFilesystem(decodedWith: &coder))
        case 12: self = .bind(Bind(decodedWith: &coder))
        case 13: self = .remount(Remount(decodedWith: &coder))
        case 14: self = .makeDirectory(MakeDirectory(decodedWith: &coder))
        case 15: self = .makeSymlink(MakeSymlink(decodedWith: &coder))
        case 16: self = .makeNode(MakeNode(decodedWith: &coder))
        case 17: self = .bindNode(BindNode(decodedWith: &coder))
        case 18: self = .makeReadonly(OneText(decodedWith: &coder))
        case 19: self = .mask(OneText(decodedWith: &coder))
        case 20: self = .makeRootReadonly
        case 21: self = .enterRoot(EnterRoot(decodedWith: &coder))
        case 22: self = .setRootPropagation(PropagationChange(decodedWith: &coder))
        case 23:
            var value: UInt32 = 0
            coder.code(&value)
            guard let point = SyncPoint(rawValue: value) else { return nil }
            self = .synchronize(point)
        case 24: self = .runHook(RunHook(decodedWith: &coder))
        case 25: self = .setHostname(OneText(decodedWith: &coder))
        case 26: self = .setDomainname(OneText(decodedWith: &coder))
        case 27: self = .setSysctl(SetSysctl(decodedWith: &coder))
        case 28: self = .openConsole(OpenConsole(decodedWith: &coder))
        case 29: self = .makeWorkingDirectory(OneText(decodedWith: &coder))
        case 30: self = .supervise(Supervise(decodedWith: &coder))
        case 31: self = .startSession(StartSession(decodedWith: &coder))
        case 32: self = .setScheduler(SetScheduler(decodedWith: &coder))
        case 33: self = .setIOPriority(SetIOPriority(decodedWith: &coder))
        case 34: self = .setMemoryPolicy(SetMemoryPolicy(decodedWith: &coder))
        case 35: self = .setPersonality(OneNumber(decodedWith: &coder))
        case 36: self = .setUmask(OneNumber(decodedWith: &coder))
        case 37: self = .setExecLabel(SetExecLabel(decodedWith: &coder))
        case 38: self = .limitBoundingSet(OneNumber64(decodedWith: &coder))
        case 39: self = .setUser(SetUser(decodedWith: &coder))
        case 40: self = .setCapabilities(SetCapabilities(decodedWith: &coder))
        case 41: self = .setNoNewPrivileges
        case 42: self = .changeDirectory(OneText(decodedWith: &coder))
        case 43: self = .setHome(OneNumber(decodedWith: &coder))
        case 44: self = .findExecutable(FindExecutable(decodedWith: &coder))
        case 45: self = .awaitStart
        case 46: self = .loadSeccomp(LoadSeccomp(decodedWith: &coder))
        case 47: self = .execute(Execute(decodedWith: &coder))
        case 48: self = .takeRoot(OneNumber(decodedWith: &coder))
        case 49: self = .setAffinity(OneText(decodedWith: &coder))
        case 50: self = .awaitCommit
        case 51: self = .becomeOwner(Owner(decodedWith: &coder))
        default: return nil
        }
    }
}

extension Coded {
    /// Codes a copy, for a coder that only reads.
    func encoded(with coder: inout some FieldCoder) {
        var copy = self
        copy.code(with: &coder)
    }

    /// Makes a value of what the coder holds.
    init(decodedWith coder: inout some FieldCoder) {
        self.init()
        code(with: &coder)
    }
}

/// All rules over a config that need no host. Each file beside this one has those of a part; none of them changes anything.
/// Row G-05.

extension Config {
    /// What is wrong in the config's values and between them, in the document's order.
    ///
    /// Complements what decoding finds.
    public func validate() -> [Diagnostic] {
        var findings = Findings()
        checkRoot(self, &findings)
        checkMounts(mounts, linux, &findings)
        checkProcess(process, linux, &findings)
        checkNames(self, &findings)
        checkHooks(hooks, &findings)
        checkAnnotations(annotations, &findings)
        checkNamespaces(linux, &findings)
        checkMappings(linux, &findings)
        checkTimeOffsets(linux, &findings)
        checkDevices(linux, &findings)
        checkPaths(linux, &findings)
        checkNetDevices(linux, &findings)
        checkIntelRdt(linux.intelRdt, &findings)
        checkMemoryPolicy(linux.memoryPolicy, &findings)
        checkSysctls(self, &findings)
        checkSeccomp(linux.seccomp, &findings)
        checkResources(linux, &findings)
        return findings.sorted
    }
}

extension Process {
    /// What is wrong in a process that joins a container with that `linux` section.
    public func validate(linux: Linux) -> [Diagnostic] {
        var findings = Findings()
        checkProcess(self, linux, &findings)
        return findings.sorted
    }
}

extension Resources {
    /// What is wrong in limits.
    ///
    /// An update may leave out what is set already.
    public func validate(isUpdate: Bool = false) -> [Diagnostic] {
        var findings = Findings()
        checkLimits(self, isUpdate: isUpdate, &findings)
        return findings.sorted
    }
}

extension Linux {
    /// Whether the container has a namespace of its own or joins one, as far as the config could be read.
    func has(_ type: NamespaceType) -> Bool { lacksNamespaces || namespace(type) != nil }
}

/// A string as the diagnostics show it.
func shown(_ string: String) -> String { JSONWriter.quoted(string) }

/// Whether a path begins at the root.
func isAbsolute(_ path: String) -> Bool { path.utf8.first == UInt8(ascii: "/") }

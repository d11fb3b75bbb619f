/// `swoci checkpoint`, and the options that `swoci restore` has as well

import Runtime

func checkpoint(_ context: Context) throws(Failure) {
    var request = CheckpointRequest(id: try context.containerID(), settings: try criuSettings(context))
    let options = context.options
    request.parentPath = options["parent-path"].flatMap { $0.isEmpty ? nil : $0 }
    request.leavesRunning = options.isSet("leave-running")
    request.isPreDump = options.isSet("pre-dump")
    request.tcpSkipInFlight = options.isSet("tcp-skip-in-flight")
    request.linkRemap = options.isSet("link-remap")
    if let text = options["status-fd"] {
        guard let number = Int32(text), number >= 0 else {
            throw Failure("use --status-fd", text, detail: "not a descriptor", kind: .usage)
        }
        request.statusDescriptor = number
    }
    if let text = options["page-server"], !text.isEmpty {
        guard let server = PageServer(text) else {
            throw Failure("use --page-server", text, hint: "--page-server ADDRESS:PORT", kind: .usage)
        }
        request.pageServer = server
    }
    for warning in try context.store().checkpoint(request) { context.reporter.warning(warning) }
}

/// What checkpoint and restore are told alike.
func criuSettings(_ context: Context) throws(Failure) -> CriuSettings {
    let options = context.options
    let program = CriuProgram(
        name: context.globals["criu"].flatMap { $0.isEmpty ? nil : $0 },
        searchPath: context.environment["PATH"] ?? CriuProgram.standardPath)
    func path(_ name: String) -> String? { options[name].flatMap { $0.isEmpty ? nil : $0 } }
    var settings = CriuSettings(program: program, imagePath: path("image-path") ?? "checkpoint")
    settings.workPath = path("work-path")
    settings.tcpEstablished = options.isSet("tcp-established")
    settings.extUnixSockets = options.isSet("ext-unix-sk")
    settings.shellJob = options.isSet("shell-job")
    settings.lazyPages = options.isSet("lazy-pages")
    settings.fileLocks = options.isSet("file-locks")
    settings.autoDedup = options.isSet("auto-dedup")
    if let name = path("manage-cgroups-mode") {
        guard let mode = CgroupRestoreMode(rawValue: name) else {
            throw Failure("use --manage-cgroups-mode", name, hint: "soft, full, strict or ignore", kind: .usage)
        }
        settings.cgroupMode = mode
    }
    for name in options.values("empty-ns") {
        guard name == "network" else { throw Failure("use --empty-ns", name, hint: "only network can be left empty", kind: .usage) }
        settings.emptiesNetwork = true
    }
    return settings
}

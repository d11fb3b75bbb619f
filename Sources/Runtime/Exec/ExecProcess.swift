/// The process that exec runs, put together of config, document and options. Pure.

import Spec

/// The options that change a process, checked.
struct ProcessOptions: Equatable, Sendable {
    var arguments: [String] = []
    var cwd: String?
    var environment: [String] = []
    var hasTerminal = false
    /// The user that the option names; nil without the option.
    var user: User?
    var additionalGroups: [UInt32] = []
    var capabilities = CapabilitySet()
    var noNewPrivileges = false
    var appArmorProfile: String?
    var processLabel: String?
}

extension Process {
    /// The process of a document in a container: what the document leaves out is the config's, less what only its own process has.
    ///
    /// Arguments, environment, directory and user are the document's alone. A container whose process may gain no privileges has none
    /// whose further processes may.
    /// - Parameter config: The container's own process.
    func completed(from config: Process?) -> Process {
        guard let config else { return self }
        var result = self
        if capabilities == nil, var sets = config.capabilities {
            sets.origin = .none
            result.capabilities = sets
        }
        if rlimits.isEmpty {
            result.rlimits = config.rlimits.map { (limit: Rlimit) -> Rlimit in
                var limit = limit
                limit.origin = .none
                return limit
            }
        }
        result.noNewPrivileges = noNewPrivileges || config.noNewPrivileges
        result.apparmorProfile = apparmorProfile ?? config.apparmorProfile.map { Located($0.value) }
        result.selinuxLabel = selinuxLabel ?? config.selinuxLabel.map { Located($0.value) }
        result.oomScoreAdj = oomScoreAdj ?? config.oomScoreAdj.map { Located($0.value) }
        if scheduler == nil, var scheduler = config.scheduler {
            scheduler.origin = .none
            result.scheduler = scheduler
        }
        if ioPriority == nil, var priority = config.ioPriority {
            priority.origin = .none
            result.ioPriority = priority
        }
        if execCPUAffinity == nil, var affinity = config.execCPUAffinity {
            affinity.initial = affinity.initial.map { Located($0.value) }
            affinity.final = affinity.final.map { Located($0.value) }
            result.execCPUAffinity = affinity
        }
        result.user.umask = user.umask ?? config.user.umask
        return result
    }

    /// The process with the options on top.
    func changed(by options: ProcessOptions) -> Process {
        var result = self
        if !options.arguments.isEmpty { result.args = options.arguments.map { Located($0) } }
        if let cwd = options.cwd { result.cwd = Located(cwd) }
        result.env += options.environment.map { Located($0) }
        if options.hasTerminal { result.terminal = true }
        if let user = options.user { result.user = user }
        result.user.additionalGids += options.additionalGroups.map { Located($0) }
        if options.noNewPrivileges { result.noNewPrivileges = true }
        // An empty one takes nothing away: "unconfined" says that.
        if let profile = options.appArmorProfile, !profile.isEmpty { result.apparmorProfile = Located(profile) }
        if let label = options.processLabel, !label.isEmpty { result.selinuxLabel = Located(label) }
        // Without sets the process keeps all that it can have. Never inheritable: a file in the image could use it (CVE-2022-29162).
        if var sets = capabilities {
            sets.bounding.formUnion(options.capabilities)
            sets.effective.formUnion(options.capabilities)
            sets.permitted.formUnion(options.capabilities)
            result.capabilities = sets
        }
        return result
    }
}

extension Config {
    /// The config without the places of what a further process takes over from it, for a process that comes from another document.
    func withoutPlaces() -> Config {
        var result = self
        result.linux.personality = linux.personality.map { Located($0.value) }
        result.linux.memoryPolicy?.origin = .none
        result.linux.seccomp?.origin = .none
        return result
    }
}

/// The entry of `conformance engines`: real engines drive the runtime.

import Foundation

enum Engines {
    static let usage = """
        Usage: conformance engines [--runtime PATH] [--filter TEXT]... [--list]

        Scenarios in which podman, buildah, docker, containerd and its Kubernetes interface drive an OCI runtime; needs root
        and the engines.

          --runtime PATH   the runtime to test (or RUNTIME=PATH; default: the package's release swoci)
          --filter TEXT    only scenarios of this engine, or with TEXT in "ENGINE: CLAIM"; repeatable
          --list           print the chosen scenarios and run nothing

        CONFORMANCE_LAYOUT=v1 shows cgroup v1 controllers without the unified hierarchy beside them (crun needs that).
        """

    /// Every subject.
    static let subjects: [Subject] = [
        runOptions, containerLife, inside, surroundings, groups, trouble, supervisors, debianImage, building, tasks, pods, streams,
    ]

    static func make(_ name: EngineName, _ runtime: RuntimeUnderTest) -> any Engine {
        switch name {
        case .podman: Podman(runtime: runtime)
        case .docker: Docker(runtime: runtime)
        case .buildah: Buildah(runtime: runtime)
        case .containerd: Containerd(runtime: runtime)
        case .cri: Kubernetes(runtime: runtime)
        }
    }

    static func main(_ arguments: [String]) {
        do {
            let options = try Options(arguments: arguments, environment: ProcessInfo.processInfo.environment)
            if options.help { return print(usage) }
            let chosen = subjects.flatMap(\.scenarios).filter { scenario in
                options.filters.isEmpty
                    || options.filters.contains { filter in
                        EngineName(rawValue: filter).map { $0 == scenario.engine } ?? scenario.name.contains(filter)
                    }
            }
            if options.list { return chosen.forEach { print($0.name) } }
            if EngineIsolation.isOutside, geteuid() == 0, chosen.contains(where: { $0.claim.hasPrefix("Debian: ") }) {
                Images.prepareDebian()
            }
            try EngineIsolation.enter(for: [options.runtime])
            exit(try EngineSuite(runtime: options.runtime).run(chosen) ? 0 : 1)
        } catch {
            Conformance.complain("\(error)")
            exit(2)
        }
    }
}

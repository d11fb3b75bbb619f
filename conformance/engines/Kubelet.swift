/// What scenarios of the Kubernetes interface are written with.

import Foundation

struct Kubelet {
    let engine: Kubernetes
    let lab: Lab

    /// A pod that runs.
    struct Pod {
        let id: String
        let config: Object
    }

    func call(_ method: String, _ request: Object) throws -> Object { try engine.call(lab, method, request) }

    /// A pod's configuration.
    func config(_ name: String, _ extra: Object = [:]) -> Object {
        let metadata: Object = ["name": name, "uid": name, "namespace": "test"]
        let own: Object = ["metadata": metadata, "hostname": "pod", "log_directory": lab.directory]
        return own.merging(extra) { _, new in new }
    }

    /// Runs a pod with the runtime under test as its handler.
    func pod(_ extra: Object = [:]) throws -> Pod {
        let config = config("pod\(UInt32.random(in: 0...UInt32.max))", extra)
        let answer = try call("RunPodSandbox", ["config": config, "runtime_handler": "sut"])
        return Pod(id: answer["pod_sandbox_id"] as? String ?? "", config: config)
    }

    /// Starts a container with a shell script; returns its id.
    func container(in pod: Pod, _ script: String = "exec sleep 1000", with extra: Object = [:]) throws -> String {
        let id = try create(in: pod, ["command": ["sh", "-c", script]].merging(extra) { _, new in new })
        _ = try call("StartContainer", ["container_id": id])
        return id
    }

    /// Creates and starts a container, whatever comes of it.
    func start(in pod: Pod, _ extra: Object) throws -> Outcome {
        let id = try create(in: pod, extra)
        return try engine.attempt(lab, "StartContainer", ["container_id": id])
    }

    private func create(in pod: Pod, _ extra: Object) throws -> String {
        let name = "box\(UInt32.random(in: 0...UInt32.max))"
        let own: Object = ["metadata": ["name": name], "image": ["image": Images.box], "log_path": "\(name).log"]
        let request: Object = ["pod_sandbox_id": pod.id, "config": own.merging(extra) { _, new in new }, "sandbox_config": pod.config]
        return try call("CreateContainer", request)["container_id"] as? String ?? ""
    }

    /// The status of a container.
    func state(_ container: String) throws -> Object {
        try call("ContainerStatus", ["container_id": container])["status"] as? Object ?? [:]
    }

    func log(_ container: String) -> String { ((try? state(container))?["log_path"] as? String).map(lab.read) ?? "" }

    /// The container's first process.
    func pid(_ container: String) throws -> pid_t {
        let info = try call("ContainerStatus", ["container_id": container, "verbose": true])["info"] as? Object
        guard let pid = try object(info?["info"] as? String ?? "")["pid"] as? Int else {
            throw Failure(message: "no pid in \(info ?? [:])")
        }
        return pid_t(pid)
    }

    func namespace(_ container: String, _ kind: String) throws -> String { Namespace.at("/proc/\(try pid(container))/ns/\(kind)") }

    /// A limit in the container's cgroup, read from outside.
    func limit(_ container: String, _ controller: String, _ unified: String, _ legacy: String) throws -> String {
        let directory = try Cgroups.directory(of: try pid(container), controller: controller)
        return lab.read("\(directory)/\(Cgroups.isUnified ? unified : legacy)").trimmingCharacters(in: .newlines)
    }

    /// Runs a script in a container.
    func exec(_ container: String, _ script: String) throws -> Object {
        try call("ExecSync", ["container_id": container, "cmd": ["sh", "-c", script], "timeout": 20])
    }

    /// Bytes of an answer, which JSON has in base 64.
    func text(_ value: Any?) -> String {
        Data(base64Encoded: value as? String ?? "").map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

/// containerd's Kubernetes interface, called as a kubelet does, with the runtime as a handler of its own.

import Foundation

final class Kubernetes: Engine {
    let name = EngineName.cri
    let words: [String]
    let environment: [String]
    let daemons: Set<String> = ["containerd"]
    let stateRoots = ["/run/containerd/runc/k8s.io"]
    let containerd: Containerd

    init(runtime: RuntimeUnderTest) {
        let networks = "\(Containerd.directory)/networks"
        containerd = Containerd(
            runtime: runtime, namespace: "k8s.io",
            config: """
                [plugins."io.containerd.grpc.v1.cri"]
                  sandbox_image = "\(Images.pause)"
                  restrict_oom_score_adj = true
                  [plugins."io.containerd.grpc.v1.cri".cni]
                    bin_dir = "/usr/lib/cni"
                    conf_dir = "\(networks)"
                  [plugins."io.containerd.grpc.v1.cri".containerd]
                    default_runtime_name = "sut"
                  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.sut]
                    runtime_type = "io.containerd.runc.v2"
                    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.sut.options]
                      BinaryName = "\(runtime.path)"
                """)
        // The client lies beside this file.
        let folder = (#filePath as NSString).deletingLastPathComponent
        words = ["\(folder)/kubelet", Containerd.socket]
        environment = containerd.environment
    }

    func start(_ lab: Lab) throws {
        let networks = "\(Containerd.directory)/networks"
        try FileManager.default.createDirectory(atPath: networks, withIntermediateDirectories: true)
        let range: [[Object]] = [[["subnet": "10.77.0.0/16"]]]
        let bridge: Object = [
            "type": "bridge", "bridge": "pods0", "isGateway": true, "ipam": ["type": "host-local", "ranges": range] as Object,
        ]
        let network: Object = ["cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]]
        try Images.json(network).write(toFile: "\(networks)/pods.conflist", atomically: false, encoding: .utf8)
        try containerd.start(lab)
        try lab.eventually("the images") {
            let answer = try call(lab, "ListImages", [:])
            return Set((answer["images"] as? [Object] ?? []).flatMap { $0["repo_tags"] as? [String] ?? [] }).isSuperset(of: [
                Images.box, Images.pause,
            ])
        }
    }

    /// Calls the interface, and fails where it does.
    func call(_ lab: Lab, _ method: String, _ request: Object) throws -> Object {
        let outcome = try attempt(lab, method, request)
        if outcome.status == 3 { throw Skip("this containerd's interface has no such field") }
        try expect(outcome.status == 0, "\(method): \(outcome.err)")
        return try object(outcome.out)
    }

    /// Calls the interface, whatever comes of it.
    func attempt(_ lab: Lab, _ method: String, _ request: Object) throws -> Outcome {
        let input = try lab.file(try Images.json(request))
        return try lab.execute(Launch(arguments: words + [method], environment: environment, input: input))
    }

    func reset(_ lab: Lab) {
        let pods = (try? call(lab, "ListPodSandbox", [:]))?["items"] as? [Object] ?? []
        for pod in pods {
            for method in ["StopPodSandbox", "RemovePodSandbox"] { _ = try? attempt(lab, method, ["pod_sandbox_id": pod["id"] ?? ""]) }
        }
    }

    func stop(_ lab: Lab) { containerd.stop(lab) }
}

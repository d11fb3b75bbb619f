/// Pods and their containers, as a kubelet makes, watches, changes and ends them.

import Foundation

let pods = Subject { subject in
    func claim(_ claim: String, seconds: Double = 60, _ body: @escaping @Sendable (Kubelet) throws -> Void) {
        subject.claim(claim, of: [.cri], seconds: seconds) { session in
            guard let engine = session.engine as? Kubernetes else { return }
            try body(Kubelet(engine: engine, lab: session.lab))
        }
    }

    claim("the interface is ready and names its version") { kubelet in
        try equal(try kubelet.call("Version", [:])["runtime_name"] as? String, "containerd", "name")
        let status = try kubelet.call("Status", [:])["status"] as? Object
        let conditions = status?["conditions"] as? [Object] ?? []
        try expect(conditions.count >= 2 && conditions.allSatisfy { $0["status"] as? Bool == true }, "conditions \(conditions)")
    }
    claim("a handler that is not there is refused") { kubelet in
        let outcome = try kubelet.engine.attempt(
            kubelet.lab, "RunPodSandbox", ["config": kubelet.config("none"), "runtime_handler": "other"])
        try expect(outcome.status == 1, "it was not refused")
    }
    claim("a container runs to its end, with its log and status") { kubelet in
        let pod = try kubelet.pod()
        let container = try kubelet.container(in: pod, "echo out; echo err >&2; exit 7")
        try kubelet.lab.eventually("its end") { try kubelet.state(container)["state"] as? String == "CONTAINER_EXITED" }
        try equal(try kubelet.state(container)["exit_code"] as? Int, 7, "exit code")
        let log = kubelet.log(container)
        try contains(log, "stdout F out", "log")
        try contains(log, "stderr F err", "log")
    }
    claim("ExecSync has output, errors and status") { kubelet in
        let container = try kubelet.container(in: try kubelet.pod())
        let answer = try kubelet.exec(container, "echo out; echo err >&2; exit 9")
        try equal(kubelet.text(answer["stdout"]), "out\n", "output")
        try equal(kubelet.text(answer["stderr"]), "err\n", "errors")
        try equal(answer["exit_code"] as? Int, 9, "exit code")
    }
    claim("ExecSync ends a command that takes too long") { kubelet in
        let container = try kubelet.container(in: try kubelet.pod())
        let request: Object = ["container_id": container, "cmd": ["sleep", "4331"], "timeout": 1]
        try expect(try kubelet.engine.attempt(kubelet.lab, "ExecSync", request).status == 1, "it was not ended")
        try kubelet.lab.eventually("its end") {
            kubelet.lab.children.living().allSatisfy { !kubelet.lab.read("/proc/\($0)/cmdline").contains("4331") }
        }
    }
    claim("ExecSync of a program that is not there says so") { kubelet in
        let container = try kubelet.container(in: try kubelet.pod())
        let outcome = try kubelet.engine.attempt(kubelet.lab, "ExecSync", ["container_id": container, "cmd": ["no-such-program"]])
        try expect(outcome.status == 1, "it was not refused")
        try contains(outcome.err, "executable file not found in $PATH", "what it said")
    }
    claim("a program that is not there fails the start with its name") { kubelet in
        let pod = try kubelet.pod()
        let outcome = try kubelet.start(in: pod, ["command": ["/no/such/program"]])
        try expect(outcome.status == 1, "it was not refused")
        try contains(outcome.err, "no such file or directory", "what it said")
    }
    claim("stats have memory and processor time") { kubelet in
        let container = try kubelet.container(in: try kubelet.pod())
        let stats = try kubelet.call("ContainerStats", ["container_id": container])["stats"] as? Object
        for (group, field) in [("memory", "working_set_bytes"), ("cpu", "usage_core_nano_seconds")] {
            let value = ((stats?[group] as? Object)?[field] as? Object)?["value"] as? String ?? "0"
            try expect(Int(value) ?? 0 > 0, "\(field) is \(value)")
        }
    }
    claim("limits hold, and are changed while it runs") { kubelet in
        let resources: Object = ["memory_limit_in_bytes": 67_108_864, "cpu_quota": 50000, "cpu_period": 100_000, "cpu_shares": 512]
        let container = try kubelet.container(in: try kubelet.pod(), with: ["linux": ["resources": resources]])
        try equal(try kubelet.limit(container, "memory", "memory.max", "memory.limit_in_bytes"), "67108864", "memory")
        let change: Object = ["memory_limit_in_bytes": 33_554_432, "cpu_quota": 20000, "cpu_period": 100_000]
        _ = try kubelet.call("UpdateContainerResources", ["container_id": container, "linux": change])
        try equal(try kubelet.limit(container, "memory", "memory.max", "memory.limit_in_bytes"), "33554432", "memory afterwards")
        let quota = try kubelet.limit(container, "cpu", "cpu.max", "cpu.cfs_quota_us")
        try equal(String(quota.prefix { $0 != " " }), "20000", "quota afterwards")
        try equal(kubelet.text(try kubelet.exec(container, "echo alive")["stdout"]), "alive\n", "exec afterwards")
    }
    claim("memory that runs out is the reason of the end") { kubelet in
        let container = try kubelet.container(
            in: try kubelet.pod(), "exec tail /dev/zero", with: ["linux": ["resources": ["memory_limit_in_bytes": 16_777_216]]])
        try kubelet.lab.eventually("its end") { try kubelet.state(container)["state"] as? String == "CONTAINER_EXITED" }
        try equal(try kubelet.state(container)["reason"] as? String, "OOMKilled", "reason")
    }
    claim("containers of a pod share network, ipc and host name") { kubelet in
        let pod = try kubelet.pod()
        let own: Object = ["linux": ["security_context": ["namespace_options": ["pid": "CONTAINER"]]]]
        let (first, second) = (try kubelet.container(in: pod, with: own), try kubelet.container(in: pod, with: own))
        for kind in ["net", "ipc", "uts"] {
            try equal(try kubelet.namespace(first, kind), try kubelet.namespace(second, kind), kind)
        }
        try expect(try kubelet.namespace(first, "pid") != kubelet.namespace(second, "pid"), "pid is shared")
        try equal(kubelet.text(try kubelet.exec(first, "hostname")["stdout"]), "pod\n", "host name")
    }
    claim("a pod that shares processes") { kubelet in
        let pod = try kubelet.pod(["linux": ["security_context": ["namespace_options": ["pid": "POD"]]]])
        let shared: Object = ["linux": ["security_context": ["namespace_options": ["pid": "POD"]]]]
        _ = try kubelet.container(in: pod, "exec sleep 4332", with: shared)
        let second = try kubelet.container(in: pod, with: shared)
        try contains(kubelet.text(try kubelet.exec(second, "ps")["stdout"]), "sleep 4332", "ps")
    }
    claim("a pod in the host's network, pid and ipc namespaces") { kubelet in
        let options: Object = ["network": "NODE", "pid": "NODE", "ipc": "NODE"]
        let context: Object = ["linux": ["security_context": ["namespace_options": options]]]
        let pod = try kubelet.pod(context.merging(["hostname": ""]) { _, new in new })
        let container = try kubelet.container(in: pod, with: context)
        for kind in ["net", "pid", "ipc"] { try equal(try kubelet.namespace(container, kind), Namespace.own(kind), kind) }
        _ = try kubelet.call("StopContainer", ["container_id": container, "timeout": 0])
    }
    claim("the security context holds") { kubelet in
        let context: Object = [
            "run_as_user": ["value": 1234], "run_as_group": ["value": 5], "readonly_rootfs": true, "no_new_privs": true,
            "capabilities": ["drop_capabilities": ["ALL"]], "seccomp": ["profile_type": "RuntimeDefault"],
            "masked_paths": ["/proc/version"],
        ]
        let container = try kubelet.container(in: try kubelet.pod(), with: ["linux": ["security_context": context]])
        let script =
            "id -u; id -g; touch /x 2>/dev/null || echo refused; cat /proc/version; grep -E '(NoNewPrivs|CapBnd|Seccomp):' /proc/self/status"
        let text = kubelet.text(try kubelet.exec(container, script)["stdout"])
        try equal(text, "1234\n5\nrefused\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n", "what it is")
    }
    claim("sysctls of a pod") { kubelet in
        let pod = try kubelet.pod(["linux": ["sysctls": ["net.core.somaxconn": "77"]]])
        let container = try kubelet.container(in: pod)
        try equal(kubelet.text(try kubelet.exec(container, "cat /proc/sys/net/core/somaxconn")["stdout"]), "77\n", "value")
    }
    claim("mounts: for reading only, and with what the host mounts later") { kubelet in
        let point = try kubelet.lab.tmpfs()
        try kubelet.lab.command("mount", "--make-shared", point)
        try FileManager.default.createDirectory(atPath: "\(point)/below", withIntermediateDirectories: true)
        kubelet.lab.later { umount2("\(point)/below", Int32(MNT_DETACH)) }
        let mounts: [Object] = [
            ["host_path": point, "container_path": "/fixed", "readonly": true],
            ["host_path": point, "container_path": "/later", "propagation": "PROPAGATION_HOST_TO_CONTAINER"],
        ]
        let container = try kubelet.container(in: try kubelet.pod(), with: ["mounts": mounts])
        try kubelet.lab.command("mount", "-t", "tmpfs", "tmpfs", "\(point)/below")
        try "x".write(toFile: "\(point)/below/mark", atomically: false, encoding: .utf8)
        let text = kubelet.text(
            try kubelet.exec(container, "cat /later/below/mark; ls /fixed/below; touch /fixed/x 2>/dev/null || echo refused")["stdout"])
        try equal(text, "xrefused\n", "what it sees")
    }
    claim("a mount that is read-only to its depths") { kubelet in
        let point = try kubelet.lab.tmpfs()
        _ = try kubelet.lab.tmpfs(at: "\(point)/below")
        let mount: Object = ["host_path": point, "container_path": "/data", "readonly": true, "recursive_read_only": true]
        let container = try kubelet.container(in: try kubelet.pod(), with: ["mounts": [mount]])
        try equal(
            kubelet.text(try kubelet.exec(container, "touch /data/below/x 2>/dev/null || echo refused")["stdout"]), "refused\n", "writing")
    }
    claim("a pod with a user namespace") { kubelet in
        let map: [Object] = [["host_id": 100_000, "container_id": 0, "length": 65536]]
        let options: Object = ["userns_options": ["mode": "POD", "uids": map, "gids": map] as Object]
        let context: Object = ["linux": ["security_context": ["namespace_options": options]]]
        let container = try kubelet.container(in: try kubelet.pod(context), with: context)
        let first = kubelet.text(try kubelet.exec(container, "awk '{print $2}' /proc/self/uid_map")["stdout"])
        if first == "0\n" { throw Skip("this containerd leaves the namespace out") }
        try equal(first, "100000\n", "first id")
    }
    claim("stop sends TERM, then KILL") { kubelet in
        let pod = try kubelet.pod()
        let polite = try kubelet.container(in: pod, "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done")
        let deaf = try kubelet.container(in: pod, "trap '' TERM; echo ready; while :; do sleep 0.1; done")
        for (container, seconds, status) in [(polite, 20, 9), (deaf, 1, 137)] {
            try kubelet.lab.eventually("it is ready") { kubelet.log(container).contains("ready") }
            for _ in 1...2 { _ = try kubelet.call("StopContainer", ["container_id": container, "timeout": seconds]) }
            try equal(try kubelet.state(container)["exit_code"] as? Int, status, "exit code")
        }
    }
    claim("containers and pods are removed, twice too") { kubelet in
        let pod = try kubelet.pod()
        let container = try kubelet.container(in: pod)
        for _ in 1...2 { _ = try kubelet.call("RemoveContainer", ["container_id": container]) }
        for method in ["StopPodSandbox", "StopPodSandbox", "RemovePodSandbox", "RemovePodSandbox"] {
            _ = try kubelet.call(method, ["pod_sandbox_id": pod.id])
        }
        try equal((try kubelet.call("ListPodSandbox", [:])["items"] as? [Object])?.count, 0, "pods")
    }
    claim("a privileged container mounts") { kubelet in
        let context: Object = ["linux": ["security_context": ["privileged": true]]]
        let container = try kubelet.container(in: try kubelet.pod(context), with: context)
        try equal(
            kubelet.text(try kubelet.exec(container, "mkdir /m; mount -t tmpfs none /m && echo mounted")["stdout"]), "mounted\n", "output")
    }
    claim("containerd is killed and comes back, the pod goes on") { kubelet in
        let container = try kubelet.container(in: try kubelet.pod())
        let pid = try kubelet.pid(container)
        try kubelet.engine.containerd.daemon.comesBack(kubelet.lab)
        try kubelet.lab.eventually("the interface") { try kubelet.engine.attempt(kubelet.lab, "ListContainers", [:]).status == 0 }
        try equal(try kubelet.pid(container), pid, "its process")
        try equal(kubelet.text(try kubelet.exec(container, "echo alive")["stdout"]), "alive\n", "exec")
    }
}

/// More than a container: pods, health, images that are built, many at once, and what dies in between.

import Foundation

private let both: [EngineName] = [.podman, .docker]

let groups = Subject { subject in
    // MARK: Pods
    subject.claim("containers of a pod share network, ipc and host name", of: [.podman]) { session in
        try session.pod()
        let name = try session.up("--pod group", "hostname; exec nc -l -p 99 -e echo hello")
        for kind in ["net", "ipc", "uts"] {
            let link = Namespace.at("/proc/\(try session.pid(name))/ns/\(kind)")
            try equal(try session.printed("--pod group", "readlink /proc/self/ns/\(kind)"), link, kind)
        }
        try equal(try session.printed("--pod group", "nc 127.0.0.1 99 </dev/null"), "hello", "what comes by loopback")
    }
    subject.claim("a pod that shares processes", of: [.podman]) { session in
        try session.pod("--share", "pid,net,ipc,uts")
        _ = try session.up("--pod group", "exec sleep 4324")
        try contains(try session.printed("--pod group", "ps"), "sleep 4324", "ps")
    }
    subject.claim("a pod is paused, stopped, started again and removed", of: [.podman]) { session in
        try session.pod()
        let name = try session.up("--pod group")
        try session.must("pod", "pause", "group")
        try equal(try session.inspect(name, ".State.Status"), "paused", "status")
        try session.must("pod", "unpause", "group")
        try session.must("pod", "stop", "-t", "0", "group")
        try equal(try session.inspect(name, ".State.Status"), "exited", "status")
        try session.must("pod", "start", "group")
        try equal(try session.inspect(name, ".State.Status"), "running", "status")
        try session.must("pod", "rm", "-f", "-t", "0", "group")
        try equal(try session.must("ps", "-aq"), "", "containers")
    }
    subject.claim("a pod of Kubernetes is played", of: [.podman]) { session in
        let file = try session.lab.file(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: played}
            spec:
              containers:
              - name: box
                image: \(Images.box)
                command: [sh, -c, "id -u; exec sleep 1000"]
                securityContext: {runAsUser: 1234, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
                resources: {limits: {memory: 64Mi}}

            """)
        try session.must("play", "kube", file)
        try session.logged("played-box", "1234")
        try equal(try session.limit(of: "played-box", "memory", "memory.max", "memory.limit_in_bytes"), "67108864", "memory")
        try refused(try session.call("exec", "played-box", "touch", "/x"), "writing")
    }

    // MARK: Health
    subject.claim("a health check is run", of: [.podman]) { session in
        let name = try session.up("--health-cmd 'test -e /well' --health-interval disable --health-retries 1")
        try equal(try session.call("healthcheck", "run", name).status, 1, "status of the check of what is not well")
        try equal(try session.inspect(name, ".State.Health.Status"), "unhealthy", "health")
        _ = try session.exec(name, "touch /well")
        try session.must("healthcheck", "run", name)
        try equal(try session.inspect(name, ".State.Health.Status"), "healthy", "health")
    }
    subject.claim("health is watched", of: [.docker]) { session in
        let name = try session.up("--health-cmd 'test -e /well' --health-interval 200ms --health-retries 2")
        try session.lab.eventually("unhealthy") { try session.inspect(name, ".State.Health.Status") == "unhealthy" }
        _ = try session.exec(name, "touch /well")
        try session.lab.eventually("healthy") { try session.inspect(name, ".State.Health.Status") == "healthy" }
    }

    // MARK: Events
    subject.claim("events tell a container's life", of: both) { session in
        let start = Int(Date().timeIntervalSince1970) - 1
        let name = try session.up("", "exit 3")
        try session.must("wait", name)
        let died = session.engine.name == .podman ? "died" : "die"
        try session.lab.eventually("the event \(died)") {
            let text = try session.must(
                "events", "--since", "\(start)", "--until", "\(Int(Date().timeIntervalSince1970) + 1)", "--filter", "container=\(name)")
            return ["create", "start", died].allSatisfy { text.contains(" \($0) ") }
        }
    }
    subject.claim("memory that runs out is an event and in the state", of: [.docker]) { session in
        let start = Int(Date().timeIntervalSince1970) - 1
        let name = try session.up("--memory 16m --memory-swap 16m", "exec tail /dev/zero")
        try equal(try session.must("wait", name), "137", "status")
        try session.lab.eventually("OOMKilled") { try session.inspect(name, ".State.OOMKilled") == "true" }
        let words = ["events", "--since", "\(start)", "--until", "\(Int(Date().timeIntervalSince1970) + 1)", "--filter", "event=oom"]
        try contains(try session.must(words), " oom ", "events")
    }

    // MARK: Building
    subject.claim("an image is built", of: both, seconds: 60) { session in
        let folder = try session.lab.folder([
            "Dockerfile": """
            FROM \(Images.box)
            RUN echo built >/made && id -u >/who
            WORKDIR /work
            COPY given .
            USER 1000
            RUN id -u >/tmp/who; pwd >/tmp/where
            CMD ["sh", "-c", "cat /made /who given /tmp/who /tmp/where"]

            """, "given": "given\n",
        ])
        try session.must("build", "-t", "localhost/built:latest", folder)
        try equal(try session.must("run", "--rm", "localhost/built:latest"), "built\n0\ngiven\n1000\n/work", "what the image prints")
    }
    subject.claim("a build whose step fails fails", of: both) { session in
        let folder = try session.lab.folder(["Dockerfile": "FROM \(Images.box)\nRUN exit 7\n"])
        let outcome = try session.call("build", folder)
        try refused(outcome, "the build")
        try contains(outcome.out + outcome.err, "7", "what it said")
    }

    // MARK: Many, and trouble
    subject.claim("fifty containers at once", of: both, seconds: 120) { session in
        let names = (1...50).map { "many\($0)" }
        let clients = try names.map { name in
            try session.begin(["run", "-d", "--network", "none", "--name", name, Images.box, "sh", "-c", "echo \(name); exec sleep 1000"])
        }
        for client in clients {
            let status = try session.lab.children.wait(for: client.pid, until: session.lab.deadline, "run")
            try equal(status, 0, "run: \(session.lab.read(client.output))")
        }
        try equal(try session.must("ps", "-q").split(separator: "\n").count, 50, "running")
        for name in [names[0], names[24], names[49]] { try session.logged(name, name) }
        try session.must(["rm", "-f"] + (session.engine.name == .podman ? ["-t", "0"] : []) + names)
        try equal(try session.must("ps", "-aq"), "", "containers")
    }
    subject.claim("the client of a foreground run is killed, the container goes on", of: both) { session in
        let name = session.name()
        let client = try session.begin(["run", "--name", name, Images.box, "sh", "-c", "echo ready; exec sleep 1000"])
        try session.lab.eventually("the container") { session.lab.read(client.output).contains("ready") }
        kill(client.pid, SIGKILL)
        usleep(200_000)
        try equal(try session.exec(name, "echo alive"), "alive", "exec")
        try session.must("stop", "-t", "0", name)
        try equal(try session.inspect(name, ".State.Status"), "exited", "status")
    }
    subject.claim("dockerd is killed and comes back, the container goes on", of: [.docker], seconds: 60) { session in
        guard let docker = session.engine as? Docker else { return }
        let name = try session.up("--memory 64m", "trap 'exit 9' TERM; while :; do echo x; sleep 0.1; done")
        let pid = try session.pid(name)
        try docker.daemon.comesBack(session.lab)
        try equal(try session.pid(name), pid, "its process")
        try equal(try session.exec(name, "echo alive"), "alive", "exec")
        try session.must("update", "--memory", "32m", "--memory-swap", "64m", name)
        try session.must("stop", "-t", "20", name)
        try equal(try session.inspect(name, ".State.ExitCode"), "9", "exit code")
    }
    subject.claim("a name is free again after a failed create", of: both) { session in
        for _ in 1...2 {
            try refused(try session.call("run", "--name", "again", Images.box, "/no/such/program"), "the run")
            try session.must("rm", "-f", "again")
        }
        try equal(try session.printed("--name again", "echo ran"), "ran", "output")
    }
}

extension Session {
    /// Makes a pod named group.
    fileprivate func pod(_ options: String...) throws {
        try must(["pod", "create", "--name", "group"] + options)
    }
}

/// buildah with the storage of podman, whose images it therefore has.

import Foundation

final class Buildah: Engine {
    let name = EngineName.buildah
    let words: [String]
    let environment: [String]
    let daemons: Set<String> = []
    let stateRoots: [String]
    private let podman: Podman

    init(runtime: RuntimeUnderTest) {
        podman = Podman(runtime: runtime)
        words = ["buildah"] + Podman.storage
        environment = podman.environment + ["BUILDAH_ISOLATION=oci", "BUILDAH_RUNTIME=\(runtime.path)"]
        stateRoots = podman.stateRoots
    }

    func start(_ lab: Lab) throws { try podman.start(lab) }

    func reset(_ lab: Lab) { attempt(lab, words + ["rm", "-a"]) }

    func stop(_ lab: Lab) {}
}

let building = Subject { subject in
    subject.claim("run prints what the command prints", of: [.buildah]) { session in
        try equal(try session.step([], "echo hello"), "hello", "output")
    }
    subject.claim("run writes nothing of its own to the command's errors", of: [.buildah]) { session in
        let outcome = try session.call(["run", try session.from(), "--", "sh", "-c", "echo err >&2"])
        try equal([outcome.out, outcome.err], ["", "err\n"], "output and errors")
    }
    subject.claim("run ends with the command's status", of: [.buildah]) { session in
        let outcome = try session.call(["run", try session.from(), "--", "sh", "-c", "exit 7"])
        try equal(outcome.status, 7, "status")
    }
    subject.claim("run of a program that is not there says so", of: [.buildah]) { session in
        let outcome = try session.call(["run", try session.from(), "--", "/no/such/program"])
        try expect(outcome.status != 0, "status 0")
        try contains(outcome.err.lowercased(), "no such file or directory", "what it said")
    }
    subject.claim("run reads input", of: [.buildah]) { session in
        try equal(try session.must(["run", try session.from(), "--", "cat"], input: "a\nb\n"), "a\nb", "output")
    }
    subject.claim("run --tty has a terminal", of: [.buildah]) { session in
        let words = [
            "run", "--tty", try session.from(), "--", "sh", "-c", "stty size; test -t 0 && echo terminal; read x; echo got $x; exit 4",
        ]
        let terminal = try PseudoTerminal(try session.launch(words), session.lab, rows: 33, columns: 101)
        try terminal.reads("terminal")
        try terminal.writes("word\n")
        try terminal.reads("got word")
        try equal(try terminal.ends(), 4, "status")
    }
    subject.claim("run --user, --workingdir, --env", of: [.buildah]) { session in
        let text = try session.step(["--user", "1000:5", "--workingdir", "/tmp", "--env", "FOO=bar"], "id -u; id -g; pwd; echo $FOO")
        try equal(text, "1000\n5\n/tmp\nbar", "what it sees")
    }
    subject.claim("run --volume", of: [.buildah]) { session in
        let folder = try session.lab.folder(["given": "outside\n"])
        try equal(
            try session.step(["--volume", "\(folder):/data:ro"], "cat /data/given; touch /data/x 2>/dev/null || echo refused"),
            "outside\nrefused", "output")
    }
    subject.claim("run --cap-drop, --cap-add", of: [.buildah]) { session in
        try equal(
            try session.step(["--cap-drop", "CAP_CHOWN"], "touch /x; chown 1 /x 2>/dev/null || echo refused"), "refused", "without CHOWN")
        try equal(try session.step(["--cap-add", "CAP_NET_ADMIN"], "ip link set lo down && echo down"), "down", "with NET_ADMIN")
    }
    subject.claim("run --network none has loopback only", of: [.buildah]) { session in
        try equal(try session.step(["--network", "none"], "ls /sys/class/net"), "lo", "links")
    }
    subject.claim("run with namespaces of the host", of: [.buildah]) { session in
        let text = try session.step(
            ["--pid", "host", "--ipc", "host", "--uts", "host"], "for n in pid ipc uts; do readlink /proc/self/ns/$n; done")
        try equal(text, ["pid", "ipc", "uts"].map { Namespace.at("/proc/self/ns/\($0)") }.joined(separator: "\n"), "namespaces")
    }
    subject.claim("what a run leaves running ends with it", of: [.buildah]) { session in
        try equal(try session.step([], "sleep 4325 & echo started"), "started", "output")
        try session.lab.eventually("its end") { session.none(of: "4325") }
    }
    subject.claim("limits given to from hold in run", of: [.buildah]) { session in
        let name = try session.must("from", "--memory", "64m", "--ulimit", "nofile=100:100", Images.box)
        let file = Cgroups.isUnified ? "memory.max" : "memory/memory.limit_in_bytes"
        try equal(try session.must("run", name, "--", "sh", "-c", "cat /sys/fs/cgroup/\(file); ulimit -n"), "67108864\n100", "limits")
    }
    subject.claim("an interrupted run ends its command", of: [.buildah]) { session in
        let run = try session.begin(["run", try session.from(), "--", "sh", "-c", "echo ready; exec sleep 4326"])
        try session.lab.eventually("the command") { session.lab.read(run.output).contains("ready") }
        kill(run.pid, SIGINT)
        let status = try session.lab.children.wait(for: run.pid, until: session.lab.deadline, "run")
        try expect(status != 0, "status 0")
    }
    subject.claim("bud builds, with a cache and a secret mounted", of: [.buildah]) { session in
        let folder = try session.lab.folder([
            "secret": "hidden",
            "Dockerfile": """
            FROM \(Images.box) AS first
            RUN --mount=type=secret,id=key --mount=type=tmpfs,target=/scratch \\
                cat /run/secrets/key >/made; grep -c ' /scratch tmpfs ' /proc/self/mounts >>/made
            FROM \(Images.box)
            COPY --from=first /made /made
            RUN echo person:x:1234:1234::/:/bin/sh >>/etc/passwd
            USER person
            RUN id -u >/tmp/who
            RUN test "$(id -u)" = 1234

            """,
        ])
        try session.must("bud", "--secret", "id=key,src=\(folder)/secret", "-t", "localhost/bud:latest", folder)
        let name = try session.must("from", "localhost/bud:latest")
        try equal(try session.must("run", name, "--", "cat", "/made", "/tmp/who"), "hidden1\n1234", "files of the image")
    }
    subject.claim("bud with layers, then from the cache", of: [.buildah]) { session in
        let folder = try session.lab.folder(["Dockerfile": "FROM \(Images.box)\nRUN date +%N >/a\nRUN cat /a >/b\n"])
        func build() throws -> String { try session.must("bud", "--layers", "-q", folder) }
        try equal(try build(), try build(), "the image")
    }
    subject.claim("ten runs at once", of: [.buildah]) { session in
        try session.atOnce(10) { ["run", try session.from(), "--", "sh", "-c", $1] }
    }
}

extension Session {
    /// A new working container.
    fileprivate func from() throws -> String { try must("from", Images.box) }

    /// Runs a script in a new working container.
    fileprivate func step(_ options: [String], _ script: String) throws -> String {
        try must(["run"] + options + [try from(), "--", "sh", "-c", script])
    }
}

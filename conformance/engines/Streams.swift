/// What a kubelet hands on to people: commands and containers with their input, output and terminal, by the streaming server of
/// containerd's Kubernetes interface.

import Foundation

let streams = Subject { subject in
    func claim(_ claim: String, _ body: @escaping @Sendable (Kubelet) throws -> Void) {
        subject.claim(claim, of: [.cri], seconds: 60) { session in
            guard let engine = session.engine as? Kubernetes else { return }
            try body(Kubelet(engine: engine, lab: session.lab))
        }
    }

    claim("a streamed exec has input, output, errors and status") { kubelet in
        let container = try kubelet.container(in: try kubelet.pod())
        let stream = try kubelet.exec(in: container, ["sh", "-c", "read x; echo got $x; echo err >&2; exit 9"])
        let outcome = try kubelet.lab.execute(Launch(arguments: stream, input: try kubelet.lab.file("word\n")))
        try equal([outcome.out, outcome.err, "\(outcome.status)"], ["got word\n", "err\n", "9"], "output, errors, status")
    }
    claim("a streamed exec of a megabyte arrives whole") { kubelet in
        let container = try kubelet.container(in: try kubelet.pod())
        let stream = try kubelet.exec(in: container, ["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x"])
        let outcome = try kubelet.lab.execute(Launch(arguments: stream))
        try equal([outcome.out.utf8.count, Int(outcome.status)], [1_000_000, 0], "bytes and status")
    }
    claim("a streamed exec of a program that is not there says so") { kubelet in
        let container = try kubelet.container(in: try kubelet.pod())
        let outcome = try kubelet.lab.execute(Launch(arguments: try kubelet.exec(in: container, ["no-such-program"])))
        try expect(outcome.status != 0, "status 0")
        try contains(outcome.err, "executable file not found in $PATH", "what it said")
    }
    claim("a streamed exec with a terminal, which follows the person's") { kubelet in
        let container = try kubelet.container(in: try kubelet.pod())
        let stream = try kubelet.exec(in: container, ["sh", "-c", PseudoTerminal.sizes], terminal: true)
        let terminal = try PseudoTerminal(Launch(arguments: stream), kubelet.lab, rows: 33, columns: 101)
        try terminal.followsItsSize()
    }
    claim("attach shows what comes and takes input") { kubelet in
        let container = try kubelet.container(in: try kubelet.pod(), asking, with: ["stdin": true])
        let terminal = try kubelet.attached(to: container, terminal: false)
        try kubelet.answers(terminal, container)
    }
    claim("attach to a container with a terminal") { kubelet in
        let container = try kubelet.container(in: try kubelet.pod(), "tty; \(asking)", with: ["stdin": true, "tty": true])
        let terminal = try kubelet.attached(to: container, terminal: true)
        try kubelet.answers(terminal, container)
        try contains(kubelet.log(container), "/dev/pts/0", "log")
    }
}

/// Asks until it is answered, for whoever attaches later.
private let asking = "(while :; do echo asking; sleep 0.1; done) & read x; kill $!; echo got $x; exit 6"

extension Kubelet {
    /// The words that run a command in a container and stream it.
    fileprivate func exec(in container: String, _ words: [String], terminal: Bool = false) throws -> [String] {
        try stream("Exec", ["container_id": container, "cmd": words], terminal)
    }

    /// A person who has attached to a container.
    fileprivate func attached(to container: String, terminal: Bool) throws -> PseudoTerminal {
        try PseudoTerminal(Launch(arguments: try stream("Attach", ["container_id": container], terminal)), lab)
    }

    private func stream(_ method: String, _ request: Object, _ terminal: Bool) throws -> [String] {
        let wanted: Object = ["stdin": true, "stdout": true, "stderr": !terminal, "tty": terminal]
        let url = try call(method, request.merging(wanted) { own, _ in own })["url"] as? String ?? ""
        return [(#filePath as NSString).deletingLastPathComponent + "/stream", url]
    }

    /// Answers what asks, and sees what comes of it.
    fileprivate func answers(_ terminal: PseudoTerminal, _ container: String) throws {
        try terminal.reads("asking")
        try terminal.writes("word\n")
        try terminal.reads("got word")
        _ = try terminal.ends()
        try lab.eventually("its end") { try state(container)["state"] as? String == "CONTAINER_EXITED" }
        try equal(try state(container)["exit_code"] as? Int, 6, "exit code")
    }
}

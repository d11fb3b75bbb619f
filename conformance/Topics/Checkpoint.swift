/// Checkpoint and restore where they cannot work: no criu, or one that fails. What works is judged in a virtual machine, which has a criu
/// for its kernel: conformance/vm/checkpoint.sh.

import Foundation

extension Lab {
    /// A directory with a criu that does what a script says, as the only one in PATH beside the system's programs.
    fileprivate func path(criu script: String) throws -> String {
        let directory = fresh("bin")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let program = try file("#!/bin/sh\n\(script)\n", mode: 0o755)
        try FileManager.default.moveItem(atPath: program, toPath: "\(directory)/criu")
        return "PATH=\(directory):/usr/bin:/bin"
    }

    /// Calls the runtime with an environment of one variable.
    fileprivate func run(_ words: [String], _ variable: String) throws -> Outcome { try run(words) { $0.environment = [variable] } }
}

extension Container {
    /// A running container that writes a line now and then.
    fileprivate func goesOn(_ what: String) throws {
        try equal(try status(), "running", "status after \(what)")
        let before = text
        try lab.eventually("output after \(what)") { text != before }
    }
}

private let writing = "while :; do echo .; sleep 0.02; done"

let checkpointing = Topic("checkpoint", commands: ["checkpoint", "restore"]) { topic in
    topic.claim("without criu checkpoint and restore say so, and change nothing", rows: ["CLI-14"]) { lab in
        let box = try lab.container(writing)
        try box.up()
        try box.writes(".")
        let (images, none) = (lab.fresh("images"), "PATH=\(lab.fresh("none"))")
        let refusal = try lab.run(["checkpoint", "--image-path", images, box.id], none)
        try refused(refusal, "checkpoint")
        try contains(refusal.err, "criu", "message")
        try box.goesOn("a checkpoint that is refused")
        let other = try lab.container()
        let restore = try lab.run(["restore", "--detach", "--bundle", other.bundle, "--image-path", images, other.id], none)
        try refused(restore, "restore")
        try other.gone()
        guard lab.runtime.isSwoci else { return }
        try expect(!FileManager.default.fileExists(atPath: images), "the directory of the images was made")
        try contains(refusal.err, "it is in no directory of PATH", "message of checkpoint")
        try contains(restore.err, "it is in no directory of PATH", "message of restore")
        let named = try lab.run(["--criu", "/nosuch/criu", "checkpoint", box.id], "PATH=/bin")
        try contains(named.err, #"find criu "/nosuch/criu""#, "message for --criu")
    }

    topic.claim("a criu that fails is an error with its reason, and the container goes on", rows: ["CLI-14"]) { lab in
        let box = try lab.container(writing)
        try box.up()
        try box.writes(".")
        let kinds: [(script: String, words: String)] = [
            ("echo 'Error (criu/x.c:1): this kernel is too new' >&2; exit 1", "criu: this kernel is too new"),
            ("echo 'criu: error while loading shared libraries' >&2; exit 127", "criu: criu: error while loading shared libraries"),
            ("exit 3", "it ended with status 3"),
            ("kill -KILL $$", "it was killed by signal 9"),
        ]
        for (script, words) in kinds {
            let path = try lab.path(criu: script)
            let checkpoint = try lab.run(["checkpoint", "--image-path", lab.fresh("images"), box.id], path)
            try refused(checkpoint, "checkpoint with \(script)")
            try box.goesOn("a criu that does \(script)")
            if lab.runtime.isSwoci { try contains(checkpoint.err, words, "message") }
        }
    }

    topic.claim("a failed restore leaves nothing behind", rows: ["CLI-14", "LC-05"]) { lab in
        let images = lab.fresh("images")
        try FileManager.default.createDirectory(atPath: images, withIntermediateDirectories: true)
        let box = try lab.container()
        func restore(_ script: String) throws -> Outcome {
            let words = ["restore", "--detach", "--bundle", box.bundle, "--image-path", images, "--work-path", lab.fresh("work"), box.id]
            return try lab.run(words, lab.path(criu: script))
        }
        let empty = try restore("exit 1")
        try refused(empty, "restore from nothing")
        try box.gone()
        guard lab.runtime.isSwoci else { return }
        try contains(empty.err, "only a checkpoint that swoci has finished can be restored", "message")
        let kept = #"{"version": 1, "program": "file[0:1c]", "payload": 2, "emptiesNetwork": false, "files": [], "mounts": []}"#
        try kept.write(toFile: "\(images)/swoci.json", atomically: false, encoding: .utf8)
        for (script, words) in [
            ("echo 'Error (criu/x.c:1): this kernel is too new' >&2; exit 1", "criu: this kernel is too new"),
            ("exit 3", "it ended with status 3"),
        ] {
            let failed = try restore(script)
            try refused(failed, "restore with \(script)")
            try contains(failed.err, words, "message")
            try box.gone()
        }
        try "{}".write(toFile: "\(images)/swoci.json", atomically: false, encoding: .utf8)
        try contains(try restore("exit 1").err, "it is not of the known form", "message for another file")
        try box.gone()
    }

    topic.claim("what does not run is not checkpointed", rows: ["CLI-14", "CLI-03"]) { lab in
        let path = try lab.path(criu: "exit 1")
        let images = lab.fresh("images")
        let box = try lab.container("true")
        func checkpoint() throws -> Outcome { try lab.run(["checkpoint", "--image-path", images, box.id], path) }
        let unknown = try checkpoint()
        try refused(unknown, "checkpoint of an unknown container")
        try contains(unknown.err, "does not exist", "message")
        try box.created()
        let created = try checkpoint()
        try refused(created, "checkpoint of a created container")
        try contains(created.err, "cannot be checkpointed in created state", "message")
        try box.started()
        try box.stopped()
        let stopped = try checkpoint()
        try refused(stopped, "checkpoint of a stopped container")
        try contains(stopped.err, "cannot be checkpointed in stopped state", "message")
    }

    topic.claim("options that make no sense are refused by their names, and change nothing", rows: ["CLI-14"]) { lab in
        let path = try lab.path(criu: "exit 1")
        let box = try lab.container(writing)
        try box.up()
        try box.writes(".")
        let images = lab.fresh("images")
        let bad: [(words: [String], name: String)] = [
            (["--parent-path", "/absolute"], "--parent-path"), (["--parent-path", "../nosuch"], "--parent-path"),
            (["--page-server", "nowhere"], "page-server"), (["--manage-cgroups-mode", "wild"], "manage-cgroups-mode"),
            (["--empty-ns", "mars"], "mars"),
        ]
        for (words, name) in bad {
            let outcome = try lab.run(["checkpoint", "--image-path", images] + words + [box.id], path)
            try refused(outcome, "checkpoint \(words)")
            try contains(outcome.err, name, "message of \(words)")
            if lab.runtime.isSwoci {
                try expect(!FileManager.default.fileExists(atPath: images), "\(words): the directory of the images was made")
            }
        }
        try box.goesOn("options that are refused")
        guard lab.runtime.isSwoci else { return }
        let status = try lab.run(["checkpoint", "--image-path", images, "--status-fd", "77", box.id], path)
        try contains(status.err, "--status-fd", "message")
    }
}

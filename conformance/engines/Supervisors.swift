/// Images whose first program wants to be PID 1 and watches over services: under podman and Docker, without a word to the runtime.

import Foundation

private let both: [EngineName] = [.podman, .docker]

let supervisors = Subject { subject in
    subject.claim("an image whose /init must be PID 1", of: both) { session in
        let outcome = try session.call("run", "--rm", Images.initial, "sh", "-c", "echo below; exit 8")
        try equal([outcome.line, "\(outcome.status)"], ["below", "8"], "output and status")
    }
    subject.claim("such an image is stopped by TERM", of: both) { session in
        let name = session.name()
        try session.must(
            "run", "-d", "--name", name, Images.initial, "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done")
        try session.logged(name, "ready")
        try session.must("stop", "-t", "20", name)
        try equal(try session.inspect(name, ".State.ExitCode"), "9", "exit code")
    }
    for (what, options, words) in [
        ("a script after sh -c", ["--entrypoint", "sh"], ["-c", "echo before >/dev/null; exec /init sh -c 'echo $PPID'"]),
        ("an entry point that gets it as its command", ["--entrypoint", "env"], ["A=b", "/init", "sh", "-c", "echo $PPID"]),
    ] {
        subject.claim("an init that must be PID 1, by \(what)", of: both) { session in
            try equal(try session.must(["run", "--rm"] + options + [Images.initial] + words), "1", "its number")
        }
    }
    subject.claim("an init that must be PID 1, by an entry point of the image", of: both) { session in
        let image = try session.image(
            "entry", ["entry": "#!/bin/sh\nset -e\nmkdir -p /run/entry\nexec /init \"$@\"\n"],
            "FROM \(Images.initial)\nCOPY entry /usr/bin/entry\nENTRYPOINT [\"entry\"]\n")
        try equal(try session.must("run", "--rm", image, "sh", "-c", "echo $PPID"), "1", "its number")
    }
    subject.claim("busybox init starts a service again", of: both) { session in
        let table = try session.lab.file("::sysinit:/bin/echo booted\n::respawn:/bin/sh -c 'echo up under $PPID; exec sleep 4334'\n")
        let name = session.name()
        try session.must("run", "-d", "--name", name, "-v", "\(table):/etc/inittab:ro", Images.box, "busybox", "init")
        try session.logged(name, "booted")
        try session.logged(name, "up under 1")
        try session.must("exec", name, "sh", "-c", "kill -KILL $(pidof sleep)")
        try session.lab.eventually("it is started again") {
            try session.must("logs", name).components(separatedBy: "up under 1").count > 2
        }
    }
    subject.claim("Debian: s6 watches over a service, starts it again, and ends all at TERM", of: both, seconds: 120) { session in
        try Images.loadDebian(session)
        let service = "#!/bin/sh\necho up under $(cat /proc/$PPID/comm)\nexec sleep 4335\n"
        let image = try session.image(
            "s6", ["run": service], "FROM \(Images.debian)\nCOPY run /services/web/run\nCMD [\"s6-svscan\", \"/services\"]\n")
        let name = session.name()
        try session.must("run", "-d", "--name", name, image)
        try session.logged(name, "up under s6-supervise")
        try equal(try session.exec(name, "cat /proc/1/comm"), "s6-svscan", "PID 1")
        try session.must("exec", name, "s6-svc", "-k", "/services/web")
        try session.lab.eventually("it is started again") {
            try session.must("logs", name).components(separatedBy: "up under").count > 2
        }
        try session.must("stop", "-t", "20", name)
        try expect(try session.inspect(name, ".State.ExitCode") != "137", "it was killed")
        try session.lab.eventually("the service's end") { session.none(of: "4335") }
    }
    subject.claim("Debian: runit, which works as PID 1 only, by a script of the image", of: both, seconds: 120) { session in
        try Images.loadDebian(session)
        let image = try session.image(
            "runit",
            [
                "entry": "#!/bin/sh\nexec /sbin/runit\n", "1": "#!/bin/sh\necho stage one under $PPID\n",
                "2": "#!/bin/sh\nexec runsvdir -P /services\n", "3": "#!/bin/sh\necho stage three\n",
                "run": "#!/bin/sh\necho up; exec sleep 4336\n",
            ],
            "FROM \(Images.debian)\nCOPY 1 2 3 /etc/runit/\nCOPY run /services/web/run\nCOPY entry /entry\nENTRYPOINT [\"/entry\"]\n")
        let name = session.name()
        try session.must("run", "-d", "--name", name, image)
        try session.logged(name, "stage one under 1")
        try session.logged(name, "up")
        try equal(try session.exec(name, "cat /proc/1/comm"), "runit", "PID 1")
        try session.must("exec", name, "sv", "restart", "/services/web")
        try session.lab.eventually("it is started again") { try session.must("logs", name).components(separatedBy: "up\n").count > 1 }
    }
    subject.claim("a payload that asks to be PID 1 is", of: [.podman]) { session in
        try equal(try session.printed("--annotation org.swoci.init=exec", "echo $$"), "1", "its pid")
    }
}

extension Session {
    /// An image built from files, which all are programs, and a Dockerfile.
    fileprivate func image(_ name: String, _ files: [String: String], _ recipe: String) throws -> String {
        let folder = try lab.folder(files)
        for file in files.keys { chmod("\(folder)/\(file)", 0o755) }
        try recipe.write(toFile: "\(folder)/Dockerfile", atomically: false, encoding: .utf8)
        let image = "localhost/\(name):latest"
        try must("build", "-t", image, folder)
        return image
    }
}

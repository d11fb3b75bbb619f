/// What a container shares with the host and with others, for podman and docker: volumes, namespaces, networks, profiles, users.

import Foundation

private let both: [EngineName] = [.podman, .docker]

let surroundings = Subject { subject in
    // MARK: Volumes
    subject.claim("a directory of the host, to read and to write", of: both) { session in
        let folder = try session.lab.folder(["given": "from outside\n"])
        try equal(try session.printed("-v \(folder):/data", "cat /data/given; echo back >/data/made"), "from outside", "file")
        try equal(session.lab.read("\(folder)/made"), "back\n", "file made inside")
    }
    subject.claim("a volume for reading only", of: both) { session in
        let folder = try session.lab.folder()
        try Expected.fails(1, "read-only file system").judge(try session.run("-v \(folder):/data:ro", "touch /data/x"))
    }
    subject.claim("a file over a file, and a file where none is", of: both) { session in
        let file = try session.lab.file("outside\n")
        try equal(
            try session.printed("-v \(file):/etc/group -v \(file):/no/such/file", "cat /etc/group /no/such/file"), "outside\noutside",
            "files")
    }
    subject.claim("a named volume is kept and filled from the image", of: both) { session in
        try equal(try session.printed("-v kept:/etc", "ls /etc/passwd; echo x >/etc/mark"), "/etc/passwd", "file of the image")
        try equal(try session.printed("-v kept:/data", "cat /data/mark"), "x", "file of before")
        try session.must("volume", "rm", "kept")
    }
    subject.claim("--volumes-from", of: both) { session in
        let name = try session.up("-v /shared", "echo x >/shared/mark; echo ready; exec sleep 1000")
        try session.logged(name, "ready")
        try equal(try session.printed("--volumes-from \(name)", "cat /shared/mark"), "x", "file")
    }
    subject.claim("rslave: a mount of the host comes in later", of: both) { session in
        let folder = try session.sharedMount()
        let name = try session.up("-v \(folder):/data:rslave")
        try session.mountBelow(folder)
        try session.lab.eventually("the mount inside") { try session.exec(name, "cat /data/below/mark 2>/dev/null; true") == "later" }
    }
    subject.claim("private: a mount of the host does not come in", of: both) { session in
        let folder = try session.sharedMount()
        let name = try session.up("-v \(folder):/data:rprivate")
        try session.mountBelow(folder)
        try equal(try session.exec(name, "cat /data/below/mark 2>/dev/null; true"), "", "the mount inside")
    }
    subject.claim("rshared: a mount of the container comes out", of: both) { session in
        let folder = try session.sharedMount()
        try FileManager.default.createDirectory(atPath: "\(folder)/below", withIntermediateDirectories: true)
        let name = try session.up(
            "--privileged -v \(folder):/data:rshared", "mount -t tmpfs none /data/below && echo up >/data/below/mark; exec sleep 1000")
        try session.lab.eventually("the mount outside") { session.lab.read("\(folder)/below/mark") == "up\n" }
        try session.must("rm", "-f", name)
    }
    subject.claim("ids of a volume are mapped", of: [.podman]) { session in
        let folder = try session.lab.folder(["file": "x"])
        let options = "--uidmap 0:100000:1000 --gidmap 0:100000:1000 -v \(folder):/data:idmap"
        try equal(try session.printed(options, "stat -c %u /data/file; touch /data/made"), "0", "owner inside")
        var information = stat()
        try equal(stat("\(folder)/made", &information), 0, "the file made inside")
        try equal(information.st_uid, 0, "its owner outside")
    }
    subject.claim("a root file system without an image", of: [.podman]) { session in
        let folder = session.lab.fresh("rootfs")
        try session.lab.command("cp", "-a", "\(EngineIsolation.scratch)/tree", folder)
        try equal(try session.must("run", "--rm", "--rootfs", folder, "echo", "hello"), "hello", "output")
    }

    // MARK: Namespaces of others
    for kind in ["ipc", "pid", "network"] {
        subject.claim("--\(kind) of another container", of: both) { session in
            let name = try session.up(kind == "ipc" ? "--ipc shareable" : "")
            let link = "readlink /proc/self/ns/\(kind.prefix(3))"
            let other = Namespace.at("/proc/\(try session.pid(name))/ns/\(kind.prefix(3))")
            try equal(try session.printed("--\(kind) container:\(name)", link), other, "namespace")
        }
    }
    subject.claim("a namespace by path", of: [.podman]) { session in
        let name = try session.up()
        let path = "/proc/\(try session.pid(name))/ns/net"
        try equal(try session.printed("--network ns:\(path)", "readlink /proc/self/ns/net"), Namespace.at(path), "namespace")
    }
    subject.claim("--sysctl of the network with the host's network is refused, and nothing is written", of: both) { session in
        let before = session.lab.read("/proc/sys/net/core/somaxconn")
        try refused(try session.run("--network host --sysctl net.core.somaxconn=99", "true"), "the run")
        try equal(session.lab.read("/proc/sys/net/core/somaxconn"), before, "the host's")
    }
    subject.claim("a published port is reached", of: both) { session in
        let name = try session.up("-p 127.0.0.1:18080:80", "mkdir /www; echo page >/www/index.html; exec httpd -f -p 80 -h /www")
        try session.lab.eventually("the page") {
            let words = [Rootfs.busybox.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "busybox", "wget", "-q", "-O", "-"]
            return try session.lab.execute(Launch(arguments: words + ["http://127.0.0.1:18080/"])).out == "page\n"
        }
        try session.must("rm", "-f", name)
    }
    subject.claim("a new network joins two containers", of: both) { session in
        try session.must("network", "create", "between")
        let server = try session.up("--network between", "echo hello | nc -l -p 99; exec sleep 1000")
        let address = try session.inspect(server, "range .NetworkSettings.Networks}}{{.IPAddress}}{{end")
        let text = try session.printed(
            "--network between", "for i in 1 2 3 4 5 6 7 8 9; do nc \(address) 99 </dev/null && break; sleep 0.2; done")
        try equal(text, "hello", "what came")
        try session.must("rm", "-f", server)
        try session.must("network", "rm", "between")
    }

    // MARK: Profiles and users
    subject.claim("a seccomp profile of one's own", of: both) { session in
        let rule: Object = ["names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28]
        let profile: Object = ["defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]]
        let file = try session.lab.file(try Images.json(profile))
        let script = "mkdir /x; touch /y && echo touched"
        let outcome = try session.run("--security-opt seccomp=\(file)", script)
        try equal(outcome.line, "touched", "output")
        try contains(outcome.err, "No space left on device", "error")
    }
    subject.claim("a seccomp profile that is no profile is refused", of: both) { session in
        let file = try session.lab.file("{\"defaultAction\": \"SCMP_ACT_NONE_SUCH\"}")
        try refused(try session.run("--security-opt seccomp=\(file)", "true"), "the run")
    }
    subject.claim("a daemon with userns-remap", of: [.docker], seconds: 60) { session in
        // In a network namespace of its own, because a daemon that starts tidies up another's bridge.
        let engine = Docker(
            runtime: session.lab.runtime, directory: "\(session.lab.directory)/remap", extra: ["userns-remap": "daemon"],
            through: ["unshare", "--net"])
        try engine.start(session.lab)
        let remapped = Session(engine: engine, lab: session.lab)
        defer {
            engine.reset(session.lab)
            engine.stop(session.lab)
        }
        let script =
            "id -u; awk '{print $2}' /proc/self/uid_map; touch /x && stat -c %u /x; mount -t tmpfs none /mnt 2>/dev/null || echo refused"
        try equal(try remapped.printed("", script), "0\n800000\n0\nrefused", "what root is inside")
        try equal(try remapped.printed("--userns host", "awk '{print $2}' /proc/self/uid_map"), "0", "with the host's")
        let name = try remapped.up()
        try equal(try remapped.exec(name, "awk '{print $2}' /proc/self/uid_map"), "800000", "exec")
        try remapped.must("stop", "-t", "0", name)
    }
}

extension Session {
    /// A mount of the host that hands its mounts on.
    fileprivate func sharedMount() throws -> String {
        let point = try lab.tmpfs()
        try lab.command("mount", "--make-shared", point)
        let below = "\(point)/below"
        lab.later { umount2(below, Int32(MNT_DETACH)) }
        return point
    }

    /// Mounts something below a directory, with a file in it.
    fileprivate func mountBelow(_ folder: String) throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/below", withIntermediateDirectories: true)
        try lab.command("mount", "-t", "tmpfs", "tmpfs", "\(folder)/below")
        try "later".write(toFile: "\(folder)/below/mark", atomically: false, encoding: .utf8)
    }
}

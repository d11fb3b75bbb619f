/// Work inside a Debian, with podman and docker: people, packages, supervisors.

import Foundation

private let both: [EngineName] = [.podman, .docker]

let debianImage = Subject { subject in
    func claim(
        _ claim: String, of engines: [EngineName] = both, seconds: Double = 120, _ body: @escaping @Sendable (Session) throws -> Void
    ) {
        subject.claim("Debian: \(claim)", of: engines, seconds: seconds) { session in
            try Images.loadDebian(session)
            try body(session)
        }
    }

    // MARK: People
    claim("a login shell knows its person and home") { session in
        let text = try session.debian(
            "", "useradd -m -s /bin/bash eve && su - eve -c 'id -un; pwd; echo $SHELL; shopt -q login_shell && echo login'")
        try equal(text, "eve\n/home/eve\n/bin/bash\nlogin", "what the shell says")
    }
    claim("--user by a name of the image, with its groups") { session in
        try equal(try session.debian("--user www-data", "id -un; id -gn; id -G"), "www-data\nwww-data\n33", "who it is")
        try equal(try session.debian("--user games:mail", "id -un; id -gn"), "games\nmail", "who it is")
        try refused(try session.call("run", "--rm", "--user", "nobody-here", Images.debian, "true"), "a person who is not there")
    }
    claim("exec by a name that was added since") { session in
        let name = try session.debianUp()
        try session.must("exec", name, "useradd", "--create-home", "--groups", "adm,games", "eve")
        let text = try session.must(
            "exec", "--user", "eve", name, "bash", "-c",
            "id -un; id -G | tr ' ' '\\n' | sort -n | tr '\\n' ' '; touch ~/x && stat -c %U ~/x")
        try equal(text, "eve\n4 60 1000 eve", "who it is")
    }
    claim("setpriv and su change who somebody is, as far as the capabilities go") { session in
        let script =
            "setpriv --reuid 33 --regid 33 --clear-groups id -u; setpriv --no-new-privs --bounding-set -all grep -h CapBnd /proc/self/status"
        try equal(try session.debian("", script), "33\nCapBnd:\t0000000000000000", "what comes of it")
        try refused(
            try session.call("run", "--rm", "--cap-drop", "SETUID", Images.debian, "setpriv", "--reuid", "33", "true"), "without SETUID")
    }
    claim("a set-user-id program has effect, and none under no-new-privileges") { session in
        let script = "cp /usr/bin/id /usr/local/bin/own && chmod 4755 /usr/local/bin/own && setpriv --reuid 33 own -u"
        try equal(try session.debian("", script), "0", "with it")
        try equal(try session.debian("--security-opt no-new-privileges", script), "33", "without")
    }
    claim("a terminal at a shell that controls jobs") { session in
        let terminal = try PseudoTerminal(
            try session.launch(["run", "--rm", "-it", Images.debian, "bash", "--norc", "--noediting"]), session.lab)
        try terminal.reads("#")
        // What answers is what the terminal interrupts.
        try terminal.writes("sh -c 'echo $((6*7)); exec sleep 100'\n")
        try terminal.reads("\n42")
        try terminal.writes("\u{3}")
        try terminal.writes("echo status $?; sleep 100 &\n")
        try terminal.reads("status 130")
        try terminal.writes("jobs\n")
        try terminal.reads("Running")
        try terminal.writes("exit 5\n")
        try equal(try terminal.ends(), 5, "status")
    }

    // MARK: Packages
    claim("a package is made, installed, listed, configured again and purged") { session in
        let script = """
            set -e
            mkdir -p /p/DEBIAN /p/usr/bin /p/etc
            printf 'Package: small\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: nobody <n@example.org>\\nDescription: small\\n' >/p/DEBIAN/control
            printf '#!/bin/sh\\nset -e\\nadduser --system --group --no-create-home small-service >/dev/null 2>&1 || useradd --system small-service\\ninstall -d -o small-service /var/lib/small\\n' >/p/DEBIAN/postinst
            printf '#!/bin/sh\\necho small runs\\n' >/p/usr/bin/small
            echo setting >/p/etc/small.conf; echo /etc/small.conf >/p/DEBIAN/conffiles
            chmod 755 /p/DEBIAN/postinst /p/usr/bin/small
            dpkg-deb --root-owner-group --build /p /small.deb >/dev/null
            dpkg -i /small.deb >/dev/null
            small; stat -c %U /var/lib/small; dpkg-query -W -f '${db:Status-Status}\\n' small; dpkg --verify small
            dpkg-reconfigure small 2>/dev/null || dpkg --configure -a
            dpkg --purge small >/dev/null 2>&1
            test ! -e /etc/small.conf && dpkg --audit && echo gone
            """
        try equal(try session.debian("", script), "small runs\nsmall-service\ninstalled\ngone", "what it printed")
    }
    claim("apt installs from a directory of packages, as its own user") { session in
        let script = """
            set -e
            mkdir -p /p/DEBIAN /repository
            printf 'Package: small\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: nobody <n@example.org>\\nDescription: small\\n' >/p/DEBIAN/control
            dpkg-deb --root-owner-group --build /p /repository/small.deb >/dev/null
            cd /repository
            { dpkg-deb -f small.deb; echo "Filename: ./small.deb"; echo "Size: $(stat -c %s small.deb)"; echo "SHA256: $(sha256sum small.deb | cut -c1-64)"; } >Packages
            rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
            echo 'deb [trusted=yes] file:/repository ./' >/etc/apt/sources.list
            apt-get -qq update && apt-get -qq -y install small >/dev/null 2>&1
            dpkg-query -W -f '${Package} ${db:Status-Status}\\n' small
            """
        try equal(try session.debian("", script), "small installed", "what it printed")
    }
    claim("an image is built from it by steps of root and of others", of: [.podman, .docker, .buildah]) { session in
        let folder = try session.lab.folder([
            "Dockerfile": """
            FROM \(Images.debian)
            RUN useradd --create-home --shell /bin/bash builder && install -d -o builder /work
            WORKDIR /work
            USER builder
            RUN bash -lc 'id -un >who; umask 027; mkdir -p a/b; ln -s who link; mkfifo pipe'
            USER root
            RUN chown -R www-data a && rm pipe && find . | sort >/found
            CMD ["sh", "-c", "cat /found who; stat -c %U:%a a/b"]

            """
        ])
        if session.engine.name == .buildah {
            try session.must("bud", "-t", "localhost/worked:latest", folder)
            let name = try session.must("from", "localhost/worked:latest")
            try equal(try session.must("run", name, "--", "sh", "-c", "cat who; stat -c %U:%a a/b"), "builder\nwww-data:750", "files")
            return
        }
        try session.must("build", "-t", "localhost/worked:latest", folder)
        let text = try session.must("run", "--rm", "localhost/worked:latest")
        try equal(text, ".\n./a\n./a/b\n./link\n./who\nbuilder\nwww-data:750", "what the image prints")
    }
}

extension Session {
    /// Runs a script in a new Debian container to its end and returns what it printed.
    fileprivate func debian(_ options: String, _ script: String) throws -> String {
        try must(["run", "--rm", "--network", "none"] + Self.split(options) + [Images.debian, "bash", "-c", script])
    }

    /// A Debian container in the background.
    fileprivate func debianUp() throws -> String {
        let name = name()
        try must("run", "-d", "--network", "none", "--name", name, Images.debian, "sleep", "1000")
        return name
    }
}

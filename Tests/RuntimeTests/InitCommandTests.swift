import Testing

@testable import Runtime

@Suite("Commands that must be PID 1")
struct InitCommandTests {
    @Test(
        "an init is known by its name, and where a command hands over to one",
        arguments: [
            (["/sbin/init"], true), (["runit"], true), (["/sbin/my_init", "--quiet"], true), (["openrc-init"], true),
            (["busybox", "init"], true), (["/bin/busybox", "sh"], false), (["busybox"], false),
            (["/usr/local/bin/entrypoint", "/sbin/init"], true), (["env", "A=b", "/lib/systemd/systemd", "--system"], true),
            (["git", "init"], false), (["terraform", "init", "-upgrade"], false), (["initdb", "/var/lib/init/data"], false),
            (["sh", "-c", "mount -t tmpfs t /run; exec /sbin/init"], true), (["bash", "-c", "exec -a name systemd"], false),
            (["sh", "-c", "ls -l /etc/init"], false), (["sh", "-c", "git init && make"], false), (["sh", "-c", "/sbin/init"], true),
            (["sh"], false), ([], false),
        ] as [([String], Bool)])
    func named(words: [String], expected: Bool) {
        #expect(InitCommand.isNamed(by: words) == expected)
    }

    @Test(
        "a script is an init where it executes one in its place",
        arguments: [
            ("#!/bin/sh\nset -e\nexec /sbin/init \"$@\"\n", true), ("#!/bin/sh\nexec init", true), ("#!/bin/sh\nexec \"$@\"\n", false),
            ("#!/bin/sh\n# exec /sbin/init\ntrue\n", false), ("#!/bin/sh\necho a#b; exec '/usr/bin/s6-svscan' /s\n", true),
            ("#!/bin/sh\nif true; then exec env -i A=b /sbin/runit; fi\n", true), ("#!/bin/sh\n/sbin/init\n", false),
            ("#!/bin/sh\nexec nginx\ninit\n", false), ("#!/bin/sh\nexec nginx & /sbin/init\n", false), ("", false),
        ])
    func script(text: String, expected: Bool) {
        #expect(InitCommand.script(Array(text.utf8)) == expected)
    }
}

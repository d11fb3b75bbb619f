import Testing

@testable import Plan

@Suite("A step in words")
struct DescriptionTests {
    private func words(_ make: (inout Plan) -> Step) -> String {
        var plan = Plan()
        let step = make(&plan)
        plan.append(step)
        return plan.describe(plan.steps[0])
    }

    @Test("a file system is described with its options as they are written in a config")
    func filesystem() {
        let text = words { plan in
            var attributes = AttributeChange()
            attributes.set = 0x22
            return .mountFilesystem(
                MountFilesystem(
                    type: plan.add("tmpfs"), source: plan.add("tmpfs"), target: Target(path: plan.add("/dev")),
                    parameters: plan.add(["mode=755", "size=65536k"]), attributes: attributes))
        }
        #expect(text == "mount tmpfs on /dev (nosuid, strictatime, mode=755, size=65536k)")
    }

    @Test("a new file system's further traits are told")
    func filesystemTraits() {
        let text = words { plan in
            .mountFilesystem(
                MountFilesystem(
                    type: plan.add("ext4"), source: plan.add("/dev/sda 1"), target: Target(path: plan.add("/x"), noFollow: true),
                    parameters: .empty, propagation: PropagationChange(1 << 19 | 0x4000, 1 << 20),
                    options: [.copyUp, .inheritMode, .bindWhenRefused]))
        }
        #expect(
            text == "mount ext4 of \"/dev/sda 1\" on /x, which may not be a link, rslave, then shared, with the mode of the directory "
                + "below it, filled with what was there, or bind the host's where the kernel refuses")
    }

    @Test("a bind is described with what is set and what is cleared")
    func bind() {
        let text = words { plan in
            var attributes = AttributeChange()
            (attributes.set, attributes.clear) = (1, 0x78)
            (attributes.recursiveSet, attributes.recursiveClear) = (4 | 0x10, 0x70 | 2)
            return .bind(
                Bind(
                    source: TreeSource(path: plan.add("/srv/data"), recursive: true), target: Target(path: plan.add("/data")),
                    attributes: attributes))
        }
        #expect(text == "bind /srv/data to /data (ro, exec, relatime, rsuid, rnodev, rnoatime), with everything below it")
    }

    @Test("a filter's listener is told")
    func listener() {
        let text = words { .loadSeccomp(LoadSeccomp(program: $0.add(bytes: [6, 0, 0, 0, 0, 0, 255, 127]), flags: 0x2C)) }
        #expect(text == "load the system call filter of 1 instructions with flags 0x2c, and hand its listener over")
    }

    @Test("nodes, hooks, users and sets are described in full")
    func others() {
        let cases: [(String, (inout Plan) -> Step)] = [
            (
                "make device node /dev/null (c 1:3, mode 0666)",
                { .makeNode(MakeNode(path: $0.add("/dev/null"), mode: 0o020666, major: 1, minor: 3)) }
            ),
            (
                "make device node /p (p, mode 0600, owner 1:2)",
                { .makeNode(MakeNode(path: $0.add("/p"), mode: 0o010600, major: 0, minor: 0, uid: 1, gid: 2)) }
            ),
            (
                "bind device node /dev/sda of the host to /dev/sda (b 8:0)",
                { .bindNode(BindNode(source: $0.add("/dev/sda"), path: $0.add("/dev/sda"), kind: 0o060000, major: 8, minor: 0)) }
            ),
            ("join the network namespace of descriptor 9", { _ in .joinNamespace(JoinNamespace(type: 0x4000_0000, descriptor: 9)) }),
            (
                "join the pid, network and mount namespaces of descriptor 9",
                { _ in .joinNamespace(JoinNamespace(type: 0x6002_0000, descriptor: 9)) }
            ),
            ("take the directory of descriptor 7 as the root file system", { _ in .takeRoot(OneNumber(7)) }),
            ("run on the CPUs 0, 2, 9", { plan in .setAffinity(OneText(plan.add(bytes: [5, 2, 0, 0, 0, 0, 0, 0]))) }),
            ("wait for the runtime's word", { _ in .awaitCommit }),
            (
                "go on in a child in new user, pid and mount namespaces, once the runtime has mapped its ids",
                { _ in .enterNewNamespaces(EnterNewNamespaces(flags: 0x3002_0000, awaitsMappings: true)) }
            ),
            ("go on in a child", { _ in .enterNewNamespaces(EnterNewNamespaces(flags: 0, awaitsMappings: false)) }),
            (
                "make a time namespace with clocks offset by monotonic 5 s 7 ns, boottime -1 s 0 ns",
                { .offsetClocks(OffsetClocks(lines: $0.add("monotonic 5 7\nboottime -1 0\n"))) }
            ),
            (
                "become uid 10, gid 20, groups 30, 70000",
                { .setUser(SetUser(uid: 10, gid: 20, groups: $0.add(numbers: [30, 70_000]), skipsGroups: false)) }
            ),
            (
                "set capabilities: effective and permitted CAP_CHOWN, CAP_CHECKPOINT_RESTORE",
                { _ in .setCapabilities(SetCapabilities(effective: 1 << 40 | 1, permitted: 1 << 40 | 1, inheritable: 0, ambient: 0)) }
            ),
            (
                "set capabilities: effective none; permitted CAP_KILL; inheritable CAP_KILL; ambient capability 63",
                { _ in .setCapabilities(SetCapabilities(effective: 0, permitted: 32, inheritable: 32, ambient: 1 << 63)) }
            ),
            (
                "set the memory policy MPOL_BIND with flags 0x8000 on nodes 0, 9",
                { .setMemoryPolicy(SetMemoryPolicy(mode: 2 | 1 << 15, mask: $0.add(bytes: [1, 2, 0, 0, 0, 0, 0, 0]))) }
            ),
            (
                "set the scheduler SCHED_BATCH, nice -3",
                { _ in
                    .setScheduler(SetScheduler(policy: 3, nice: -3, priority: 0, flags: 0, runtime: 0, deadline: 0, period: 0))
                }
            ),
            ("set the I/O priority idle 7", { _ in .setIOPriority(SetIOPriority(priorityClass: 3, priority: 7)) }),
            (
                "execute sh -c \"echo \\\"a\\\"\" \"\" with 1 environment entry, with descriptors 3 to 4",
                {
                    .execute(
                        Execute(arguments: $0.add(["sh", "-c", "echo \"a\"", ""]), environment: $0.add(["A=b"]), preservedDescriptors: 2))
                }
            ),
        ]
        for (expected, make) in cases { #expect(words(make) == expected) }
    }

    @Test(
        "text that could move a terminal's cursor is shown, not obeyed",
        arguments: [
            ("plain", "plain"), ("", "\"\""), ("two words", "\"two words\""), ("a\u{1B}[2Jb", "\"a\\u{1b}[2Jb\""), ("a\nb", "\"a\\nb\""),
            ("\u{9B}", "\"\\u{9b}\""), ("back\\slash", "\"back\\\\slash\""), ("ümläut", "ümläut"),
        ])
    func control(text: String, expected: String) {
        #expect(shownText(text) == expected)
    }

    @Test("every kind of step has words, and no two the same")
    func complete() {
        let plan = StepSamples().plan
        let words = plan.steps.map { plan.describe($0) }
        #expect(Set(words).count == plan.steps.count)
        #expect(words.allSatisfy { !$0.isEmpty })
    }
}

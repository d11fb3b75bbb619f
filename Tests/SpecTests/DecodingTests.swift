import Testing

@testable import Spec

@Suite("Decoding")
struct DecodingTests {
    private let everything = """
        {
          "ociVersion": "1.3.0",
          "root": {"path": "rootfs", "readonly": true},
          "mounts": [
            {"destination": "/data", "source": "src", "type": "none", "options": ["rbind", "rro", "rslave", "ridmap"],
             "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
             "gidMappings": [{"containerID": 0, "hostID": 200000, "size": 65536}]}
          ],
          "process": {
            "terminal": true, "consoleSize": {"height": 24, "width": 80},
            "user": {"uid": 1, "gid": 2, "umask": 63, "additionalGids": [3, 4]},
            "args": ["sh", "-c", "true"], "env": ["A=b", "C="], "cwd": "/home",
            "capabilities": {
              "bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_CHOWN", "CAP_KILL"],
              "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]
            },
            "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 18446744073709551615}],
            "apparmorProfile": "p", "selinuxLabel": "l", "noNewPrivileges": true, "oomScoreAdj": -5,
            "scheduler": {"policy": "SCHED_DEADLINE", "nice": -3, "priority": 0, "runtime": 1, "deadline": 2, "period": 3,
                          "flags": ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM"]},
            "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 7},
            "execCPUAffinity": {"initial": "0", "final": "1-2"}
          },
          "hostname": "h", "domainname": "d",
          "hooks": {
            "prestart": [{"path": "/1"}], "createRuntime": [{"path": "/2", "args": ["2", "x"], "env": ["A=b"], "timeout": 9}],
            "createContainer": [{"path": "/3"}], "startContainer": [{"path": "/4"}], "poststart": [{"path": "/5"}],
            "poststop": [{"path": "/6"}]
          },
          "annotations": {"b": "2", "a": "1"},
          "linux": {
            "namespaces": [{"type": "pid"}, {"type": "network", "path": "/n"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
                           {"type": "user"}, {"type": "cgroup"}, {"type": "time"}],
            "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
            "gidMappings": [{"containerID": 0, "hostID": 2000, "size": 20}],
            "timeOffsets": {"monotonic": {"secs": -5, "nanosecs": 6}, "boottime": {"secs": 7}},
            "devices": [{"type": "b", "path": "/dev/x", "major": 8, "minor": 16, "fileMode": 25008, "uid": 1, "gid": 2}],
            "cgroupsPath": "/c",
            "resources": {
              "devices": [{"allow": false}, {"allow": true, "type": "c", "major": 1, "minor": -1, "access": "rm"}],
              "memory": {"limit": 2048, "reservation": 1024, "swap": 4096, "kernel": -1, "kernelTCP": -1, "swappiness": 60,
                         "disableOOMKiller": false, "useHierarchy": true, "checkBeforeUpdate": true},
              "cpu": {"shares": 1024, "quota": 5000, "burst": 100, "period": 10000, "realtimeRuntime": 1, "realtimePeriod": 2,
                      "cpus": "0-1", "mems": "0", "idle": 0},
              "blockIO": {"weight": 10, "leafWeight": 20,
                          "weightDevice": [{"major": 8, "minor": 0, "weight": 500, "leafWeight": 300}],
                          "throttleReadBpsDevice": [{"major": 8, "minor": 1, "rate": 1}],
                          "throttleWriteBpsDevice": [{"major": 8, "minor": 2, "rate": 2}],
                          "throttleReadIOPSDevice": [{"major": 8, "minor": 3, "rate": 3}],
                          "throttleWriteIOPSDevice": [{"major": 8, "minor": 4, "rate": 4}]},
              "hugepageLimits": [{"pageSize": "2MB", "limit": 9223372036854772000}],
              "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]},
              "pids": {"limit": 0},
              "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}},
              "unified": {"memory.high": "1", "io.max": "8:0 rbps=1"}
            },
            "intelRdt": {"closID": "guaranteed", "l3CacheSchema": "L3:0=7f0", "memBwSchema": "MB:0=20", "schemata": ["L2:0=f"],
                         "enableMonitoring": true},
            "sysctl": {"net.ipv4.ip_forward": "1", "kernel.msgmax": "2"},
            "seccomp": {
              "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"],
              "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/l", "listenerMetadata": "m",
              "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
                           {"names": ["clone"], "action": "SCMP_ACT_TRACE", "errnoRet": 5,
                            "args": [{"index": 5, "value": 2114060288, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]},
                           {"names": ["x"], "action": "SCMP_ACT_NOTIFY"}]
            },
            "rootfsPropagation": "slave", "maskedPaths": ["/m"], "readonlyPaths": ["/r"], "mountLabel": "ml",
            "personality": {"domain": "LINUX32", "flags": []},
            "netDevices": {"eth0": {"name": "c%d"}, "eth1": {}},
            "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0-1,3", "flags": ["MPOL_F_STATIC_NODES"]}
          }
        }
        """

    @Test("every property of the specification is read, and nothing is said against a good one")
    func wholeModel() throws {
        let document = try document(everything)
        let (config, diagnostics) = Config.check(document)
        let lines = diagnostics.map { $0.rendered(document: document) }
        #expect(
            lines == [
                "config.json:26:18: /hooks/prestart/0: note: prestart hooks are deprecated; "
                    + "use createRuntime, createContainer or startContainer [H-02]"
            ])
        #expect(config.ociVersion == "1.3.0" && config.root?.path.value == "rootfs" && config.root?.readonly == true)
        #expect(config.hostname?.value == "h" && config.domainname?.value == "d")
        #expect(config.annotations.map { "\($0.key)=\($0.value)" } == ["b=2", "a=1"] && config.annotation("a") == "1")
        let hooks = config.hooks
        let lists = [hooks.prestart, hooks.createRuntime, hooks.createContainer, hooks.startContainer, hooks.poststart, hooks.poststop]
        #expect(lists.map { $0.map { $0.path } } == [["/1"], ["/2"], ["/3"], ["/4"], ["/5"], ["/6"]])
        let hook = hooks.createRuntime[0]
        #expect(hook.args == ["2", "x"] && hook.env == ["A=b"] && hook.timeout == 9 && hooks.prestart[0].args == nil)
    }

    @Test("mounts are read (M-01 to M-08)")
    func mounts() throws {
        let mount = Config.decode(try document(everything)).config.mounts[0]
        #expect(mount.destination.value == "/data" && mount.source?.value == "src" && mount.type?.value == "none" && mount.isBind)
        #expect(
            mount.options.map { $0.value } == [
                .bind(recursive: true), .attribute(.readOnly, set: true, recursive: true),
                .propagation(Propagation(.slave, recursive: true)), .idmap(recursive: true, mapping: nil),
            ])
        #expect(mount.uidMappings.map { [$0.containerID, $0.hostID, $0.size] } == [[0, 100000, 65536]])
        #expect(mount.gidMappings.map { [$0.containerID, $0.hostID, $0.size] } == [[0, 200000, 65536]])
    }

    @Test("the process is read (P-02 to P-43)")
    func process() throws {
        let process = try #require(Config.decode(try document(everything)).config.process)
        #expect(process.terminal && process.consoleSize == ConsoleSize(height: 24, width: 80) && process.cwd.value == "/home")
        #expect(process.args.map { $0.value } == ["sh", "-c", "true"] && process.env.map { $0.value } == ["A=b", "C="])
        #expect(process.user.uid.value == 1 && process.user.gid.value == 2 && process.user.umask == 0o077)
        #expect(process.user.additionalGids.map { $0.value } == [3, 4])
        let sets = try #require(process.capabilities)
        #expect(sets.bounding.rawValue == 0b100001 && sets.permitted == sets.bounding && sets.effective.rawValue == 0b100000)
        #expect(sets.inheritable.rawValue == 0b100000 && sets.ambient.rawValue == 0b100000)
        let limit = process.rlimits[0]
        #expect(limit.resource == 7 && limit.name == "RLIMIT_NOFILE" && limit.soft == 1024 && limit.hard == UInt64.max)
        #expect(process.apparmorProfile?.value == "p" && process.selinuxLabel?.value == "l" && process.noNewPrivileges)
        #expect(process.oomScoreAdj?.value == -5)
        let scheduler = try #require(process.scheduler)
        #expect(scheduler.policy == 6 && scheduler.nice == -3 && scheduler.priority == 0 && scheduler.flags == 3)
        #expect(scheduler.runtime == 1 && scheduler.deadline == 2 && scheduler.period == 3)
        #expect(process.ioPriority == IOPriority(priorityClass: 3, priority: 7))
        #expect(process.execCPUAffinity?.initial?.value == "0" && process.execCPUAffinity?.final?.value == "1-2")
    }

    @Test("the linux section is read (N, I, T, D, W, RT, MP, SY, X)")
    func linux() throws {
        let linux = Config.decode(try document(everything)).config.linux
        #expect(linux.namespaces.map { $0.type } == [.pid, .network, .ipc, .uts, .mount, .user, .cgroup, .time])
        #expect(linux.namespace(.network)?.path?.value == "/n" && linux.namespace(.pid)?.path == nil)
        #expect(linux.uidMappings.map { [$0.containerID, $0.hostID, $0.size] } == [[0, 1000, 10]])
        #expect(linux.gidMappings.map { [$0.containerID, $0.hostID, $0.size] } == [[0, 2000, 20]])
        #expect(linux.timeOffsets.map { $0.clock } == [.monotonic, .boottime])
        #expect(linux.timeOffsets.map { $0.seconds } == [-5, 7] && linux.timeOffsets.map { $0.nanoseconds } == [6, 0])
        let device = linux.devices[0]
        #expect(device.kind == .block && device.path.value == "/dev/x" && device.major == 8 && device.minor == 16)
        #expect(device.fileMode == 0o660 && device.uid == 1 && device.gid == 2)
        #expect(linux.cgroupsPath?.value == "/c" && linux.rootfsPropagation?.value == Propagation(.slave, recursive: false))
        #expect(linux.maskedPaths.map { $0.value } == ["/m"] && linux.readonlyPaths.map { $0.value } == ["/r"])
        #expect(linux.mountLabel?.value == "ml" && linux.personality?.value == .linux32)
        #expect(linux.netDevices.map { $0.hostName } == ["eth0", "eth1"] && linux.netDevices.map { $0.name } == ["c%d", nil])
        #expect(linux.memoryPolicy?.mode == 2 && linux.memoryPolicy?.flags == 1 << 15 && linux.memoryPolicy?.nodes == [0, 1, 3])
        #expect(linux.sysctl.map { "\($0.key)=\($0.value)" } == ["net.ipv4.ip_forward=1", "kernel.msgmax=2"])
        let rdt = try #require(linux.intelRdt)
        #expect(rdt.closID?.value == "guaranteed" && rdt.l3CacheSchema?.value == "L3:0=7f0" && rdt.memBwSchema?.value == "MB:0=20")
        #expect(rdt.schemata.map { $0.value } == ["L2:0=f"] && rdt.enableMonitoring)
    }

    @Test("seccomp is read (SE-02 to SE-15)")
    func seccomp() throws {
        let document = try document(everything)
        let seccomp = try #require(Config.decode(document).config.linux.seccomp)
        #expect(seccomp.defaultAction == .errno(38) && seccomp.architectures.map { $0.value } == ["SCMP_ARCH_X86_64"])
        #expect(seccomp.flags?.map { $0.value } == ["SECCOMP_FILTER_FLAG_LOG"])
        #expect(seccomp.listenerPath?.value == "/l" && seccomp.listenerMetadata?.value == "m")
        #expect(seccomp.syscalls.map { $0.names } == [["read", "write"], ["clone"], ["x"]])
        #expect(seccomp.syscalls.map { $0.action } == [.allow, .trace(5), .notify])
        let expected = SeccompCondition(index: 5, value: 2_114_060_288, valueTwo: 1, operation: .maskedEqual)
        #expect(seccomp.syscalls[1].args == [expected])
        let raw = document.bytes(of: seccomp.origin)
        #expect(raw.first == UInt8(ascii: "{") && raw.last == UInt8(ascii: "}") && document.pointer(of: seccomp.origin) == "/linux/seccomp")
        #expect(try JSONDocument(Array(raw)).root["listenerPath"]?.string == "/l")
    }

    @Test("resources are read (RD, RM, RC, RB, RH, RU)")
    func resources() throws {
        let resources = try #require(Config.decode(try document(everything)).config.linux.resources)
        let rules = try #require(resources.devices)
        #expect(rules.map { $0.allow } == [false, true] && rules.map { $0.kind } == [.all, .character])
        #expect(rules[0].read && rules[0].write && rules[0].mknod && rules[0].major == nil)
        #expect(rules[1].major == 1 && rules[1].minor == nil && rules[1].read && !rules[1].write && rules[1].mknod)
        let memory = try #require(resources.memory)
        #expect(memory.limit?.value == 2048 && memory.reservation?.value == 1024 && memory.swap?.value == 4096)
        #expect(memory.kernel?.value == -1 && memory.kernelTCP?.value == -1 && memory.swappiness?.value == 60)
        #expect(memory.disableOOMKiller?.value == false && memory.useHierarchy?.value == true && memory.checkBeforeUpdate?.value == true)
        let cpu = try #require(resources.cpu)
        #expect(cpu.shares?.value == 1024 && cpu.quota?.value == 5000 && cpu.burst?.value == 100 && cpu.period?.value == 10000)
        #expect(cpu.realtimeRuntime?.value == 1 && cpu.realtimePeriod?.value == 2 && cpu.idle?.value == 0)
        #expect(cpu.cpus?.value == "0-1" && cpu.mems?.value == "0")
        let blockIO = try #require(resources.blockIO)
        #expect(blockIO.weight?.value == 10 && blockIO.leafWeight?.value == 20)
        #expect(blockIO.weightDevice[0].weight == 500 && blockIO.weightDevice[0].leafWeight == 300 && blockIO.weightDevice[0].major == 8)
        let throttles = [blockIO.throttleReadBps, blockIO.throttleWriteBps, blockIO.throttleReadIOPS, blockIO.throttleWriteIOPS]
        let rates = throttles.map { $0.map { [UInt64($0.major), UInt64($0.minor), $0.rate] } }
        #expect(rates == [[[8, 1, 1]], [[8, 2, 2]], [[8, 3, 3]], [[8, 4, 4]]])
        #expect(resources.hugepageLimits[0].pageSize == "2MB" && resources.hugepageLimits[0].limit == 9_223_372_036_854_772_000)
        #expect(resources.network?.classID?.value == 1_048_577)
        #expect(resources.network?.priorities[0].value == Resources.Network.Priority(name: "eth0", priority: 500))
        #expect(resources.pids?.value == 0)
        #expect(resources.rdma[0].device == "mlx5_1" && resources.rdma[0].hcaHandles == 3 && resources.rdma[0].hcaObjects == 10000)
        #expect(resources.unified.map { "\($0.key)=\($0.value)" } == ["memory.high=1", "io.max=8:0 rbps=1"])
    }

    @Test("absent is not empty (SE-05, RD-07, G-07)")
    func absentAndEmpty() throws {
        let bare = #","seccomp":{"defaultAction":"SCMP_ACT_ALLOW"},"resources":{}"#
        let absent = Config.decode(try document(config(linux: bare))).config.linux
        #expect(absent.seccomp?.flags == nil && absent.resources?.devices == nil)
        let empty = #","seccomp":{"defaultAction":"SCMP_ACT_ALLOW","flags":[]},"resources":{"devices":[],"memory":null}"#
        let linux = Config.decode(try document(config(linux: empty))).config.linux
        #expect(linux.seccomp?.flags == [] && linux.resources?.devices == [] && linux.resources?.memory == nil)
    }

    @Test("a process alone: the content of exec --process")
    func processAlone() throws {
        let document = try document(#"{"args":["a"],"cwd":"b","env":["X"],"user":{"uid":5}}"#)
        let (process, decoding) = Process.decode(document)
        var linux = Linux()
        linux.namespaces = [Namespace(.user)]
        linux.uidMappings = [IDMapping(containerID: 0, hostID: 1, size: 5)]
        let lines = (decoding + process.validate(linux: linux)).map { $0.rendered(file: "process.json", document: document) }
        #expect(
            lines == [
                "process.json:1:21: /cwd: cwd must be absolute (got \"b\") [P-06]",
                "process.json:1:32: /env/0: environment entry has no \"=\" (got \"X\") [P-07]",
                "process.json:1:51: /user/uid: uid 5 is not mapped in linux.uidMappings [P-39]",
            ])
    }

    @Test("resources alone: an update may leave out what is set already (RM-04)")
    func resourcesAlone() throws {
        let document = try document(#"{"memory":{"swap":1024},"cpu":{"quota":1}}"#)
        let (resources, decoding) = Resources.decode(document)
        #expect(decoding.isEmpty)
        #expect(resources.validate(isUpdate: true).map { $0.row } == ["RC-02"])
        #expect(resources.validate().map { $0.row } == ["RM-04", "RC-02"])
    }

    @Test("a hostile document costs a bounded number of findings, and still has errors")
    func bound() throws {
        let text = "{\(( 0..<2000).map { "\"x\($0)\":1" }.joined(separator: ","))}"
        let diagnostics = Config.check(try document(text)).diagnostics
        #expect(diagnostics.count < 600 && diagnostics.hasErrors)
    }

    @Test("a finding without a document names the file only; a syntax error has its own place")
    func rendering() throws {
        let finding = Diagnostic(.error, .none, "wrong", got: "1", hint: "do", row: "X-01")
        #expect(finding.rendered(document: nil) == "config.json: wrong (got 1); do [X-01]")
        let warning = Diagnostic(.warning, .none, "odd", row: "X-01")
        #expect(warning.rendered(document: nil) == "config.json: warning: odd [X-01]")
        #expect(warning.unmarked(document: nil) == "config.json: odd [X-01]")
        #expect(throws: JSONDocument.SyntaxError.self) { try JSONDocument(Array("{".utf8)) }
        do {
            _ = try JSONDocument(Array("{\n?".utf8))
        } catch {
            let line = Diagnostic(error).rendered(file: "c.json", document: nil)
            #expect(line == "c.json:2:1: lexical error: invalid char in json text. [G-01]")
        }
    }
}

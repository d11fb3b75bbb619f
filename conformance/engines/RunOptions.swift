/// The options of `podman run` and `docker run`, each by what it does to the container.

import Foundation

let runOptions = Subject { subject in
    // MARK: The process
    subject.claim("run prints what the payload prints", "", "echo hello", .prints("hello"))
    subject.claim("run ends with the payload's status", "", "exit 42", .fails(42, ""))
    subject.claim("run ends with 128+N when the payload dies of a signal", "", "sh -c 'kill -KILL $$'; exit $?", .fails(137, ""))
    subject.claim("--env sets a variable", "--env FOO=bar", "echo $FOO", .prints("bar"))
    subject.claim("--workdir", "--workdir /home", "pwd", .prints("/home"))
    subject.claim("--workdir makes the directory", .init(docker: "--workdir /made/here"), "pwd", .prints("/made/here"))
    subject.claim("--user takes numbers", "--user 1234:567", "id -u; id -g", .prints("1234\n567"))
    subject.claim("--user takes a name of the image", "--user user", "id -u; id -g; echo $HOME", .prints("1000\n1000\n/home/user"))
    subject.claim("--user -1 is refused", "--user -1", "id -u", .refuses)
    subject.claim("--user 4294967295 is refused", "--user 4294967295", "id -u", .refuses)
    subject.claim("--group-add adds a group", "--user 1000:1000 --group-add 2000", "id -G", .shows("2000"))
    subject.claim("--hostname names the host", "--hostname ahost", "hostname; cat /proc/sys/kernel/hostname", .prints("ahost\nahost"))
    subject.claim(
        "--ulimit sets soft and hard limit", "--ulimit nofile=123:456 --ulimit nproc=1000:1000", "ulimit -Sn; ulimit -Hn",
        .prints("123\n456"))
    subject.claim("--ulimit core=0", "--ulimit core=0:0 --ulimit nofile=1000:1000 --ulimit nproc=1000:1000", "ulimit -Hc", .prints("0"))
    subject.claim("--oom-score-adj 500", "--oom-score-adj 500", "cat /proc/self/oom_score_adj", .prints("500"))
    subject.claim("--umask", .init(podman: "--umask 0077"), "umask", .prints("0077"))
    subject.claim("--personality", .init(podman: "--personality=LINUX32"), "uname -m", .prints("i686"))
    subject.claim("--init puts an init at the head that reaps", .init(podman: "--init", docker: "--init"), reaping, .prints("reaped"))
    subject.claim("an orphan is reaped without --init", "", reaping, .prints("reaped"))
    subject.claim("output of a megabyte arrives whole", "", "head -c 1000000 /dev/zero | tr '\\0' x | wc -c", .prints("1000000"))

    // MARK: Limits
    subject.claim("--memory", "--memory 64m", read("memory.max", "memory/memory.limit_in_bytes"), .prints("67108864"))
    subject.claim(
        "--memory-reservation", "--memory 64m --memory-reservation 32m", read("memory.low", "memory/memory.soft_limit_in_bytes"),
        .prints("33554432"))
    subject.claim("--pids-limit", "--pids-limit 33", read("pids.max", "pids/pids.max"), .prints("33"))
    subject.claim(
        "--pids-limit stops a fork", "--pids-limit 8", "for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; echo on", .fails(2, "fork"))
    subject.claim("--pids-limit 1 still runs", "--pids-limit 1", "echo alone", .prints("alone"))
    subject.claim("--cpus", "--cpus 0.5", "\(read("cpu.max", "cpu/cpu.cfs_quota_us")) | cut -d' ' -f1", .prints("50000"))
    subject.claim("--cpu-shares", "--cpu-shares 512", read("cpu.weight", "cpu/cpu.shares"), .shows(Cgroups.isUnified ? "20" : "512"))
    subject.claim("--cpuset-cpus", "--cpuset-cpus 0", "grep -o 'Cpus_allowed_list:.*' /proc/self/status", .prints("Cpus_allowed_list:\t0"))
    subject.claim("--cpuset-cpus of a cpu that is not there is refused", "--cpuset-cpus 999", "true", .refuses)
    subject.claim("memory beyond --memory is the end by KILL", "--memory 16m --memory-swap 16m", "tail /dev/zero; echo $?", .shows("137"))
    subject.claim("--shm-size", "--shm-size 2m", "df -k /dev/shm | tail -1", .shows("2048"))

    // MARK: Kernel parameters
    subject.claim("--sysctl of the network", "--sysctl net.core.somaxconn=77", "cat /proc/sys/net/core/somaxconn", .prints("77"))
    subject.claim("--sysctl of the ipc namespace", "--sysctl kernel.msgmax=1000", "cat /proc/sys/kernel/msgmax", .prints("1000"))
    subject.claim("--sysctl with a value that the kernel refuses", "--sysctl net.core.somaxconn=none", "true", .refuses)
    subject.claim("--sysctl that is not there is refused", "--sysctl net.not.there=1", "true", .refuses)
    subject.claim("--sysctl of the whole machine is refused", "--sysctl kernel.panic=1", "true", .refuses)

    // MARK: Files
    subject.claim("--read-only", "--read-only", "touch /x", .fails(1, "read-only file system"))
    subject.claim("--read-only leaves a --tmpfs writable", "--read-only --tmpfs /scratch", "touch /scratch/x && echo made", .prints("made"))
    subject.claim(
        "--tmpfs with size and mode", "--tmpfs /scratch:size=1m,mode=1770", "stat -c %a /scratch; df -k /scratch | awk 'NR==2 {print $2}'",
        .prints("1770\n1024"))
    subject.claim("--tmpfs with noexec", "--tmpfs /scratch:noexec", "cp /bin/busybox /scratch/true; /scratch/true", .fails(126, "denied"))
    subject.claim("--tmpfs with exec", "--tmpfs /scratch:exec", "cp /bin/busybox /scratch/true; /scratch/true && echo ran", .prints("ran"))
    subject.claim(
        "--mount type=tmpfs", "--mount type=tmpfs,destination=/t,tmpfs-size=1048576", "df -k /t | awk 'NR==2 {print $2}'", .prints("1024"))
    subject.claim("the image stays as it was", "", "rm -rf /bin/busybox; echo gone", .prints("gone"))
    subject.claim(
        "kernel files are masked", "", "head -c1 /proc/kcore | wc -c; ls /proc/acpi /sys/firmware 2>/dev/null | grep -v :", .shows("0"))
    subject.claim("/proc/sys is read-only", "", "echo 1 >/proc/sys/kernel/panic", .fails(1, "read-only file system"))
    subject.claim("/sys is read-only", "", "awk '$2 == \"/sys\" {print substr($4, 1, 2)}' /proc/self/mounts", .prints("ro"))
    subject.claim(
        "its own limits are read-only", "", "\(write("memory.max", "memory/memory.limit_in_bytes"))", .fails(1, "read-only file system"))
    subject.claim(
        "masks can be left out", .init(podman: "--security-opt unmask=ALL", docker: "--security-opt systempaths=unconfined"),
        "grep -c -E ' /proc/(kcore|sys) ' /proc/self/mounts; true", .prints("0"))

    // MARK: Privileges
    subject.claim("--cap-drop ALL", "--cap-drop ALL", "grep CapEff /proc/self/status", .prints("CapEff:\t0000000000000000"))
    subject.claim("--cap-drop CHOWN", "--cap-drop CHOWN", "touch /x; chown 1 /x", .fails(1, "operation not permitted"))
    subject.claim("--cap-add NET_ADMIN", "--cap-add NET_ADMIN", "ip link set lo down && echo down", .prints("down"))
    subject.claim("without NET_ADMIN links stay", "", "ip link set lo down || exit 1", .fails(1, "operation not permitted"))
    subject.claim("another user has no capabilities", "--user 1000", "grep CapEff /proc/self/status", .prints("CapEff:\t0000000000000000"))
    subject.claim(
        "no-new-privileges", "--security-opt no-new-privileges", "grep NoNewPrivs /proc/self/status", .prints("NoNewPrivs:\t1"))
    subject.claim("a filter is there", "", "grep Seccomp: /proc/self/status", .prints("Seccomp:\t2"))
    subject.claim("the filter refuses a new user namespace", .init(docker: ""), "unshare -U true", .fails(1, "operation not permitted"))
    subject.claim(
        "seccomp=unconfined", "--security-opt seccomp=unconfined", "grep Seccomp: /proc/self/status", .prints("Seccomp:\t0"))
    subject.claim("--privileged has no filter", "--privileged", "grep Seccomp: /proc/self/status", .prints("Seccomp:\t0"))
    subject.claim("--privileged mounts", "--privileged", "mkdir /m && mount -t tmpfs none /m && echo mounted", .prints("mounted"))
    subject.claim(
        "--privileged has the host's devices", "--privileged", "test -c /dev/kmsg && test -c /dev/fuse && echo there", .prints("there"))
    subject.claim(
        "--privileged writes kernel parameters", "--privileged", "echo 5 >/proc/sys/net/ipv4/tcp_retries1 && echo set", .prints("set"))
    subject.claim(
        "--cap-add SYS_RESOURCE, which this machine may not have", "--cap-add SYS_RESOURCE", "echo ran", .prints("ran"))

    // MARK: Devices
    subject.claim("only the usual devices are there", "", "ls /dev | grep -c -E '^(sd|vd|nvme|kmsg|mem|loop)'; true", .prints("0"))
    subject.claim("--device", "--device /dev/null:/dev/mine", "echo x >/dev/mine && stat -c %t:%T /dev/mine", .prints("1:3"))
    subject.claim("--device for reading only", "--device /dev/fuse:/dev/mine:r", "echo x >/dev/mine", .fails(1, "operation not permitted"))
    subject.claim("a device that was not given cannot be opened", "", "mknod /d c 1 11 && cat /d", .fails(1, "operation not permitted"))
    subject.claim(
        "--device-cgroup-rule", "--device-cgroup-rule 'c 10:229 rw'", "mknod /d c 10 229 && exec 3<>/d && echo opened", .prints("opened"))
    subject.claim(
        "--device-cgroup-rule for every minor", "--device-cgroup-rule 'c 10:* rwm'", "mknod /d c 10 229 && exec 3<>/d && echo opened",
        .prints("opened"))

    // MARK: Namespaces
    subject.claim("the payload is alone in its pid namespace", "", "ls /proc | grep -c -E '^[0-9]+$'", .shows(""))
    subject.claim("--network none has loopback only", "--network none", "ls /sys/class/net", .prints("lo"))
    for (option, kind) in [("--network", "net"), ("--pid", "pid"), ("--ipc", "ipc"), ("--uts", "uts"), ("--cgroupns", "cgroup")] {
        subject.claim("\(option) host", "\(option) host", "readlink /proc/self/ns/\(kind)", .prints(Namespace.at("/proc/self/ns/\(kind)")))
    }
    subject.claim("--cgroupns private", "--cgroupns private", "cut -d: -f3 /proc/self/cgroup | sort -u", .prints("/"))
    subject.claim(
        "--uidmap", .init(podman: "--uidmap 0:100000:1000 --gidmap 0:100000:1000"), "cat /proc/self/uid_map | tr -s ' '",
        .prints(" 0 100000 1000"))
    subject.claim(
        "--userns auto", .init(podman: "--userns auto:size=2000"), "cat /proc/self/uid_map | awk '{print $1, ($2 > 0), $3}'",
        .prints("0 1 2000"))
    subject.claim(
        "a container in a user namespace has its own root and /sys", .init(podman: "--uidmap 0:100000:1000 --gidmap 0:100000:1000"),
        "id -u; stat -c %u /bin/busybox; touch /x && ls /sys/class/net | tr '\\n' ' '", .shows("0\n0\n"))

    // MARK: Words and numbers
    subject.claim("an unknown option is 125", "--no-such-option", "true", .fails(125, "unknown flag"))
    subject.claim("--timeout ends the container", .init(podman: "--timeout 1"), "sleep 100", .fails(255, ""))
}

/// Reads a limit of the container's own cgroup: the file's name in v2, and in v1.
private func read(_ unified: String, _ legacy: String) -> String {
    "cat /sys/fs/cgroup/\(Cgroups.isUnified ? unified : legacy)"
}

/// Writes into a limit of the container's own cgroup.
private func write(_ unified: String, _ legacy: String) -> String {
    "echo 1000000000 >/sys/fs/cgroup/\(Cgroups.isUnified ? unified : legacy)"
}

/// Leaves a process to PID 1 that has ended, and looks whether it stays a zombie.
private let reaping =
    "sh -c 'sleep 0.1 & exit'; sleep 0.5; grep -l 'State:.Z' /proc/[0-9]*/status 2>/dev/null || echo reaped"

#!/bin/bash
# Rootless podman: an ordinary user's everyday actions, each judged by its effect.
# vm: --user tester --timeout 1200 -- cgroupfs
# vm: --user tester --timeout 1200 -- systemd
set -u
source "$(dirname "$0")/claims"

manager=$1
# podman under which the runtime has been named once and for all.
mkdir -p "$HOME/.config/containers"
cat >"$HOME/.config/containers/containers.conf" <<CONF
[engine]
cgroup_manager = "$manager"
runtime = "swoci"
runtime_supports_json = ["swoci", "crun", "runc"]
runtime_supports_nocgroup = ["swoci", "crun"]
[engine.runtimes]
swoci = ["$swoci"]
CONF
trap 'podman rm --all --force --time 0 >/dev/null 2>&1; podman pod rm --all --force >/dev/null 2>&1' EXIT
lines() { tr '\n' '|'; }
p() { podman "$@" </dev/null; }
run() { p run --rm --network none "$@" 2>&1; }
# in the background: start NAME OPTIONS...
start() { p run --detach --network none --name "$@" >/dev/null 2>&1; }
gone() { p rm --force --time 0 "$@" >/dev/null 2>&1; }

p import "$busybox.tar" busybox >/dev/null 2>&1
claim "podman uses swoci with $manager" "$(p info --format '{{.Host.OCIRuntime.Path}} {{.Host.CgroupManager}}')" "$swoci $manager"

claim "run" "$(run busybox sh -c 'id -u; hostname >/dev/null; echo done')" $'0\ndone'
run busybox sh -c 'exit 7' >/dev/null
claim "its status" $? 7
run busybox /nosuch >/dev/null
claim "a program that is missing" $? 127
run busybox /etc/passwd >/dev/null
claim "a program that cannot be executed" $? 126
claim "--user" "$(run --user 1234:5678 busybox sh -c 'echo $(id -u):$(id -g)')" 1234:5678
claim "--group-add" "$(run --user 12 --group-add 77 busybox id -G)" "0 77"
claim "--userns keep-id" "$(run --userns keep-id busybox sh -c 'id -u; cat /proc/self/uid_map | wc -l')" $'1000\n3'
mkdir -p "$work/volume" && echo mine >"$work/volume/file"
claim "--userns keep-id with a volume" "$(run --userns keep-id --volume "$work/volume:/v" busybox sh -c 'cat /v/file; touch /v/new')$(stat -c %U "$work/volume/new")" minetester
claim "--userns auto" "$(run --userns=auto:size=1000 busybox sh -c 'tr -s " " </proc/self/uid_map | cut -d " " -f 4')" 1000
claim "--userns nomap" "$(run --userns nomap busybox id -u)" 0
claim "a volume" "$(run --volume "$work/volume:/v" busybox sh -c 'cat /v/file; echo changed >/v/other')$(cat "$work/volume/other")" minechanged
claim "a read-only volume" "$(run --volume "$work/volume:/v:ro" busybox sh -c 'touch /v/file 2>/dev/null || echo refused')" refused
claim "a named volume" "$(run --volume keep:/v busybox sh -c 'echo kept >/v/a'; run --volume keep:/v busybox cat /v/a)" kept
claim "--tmpfs" "$(run --tmpfs /t:size=1m busybox sh -c 'stat -f -c %T /t; dd if=/dev/zero of=/t/x bs=1M count=2 2>&1 | grep -c "No space"')" $'tmpfs\n1'
claim "--read-only" "$(run --read-only busybox sh -c 'touch /x 2>/dev/null || echo refused; touch /tmp/x && echo tmp')" $'refused\ntmp'
claim "--workdir, --env" "$(run --workdir /tmp --env A=b busybox sh -c 'pwd; echo $A')" $'/tmp\nb'
claim "--hostname" "$(run --hostname box busybox hostname)" box
claim "--cap-drop, --cap-add" "$(run --cap-drop all --cap-add net_admin busybox grep CapEff /proc/self/status | cut -f 2)" 0000000000001000
claim "seccomp is on" "$(run busybox grep Seccomp: /proc/self/status | cut -f 2)" 2
claim "no new privileges" "$(run --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status | cut -f 2)" 1
claim "--privileged" "$(run --privileged busybox sh -c 'grep -q CapEff:.000001ffffffffff /proc/self/status && mount -t tmpfs t /mnt 2>&1 || mkdir /m && mount -t tmpfs t /m && echo mounted' | tail -n 1)" mounted
claim "--ulimit" "$(run --ulimit nofile=100:200 busybox sh -c 'ulimit -n; ulimit -Hn')" $'100\n200'
claim "--sysctl" "$(run --sysctl net.ipv4.ip_forward=1 busybox cat /proc/sys/net/ipv4/ip_forward)" 1
matches "--sysctl of the host" "$(run --sysctl kernel.panic=1 busybox true)" '*kernel.panic*'
claim "--device" "$(run --device /dev/fuse busybox stat -c %t:%T /dev/fuse)" a:e5
claim "--pid host" "$(run --pid host busybox sh -c 'test $(ls /proc | grep -c "^[0-9]") -gt 20 && echo all')" all
claim "--ipc host" "$(run --ipc host busybox sh -c 'test -d /dev/mqueue && echo there')" there
claim "--uts host" "$(run --uts host busybox hostname)" "$(hostname)"
claim "--network host" "$(p run --rm --network host busybox sh -c 'ls /sys/class/net' 2>&1 | lines)" "$(ls /sys/class/net | lines)"
claim "--network pasta" "$(p run --rm --network pasta busybox sh -c 'ip -o link | grep -c LOOPBACK' 2>&1)" 1
claim "--init" "$(run --init busybox sh -c 'readlink /proc/1/exe >/dev/null; cat /proc/1/comm' 2>&1 | tail -n 1)" "$(podman --runtime crun run --rm --network none --init busybox cat /proc/1/comm 2>&1 </dev/null | tail -n 1)"
claim "--cgroupns host" "$(run --cgroupns host busybox sh -c 'test -e /sys/fs/cgroup/cgroup.procs && echo shown')" shown
claim "standard input" "$(echo words | podman run --rm --network none --interactive busybox cat)" words
claim "a terminal" "$(script -qec "podman run --rm --network none --tty busybox tty" /dev/null </dev/null | tr -d '\r')" /dev/pts/0
claim "no shared mounts are left behind" "$(grep -c "$work/volume" /proc/self/mountinfo)" 0

# ---- limits, by their effect

claim "--memory" "$(run --memory 64m busybox cat /sys/fs/cgroup/memory.max)" 67108864
claim "--memory kills" "$(run --memory 32m --memory-swap 32m busybox sh -c 'head -c 80000000 /dev/zero | tail -c 80000000 >/dev/null; grep "^oom_kill " /sys/fs/cgroup/memory.events' 2>&1 | grep -c 'oom_kill [1-9]')" 1
claim "--pids-limit" "$(run --pids-limit 5 busybox sh -c 'for i in 1 2 3 4 5 6 7; do sleep 1 & done; wait' 2>&1 | grep -c "can't fork")" 1
claim "--cpus" "$(run --cpus 0.5 busybox cat /sys/fs/cgroup/cpu.max)" "50000 100000"
claim "--cgroups disabled" "$(run --cgroups disabled busybox echo ran)" ran

# ---- a container that stays

start box busybox sh -c 'trap "echo term; exit 5" TERM; echo started; while :; do sleep 0.1; done'
eventually sh -c 'podman logs box 2>&1 | grep -q started'
claim "logs" "$(p logs box)" started
claim "ps" "$(p ps --format '{{.Names}} {{.State}}')" "box running"
claim "exec" "$(p exec box sh -c 'echo in $(cat /proc/1/comm >/dev/null && id -u)')" "in 0"
p exec box sh -c 'exit 9'
claim "exec's status" $? 9
claim "exec --user, --workdir, --env" "$(p exec --user 33 --workdir /tmp --env X=y box sh -c 'id -u; pwd; echo $X')" $'33\n/tmp\ny'
p exec box /nosuch >/dev/null 2>&1
claim "exec of a missing program" $? 127
claim "exec with input" "$(echo typed | podman exec --interactive box cat)" typed
claim "exec with a terminal" "$(script -qec "podman exec --tty box tty" /dev/null </dev/null | tr -d '\r')" /dev/pts/0
p exec --detach box sh -c 'sleep 1000' >/dev/null
claim "top" "$(p top box args 2>/dev/null | grep -c 'sleep 1000')" 1
p pause box >/dev/null 2>&1
claim "pause" "$? $(p inspect --format '{{.State.Status}}' box)" "0 paused"
p unpause box >/dev/null 2>&1
claim "unpause" "$? $(p inspect --format '{{.State.Status}}' box)" "0 running"
p update --memory 128m box >/dev/null 2>&1
claim "update" "$? $(p exec box cat /sys/fs/cgroup/memory.max)" "0 134217728"
claim "stats" "$(p stats --no-stream --format '{{.PIDs}}' box 2>/dev/null | grep -c '^[1-9]')" 1
claim "cp" "$(echo copied >"$work/c"; p cp "$work/c" box:/c; p exec box cat /c)" copied
p stop --time 20 box >/dev/null
claim "stop is the signal, and its status" "$(p inspect --format '{{.State.ExitCode}}' box) $(p logs box | tail -n 1)" "5 term"
p start box >/dev/null
claim "start again" "$? $(p inspect --format '{{.State.Status}}' box)" "0 running"
p restart --time 20 box >/dev/null
claim "restart" "$? $(p inspect --format '{{.State.Status}}' box)" "0 running"
p kill --signal KILL box >/dev/null
eventually sh -c '[ "$(podman inspect --format "{{.State.Status}}" box)" = exited ]'
claim "kill" "$(p inspect --format '{{.State.ExitCode}}' box)" 137
p rm box >/dev/null
claim "rm" $? 0
start slow busybox sh -c 'trap "" TERM; while :; do sleep 0.1; done'
p stop --time 1 slow >/dev/null 2>&1
claim "stop ends who will not" "$(p inspect --format '{{.State.ExitCode}}' slow)" 137
gone slow
start two busybox sleep 1000
claim "a container's namespaces joined" "$(p run --rm --network container:two --pid container:two busybox sh -c 'ps | grep -c "[s]leep 1000"' 2>&1)" 1
gone two
start health --health-cmd 'test -e /ok' --health-interval disable busybox sh -c 'touch /ok; sleep 1000'
p healthcheck run health >/dev/null 2>&1
claim "a health check" $? 0
gone health

# ---- pods, images

p pod create --name pod --network none --infra-image busybox --infra-command 'sleep 1000' >"$work/pod" 2>&1
claim "pod create ($(tail -n 1 "$work/pod"))" $? 0
p run --detach --pod pod --name pod-a busybox sleep 1000 >/dev/null 2>&1
claim "containers of a pod share its network" "$(p run --rm --pod pod busybox readlink /proc/self/ns/net 2>&1)" "$(p exec pod-a readlink /proc/self/ns/net)"
claim "a pod's container" "$(p run --rm --pod pod busybox echo member 2>&1)" member
p pod rm --force --time 0 pod >/dev/null 2>&1
claim "pod rm" $? 0
printf 'FROM busybox\nRUN echo built >/made && id -u >>/made\nCMD ["cat", "/made"]\n' >"$work/Containerfile"
p build --network none --tag made "$work" >"$work/build.log" 2>&1
claim "build ($(tail -n 1 "$work/build.log"))" $? 0
claim "what was built runs" "$(run made)" $'built\n0'

# ---- many, and nothing left

for i in 1 2 3 4 5 6 7 8; do start many$i busybox sleep 1000 & done
wait
claim "eight at once" "$(p ps --quiet | wc -l)" 8
p rm --all --force --time 0 >/dev/null 2>&1
claim "no state is left" "$("$swoci" list -q)" ""
claim "no cgroup is left" "$(find /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service \( -name 'libpod-*[0-9a-f].scope' -o -name 'libpod-[0-9a-f]*' -o -name 'swoci-*' \) ! -name 'libpod-conmon*' ! -name 'libpod-payload*' -type d)" ""
claims_end

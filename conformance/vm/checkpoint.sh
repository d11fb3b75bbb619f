#!/bin/bash
# Checkpoint and restore with the criu of the guest: what a container was doing goes on, in its limits, by every way of calling.
# vm: --timeout 1200 -- cgroupfs
# vm: --timeout 1200 -- systemd
set -u
source "$(dirname "$0")/claims"

manager=$1
export XDG_RUNTIME_DIR=
swoci() { "$swoci" --cgroup-manager "$manager" "$@"; }
status() { swoci state "$1" 2>/dev/null | jq -r .status; }
pid() { swoci state "$1" | jq .pid; }
count() { cat "$work/$1/rootfs/count" 2>/dev/null || echo 0; }
goes_on() { local before; before=$(count "$1"); eventually above "$1" "$before"; }
above() { (($(count "$1") > $2)); }
clean() {
	local id
	[[ -x $swoci ]] || return
	for id in $("$swoci" list -q); do "$swoci" delete --force "$id"; done
	podman rm --all --force --time 0 >/dev/null 2>&1
	ip netns del swoci-criu 2>/dev/null
}
trap clean EXIT
counting='i=0; while :; do i=$((i+1)); echo $i >/new; mv /new /count; sleep 0.05; done'
# up NAME [JQ-FILTER...]: a container that counts.
up() {
	bundle "$1" "$counting" "${@:2}"
	swoci run --detach --bundle "$work/$1" "$1" </dev/null >"$work/$1.out" 2>&1
	claim "$1 starts" "$?" 0
	eventually above "$1" 3
}
checkpoint() { swoci checkpoint --image-path "$work/$1.images" "${@:2}" "$1" 2>&1; }
restore() { swoci restore --detach --bundle "$work/$1" --image-path "$work/$1.images" "${@:2}" "$1" </dev/null 2>&1; }

claim "criu can work here" "$(criu check 2>&1 | tail -n 1)" "Looks good."
"$swoci" checkpoint --help >/dev/null
claim "checkpoint is there for who probes for it" $? 0

# ---- there and back

# shellcheck disable=SC2016 # jq's
limits='.linux.resources += {memory: {limit: 67108864}, pids: {limit: 40}} | .linux.maskedPaths = ["/proc/kcore", "/proc/acpi"] |
	.linux.readonlyPaths = ["/proc/sys"] | .mounts += [{destination: "/data", type: "bind", source: $data, options: ["bind"]},
	{destination: "/dev/shm", type: "tmpfs", source: "shm"}, {destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup"}] |
	.linux.namespaces += [{type: "cgroup"}] | .hostname = "counted"'
mkdir -p "$work/data"
echo shared >"$work/data/file"
up a "$limits" --arg data "$work/data"
swoci exec a sh -c 'echo kept >/dev/shm/file' </dev/null
before=$(count a)
claim "checkpoint ($(checkpoint a))" "$(status a)" ""
matches "its state is gone" "$(swoci state a 2>&1)" '*does not exist*'
claim "no process is left" "$(pgrep -f 'mv /new /count' | wc -l)" 0
claim "no cgroup is left" "$(find /sys/fs/cgroup -type d \( -path '*/swoci/a' -o -name 'swoci-a.scope' \))" ""
stopped=$(count a)
sleep 0.3
claim "it stands" "$(count a)" "$stopped"
output=$(restore a --pid-file "$work/a.pid")
claim "restore ($output)" "$(status a)" running
claim "the pid file" "$(cat "$work/a.pid")" "$(pid a)"
goes_on a
claim "it goes on" $? 0
above a "$before"
claim "from where it was" $? 0
claim "the memory limit is there" "$(swoci exec a cat /sys/fs/cgroup/memory.max </dev/null 2>&1)" 67108864
claim "the pids limit is there" "$(swoci exec a cat /sys/fs/cgroup/pids.max </dev/null 2>&1)" 40
claim "a tmpfs has its content" "$(swoci exec a cat /dev/shm/file </dev/null 2>&1)" kept
claim "a volume is mounted" "$(swoci exec a cat /data/file </dev/null 2>&1)" shared
claim "the host name" "$(swoci exec a hostname </dev/null 2>&1)" counted
claim "a masked file is masked" "$(swoci exec a sh -c 'wc -c </proc/kcore' </dev/null 2>&1)" 0
swoci exec a sh -c 'echo 1 >/proc/sys/kernel/domainname' </dev/null 2>/dev/null
claim "a read-only path is read-only" "$(($? > 0))" 1
matches "the init's program is no file of the host" "$(readlink "/proc/$(pid a)/exe")" '/memfd:swoci-init*'
claim "which nobody can write to" "$(sh -c ": >>/proc/$(pid a)/exe" 2>/dev/null && echo written)" ""
claim "nothing of the host is open in the init" "$(ls "/proc/$(pid a)/fd" | tr '\n' ' ')" "0 1 2 "
claim "no mount is shared with the host" "$(grep -c ' shared:' "/proc/$(pid a)/mountinfo")" 0
claim "no mount is left on the host" "$(grep -c "$work/a" /proc/self/mountinfo)" 0
claim "ps" "$(swoci ps a | grep -c 'sh -c i=0')" 1
claim "events" "$(swoci events --stats a | jq '.data.pids.current > 1')" true
swoci pause a && claim "pause" "$(status a)" paused
swoci resume a && claim "resume" "$(status a)" running
swoci update --pids-limit 50 a
claim "update" "$? $(swoci exec a cat /sys/fs/cgroup/pids.max </dev/null)" "0 50"

# ---- once more, from what was restored

claim "checkpoint of a restored container ($(checkpoint a))" "$(status a)" ""
claim "restore ($(restore a))" "$(status a)" running
goes_on a
claim "it goes on" $? 0
swoci kill a STOP
eventually sh -c "grep -q '^State:.T' /proc/\$('$swoci' ps -f json a | jq '.[1]')/status"
claim "a signal reaches the payload" $? 0
swoci kill a CONT
swoci kill a KILL
eventually sh -c "[ \"\$('$swoci' state a | jq -r .status)\" = stopped ]"
claim "kill" $? 0
swoci delete a
claim "delete" $? 0
claim "no cgroup is left" "$(find /sys/fs/cgroup -type d \( -path '*/swoci/a' -o -name 'swoci-a.scope' \))" ""

# ---- the payload is PID 1

up one '.annotations["org.swoci.init"] = "exec"'
claim "checkpoint of a payload that is PID 1 ($(checkpoint one))" "$(status one)" ""
claim "restore ($(restore one))" "$(status one)" running
goes_on one
claim "it goes on" $? 0

# ---- in the foreground

checkpoint one >/dev/null
(swoci restore --bundle "$work/one" --image-path "$work/one.images" one </dev/null; echo $? >"$work/one.status") &
eventually sh -c "[ \"\$('$swoci' state one 2>/dev/null | jq -r .status)\" = running ]"
claim "restore waits" "$?" 0
goes_on one
# A kill before criu has let go of all processes is a failed restore.
eventually sh -c '! pgrep -x criu'
swoci kill one KILL
wait $!
claim "and exits with the payload's status" "$(cat "$work/one.status")" 137
matches "and deletes the container" "$(swoci state one 2>&1)" '*does not exist*'

# ---- --leave-running, and images of memory before the last

up b
claim "--leave-running ($(checkpoint b --leave-running))" "$(status b)" running
goes_on b
claim "it goes on" $? 0
output=$(swoci checkpoint --pre-dump --image-path "$work/b.parent" b 2>&1)
claim "--pre-dump ($output)" "$(status b)" running
goes_on b
claim "it goes on" $? 0
rm -rf "$work/b.images"
output=$(checkpoint b --parent-path ../b.parent)
claim "--parent-path ($output)" "$(status b) $(readlink "$work/b.images/parent")" " ../b.parent"
claim "restore from both ($(restore b))" "$(status b)" running
goes_on b
claim "it goes on" $? 0
output=$(checkpoint b --parent-path "$work/b.parent")
claim "a parent path that is absolute" $? 1
matches "is refused by its option's name" "$output" '*--parent-path must be relative*'
output=$(checkpoint b --parent-path ../nosuch)
claim "a parent that is missing" $? 1
matches "is refused by its option's name" "$output" '*--parent-path*'
claim "and the container goes on" "$(status b)" running

# ---- what a container has from outside

ip netns add swoci-criu
up net '(.linux.namespaces[] | select(.type == "network")).path = "/run/netns/swoci-criu"'
claim "checkpoint in a joined network namespace ($(checkpoint net))" "$(status net)" ""
claim "restore ($(restore net))" "$(status net)" running
claim "it is in that namespace" "$(stat -Lc %i "/proc/$(pid net)/ns/net")" "$(stat -Lc %i /run/netns/swoci-criu)"
bundle lock "exec /flock /lock sh -c '$counting'"
# busybox has no flock.
mkdir -p "$work/lock/rootfs"/lib{64,/x86_64-linux-gnu}
cp -L /usr/bin/flock "$work/lock/rootfs/"
cp -L /lib64/ld-linux-x86-64.so.2 "$work/lock/rootfs/lib64/"
cp -L /lib/x86_64-linux-gnu/libc.so.6 "$work/lock/rootfs/lib/x86_64-linux-gnu/"
swoci run --detach --bundle "$work/lock" lock </dev/null >/dev/null 2>&1
eventually above lock 3
claim "a container that holds a lock" "$(status lock)" running
output=$(checkpoint lock)
claim "a file lock without --file-locks is refused" "$? $(status lock)" "1 running"
matches "with criu's reason" "$output" '*criu: *lock*'
goes_on lock
claim "and the container goes on" $? 0
claim "--file-locks ($(checkpoint lock --file-locks))" "$(status lock)" ""
claim "restore ($(restore lock --file-locks))" "$(status lock)" running
flock --nonblock "$work/lock/rootfs/lock" true
claim "the lock is held" $? 1

bundle pipe 'i=0; while :; do i=$((i+1)); echo $i; echo $i >/new; mv /new /count; sleep 0.05; done'
mkfifo "$work/fifo"
swoci run --detach --bundle "$work/pipe" pipe </dev/null 2>/dev/null | cat >"$work/first" &
eventually above pipe 3
claim "checkpoint with a pipe as output ($(checkpoint pipe))" "$(status pipe)" ""
[[ -z $(status pipe) ]] || swoci delete --force pipe
wait $!
(restore pipe) | cat >"$work/second" &
eventually test -s "$work/second"
claim "another pipe takes its place" "$(($(head -n 1 "$work/second") > $(head -n 1 "$work/first")))" 1
swoci delete --force pipe

# ---- a terminal

receive='import array, os, socket, sys
server = socket.socket(socket.AF_UNIX); server.bind(sys.argv[1]); server.listen()
peer = server.accept()[0]
data, rights, _, _ = peer.recvmsg(100, socket.CMSG_SPACE(4))
fd = array.array("i", rights[0][2])[0]
lines = open(fd, "rb", buffering=0)
out = open(sys.argv[2], "wb", buffering=0)
try:
    while chunk := lines.read(100): out.write(chunk)
except OSError: pass'
terminal() {
	bundle tty 'tty; i=0; while :; do i=$((i+1)); echo $i; echo $i >/new; mv /new /count; sleep 0.05; done' '.process.terminal = true | .annotations["org.swoci.init"] = $init |
	.mounts += [{destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666", "mode=0620"]}]' --arg init "$1"
}
terminal supervise
python3 -c "$receive" "$work/console0" "$work/tty0" &
eventually test -S "$work/console0"
swoci run --detach --console-socket "$work/console0" --bundle "$work/tty" tty </dev/null
eventually above tty 3
output=$(checkpoint tty)
claim "a terminal under the supervising init" "$? $(status tty)" "1 running"
matches "is refused with a way out" "$output" '*org.swoci.init=exec*'
swoci delete --force tty
rm "$work/tty/rootfs/count"
terminal exec
python3 -c "$receive" "$work/console1" "$work/tty1" &
eventually test -S "$work/console1"
swoci run --detach --console-socket "$work/console1" --bundle "$work/tty" tty </dev/null
eventually above tty 3
claim "a terminal" "$(head -n 1 "$work/tty1" | tr -d '\r')" /dev/pts/0
claim "checkpoint with a terminal ($(checkpoint tty))" "$(status tty)" ""
python3 -c "$receive" "$work/console2" "$work/tty2" &
eventually test -S "$work/console2"
claim "restore ($(restore tty --console-socket "$work/console2"))" "$(status tty)" running
eventually test -s "$work/tty2"
claim "another one takes its place" "$(($(grep -m 1 '^[0-9]' "$work/tty2" | tr -d '\r') > 3))" 1
swoci delete --force tty

# ---- what fails leaves nothing

up f
checkpoint f >/dev/null
claim "an id that is in use" "$(restore b | grep -c 'already exists')" 1
# The path of what was open leads to another file now, as that of a payload's own making could lead to a secret.
mv "$work/f.out" "$work/f.old"
echo secret >"$work/f.out"
matches "another file of the same path is not opened" "$(restore f)" '*not the file that descriptor 1 was open on*'
matches "and nothing is made" "$(swoci state f 2>&1)" '*does not exist*'
mv "$work/f.old" "$work/f.out"
rm "$work/f.images/core-1.img"
output=$(restore f)
claim "a damaged image" $? 1
matches "is refused with criu's reason" "$output" '*criu: *restore.log*'
matches "nothing is left" "$(swoci state f 2>&1)" '*does not exist*'
claim "no cgroup either" "$(find /sys/fs/cgroup -type d \( -path '*/swoci/f' -o -name 'swoci-f.scope' \))" ""
claim "nor a process" "$(pgrep -f "$work/f" | wc -l)" 0
claim "nor a mount" "$(grep -c "$work/f" /proc/self/mountinfo)" 0
bundle h "$counting" '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", $script]}]}' \
	--arg script "cat >>$work/h.state; ! test -e $work/h.fail"
swoci run --detach --bundle "$work/h" h </dev/null >/dev/null 2>&1
eventually above h 3
claim "checkpoint with a hook ($(checkpoint h))" "$(status h)" ""
touch "$work/h.fail"
output=$(restore h)
claim "a hook that fails" "$? $(status h)" "1 "
matches "is named" "$output" '*createRuntime hook #0*'
rm "$work/h.fail" "$work/h.state"
claim "hooks run again ($(restore h))" "$(status h) $(jq -r '.status' "$work/h.state")" "running creating"
claim "with the pid" "$(jq .pid "$work/h.state")" "$(pid h)"

# ---- podman

if [[ $manager == cgroupfs ]]; then
	podman --runtime "$swoci" import "$busybox.tar" busybox >/dev/null 2>&1
	p() { podman --runtime "$swoci" --cgroup-manager cgroupfs "$@" </dev/null; }
	p run --detach --network none --name box busybox sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done' >/dev/null 2>&1
	eventually sh -c "podman logs box 2>&1 | grep -q '^3$'"
	output=$(p container checkpoint box 2>&1)
	claim "podman container checkpoint ($output)" "$? $(p inspect --format '{{.State.Status}} {{.State.Checkpointed}}' box)" "0 exited true"
	last=$(podman logs box 2>&1 | tail -n 1)
	output=$(p container restore box 2>&1)
	claim "podman container restore ($output)" "$? $(p inspect --format '{{.State.Status}}' box)" "0 running"
	eventually sh -c "[ \"\$(podman logs box 2>&1 | tail -n 1)\" -gt $last ]"
	claim "it goes on" $? 0
	p container checkpoint --export "$work/box.tar" box >/dev/null 2>&1
	claim "podman container checkpoint --export" $? 0
	p rm --force box >/dev/null 2>&1
	output=$(p container restore --import "$work/box.tar" --name other 2>&1)
	claim "podman container restore --import ($output)" "$? $(p inspect --format '{{.State.Status}}' other)" "0 running"
	claim "podman exec into what was restored" "$(p exec other echo inside 2>&1)" inside
	p rm --all --force --time 0 >/dev/null 2>&1
fi

clean
claim "no container is left" "$("$swoci" list -q)" ""
claim "no process is left" "$(pgrep -f 'mv /new /count' | wc -l)" 0
claims_end

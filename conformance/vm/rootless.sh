#!/bin/bash
# An ordinary user with swoci alone: ids, cgroups, devices, and every refusal before anything is made.
# vm: --user tester
set -u
source "$(dirname "$0")/claims"

ids=()
forget() {
	local id
	for id in "${ids[@]}"; do "$swoci" delete --force "$id" 2>/dev/null; done
	ids=()
}
trap forget EXIT
manager=/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service
# scoped COMMAND...: in a scope of the user manager, which is a delegated cgroup.
scoped() { systemd-run --user --quiet --scope "$@"; }
# rootless NAME SCRIPT [JQ-FILTER]: a bundle of what spec --rootless writes.
rootless() {
	mkdir -p "$work/$1"
	[[ -e $work/$1/rootfs ]] || cp -a "$busybox" "$work/$1/rootfs"
	rm -f "$work/$1/config.json"
	"$swoci" spec --rootless --bundle "$work/$1"
	jq --arg script "$2" '.process.terminal = false | .process.args = ["sh", "-c", $script] | '"${3:-.}" "$work/$1/config.json" >"$work/c"
	mv "$work/c" "$work/$1/config.json"
}
run() { "$swoci" run --bundle "$work/$1" "r-$1" 2>&1 </dev/null; }
lines() { tr '\n' '|'; }
# The same with 65537 ids.
mapped='.linux.uidMappings += [{containerID: 1, hostID: 100000, size: 65536}] | .linux.gidMappings += [{containerID: 1, hostID: 100000, size: 65536}]'

# ---- what spec --rootless writes

rootless plain 'id -u; tr -s " " </proc/self/uid_map; cat /proc/self/setgroups; echo x >/dev/null && head -c 1 /dev/zero | wc -c; hostname; stat -c %u /proc/1'
claim "the bundle of spec --rootless runs" "$(run plain | lines)" "0| 0 1000 1|deny|1|swoci|0|"
claim "its state is in XDG_RUNTIME_DIR" "$(ls -d "$XDG_RUNTIME_DIR/swoci")" "$XDG_RUNTIME_DIR/swoci"
claim "an empty XDG_RUNTIME_DIR means /run/user/UID" "$(XDG_RUNTIME_DIR= "$swoci" run --bundle "$work/plain" e </dev/null 2>&1 | head -n 1)" 0
claim "nothing is left of it" "$(find "$XDG_RUNTIME_DIR/swoci" -mindepth 1 -maxdepth 1 ! -name '@*')" ""
rootless readonly 'mkdir /sys/fs/cgroup/x || echo refused; for f in /sys/fs/cgroup/cgroup.procs /sys/kernel/mm/transparent_hugepage/enabled; do echo 0 >$f || echo refused; done; ls /sys/class >/dev/null && echo shown'
claim "the caller's cgroups and sysfs are shown, not lent" "$(run readonly | grep -v : | lines)" "refused|refused|refused|shown|"
claim "unshare -r: root of a user namespace without mounts of its own" \
	"$(jq '.linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0' "$work/plain/config.json" >"$work/c" && cp -r "$work/plain" "$work/nested" && mv "$work/c" "$work/nested/config.json" && unshare -r "$swoci" run --bundle "$work/nested" n </dev/null 2>&1 | head -n 1)" 0

# ---- ids

rootless ids 'id; touch /tmp/x; stat -c %u:%g /tmp/x; cat /proc/self/setgroups' "$mapped"' | .process.user = {uid: 5, gid: 6, additionalGids: [7, 8]} | .root.readonly = false'
chmod 1777 "$work/ids/rootfs/tmp"
claim "newuidmap and newgidmap give more ids" "$(run ids | lines)" "uid=5 gid=6 groups=7,8|5:6|allow|"
claim "which outside are the subordinate ones" "$(stat -c %u:%g "$work/ids/rootfs/tmp/x")" 100004:100005
matches "plan says who writes them" "$("$swoci" plan --bundle "$work/ids")" '*map user ids by /usr/bin/newuidmap: 1 to 100000, 65536 of them*'
rootless apart 'id -u; cat /data/file' "$mapped"' | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
	| .mounts += [{destination: "/data", type: "bind", source: "'"$work"'/private", options: ["rbind", "ro"]}]'
mkdir "$work/private" && echo secret >"$work/private/file" && chmod 755 "$work" "$work/private" && mkdir "$work/apart/rootfs/data"
chmod 711 "$HOME"
claim "a container that is not the caller reads what the caller mounts" "$(run apart | lines)" "0|secret|"
rootless foreign 'id' '.linux.uidMappings += [{containerID: 1, hostID: 200000, size: 10}]'
matches "an id that is not the caller's" "$(run foreign)" '*host uid 200000 is not yours to map: /etc/subuid gives 100000 to 165535*config.json:*/linux/uidMappings/1*'
rootless barred 'id' "$mapped"
matches "no_new_privs" "$(setpriv --no-new-privs "$swoci" run --bundle "$work/barred" b 2>&1)" '*no_new_privs is set for swoci*'
rootless groups 'id' '.process.user.additionalGids = [0]'
matches "additional groups without newgidmap" "$(run groups)" '*additional groups need setgroups(2), which this user namespace denies*/process/user/additionalGids/0*'
rootless nouser 'id' 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user"))'
matches "no user namespace" "$(run nouser)" '*rootless containers require user namespaces*swoci spec --rootless*'
rootless nomap 'id' 'del(.linux.uidMappings, .linux.gidMappings)'
matches "a user namespace without mappings" "$(run nomap)" '*needs uidMappings and gidMappings*'

# ---- what the process is given

rootless rlimit 'ulimit -n; ulimit -H -n' '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}]'
claim "rlimits below the caller's" "$(run rlimit | lines)" "100|200|"
rootless rlimit 'id' '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 2000000000}]'
matches "rlimits above them" "$(run rlimit)" '*RLIMIT_NOFILE cannot be raised to 2000000000: the caller*/process/rlimits/0*'
rootless oom 'cat /proc/self/oom_score_adj' '.process.oomScoreAdj = 500'
claim "oomScoreAdj above the caller's" "$(run oom)" 500
rootless oom 'id' '.process.oomScoreAdj = -500'
matches "oomScoreAdj below it" "$(run oom)" '*set oomScoreAdj to -500*needs CAP_SYS_RESOURCE*'
rootless net 'cat /sys/class/net/lo/operstate 2>/dev/null; ip -o addr | grep -c "127.0.0.1/8"; ip link | grep -c "^[0-9]"' '.linux.namespaces += [{type: "network"}] | (.mounts[] | select(.destination == "/sys")) = {destination: "/sys", type: "sysfs", source: "sysfs"}'
claim "a network of its own has a loopback device that is up" "$(run net | tail -n 2 | lines)" "1|1|"
rootless dev 'stat -c %t:%T /dev/fuse; mknod /tmp/n c 1 3 2>&1 | grep -c "not permitted"' '.linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}] | .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
claim "a device is the host's, mounted" "$(run dev | lines)" "a:e5|1|"
rootless hooks 'echo payload' '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "id -u >'"$work"'/hook1"]}], createContainer: [{path: "/bin/sh", args: ["sh", "-c", "id -u >'"$work"'/hook2"]}], poststop: [{path: "/bin/sh", args: ["sh", "-c", "id -u >'"$work"'/hook3"]}]}'
claim "hooks run" "$(run hooks; cat "$work"/hook[123] | lines)" $'payload\n1000|0|1000|'

# ---- cgroups

limited='.linux.resources = {memory: {limit: 33554432, swap: 33554432}, pids: {limit: 20}, cpu: {quota: 20000, period: 100000}}'
rootless limits 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max; cat /proc/self/cgroup' "$limited"
matches "limits in a login session say why not, and how" "$(run limits)" '*the caller may not make cgroups: no right to write to /sys/fs/cgroup/user.slice/user-1000.slice*/linux/resources/memory/*systemd-run --user --scope*'
claim "and nothing is made" "$(find "$XDG_RUNTIME_DIR/swoci" -mindepth 1 -maxdepth 1 ! -name '@*')" ""
claim "limits in a scope of the user manager" "$(scoped "$swoci" run --bundle "$work/limits" l </dev/null 2>&1 | lines)" "33554432|20|20000 100000|0::/|"
rootless where 'sleep 100' "$limited"
ids+=(w)
scoped "$swoci" run --detach --bundle "$work/where" w </dev/null >/dev/null 2>&1
claim "the cgroup is beside the caller's" "$(ls -d "$manager"/app.slice/swoci-w)" "$manager/app.slice/swoci-w"
forget
claim "and is removed with the container" "$(ls -d "$manager"/app.slice/swoci-w 2>/dev/null)" ""
rootless fork 'for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; wait' '.linux.resources = {pids: {limit: 6}}'
matches "a fork above the limit is refused" "$(scoped "$swoci" run --bundle "$work/fork" f </dev/null 2>&1)" "*can't fork*"
rootless hog 'head -c 60000000 /dev/zero | tail -c 60000000 >/dev/null; echo $?; grep "oom_kill " /sys/fs/cgroup/memory.events' "$limited"
matches "memory above the limit kills" "$(scoped "$swoci" run --bundle "$work/hog" h </dev/null 2>&1 | lines)" "*oom_kill [1-9]*"
rootless huge 'id' '.linux.resources = {hugepageLimits: [{pageSize: "2MB", limit: 0}]}'
output=$(scoped "$swoci" run --bundle "$work/huge" g 2>&1 </dev/null)
matches "a controller that is not delegated is named, with its drop-in" "$output" \
	'*the controller hugetlb is not delegated to the caller*/linux/resources/hugepageLimits/0*delegate.conf*Delegate=cpu cpuset hugetlb io memory pids*'
rootless absolute 'id' '.linux.cgroupsPath = "/elsewhere"'
matches "an absolute cgroupsPath without rights" "$(run absolute)" '*make cgroup "/elsewhere"*no right to write to /sys/fs/cgroup*/linux/cgroupsPath*'
rootless relative 'cat /proc/self/cgroup' '.linux.cgroupsPath = "mine"'
matches "a relative one is left out with a remark" "$(run relative | lines)" '*no cgroup mine is made*0::/|'
matches "or with --rootless false refused" "$("$swoci" --rootless false run --bundle "$work/relative" r 2>&1)" '*make cgroup*permission denied*'
rootless rules 'cat /proc/self/uid_map | wc -l' '.linux.resources = {devices: [{allow: false, access: "rwm"}]}'
matches "device rules are left out with a remark" "$(run rules | lines)" '*device rules are left out*1|'

# ---- the life of a container whose payload has a subordinate id

rootless life 'sleep 1000 & trap "echo got; exit 3" USR1; while :; do sleep 0.1; done' "$mapped"' | .process.user = {uid: 9, gid: 9}'
for where in "" scoped; do
	ids+=(life)
	# Files that are a payload's standard streams are given to its user.
	rm -f "$work/out"
	$where "$swoci" create --bundle "$work/life" life </dev/null >"$work/out" 2>&1
	claim "create${where:+, in a delegated cgroup}" $? 0
	claim "state" "$("$swoci" state life | jq -r .status)" created
	"$swoci" start life
	claim "start" $? 0
	pid=$("$swoci" state life | jq -r .pid)
	claim "the payload has a subordinate id" "$(stat -c %u "/proc/$(pgrep -P "$pid" | head -n 1)")" 100008
	claim "list" "$("$swoci" list -q)" life
	eventually sh -c "[ \$('$swoci' ps --format json life | jq length) -ge 4 ]"
	claim "ps shows all its processes" $? 0
	if [[ $where ]]; then
		"$swoci" pause life
		claim "pause" "$? $("$swoci" state life | jq -r .status)" "0 paused"
		"$swoci" resume life
		claim "resume" "$? $("$swoci" state life | jq -r .status)" "0 running"
	else
		matches "pause without a cgroup says so" "$("$swoci" pause life 2>&1)" '*has no cgroup of its own*'
	fi
	claim "exec" "$($where "$swoci" exec --user 5:6 life sh -c 'id -u; cat /proc/self/cgroup' 2>&1 </dev/null | lines)" "5|0::/|"
	if [[ $where ]]; then
		matches "exec from elsewhere says why not" "$("$swoci" exec life true 2>&1)" '*this process is in /user.slice/user-1000.slice/session*only who may write to /sys/fs/cgroup/user.slice/user-1000.slice/cgroup.procs*systemd-run --user --scope*'
		"$swoci" update --pids-limit 77 life
		claim "update" "$? $(cat "$manager/app.slice/swoci-life/pids.max")" "0 77"
	else
		matches "update without a cgroup says so" "$("$swoci" update --pids-limit 77 life 2>&1)" '*no cgroup of its own*'
	fi
	"$swoci" kill --all life CONT
	claim "kill --all" $? 0
	"$swoci" kill life USR1
	claim "kill" $? 0
	eventually sh -c "[ \$('$swoci' state life | jq -r .status) = stopped ]"
	claim "the signal arrived" "$(cat "$work/out")" got
	"$swoci" delete life
	claim "delete" $? 0
	ids=()
done
# The payload waits for the other, because its end is the end of all.
# A shell tells of a sleep that the signal ended as well.
rootless all 'exec 2>/dev/null; (trap "echo two; exit" TERM; echo ready; while :; do sleep 0.1; done) & child=$!; trap "echo one" TERM; echo ready; wait $child; wait $child' "$mapped"
ids+=(all)
rm -f "$work/out"
"$swoci" run --detach --bundle "$work/all" all </dev/null >"$work/out" 2>&1
eventually sh -c "[ \$(grep -c ready '$work/out') = 2 ]"
"$swoci" kill --all all TERM
eventually sh -c "[ \$('$swoci' state all | jq -r .status) = stopped ]"
claim "kill --all reaches all processes without a cgroup too" "$(sort "$work/out" | grep -v -e warning -e ready | lines)" "one|two|"
forget
claim "nothing is left at the end" "$("$swoci" list -q; find "$manager" -name 'swoci-*'; find "$XDG_RUNTIME_DIR/swoci" -mindepth 1 -maxdepth 1 ! -name '@*')" ""
claims_end

#!/bin/bash
# The systemd driver: scopes and their properties, limits by their effect, and what becomes of both.
# vm: --user root
# vm: --user root --cgroup hybrid
# vm: --user tester
set -u
source "$(dirname "$0")/claims"

systemctl=(systemctl)
slice=system.slice
(($(id -u) == 0)) || { systemctl=(systemctl --user); slice=user.slice; }
runtime() { "$swoci" --root "$work/state" --systemd-cgroup "$@"; }
property() { "${systemctl[@]}" show --property "$2" --value "$1"; }
gone() { [[ $(property "$1" LoadState) == not-found ]]; }
pid() { runtime state "$1" | jq .pid; }
isv2() { [[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]]; }
# directory ID CONTROLLER: where the controller's files of a container are.
directory() {
	if isv2; then
		echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid "$1")/cgroup")"
	else
		echo "/sys/fs/cgroup/$2$(sed -n "s/^[0-9]*:\([^:]*,\)*$2\(,[^:]*\)*:\(.*\)/\3/p" "/proc/$(pid "$1")/cgroup")"
	fi
}
# value ID CONTROLLER V2-FILE V1-FILE
value() { if isv2; then cat "$(directory "$1" "$2")/$3"; else cat "$(directory "$1" "$2")/$4"; fi; }
# A rootless container has a user namespace; its config is made of the usual one.
own='.'
(($(id -u) == 0)) || own='.linux.namespaces += [{type: "user"}] | del(.linux.resources.devices)
	| .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}] | .linux.gidMappings = [{containerID: 0, hostID: 1000, size: 1}]'
# up ID SCRIPT [JQ-FILTER]: creates and starts.
up() {
	bundle "$1" "$2" "$own | ${3:-.}"
	runtime create --bundle "$work/$1" "$1" >"$work/$1/out" 2>&1 </dev/null && runtime start "$1"
}
limits='.linux.resources += {memory: {limit: 67108864}, pids: {limit: 40}, cpu: {quota: 20000, period: 100000, shares: 512, cpus: "0"}}'

# What a limit does, not what a file says: shown after each thing that might take it away.
effects() {
	claim "$1: memory.max" "$(value web memory memory.max memory.limit_in_bytes)" 67108864
	claim "$1: pids.max" "$(value web pids pids.max pids.max)" 40
	matches "$1: the cpu quota" "$(value web cpu cpu.max cpu.cfs_quota_us)" "20000*"
	claim "$1: the payload may use CPU 0 alone" "$(grep Cpus_allowed_list "/proc/$(pid web)/status" | cut -f 2)" 0
}

up web 'sleep 1000' "$limits"
claim "create and start" $? 0
claim "output of create" "$(cat "$work/web/out")" ""
claim "the scope is active" "$(property swoci-web.scope ActiveState)" active
claim "it is in the usual slice" "$(property swoci-web.scope Slice)" "$slice"
claim "the cgroup is delegated" "$(property swoci-web.scope Delegate)" yes
matches "the scope says what it is" "$(property swoci-web.scope Description)" "swoci container web*"
claim "systemd counts a container's processes" "$(property swoci-web.scope TasksCurrent)" 2
matches "its cgroup is the container's" "$(directory web memory)" "*$(property swoci-web.scope ControlGroup)"
claim "TasksMax" "$(property swoci-web.scope TasksMax)" 40
claim "CPUQuotaPerSecUSec" "$(property swoci-web.scope CPUQuotaPerSecUSec)" 200ms
if isv2; then
	claim "MemoryMax" "$(property swoci-web.scope MemoryMax)" 67108864
	claim "CPUWeight" "$(property swoci-web.scope CPUWeight)" 59
	claim "AllowedCPUs" "$(property swoci-web.scope AllowedCPUs)" 0
fi
effects "after create"
"${systemctl[@]}" daemon-reload
effects "after daemon-reload"
claim "the container lives on" "$(runtime state web | jq -r .status)" running
(($(id -u) == 0)) && claim "a further process is in the scope" "$(runtime exec web cat /proc/self/cgroup | sed -n 's/.*\(swoci-web.scope\)$/\1/p' | sort -u)" swoci-web.scope
runtime pause web
claim "paused" "$(runtime state web | jq -r .status)" paused
"${systemctl[@]}" daemon-reload
claim "paused after daemon-reload" "$(runtime state web | jq -r .status)" paused
runtime resume web
effects "after pause and resume"
"${systemctl[@]}" set-property --runtime swoci-web.scope TasksAccounting=yes
effects "after set-property of something else"
runtime update --pids-limit 41 --cpu-period 50000 --cpu-quota 12345 --memory 67112960 web
claim "update" $? 0
updated() {
	claim "$1: pids.max" "$(value web pids pids.max pids.max)" 41
	claim "$1: memory.max" "$(value web memory memory.max memory.limit_in_bytes)" 67112960
	if isv2; then quota=$(value web cpu cpu.max x); else quota=$(value web cpu x cpu.cfs_quota_us); fi
	matches "$1: the cpu quota is exact, or rounded up by less than 1% of a CPU ($quota)" "${quota%% *}" "12[3-5]*"
}
updated "after update"
claim "TasksMax after update" "$(property swoci-web.scope TasksMax)" 41
claim "CPUQuotaPerSecUSec after update" "$(property swoci-web.scope CPUQuotaPerSecUSec)" 250ms
isv2 && claim "MemoryMax after update" "$(property swoci-web.scope MemoryMax)" 67112960
"${systemctl[@]}" daemon-reload
updated "after update and daemon-reload"
matches "an update that cannot be" "$(runtime update --pids-limit 50 --memory 4096 --memory-swap 1 web 2>&1; echo $?)" "*1"
updated "after an update that was refused"
claim "TasksMax after it" "$(property swoci-web.scope TasksMax)" 41
runtime delete --force web
claim "delete" $? 0
claim "the unit is gone after delete" "$(property swoci-web.scope LoadState)" not-found
claim "no cgroup is left" "$(find /sys/fs/cgroup -name 'swoci-web*' -type d | head -n 1)" ""

up oom 'tail -c 64000000 /dev/zero >/dev/null; sleep 0.1; echo status $?; sleep 1000' '.linux.resources.memory = {limit: 33554432}'
claim "create and start with little memory" $? 0
claim "a process over the limit is killed" "$(eventually grep -q status "$work/oom/out"; echo $?)" 0
runtime delete --force oom
claim "delete of what was killed" $? 0

up forks 'for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; sleep 1000' '.linux.resources.pids = {limit: 5}'
claim "a fork over the limit is refused" "$(eventually grep -q "can't fork" "$work/forks/out"; echo $?)" 0
runtime delete --force forks
up halted 'sleep 1000'
"${systemctl[@]}" stop swoci-halted.scope
claim "systemctl stop" $? 0
claim "ends the container" "$(eventually eval '[[ $(runtime state halted | jq -r .status) == stopped ]]'; echo $?)" 0
runtime delete halted
claim "delete of what systemd has stopped" $? 0

up ended 'exit 3'
claim "a container that ends takes its scope along" "$(eventually gone swoci-ended.scope; echo $?)" 0
runtime delete ended
claim "and is deleted" $? 0

if (($(id -u) == 0)); then
	script='while :; do for d in fuse tun; do (: </dev/$d) 2>/dev/null && echo $d opens || echo $d refused; done >/new; mv /new /seen; sleep 0.1; done'
	opens='rm -f $work/devices/rootfs/seen; eventually test -e $work/devices/rootfs/seen; xargs <$work/devices/rootfs/seen'
	up devices "$script" '.linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}, {path: "/dev/tun", type: "c", major: 10, minor: 200}]
		| .linux.resources.devices += [{allow: true, type: "c", major: 10, minor: 200, access: "rw"}]'
	claim "the allowed device opens, the other does not" "$(eval "$opens")" "fuse refused tun opens"
	systemctl daemon-reload
	claim "nor after daemon-reload" "$(eval "$opens")" "fuse refused tun opens"
	systemctl set-property --runtime swoci-devices.scope CPUWeight=50
	claim "nor after set-property" "$(eval "$opens")" "fuse refused tun opens"
	claim "a property that was set is in force" "$(value devices cpu cpu.weight cpu.shares)" "$(isv2 && echo 50 || echo 512)"
	runtime delete --force devices
fi

# Names and slices.
up named 'sleep 1000' '.linux.cgroupsPath = "cf-a.slice:pre:box+1"'
claim "slice, prefix and name" "$(property 'pre-box\x2b1.scope' Slice)" cf-a.slice
matches "a slice's dashes are levels" "$(property 'pre-box\x2b1.scope' ControlGroup)" '*/cf.slice/cf-a.slice/pre-box\\x2b1.scope'
up second 'sleep 1000' '.linux.cgroupsPath = "cf-a.slice:pre:box+1"' 2>/dev/null
claim "a scope in use is refused" $? 1
matches "with its reason" "$(cat "$work/second/out")" '*already*see systemctl status*'
claim "and its container lives on" "$(runtime state named | jq -r .status)" running
claim "nothing is left of the refused one" "$(runtime list -q)" named
runtime delete --force named
for path in /a/b a.slice:b 'a.slice:p:pod.slice' '../x.slice:p:n'; do
	bundle wrong true "$own | .linux.cgroupsPath = \"$path\""
	matches "cgroupsPath $path is refused" "$(runtime create --bundle "$work/wrong" wrong 2>&1)" '*config.json:*/linux/cgroupsPath*'
done

# Annotations.
up noted 'sleep 1000' '.annotations = {"org.systemd.property.TimeoutStopUSec": "uint64 7000000", "org.systemd.property.CollectMode": "'"'inactive'"'",
	"org.systemd.property.KillSignal": "int32 10"}'
claim "TimeoutStopUSec from an annotation" "$(property swoci-noted.scope TimeoutStopUSec)" 7s
claim "CollectMode from an annotation" "$(property swoci-noted.scope CollectMode)" inactive
claim "KillSignal from an annotation" "$(property swoci-noted.scope KillSignal)" 10
runtime delete --force noted
claim "the unit is gone with CollectMode=inactive too" "$(property swoci-noted.scope LoadState)" not-found
bundle evil true "$own | .annotations = {\"org.systemd.property.ExecStopPost\": \"[('/bin/touch', ['touch', '/evil'], false)]\"}"
matches "a property that runs commands is refused" "$(runtime create --bundle "$work/evil" evil 2>&1)" \
	'*ExecStopPost*a container may not set this property*config.json:*'
claim "and makes nothing" "$(runtime list -q)" ""

# A failed unit of an earlier container.
"${systemctl[@]}" reset-failed 2>/dev/null
run=(systemd-run --quiet --scope --unit swoci-left --property CollectMode=inactive --property RuntimeMaxSec=15)
(($(id -u) == 0)) || run+=(--user)
"${run[@]}" sleep 1000 &
eventually eval '[[ $(property swoci-left.scope ActiveState) == active ]]'
up left 'sleep 1000' 2>/dev/null
claim "a unit that runs is in the way" $? 1
claim "and is not ours to stop" "$(property swoci-left.scope ActiveState)" active
claim "a unit has failed" "$(eventually eval '[[ $(property swoci-left.scope ActiveState) == failed ]]'; echo $?)" 0
up left 'sleep 1000'
claim "it is swept away" $? 0
claim "for the container's" "$(property swoci-left.scope ActiveState)" active
runtime delete --force left

# create is killed at any moment: delete finds what there is by the record alone.
for delay in 0.01 0.03 0.06 0.09 0.15 0.25 0.4 0.6; do
	bundle killed 'sleep 1000' "$own"
	bash -c 'timeout --signal KILL "$@"; true' - "$delay" "$swoci" --root "$work/state" --systemd-cgroup create --bundle "$work/killed" killed </dev/null >/dev/null 2>&1
	runtime delete --force killed
	claim "delete after create was killed at ${delay}s" $? 0
	claim "no unit is left" "$(property swoci-killed.scope LoadState)" not-found
	claim "no cgroup is left" "$(find /sys/fs/cgroup -name 'swoci-killed*' -type d | head -n 1)" ""
done

# Many at once.
for i in 1 2 3 4 5 6 7 8; do up "many$i" 'sleep 1000' & done
wait $(jobs -p | tail -n 8) 2>/dev/null
claim "eight at once" "$(runtime list -q | grep -c many)" 8
for i in 1 2 3 4 5 6 7 8; do runtime delete --force "many$i" & done
wait $(jobs -p | tail -n 8) 2>/dev/null
claim "and gone" "$(runtime list -q; "${systemctl[@]}" list-units --all --no-legend 'swoci-many*')" ""

runtime list -q | while read -r id; do runtime delete --force "$id"; done
claims_end

#!/bin/bash
# AppArmor: both the payload and the init that supervises it are confined.
# vm: --user root
set -u
source "$(dirname "$0")/claims"

clean() {
	"$swoci" delete --force aa 2>/dev/null
	apparmor_parser -R "$work/profile" 2>/dev/null
}
trap clean EXIT

claim "this kernel has AppArmor" "$(cat /sys/module/apparmor/parameters/enabled)" Y
cat >"$work/profile" <<'PROFILE'
abi <abi/4.0>,
profile swoci-test flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  signal,
  deny /forbidden w,
}
PROFILE
apparmor_parser -r "$work/profile"
claim "the profile loads" $? 0
mkdir -p "$work/b"
cp -a "$busybox" "$work/b/rootfs"

# config SCRIPT PROFILE USER NO_NEW_PRIVILEGES
config() {
	cat >"$work/b/config.json" <<JSON
{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
 "process": {"args": ["sh", "-c", "$1"], "cwd": "/", "env": ["PATH=/bin"], "apparmorProfile": "$2", "noNewPrivileges": $4,
  "user": {"uid": $3, "gid": $3}, "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]}},
 "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}]}}
JSON
}

run() { "$swoci" run --bundle "$work/b" aa 2>&1 </dev/null; }

for user in 0 1000; do
	for nnp in true false; do
		config 'cat /proc/self/attr/current /proc/1/attr/current; touch /forbidden 2>/dev/null || echo denied' swoci-test $user $nnp
		claim "payload and supervisor are confined (uid $user, noNewPrivileges $nnp)" "$(run | tr '\n' '|')" \
			"swoci-test (enforce)|swoci-test (enforce)|denied|"
	done
done
config 'cat /proc/self/attr/current' unconfined 0 true
claim "unconfined is taken as it is" "$(run)" unconfined
config 'echo ran' no-such-profile 0 true
output=$(run)
claim "a profile that is not loaded fails the create" "$?" 1
[[ $output == *'no-such-profile'*'not loaded'* ]]
claim "and is named ($output)" "$?" 0
config 'sleep 100' swoci-test 1000 true
"$swoci" run --detach --bundle "$work/b" aa </dev/null >/dev/null 2>&1
pid=$("$swoci" state aa | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
claim "the supervisor's label as the host sees it" "$(cat /proc/"$pid"/attr/current 2>/dev/null)" "swoci-test (enforce)"
"$swoci" kill aa TERM
for ((i = 0; i < 100; i++)); do [[ -d /proc/$pid && $(sed "s/.*) //; s/ .*//" /proc/"$pid"/stat 2>/dev/null) != Z ]] || break; sleep 0.1; done
claim "a signal still reaches the payload" "$("$swoci" state aa | sed -n 's/.*"status": "\([a-z]*\)".*/\1/p')" stopped
clean
claims_end

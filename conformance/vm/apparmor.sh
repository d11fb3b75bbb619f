#!/bin/bash
# Shows on a host with AppArmor that both the payload and the init that supervises it are confined. As root:
#     apparmor.sh DIRECTORY-WITH-SWOCI-AND-SWOCI-INIT
# Needs apparmor_parser and a static busybox; exits with the number of claims that do not hold.
set -u
swoci=$1/swoci
work=$(mktemp -d /var/tmp/apparmor.XXXXXX)
failed=0

claim() { # claim WHAT ACTUAL WANTED
	if [[ $2 == "$3" ]]; then echo "ok      $1"; else
		echo "FAILED  $1: got '$2', want '$3'"
		failed=$((failed + 1))
	fi
}

clean() {
	"$swoci" delete --force aa 2>/dev/null
	apparmor_parser -R "$work/profile" 2>/dev/null
	rm -rf "$work"
}
trap clean EXIT

[[ $(cat /sys/module/apparmor/parameters/enabled) == Y ]] || { echo "no AppArmor here"; exit 1; }
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
apparmor_parser -r "$work/profile" || exit 1
mkdir -p "$work"/b/rootfs/{bin,proc,dev,sys,run,tmp}
busybox=$(command -v busybox)
[[ -x /usr/share/swoci-vm/busybox/bin/busybox ]] && busybox=/usr/share/swoci-vm/busybox/bin/busybox
cp "$busybox" "$work/b/rootfs/bin/busybox"
for name in sh cat sleep touch; do ln -sf busybox "$work/b/rootfs/bin/$name"; done

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
for ((i = 0; i < 100; i++)); do [[ -d /proc/$pid && $(sed 's/.*) //; s/ .*//' /proc/"$pid"/stat) != Z ]] || break; sleep 0.1; done
claim "a signal still reaches the payload" "$("$swoci" state aa | sed -n 's/.*"status": "\([a-z]*\)".*/\1/p')" stopped
exit $failed

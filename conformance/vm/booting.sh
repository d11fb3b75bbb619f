#!/bin/bash
# systemd as the first process of a container: podman boots it, asks it, and shuts it down. Words: another runtime, to compare.
# vm: --timeout 900
# vm: --timeout 900 --user tester
set -u
source "$(dirname "$0")/claims"

runtime=${1:-$swoci}
p() { podman --runtime "$runtime" "$@" </dev/null; }
trap 'p rm --all --force --time 0 >/dev/null 2>&1' EXIT
status() { p inspect --format "{{.State.$2}}" "$1"; }

# The guest's own programs and libraries, with a service of our own in place of all that an ordinary boot starts.
tree=$work/tree
mkdir -p "$tree/etc/systemd/system"
cp /etc/{passwd,group,nsswitch.conf,ld.so.cache} "$tree/etc/"
cat >"$tree/etc/systemd/system/default.target" <<-'UNIT'
	[Unit]
	Requires=small.service
UNIT
cat >"$tree/etc/systemd/system/small.service" <<-'UNIT'
	[Unit]
	DefaultDependencies=no
	[Service]
	Type=exec
	ExecStart=/bin/sh -c 'echo $$PPID >/run/parent; exec sleep 10000'
	Restart=always
	RestartSec=0
	MemoryMax=50M
UNIT
printf '#!/bin/sh\nset -e\nmkdir -p /run/entry\nexec /usr/lib/systemd/systemd "$@"\n' >"$tree/entry"
chmod 755 "$tree/entry"
programs=(/usr/lib/systemd/{systemd,systemd-executor,systemd-shutdown} /usr/bin/{systemctl,systemd-detect-virt,sh,dash,cat,grep,mkdir,setsid,sleep})
# What a shutdown needs.
units=$(printf '/usr/lib/systemd/system/%s ' {shutdown,umount,final,halt,poweroff,exit}.target systemd-{halt,poweroff,exit}.service)
# Each library by the name that is asked for and as the file behind it.
libraries=$(ldd "${programs[@]}" | grep -o '/[^ :]*\.so[^ :]*' | sort -u | while read -r file; do
	real=$(realpath "$file")
	echo "$real"; echo "${real%/*}/${file##*/}"
done | sort -u)
# shellcheck disable=SC2086 # words
tar -C / -cf "$work/tree.tar" /usr/sbin/init $units /usr/lib64 /bin /sbin /lib /lib64 \
	"${programs[@]}" $libraries -C "$tree" etc entry 2>/dev/null
p import "$work/tree.tar" booting >/dev/null 2>&1
rm "$work/tree.tar"

# An entry point that becomes systemd is the longer way to the same; once is enough.
ways=(/sbin/init)
((EUID)) || ways+=(/entry)
for how in "${ways[@]}"; do
	p run --detach --name box --network none --systemd always booting "$how" >"$work/run" 2>&1
	claim "$how starts ($(tail -n 1 "$work/run"))" $? 0
	eventually p exec box systemctl is-active small.service
	claim "$how: systemd is PID 1 and has its service running" \
		"$(p exec box sh -c 'cat /proc/1/comm; systemctl is-active small.service; cat /run/parent' 2>&1)" $'systemd\nactive\n1'
	claim "$how: it knows that it is in a container" "$(p exec box systemd-detect-virt --container 2>&1)" podman
	eventually p exec box grep -x 52428800 /sys/fs/cgroup/system.slice/small.service/memory.max
	claim "$how: a service has its limit" $? 0
	claim "$how: it has a cgroup of its own" \
		"$(p exec box sh -c 'cat /proc/$(systemctl show --property MainPID --value small.service)/cgroup' 2>&1)" 0::/system.slice/small.service
	before=$(p exec box systemctl show --property MainPID --value small.service)
	p exec box systemctl kill --signal KILL small.service
	eventually p exec box sh -c "systemctl is-active small.service && test \$(systemctl show --property MainPID --value small.service) != $before"
	claim "$how: a service that was killed is started again" $? 0
	p exec box sh -c '(setsid sleep 0.1 &) ; true'
	eventually p exec box sh -c '! grep -l "State:.Z" /proc/[0-9]*/status'
	claim "$how: it reaps what it inherits" $? 0
	p stop --time 60 box >/dev/null 2>&1
	claim "$how: stop is a shutdown, not a kill" "$(status box Status) $(test "$(status box ExitCode)" != 137 && echo clean)" "exited clean"
	p rm --force --time 0 box >/dev/null 2>&1
done
[[ $runtime != "$swoci" ]] || claim "no state is left" "$("$swoci" list -q)" ""
claims_end

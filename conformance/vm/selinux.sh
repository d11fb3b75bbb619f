#!/bin/bash
# SELinux: process, mount and keyring labels. For a host that has it, enforcing or permissive, with python3:
#     PROGRAMS=DIRECTORY-WITH-SWOCI-AND-SWOCI-INIT selinux.sh
set -u
source "$(dirname "$0")/claims"
trap '"$swoci" delete --force se 2>/dev/null' EXIT

label=${LABEL:-system_u:system_r:initrc_t:s0}
mount_label=${MOUNT_LABEL:-system_u:object_r:tmp_t:s0}
labels='.process.selinuxLabel = $label | .linux.mountLabel = $mount | .mounts += [{destination: "/mnt", type: "tmpfs", source: "tmpfs"}]'
# se SCRIPT JQ-FILTER: a bundle with labels.
se() { bundle se "$1" "$labels | ${2:-.}" --arg label "$label" --arg mount "$mount_label"; }
run() { "$swoci" run --bundle "$work/se" se 2>&1 </dev/null; }
# The label of a key, by its number in hexadecimal: KEYCTL_GET_SECURITY.
key_label() {
	python3 -c 'import ctypes, sys
text = ctypes.create_string_buffer(256)
ctypes.CDLL(None).syscall(250, 17, int(sys.argv[1], 16), text, 256)
print(text.value.decode())' "$1"
}

claim "this kernel has SELinux" "$(test -e /sys/fs/selinux/enforce && echo yes)" yes
for user in 0 1000; do
	se 'cat /proc/self/attr/current' ".process.user = {uid: $user, gid: $user}"
	claim "the payload of uid $user has its label" "$(run | tr -d '\0')" "$label"
done
se 'cat /proc/1/attr/current'
output=$(run | tr -d '\0')
if [[ $output == *'keeps swoci'* ]]; then claim "the supervisor says why it has not the label" yes yes; else claim "the supervisor has the label" "$output" "$label"; fi
se 'cat /proc/self/attr/current' '.annotations["org.swoci.init"] = "exec"'
claim "a payload that is PID 1 has its label" "$(run | tr -d '\0')" "$label"
se "grep ' /mnt ' /proc/self/mountinfo"
matches "a file system of the config has the mount label" "$(run)" "*context=*$mount_label*"
se "grep ' /mnt ' /proc/self/mountinfo" '.annotations["run.oci.mount_context_type"] = "rootcontext"'
matches "by another option where an annotation says so" "$(run)" "*rootcontext=*$mount_label*"
se "grep ' /proc ' /proc/self/mountinfo"
claim "proc has no mount label, which it could not take" "$(run | grep -c context=)" 0
se 'cat /proc/keys'
key=$(run | sed -n 's/^\([0-9a-f]*\) .*_ses\.se.*/\1/p')
se 'sleep 100'
"$swoci" create --bundle "$work/se" se </dev/null >/dev/null 2>&1
"$swoci" start se
key=$(sed -n 's/^\([0-9a-f]*\) .*_ses\.se.*/\1/p' /proc/keys | tail -n 1)
claim "the session keyring has the payload's label" "$(key_label "${key:-0}")" "$label"
"$swoci" delete --force se
se 'echo ran' '.process.selinuxLabel = "no such label"'
output=$(run)
claim "a label that the policy does not know fails the create" $? 1
matches "and is named" "$output" '*selinuxLabel*'
"$swoci" state se >/dev/null 2>&1
claim "and nothing is left" $? 1
claims_end

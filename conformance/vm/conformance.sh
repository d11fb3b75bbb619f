#!/bin/bash
# The conformance cases that depend on the kind of cgroup, with each driver: cgroupfs or systemd, then topics and rows.
# vm: --timeout 1500 -- cgroupfs cgroups LC-12
# vm: --timeout 1500 -- cgroupfs updates
# vm: --timeout 1500 -- systemd cgroups LC-12 LC-02 LC-10
# vm: --timeout 1500 -- cgroupfs events delete kill pause wait mount-changes
set -u
source "$(dirname "$0")/claims"

export CONFORMANCE_CGROUP_MANAGER=$1
shift
words=()
for filter; do words+=(--filter "$filter"); done
# An emulated processor is slow.
export CONFORMANCE_SECONDS=120 LD_LIBRARY_PATH=$SWOCI_VM_LIBRARIES
.build/debug/conformance --runtime "$swoci" "${words[@]}"

#!/bin/bash
# The conformance cases that depend on the kind of cgroup, on cgroup v2.
# vm: --timeout 1500 -- cgroups LC-12
# vm: --timeout 1500 -- updates
set -u
source "$(dirname "$0")/claims"

words=()
for filter; do words+=(--filter "$filter"); done
# An emulated processor is slow.
export CONFORMANCE_SECONDS=120 LD_LIBRARY_PATH=$SWOCI_VM_LIBRARIES
.build/debug/conformance --runtime "$swoci" "${words[@]}"

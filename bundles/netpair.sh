#!/bin/sh
# Sets up, or tears down, two network namespaces joined by a veth pair, for the bundles netpair-a and netpair-b.
# usage: netpair.sh up|down
set -eu
case ${1:-} in
up)
    ip netns add netpair-a
    ip netns add netpair-b
    ip link add eth0 netns netpair-a type veth peer name eth0 netns netpair-b
    ip -n netpair-a addr add 10.88.0.1/24 dev eth0
    ip -n netpair-b addr add 10.88.0.2/24 dev eth0
    for name in netpair-a netpair-b; do
        ip -n "$name" link set lo up
        ip -n "$name" link set eth0 up
    done
    ;;
down)
    # The veth pair goes with the first of its namespaces.
    ip netns delete netpair-a
    ip netns delete netpair-b
    ;;
*)
    echo "usage: netpair.sh up|down" >&2
    exit 2
    ;;
esac

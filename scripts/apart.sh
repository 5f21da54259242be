#!/usr/bin/env bash
# Runs a command on a network of its own: loopback, and one more interface that leads nowhere. So the windows that
# the tests open look for each other by multicast, and nobody else on the machine's real networks hears of it.
#
#   scripts/apart.sh node --test tests/e2e/*.test.js
#
# Linux; as root, or where users may make namespaces. Elsewhere it says so and runs nothing.
set -euo pipefail

if [ "${1:-}" != --inside ]; then
  unshare=(unshare --net)
  [ "$(id -u)" = 0 ] || unshare+=(--map-root-user)
  if ! "${unshare[@]}" true 2>/dev/null; then
    echo "This system lets nobody make a network namespace (unshare --net), which the window tests run in." >&2
    exit 1
  fi
  exec "${unshare[@]}" "$0" --inside "$@"
fi
shift
ip link set lo up
ip link add pn-here type veth peer name pn-there
ip address add 192.168.77.1/24 dev pn-here
ip link set pn-here up
ip link set pn-there up
exec "$@"

#!/usr/bin/env bash
# The long runs. CI runs each of them once or short, inside `make test`.
#
#   scripts/soak.sh all            everything, within an hour
#   scripts/soak.sh NAME [N]       one of them, N times or with N rounds
#
#   kills       a store and a node are killed in the middle of saving, N times each (default 500)
#   power       N images of a disk whose power was cut (default 300)
#   decoders    N random inputs to every decoder of bytes from outside (default 20000)
#   nodes       whole nodes on loopback: join, chat, relay, restart, N times (default 20)
#   storms      N simulated networks with faults, checked at every step (default 2000)
#   grown       rooms of thirty processes, killed and restarted, N times (default 5)
#   hostile     strangers and members at line rate against a real node, N seconds each (default 60)
#   stories     the windows' stories from end to end, N times (default 20)
#
# Every run has a seed of its own and prints it; PEDDLENET_SEED=… repeats one. The development profile is used, so
# that nothing is compiled that `make test` has not compiled already.
set -euo pipefail
cd "$(dirname "$0")/.."

across() { cargo test -p peddlenet-tests "$@"; }

run_kills() {
  PEDDLENET_KILLS=$1 across --test crash sigkill -- --nocapture
  PEDDLENET_KILLS=$1 across --test node_kill -- --nocapture
}

run_power() { PEDDLENET_IMAGES=$1 across --test crash power_cut -- --nocapture; }

run_decoders() { PROPTEST_CASES=$1 cargo test -p peddlenet-wire -p peddlenet-crypto -p peddlenet-gossip; }

run_nodes() {
  for ((n = 1; n <= $1; n++)); do
    echo "nodes, run $n of $1"
    across --test mesh
  done
}

run_storms() { SIM_SEEDS=$1 cargo test -p peddlenet-sim --test chaos; }

run_grown() {
  for ((n = 1; n <= $1; n++)); do
    echo "grown, run $n of $1"
    across --test grown -- --nocapture
  done
}

run_hostile() { PEDDLENET_HOSTILE_S=$1 across --test hostile -- --nocapture --test-threads=1; }

run_stories() {
  scripts/need.sh test
  cargo build -p peddlenet
  for ((n = 1; n <= $1; n++)); do
    echo "story $n of $1"
    dbus-run-session -- node --test tests/e2e/*.test.js
  done
}

export PEDDLENET_SEED=${PEDDLENET_SEED:-$RANDOM}
echo "seed $PEDDLENET_SEED"

case ${1:-all} in
  kills) run_kills "${2:-500}" ;;
  power) run_power "${2:-300}" ;;
  decoders) run_decoders "${2:-20000}" ;;
  nodes) run_nodes "${2:-20}" ;;
  storms) run_storms "${2:-2000}" ;;
  grown) run_grown "${2:-5}" ;;
  hostile) run_hostile "${2:-60}" ;;
  stories) run_stories "${2:-20}" ;;
  all)
    run_kills 500
    run_power 300
    run_decoders 20000
    run_nodes 20
    run_storms 2000
    run_grown 5
    run_hostile 60
    run_stories 20
    ;;
  *)
    echo "soak.sh: there is no '$1'; choose kills, power, decoders, nodes, storms, grown, hostile, stories or all" >&2
    exit 2
    ;;
esac

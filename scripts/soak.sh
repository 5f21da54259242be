#!/usr/bin/env bash
# The long runs. CI runs each of them once or short, inside `make test`.
#
#   scripts/soak.sh all            everything, within an hour
#   scripts/soak.sh NAME [N]       one of them, N times or with N rounds
#
#   kills       a process is killed in the middle of saving, N times (default 500)
#   power       N images of a disk whose power was cut (default 300)
#   decoders    N random inputs to every decoder of bytes from outside (default 100000)
#   stories     the windows' stories from end to end, N times (default 20)
set -euo pipefail
cd "$(dirname "$0")/.."

run_kills() { PEDDLENET_KILLS=$1 PEDDLENET_SEED=$RANDOM cargo test --release -p peddlenet-tests --test crash sigkill -- --nocapture; }
run_power() { PEDDLENET_IMAGES=$1 PEDDLENET_SEED=$RANDOM cargo test --release -p peddlenet-tests --test crash power_cut -- --nocapture; }
run_decoders() { PROPTEST_CASES=$1 cargo test --release -p peddlenet-wire -p peddlenet-gossip -p peddlenet-crypto; }

run_stories() {
  scripts/need.sh test
  cargo build -p peddlenet
  for ((n = 1; n <= $1; n++)); do
    echo "story $n of $1"
    dbus-run-session -- node --test tests/e2e/*.test.js
  done
}

case ${1:-all} in
  kills) run_kills "${2:-500}" ;;
  power) run_power "${2:-300}" ;;
  decoders) run_decoders "${2:-100000}" ;;
  stories) run_stories "${2:-20}" ;;
  all)
    run_kills 500
    run_power 300
    run_decoders 100000
    run_stories 20
    ;;
  *)
    echo "soak.sh: there is no '$1'; choose kills, power, decoders, stories or all" >&2
    exit 2
    ;;
esac

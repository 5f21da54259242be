#!/usr/bin/env bash
# The long runs. CI runs each of them once or short, inside `make test`.
#
#   scripts/soak.sh all            everything, within an hour
#   scripts/soak.sh NAME [N]       one of them, N times or with N rounds
#
#   kills       a store and a node are killed in the middle of saving, N times each (default 500)
#   power       N images of a disk whose power was cut (default 500)
#   decoders    N random inputs to every decoder of bytes from outside (default 20000)
#   fuzz        N executions of every fuzz target (default 20000); ONE=name for one of them
#   planted     every bug of tests/planted, one after the other: each has to be caught
#   nodes       whole nodes on loopback: join, chat, relay, restart, N times (default 20)
#   storms      N simulated networks with faults, checked at every step (default 2000)
#   grown       rooms of thirty processes, killed and restarted, N times (default 5)
#   networks    real hosts in network namespaces: hotspots, cut cables, losses, routers, N times (default 20); takes root
#   hostile     strangers and members at line rate against a real node, N seconds each (default 60)
#   stories     the windows' stories from end to end, N times (default 20)
#   pages       the pages without the app: keyboard, hostile words, axe on every scene (half an hour)
#
# Every run has a seed of its own and prints it; PEDDLENET_SEED=… repeats one. The development profile is used, so
# that nothing is compiled that `make test` has not compiled already.
set -euo pipefail
cd "$(dirname "$0")/.."

# With one package alone the dependencies get other features, and everything is compiled twice.
across() { cargo test --workspace "$@"; }

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

run_storms() { SIM_SEEDS=$1 across --test chaos; }

run_grown() {
  for ((n = 1; n <= $1; n++)); do
    echo "grown, run $n of $1"
    across --test grown -- --nocapture
  done
}

run_networks() {
  scripts/need.sh test
  for ((n = 1; n <= $1; n++)); do
    echo "networks, run $n of $1"
    PEDDLENET_PARTITION_S=60 CI=true across --test netns -- --nocapture
  done
}

run_churn() {
  scripts/need.sh test
  PEDDLENET_CHURN_S=$(($1 * 60)) CI=true across --test netns -- churn --nocapture
}

run_hostile() { PEDDLENET_HOSTILE_S=$1 across --test hostile -- --nocapture --test-threads=1; }

run_stories() {
  scripts/need.sh test
  cargo build -p peddlenet
  for ((n = 1; n <= $1; n++)); do
    echo "story $n of $1"
    scripts/apart.sh dbus-run-session -- node --test tests/e2e/*.test.js
  done
}

# The pages in WebKit over an in-memory shell: MiniBrowser comes with the system's WebKitGTK.
run_pages() {
  scripts/need.sh test
  npm ci --prefix tests --no-fund --no-audit
  (cd tests && npm run pages && npm run axe)
}

# No sanitizer: our crates forbid unsafe code, and a sanitizer's shadow would count as memory. SANITIZER=address has one.
run_fuzz() {
  scripts/need.sh fuzz
  local options=(--fuzz-dir tests/fuzz --sanitizer "${SANITIZER:-none}"
    --target-dir "${FUZZ_TARGET_DIR:-tests/fuzz/target}")
  local found target targets
  targets=${ONE:-$(cargo +nightly fuzz list --fuzz-dir tests/fuzz)}
  found=$(mktemp -d)
  for target in $targets; do
    echo "fuzz, $1 executions of $target"
    mkdir "$found/$target"
    # New inputs go to the first folder, which is thrown away; what breaks a target goes to tests/fuzz/artifacts.
    # -timeout: seconds that one input may take. The memory is in MiB.
    cargo +nightly fuzz run "${options[@]}" "$target" "$found/$target" "tests/fuzz/corpus/$target" -- \
      -runs="$1" -seed="$PEDDLENET_SEED" -rss_limit_mb=512 -timeout=20 -max_len=4096 -print_final_stats=1
  done
  rm -r "$found"
}

run_planted() { scripts/planted.sh; }

export PEDDLENET_SEED=${PEDDLENET_SEED:-$RANDOM}
echo "seed $PEDDLENET_SEED"

case ${1:-all} in
  kills) run_kills "${2:-500}" ;;
  power) run_power "${2:-500}" ;;
  decoders) run_decoders "${2:-20000}" ;;
  fuzz) run_fuzz "${2:-20000}" ;;
  planted) run_planted ;;
  nodes) run_nodes "${2:-20}" ;;
  storms) run_storms "${2:-2000}" ;;
  grown) run_grown "${2:-5}" ;;
  networks) run_networks "${2:-20}" ;;
  churn) run_churn "${2:-60}" ;;
  hostile) run_hostile "${2:-60}" ;;
  stories) run_stories "${2:-20}" ;;
  pages) run_pages ;;
  all)
    run_kills 500
    run_power 500
    run_decoders 20000
    run_fuzz 20000
    run_planted
    run_nodes 20
    run_storms 2000
    run_grown 5
    run_networks 2
    run_churn 4
    run_hostile 60
    run_stories 20
    ;;
  *)
    echo "soak.sh: there is no '$1'; choose kills, power, decoders, fuzz, planted, nodes, storms, grown, networks, churn, hostile, stories, pages or all" >&2
    exit 2
    ;;
esac

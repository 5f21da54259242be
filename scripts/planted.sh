#!/usr/bin/env bash
# Plants one bug after the other in a copy of the tree and runs the test that has to notice it.
#
#   scripts/planted.sh             every patch of tests/planted
#   scripts/planted.sh 04 11       those whose names begin so
#
# A patch begins with two lines, `bug:` in words and `test:` with what `cargo test` is given, and goes on as
# `git diff` writes it. Fails when a bug is not caught, when a patch no longer applies or no longer compiles, and
# when its test is not there: then the patch and the code have grown apart, and the patch is to be made anew.
set -euo pipefail
cd "$(dirname "$0")/.."

# The compiled dependencies are shared; the tree lies beside them, so that ours are compiled once for all patches.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TERM_COLOR=never RUST_BACKTRACE=0
# Compiled anew for every patch, and run once: optimising them takes longer than it saves.
plain=(--config profile.dev.package.peddlenet-gossip.opt-level=0 --config profile.dev.package.peddlenet-wire.opt-level=0)
mkdir -p "$CARGO_TARGET_DIR"
tree=$CARGO_TARGET_DIR/planted
log=$CARGO_TARGET_DIR/planted.log
patches=$PWD/tests/planted

# What is changed and not committed is part of the copy.
commit=$(git stash create)
git worktree remove --force "$tree" 2>/dev/null || rm -rf "$tree"
git worktree prune
git worktree add --quiet --detach "$tree" "${commit:-HEAD}"
trap 'git worktree remove --force "$tree"' EXIT
cd "$tree"

caught=0 missed=()
for patch in "$patches"/*.patch; do
  name=$(basename "$patch" .patch)
  if [ $# -gt 0 ]; then
    chosen=false
    for wanted in "$@"; do [[ $name != "$wanted"* ]] || chosen=true; done
    $chosen || continue
  fi
  read -r -a test <<<"$(sed -n 's/^test: *//p' "$patch")"
  git checkout --quiet --force .
  if ! git apply -C1 "$patch" 2>"$log"; then
    missed+=("$name: the patch no longer applies")
  elif ! cargo test --quiet "${plain[@]}" --no-run "${test[@]}" >"$log" 2>&1; then
    missed+=("$name: it does not compile")
  elif timeout 900 cargo test "${plain[@]}" "${test[@]}" >"$log" 2>&1; then
    missed+=("$name: NOT CAUGHT by ${test[*]}")
  elif ! grep -q '^test .* FAILED$' "$log" && ! grep -q 'SIGABRT\|memory allocation' "$log"; then
    missed+=("$name: ${test[*]} ended without a failed test, see the end of $log")
  else
    caught=$((caught + 1))
    echo "caught  $name by $(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$log" | head -n 1)"
    continue
  fi
  echo "MISSED  ${missed[-1]}"
  tail -n 5 "$log"
done

echo "$caught caught, ${#missed[@]} missed"
[ ${#missed[@]} -eq 0 ] && [ "$caught" -gt 0 ]

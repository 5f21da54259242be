#!/usr/bin/env bash
# Advisories and licences of everything that is compiled in.
#
# Vulnerabilities fail. Unmaintained and unsound crates are listed, and fail unless scripts/advisories.txt
# says why each of them stays.
set -euo pipefail
cd "$(dirname "$0")/.."

db=../shared/data/advisory-db

# Compiling these takes minutes, so only this target does it, and only once.
for tool in cargo-audit cargo-deny; do
  command -v "$tool" >/dev/null || cargo install --locked "$tool"
done

if [ -d "$db" ]; then
  # --stale: the database is a copy of a day; nothing is fetched.
  report=$(mktemp)
  trap 'rm -f "$report"' EXIT
  cargo audit --no-fetch --stale --db "$db" 2>&1 | tee "$report"
  for advisory in $(sed -n 's/^ID: *//p' "$report"); do
    reason=$(grep "^$advisory " scripts/advisories.txt) || {
      echo "audit: $advisory has no reason in scripts/advisories.txt" >&2
      exit 1
    }
    echo "stays: $reason"
  done
elif [ "${CI:-}" = true ]; then
  echo "audit: $db is missing" >&2
  exit 1
else
  echo "audit: skipped the advisories, $db is missing" >&2
fi
cargo deny --offline check bans licenses sources

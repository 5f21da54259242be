#!/usr/bin/env bash
# Advisories and licences of everything that is compiled in.
#
# Vulnerabilities fail. Unmaintained and unsound crates are listed; deny.toml says why each one stays.
set -euo pipefail
cd "$(dirname "$0")/.."

db=../shared/data/advisory-db

# Compiling these takes minutes, so only this target does it, and only once.
for tool in cargo-audit cargo-deny; do
  command -v "$tool" >/dev/null || cargo install --locked "$tool"
done

if [ -d "$db" ]; then
  # --stale: the database is a copy of a day; nothing is fetched.
  cargo audit --no-fetch --stale --db "$db"
elif [ "${CI:-}" = true ]; then
  echo "audit: $db is missing" >&2
  exit 1
else
  echo "audit: skipped the advisories, $db is missing" >&2
fi
cargo deny --offline check bans licenses sources

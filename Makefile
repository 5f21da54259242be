# PeddleNet, driven by hand. What each target promises stands in README.md.
#
#   make run     the app                          make check   quick checks while working
#   make demo    two windows on this machine      make bench   every benchmark, as one table
#   make test    every test                       make soak    the long runs (ONLY=name N=n)
#                                                 make audit   advisories and licences
#
# YES=1 (or CI) installs missing system packages without asking. ARGS goes to the app in `make run`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run demo test check bench soak audit display

# `tauri/custom-protocol` builds the app as it ships; a default feature of the root package it can't
# be, because `tauri dev` builds without default features.
APP := cargo build --release --features tauri/custom-protocol
TARGET := $(or $(CARGO_TARGET_DIR),target)
TSC := tests/node_modules/.bin/tsc

help:
	@sed -n '3,7s/^# *//p' Makefile

run: display
	@scripts/need.sh run
	$(APP)
	$(TARGET)/release/peddlenet $(ARGS)

demo: display
	@scripts/need.sh run
	$(APP)
	@echo "Two people on one machine: the profiles demo-a and demo-b. Make a room in one window, show its code,"
	@echo "and join from the other: \"Paste a link\", or \"Choose a picture\" with a screenshot. Ctrl-C ends both."
	@$(TARGET)/release/peddlenet --profile demo-a & a=$$!; \
	$(TARGET)/release/peddlenet --profile demo-b & b=$$!; \
	trap 'kill $$a $$b 2>/dev/null || true' INT TERM EXIT; wait $$a $$b

# Linux only: elsewhere there is always a screen.
display:
	@if [ "$$(uname -s)" = Linux ] && [ -z "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]; then \
	  echo "There is no display here, so no window can open." >&2; \
	  echo "In a desktop session: make run, or make demo for two windows on one machine." >&2; \
	  echo "On a machine without a screen, PeddleNet runs as:" >&2; \
	  echo "  cargo run --release -p peddlenet-node -- --data DIR" >&2; \
	  exit 1; fi

# One build for programs and tests: with other sets of packages or targets the shared dependencies get
# other features, and everything is compiled twice. The app package itself has no tests to link.
test:
	@scripts/need.sh test
	cargo build --workspace --bins --tests
	cargo test --workspace
	npm ci --prefix tests --no-fund --no-audit
	$(TSC) --project tests/tsconfig.json
	$(TSC) --project tests/e2e/tsconfig.json
	node --test tests/ui/*.test.js
	scripts/apart.sh dbus-run-session -- node --test tests/e2e/*.test.js

check: $(TSC)
	@scripts/need.sh check
	@! git grep -nE '^(<<<<<<<|=======|>>>>>>>)( |$$)' || { echo "A merge is not finished." >&2; exit 1; }
	@for script in scripts/*.sh .ci/run; do bash -n $$script || exit; done
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo check --manifest-path tests/fuzz/Cargo.toml
	cargo test -p peddlenet-tests --test layering
	$(TSC) --project tests/tsconfig.json
	$(TSC) --project tests/e2e/tsconfig.json

$(TSC): tests/package-lock.json
	@scripts/need.sh check
	npm ci --prefix tests --no-fund --no-audit
	@touch $@

bench:
	cargo build --release -p peddlenet --bin peddlenet --example empty
	cargo run --release -p peddlenet-tests --bin bench -- all

soak:
	scripts/soak.sh $(or $(ONLY),all) $(N)

audit:
	@scripts/need.sh audit
	scripts/audit.sh

#!/usr/bin/env bash
# Looks what this system lacks for one of: run, test, check, audit, fuzz; prints it and asks before it installs.
#
#   scripts/need.sh run        what building and opening the app takes
#   scripts/need.sh test       that, and a screen that nobody sees, a web driver, Redis, node and npm
#   scripts/need.sh check      the libraries that the app compiles against, node and npm
#   scripts/need.sh audit      nothing from the system; only Rust
#   scripts/need.sh fuzz       a nightly toolchain and cargo-fuzz, which is compiled once
#
# YES=1 or CI doesn't ask. Packages are known for Debian and Ubuntu; elsewhere the list is printed.
set -euo pipefail

purpose=${1:?usage: need.sh run|test|check|audit|fuzz}

build=(build-essential pkg-config libwebkit2gtk-4.1-dev librsvg2-dev)
# Loaded when they are used: cameras, and the tray's icon.
loaded=(gstreamer1.0-plugins-good gstreamer1.0-pipewire libayatana-appindicator3-1)
window=(webkit2gtk-driver xvfb dbus gstreamer1.0-plugins-good libgstreamer1.0-dev)
# What the network lab of tests/netns runs.
network=(iproute2 nftables conntrack)
# What stands between several processes of the rendezvous server; its tests start one of their own.
between=(redis-server)

say() { printf '%s\n' "$*" >&2; }

if ! command -v cargo >/dev/null; then
  say "Rust is missing: there is no 'cargo' in PATH."
  say "Install Rust 1.90 or newer (rustup is the usual way), open a new shell, and run this again."
  exit 1
fi

if [ "$purpose" = fuzz ]; then
  if ! cargo +nightly --version >/dev/null 2>&1; then
    say "Fuzzing takes a nightly toolchain:  rustup toolchain install nightly --profile minimal"
    exit 1
  fi
  command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
  exit 0
fi

# macOS and Windows bring their own web view; only tests need more, and those run on Linux.
if [ "$(uname -s)" != Linux ]; then
  [ "$purpose" = run ] || say "note: the window tests run on Linux only"
  exit 0
fi

wanted=()
case $purpose in
  run) wanted=("${build[@]}" "${loaded[@]}") ;;
  test) wanted=("${build[@]}" "${window[@]}" "${network[@]}" "${between[@]}") ;;
  check) wanted=("${build[@]}") ;;
  audit) ;;
  *) say "need.sh: what is '$purpose'?"; exit 2 ;;
esac

# Node may come from elsewhere than the system's packages, so the commands are looked for.
if [ "$purpose" = test ] || [ "$purpose" = check ]; then
  command -v node >/dev/null || wanted+=(nodejs)
  command -v npm >/dev/null || wanted+=(npm)
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  if [ ${#wanted[@]} -gt 0 ]; then
    say "This is not Debian or Ubuntu, so nothing is installed for you (untested here). Needed, by Debian's names:"
    say "  ${wanted[*]}"
  fi
  exit 0
fi

missing=()
for package in ${wanted[@]+"${wanted[@]}"}; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
[ "$(id -u)" = 0 ] || root=(sudo)
install=("${root[@]+"${root[@]}"}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends)

say "This system lacks: ${missing[*]}"
if [ "${YES:-}" != 1 ] && [ -z "${CI:-}" ]; then
  if [ ! -t 0 ]; then
    say "Install them with:  ${root[*]+"${root[*]} "}apt-get install ${missing[*]}"
    say "or run this again with YES=1, which installs them."
    exit 1
  fi
  read -r -p "Install them now? [Y/n] " answer
  case $answer in
    '' | [Yy]*) ;;
    *) say "Nothing was installed; what follows may fail or lack the camera."; exit 0 ;;
  esac
fi
if [ ${#root[@]} -gt 0 ] && ! command -v sudo >/dev/null; then
  say "Installing takes root, and there is no sudo. As root:  apt-get install ${missing[*]}"
  exit 1
fi
"${root[@]+"${root[@]}"}" apt-get update -qq
"${install[@]}" "${missing[@]}"

# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lib.sh: what the commands in this directory share. Source it, do not run it:
#
#   source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
#
# It holds the package lists (their only home), the messages, the scratch directory, and the
# processes a command owns: whatever is started or created here is ended or removed when the
# command ends, also after a failure, Ctrl-C, SIGTERM or SIGHUP.

set -euo pipefail

# Seconds are printed and compared with a point, whatever the user's locale.
export LC_ALL=C.UTF-8

# shellcheck disable=SC2034  # The constants are for the scripts which source this file.
REPO_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# ---- Packages ----------------------------------------------------------------------------------

# shellcheck disable=SC2034
BUILD_PACKAGES=(
  cmake ninja-build g++ clang bpftool pkg-config linux-libc-dev python3 git
  libbpf-dev libbpfcc-dev libelf-dev zlib1g-dev libcap-dev libpcap-dev
  prometheus-cpp-dev libcli11-dev libfmt-dev libsgutils2-dev libcpp-httplib-dev
  nlohmann-json3-dev libgtest-dev libgmock-dev libbenchmark-dev
)
# What `scripts/guest image` and `scripts/guest boot` run.
# shellcheck disable=SC2034
GUEST_PACKAGES=(busybox-static mtools syslinux qemu-system-x86 qemu-block-extra)
# shellcheck disable=SC2034
DEMO_PACKAGES=("${GUEST_PACKAGES[@]}" tgt curl)
# shellcheck disable=SC2034
TEST_PACKAGES=(
  "${DEMO_PACKAGES[@]}" qemu-utils ipxe-qemu tshark libiscsi-bin istgt nftables prometheus jq
  clang-format clang-tidy libclang-rt-dev llvm iproute2 libcap2-bin procps util-linux strace
  gnuplot-nox
)
# What tests/vm/run runs, and tests in its machines; the rest of these is this machine's.
# shellcheck disable=SC2034
VM_PACKAGES=(
  busybox-static qemu-system-x86 kmod xz-utils
  open-iscsi fio e2fsprogs mt-st mtx sg3-utils
)
# Packages of the lists above which bring a system service of the same name.
readonly SERVICE_PACKAGES=(tgt istgt open-iscsi prometheus)

# ---- Messages ----------------------------------------------------------------------------------

PROGRAM=$(basename "$0")
START_SECONDS=$EPOCHREALTIME
STEP=0

# shellcheck disable=SC2120  # The scripts which source this file pass SINCE.
# elapsed [SINCE]: seconds with two decimals since SINCE, by default since the command began.
elapsed() {
  local since=${1:-$START_SECONDS} micros
  micros=$((${EPOCHREALTIME/./} - ${since/./}))
  printf '%d.%02d' $((micros / 1000000)) $((micros / 10000 % 100))
}

# shellcheck disable=SC2119
# step TEXT: the next numbered step, with the time since the command began.
step() {
  STEP=$((STEP + 1))
  printf '\n[%d] %s s  %s\n' "$STEP" "$(elapsed)" "$*"
}

note() { printf '    %s\n' "$*"; }

warn() { printf '%s: %s\n' "$PROGRAM" "$*" >&2; }

# die TEXT: ends the command with one line, which says what is wrong and what to do about it.
die() {
  warn "$*"
  exit 1
}

# usage_error TEXT: as die, with the exit code that the shell gives to wrong usage.
usage_error() {
  warn "$* (see $PROGRAM --help)"
  exit 2
}

require_root() {
  ((EUID == 0)) || die "needs root ($1); run: sudo scripts/$PROGRAM"
}

# ---- Clean-up ----------------------------------------------------------------------------------

EXIT_ACTIONS=()

# at_exit COMMAND ARGUMENT...: runs the command when the script ends; the last one runs first.
at_exit() {
  EXIT_ACTIONS+=("$(printf '%q ' "$@")")
}

run_exit_actions() {
  local status=$? i
  # A second Ctrl-C must not leave half of the clean-up undone; every action is bounded.
  trap '' INT TERM HUP
  trap - EXIT
  set +e
  for ((i = ${#EXIT_ACTIONS[@]} - 1; i >= 0; i--)); do
    eval "${EXIT_ACTIONS[i]}"
  done
  exit "$status"
}

trap run_exit_actions EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# make_scratch: sets SCRATCH to a new private directory, removed at the end.
make_scratch() {
  SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/lunscope-$PROGRAM.XXXXXX")
  at_exit rm -rf -- "$SCRATCH"
}

# ---- Processes ---------------------------------------------------------------------------------

# own PID: ends the process when the script ends, if stop_owned did not do so before.
own() { at_exit stop_owned "$1"; }

# start_owned LOG COMMAND...: starts the command in the background with its output in LOG, and
# sets OWNED_PID. The process belongs to the script from then on.
start_owned() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 </dev/null &
  OWNED_PID=$!
  own "$OWNED_PID"
}

# wait_until SECONDS COMMAND...: runs the command about ten times a second until it succeeds.
wait_until() {
  local tries=$(($1 * 10 + 1)) i
  shift
  for ((i = 0; i < tries; i++)); do
    "$@" && return 0
    sleep 0.1
  done
  return 1
}

# wait_for_line FILE REGEX SECONDS [PID]: waits for a matching line; fails at once when PID ends.
wait_for_line() {
  local file=$1 regex=$2 tries=$(($3 * 20 + 1)) pid=${4:-} i
  for ((i = 0; i < tries; i++)); do
    grep -qE -- "$regex" "$file" 2>/dev/null && return 0
    if [[ -n $pid ]] && ! kill -0 "$pid" 2>/dev/null; then
      # The line may have been its last word.
      grep -qE -- "$regex" "$file" 2>/dev/null
      return
    fi
    sleep 0.05
  done
  return 1
}

process_ended() { ! kill -0 "$1" 2>/dev/null; }

# is_running_child PID: true while the pid is a child of this shell, so that a recycled pid of
# some other process is never signalled.
is_running_child() {
  local pid
  for pid in $(jobs -rp); do
    [[ $pid == "$1" ]] && return 0
  done
  return 1
}

# stop_owned PID [SECONDS]: SIGTERM, then after SECONDS (by default 5) SIGKILL; returns the
# process's exit code. SIGINT would not do: the shell starts background processes with it ignored.
stop_owned() {
  local pid=$1 seconds=${2:-5}
  if is_running_child "$pid"; then
    kill -TERM "$pid" 2>/dev/null || true
    wait_until "$seconds" process_ended "$pid" || kill -KILL "$pid" 2>/dev/null || true
  fi
  wait "$pid" 2>/dev/null
}

# ---- Ports -------------------------------------------------------------------------------------

# port_is_free PORT: true when no TCP socket of any state and address has this local port.
port_is_free() {
  local hex
  printf -v hex '%04X' "$1"
  # A kernel without IPv6 has no tcp6; that is no error.
  awk -v port="$hex" '{ n = split($2, part, ":"); if (part[n] == port) taken = 1 }
    END { exit taken }' < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
}

# free_port: prints a random free port below the range from which the kernel takes its own.
free_port() {
  local port i
  for ((i = 0; i < 100; i++)); do
    port=$((20000 + RANDOM % 10000))
    port_is_free "$port" && echo "$port" && return 0
  done
  die "found no free TCP port between 20000 and 29999; end some servers and try again"
}

# free_port_from PORT: prints the first free port of the hundred from PORT on.
free_port_from() {
  local port
  for ((port = $1; port < $1 + 100; port++)); do
    port_is_free "$port" && echo "$port" && return 0
  done
  die "found no free TCP port between $1 and $(($1 + 99)); end some servers and try again"
}

# ---- Installing --------------------------------------------------------------------------------

readonly POLICY=/usr/sbin/policy-rc.d
readonly SAVED_POLICY=/usr/sbin/policy-rc.d.lunscope-saved

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ?i* ]]
}

has_candidate() {
  [[ -n $(apt-cache show --no-all-versions "$1" 2>/dev/null) ]]
}

# refresh_package_lists PACKAGE...: apt-get update, only if some package is unknown without it.
refresh_package_lists() {
  local package
  for package in "$@"; do
    has_candidate "$package" && continue
    ((EUID == 0)) || die "apt does not know $package; run: sudo apt-get update"
    update_package_lists
    return
  done
}

update_package_lists() {
  note "apt-get update"
  apt-get update -qq || die "apt-get update failed (above); check the network and apt's sources"
}

is_our_policy() { grep -qs 'Put here by lunscope' "$POLICY"; }

# Installing a package must not start its service: the demo runs its own, on loopback.
forbid_service_starts() {
  at_exit restore_service_starts
  if [[ -e $POLICY ]] && ! is_our_policy; then
    mv -f "$POLICY" "$SAVED_POLICY"
  fi
  printf '#!/bin/sh\n# Put here by lunscope while it installs packages.\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
}

restore_service_starts() {
  if [[ -e $SAVED_POLICY ]]; then
    mv -f "$SAVED_POLICY" "$POLICY"
  elif is_our_policy; then
    rm -f "$POLICY"
  fi
}

# disable_services PACKAGE...: keeps the services of just-installed packages off after a reboot.
disable_services() {
  local package service
  for package in "$@"; do
    for service in "${SERVICE_PACKAGES[@]}"; do
      [[ $package == "$service" ]] || continue
      update-rc.d "$service" disable >/dev/null 2>&1 || continue
      note "left the system service $service off (to use it: systemctl enable --now $service)"
    done
  done
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$APT_LOG" 2>&1
}

install_failed() {
  tail -n 15 "$APT_LOG" >&2
  die "apt-get install failed (its messages are above); run: sudo apt-get install $*"
}

# install_packages PACKAGE...: installs what is missing, and says what. Without root it ends the
# command when something is missing.
install_packages() {
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  ((EUID == 0)) || die "missing packages; run: sudo apt-get install ${missing[*]}"
  note "installing (with what they depend on): ${missing[*]}"
  APT_LOG=$(mktemp "${TMPDIR:-/tmp}/lunscope-apt.XXXXXX")
  at_exit rm -f -- "$APT_LOG"
  refresh_package_lists "${missing[@]}"
  forbid_service_starts
  # Old package lists name versions which the mirror has removed: update once, then try again.
  if ! apt_install "${missing[@]}"; then
    update_package_lists
    apt_install "${missing[@]}" || install_failed "${missing[@]}"
  fi
  restore_service_starts
  disable_services "${missing[@]}"
}

# ---- The demo's iSCSI target -------------------------------------------------------------------

# start_target PORT IQN FILE: serves FILE as LUN 1 of IQN on 127.0.0.1:PORT with a tgtd of our
# own, and sets TARGET_PID. Its control socket lies in SCRATCH, apart from any other tgtd's.
# REQUIRES: make_scratch was called; root.
start_target() {
  local port=$1 iqn=$2 file=$3
  export TGT_IPC_SOCKET=$SCRATCH/tgtd.socket
  start_owned "$SCRATCH/tgtd.log" tgtd -f --iscsi portal="127.0.0.1:$port"
  TARGET_PID=$OWNED_PID
  at_exit stop_target
  wait_until 5 target_admin --mode system --op show || target_failed "did not start"
  target_admin --mode target --op new --tid 1 --targetname "$iqn" || target_failed "has no target"
  target_admin --mode logicalunit --op new --tid 1 --lun 1 --backing-store "$file" ||
    target_failed "has no LUN"
  target_admin --mode target --op bind --tid 1 --initiator-address 127.0.0.1 ||
    target_failed "admits nobody"
}

target_admin() {
  timeout 5 tgtadm --lld iscsi "$@" >"$SCRATCH/tgtadm.log" 2>&1
}

target_failed() {
  tail -n 5 "$SCRATCH/tgtd.log" "$SCRATCH/tgtadm.log" >&2
  die "tgtd $1 (its messages are above); run the command again"
}

# tgtd ignores SIGTERM, so it is asked over its control socket; stop_owned is the last resort.
stop_target() {
  target_admin --mode target --op delete --force --tid 1
  target_admin --mode system --op delete
  wait_until 3 process_ended "$TARGET_PID" || stop_owned "$TARGET_PID" 0
}

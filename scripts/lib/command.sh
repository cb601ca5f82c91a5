# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# command.sh: messages and clean-up of every command in scripts/. Source it, do not run it:
#
#   source "$(dirname "${BASH_SOURCE[0]}")/lib/command.sh"
#
# What a command starts or creates through these functions is ended or removed when the command
# ends, also after a failure, Ctrl-C, SIGTERM or SIGHUP.

set -euo pipefail

# Seconds are printed and compared with a point, whatever the user's locale.
export LC_ALL=C.UTF-8

# shellcheck disable=SC2034  # The constants are for the scripts which source this file.
REPO_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

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

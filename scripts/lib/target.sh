# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# target.sh: the demo's iSCSI target, and free ports. Source it after command.sh.

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

# ---- tgtd --------------------------------------------------------------------------------------

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

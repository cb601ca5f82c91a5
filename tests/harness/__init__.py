# SPDX-License-Identifier: Apache-2.0
"""The parts that live tests, tests in guests and benchmarks share.

tests/live, tests/vm and tests/bench each have a symbolic link `harness` to this folder. So each of
their files runs by itself: `python3 tests/live/test_loss.py`.

Processes
  process       start, watch and end programs; wait for conditions
  case          the base classes of tests
  lunscope      `lunscope trace`, `serve`, `replay`, and what each says
  surroundings  take a right or a file away from a program
  unattached    take the kernel's hook away from a program of lunscope
  network, wire  two hosts, and a wire between them that loses, reorders and forges

Peers
  tgtd, istgt   targets in user space
  libiscsi      an initiator
  perf          iscsi-perf until so many commands
  pdus, scripted, dialogue  peers that say what no real peer says
  devices       every device type of tgtd
  faults        what two scripted ends do wrong

Oracles
  capture       what dumpcap and tshark saw (commands.lua, headers.lua)
  compare       lunscope's commands against tshark's
  pdu_fields    each field of a PDU against tshark's
  checked       `lunscope check` against the kernel, asked in other ways
  witness       did the kernel run the programs?

Tests that run in several places
  table         scripted rows
  matrix        every initiator against every target; kernels_page puts it into docs/KERNELS.md
"""

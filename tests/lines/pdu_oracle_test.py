#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares lunscope's lines of PDUs, field by field, with tshark's reading of the same bytes.

  pdu_oracle_test.py --lines build/pdu_lines

Every PDU goes into a capture, in a TCP connection of its own to port 3260, behind a NOP. tshark
dissects a segment only if it accepts the first PDU, and it knows neither RFC 7144 nor every form
that RFC 7143 allows; it always accepts the NOP. pdu_fields.py maps the fields.
"""

import argparse
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.pdu_fields import FIELDS, NO_FIELDS, NOT_SHOWN, Comparison

TARGET_PORT = 3260
FIRST_CLIENT_PORT = 20000
FROM_TARGET = 0x20
LINKTYPE_RAW = 101

# A NOP for each direction, which needs no answer.
NOP_OUT = bytes.fromhex("40800000" + "00" * 12 + "00000001" + "ffffffff" + "00" * 24)
PDU_OFFSET = 20 + 20 + 48  # in a packet: IPv4, TCP and the NOP come first
NOP_IN = bytes.fromhex("20800000" + "00" * 12 + "00000001" + "ffffffff" + "00" * 24)


def read_lines(program):
    """(name, wire, line) of each PDU that the program prints."""
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    for row in done.stdout.splitlines():
        name, wire, line = row.split("\t")
        yield name, bytes.fromhex(wire), json.loads(line)


def packet(wire, client_port):
    """An IPv4 packet with one TCP segment: to the target's port, or from it."""
    ports = (client_port, TARGET_PORT)
    addresses = (bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
    if wire[0] & FROM_TARGET:
        ports, addresses = ports[::-1], addresses[::-1]
    nop = NOP_IN if wire[0] & FROM_TARGET else NOP_OUT
    tcp = struct.pack(">HHIIBBHHH", *ports, 1000, 2000, 5 << 4, 0x18, 65535, 0, 0) + nop + wire
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + b"".join(addresses)
    return ip + tcp


def write_capture(path, wires):
    """A pcap file with one packet, of a connection of its own, for each PDU."""
    with path.open("wb") as capture:
        capture.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, LINKTYPE_RAW))
        for number, wire in enumerate(wires):
            data = packet(wire, FIRST_CLIENT_PORT + number)
            capture.write(struct.pack("<IIII", number, 0, len(data), len(data)) + data)


def fields_of(wire, packet_element):
    """{field: text} of the header behind the NOP. A field that comes twice has its first text.

    The place in the packet decides, because tshark lists some fields outside the PDU.
    """
    end = PDU_OFFSET + 48 + wire[4] * 4
    fields = {}
    for field in packet_element.iter("field"):
        name = field.get("name")
        if not PDU_OFFSET <= int(field.get("pos", 0)) < end:
            continue
        if name.startswith("iscsi."):
            fields.setdefault(name, field.get("show"))
        elif field.get("show") in ("LUN", "LUNs"):
            fields.setdefault("LUN", field.get("value"))
    return fields


def dissect(capture, wires):
    """The fields of each packet's PDU."""
    command = ["tshark", "-n", "-o", "iscsi.bogus_pdu_filter:FALSE", "-r", str(capture),
               "-T", "pdml"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    packets = ElementTree.fromstring(done.stdout).iter("packet")
    return [fields_of(wire, each) for wire, each in zip(wires, packets, strict=True)]


def check_tables(comparison):
    """Adds a failure for each field that was never compared, and for each row of pdu_fields that no PDU
    confirms.
    """
    compared = {field for field, _ in comparison.compared}
    only_theirs = comparison.only_theirs - comparison.compared
    comparison.failures += [
        *(f"FIELDS: {field} was never compared"
          for field in sorted(set(FIELDS.values()) - compared)),
        *(f"opcode {opcode:#x}: only tshark has {field}"
          for field, opcode in sorted(only_theirs - NO_FIELDS)),
        *(f"NO_FIELDS: {where} is not there" for where in NO_FIELDS - only_theirs),
        *(f"NOT_SHOWN: {where} is shown" for where in NOT_SHOWN - comparison.not_shown)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", required=True, help="the program pdu_lines")
    arguments = parser.parse_args()
    if shutil.which("tshark") is None:
        sys.exit("install tshark")
    names, wires, lines = zip(*read_lines(arguments.lines))
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "pdus.pcap"
        write_capture(capture, wires)
        dissections = dissect(capture, wires)
    comparison = Comparison()
    for name, line, dissected in zip(names, lines, dissections, strict=True):
        comparison.compare(name, line, dissected)
    check_tables(comparison)
    for failure in comparison.failures:
        print(failure)
    print(f"{comparison.pdus} of {len(lines)} PDUs and {comparison.fields} fields compared, "
          f"{len(comparison.failures)} differences")
    sys.exit(bool(comparison.failures))


if __name__ == "__main__":
    main()

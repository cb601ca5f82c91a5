#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what lunscope prints of PDUs, field by field, with what tshark makes of the same bytes.

  pdu_oracle_test.py --lines build/pdu_lines

Every PDU goes into a capture in a TCP connection of its own, to port 3260, behind a NOP: tshark
only looks at a segment whose first PDU is to its taste, and knows neither RFC 7144 nor every form
that RFC 7143 allows. FIELDS pairs the names of the two; what tshark has no name for is not there.
NOT_SHOWN are fields that it leaves out for some opcodes. The values have to be equal: where tshark
is wrong about iSCSI (names of the newer codes, what a response means), its numbers are right.

A field that lunscope leaves out in a PDU, for it is reserved there, is not compared; but it has to
have it in some PDU of the opcode when tshark shows it.
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

TARGET_PORT = 3260
FIRST_CLIENT_PORT = 20000
FROM_TARGET = 0x20
LINKTYPE_RAW = 101

# By direction: a NOP that asks for nothing.
NOP_OUT = bytes.fromhex("40800000" + "00" * 12 + "00000001" + "ffffffff" + "00" * 24)
PDU_OFFSET = 20 + 20 + 48  # in a packet: IPv4, TCP and the NOP come first
NOP_IN = bytes.fromhex("20800000" + "00" * 12 + "00000001" + "ffffffff" + "00" * 24)

# lunscope's key: tshark's field. Where the name depends on the opcode, (key, opcode).
FIELDS = {
    "opcode": "iscsi.opcode",
    "total_ahs_length": "iscsi.totalahslength",
    "data_segment_length": "iscsi.datasegmentlength",
    "immediate": "iscsi.I",
    "lun_hex": "LUN",
    "itt": "iscsi.initiatortasktag",
    "ttt": "iscsi.targettransfertag",
    "cmdsn": "iscsi.cmdsn",
    "statsn": "iscsi.statsn",
    "exp_statsn": "iscsi.expstatsn",
    "exp_cmdsn": "iscsi.expcmdsn",
    "max_cmdsn": "iscsi.maxcmdsn",
    "datasn": "iscsi.datasn",
    ("datasn_r2tsn", 0x3f): "iscsi.datasn",
    "r2tsn": "iscsi.r2tsn",
    "exp_datasn": "iscsi.expdatasn",
    "buffer_offset": "iscsi.bufferOffset",
    "desired_data_transfer_length": "iscsi.desireddatalength",
    "expected_data_transfer_length": "iscsi.scsicommand.expecteddatatransferlength",
    "read": "iscsi.scsicommand.R",
    "write": "iscsi.scsicommand.W",
    "attr": "iscsi.scsicommand.attr",
    ("final", 0x01): "iscsi.scsicommand.F",
    ("final", 0x04): "iscsi.text.F",
    ("final", 0x24): "iscsi.text.F",
    ("final", 0x05): "iscsi.scsidata.F",
    ("final", 0x25): "iscsi.scsidata.F",
    ("continue", 0x03): "iscsi.login.C",
    ("continue", 0x23): "iscsi.login.C",
    ("continue", 0x04): "iscsi.text.C",
    ("continue", 0x24): "iscsi.text.C",
    "transit": "iscsi.login.T",
    "csg": "iscsi.login.csg",
    "nsg": "iscsi.login.nsg",
    "version_max": "iscsi.versionmax",
    "version_min": "iscsi.versionmin",
    "version_active": "iscsi.versionactive",
    "isid": "iscsi.isid",
    "isid_t": "iscsi.isid.t",
    "isid_a": "iscsi.isid.a",
    "isid_b": "iscsi.isid.b",
    "isid_c": "iscsi.isid.c",
    "isid_d": "iscsi.isid.d",
    "tsih": "iscsi.tsih",
    "cid": "iscsi.cid",
    "acknowledge": "iscsi.scsidata.A",
    "status_present": "iscsi.scsidata.S",
    ("residual_overflow", 0x25): "iscsi.scsidata.O",
    ("residual_underflow", 0x25): "iscsi.scsidata.U",
    ("residual_count", 0x25): "iscsi.scsidata.readresidualcount",
    ("residual_overflow", 0x21): "iscsi.scsiresponse.O",
    ("residual_underflow", 0x21): "iscsi.scsiresponse.U",
    ("residual_count", 0x21): "iscsi.scsiresponse.residualcount",
    "bidirectional_read_residual_overflow": "iscsi.scsiresponse.o",
    "bidirectional_read_residual_underflow": "iscsi.scsiresponse.u",
    "bidirectional_read_residual_count": "iscsi.scsiresponse.bidireadresidualcount",
    ("response", 0x21): "iscsi.scsiresponse.response",
    ("response", 0x22): "iscsi.taskmanfun.response",
    ("response", 0x26): "iscsi.logout.response",
    "status": "iscsi.scsiresponse.status",
    "function": "iscsi.taskmanfun.function",
    "referenced_task_tag": "iscsi.taskmanfun.referencedtasktag",
    "ref_cmdsn": "iscsi.refcmdsn",
    "reason_code": "iscsi.logout.reason",
    "time2wait": "iscsi.time2wait",
    "time2retain": "iscsi.time2retain",
    "type": "iscsi.snack.type",
    "begrun": "iscsi.snack.begrun",
    "runlength": "iscsi.snack.runlength",
    "async_event": "iscsi.asyncevent",
    "async_vcode": "iscsi.eventvendorcode",
    "parameter1": "iscsi.parameter1",
    "parameter2": "iscsi.parameter2",
    "parameter3": "iscsi.parameter3",
    "reason": "iscsi.reject.reason",
    "login_status": "iscsi.login.status",
    "ahs.type": "iscsi.ahs.type",
    "ahs.length": "iscsi.ahs.length",
    "ahs.extended_cdb": "iscsi.ahs.extended_cdb",
    "ahs.expected_bidirectional_read_data_length": "iscsi.ahs.bidir.length",
}

# (key, opcode): tshark has no such field there.
NOT_SHOWN = {
    ("immediate", 0x03),  # always set (section 11.12)
    ("exp_datasn", 0x02),
    ("total_ahs_length", 0x22),  # always zero (section 11.6.2)
    ("data_segment_length", 0x22),
    ("opcode", 0x1f),  # no such opcode: nothing at all
    ("total_ahs_length", 0x1f),
    ("data_segment_length", 0x1f),
}

# What tshark shows of a header that is no field of its own, or not of this opcode.
NO_FIELDS = {
    *(("iscsi.flags", opcode) for opcode in (0x01, 0x04, 0x05, 0x21, 0x24, 0x25)),
    ("iscsi.I", 0x1c),  # the bit is in the vendor's hand (section 11.2.1.2)
}


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
    """{field: text} of the header behind the NOP; of a field that is there twice, the first.

    They are told by their place in the packet, for tshark puts some of them outside of the PDU.
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


def flatten(line):
    """lunscope's fields by the keys of FIELDS: the first AHS's apart, the login status as one."""
    fields = {key: value for key, value in line.items() if key != "ahs"}
    for key, value in line.get("ahs", [{}])[0].items():
        fields[f"ahs.{key}"] = value
    if "status_class" in line:
        fields["login_status"] = line["status_class"] << 8 | line["status_detail"]
    return fields


def same(ours, theirs):
    """Is tshark's text (a number, 0 or 1, or bytes in hex) this value?"""
    if isinstance(ours, str):
        return ours == theirs.replace(":", "")
    return int(ours) == int(theirs, 0)


def theirs_of(key, opcode):
    """tshark's name of lunscope's field, or None."""
    return FIELDS.get((key, opcode), FIELDS.get(key))


class Comparison:
    """Counts of what was compared, and what was different."""

    def __init__(self):
        self.fields = 0
        self.pdus = 0
        self.not_shown = set()
        self.theirs = set()
        self.both = set()
        self.failures = []

    def compare(self, name, line, dissected):
        """One PDU."""
        opcode = line["opcode"]
        self.pdus += bool(dissected)
        self.theirs |= {(field, opcode) for field in dissected}
        for key, value in flatten(line).items():
            field = theirs_of(key, opcode)
            if field is None:
                continue
            self.both.add((field, opcode))
            theirs = dissected.get(field)
            if theirs is None and (key, opcode) in NOT_SHOWN:
                self.not_shown.add((key, opcode))
            elif theirs is None or not same(value, theirs):
                self.failures.append(f"{name}: {key} is {value}, tshark says {theirs}")
            else:
                self.fields += 1

    def finish(self):
        """Expects that lunscope forgets no field of an opcode, and that the tables are true."""
        compared = {field for field, _ in self.both}
        only_theirs = self.theirs - self.both
        self.failures += [f"FIELDS: {field} was never compared"
                          for field in sorted(set(FIELDS.values()) - compared)]
        self.failures += [f"opcode {opcode:#x}: only tshark has {field}"
                          for field, opcode in sorted(only_theirs - NO_FIELDS)]
        self.failures += [f"NO_FIELDS: {where} is not there" for where in NO_FIELDS - only_theirs]
        self.failures += [f"NOT_SHOWN: {where} is shown" for where in NOT_SHOWN - self.not_shown]


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
    comparison.finish()
    for failure in comparison.failures:
        print(failure)
    print(f"{comparison.pdus} of {len(lines)} PDUs and {comparison.fields} fields compared, "
          f"{len(comparison.failures)} differences")
    sys.exit(bool(comparison.failures))


if __name__ == "__main__":
    main()

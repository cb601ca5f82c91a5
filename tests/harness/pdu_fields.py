# SPDX-License-Identifier: Apache-2.0
"""Which field of tshark is which of `--pdu`, and a comparison of the two, PDU by PDU.

FIELDS pairs the names of the two; what tshark has no name for is not there. NOT_SHOWN are fields
that it leaves out for some opcodes. The values have to be equal: where tshark is wrong about iSCSI
(names of the newer codes, what a response means), its numbers are right.

tshark shows a field also in a PDU where it is reserved, and lunscope leaves it out. RESERVED says
when it has to, for what real traffic has; the others are in Comparison.only_theirs.
"""

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

# Names that tshark shows for a header and that are no field of it, or not a field of this opcode.
NO_FIELDS = {
    *(("iscsi.flags", opcode) for opcode in (0x01, 0x04, 0x05, 0x21, 0x24, 0x25)),
    ("iscsi.I", 0x1c),  # the bit is in the vendor's hand (section 11.2.1.2)
}


def _has_no_oui(pdu):
    """Section 11.12.5: A is a part of an OUI, and reserved in the other forms of an ISID."""
    return pdu["isid_t"] != 0


def _has_no_residual(pdu):
    """Section 11.4.5.1: the count has a meaning only where O or U is set."""
    return not (pdu["residual_overflow"] or pdu["residual_underflow"])


def _has_no_bidirectional_residual(pdu):
    return not (pdu["bidirectional_read_residual_overflow"]
                or pdu["bidirectional_read_residual_underflow"])


# (tshark's field, opcode): when is it reserved, by lunscope's other fields of the PDU?
RESERVED = {
    ("iscsi.isid.a", 0x03): _has_no_oui,
    ("iscsi.isid.a", 0x23): _has_no_oui,
    ("iscsi.scsiresponse.residualcount", 0x21): _has_no_residual,
    ("iscsi.scsidata.readresidualcount", 0x25): lambda pdu: (
        not pdu["status_present"] or _has_no_residual(pdu)),
    ("iscsi.statsn", 0x25): lambda pdu: not pdu["status_present"],  # section 11.7.3
    ("iscsi.scsiresponse.bidireadresidualcount", 0x21): _has_no_bidirectional_residual,
    ("iscsi.cid", 0x06): lambda pdu: pdu["reason_code"] == 0,  # the session's end: section 11.14.3
    ("iscsi.refcmdsn", 0x02): lambda pdu: pdu["function"] != 1,  # not ABORT TASK: section 11.5.5
    ("LUN", 0x02): lambda pdu: pdu["function"] not in (1, 2, 3, 4, 5),  # section 11.5.3
}


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
        self.only_theirs = set()  # (tshark's field, opcode), as are the next two
        self.reserved = set()
        self.compared = set()
        self.failures = []

    def compare(self, name, line, dissected):
        """One PDU: lunscope's line, and the fields of tshark."""
        opcode = line["opcode"]
        self.pdus += bool(dissected)
        only_theirs = set(dissected)
        for key, value in flatten(line).items():
            field = theirs_of(key, opcode)
            if field is None:
                continue
            only_theirs.discard(field)
            theirs = dissected.get(field)
            if theirs is None and (key, opcode) in NOT_SHOWN:
                self.not_shown.add((key, opcode))
            elif theirs is None or not same(value, theirs):
                self.failures.append(f"{name}: {key} is {value}, tshark says {theirs}")
            else:
                self.fields += 1
                self.compared.add((field, opcode))
        for field in only_theirs:
            self._left_out(name, line, field)

    def _left_out(self, name, line, field):
        where = field, line["opcode"]
        if where not in RESERVED:
            self.only_theirs.add(where)
        elif RESERVED[where](line):
            self.reserved.add(where)
        else:
            self.failures.append(f"{name}, opcode {where[1]:#x}: only tshark has {field}")

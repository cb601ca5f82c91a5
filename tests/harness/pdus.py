# SPDX-License-Identifier: Apache-2.0
"""PDUs as bytes, for peers that say what no real one does (RFC 7143, section 11).

A field has the name that `lunscope trace --pdu` has for it, so that what a script set can be looked
for in what lunscope shows. Nothing here checks that a PDU is legal.
"""

import dataclasses
import struct

(NOP_OUT, SCSI_COMMAND, TASK_REQUEST, LOGIN_REQUEST, TEXT_REQUEST, DATA_OUT,
 LOGOUT_REQUEST) = range(7)
SNACK_REQUEST = 0x10
(NOP_IN, SCSI_RESPONSE, TASK_RESPONSE, LOGIN_RESPONSE, TEXT_RESPONSE, DATA_IN,
 LOGOUT_RESPONSE) = range(0x20, 0x27)
R2T, ASYNC_MESSAGE, REJECT = 0x31, 0x32, 0x3F

BHS_BYTES = 48
RESERVED_TAG = 0xFFFFFFFF
FINAL, CONTINUE = 0x80, 0x40  # C; R in a SCSI Command
READ, WRITE, SIMPLE = 0x40, 0x20, 1
UNDERFLOW, OVERFLOW, STATUS_PRESENT = 2, 4, 1
TRANSIT, OPERATIONAL, FULL_FEATURE = 0x80, 1 << 2, 3

# Field: where it stands, and how. LUNs, ISIDs and CDBs are bytes, everything else is a number.
FIELDS = {
    "version_max": (2, "B"), "response": (2, "B"), "reason": (2, "B"), "version_active": (3, "B"),
    "status": (3, "B"),
    "lun": (8, "8s"), "isid": (8, "6s"), "status_qualifier": (8, "H"), "tsih": (14, "H"),
    "itt": (16, "I"),
    "cid": (20, "H"), "expected_data_transfer_length": (20, "I"), "referenced_task_tag": (20, "I"),
    "ttt": (20, "I"), "snack_tag": (20, "I"),
    "cmdsn": (24, "I"), "statsn": (24, "I"),
    "exp_statsn": (28, "I"), "exp_cmdsn": (28, "I"),
    "max_cmdsn": (32, "I"), "ref_cmdsn": (32, "I"), "cdb": (32, "16s"),
    "async_event": (36, "B"), "status_class": (36, "B"), "status_detail": (37, "B"),
    "async_vcode": (37, "B"), "parameter1": (38, "H"),
    "datasn": (36, "I"), "exp_datasn": (36, "I"), "r2tsn": (36, "I"), "datasn_r2tsn": (36, "I"),
    "begrun": (40, "I"), "buffer_offset": (40, "I"), "time2wait": (40, "H"),
    "parameter2": (40, "H"), "bidirectional_read_residual_count": (40, "I"),
    "time2retain": (42, "H"), "parameter3": (42, "H"),
    "desired_data_transfer_length": (44, "I"), "residual_count": (44, "I"), "runlength": (44, "I"),
}


def _crc_of_byte(crc):
    for _ in range(8):
        crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


_CRC_TABLE = [_crc_of_byte(byte) for byte in range(256)]


def crc32c(data):
    """The digest of these bytes, as sent (section 13.1)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return struct.pack("<I", crc ^ 0xFFFFFFFF)


def padded(data):
    """Up to the next word (section 11.1)."""
    return data + bytes(-len(data) % 4)


@dataclasses.dataclass(frozen=True)
class Digests:
    """Which CRC32C digests are in effect."""

    header: bool = False
    data: bool = False


NO_DIGESTS = Digests()


@dataclasses.dataclass(frozen=True)
class Pdu:
    """A PDU: its BHS, AHS and data segment, and the fields that its script named."""

    header: bytes
    data: bytes = b""
    ahs: bytes = b""
    fields: dict = dataclasses.field(default_factory=dict)
    damage: int | None = None  # one bit of the byte at this offset changes on the way

    def damaged(self, offset):
        return dataclasses.replace(self, damage=offset)

    @property
    def opcode(self):
        return self.header[0] & 0x3F

    def field(self, name):
        """Its value, whether a script set it or it came over the wire."""
        offset, form = FIELDS[name]
        return struct.unpack_from(">" + form, self.header, offset)[0]

    @property
    def itt(self):
        return self.field("itt")

    @property
    def is_login(self):
        """Never with digests: they begin with the full feature phase (section 13.1)."""
        return self.opcode in (LOGIN_REQUEST, LOGIN_RESPONSE)

    @property
    def ends_command(self):
        """A SCSI Response, or a Data-In that carries the status."""
        return self.opcode == SCSI_RESPONSE or (self.opcode == DATA_IN
                                                and bool(self.header[1] & STATUS_PRESENT))

    @property
    def has_own_statsn(self):
        """Its StatSN is not only that of the next one that has (sections 11.7 to 11.19)."""
        if self.opcode == DATA_IN:
            return self.ends_command
        return self.opcode != R2T and (self.opcode, self.itt) != (NOP_IN, RESERVED_TAG)

    def wire(self, digests=NO_DIGESTS):
        """As sent. Both digests cover padding, too."""
        head, data = self.header + self.ahs, padded(self.data)
        if digests.header and not self.is_login:
            head += crc32c(head)
        if digests.data and data and not self.is_login:
            data += crc32c(data)
        wire = bytearray(head + data)
        if self.damage is not None:
            wire[self.damage] ^= 1
        return bytes(wire)


def pdu(opcode, flags=FINAL, data=b"", ahs=b"", immediate=False, length=None, **fields):
    """A PDU with these fields; `length` is a DataSegmentLength that is not that of the data."""
    header = bytearray(BHS_BYTES)
    header[0] = opcode | (0x40 if immediate else 0)
    header[1] = flags
    header[4] = len(ahs) // 4
    header[5:8] = (len(data) if length is None else length).to_bytes(3, "big")
    if opcode in (ASYNC_MESSAGE, REJECT):  # of no task
        struct.pack_into(">I", header, FIELDS["itt"][0], RESERVED_TAG)
    for name, value in fields.items():
        offset, form = FIELDS[name]
        struct.pack_into(">" + form, header, offset, value)
    return Pdu(bytes(header), data, ahs, fields)


def ahs(*segments):
    """Additional Header Segments [(type, bytes behind the type)] (section 11.2.2)."""
    return b"".join(padded(struct.pack(">HB", len(content), kind) + content)
                    for kind, content in segments)


def lun(number):
    """Peripheral device addressing, and above 255 flat space, as targets list them."""
    return struct.pack(">H6x", number | (0x4000 if number > 0xFF else 0))


def text(**keys):
    """key=value pairs; '__' in a name stands for what no Python name may hold, a '#'."""
    return b"".join(f"{key.replace('__', '#')}={value}".encode() + b"\0"
                    for key, value in keys.items())


# CDBs (SBC-4, SPC-5).
TEST_UNIT_READY = bytes(6)


def read_10(lba, blocks):
    return struct.pack(">BBIBHB", 0x28, 0, lba, 0, blocks, 0)


def write_10(lba, blocks):
    return struct.pack(">BBIBHB", 0x2A, 0, lba, 0, blocks, 0)


# ---- the PDUs of a command, with what most scripts want of them ----

BLOCK = bytes(range(256)) * 2
GOOD = 0
FIXED_SENSE = bytes.fromhex("70000300000000 0a 00000000 1101 0000 0000")  # unrecovered read error


def command(itt=1, cdb=TEST_UNIT_READY, flags=0, length=0, data=b"", extension=b"", **fields):
    return pdu(SCSI_COMMAND, FINAL | SIMPLE | flags, data, extension,
               **{"lun": lun(1), "itt": itt, "expected_data_transfer_length": length,
                  "cmdsn": itt, "exp_statsn": 1, "cdb": cdb, **fields})


def read(itt=1, length=512, **fields):
    return command(itt, read_10(itt, length // 512), READ, length, **fields)


def write(itt=1, length=512, data=b"", flags=WRITE, **fields):
    return command(itt, write_10(itt, length // 512), flags, length, data, **fields)


def response(itt=1, status=GOOD, data=b"", flags=0, **fields):
    return pdu(SCSI_RESPONSE, FINAL | flags, data,
               **{"response": 0, "status": status, "itt": itt, "statsn": 1, "exp_cmdsn": itt + 1,
                  "max_cmdsn": 64, **fields})


def data_in(itt=1, data=BLOCK, offset=0, flags=FINAL, **fields):
    if flags & STATUS_PRESENT:
        fields = {"status": GOOD, "statsn": 1, **fields}
    return pdu(DATA_IN, flags, data,
               **{"itt": itt, "exp_cmdsn": 2, "max_cmdsn": 64, "buffer_offset": offset, **fields})


def data_out(itt=1, data=BLOCK, offset=0, flags=FINAL, ttt=RESERVED_TAG, **fields):
    return pdu(DATA_OUT, flags, data, itt=itt, ttt=ttt, buffer_offset=offset, **fields)


def r2t(itt=1, ttt=1, offset=0, length=512, **fields):
    return pdu(R2T, **{"lun": lun(1), "itt": itt, "ttt": ttt, "statsn": 1, "exp_cmdsn": 2,
                       "max_cmdsn": 64, "buffer_offset": offset,
                       "desired_data_transfer_length": length, **fields})


def with_length(sense):
    """The data segment of a SCSI Response (section 11.4.7.1)."""
    return struct.pack(">H", len(sense)) + sense

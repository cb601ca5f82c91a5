# SPDX-License-Identifier: Apache-2.0
"""The types of devices that tgtd emulates, and commands of each by the name of its own standard."""

import dataclasses

BARCODES = ("LUNS01", "LUNS02")


@dataclasses.dataclass(frozen=True)
class Row:
    """A command with `length` bytes to read, or `data` to write.

    `tshark` is what tshark 4.0.17 calls it where that is more than another spelling; "" where it
    has no name.
    """

    name: str
    cdb: bytes
    length: int = 0
    data: bytes = b""
    tshark: str | None = None


def _row(name, cdb, *rest, **more):
    return Row(name, bytes.fromhex(cdb).ljust(16, b"\0"), *rest, **more)


INQUIRY = _row("Inquiry", "12 00 00 00 24 00", 36)

# By tgtadm's word for the type. READ POSITION has no service action here, and is so named.
COMMANDS = {
    "tape": [  # SSC-4
        _row("Read Block Limits", "05", 6),
        _row("Rewind", "01"),
        _row("Write(6)", "0a 00 00 00 04", data=b"data"),
        _row("Write filemarks(6)", "10 00 00 00 01"),
        _row("Rewind", "01"),
        _row("Read(6)", "08 00 00 00 04", 4),
        _row("Space(6)", "11 01 00 00 01"),
        _row("Space(6)", "11 03"),
        _row("Read position, short form - block id", "34", 20, tshark="Read Position"),
        _row("Mode sense(6)", "1a 00 00 00 04", 4),
        _row("Report density support", "44 00 00 00 00 00 00 00 40", 64),
        _row("Load unload", "1b 00 00 00 00"),
        _row("Load unload", "1b 00 00 00 01"),
        _row("Read reverse(6)", "0f 00 00 00 04", 4),
        _row("Erase(6)", "19"),
        _row("Set capacity", "0b"),
        _row("Locate(10)", "2b"),
        _row("Write filemarks(16)", "80"),
        _row("Allow overwrite", "82", tshark=""),
        _row("Space(16)", "91"),
        _row("Locate(16)", "92"),
        _row("Erase(16)", "93"),
    ],
    "changer": [  # SMC-3. tgtd 1.0.85 dies of an element status of all types at once.
        _row("Initialize element status", "07"),
        _row("Read element status", "b8 12 03 e8 00 02 00 00 10 00", 4096),
        _row("Move medium", "a5 00 00 01 03 e8 03 e9"),
        _row("Move medium", "a5 00 00 01 03 e9 01 f4"),
        _row("Position to element", "2b 00 00 01 03 e8"),
        _row("Initialize element status with range", "37"),
        _row("Exchange medium", "a6", tshark=""),
        _row("Request volume element address", "b5", 8),
        _row("Open/close import/export element", "1b"),
        _row("Reserve element(6)", "16", tshark="Reserve(6)"),
    ],
    "cd": [  # MMC-6
        _row("Read TOC/PMA/ATIP", "43 00 00 00 00 00 00 00 0c", 12),
        _row("Read capacity(10)", "25", 8),
        _row("Read disk information", "51 00 00 00 00 00 00 00 20", 32,
             tshark="Read Disc Information"),
        _row("Read track information", "52 01 00 00 00 01 00 00 20", 32),
        _row("Get configuration", "46 00 00 00 00 00 00 00 08", 8),
        _row("Get event status notification", "4a 01 00 00 10 00 00 00 08", 8),
        _row("Start stop unit", "1b 00 00 00 01"),
        _row("Read sub-channel", "42 00 40 01 00 00 00 00 04", 4, tshark=""),
        _row("Report key", "a4 00 00 00 00 00 00 00 00 08", 8),
        _row("Send key", "a3", tshark="Mgmt Protocol In"),
        _row("Mechanism status", "bd 00 00 00 00 00 00 00 00 08", 8, tshark=""),
        _row("Play audio(12)", "a5", tshark=""),
    ],
    "disk": [  # SBC-4, and what the others have other commands for
        _row("Read(10)", "28 00 00 00 00 00 00 00 01", 512),
        _row("Synchronize cache(16)", "91"),
        _row("Unmap", "42 00 00 00 00 00 00 00 00"),
        _row("Pre-fetch(10)", "34"),
        _row("Seek(10)", "2b", tshark="Seek(10)"),
        _row("Rezero Unit", "01", tshark=""),
        _row("Start stop unit", "1b 00 00 00 01"),
    ],
    "osd": [_row("Test Unit Ready", "00")],
    "controller": [_row("Test Unit Ready", "00")],
}


def add_devices(target):
    """One of each type. Returns {type: LUN}; tgtd's own controller is LUN 0."""
    luns = {"controller": 0, "disk": target.add_lun(), "tape": target.add_tape(BARCODES[0])}
    luns["changer"] = target.add_changer(BARCODES[1], luns["tape"])
    return luns | {kind: target.add_lun(device_type=kind) for kind in ("cd", "osd")}

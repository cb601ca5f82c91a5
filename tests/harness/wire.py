# SPDX-License-Identifier: Apache-2.0
"""A wire between two hosts, and what it does to packets: a program that network.py runs.

Each host is a network namespace with a TUN device; what one device sends, this program reads and
writes to the other, or not, or later, or twice. Both ends are the kernel's own TCP. Namespaces and
devices are this process's, and go with it, however it ends. After "ready", with the descriptors of
the two namespaces, it works until SIGTERM, and then says how often it did what.
"""

import argparse
import collections
import ctypes
import errno
import fcntl
import json
import os
import random
import select
import signal
import struct
import sys
import time

_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _TUNSETOFFLOAD = 0x400454CA, 0x400454D0
_IFF_TUN, _IFF_NO_PI, _IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
_OFFLOADS = 0x01 | 0x02 | 0x04  # checksums, and TCP segments of 64 KiB over IPv4 and IPv6

# The header before a packet (struct virtio_net_hdr): flags, kind of a large segment, and where the
# checksum lies. With _NEEDS_CHECKSUM it is not filled in yet, and the receiver takes it as right.
_VNET_BYTES = 10
_NEEDS_CHECKSUM = 1
_TCP, _TCP_CHECKSUM, _SYN = 6, 16, 2

# The faults of a packet. A fault that does not fit it (no payload to forge) leaves it alone.
FAULTS = ("drop", "reorder", "duplicate", "forge", "overlap")
_HELD_SECONDS = 0.002  # a packet is held back no longer than this when nothing else passes
_INVERTED = bytes(255 - byte for byte in range(256))


class Packet:
    """A TCP packet, as read from a TUN device."""

    def __init__(self, data):
        self.data = data
        self.is_ipv6 = data[_VNET_BYTES] >> 4 == 6
        self.tcp = _VNET_BYTES + (40 if self.is_ipv6 else (data[_VNET_BYTES] & 15) * 4)
        self.payload = self.tcp + (data[self.tcp + 12] >> 4) * 4
        self.flow = data[self.tcp:self.tcp + 4]
        self.seq = struct.unpack_from(">I", data, self.tcp + 4)[0]
        self.end = self.seq + len(data) - self.payload & 0xFFFFFFFF

    @classmethod
    def read(cls, data):
        """None: not TCP."""
        protocol = data[_VNET_BYTES + (6 if data[_VNET_BYTES] >> 4 == 6 else 9)]
        return cls(data) if protocol == _TCP else None

    @property
    def is_exempt(self):
        """A lost SYN is only sent again after a second, and has nothing in it."""
        return bool(self.data[self.tcp + 13] & _SYN)

    @property
    def has_one_segment(self):
        """Not so: no payload, or a large segment, which others will cut."""
        return self.end != self.seq and self.data[1] == 0

    def forged(self):
        """The same segment with other content."""
        return self._with(self.seq, self.data[self.payload:].translate(_INVERTED))

    def joined(self, previous):
        """One segment of the previous payload and this one's; None: they do not adjoin."""
        adjoins = (previous.flow, previous.end) == (self.flow, self.seq)
        if not adjoins or not previous.has_one_segment:
            return None
        return self._with(previous.seq, previous.data[previous.payload:] +
                          self.data[self.payload:])

    def _with(self, seq, payload):
        tcp, ip = self.tcp, _VNET_BYTES
        data = bytearray(self.data[:self.payload] + payload)
        struct.pack_into("<BxHHHH", data, 0, _NEEDS_CHECKSUM, 0, 0, tcp - ip, _TCP_CHECKSUM)
        struct.pack_into(">I", data, tcp + 4, seq)
        if self.is_ipv6:
            struct.pack_into(">H", data, ip + 4, len(data) - tcp)
        else:
            struct.pack_into(">H", data, ip + 2, len(data) - ip)
            struct.pack_into(">H", data, ip + 10, 0)
            total = sum(struct.unpack_from(f">{(tcp - ip) // 2}H", data, ip))
            total = (total & 0xFFFF) + (total >> 16)
            struct.pack_into(">H", data, ip + 10, ~(total + (total >> 16)) & 0xFFFF)
        return bytes(data)


class Direction:
    """The packets that one device sends and the other receives."""

    def __init__(self, sink, percent, seed, counts):
        self._sink = sink
        self._delay = percent["delay"] / 1000
        self._due = collections.deque()  # (time, data), in order
        self._percent = percent
        self._random = random.Random(seed)
        self._counts = counts
        self._held = []  # (number of the packet after which this one follows, data)
        self._number = 0
        self._previous = None

    def take(self, data):
        self._number += 1
        packet = Packet.read(data)
        fault = None if packet is None or packet.is_exempt else self._draw()
        altered = self._altered(packet, fault)
        if fault in ("forge", "overlap") and altered is None:
            fault = None
        self._previous = packet
        self._pass_on(data, fault, altered)
        due = [held for number, held in self._held if number <= self._number]
        self._held = [held for held in self._held if held[0] > self._number]
        for late in due:
            self._write(late)

    def _altered(self, packet, fault):
        """The packet that comes behind this one, or in its place; None: the fault does not fit."""
        if fault == "forge" and packet.has_one_segment:
            return packet.forged()
        if fault == "overlap" and packet.has_one_segment and self._previous is not None:
            return packet.joined(self._previous)
        return None

    def _draw(self):
        number = self._random.random() * 100
        for fault in FAULTS:
            number -= self._percent[fault]
            if number < 0:
                return fault
        return None

    def _pass_on(self, data, fault, altered):
        self._counts[fault or "pass"] += 1
        if fault not in ("drop", "reorder"):
            # A forged segment comes behind the true one; an overlapping one takes its place.
            self._write(altered if fault == "overlap" else data)
        if fault == "forge":
            self._write(altered)
        if fault in ("reorder", "duplicate"):
            self._held.append((self._number + self._random.randint(1, 8), data))

    def write_held(self):
        for _, data in self._held:
            self._write(data)
        self._held = []

    def _write(self, data):
        if self._delay:
            self._due.append((time.monotonic() + self._delay, data))
        else:
            self._deliver(data)

    def write_due(self):
        """Deliver what has been on its way for long enough. Returns when the next packet is due."""
        while self._due and self._due[0][0] <= time.monotonic():
            self._deliver(self._due.popleft()[1])
        return self._due[0][0] if self._due else None

    def _deliver(self, data):
        try:
            os.write(self._sink, data)
        except OSError as error:
            if error.errno != errno.EIO:  # the device is not up yet: nobody is there to receive
                raise


def make_host(has_offloads):
    """A namespace of its own with a TUN device `wire`: the descriptors of both."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, _TUNSETIFF,
                struct.pack("16sH22x", b"wire", _IFF_TUN | _IFF_NO_PI | _IFF_VNET_HDR))
    fcntl.ioctl(device, _TUNSETOFFLOAD, _OFFLOADS if has_offloads else 0)
    return os.open("/proc/self/ns/net", os.O_RDONLY), device


def work(directions):
    """Carry packets until a signal raises SystemExit."""
    while True:
        due = [moment for direction in directions.values() if (moment := direction.write_due())]
        # select() waits by the microsecond, poll() by the millisecond.
        left = min(due) - time.monotonic() if due else _HELD_SECONDS
        ready = select.select(directions, [], [], max(0, min(left, _HELD_SECONDS)))[0]
        for device in ready:
            directions[device].take(os.read(device, 1 << 17))
        if not ready and not due:
            for direction in directions.values():
                direction.write_held()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=7143)
    parser.add_argument("--offloads", action="store_true")
    parser.add_argument("--delay", type=float, default=0, metavar="MILLISECONDS",
                        help="of each packet, in each direction")
    for fault in FAULTS:
        parser.add_argument(f"--{fault}", type=float, default=0, metavar="PERCENT")
    options = parser.parse_args()
    counts = dict.fromkeys((*FAULTS, "pass"), 0)
    (one, device), (other, opposite) = (make_host(options.offloads) for _ in range(2))
    directions = {device: Direction(opposite, vars(options), options.seed, counts),
                  opposite: Direction(device, vars(options), options.seed + 1, counts)}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    print(f"ready {one} {other}", flush=True)
    try:
        work(directions)
    finally:
        print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""A simple way to see iSCSI commands without lunscope: a proxy. It reads one PDU at a time, header
and data apart, looks at it, and sends both on.

  proxy.py PORT [--nodelay]    prints the port that it listens on; ends when it is killed
"""

import socket
import sys
import threading

BHS_BYTES = 48


def read_exactly(peer, length):
    data = bytearray()
    while len(data) < length:
        more = peer.recv(length - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def pass_on(source, destination, seen):
    """Without digests: a PDU is its header, its AHS and its data, each padded to 4 bytes."""
    try:
        while True:
            header = read_exactly(source, BHS_BYTES)
            seen[header[0] & 0x3F] = seen.get(header[0] & 0x3F, 0) + 1
            length = 4 * header[4] + (int.from_bytes(header[5:8], "big") + 3) // 4 * 4
            destination.sendall(header)
            if length:
                destination.sendall(read_exactly(source, length))
    except (ConnectionError, OSError):
        for end in (source, destination):
            end.close()


def main():
    port = int(sys.argv[1])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            initiator = listener.accept()[0]
            target = socket.create_connection(("127.0.0.1", port))
            for end in (initiator, target):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, "--nodelay" in sys.argv)
            for ends in ((initiator, target), (target, initiator)):
                threading.Thread(target=pass_on, args=(*ends, {}), daemon=True).start()


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Two hosts of the test's own, network namespaces, and a wire between them that can be bad."""

import contextlib
import ctypes
import json
import pathlib
import re
import signal
import sys

from harness.process import Process, run, wait_until

_WIRE = pathlib.Path(__file__).with_name("wire.py")
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _set_namespace(file):
    if _libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Host:
    """One end of the wire."""

    def __init__(self, namespace, address):
        self.address = address
        self._namespace = namespace
        self.prefix = ["nsenter", f"--net={namespace}"]

    def run(self, *words, **options):
        return run([*self.prefix, *words], **options)

    @contextlib.contextmanager
    def entered(self):
        """This thread is on the host: sockets that it makes here stay there."""
        with open("/proc/thread-self/ns/net", "rb") as home, open(self._namespace, "rb") as here:
            _set_namespace(here)
            try:
                yield
            finally:
                _set_namespace(home)

    def refuse(self, hook, percent):
        """This share of its segments is dropped by its own firewall, before a device has them."""
        self.run("nft", f"""table inet lunscope {{
            chain {hook} {{
                type filter hook {hook} priority 0
                tcp flags & syn == 0 numgen random mod 100 < {percent} counter drop
            }}
        }}""")

    def refused(self):
        """How many were."""
        rules = self.run("nft", "list", "ruleset")[1]
        return sum(map(int, re.findall(r"counter packets (\d+)", rules)))

    def configure(self, peer, mtu, link, route):
        """Its address and a route; `link` and `route` are words of ip-link(8) and ip-route(8)."""
        bits, words = (128, ["nodad"]) if ":" in peer.address else (32, [])
        there = f"{peer.address}/{bits}"
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "set", "wire", "mtu", mtu, *link, "up")
        self.run("ip", "address", "add", self.address, "peer", there, "dev", "wire", *words)
        # Lost segments are sent again after 20 ms, not 200: more can be lost in a test's time.
        again = [] if "rto_min" in route else ["rto_min", "20ms"]
        self.run("ip", "route", "replace", there, "dev", "wire", "src", self.address, *again,
                 *route)


@contextlib.contextmanager
def lonely_host():
    """A host that is alone in its network, and an address of that network. It asks for that address
    for 0.3 s, not 3: meanwhile TCP would send its SYN again, and that is another story.
    """
    with Process(["unshare", "--net", "sleep", "infinity"]) as process:
        namespace = f"/proc/{process.pid}/ns/net"
        home = pathlib.Path("/proc/self/ns/net").readlink()
        wait_until(lambda: pathlib.Path(namespace).readlink() != home, 30, "the namespace")
        host = Host(namespace, "10.71.43.1")
        host.run("ip", "link", "add", "wire", "type", "veth", "peer", "name", "end")
        for device in ("lo", "end", "wire"):  # the host says it to itself, through lo
            host.run("ip", "link", "set", device, "up")
        host.run("ip", "address", "add", f"{host.address}/24", "dev", "wire")
        host.run("sysctl", "-qw", "net.ipv4.neigh.wire.retrans_time_ms=100")
        yield host, "10.71.43.2"


class Network:
    """`initiator` and `target`, hosts, and what happens to packets between them: see wire.py.

    `faults` are percentages by name; `offloads`: segments of 64 KiB pass in one piece; `refuse`:
    a hook of each host's firewall that drops 5 % of what it sends; `delay`: milliseconds that each
    packet takes.
    """

    def __init__(self, ipv6=False, offloads=False, mtu=1500, link=(), route=(), refuse=None,
                 delay=0, **faults):
        self._refuse = refuse
        self._addresses = ("fd00:7143::1", "fd00:7143::2") if ipv6 else ("10.71.43.1", "10.71.43.2")
        self._link = (mtu, link, route)
        words = [word for fault, percent in {**faults, "delay": delay}.items()
                 for word in (f"--{fault}", percent)] + ["--offloads"] * offloads
        # A wire that waits for a CPU has a delay of its own.
        self._command = [*["nice", "-n", "-10"] * bool(delay), sys.executable, _WIRE, *words]
        self._faults = faults
        self.process = self.initiator = self.target = None

    def __enter__(self):
        self.process = Process(self._command)
        try:
            namespaces = wait_until(self._ready, 30, "the wire")
            self.initiator, self.target = map(Host, namespaces, self._addresses)
            self.initiator.configure(self.target, *self._link)
            self.target.configure(self.initiator, *self._link)
            if self._refuse:
                for host in (self.initiator, self.target):
                    host.refuse(self._refuse, 5)
        except BaseException:
            self.process.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.__exit__()

    def _ready(self):
        if not self.process.running:
            raise RuntimeError(f"the wire broke: {self.process.stderr}")
        words = self.process.stdout.decode().split()
        return [f"/proc/{self.process.pid}/fd/{word}" for word in words[1:3]]

    def stop(self):
        """Cut the wire. Returns how many packets had each fault that was asked for."""
        refused = self._refuse and [self.initiator.refused(), self.target.refused()]
        self.process.signal(signal.SIGTERM)
        if self.process.wait(30) != 0:
            raise RuntimeError(f"the wire broke: {self.process.stderr}")
        counts = json.loads(self.process.stdout.decode().splitlines()[-1])
        counts = {fault: counts[fault] for fault in self._faults}
        return counts | ({"refused": min(refused)} if refused else {})

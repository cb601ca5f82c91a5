# SPDX-License-Identifier: Apache-2.0
"""Makes docs/pictures: each dashboard under a fault that is made on purpose, for scripts/pictures.

LUNSCOPE_RENDERER is the folder of the renderer with its packages, LUNSCOPE_PICTURES that of the
pictures. Each test checks that the finding and the guilty part stand in the picture.
"""

import contextlib
import os
import pathlib
import signal
import sys
import threading
import time

from harness.attribution import Commands, read, write
from harness.case import LiveTest, main
from harness.dialogue import I, Stage, T, login_request, login_response
from harness.faults import names, numbered
from harness.lunscope import Serve
from harness.network import Network
from harness.pdus import TEST_UNIT_READY, data_in, lun, response
from harness.pdus import read as read_pdu
from harness.perf import Perf
from harness.process import ROOT, Process, free_port, wait_until
from harness.scripted import Initiator
from harness.tgtd import Tgtd

sys.path.insert(0, str(ROOT / "tests" / "dashboards"))
import pictures  # noqa: E402  (needs the path above)
from prometheus import Prometheus  # noqa: E402

RENDERER = os.environ["LUNSCOPE_RENDERER"]
FOLDER = pathlib.Path(os.environ["LUNSCOPE_PICTURES"])
MOST_BYTES = 150_000
GOOD_SECONDS, BAD_SECONDS = 20, 25
PAUSE = 0.01  # between commands of a load that has to share the machine
LATE = 0.06
# The hosts of a Network have no name in /run/netns. lunscope finds them by their processes.
UNNAMED = ["--keep-capability", "CAP_SYS_ADMIN", "--keep-capability", "CAP_SYS_PTRACE"]
GUEST = ("qemu-system-x86_64 -accel tcg -machine q35 -nodefaults -display none -nic none -drive "
         "file={url},if=none,id=disk,format=raw -device virtio-blk-pci,drive=disk -name {name} "
         "-boot reboot-timeout=500")
MAIL, WEB, DATABASE = (f"iqn.2024-01.org.example:{name}" for name in ("mail", "web", "database"))


@contextlib.contextmanager
def thread(work):
    """work(goes_on) in a thread, which is to return when goes_on() is false."""
    ends = threading.Event()
    runs = threading.Thread(target=work, args=[lambda: not ends.is_set()])
    runs.start()
    try:
        yield
    finally:
        ends.set()
        runs.join()


def load(initiator, target):
    """Reads and writes, one at a time."""
    def work(goes_on):
        initiator.login(f"{target}-client".encode(), target.encode())
        initiator.run([(TEST_UNIT_READY, 0)])  # takes the first unit attention
        commands = Commands(initiator)
        while goes_on():
            commands.time(read(4096), 1).time(write(8192), 1)
            time.sleep(PAUSE)
    return thread(work)


class Pictures(LiveTest):

    def setUp(self):
        super().setUp()
        self.undo = self.use(contextlib.ExitStack())

    def watch(self, *ports, **more):
        serve = self.use(Serve(*ports, **more))
        prometheus = self.use(Prometheus(serve.address))
        prometheus.wait_for_samples(1)
        self.began = time.time()
        return prometheus

    def until_found(self, prometheus, finding, **labels):
        """The fault has lasted, and its finding is in Prometheus."""
        time.sleep(BAD_SECONDS)
        words = ",".join(f'{name}="{value}"'
                         for name, value in {"finding": finding, **labels}.items())
        wait_until(lambda: prometheus.query(f"lunscope_finding{{{words}}} == 1"), 120, finding)
        prometheus.wait_for_samples(
            float(prometheus.query("sum_over_time(up[1h])")[0]["value"][1]) + 2)

    def draw(self, prometheus, uid, fault, variables, *expected):
        span = {"start": int(self.began), "end": int(time.time()) - 1, "step": pictures.STEP_S}
        described = pictures.page(prometheus.url, ROOT / "dashboards" / f"{uid}.json", variables,
                                  fault, span)
        png = FOLDER / f"{uid}.png"
        svg = pictures.draw(described, RENDERER, png)
        for words in expected:
            self.assertIn(words, svg)
        self.assertLessEqual(png.stat().st_size, MOST_BYTES)

    def test_overview(self):
        """A backend that takes 60 ms, beside targets without a fault."""
        tgtd, stage = self.use(Tgtd()), self.use(Stage())
        for name in (MAIL, WEB):
            tgtd.add_target(name).add_lun()
        prometheus = self.watch(tgtd.port, stage.port)
        for name in (MAIL, WEB):
            self.use(load(self.use(Initiator(tgtd.port)), name))
        self.use(Process(GUEST.format(url=tgtd.targets[0].url(1), name="mail").split()))
        conversation = self.use(stage.connect())
        conversation.say([I(login_request(names(f"{DATABASE}-client", DATABASE), names=False)),
                          T(login_response())])

        def work(goes_on):
            itt = 0
            while goes_on():
                itt += 1
                conversation.say([I(read_pdu(itt, lun=lun(2)))])
                time.sleep(LATE if time.time() > self.began + GOOD_SECONDS else 0.002)
                conversation.say([T(data_in(itt), response(itt, **numbered(itt)))])
                time.sleep(PAUSE)
        with thread(work):
            time.sleep(GOOD_SECONDS)
            self.until_found(prometheus, "slow-backend", target=DATABASE, lun="2")
            self.draw(prometheus, "lunscope-overview", "a slow backend behind one LUN",
                      {"role": "target"}, ">slow-backend<", "service   max", f">{DATABASE}<")

    def test_lun(self):
        """A network that takes 15 ms for each packet, after one that takes none."""
        port = free_port()
        prometheus = self.watch(port, options=UNNAMED)
        for delay in (0, 15):
            with Network(route=["congctl", "reno"], delay=delay) as network, \
                    Tgtd(network.target.prefix, [network.target.address], port) as tgtd:
                tgtd.add_target(MAIL).add_lun()
                self.use(Process([*network.initiator.prefix, "sleep", "infinity"]))
                with network.initiator.entered():
                    initiator = self.use(Initiator(port, network.target.address))
                with load(initiator, MAIL):
                    if not delay:
                        time.sleep(GOOD_SECONDS)
                        continue
                    self.until_found(prometheus, "slow-answers", target=MAIL)
                    self.draw(prometheus, "lunscope-lun", "a network that takes 15 ms each way",
                              {"target": MAIL, "lun": "1"}, ">slow-answers<", "wait   max",
                              ">network<")

    def test_session(self):
        """The target's process stands still."""
        tgtd = self.use(Tgtd())
        for name in (MAIL, WEB):
            tgtd.add_target(name).add_lun()
        prometheus = self.watch(tgtd.port)
        for target in tgtd.targets:
            self.use(Process(GUEST.format(url=target.url(1), name="guest").split()))
        time.sleep(GOOD_SECONDS)
        tgtd.process.signal(signal.SIGSTOP)
        self.undo.callback(tgtd.process.signal, signal.SIGCONT)
        self.until_found(prometheus, "target-stopped")
        self.draw(prometheus, "lunscope-session", "the target's process stands still",
                  {"role": "target"}, ">target-stopped<")

    def test_host(self):
        """An initiator's process that stands still, while the target sends."""
        tgtd = self.use(Tgtd())
        for name in (MAIL, WEB):
            tgtd.add_target(name).add_lun()
        prometheus = self.watch(tgtd.port)
        self.use(load(self.use(Initiator(tgtd.port)), WEB))
        self.use(Process(GUEST.format(url=tgtd.targets[1].url(1), name="web").split()))
        stopped = self.use(Perf(tgtd.targets[0].url(1), "-m", "64", "-b", "2048",
                                prefix=["nice", "-n", "19"]))
        time.sleep(GOOD_SECONDS)
        stopped.signal(signal.SIGSTOP)
        self.undo.callback(stopped.signal, signal.SIGCONT)
        self.until_found(prometheus, "initiator-not-reading", role="initiator")
        self.draw(prometheus, "lunscope-host", "an initiator's process stands still", {},
                  ">initiator-not-reading<", ">iscsi-perf<")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""istgt, a second target in user space: what it agrees on, refuses, and says of its disk.

That its commands are counted as tshark and the initiators count them, live.tools shows.
"""

from harness.capture import Capture, count_logins
from harness.case import LiveTest, main
from harness.compare import ROLES, check_names, check_nothing_lost, check_same_commands
from harness.istgt import LUN, PRODUCT, VENDOR, Istgt
from harness.lunscope import Serve, Trace
from harness.pdus import read_10
from harness.process import run
from harness.scripted import BLOCK, Initiator

INITIATOR = b"iqn.2026-01.org.lunscope.test:reader"
USER, PASSWORD = "somebody", "a-secret-of-istgt"
AUTHENTICATION_FAILED = 0x0201  # RFC 7143 section 11.13.5
BLOCKS = 64
AGREEMENTS = [(header, data) for header in (b"None", b"CRC32C") for data in (b"None", b"CRC32C")]


class WithIstgt(LiveTest):

    def check(self, metrics, records, commands):
        check_nothing_lost(self, metrics)
        check_names(self, records)
        check_same_commands(self, records, commands)

    def test_digests(self):
        """Reads with every agreement; the initiator checks what istgt computed."""
        with Istgt() as istgt, Capture(istgt.port) as capture, Serve(istgt.port) as serve, \
                Trace(istgt.port) as trace:
            for header, data in AGREEMENTS:
                with Initiator(istgt.port) as initiator:
                    self.assertEqual(initiator.login(INITIATOR, istgt.name.encode(), header, data),
                                     (0, 0))
                    self.assertEqual((initiator.digests.header, initiator.digests.data),
                                     (header == b"CRC32C", data == b"CRC32C"))
                    for lba in range(BLOCKS):  # tshark loses what is behind a data digest
                        initiator.run([(read_10(lba, 1), BLOCK)], lun_number=LUN)
            metrics = serve.settled()
            trace.stop()
            records = trace.records()
            commands = capture.commands()
        self.check(metrics, records, commands)
        self.assertEqual(len(commands), len(AGREEMENTS) * BLOCKS)
        self.assertEqual(metrics.total("header_digest_errors_total"), 0)

    def test_who_it_is(self):
        """Its INQUIRY names the disk; with a password, which is nowhere, and without."""
        with Istgt(account=(USER, PASSWORD)) as istgt, Capture(istgt.port) as capture, \
                Serve(istgt.port) as serve, Trace(istgt.port) as trace:
            run(["iscsi-inq", istgt.lun_url(f"{USER}%{PASSWORD}")])
            code, _, _, _ = run(["iscsi-inq", istgt.lun_url(f"{USER}%wrong")], check=False)
            self.assertNotEqual(code, 0)
            metrics = serve.settled()
            trace.stop()
            output = trace.output.decode() + metrics.text
            capture.stop()
            # istgt may close a connection, and libiscsi then logs in again.
            logins = count_logins(capture.file, istgt.port)
        self.assertGreaterEqual(min(logins["completed"], logins[AUTHENTICATION_FAILED]), 1)
        for role in ROLES:
            labels = {"role": role, "target": istgt.name}
            self.assertEqual(metrics.total("logins_total", **labels), logins["completed"])
            self.assertEqual(metrics.total("login_failures_total", status="authentication_failure",
                                           **labels), logins[AUTHENTICATION_FAILED])
            self.assertEqual(metrics.total("lun_info", lun=str(LUN), vendor=VENDOR, model=PRODUCT,
                                           **labels), 1)
        self.assertNotIn(PASSWORD, output)
        self.assertNotIn(USER, output)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""What `lunscope check` says where there are modules, LIO, kernel TLS and lockdown to be had.

Loads modules and changes settings of the kernel, so it runs in a guest and nowhere else:

    sudo tests/vm/run 6.1 -- python3 tests/vm/test_check.py
"""

import os
import pathlib
import re
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))

# pylint: disable=wrong-import-position
from checked import Checked, loaded_modules, symbol_states  # noqa: E402
from harness import LiveTest, free_port, main, run  # noqa: E402
from surroundings import without  # noqa: E402

MODULES = ("iscsi_tcp", "libiscsi_tcp", "iscsi_target_mod", "target_core_mod", "scsi_mod")
HOOK = "fentry/skb_prepare_seq_read"
CONFIGFS = pathlib.Path("/sys/kernel/config")
LOCKDOWN = pathlib.Path("/sys/kernel/security/lockdown")
KPTR_RESTRICT = pathlib.Path("/proc/sys/kernel/kptr_restrict")
UNSUPPORTED = 3

# linux/tcp.h, linux/tls.h: AES-GCM-128 of TLS 1.2, with a key of zeroes.
_TCP_ULP, _SOL_TLS, _TLS_TX = 31, 282, 1
_TLS_ALGORITHMS = ("aes_generic", "ctr", "ghash_generic", "gcm")
_TLS_KEY = struct.pack("=HH36x", 0x0303, 51)


class GuestTest(LiveTest):

    @classmethod
    def setUpClass(cls):
        if not os.path.exists("/run/vm/job"):
            raise RuntimeError("this test changes the kernel: start it with tests/vm/run")
        if not os.path.ismount(CONFIGFS):
            run(["modprobe", "configfs"])
            run(["mount", "-t", "configfs", "none", CONFIGFS])
        if not LOCKDOWN.exists():
            run(["mount", "-t", "securityfs", "none", LOCKDOWN.parent])

    def check_kernel_is_well(self):
        self.assertEqual(re.findall(r"BUG: .*|Oops: .*", run(["dmesg"])[1]), [])


class Guest(GuestTest):

    def test_hook_of_the_kernel_initiator(self):
        """It is of the kernel itself: the module may come and go."""
        hook = Checked().one("hooks", HOOK)
        self.assertEqual((hook["state"], hook["attached"]), ("ok", True))
        run(["modprobe", "iscsi_tcp"])
        self.assertEqual(Checked().one("hooks", HOOK), hook)
        run(["modprobe", "-r", "iscsi_tcp"])
        self.check_kernel_is_well()

    def test_modules(self):
        run(["modprobe", "-a", "iscsi_tcp", "iscsi_target_mod"])
        self.assertLessEqual(set(MODULES), loaded_modules())
        self.assertEqual([(module["name"], module["presence"], module["btf"])
                          for module in Checked().all("modules")],
                         [(name, "loaded", True) for name in MODULES])

    def test_symbols_that_are_hidden(self):
        before = KPTR_RESTRICT.read_text()
        self.addCleanup(KPTR_RESTRICT.write_text, before)
        # setting, taken away, what the states are, what has to be done
        for setting, names, state, reason in (("0", (), "known", ""),
                                              ("1", ("syslog",), "hidden", "CAP_SYSLOG"),
                                              ("2", (), "hidden", "kptr_restrict is 2")):
            with self.subTest(kptr_restrict=setting, without=names):
                KPTR_RESTRICT.write_text(setting)
                prefix = without(*names) if names else []
                expected = symbol_states(prefix)
                self.assertEqual(set(expected.values()), {state})
                symbols = Checked(prefix=prefix).one("kernel", "symbols")
                self.assertEqual({name: symbols[name] for name in expected}, expected)
                self.assertIn(reason, symbols["detail"])

    def test_portals_of_lio(self):
        run(["modprobe", "iscsi_target_mod"])
        port = free_port()
        fabric = CONFIGFS / "target" / "iscsi"
        folders = [fabric, fabric / "iqn.2024-01.org.lunscope.test:check"]
        folders += [folders[-1] / "tpgt_1", folders[-1] / "tpgt_1/np" / f"127.0.0.1:{port}"]
        for folder in folders:
            folder.mkdir(exist_ok=True)
            self.addCleanup(folder.rmdir)

        def others(*ports):
            return [(finding["address"], finding["source"], finding["state"])
                    for finding in Checked(*ports).all("portals", "other port")]
        self.assertEqual(others(), [(f"127.0.0.1:{port}", "configfs", "warn")])
        self.assertEqual(others(port), [])
        self.assertEqual(Checked(port).one("portals", f"port {port}")["listeners"],
                         [f"127.0.0.1:{port}"])

    def test_traffic_that_cannot_be_seen(self):
        self.assertEqual([finding["state"] for finding in Checked().all("unseen")], ["ok"])
        drivers = ("ib_iser", "ib_isert", "cxgb4i")
        run(["modprobe", "-a", *drivers])
        self.addCleanup(run, ["modprobe", "-r", "-a", *drivers])
        self.assertEqual({(finding["name"], finding["state"], finding["count"])
                          for finding in Checked().all("unseen")},
                         {("iSER initiator", "note", 0), ("iSER target", "note", 0),
                          ("offload cxgb4i", "note", 0)})

    def test_kernel_tls(self):
        # A guest's kernel finds no modprobe to fetch these by itself.
        run(["modprobe", "-a", "tls", *_TLS_ALGORITHMS])

        def sockets():
            return [finding["count"] for finding in Checked().all("unseen", "kernel TLS")]
        self.assertEqual(sockets(), [])
        with socket.create_server(("127.0.0.1", 0)) as listener, \
                socket.create_connection(listener.getsockname()) as client, \
                listener.accept()[0] as server:
            for number, end in enumerate((client, server), 1):
                end.setsockopt(socket.IPPROTO_TCP, _TCP_ULP, b"tls")
                end.setsockopt(_SOL_TLS, _TLS_TX, _TLS_KEY)
                self.assertEqual(sockets(), [number])
        self.assertEqual(sockets(), [])


class WithLockdown(GuestTest):
    """Behind the others by its name: lockdown is never taken back."""

    def test_lockdown(self):
        run(["modprobe", "iscsi_tcp"])
        before = Checked()
        LOCKDOWN.write_text("integrity")
        checked = Checked()
        self.assertEqual(checked.one("kernel", "lockdown")["mode"], "integrity")
        self.assertEqual(checked.code, before.code)
        self.assertTrue(checked.one("hooks", HOOK)["attached"])
        LOCKDOWN.write_text("confidentiality")
        checked = Checked()
        self.assertEqual(checked.one("kernel", "lockdown")["mode"], "confidentiality")
        self.assertEqual(checked.code, UNSUPPORTED)
        self.assertIn("lockdown=integrity", checked.one("hooks", "load")["detail"])
        self.check_kernel_is_well()


if __name__ == "__main__":
    main()

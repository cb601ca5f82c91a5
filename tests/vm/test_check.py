# SPDX-License-Identifier: Apache-2.0
"""`lunscope check` where the kernel has modules, LIO, kernel TLS and lockdown."""

import pathlib
import socket
import struct

from harness import kernels_page
from harness.case import main
from harness.checked import Checked, loaded_modules, symbol_states
from harness.process import run
from harness.surroundings import without

from guest import GuestTest, load, unload
from lio import Lio

MODULES = ("iscsi_tcp", "libiscsi_tcp", "iscsi_target_mod", "target_core_mod", "scsi_mod")
HOOK = "fentry/skb_prepare_seq_read"
LOCKDOWN = pathlib.Path("/sys/kernel/security/lockdown")
UNSUPPORTED = 3

# linux/tcp.h, linux/tls.h: AES-GCM-128 of TLS 1.2, with a key of zeroes.
_TCP_ULP, _SOL_TLS, _TLS_TX = 31, 282, 1
_TLS_KEY = struct.pack("=HH36x", 0x0303, 51)

# Without these no hook is tried, which takes an emulated machine a while: for all other findings.
_NO_HOOKS = ("sys_admin", "bpf")


def checked_without_hooks(*ports):
    return Checked(*ports, prefix=without(*_NO_HOOKS))


class CheckTest(GuestTest):

    def setUp(self):
        super().setUp()
        if not LOCKDOWN.exists():
            run(["mount", "-t", "securityfs", "none", LOCKDOWN.parent])


class Modules(CheckTest):

    def test_hook_of_the_kernel_initiator(self):
        """It is of the kernel itself: the module may come and go."""
        checked = Checked()
        hook = checked.one("hooks", HOOK)
        self.assertEqual((hook["state"], hook["attached"]), ("ok", True))
        self.check_page(reader=checked.one("hooks", "skb reader")["reader"], hook="attached")
        load("iscsi_tcp")
        self.assertEqual(Checked().one("hooks", HOOK), hook)
        unload("iscsi_tcp")
        self.check_kernel_is_well()

    def check_page(self, **facts):
        kernel = kernels_page.guest_kernel()
        kernels_page.report(kernel, **facts)
        page = kernels_page.read()
        kernels_page.hold(self, {name: page.fact(kernel, name) for name in facts}, facts)

    def test_modules(self):
        load("iscsi_tcp")
        load("iscsi_target_mod")
        self.assertLessEqual(set(MODULES), loaded_modules())
        self.assertEqual([(module["name"], module["presence"], module["btf"])
                          for module in checked_without_hooks().all("modules")],
                         [(name, "loaded", True) for name in MODULES])

    def test_symbols_that_are_hidden(self):
        # setting, taken away, what the states are, what has to be done
        for setting, names, state, reason in (
                ("0", (), "known", ""), ("1", ("syslog",), "hidden", "CAP_SYSLOG"),
                ("2", (), "hidden", "is 2); /proc/kcore has the same"),
                ("2", ("sys_rawio",), "hidden", "is 2); Linux below 6.12")):
            with self.subTest(kptr_restrict=setting, without=names):
                self.set_kernel("kptr_restrict", setting)
                prefix = without(*names, *_NO_HOOKS)
                expected = symbol_states(prefix)
                self.assertEqual(set(expected.values()), {state})
                symbols = Checked(prefix=prefix).one("kernel", "symbols")
                self.assertEqual({name: symbols[name] for name in expected}, expected)
                self.assertIn(reason, symbols["detail"])

    def test_portals_of_lio(self):
        lio = self.use(Lio())
        lio.add_target("iqn.2024-01.org.lunscope.test:check")
        portals = {lio.portal(address) for address in lio.addresses}

        def others(*ports):
            return {(finding["address"], finding["source"], finding["state"])
                    for finding in checked_without_hooks(*ports).all("portals", "other port")}
        self.assertEqual(others(), {(portal, "configfs", "warn") for portal in portals})
        checked = checked_without_hooks(lio.port)
        self.assertEqual(checked.all("portals", "other port"), [])
        self.assertEqual(set(checked.one("portals", f"port {lio.port}")["listeners"]), portals)

    def test_traffic_that_cannot_be_seen(self):
        self.assertEqual([finding["state"] for finding in checked_without_hooks().all("unseen")],
                         ["ok"])
        drivers = ("ib_iser", "ib_isert", "cxgb4i")
        for driver in drivers:
            load(driver)
        self.addCleanup(unload, *drivers)
        self.assertEqual({(finding["name"], finding["state"], finding["count"])
                          for finding in checked_without_hooks().all("unseen")},
                         {("iSER initiator", "note", 0), ("iSER target", "note", 0),
                          ("offload cxgb4i", "note", 0)})

    def test_kernel_tls(self):
        load("tls")

        def sockets():
            return [finding["count"]
                    for finding in checked_without_hooks().all("unseen", "kernel TLS")]
        self.assertEqual(sockets(), [])
        with socket.create_server(("127.0.0.1", 0)) as listener, \
                socket.create_connection(listener.getsockname()) as client, \
                listener.accept()[0] as server:
            for number, end in enumerate((client, server), 1):
                end.setsockopt(socket.IPPROTO_TCP, _TCP_ULP, b"tls")
                end.setsockopt(_SOL_TLS, _TLS_TX, _TLS_KEY)
                self.assertEqual(sockets(), [number])
        self.assertEqual(sockets(), [])


class WithLockdown(CheckTest):
    """Behind the others by its name: lockdown is never taken back."""

    def test_lockdown(self):
        load("iscsi_tcp")
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

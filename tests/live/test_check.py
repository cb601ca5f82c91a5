# SPDX-License-Identifier: Apache-2.0
"""`lunscope check` against this machine, asked for the same facts in other ways.

Runs on any kernel, in the guests of tests/vm as well, and changes nothing of it; what needs modules
is in tests/vm/test_check.py.
"""

import contextlib
import pathlib
import platform
import re
import tempfile

from harness.case import LiveTest, TgtdTest, main
from harness.checked import (CAPABILITIES, Checked, held_capabilities, kcore_tells, loaded_modules,
                             symbol_states, tracepoints)
from harness.perf import Perf
from harness.process import LUNSCOPE, run, wait_until
from harness.surroundings import NOBODY, NO_BTF, OTHER_NETWORK, in_own_mounts, without

UNSUPPORTED, PERMISSION = 3, 4
TARGET = "iqn.2024-01.org.lunscope.test:check"

FENTRY = """
__attribute__((section("fentry/tcp_recvmsg"), used)) int nothing(void* context) { return 0; }
__attribute__((section("license"), used)) char terms[] = "GPL";
"""


def watching():
    """Exit code of a program that really watches."""
    return run([LUNSCOPE, "trace", "--duration", "0.1"], check=False)[0]


def bpftool_may_hook_functions():
    """Does the kernel take a program with fentry from bpftool?"""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "fentry.c").write_text(FENTRY)
        run(["clang", "-g", "-O2", "-target", "bpf", "-c", folder / "fentry.c",
             "-o", folder / "fentry.o"], timeout=60)
        pin = pathlib.Path("/sys/fs/bpf", folder.name)
        stack.callback(pin.unlink, missing_ok=True)
        code, _, stderr, _ = run(["bpftool", "prog", "load", folder / "fentry.o", pin],
                                 check=False)
        if code != 0 and "-EPERM" not in stderr and "not permitted" not in stderr:
            raise AssertionError(f"bpftool failed for another reason: {stderr}")
        return code == 0


class Check(LiveTest):

    def test_kernel(self):
        checked = Checked()
        self.assertEqual((checked.facts["release"], checked.facts["machine"]),
                         (platform.release(), platform.machine()))
        self.assertEqual(checked.code, watching(), checked.findings)
        self.assertEqual(checked.facts["exit_code"], checked.code)
        optmem = checked.one("kernel", "net.core.optmem_max")
        limit = int(pathlib.Path("/proc/sys/net/core/optmem_max").read_text())
        self.assertEqual(optmem["bytes"], limit)
        self.assertEqual(optmem["state"], "ok" if limit > optmem["spill_bytes"] else "warn")
        self.assertIn(f"Linux {platform.release()}", checked.table)

    def test_every_finding_is_a_line_of_the_table(self):
        checked = Checked()
        states = {"ok": "ok", "note": "note", "warn": "warn", "fail": "FAIL"}
        lines = [line for line in checked.table.splitlines() if line.startswith("  ")]
        self.assertEqual([line.split(None, 1)[0] for line in lines],
                         [states[finding["state"]] for finding in checked.findings])
        for line, finding in zip(lines, checked.findings):
            self.assertEqual(" ".join(line.split()[1:]),
                             " ".join(f"{finding['name']} {finding['detail']}".split()))

    def test_hooks(self):
        checked = Checked()
        if checked.code == 0:
            attached = {finding["name"] for finding in checked.all("hooks")
                        if finding.get("attached")}
            self.assertLess({f"tracepoint {name}" for name in tracepoints()}, attached)
        else:
            self.assertEqual(checked.one("hooks", "load")["state"], "fail")
        # Below 6.12, and only there, the programs have to walk an skb.
        release = tuple(map(int, re.match(r"(\d+)\.(\d+)", platform.release()).groups()))
        readers = {"dynptr"} if release >= (6, 12) else {"walk", "none"}
        self.assertIn(checked.one("hooks", "skb reader")["reader"], readers)
        symbols = checked.one("kernel", "symbols")
        self.assertEqual(checked.one("hooks", "fentry/skb_prepare_seq_read")["attached"],
                         bpftool_may_hook_functions() and symbols["state"] == "ok")
        self.assertEqual(checked.one("hooks", "retransmit queue")["heals"],
                         symbols["state"] == "ok")

    def test_nothing_is_left_attached(self):
        def programs():
            return re.findall(r"name (\w+)", run(["bpftool", "prog", "show"])[1])
        before = programs()
        Checked()
        wait_until(lambda: programs() == before, 10, "the kernel to forget the programs")

    def test_capabilities(self):
        # taken away, exit code
        for names, code in (((), watching()), (("sys_admin", "bpf"), PERMISSION),
                            (("sys_admin", "perfmon"), PERMISSION),
                            (("syslog",), watching())):
            with self.subTest(without=names):
                prefix = without(*names) if names else []
                checked = Checked(prefix=prefix)
                self.assertEqual(checked.code, code, checked.findings)
                capabilities = checked.one("kernel", "capabilities")
                held = held_capabilities(prefix)
                self.assertEqual(set(capabilities["held"]), held)
                self.assertEqual(set(capabilities["missing"]), set(CAPABILITIES) - held)
                self.assertEqual(capabilities["state"],
                                 "fail" if code == PERMISSION else "ok")

    def test_symbols(self):
        for prefix in ([], without("syslog"), NOBODY):
            with self.subTest(prefix=prefix):
                symbols = Checked(prefix=prefix).one("kernel", "symbols")
                expected = symbol_states(prefix)
                self.assertEqual({name: symbols[name] for name in expected}, expected)
                self.assertEqual(symbols["state"] == "ok",
                                 set(expected.values()) == {"known"} or kcore_tells(prefix))

    def test_lockdown(self):
        """securityfs may not be mounted, or already be."""
        path = "/sys/kernel/security"
        for prefix in (in_own_mounts(f"mount -t securityfs none {path}"),
                       in_own_mounts(f"mount -t tmpfs none {path}")):
            with self.subTest(prefix=prefix):
                modes = run([*prefix, "cat", f"{path}/lockdown"], check=False)[1]
                mode = re.search(r"\[(\w+)\]", modes)
                self.assertEqual(Checked(prefix=prefix).one("kernel", "lockdown")["mode"],
                                 mode[1] if mode else "")

    def test_no_type_information(self):
        checked = Checked(prefix=NO_BTF)
        self.assertEqual(checked.code, UNSUPPORTED)
        self.assertEqual(checked.one("kernel", "BTF")["state"], "fail")
        self.assertEqual(checked.all("hooks"), [])
        self.assertFalse(any(module["btf"] for module in checked.all("modules")))

    def test_modules(self):
        loaded = loaded_modules()
        modules = Checked().all("modules")
        self.assertEqual(len(modules), 5)
        for module in modules:
            with self.subTest(module["name"]):
                self.assertEqual(module["presence"] == "loaded", module["name"] in loaded)
                self.assertEqual(module["btf"],
                                 pathlib.Path("/sys/kernel/btf", module["name"]).exists())


class Host(TgtdTest):
    TARGET = TARGET

    def listeners(self, checked):
        return set(checked.one("portals", f"port {self.tgtd.port}")["listeners"])

    def test_portals(self):
        port = self.tgtd.port
        found = {line.split()[3] for line in
                 run(["ss", "-Hltn", f"sport = :{port}"])[1].splitlines()}
        self.assertEqual(found, {f"127.0.0.1:{port}", f"[::1]:{port}"})
        self.assertEqual(self.listeners(Checked(port)), found)
        self.assertEqual(self.listeners(Checked(3260, port)), found)
        self.assertEqual(self.listeners(Checked(port, prefix=OTHER_NETWORK)), set())

    def test_a_portal_on_another_port_is_a_warning(self):
        def other(checked):
            return {finding["address"] for finding in checked.all("portals", "other port")
                    if finding["port"] == self.tgtd.port}
        checked = Checked()
        self.assertEqual(other(checked), {self.tgtd.portal("127.0.0.1"), self.tgtd.portal("::1")})
        self.assertIn(f"--port {self.tgtd.port}", checked.table)
        self.assertEqual(other(Checked(self.tgtd.port)), set())

    def test_sessions(self):
        def sessions(*ports):
            return [(finding["role"], finding["watched"], finding["state"])
                    for finding in Checked(*ports).all("sessions", "tgtadm")
                    if finding["target"] == TARGET]
        self.assertEqual(sessions(self.tgtd.port), [])
        self.use(Perf(self.url, "-m", "1"))
        wait_until(lambda: "Initiator:" in self.tgtd.admin("target", "show"), 30, "a session")
        self.assertEqual(sessions(self.tgtd.port), [("target", True, "note")])
        self.assertEqual(sessions(), [("target", False, "warn")])


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""`lunscope check` as a test uses it, and the kernel asked for the same facts in other ways."""

import functools
import json
import pathlib
import re

from harness.process import LUNSCOPE, ROOT, run

SYMBOLS = ("page_offset_base", "vmemmap_base")
# linux/capability.h
CAPABILITIES = {"CAP_SYS_ADMIN": 21, "CAP_SYSLOG": 34, "CAP_PERFMON": 38, "CAP_BPF": 39}


class Checked:
    """One run. `prefix` are words before its command line: see surroundings.py."""

    def __init__(self, *ports, prefix=()):
        words = (word for port in ports for word in ("--port", port))
        self._command = [*prefix, LUNSCOPE, "check", *words]
        self.code, text, _, _ = run([*self._command, "-o", "json"], check=False)
        self.facts = json.loads(text, object_pairs_hook=_object)
        self.findings = self.facts["findings"]

    @functools.cached_property
    def table(self):
        """The same for a person, which is another run."""
        code, text, _, _ = run(self._command, check=False)
        if code != self.code:
            raise AssertionError(f"JSON ends with {self.code}, the table with {code}: {text}")
        return text

    def all(self, group, name=None):
        return [finding for finding in self.findings
                if finding["group"] == group and name in (None, finding["name"])]

    def one(self, group, name):
        found = self.all(group, name)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} findings {group}/{name} in {self.findings}")
        return found[0]


def _object(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise AssertionError(f"a key twice: {keys}")
    return dict(pairs)


def held_capabilities(prefix=()):
    status = run([*prefix, "cat", "/proc/self/status"])[1]
    held = int(re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.M)[1], 16)
    return {name for name, bit in CAPABILITIES.items() if held >> bit & 1}


def symbol_states(prefix=()):
    """{symbol: known, hidden or absent}, as /proc/kallsyms shows it there."""
    states = dict.fromkeys(SYMBOLS, "absent")
    for line in run([*prefix, "grep", "-wE", "|".join(SYMBOLS), "/proc/kallsyms"],
                    check=False)[1].splitlines():
        address, _, name = line.split()[:3]
        if name in states:
            states[name] = "known" if int(address, 16) else "hidden"
    return states


def kcore_tells(prefix=()):
    """May the headers of /proc/kcore be read there?"""
    return run([*prefix, "head", "-c", "64", "/proc/kcore"], check=False)[0] == 0


def tracepoints():
    """Those that the programs' source hooks."""
    source = (ROOT / "bpf" / "lunscope.bpf.c").read_text()
    return set(re.findall(r'^SEC\("tp_btf/(\w+)"\)', source, re.M))


def loaded_modules():
    """Empty on a kernel that has no modules."""
    modules = pathlib.Path("/proc/modules")
    return {line.split()[0] for line in modules.read_text().splitlines()} if modules.exists() \
        else set()

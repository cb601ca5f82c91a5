#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the source tree against docs/ARCHITECTURE.md: includes, licences and include guards.

A layer is a folder, and LAYERS alone has what its #include lines may name. MUTATIONS shows that
each rule can fail: a broken line goes into a copy of the sources, and the rule must find it. A new
rule is a function in RULES and a row of MUTATIONS.
"""

import re
import subprocess
import sys
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

KERNEL_LICENCE = "GPL-2.0-only OR BSD-2-Clause"
# Kernel code, also that of a test.
IN_KERNEL = ("bpf/", "include/", "tests/differential/exchange.",
             "tests/bench/producer.", "tests/bench/floor.bpf.", "tests/harness/witness.bpf.")
LICENCE = "Apache-2.0"

# Folder: patterns of what its files may include. The first folder that a path begins with counts.
# <name>: a header of the C or C++ library, or of POSIX and Linux as a plain name.
PROTOCOL = [r"<lunscope/[a-z_0-9]+\.h>"]
STANDARD = [r"<c?[a-z_]+>", r"<(unistd|fcntl|poll)\.h>", r"<(sys|arpa|netinet|net)/[a-z_]+\.h>"]
BASE = [*PROTOCOL, *STANDARD, r"<fmt/[a-z]+\.h>", r'"collector/base/.+"']
# base has a clock and reads files. The model does neither: times come with the records.
MODEL = [*PROTOCOL, *STANDARD, r"<fmt/[a-z]+\.h>", r'"collector/base/(?!(?:clock|files)\.h").+"',
         r'"collector/(names|model)/.+"']
DIAGNOSIS = [*MODEL, r'"collector/(lines|diagnosis)/.+"']
REPORT = [*DIAGNOSIS, r'"collector/base/clock\.h"', r'"collector/report/.+"']
PROBE = [*BASE, r'"collector/probe/.+"', r"<bpf/.+>", r"<linux/.+>", r"<(elf|sched)\.h>",
         r'"(lunscope|scsi)\.skel\.h"']
RUN = [*BASE, r'"collector/(names|model|metrics|lines|diagnosis|web|probe|replay|host|run)/.+"']
PRIVILEGES = [*RUN, r"<(grp|pwd|sched|seccomp)\.h>", r"<linux/securebits\.h>"]
CLI = [*RUN, r'"collector/(report|cli)/.+"']
LAYERS = {
    # The vocabulary, and nothing of the engine: the collector reads records without it.
    "include/lunscope/records.h": [r'"(types|iscsi|scsi|reasons|phases)\.h"'],
    "include/lunscope/": [r'"[a-z_0-9]+\.h"', r"<stdint\.h>"],
    "bpf/": [r'"[a-z_]+(\.bpf)?\.h"', *PROTOCOL, r"<linux/.+>", r"<bpf/.+>"],
    "collector/base/": BASE,
    # Names of SCSI and iSCSI values, below everyone who prints them.
    "collector/names/": [*BASE, r'"collector/names/.+"', r"<scsi/sg_lib\.h>"],
    "collector/model/": MODEL,
    "collector/metrics/": [*BASE, r'"collector/(names|model|metrics)/.+"', r"<prometheus/.+>"],
    "collector/lines/": [*BASE, r'"collector/(names|model|lines)/.+"'],
    # Findings: pure, as the model is. Only their text has times of the wall clock.
    "collector/diagnosis/report.": [*DIAGNOSIS, r'"collector/base/clock\.h"'],
    "collector/diagnosis/": DIAGNOSIS,
    # Findings and the model's figures as a file; pure as well.
    "collector/report/": REPORT,
    "collector/web/": [*BASE, r'"collector/web/.+"', r"<curl/curl\.h>", r"<microhttpd\.h>",
                       r"<zlib\.h>", r"<netdb\.h>", r"<malloc\.h>", r"<gnutls/[a-z0-9]+\.h>",
                       r"<yaml-cpp/yaml\.h>", r"<crypt\.h>"],
    # The one place that knows bcc.
    "collector/probe/kernel_symbols.": [*PROBE, r"<bcc/bcc_(proc|syms)\.h>"],
    "collector/probe/": PROBE,
    # Facts of the host about its sessions: files of the kernel, and programs that are run.
    "collector/host/": [*BASE, r'"collector/host/.+"', r"<spawn\.h>"],
    # A capture in the place of the probe: the same records, from bytes of a file.
    "collector/replay/": [*BASE, r'"collector/replay/.+"', r"<pcap/pcap\.h>", r"<archive(_entry)?\.h>"],
    # Sources, model and output brought together, without a command line.
    "collector/run/privileges.": PRIVILEGES,
    "collector/run/system_calls.": PRIVILEGES,
    "collector/run/": RUN,
    # The one place that knows CLI11: subcommands and options do not.
    "collector/cli/command_line.": [*BASE, r'"collector/(run|cli)/.+"', r"<CLI/CLI\.hpp>"],
    # Composition: everything.
    "collector/cli/": CLI,
    "collector/main.cc": [*STANDARD, r'"collector/base/(last_words|result)\.h"',
                          r'"collector/cli/command_line\.h"'],
}
# Headers that would give the model a clock, threads or files.
HEADERS_OF_THE_MODEL_TOO_MANY = r"<(chrono|ctime|fstream|iostream|thread|mutex|filesystem)>"

CODE = {".h", ".c", ".cc"}
WITH_LICENCE = CODE | {".py", ".sh", ".cmake", ".in", ".lua", ".yml", ".yaml", ".md"}
# JSON has no comments. Golden files and vectors are output or input of a program.
WITHOUT_LICENCE = {".json", ".jsonl", ".metrics", ".golden", ".txt", ".pcap", ".pcapng", ".hex", ".bin"}
NAMES_WITH_LICENCE = {"CMakeLists.txt"}
# Licence texts, and files that a tool reads line by line.
EXEMPT = {"LICENSE", "COPYING", ".gitignore", ".gitattributes", "NOTICE", "README.md"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"][^>"]+[>"])', re.M)
SPDX = re.compile(r"SPDX-License-Identifier: ([A-Za-z0-9.() -]*[A-Za-z0-9.)])")
# A home, a scratch folder or a build tree of some machine. Split, so that this file has no match.
MACHINE_PATH = re.compile(r"/(?:" "home/[a-z]" r"|" "root/" r"|" "Users/" r"|" "work/" r"|"
                          "tmp/build" r"|" "builds/" r")")


def includes(text):
    return INCLUDE.findall(text)


def layer_of(path):
    return next((layer for layer in LAYERS if path.startswith(layer)), None)


def includes_follow_the_layers(path, text):
    layer = layer_of(path)
    if layer is None or Path(path).suffix not in CODE:
        return
    for include in includes(text):
        if not any(re.fullmatch(allowed, include) for allowed in LAYERS[layer]):
            yield f"{layer} may not include {include}"


def the_model_has_no_clock_and_no_files(path, text):
    if path.startswith("collector/model/"):
        for include in includes(text):
            if re.fullmatch(HEADERS_OF_THE_MODEL_TOO_MANY, include):
                yield f"the model may not include {include}"


def sources_are_in_a_layer(path, _):
    if Path(path).suffix in CODE and layer_of(path) is None and not path.startswith("tests/"):
        yield "belongs to no layer"


def tests_do_not_include_main_or_cli(path, text):
    if path.startswith("tests/"):
        for include in includes(text):
            if include.startswith('"collector/cli/') and not path.startswith("tests/cli/"):
                yield f"includes {include}"


def has_its_licence(path, text):
    name, suffix = Path(path).name, Path(path).suffix
    is_script = text.startswith("#!")
    if name in EXEMPT or not (suffix in WITH_LICENCE or name in NAMES_WITH_LICENCE or is_script):
        return
    wanted = KERNEL_LICENCE if path.startswith(IN_KERNEL) else LICENCE
    found = SPDX.search("\n".join(text.splitlines()[:3]))
    if found is None:
        yield "has no SPDX line"
    elif found.group(1).strip() != wanted:
        yield f"is under {found.group(1).strip()}, not {wanted}"


def headers_are_guarded(path, text):
    if Path(path).suffix != ".h":
        return
    guard = re.search(r"^#ifndef (\w+)\n#define (\w+)$", text, re.M)
    if re.search(r"^#pragma once$", text, re.M):
        return
    if guard is None or guard.group(1) != guard.group(2) or "#endif" not in text:
        yield "has neither #pragma once nor an include guard"


def names_no_build_machine(path, text):
    for found in MACHINE_PATH.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield f"line {line} names a path of some machine: {found.group()}"


RULES = [includes_follow_the_layers, the_model_has_no_clock_and_no_files, sources_are_in_a_layer,
         tests_do_not_include_main_or_cli, has_its_licence, headers_are_guarded,
         names_no_build_machine]


def read_tree():
    """{path: text} of every text file that git tracks, or that it would track."""
    listed = subprocess.run(["git", "-C", str(REPOSITORY), "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard"], capture_output=True, check=False)
    if listed.returncode == 0:
        paths = [REPOSITORY / name for name in listed.stdout.decode().split("\0") if name]
    else:  # a source archive
        paths = [path for path in REPOSITORY.rglob("*")
                 if not any(part == ".git" or part.startswith("build")
                            for part in path.relative_to(REPOSITORY).parts)]
    tree = {}
    for path in paths:
        if path.is_file() and not path.is_symlink():
            try:
                tree[str(path.relative_to(REPOSITORY))] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                pass  # a capture, an image: no source
    return tree


def findings(tree):
    return [(path, rule.__name__, what) for path, text in sorted(tree.items())
            for rule in RULES for what in rule(path, text)]


def put(line):
    """A mutation that adds the line before the first #include, or at the end of the file."""
    def mutate(text):
        at = INCLUDE.search(text)
        return f"{text}{line}\n" if at is None else f"{text[:at.start()]}{line}\n{text[at.start():]}"
    return mutate


def swap(old, new):
    def mutate(text):
        assert re.search(old, text), f"nothing to mutate: {old}"
        return re.sub(old, new, text)
    return mutate


def new(text):
    return lambda _: text


HEADER = "// SPDX-License-Identifier: Apache-2.0\n#pragma once\n"

# The file (it may be a new one), the mutation, and the rule that must find it.
MUTATIONS = [
    ("include/lunscope/records.h", put("#include <string.h>"), includes_follow_the_layers),
    ("include/lunscope/records.h", put("#include <linux/types.h>"), includes_follow_the_layers),
    ("include/lunscope/records.h", put('#include "stream.h"'), includes_follow_the_layers),
    ("include/lunscope/scsi.h", put('#include "../bpf/kernel.h"'), includes_follow_the_layers),
    ("bpf/emit.bpf.h", put('#include "collector/base/result.h"'), includes_follow_the_layers),
    ("bpf/emit.bpf.h", put("#include <stdio.h>"), includes_follow_the_layers),
    ("bpf/lunscope.bpf.c", put('#include "vmlinux/vmlinux.h"'), includes_follow_the_layers),
    ("collector/base/clock.cc", put('#include "collector/model/lun.h"'),
     includes_follow_the_layers),
    ("collector/base/clock.cc", put("  #  include <bpf/libbpf.h>"), includes_follow_the_layers),
    ("collector/model/outcome.cc", put("#include <scsi/sg_lib.h>"), includes_follow_the_layers),
    ("collector/model/outcome.cc", put('#include "collector/lines/trace_line.h"'),
     includes_follow_the_layers),
    ("collector/model/model.h", put('#include "collector/probe/probe.h"'),
     includes_follow_the_layers),
    ("collector/model/model.cc", put('#include "collector/base/clock.h"'),
     includes_follow_the_layers),
    ("collector/model/model.cc", put('#include "collector/base/files.h"'),
     includes_follow_the_layers),
    ("collector/model/model.cc", put("#include <prometheus/metric_family.h>"),
     includes_follow_the_layers),
    ("collector/model/model.cc", put("#include <bpf/libbpf.h>"), includes_follow_the_layers),
    ("collector/model/model.cc", put("#include <chrono>"), the_model_has_no_clock_and_no_files),
    ("collector/model/model.cc", put("#include <fstream>"), the_model_has_no_clock_and_no_files),
    ("collector/metrics/metrics.cc", put('#include "collector/probe/probe.h"'),
     includes_follow_the_layers),
    ("collector/metrics/metrics.cc", put('#include "collector/cli/subcommand.h"'),
     includes_follow_the_layers),
    ("collector/metrics/metrics.cc", put("#include <bpf/libbpf.h>"), includes_follow_the_layers),
    ("collector/probe/probe.cc", put('#include "collector/model/model.h"'),
     includes_follow_the_layers),
    ("collector/probe/probe.cc", put("#include <prometheus/counter.h>"),
     includes_follow_the_layers),
    ("collector/probe/preflight.cc", put("#include <bcc/bcc_syms.h>"), includes_follow_the_layers),
    ("collector/probe/kernel_symbols.cc", put("#include <bcc/BPF.h>"), includes_follow_the_layers),
    ("collector/host/tgt.cc", put('#include "collector/model/model.h"'),
     includes_follow_the_layers),
    ("collector/host/lio.cc", put("#include <bpf/libbpf.h>"), includes_follow_the_layers),
    ("collector/model/model.cc", put('#include "collector/host/host.h"'),
     includes_follow_the_layers),
    ("collector/replay/follower.cc", put('#include "collector/model/model.h"'),
     includes_follow_the_layers),
    ("collector/replay/follower.h", put('#include "collector/probe/probe.h"'),
     includes_follow_the_layers),
    ("collector/replay/packet.cc", put("#include <bpf/libbpf.h>"), includes_follow_the_layers),
    ("collector/model/model.cc", put('#include "collector/replay/packet.h"'),
     includes_follow_the_layers),
    ("collector/metrics/metrics.cc", put("#include <pcap/pcap.h>"), includes_follow_the_layers),
    ("collector/metrics/metrics.cc", put('#include "collector/lines/trace_line.h"'),
     includes_follow_the_layers),
    ("collector/lines/trace_line.cc", put('#include "collector/metrics/metrics.h"'),
     includes_follow_the_layers),
    ("collector/lines/trace_line.cc", put("#include <prometheus/counter.h>"),
     includes_follow_the_layers),
    ("collector/lines/trace_line.cc", put('#include "collector/diagnosis/rule.h"'),
     includes_follow_the_layers),
    ("collector/diagnosis/rule.cc", put('#include "collector/base/clock.h"'),
     includes_follow_the_layers),
    ("collector/diagnosis/report.cc", put('#include "collector/run/watcher.h"'),
     includes_follow_the_layers),
    ("collector/report/report.cc", put('#include "collector/metrics/metrics.h"'),
     includes_follow_the_layers),
    ("collector/diagnosis/words.cc", put('#include "collector/report/report.h"'),
     includes_follow_the_layers),
    ("collector/names/names.cc", put('#include "collector/model/lun.h"'),
     includes_follow_the_layers),
    ("collector/web/endpoint.cc", put('#include "collector/metrics/metrics.h"'),
     includes_follow_the_layers),
    ("collector/run/watcher.cc", put('#include "collector/cli/subcommand.h"'),
     includes_follow_the_layers),
    ("collector/run/watcher.cc", put("#include <bpf/libbpf.h>"), includes_follow_the_layers),
    ("collector/cli/replay.cc", put("#include <pcap/pcap.h>"), includes_follow_the_layers),
    ("collector/cli/serve.cc", put("#include <prometheus/counter.h>"), includes_follow_the_layers),
    ("collector/cli/serve.cc", put("#include <bpf/bpf.h>"), includes_follow_the_layers),
    ("collector/cli/sessions.cc", put("#include <httplib.h>"), includes_follow_the_layers),
    ("collector/cli/serve.cc", put('#include "collector/main.h"'), includes_follow_the_layers),
    ("collector/cli/serve.cc", put("#include <CLI/CLI.hpp>"), includes_follow_the_layers),
    ("collector/cli/command_line.cc", put('#include "collector/probe/probe.h"'),
     includes_follow_the_layers),
    ("collector/run/settings.cc", put("#include <CLI/CLI.hpp>"), includes_follow_the_layers),
    ("collector/run/option.h", put('#include "collector/cli/command_line.h"'),
     includes_follow_the_layers),
    ("collector/main.cc", put('#include "collector/run/settings.h"'), includes_follow_the_layers),
    ("collector/main.cc", put("#include <CLI/CLI.hpp>"), includes_follow_the_layers),
    ("tests/run/settings_test.cc", put('#include "collector/cli/command_line.h"'),
     tests_do_not_include_main_or_cli),
    ("collector/util/strings.h", new(HEADER), sources_are_in_a_layer),
    ("tests/model/host.cc", put('#include "collector/cli/subcommand.h"'),
     tests_do_not_include_main_or_cli),
    ("bpf/kernel.h", swap("GPL-2.0-only OR BSD-2-Clause", "Apache-2.0"), has_its_licence),
    ("include/lunscope/text.h", swap("GPL-2.0-only OR BSD-2-Clause", "GPL-2.0-only"),
     has_its_licence),
    ("collector/main.cc", swap("Apache-2.0", "MIT"), has_its_licence),
    ("collector/main.cc", swap("// SPDX.*\n", ""), has_its_licence),
    ("CMakeLists.txt", swap("# SPDX.*\n", ""), has_its_licence),
    ("tests/CMakeLists.txt", swap("# SPDX.*\n", ""), has_its_licence),
    ("scripts/build", swap("# SPDX.*\n", ""), has_its_licence),
    ("tests/architecture/includes_test.py", swap("# SPDX.*\n", ""), has_its_licence),
    ("collector/model/lun.h", swap("#pragma once\n", ""), headers_are_guarded),
    ("include/lunscope/iscsi.h", swap("#define LUNSCOPE_ISCSI_H", "#define LUNSCOPE_ISCSI"),
     headers_are_guarded),
    ("scripts/lib/command.sh", swap("set -euo pipefail", "cd /" "home/me/lunscope"),
     names_no_build_machine),
    ("tests/golden/golden.metrics", new("# built in /" "work/main\n"), names_no_build_machine),
]


class Architecture(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.tree = read_tree()

    def test_the_tree_follows_every_rule(self):
        self.assertIn("include/lunscope/records.h", self.tree)
        self.assertEqual(findings(self.tree), [])

    def test_every_layer_has_files_and_includes(self):
        for layer in LAYERS:
            with self.subTest(layer=layer):
                found = [include for path, text in self.tree.items() if path.startswith(layer)
                         for include in includes(text)]
                self.assertTrue(found)

    def test_every_kind_of_file_has_a_rule_for_its_licence(self):
        for path in self.tree:
            name, suffix = Path(path).name, Path(path).suffix
            with self.subTest(path=path):
                self.assertTrue(suffix in WITH_LICENCE | WITHOUT_LICENCE
                                or name in NAMES_WITH_LICENCE | EXEMPT or not suffix
                                or self.tree[path].startswith("#!")
                                or SPDX.search(self.tree[path][:200]))

    def test_every_mutation_is_found(self):
        for path, mutate, rule in MUTATIONS:
            with self.subTest(path=path, rule=rule.__name__):
                before = self.tree.get(path, "")
                text = mutate(before)
                self.assertNotEqual(text, before)
                known = set(rule(path, before)) if path in self.tree else set()
                self.assertTrue(set(rule(path, text)) - known)

    def test_every_rule_has_a_mutation(self):
        self.assertEqual({rule for _, _, rule in MUTATIONS}, set(RULES))


if __name__ == "__main__":
    sys.exit(unittest.main())

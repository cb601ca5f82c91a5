#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the lines and branches of include/lunscope that the engine's unit tests take, by header.

A branch is one outcome of a condition, or one case of a switch, as clang's source-based coverage
counts them. Each file that uses a header's functions has a copy of them, and an outcome counts as
taken if any copy took it. llvm-cov's own table shows only the best copy, which has less.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
HEADERS = REPOSITORY / "include" / "lunscope"


def export(program, profile, kind, *options):
    """Returns llvm-cov's export for the headers, as text of this kind."""
    return subprocess.run(
        ["llvm-cov", "export", f"-format={kind}", f"-instr-profile={profile}", *options, program,
         str(HEADERS)], check=True, capture_output=True, text=True).stdout


def run(program, folder):
    """Runs a test program that was built for coverage. Returns its profile."""
    raw, profile = folder / "raw", folder / "profile"
    subprocess.run([program, "--gtest_brief=1"], check=True,
                   env={**os.environ, "LLVM_PROFILE_FILE": str(raw)})
    subprocess.run(["llvm-profdata", "merge", "-sparse", raw, "-o", profile], check=True)
    return profile


def read_lines(lcov):
    """{header: {line: times run}}"""
    lines = collections.defaultdict(dict)
    for record in lcov.splitlines():
        name, _, value = record.partition(":")
        if name == "SF":
            header = pathlib.Path(value).name
        elif name == "DA":
            line, times = value.split(",")[:2]
            lines[header][int(line)] = int(times)
    return lines


def read_branches(exported):
    """{header: {(line, column, copy of a macro's text): [times true, times false]}}"""
    branches = collections.defaultdict(lambda: collections.defaultdict(lambda: [0, 0]))
    for function in json.loads(exported)["data"][0]["functions"]:
        at = tuple(function["regions"][0][:2])  # the same in all copies of the function
        for line, column, _, _, true, false, file, *_ in function["branches"]:
            header = pathlib.Path(function["filenames"][file])
            if header.parent != HEADERS:
                continue
            counts = branches[header.name][line, column, (at, file)]
            counts[0] += true
            counts[1] += false
    return branches


def share(taken, there):
    return f"{taken:5} of {there:5} {100 * taken / there if there else 100:6.1f} %"


def report(lines, branches):
    """Prints the table, and the lines and branches that were not taken. Returns the share of branches
    that were taken, in percent.
    """
    taken_in_all = there_in_all = 0
    missed = []
    print(f"{'header':14} {'lines':>23} {'branches':>23}")
    for header in sorted(lines):
        outcomes = [(line, column, outcome, times)
                    for (line, column, _), counts in sorted(branches[header].items())
                    for outcome, times in zip(("true", "false"), counts)]
        missed += [f"include/lunscope/{header}:{line}: never run"
                   for line, times in sorted(lines[header].items()) if times == 0]
        missed += [f"include/lunscope/{header}:{line}:{column}: never {outcome}"
                   for line, column, outcome, times in outcomes if times == 0]
        taken = sum(times != 0 for *_, times in outcomes)
        run_lines = sum(times != 0 for times in lines[header].values())
        print(f"{header:14} {share(run_lines, len(lines[header]))} {share(taken, len(outcomes))}")
        taken_in_all += taken
        there_in_all += len(outcomes)
    print(f"{'all':14} {'':23} {share(taken_in_all, there_in_all)}")
    print("\n".join(missed))
    return 100 * taken_in_all / there_in_all


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="a test program, built with the preset coverage")
    parser.add_argument("--least", type=float, default=0, help="percent of branches; else exit 1")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        profile = run(arguments.program, pathlib.Path(folder))
        lines = read_lines(export(arguments.program, profile, "lcov"))
        branches = read_branches(export(arguments.program, profile, "text"))
    percent = report(lines, branches)
    if percent < arguments.least:
        sys.exit(f"{percent:.1f} % of the branches are taken, less than {arguments.least} %")


if __name__ == "__main__":
    main()

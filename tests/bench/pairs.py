# SPDX-License-Identifier: Apache-2.0
"""Paired measurement: two arms in turn, so that what drifts on the machine drifts for both.

The result of an arm is the median of a figure of the pairs, mostly of the ratio within each, with a
bootstrap interval. An A/A comparison, the base arm against itself, runs interleaved with the others: a
claim is only as good as what the same thing has to itself.
"""

import dataclasses
import random
import statistics

_RESAMPLES = 10_000


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Median of a figure of the pairs and its 95 % bootstrap interval."""

    arm: str
    median: float
    low: float
    high: float
    pairs: int

    def __str__(self):
        return (f"{self.arm:<24} {self.median:7.4f}  [{self.low:.4f}, {self.high:.4f}]"
                f"  {self.pairs} pairs")


def estimate_of(arm, figures, seed=1):
    """The Estimate of one figure of each pair; the seed makes the interval repeatable."""
    chance = random.Random(seed)
    medians = sorted(statistics.median(chance.choices(figures, k=len(figures)))
                     for _ in range(_RESAMPLES))
    return Estimate(arm, statistics.median(figures), medians[int(0.025 * _RESAMPLES)],
                    medians[int(0.975 * _RESAMPLES)], len(figures))


def measure_pairs(base, arms, pairs, progress):
    """Run `pairs` rounds. base() and each arm() return a number; arms maps a name to a function.

    In a round each arm, and the base again as "A/A", is paired with a run of the base of its own;
    the order within a pair alternates, so that neither arm is always the first. Returns
    {name: [(base, arm), ...]}.
    """
    arms = {"A/A": base, **arms}
    results = {name: [] for name in arms}
    for i in range(pairs):
        for name, arm in arms.items():
            if i % 2 == 0:
                first = base()
                second = arm()
            else:
                second = arm()
                first = base()
            results[name].append((first, second))
            progress(f"round {i + 1}/{pairs}  {name:<20} base {first:10.2f}  arm {second:10.2f}"
                     f"  ratio {second / first:.4f}")
    return results

"""``python -m planted.confusion``: every planted pair and what `diff` makes of it, and the figures of the whole suite."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass

from lossopt.diff import Diff, diff
from lossopt.diff.verdict import identified
from planted.pairs import EQUAL, PAIRS, Pair
from planted.simulate import recorded
from planted.truth import teller


@dataclass(frozen=True)
class Judged:
    """What was said of a pair, and whether it is right."""

    pair: Pair
    found: Diff

    @property
    def link(self) -> str:
        return "" if self.found.first is None else self.found.first.link

    @property
    def right_link(self) -> bool:
        return self.link in self.pair.links if self.pair.links else self.found.equal

    @property
    def right_cause(self) -> bool:
        return self.right_link and (not self.pair.causes or self.found.verdict.cause in self.pair.causes)


def judge(pair: Pair, *, told: bool = False) -> Judged:
    """What `diff` says of a pair; where it is `told`, it need not identify the runs."""
    a, b = recorded(pair.a), recorded(pair.b)
    return Judged(pair, diff(a, b, identify=teller({a.label: pair.a, b.label: pair.b}) if told else identified))


def main(words: list[str]) -> int:
    """Print every pair whose name has the words, all without; ``--told`` tells `diff` what made the runs."""
    told = "--told" in words
    words = [w for w in words if w != "--told"]
    began, judged = time.perf_counter(), []
    for pair in (*PAIRS, *EQUAL):
        if all(w in pair.name for w in words):
            judged.append(one := judge(pair, told=told))
            mark = "right" if one.right_cause else "CAUSE" if one.right_link else "LINK "
            print(f"{mark}  {pair.name}: {one.link or 'equal'}, {one.found.verdict.cause or '-'}\n       {one.found.verdict.sentence}", flush=True)
    planted, equal = ([j for j in judged if bool(j.pair.links) is kind] for kind in (True, False))
    confused = Counter((j.pair.links[0], j.link or "equal") for j in planted if not j.right_link)
    print(f"{len(planted)} planted: the first broken link right in {sum(j.right_link for j in planted)}, the cause in {sum(j.right_cause for j in planted)}; "
          f"{len(equal)} equal pairs: {sum(not j.right_link for j in equal)} false alarms; {time.perf_counter() - began:.0f} s")
    for (expected, got), n in confused.items():
        print(f"  {expected} taken for {got}: {n}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Both loops, a few updates at a time, until something breaks."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lossopt import registry
from lossopt.diff import Diff
from lossopt.diff.align import Aligned, align, read_rules
from lossopt.diff.finding import Finding, Outcome, listed
from lossopt.diff.links import first, walk
from lossopt.diff.verdict import Identify, Verdict, identified, judge
from lossopt.errors import ArgumentError, InputError
from lossopt.port_check import known
from lossopt.port_check.side import ARRAYS, Seen, Side
from lossopt.port_check.source import Maker
from lossopt.port_check.stages import Stage, broken_at, stages
from lossopt.port_check.weights import copy
from lossopt.recording import read_recording
from lossopt.recording.contents import FRAMEWORKS

AT_ONCE = ("initial weights", "forward", "gradients")
"""Stages of which more updates would tell no more; the others are followed for as many as are identified by."""

TOLD = ("parameters", "evaluation")
"""Links whose notes are told otherwise: pairs in groups, running statistics of the modules that keep them."""

COPIED = ("initialisation", "transposed kernel", "permuted weights", "rounded weights")
"""Causes that copied weights take away."""


@dataclass(frozen=True)
class PortCheck:
    """What was found of a port.

    Attributes:
        stages: the checklist, in order.
        verdict: what differs first and what to type, in one sentence; or that both are equal to rounding.
        notes: what was copied or guessed, and what training does not show.
        links: every number, as ``lossopt diff --json`` has it.
        folders: where the two recordings are; empty where they were not kept.
    """

    stages: tuple[Stage, ...]
    verdict: Verdict
    notes: tuple[str, ...]
    links: Mapping[str, Any]
    folders: tuple[str, ...] = ()

    @property
    def broken(self) -> str | None:
        """The first stage that breaks, or None."""
        return next((s.name for s in self.stages if s.state == "breaks"), None)

    @property
    def equal(self) -> bool:
        """Whether both differ by rounding alone."""
        return self.broken is None

    def to_dict(self) -> dict[str, Any]:
        """Every number, for JSON."""
        return {"equal": self.equal, "broken": self.broken, "verdict": self.verdict.to_dict(), "stages": [s.to_dict() for s in self.stages],
                "notes": list(self.notes), "folders": list(self.folders), "diff": dict(self.links)}  # fmt: skip

    def __repr__(self) -> str:
        return self.verdict.sentence


def check(make_torch: Maker, make_jax: Maker, *, steps: int = 100, copy_weights: str | None = None,
          rules: Mapping[str, str] | str | Path | None = None, keep: str | Path | None = None,
          identify: Identify = identified) -> PortCheck:  # fmt: skip
    """`lossopt.port_check`, of functions that know their names."""
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ArgumentError(f"port-check: steps is a whole number from 1, got {steps!r}")
    if copy_weights not in (None, *FRAMEWORKS):
        raise ArgumentError(f"port-check: copy_weights is 'torch' or 'jax', the side whose weights both begin with, got {copy_weights!r}")
    told = read_rules(rules) if isinstance(rules, str | Path) else rules
    parts = [registry.backend(framework).part("port_check") for framework in FRAMEWORKS]  # what is missing is said first
    with _folder(keep) as folder:
        sides = [part.Side(make(), make.label) for part, make in zip(parts, (make_torch, make_jax), strict=True)]
        notes = [copy(copy_weights, sides[0], sides[1], told)] if copy_weights else []
        al, ended = _train(sides, folder, steps, told)
        folders = () if keep is None else tuple(str(folder / framework) for framework in FRAMEWORKS)
        return _found(sides, al, ended, steps, notes, identify, folders)


@contextlib.contextmanager
def _folder(keep: str | Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="lossopt-port-check-") as room:
            yield Path(room)
        return
    folder = Path(keep)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--keep: {folder} is a file; name a folder, which is made if it is not there")
    for framework in FRAMEWORKS:
        if (folder / framework).exists():
            raise InputError(f"--keep: {folder / framework} is there already; name another folder, or remove it")
    yield folder


# ------------------------------------------------------------------------------------------------- training
def _train(sides: list[Side], folder: Path, steps: int, rules: Mapping[str, str] | None) -> tuple[Aligned, tuple[int, int]]:
    """Train both, and stop soon after something breaks; how many updates each made."""
    last = _channels_last(*(side.shapes for side in sides))
    done = 0, 0
    try:
        for side, framework in zip(sides, FRAMEWORKS, strict=True):
            side.begin(folder / framework, steps, last)
        for goal in sorted({min(n, steps) for n in (2, ARRAYS + 1, steps)}):
            done = sides[0].run(goal), sides[1].run(goal)
            if min(done) < goal or goal == steps:
                break
            broken = broken_at(first(walk(_aligned(folder, rules))), steps)
            if broken is not None and (broken in AT_ONCE or goal > ARRAYS):
                break
    finally:
        for side in sides:
            side.close()
    return _aligned(folder, rules), done


def _aligned(folder: Path, rules: Mapping[str, str] | None) -> Aligned:
    a, b = (read_recording(folder / framework) for framework in FRAMEWORKS)
    return align(a, b, rules)


def _channels_last(torch: tuple[tuple[int, ...], ...], jax: tuple[tuple[int, ...], ...]) -> list[bool]:
    """Of each array of a batch whether JAX has it as (N, H, W, C) and PyTorch as (N, C, H, W)."""
    found = [len(y) > 2 and x != y and x == (y[0], y[-1], *y[1:-1]) for x, y in zip(torch, jax, strict=False)]
    return found + [False] * (len(jax) - len(found))


# ------------------------------------------------------------------------------------------------- what was found
def _found(sides: list[Side], al: Aligned, done: tuple[int, int], steps: int, notes: list[str], identify: Identify,
           folders: tuple[str, ...]) -> PortCheck:  # fmt: skip
    outcomes = _with_ends(walk(al), done)
    broken = first(outcomes)
    stage = broken_at(broken, steps)
    verdict = judge(al, outcomes, broken, identify)
    seen, more = _seen(sides)
    if stage == "forward" and broken is not None and broken.finding is not None:
        verdict = _of_forward(verdict, broken.finding, *seen)
    elif stage == "initial weights" and verdict.cause in COPIED:
        verdict = _of_weights(verdict, broken)
    elif differ := known.differences(*seen):
        more += [f"seen, {'though' if stage is None else 'and'} the first outputs agree to rounding: {clause}" for clause in differ]
    harmless = [note for o in outcomes for note in o.notes if o.link not in TOLD]
    notes = [*notes, *_guessed(al), *harmless, *more, *known.unseen(*seen)]
    links = Diff(al, tuple(outcomes), broken, verdict).to_dict()
    return PortCheck(stages(al, broken, steps, min(done)), verdict, tuple(notes), links, folders)


def _guessed(al: Aligned) -> list[str]:
    """How parameters were paired whose names do not say it."""
    reasons = list(dict.fromkeys(al.guessed.values()))
    return [f"paired {why}: {listed([al.names(n) for n, w in al.guessed.items() if w == why])}" for why in reasons]


def _with_ends(outcomes: list[Outcome], done: tuple[int, int]) -> list[Outcome]:
    """One side's batches that end sooner are other data."""
    if done[0] == done[1]:
        return outcomes
    fewer, more = FRAMEWORKS if done[0] < done[1] else FRAMEWORKS[::-1]
    told = f"the batches of {fewer} end after {min(done)}, and {more} has more"
    ends = Finding(min(done), "dropped batch", told, size=1.0, values=done)
    return [replace(o, finding=ends, compared=max(o.compared, 1)) if o.link == "data" and o.finding is None else o for o in outcomes]


def _seen(sides: list[Side]) -> tuple[list[list[Seen]], list[str]]:
    """What both forward passes show; where one cannot be looked into, a note of it."""
    found, notes = [], []
    for side, framework in zip(sides, FRAMEWORKS, strict=True):
        try:
            found.append(side.seen())
        except Exception as problem:  # a model may refuse to be traced once more; that takes a hint away and nothing else
            found.append([])
            notes.append(f"the forward pass of {framework} could not be looked into for known differences: {type(problem).__name__}")
    return found, notes


def _of_weights(verdict: Verdict, broken: Outcome | None) -> Verdict:
    """Both sides are here: the check itself can give one the weights of the other."""
    copies = "--copy-weights torch (or jax) begins both with the weights of that side, and the check goes on"
    if verdict.cause == "initialisation" and broken is not None and broken.finding is not None:
        what = f"Before the first step {broken.finding.told}: two frameworks never draw the same numbers"
        return replace(verdict, sentence=f"{what}; {copies}.", what=what, remedy=(("", copies),))
    return _and(verdict, copies)


def _of_forward(verdict: Verdict, finding: Finding, torch: list[Seen], jax: list[Seen]) -> Verdict:
    """What differs in the modules, where it can be seen, in the place of what often does."""
    if differ := known.differences(torch, jax):
        since = f"From step 0 on {finding.told}"
        remedy = tuple(line for one in differ for line in (("in JAX", one.jax), ("in PyTorch", one.torch)))
        return replace(verdict, sentence=f"{since}: {'; '.join(map(str, differ))}.", what=f"{since}: {'; '.join(d.what for d in differ)}",
                       remedy=remedy)  # fmt: skip
    return _and(verdict, "; ".join(known.to_look_at(torch, jax)))


def _and(verdict: Verdict, more: str) -> Verdict:
    if not more:
        return verdict
    return replace(verdict, sentence=f"{verdict.sentence.removesuffix('.')}; {more}.", remedy=(*verdict.remedy, ("or", more)))

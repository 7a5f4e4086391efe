"""Two recordings compared link by link: which is the first that breaks, why, and what to type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossopt.diff.align import Aligned, align, read_rules
from lossopt.diff.finding import Finding, Outcome
from lossopt.diff.links import first, walk
from lossopt.diff.verdict import Identify, Verdict, identified, judge
from lossopt.errors import InputError
from lossopt.recording import Recording, read_recording
from lossopt.recording.contents import NO_STEPS

__all__ = ["Diff", "Finding", "Outcome", "Verdict", "diff"]


@dataclass(frozen=True)
class Diff:
    """What was found of two recordings.

    Attributes:
        aligned: which parameter is which.
        outcomes: every link, in causal order.
        first: the first link that breaks; None where the two are equal to rounding.
        verdict: what differs and what to type, in one sentence.
    """

    aligned: Aligned
    outcomes: tuple[Outcome, ...]
    first: Outcome | None
    verdict: Verdict

    @property
    def equal(self) -> bool:
        """Whether they differ by rounding alone."""
        return self.first is None

    def to_dict(self) -> dict[str, Any]:
        """Every number, for JSON."""
        from lossopt.diff.report import to_dict

        return to_dict(self)

    def save_picture(self, path: str | Path) -> None:
        """The differences over the steps, in the format of the path's ending.

        Raises:
            InputError: matplotlib is not installed, or cannot write such a file.
        """
        from lossopt.diff.picture import draw

        draw(self, path)

    def __repr__(self) -> str:
        return self.verdict.sentence


def diff(a: Recording | str | Path, b: Recording | str | Path, *, rules: Mapping[str, str] | str | Path | None = None,
         identify: Identify = identified) -> Diff:  # fmt: skip
    """Compare two recordings, link by link, and name the first that breaks.

    Args:
        a, b: recordings, or the folders that hold them.
        rules: ``{name in b: name in a}`` for parameters that neither name nor framework pairs, with ``*`` for any part; or a
            YAML file of them.
        identify: says which optimizer, or which loss, made a run; `lossopt.identify` does.

    Returns:
        A `Diff`; it prints its verdict.

    Raises:
        InputError: a folder without a recording, no common parameter, no common step, or a rule that matches nothing.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from lossopt.recording import FolderWriter, Parameter, RunInfo, Step
        >>> def record(lr):
        ...     folder = tempfile.mkdtemp()
        ...     writer = FolderWriter(folder)
        ...     writer.begin(RunInfo("torch", (Parameter("weight", (2,)),)))
        ...     writer.write(Step(0, loss=0.5, lr=(lr,), grad_norms={"weight": 1.0}, update_norms={"weight": lr}))
        ...     writer.close()
        ...     return folder
        >>> found = diff(record(0.1), record(0.3))
        >>> found.equal, found.first.link, found.verdict.cause
        (False, 'learning rate', 'base learning rate')
    """
    runs = [x if isinstance(x, Recording) else read_recording(x) for x in (a, b)]
    told = read_rules(rules) if isinstance(rules, str | Path) else rules
    aligned = align(runs[0], runs[1], told)
    if not aligned.steps:
        raise _no_step(aligned)
    outcomes = walk(aligned)
    broken = first(outcomes)
    return Diff(aligned, tuple(outcomes), broken, judge(aligned, outcomes, broken, identify))


def _no_step(al: Aligned) -> InputError:
    for run in (al.a, al.b):
        if not run.steps:
            return InputError(f"{run.label} {NO_STEPS}")
    spans = [f"{run.steps[0].step} to {run.steps[-1].step}" for run in (al.a, al.b)]
    return InputError(f"{al.called[0]} and {al.called[1]} have no step in common ({spans[0]}; {spans[1]}); record the same updates in both")

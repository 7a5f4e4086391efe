"""Which parameter of one recording is which of the other, and the arrays of both in one layout.

Recordings of the same framework correspond by name.  Between PyTorch and Flax the rules of `lossopt.tasks.mapping` say it.
What is left is told by `--map`, or guessed: see `pairing`.
"""

from __future__ import annotations

import difflib
import fnmatch
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lossopt.diff.pairing import Lined, guess, recorded
from lossopt.errors import InputError
from lossopt.recording import Recording, Step
from lossopt.tasks import mapping
from lossopt.tasks.mapping import SAME, Link
from lossopt.tasks.task import Data, Task

WRAPPERS = ("_orig_mod.", "module.", "params.")
"""What torch.compile, DistributedDataParallel and Flax linen put before every name."""

FEWEST = 16
"""So many elements at the same places are compared, where parameters are sampled; fewer say too little."""


@dataclass(frozen=True)
class Aligned:
    """Two recordings lined up.

    Attributes:
        a, b: the recordings.
        pairs: by common name the parameter of each.
        only_a, only_b: parameters that the other does not have, by their own names.
        guessed: by common name what paired those that no name and no rule pairs.
    """

    a: Recording
    b: Recording
    pairs: Mapping[str, tuple[Lined, Lined]]
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    guessed: Mapping[str, str] = field(default_factory=dict)
    _read: dict[int, tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]] = field(default_factory=dict, repr=False)

    @property
    def called(self) -> tuple[str, str]:
        """What to call the two in a sentence."""
        a, b = self.a.label, self.b.label
        return (a, b) if a != b else ("the first run", "the second run")

    @functools.cached_property
    def steps(self) -> tuple[tuple[Step, Step], ...]:
        """The steps that both have, in order."""
        of_b = {s.step: s for s in self.b.steps}
        return tuple((s, of_b[s.step]) for s in self.a.steps if s.step in of_b)

    @functools.cached_property
    def array_steps(self) -> tuple[int, ...]:
        common = {s.step for s, _ in self.steps} & set(self.b.array_steps)
        return tuple(s for s in self.a.array_steps if s in common)

    def names(self, common: str) -> str:
        """A parameter as the reader knows it: by both names where they differ."""
        if common not in self.pairs:
            return common
        a, b = self.pairs[common]
        return a.own if a.own == b.own else f"{a.own} ({b.own})"

    def whole(self, step: int) -> tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]:
        """Everything that was recorded of a step, by its own names; the last few steps are kept."""
        if step not in self._read:
            while len(self._read) > 1:
                self._read.pop(next(iter(self._read)))
            self._read[step] = (self.a.arrays(step), self.b.arrays(step))
        return self._read[step]

    def arrays(self, kind: str, step: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """One kind of array of a step, by common name, both in the common layout; vectors of common elements where sampled."""
        whole, found = self.whole(step), {}
        for name, pair in self.pairs.items():
            if all(f"{kind}/{own}" in have for have, side in zip(whole, pair, strict=True) for own in side.link.own):
                x, y = (self._of(side, kind, have) for side, have in zip(pair, whole, strict=True))
                if not any(side.sampled for side in pair):
                    found[name] = x, y
                elif len(places := self._common_places(name)[0]) >= FEWEST:
                    found[name] = x.ravel()[places], y.ravel()[self._common_places(name)[1]]
        return found

    def norms(self, which: str, steps: tuple[Step, Step]) -> dict[str, tuple[float, float]]:
        """One of a step's norms (``"grad_norms"``) by common name; empty where one recording lacks it.

        Where others have one, a parameter without one was given no gradient: its norm is 0.
        """
        of_a, of_b = (getattr(s, which) for s in steps)
        if not of_a or not of_b:
            return {}
        return {n: (_joint(x.link.own, of_a), _joint(y.link.own, of_b)) for n, (x, y) in self.pairs.items()}

    def lr(self, steps: tuple[Step, Step]) -> dict[str, tuple[float, float]]:
        """The learning rates of each pair's groups; empty where one recording lacks them.

        A parameter that an optimizer does not have has none.
        """
        a, b = steps
        if not a.lr or not b.lr:
            return {}
        return {n: (_of_group(a.lr, x.group), _of_group(b.lr, y.group)) for n, (x, y) in self.pairs.items() if min(x.group, y.group) >= 0}

    @functools.cached_property
    def trained(self) -> frozenset[str]:
        """Common names of what at least one run moves; all where no update is recorded."""
        moved = {n for steps in self.steps for n, sizes in self.norms("update_norms", steps).items() if max(sizes) != 0}
        return frozenset(moved or self.pairs)

    def _of(self, side: Lined, kind: str, have: Mapping[str, np.ndarray]) -> np.ndarray:
        if side.sampled:
            return np.concatenate([np.asarray(have[f"{kind}/{own}"]).ravel() for own in side.link.own])
        return side.link.to_torch({own: np.asarray(have[f"{kind}/{own}"]) for own in side.link.own})

    @functools.cached_property
    def _places(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {}

    def _common_places(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Where in each side's recorded vector the elements stand that both have."""
        if name not in self._places:
            of_a, of_b = (recorded(side, run) for side, run in zip(self.pairs[name], (self.a, self.b), strict=True))
            _, at_a, at_b = np.intersect1d(of_a, of_b, return_indices=True)
            self._places[name] = at_a, at_b
        return self._places[name]


def align(a: Recording, b: Recording, rules: Mapping[str, str] | None = None) -> Aligned:
    """Line up two recordings.

    Args:
        rules: ``{name in b: name in a}``, either with ``*``; each must match something.

    Raises:
        InputError: a rule that matches nothing, or no common parameter.
    """
    links_a, links_b = ([_unwrapped(link, run) for link in _links(run, (a, b))] for run in (a, b))
    told = _told(links_a, links_b, rules or {}, (a.label, b.label))
    name_of_b = {link.own: told.get(link.name, link.name) for link in links_b}
    by_name = {name_of_b[link.own]: link for link in links_b if name_of_b[link.own] is not None}
    pairs = {x.name: (_lined(x, a), _lined(by_name[x.name], b)) for x in links_a if x.name in by_name}
    left_a = [_lined(x, a) for x in links_a if x.name not in pairs]
    left_b = [_lined(x, b) for x in links_b if name_of_b[x.own] not in pairs]
    guessed = guess(left_a, left_b, a, b)
    pairs |= {x.link.name: (x, y) for x, y, _ in guessed}
    found_a, found_b = {x.own for x, _, _ in guessed}, {y.own for _, y, _ in guessed}
    if not pairs:
        raise InputError(f"{a.label} and {b.label} have no parameter in common ({_few(x.own for x in left_a)}; "
                         f"{_few(y.own for y in left_b)}); "
                         "say which is which in a YAML file, {name in the second run: name in the first}, and give it as --map "
                         "FILE")  # fmt: skip
    order = {x.name: i for i, x in enumerate(links_a)}
    return Aligned(a, b, dict(sorted(pairs.items(), key=lambda item: order[item[0]])),
                   tuple(x.own for x in left_a if x.own not in found_a), tuple(y.own for y in left_b if y.own not in found_b),
                   {x.link.name: why for x, _, why in guessed})  # fmt: skip


def read_rules(path: str | Path) -> dict[str, str]:
    """The file of ``--map``.

    Raises:
        InputError: it is not a YAML mapping of names to names.
    """
    import yaml

    if not Path(path).is_file():
        raise InputError(f"--map: there is no file {path}")
    try:
        text = Path(path).read_text(encoding="utf-8")
        root, found = yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except UnicodeDecodeError as problem:
        raise InputError(f"--map: {path} is not UTF-8 text: {problem}") from None
    except yaml.YAMLError as problem:
        mark, what, doing = (getattr(problem, name, None) for name in ("problem_mark", "problem", "context"))
        line = f", line {mark.line + 1}," if mark else ""
        quoted = "; put a name that begins with * in quotes" if "alias" in str(doing) else ""
        raise InputError(f"--map: {path}{line} is not YAML: {what or problem}{quoted}") from None
    if not isinstance(found, dict) or not all(isinstance(k, str) and isinstance(v, str) for k, v in found.items()):
        raise InputError(f"--map: {path} must map names of the second run to names of the first, a line each: fc.kernel: head.weight")
    keys = [key.value for key, _ in root.value]
    if twice := [key for i, key in enumerate(keys) if key in keys[:i]]:
        raise InputError(f"--map: {path} names {twice[0]!r} twice; leave one of the two lines out")
    return found


# ------------------------------------------------------------------------------------------------- names
def _links(run: Recording, both: tuple[Recording, Recording]) -> list[Link]:
    names = {p.name: p.shape for p in run.info.parameters}
    if len({r.info.framework for r in both}) == 1:
        return [Link(name, (name,), (SAME,)) for name in names]
    try:
        return mapping.links(Task("recordings", _no_data, {}), run.info.framework, names)
    except InputError as problem:
        told = str(problem).partition(" by Task")[0]
        raise InputError(f"{run.label}: {told} to PyTorch; rename one of them in the model") from None


def _no_data() -> Data:
    raise InputError("recordings have no data")


def _unwrapped(link: Link, run: Recording) -> Link:
    name = link.name
    for wrapper in WRAPPERS:
        if all(p.name.startswith(wrapper) for p in run.info.parameters):
            name = name.removeprefix(wrapper)
    return Link(name, link.own, link.layouts)


def _lined(link: Link, run: Recording) -> Lined:
    return Lined(link, tuple(run.info.parameter(own) for own in link.own))


def _told(links_a: Sequence[Link], links_b: Sequence[Link], rules: Mapping[str, str], labels: tuple[str, str]) -> dict[str, str]:
    """By common name in b the common name in a that the rules give it."""
    in_a, in_b = ({own: link.name for link in links for own in link.own} for links in (links_a, links_b))
    found: dict[str, str] = {}
    for theirs, ours in rules.items():
        pattern = re.compile("(.*)".join(map(re.escape, theirs.split("*"))))
        hits = [(own, m) for own in in_b if (m := pattern.fullmatch(own))]
        if not hits:
            raise InputError(f"--map: {theirs!r} matches no parameter of {labels[1]}{_near(theirs, in_b)}")
        for own, match in hits:
            name = _filled(ours, match.groups())
            if name not in in_a:
                raise InputError(f"--map: {theirs!r} makes {own!r} into {name!r}, which {labels[0]} does not have{_near(name, in_a)}")
            if in_a[name] in found.values() and found.get(in_b[own]) != in_a[name]:
                raise InputError(f"--map: two parameters of {labels[1]} become {name!r}, {own!r} and another; each needs its own")
            found[in_b[own]] = in_a[name]
    return found


def _filled(pattern: str, parts: Iterable[str]) -> str:
    left = iter(parts)
    return re.sub(r"\*", lambda _: next(left, "*"), pattern)


def _near(given: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(given.replace("*", ""), known, n=1, cutoff=0.3) or fnmatch.filter(known, f"*{given.strip('*')}*")[:1]
    return f"; the nearest is {near[0]!r}" if near else f"; it has {_few(known)}"


def _few(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "") if found else "none"


def _joint(own: Sequence[str], norms: Mapping[str, float]) -> float:
    return float(np.sqrt(sum(norms.get(name, 0.0) ** 2 for name in own))) if len(own) > 1 else norms.get(own[0], 0.0)


def _of_group(rates: tuple[float, ...], group: int) -> float:
    return rates[group] if group < len(rates) else rates[0]

"""What differs, in one sentence, and what to type to make the two runs equal.

Where the first broken link is the optimizer's, the schedule's or the loss's, both runs are identified: which definition, under
which hyperparameters, made these numbers.  Where that is not certain, the sentence says what is known and what is not.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from lossopt.diff.align import Aligned
from lossopt.diff.causes import CAUSES, ROWS, Cause
from lossopt.diff.finding import Finding, Outcome, short
from lossopt.diff.schedule import beside_the_rate
from lossopt.errors import InputError
from lossopt.recording import Recording

LANGUAGE = {"torch": "PyTorch", "jax": "JAX"}

DEPENDS = {
    "amsgrad_max": "amsgrad",
    "dampening": "momentum",
    "nesterov": "momentum",
    "lr_before_momentum": "momentum",
    "decoupled": "weight_decay",
}
"""Switches that do nothing where another number is 0 or off."""

AS_WELL = 3.0
"""Residuals within this factor are as good."""

SAME, NOTHING = 1e-2, 1e-6
"""Two fitted numbers are one within a percent; one below a millionth, an eps aside, does nothing."""

ASKED = {"update": ("optimizer",), "loss": ("loss",)}
"""By link what both runs are identified for."""

OF_IDENTIFIED = ("optimizer", "weight decay", "update scale", "biases", "update noise", "loss function", "unknown")
"""Causes that an identification says better.  The others are certain as they are."""


class Identification(Protocol):
    """`lossopt.identify(recording)`: the best is None where nothing explains the run."""

    @property
    def best(self) -> Any: ...


Identify = Callable[[Recording, str], Identification | None]
"""A recording, and ``"optimizer"`` or ``"loss"``; None where it cannot be tried."""


@dataclass(frozen=True)
class Verdict:
    """The answer.

    Attributes:
        sentence: what differs and what to type; or that the runs are equal to rounding.
        cause: one of `causes.CAUSES`, or the hyperparameters that differ (``"betas"``); empty where the runs are equal.
        known: what each run was identified as, by its label.
        open: what could not be said.
        type: by framework what to type there.
        row: of the page of known differences, and a link to it; empty where it has none.
        what: the sentence's first part, what differs.
        remedy: its second, line by line: where, and what to type there; either one will do.
    """

    sentence: str
    cause: str = ""
    known: Mapping[str, str] = field(default_factory=dict)
    open: tuple[str, ...] = ()
    type: Mapping[str, str] = field(default_factory=dict)
    row: str = ""
    what: str = ""
    remedy: tuple[tuple[str, str], ...] = ()

    @property
    def link(self) -> str:
        """To the row, from the root of the repository."""
        return _linked(self.row)

    def to_dict(self) -> dict[str, Any]:
        return {"sentence": self.sentence, "cause": self.cause, "known": dict(self.known), "open": list(self.open), "type": dict(self.type),
                "row": self.row, "link": self.link}  # fmt: skip


def identified(recording: Recording, what: str) -> Identification | None:
    """By `lossopt.identify`; None where the recording holds too little for it."""
    try:
        if what == "loss":
            return importlib.import_module("lossopt.identify.losses").identify_loss(recording)
        return importlib.import_module("lossopt.identify").identify(recording)
    except InputError:  # the sentence then says that it was not identified
        return None


def judge(al: Aligned, outcomes: list[Outcome], first: Outcome | None, identify: Identify = identified) -> Verdict:
    """The verdict on two recordings whose links have been looked at."""
    if first is None or first.finding is None:
        return Verdict(_equal(al, outcomes))
    finding = first.finding
    runs: list[Identification | None] = [None, None]
    if first.link in ASKED and finding.cause in OF_IDENTIFIED:
        runs = [identify(run, ASKED[first.link][0]) for run in (al.a, al.b)]
    if (verdict := _by_what_is_beside(al, first, runs)) is not None:
        return verdict
    best, changes = nearest(*(candidates(run) for run in runs))
    known = {label: _called(x) for label, x in zip(al.called, best, strict=True) if x is not None}
    if len(changes) > 1 and "lr_before_momentum" in changes and _steady(al):
        del changes["lr_before_momentum"]  # the same, while the learning rate stays
    varied = beside_the_rate(al) if first.link == "update" else None
    if varied is not None and set(changes) <= {varied.numbers["label"].partition("[")[0]}:
        return _by_cause(al, first, varied, known, tried=True)
    if best[0] is not None and best[1] is not None and changes:
        return _by_specs(al, first, finding, best, known, changes)
    return _by_cause(al, first, finding, known, tried=any(runs))


BESIDE = {
    "the bias of the moments": "bias_correction",
    "updates come one step late": "late updates",
    "the first moment is kept": "update noise",
    "its state is kept": "update noise",
    "gradients are clipped": "only one clips",
    "gradients are gathered": "accumulation",
}
"""What `identify` may find beside a definition, by how it begins, and the cause that it is."""


def _by_what_is_beside(al: Aligned, first: Outcome, runs: list[Identification | None]) -> Verdict | None:
    """Where both are one definition with the same numbers, and something goes beside it in one of them."""
    best = [getattr(run, "best", None) for run in runs]
    told = [[t for part in getattr(run, "parts", ())[:1] for t in part.told if t.startswith(tuple(BESIDE))] for run in runs]
    if best[0] is None or best[1] is None or bool(told[0]) == bool(told[1]) or changes(*best):
        return None
    side = 0 if told[0] else 1
    label, other = al.called[side], al.called[1 - side]
    what = f"in {label} {told[side][0]}; {other} is without that"
    code = _code(best[1 - side], (al.a, al.b)[side].info.framework)
    known = {name: _called(x) for name, x in zip(al.called, best, strict=True)}
    cause = next(c for begin, c in BESIDE.items() if told[side][0].startswith(begin))
    to_type = {f: c for f in LANGUAGE if (c := _code(best[1 - side], f))}
    sentence = _sentence(al, first, what, f"write {code} in {label}", "")
    return Verdict(sentence, cause, known, (), to_type, "", _since(first, what), ((f"in {label}", code),))


def _steady(al: Aligned) -> bool:
    return len({lr for steps in al.steps for s in steps for lr in s.lr}) <= 1


# ------------------------------------------------------------------------------------------------- equal
def _equal(al: Aligned, outcomes: list[Outcome]) -> str:
    a, b = al.called
    looked = [o.link for o in outcomes if o.compared]
    missing = [o.link for o in outcomes if not o.compared and o.link != "evaluation"]
    loss = next((o for o in outcomes if o.link == "loss" and o.worst), None)
    grown = (
        f"; the losses part by {short(loss.worst[0])} at most, which is rounding, enlarged by training"
        if loss and loss.worst and loss.worst[0]
        else ""
    )
    unseen = f"; not compared, because it is not recorded: {', '.join(missing)}" if missing else ""
    return f"{a} and {b} are equal to rounding over {_steps(len(al.steps))}, in {_and(looked)}{grown}{unseen}."


# ------------------------------------------------------------------------------------------------- by what was identified
Changes = dict[str, tuple[Any, Any]]


def candidates(run: Identification | None) -> list[Any]:
    """All that explain a run about as well as its best, the best first: on these data they coincide.

    A rule with more numbers fits rounding too; so those a little worse than the best are no worse explanations.
    """
    best = getattr(run, "best", None)
    if best is None:
        return []
    named = [x for x in getattr(run, "family", ()) if x is not best]
    unnamed = [x for x in getattr(run, "ranking", ()) if not hasattr(x, "spec") and hasattr(x, "rule")]
    others = [Near(x) for x in unnamed if x.residual <= AS_WELL * best.residual]
    return [best, *named, *others]


@dataclass(frozen=True)
class Near:
    """A fit of an identification's ranking that has no name yet; `named` where it has got one."""

    fit: Any
    named: Any = None

    @property
    def spec(self) -> Any:
        if self.named is not None:
            return self.named
        return importlib.import_module("lossopt.identify.identification").spec_of(self.fit)

    def code(self, framework: str) -> str:
        return importlib.import_module("lossopt.identify.code").code(self.spec, framework)


def nearest(of_a: list[Any], of_b: list[Any]) -> tuple[list[Any], Changes]:
    """Of what explains either run the two that differ in the least; their differences."""
    if not of_a or not of_b:
        return [of_a[0] if of_a else None, of_b[0] if of_b else None], {}
    pairs = [(x, y, changes(x, y)) for x in of_a for y in of_b]
    x, y, found = min(pairs, key=lambda p: ("" in p[2], len(p[2]) or 99, _far_fetched(p[0]) + _far_fetched(p[1])))
    if "" not in found:  # what has no name is called as the other is, with its own numbers
        x, y = _like(x, y, found, 0), _like(y, x, found, 1)
    return [x, y], found


def _far_fetched(x: Any) -> int:
    """How much must be said for it: of explanations as good the plainest is meant."""
    return 100 if isinstance(x, Near) else getattr(x, "words", 0)


def _like(x: Any, other: Any, found: Changes, side: int) -> Any:
    if not isinstance(x, Near) or isinstance(other, Near):
        return x
    return Near(x.fit, replace(other.spec, hyperparameters={**other.spec.hyperparameters, **{n: v[side] for n, v in found.items()}}))


def changes(x: Any, y: Any) -> Changes:
    """By hyperparameter what two fits have; ``""`` where they are different definitions."""
    if x.spec.definition.name != y.spec.definition.name and not _same_text(x.spec, y.spec):
        return {"": (x.spec.definition.name, y.spec.definition.name)}
    have = [{**f.spec.hyperparameters, **({"reduction": r} if (r := getattr(f.spec, "reduction", None)) else {})} for f in (x, y)]
    found = {n: v for n in have[0] if not _fits(n, v := (have[0][n], have[1].get(n)), (x, y))}
    found = {n: v for n, v in found.items() if n not in DEPENDS or all(_does(h.get(DEPENDS[n])) for h in have)}
    return {n: v for n, v in found.items() if n != "lr"} or found


def _does(value: Any) -> bool:
    return bool(value) if isinstance(value, bool) or not isinstance(value, float | int) else abs(value) > NOTHING


def _same_text(x: Any, y: Any) -> bool:
    """adam and adamw are one text under other switches."""
    return getattr(x.definition, "text", x) is getattr(y.definition, "text", y)


def _fits(name: str, values: tuple[Any, Any], fits: tuple[Any, Any]) -> bool:
    """Whether two values are one: equal to what a fit can tell, or either within what the other's data leave open."""
    x, y = values
    if isinstance(x, tuple) and isinstance(y, tuple) and len(x) == len(y):
        return all(_fits(f"{name}[{i}]", (u, v), fits) for i, (u, v) in enumerate(zip(x, y, strict=True)))
    if not isinstance(x, float | int) or not isinstance(y, float | int) or isinstance(x, bool) or isinstance(y, bool):
        return bool(x == y)
    intervals = [next((k for k in getattr(f, "known", ()) if k.label == name), None) for f in fits]
    if any(k is not None and k.low <= other <= k.high for k, other in zip(intervals, (y, x), strict=True)):
        return True
    return _one(float(x), float(y), 0.0 if name.startswith("eps") else NOTHING)


def _one(x: float, y: float, least: float) -> bool:
    if min(x, y) > 0.5 and max(x, y) < 1:  # a decay rate: what counts is how far from 1 it is
        x, y, least = 1 - x, 1 - y, 0.0
    return abs(x - y) <= max(SAME * max(abs(x), abs(y)), least)


def _by_specs(al: Aligned, first: Outcome, finding: Finding, best: list[Any], known: dict[str, str], changes: Changes) -> Verdict:
    a, b = al.called
    row = next((ROWS[key] for x in best for n in changes if (key := (x.spec.definition.name, n)) in ROWS), "")
    if "" in changes:
        what, cause = f"{a} is {known[a]} and {b} is {known[b]}", "optimizer" if first.link == "update" else "loss function"
    else:
        said = _and([f"{n} is {_value(x)} in {a} and {_value(y)} in {b}" for n, (x, y) in changes.items()])
        names = dict.fromkeys(x.spec.definition.name for x in best)
        what, cause = f"{said} ({' and '.join(names)})", ", ".join(sorted(changes))
    to_type = {f: code for f in LANGUAGE if (code := _code(best[0], f))}
    mine, other = al.b.info.framework, al.a.info.framework
    back = _code(best[1], other)
    typed = f"write {to_type[mine]} in {b}" if mine in to_type else f"give {b} {_said(changes, best, 0)}"
    typed += f", or {back} in {a}" if back else f", or {a} {_said(changes, best, 1)}"
    remedy = ((f"in {b}", to_type.get(mine) or _said(changes, best, 0)), (f"or in {a}", back or _said(changes, best, 1)))
    return Verdict(_sentence(al, first, what, typed, row), cause, known, (), to_type, row, _since(first, what), remedy)


def _said(changes: Changes, best: list[Any], side: int) -> str:
    """What one side has, for the other to be given it."""
    return _called(best[side]) if "" in changes else " and ".join(f"{n}={_value(v[side])}" for n, v in changes.items())


def _code(best: Any, framework: str) -> str:
    """What to type for it; empty where its identification does not say."""
    if (code := getattr(best, "code", None)) is None:
        return ""
    return " ".join(str(code(framework)).partition("  # ")[0].split())  # the remark is for a line of its own


def _called(best: Any) -> str:
    return str(best.spec)


def _value(x: Any) -> str:
    if isinstance(x, tuple):
        return f"({', '.join(map(_value, x))})"
    return short(x) if isinstance(x, float) else repr(x)


# ------------------------------------------------------------------------------------------------- by the cause alone
def _by_cause(al: Aligned, first: Outcome, finding: Finding, known: dict[str, str], *, tried: bool) -> Verdict:
    cause = CAUSES.get(finding.cause, CAUSES["unknown"])
    texts = {f: _filled(getattr(cause, f), finding.numbers, second=al.b.info.framework == f) for f in LANGUAGE}
    open_ = []
    if finding.cause in OF_IDENTIFIED and first.link in ASKED:
        what = ASKED[first.link][0]
        unknown = [label for label in al.called if label not in known]
        if unknown:
            open_.append(
                f"which {what} {_and(unknown)} {'has' if len(unknown) == 1 else 'have'}"
                + (" could not be identified" if tried else " was not looked for")
            )
        elif known:
            open_.append(f"both were identified as {next(iter(known.values()))}, and yet differ")
    frameworks = [al.b.info.framework, *({al.a.info.framework} - {al.b.info.framework})]
    typed = _typed(texts, frameworks, cause)
    row = _row(finding, cause)
    sentence = _sentence(al, first, finding.told, typed, row)
    if known:
        sentence = sentence[:-1] + f"; known: {_and([f'{label} is {text}' for label, text in known.items()])}."
    if open_:
        sentence = sentence[:-1] + f"; not known: {_and(open_)}."
    to_type = {f: texts[f] for f in frameworks}
    where = {f: f"in {LANGUAGE[f]}" for f in frameworks} if len(set(to_type.values())) > 1 else {frameworks[0]: ""}
    remedy = tuple((place, texts[f]) for f, place in where.items())
    return Verdict(sentence, finding.cause, known, tuple(open_), to_type, row, _since(first, finding.told), remedy)


def _typed(texts: Mapping[str, str], frameworks: list[str], cause: Cause) -> str:
    if cause.torch == cause.jax or len(frameworks) == 1:
        return texts[frameworks[0]]
    return "; ".join(f"in {LANGUAGE[f]} {texts[f]}" for f in frameworks)


def _filled(text: str, found: Mapping[str, Any], *, second: bool) -> str:
    """The numbers in a remedy: what the first run has, for the second to have it too."""
    numbers = {k: short(v) if isinstance(v, float) else str(v) for k, v in found.items()}
    own, other = ("max_norm_b", "max_norm_a") if second else ("max_norm_a", "max_norm_b")
    given = {
        "max_norm": numbers.get(other, numbers.get(own, "...")),
        "weight_decay": f"a weight_decay larger by {numbers['weight_decay']} in {numbers['less']}, or smaller by it in {numbers['more']}"
        if "weight_decay" in numbers
        else "the same weight_decay=",
        "decay": numbers.get("decay_a", numbers.get("decay_b", "...")),
        **(_rescaling(found["ratio"], found.get("shift", 0.0), second=second) if "{scaled}" in text else {}),
    }
    for name, value in given.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _rescaling(ratio: float, shift: float, *, second: bool) -> dict[str, str]:
    """What is written around one side's inputs to have the other's: the first's are `ratio` times the second's, plus `shift`."""
    p, q = (ratio, shift) if second else (1 / ratio, -shift / ratio)
    if q < 0:  # as it is usually written: less a mean, over a standard deviation
        opened, scaled = "(", f" - {short(-q / p)}) / {short(1 / p)}"
    else:
        opened, scaled = "", f" * {short(p)}" if abs(p) >= 1 or q else f" / {short(1 / p)}"
    more = f" + {short(q)}" if q > 0 else ""
    known = " (ToTensor divides by 255)" if not q and short(max(p, 1 / p)) == "255" else ""
    return {"opened": opened, "scaled": f"{scaled}{more}, or scale the other side{known}"}


def _row(finding: Finding, cause: Cause) -> str:
    """A reduction is in the table only as the mean of a divergence: its row is for a factor of the outputs of a sample."""
    if finding.cause == "reduction":
        return cause.row if "outputs of a sample" in finding.told else ""
    return cause.row


# ------------------------------------------------------------------------------------------------- words
def _linked(row: str) -> str:
    return importlib.import_module("lossopt.parity.disagreements").topic_link(row) if row else ""


def _sentence(al: Aligned, first: Outcome, what: str, typed: str, row: str) -> str:
    """One sentence: since when, what, what is still equal, what to type, where to read."""
    to_type = f": {typed}" if typed else ""
    reads = f" ({_linked(row)})" if row else ""
    return f"{_since(first, what)}{to_type}{reads}."


def _since(first: Outcome, what: str) -> str:
    assert first.finding is not None
    before = {"parameters": "Before the first step", "initial weights": "Before the first step", "evaluation": "In evaluation"}
    return f"{before.get(first.link, f'From step {first.finding.step} on')} {what}"


def _steps(n: int) -> str:
    return f"{n:,} step{'' if n == 1 else 's'}"


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""

"""What a name stands for, as a value: ``lossopt.explain("adamw")`` reads it all from the definition itself."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lossopt import hyper, registry
from lossopt.carry import HOW_TO_GIVE
from lossopt.definition import Definition, Loss, Optimizer, Schedule, Spec
from lossopt.vector import State, Vector

SHAPE = (512, 256)
"""The matrix whose state is counted; its two sizes are told from other numbers when a slot's shape is read."""

BYTES = 4
"""Of one number in float32."""

SECTION = re.compile(r"^(Args|Returns|Raises|Examples?|Papers?|References|Shapes|Elsewhere):\s*(.*)$")
CITED = re.compile(r"((19|20)\d\d|(arXiv:|doi:|\w+\.\w+/)\S+)[.;]?$")
"""How the last line of a citation ends: a year, an arXiv number, a DOI or an address."""


@dataclass(frozen=True)
class Hyperparameter:
    """One argument: what it may be, and its default under each convention."""

    name: str
    allowed: str
    default: Any
    conventions: Mapping[str, Any]
    meaning: str = ""

    @property
    def differs(self) -> bool:
        """True where a convention has another default."""
        return any(value != self.default for value in self.conventions.values())


@dataclass(frozen=True)
class SlotFacts:
    """One slot of the state: its shape for a parameter of shape (m, n), and when it is there."""

    name: str
    shape: str
    needs: str | None
    bytes_per_parameter: float


@dataclass(frozen=True)
class Explanation:
    """Everything that a definition says of itself.  Prints as a page; `to_dict` is for programs.

    Attributes:
        asked: the name that was given, and `note` whose name it is where it is not ours.
        description: what the docstring says before its first section; `formula` is the indented part of that.
        shapes: the shapes and dtypes that it takes.
        takes: the arrays of a loss, the step of a schedule, what an optimizer wraps.
        asks: what an update must be given besides gradients and parameters.
        state: the slots, for a parameter of shape (m, n), at the defaults.
        bytes_per_parameter: of the state in float32, for a 512 by 256 matrix at the defaults.
        elsewhere: framework -> (its names for it, any difference).
        papers: as the docstring cites them.
    """

    asked: str
    name: str
    kind: str
    note: str
    summary: str
    description: str
    formula: str
    shapes: str
    takes: tuple[str, ...]
    reductions: tuple[str, ...]
    hyperparameters: tuple[Hyperparameter, ...]
    conventions: tuple[str, ...]
    asks: Mapping[str, str]
    state: tuple[SlotFacts, ...]
    bytes_per_parameter: float | None
    elsewhere: Mapping[str, tuple[tuple[str, ...], str]]
    papers: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with the same names."""
        named = {where: {"names": list(names), "difference": note} for where, (names, note) in self.elsewhere.items()}
        return {**asdict(self), "elsewhere": named}

    def __str__(self) -> str:
        return "\n".join(_page(self))


def explain(name: str | Definition | Spec) -> Explanation:
    """What a loss, optimizer, schedule or transform is: formula, hyperparameters, state, names elsewhere, paper.

    Args:
        name: a name or alias (``"AdamW"``, ``"optax.adamw"``), a definition, or a spec.

    Raises:
        UnknownNameError: with the closest name.

    Example:
        >>> found = explain("AdamW")
        >>> found.name, found.note, found.bytes_per_parameter
        ('adamw', "'AdamW' is torch's and keras's name for adamw", 8.0)
        >>> [h.name for h in found.hyperparameters if h.differs]
        ['eps', 'weight_decay', 'amsgrad_max', 'eps_hat']
    """
    d = name.definition if isinstance(name, Spec) else name if isinstance(name, Definition) else registry.definition(name)
    asked = name if isinstance(name, str) else d.name
    head, sections = _read(d.doc)
    elsewhere = {where: names_elsewhere(text, dotted=where != "also") for where, text in d.elsewhere.items()}
    slots, total = _state(d) if isinstance(d, Optimizer) else ((), None)
    return Explanation(
        asked=asked,
        name=d.name,
        kind=d.kind,
        note=_note(d, asked, elsewhere),
        summary=d.doc.partition("\n")[0],
        description=head,
        formula=_formula(head),
        shapes=" ".join(sections.get("Shapes", "").split()),
        takes=_takes(d),
        reductions=d.reductions if isinstance(d, Loss) else (),
        hyperparameters=tuple(_hyperparameters(d, _arguments(sections.get("Args", "")))),
        conventions=tuple(d.conventions),
        asks=_asks(d),
        state=slots,
        bytes_per_parameter=total,
        elsewhere=elsewhere,
        papers=_papers(sections),
    )


# ------------------------------------------------------------------------------------------------- the docstring
def _read(doc: str) -> tuple[str, dict[str, str]]:
    """The prose (what is in no section, the first line aside), and the sections by name."""
    prose: list[str] = []
    sections: dict[str, list[str]] = {}
    inside: list[str] | None = None
    for line in doc.splitlines()[1:]:
        header = SECTION.match(line)
        if header:
            inside = sections.setdefault(header.group(1), [f"    {header.group(2)}"] if header.group(2) else [])
        elif inside is not None and (not line or line.startswith("    ")):
            inside.append(line)
        elif inside and inside[-1]:
            inside.append(f"    {line}")  # a section of plain sentences goes on at the margin
        else:
            inside = None
            prose.append(line)
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(prose)).strip("\n")
    return text, {name: textwrap.dedent("\n".join(lines)).strip("\n") for name, lines in sections.items()}


def _formula(head: str) -> str:
    """The indented blocks."""
    blocks = [textwrap.dedent(b) for b in re.split(r"\n\s*\n", head) if b.startswith("    ")]
    return "\n\n".join(blocks).rstrip()


def _arguments(text: str) -> dict[str, str]:
    """``Args:`` by name, each joined to one line."""
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", text):
        names, _, meaning = entry.partition(":")
        found |= {n.strip().strip("*`"): " ".join(meaning.split()) for n in names.split(",")}
    return found


def _papers(sections: Mapping[str, str]) -> tuple[str, ...]:
    """One string per citation: a line goes on until it ends as a citation does."""
    text = next((sections[s] for s in ("Paper", "Papers", "References") if s in sections), "")
    found: list[str] = []
    begin = True
    for line in re.sub(r";\s{2,}", ";\n", text).splitlines():
        line = line.strip().removeprefix("- ")
        if line and begin and not re.match(r"arXiv:|doi:|\d|https?:", line):
            found.append(line)
        elif line:
            found[-1] += f" {line}"
        begin = not line or CITED.search(line) is not None or line.endswith(";")
    return tuple(f.rstrip(".;") for f in found)


# ------------------------------------------------------------------------------------------------- the schema
def _hyperparameters(d: Definition, meanings: Mapping[str, str]) -> Iterator[Hyperparameter]:
    by_convention = {c: d.defaults_of(c) for c in d.conventions}
    for name, default in d.defaults.items():
        here = {c: values[name] for c, values in by_convention.items()}
        yield Hyperparameter(name, hyper.describe(d.annotations[name]), default, here, meanings.get(name, ""))
    if isinstance(d, Loss):
        from lossopt.losses.spec import DEFAULT_REDUCTION

        here = {c: changes.get("reduction", DEFAULT_REDUCTION) for c, changes in d.conventions.items()}
        allowed = " or ".join(map(repr, d.reductions))
        yield Hyperparameter("reduction", allowed, here.get("torch", DEFAULT_REDUCTION), here, "how the values become one number")


def _takes(d: Definition) -> tuple[str, ...]:
    if isinstance(d, Loss):
        return d.inputs
    if isinstance(d, Schedule):
        return ("metric",) if d.start else ("step",)
    if isinstance(d, Optimizer) and d.wraps:
        return ("several optimizers",) if "inners" in d.asks else ("one optimizer",)
    return ()


def _asks(d: Definition) -> dict[str, str]:
    if not isinstance(d, Optimizer):
        return {}
    only = {ask: f", with {name} only" for ask, name in d.asks_with.items()}
    asks = (*d.asks, *["example_grads"] * d.per_example)
    return {a: HOW_TO_GIVE[a].removeprefix(": ") + only.get(a, "") for a in asks if a in HOW_TO_GIVE}


def names_elsewhere(text: str, *, dotted: bool) -> tuple[tuple[str, ...], str]:
    """``"optax.adamw; weight_decay 1e-4 by default"`` as names and the difference."""
    listed, _, difference = text.partition(";")
    names = tuple(registry.foreign_names(text, dotted=dotted))
    more = listed.strip() if not names else listed.strip().removeprefix(", ".join(names)).strip()
    return names, "; ".join(part for part in (more, difference.strip()) if part)


def _note(d: Definition, asked: str, elsewhere: Mapping[str, tuple[tuple[str, ...], str]]) -> str:
    if asked == d.name:
        return ""
    owners = [w for w, (names, _) in elsewhere.items() if w != "also" and any(asked in (n, n.rpartition(".")[2]) for n in names)]
    whose = " and ".join(f"{w}'s" for w in owners) or "another"
    return f"{asked!r} is {whose} name for {d.name}"


# ------------------------------------------------------------------------------------------------- the state
def _state(d: Optimizer) -> tuple[tuple[SlotFacts, ...], float]:
    """The slots of one matrix at the defaults, and the bytes per parameter of those that are there."""
    declared = {s.name: s.needs for s in d.slots}
    present = dict(_started(d))
    found = [_facts(name, x, declared.get(name)) for name, x in present.items()]
    absent = [SlotFacts(s.name, "(m, n)", s.needs, float(BYTES)) for s in d.slots if s.name not in present]
    return tuple(found + absent), sum((s.bytes_per_parameter for s in found), 0.0)


def _started(d: Optimizer) -> Iterator[tuple[str, Any]]:
    """The rule's own slots as the referee starts them; those of what it wraps are not its own."""
    import numpy as np

    spec = d(*_inner(d))
    optimizer = registry.backend("numpy").optimizers.emit(spec)
    _, state = optimizer.init({"weight": np.ones(SHAPE)})
    for name, slot in state.items():
        if name in ("inner", "inners", "step"):
            continue
        yield name, slot


def _inner(d: Optimizer) -> tuple[Spec, ...]:
    if not d.wraps:
        return ()
    plain = registry.definition("sgd", "optimizer")
    assert isinstance(plain, Optimizer)
    many = next((len(v) for v in d.defaults.values() if isinstance(v, tuple)), 1) if "inners" in d.asks else 1
    return tuple(plain() for _ in range(many))


def _facts(name: str, slot: Any, needs: str | None) -> SlotFacts:
    arrays = list(_arrays(slot))
    size = sum(math.prod(a.shape) for a in arrays)
    shapes = sorted({_shape_in_words(a.shape) for a in arrays})
    count = f"{len(arrays)} of " if len(arrays) > 1 and len(shapes) == 1 else ""
    return SlotFacts(name, count + (" and ".join(shapes) or "one number"), needs, BYTES * size / math.prod(SHAPE))


def _arrays(slot: Any) -> Iterator[Any]:
    if isinstance(slot, Vector):
        yield from (x for x in slot.leaves if getattr(x, "shape", ()))
    elif isinstance(slot, State):
        for _, inside in slot.items():  # noqa: PERF102  (a State has no values())
            yield from _arrays(inside)
    elif isinstance(slot, tuple):
        for inside in slot:
            yield from _arrays(inside)


def _shape_in_words(shape: tuple[int, ...]) -> str:
    said = {SHAPE[0]: "m", SHAPE[1]: "n"}
    return f"({', '.join(said.get(s, str(s)) for s in shape)}{',' if len(shape) == 1 else ''})"


# ------------------------------------------------------------------------------------------------- the page
def _page(e: Explanation) -> Iterator[str]:
    yield f"{e.name} ({e.kind})"
    if e.note:
        yield e.note
    yield from ("", e.summary)
    if e.description:
        yield from ("", e.description.replace("::\n", ":\n"))
    if e.shapes:
        yield from ("", f"Shapes: {e.shapes}")
    if e.takes:
        yield from ("", f"Takes: {', '.join(e.takes)}")
    if e.hyperparameters:
        yield from ("", "Hyperparameters (* where a convention's default differs)")
        yield from _columns([("", "name", *e.conventions, "allowed")] + [
            ("*" if h.differs else "", h.name, *(repr(h.conventions[c]) for c in e.conventions), h.allowed) for h in e.hyperparameters
        ])  # fmt: skip
    if e.bytes_per_parameter is not None:
        yield from ("", state_line(e))
        yield from _columns([(s.name, s.shape, f"only with {s.needs}" if s.needs else "") for s in e.state])
    for asked, how in e.asks.items():
        yield from ("", f"Needs {asked}: {how}")
    if e.elsewhere:
        yield from ("", "Elsewhere")
        yield from _columns([(where, ", ".join(names), difference) for where, (names, difference) in e.elsewhere.items()])
    if e.papers:
        yield from ("", "Paper", *(f"  {p}" for p in e.papers))


def state_line(e: Explanation) -> str:
    """The size of the state, in words."""
    if not e.bytes_per_parameter:
        return "State: none at the defaults"
    return f"State: {e.bytes_per_parameter:.3g} bytes per parameter at the defaults (float32, a {SHAPE[0]} by {SHAPE[1]} matrix)"


def _columns(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Rows with aligned columns, two spaces before and between."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        yield ("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True) if w)).rstrip()

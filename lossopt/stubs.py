"""The ``.pyi`` files that let editors complete each definition's arguments; ``make stubs`` writes them.

Definitions are made by decorators, so that a type checker sees one class for all of them.  The stubs say of each what its
signature says: names, types, defaults.  They are generated from the registry, and a test holds them to it.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lossopt import hyper, registry
from lossopt.definition import Definition, Kind, Loss, Optimizer
from lossopt.spelling import COMMON

HEAD = "# Generated from the definitions by `make stubs`; do not edit.\n"

OF_A_FOLDER = (
    "# pyright: reportIncompatibleMethodOverride=false\n"
    "from collections.abc import Callable\nfrom typing import Any, Literal, Protocol, TypedDict, Unpack\n\n"
)
OF_THE_PACKAGE = "from collections.abc import Callable, Mapping\nfrom typing import Any, Literal, Protocol, overload\n\n"

LIVE = '''
class _Scalar(Protocol):
    """A 0-d array of a framework."""

    @property
    def shape(self) -> Any: ...

_Number = float | Callable[[Any], Any] | _Scalar
"""A number, or where it changes a schedule or an array."""
'''

FOLDERS: dict[Kind, tuple[str, str]] = {
    "loss": ("losses", "Loss"),
    "optimizer": ("optimizers", "Optimizer"),
    "schedule": ("schedules", "Schedule"),
    "transform": ("transforms", "Transform"),
}


def stubs() -> dict[str, str]:
    """Path within the package -> text."""
    return {f"{folder}/__init__.pyi": _folder(kind, base) for kind, (folder, base) in FOLDERS.items()} | {"__init__.pyi": _verbs()}


def write(root: Path) -> list[str]:
    """Write the files under `root`, the package's folder, and name those that changed."""
    changed = []
    for path, text in stubs().items():
        if not (root / path).exists() or (root / path).read_text() != text:
            (root / path).write_text(text)
            changed.append(path)
    return changed


def definitions(kind: Kind) -> list[Definition]:
    """Those that a page of lossopt defines; one that a user's module or a docstring's example adds has no place here."""
    found = [registry.definition(name, kind) for name in registry.own_names(kind)]
    return [d for d in found if getattr(sys.modules[d.text.__module__], d.name, None) is d and d.text.__module__.startswith("lossopt.")]


# ------------------------------------------------------------------------------------------------- one folder
def _folder(kind: Kind, base: str) -> str:
    lines = [HEAD, OF_A_FOLDER, f"from lossopt.definition import {base}{_also_imports(kind)}\n", LIVE]
    for d in definitions(kind):
        lines.append(_spellings(d))
        lines.append(f"\nclass _{d.name}({base}):\n" + "".join(f"    {line}\n" for line in _methods(d)))
        lines.append(f"\n{d.name}: _{d.name}\n")
    return "".join(lines)


def _also_imports(kind: Kind) -> str:
    specs = {
        "loss": "\nfrom lossopt.losses.functions import ctc_loss_with_forward_probs as ctc_loss_with_forward_probs"
        "\nfrom lossopt.losses.functions import smooth_labels as smooth_labels"
        "\nfrom lossopt.losses.spec import LossSpec\nfrom lossopt.losses.spec import combine_losses as combine_losses",
        "schedule": "\nfrom lossopt.schedules.spec import ScheduleSpec",
    }
    return specs.get(kind, ", Spec")


def _methods(d: Definition) -> Iterator[str]:
    convention = f"convention: {_literal(d.conventions)} = ..."
    summary = f'        """{_summary(d)}"""'
    also = f"**spellings: Unpack[_{d.name}_spellings]" if _spelt(d) else ""
    if isinstance(d, Loss):
        inputs = ", ".join(f"{name}: Any" for name in d.inputs)
        words = f"{convention}, reduction: {_literal(d.reductions)} | None = None"
        if d.made_from:
            yield f"def __call__(self, {_arguments(d)}, *, {_join(words, also)}) -> LossSpec:\n{summary}"
            return
        yield f"def __call__(self, {_join(inputs, _arguments(d))}, *, {_join(words, also)}) -> Any:\n{summary}"
        yield f"def configure(self, *, {_join(_arguments(d), words, also)}) -> LossSpec: ..."
    elif isinstance(d, Optimizer):
        inner = "*inner: Spec" if "inners" in d.asks else "inner: Spec, /, *" if d.wraps else "*"
        yield f"def __call__(self, {_join(inner, _arguments(d), convention, also)}) -> Spec:\n{summary}"
    else:
        yield f"def __call__(self, *, {_join(_arguments(d), convention, also)}) -> ScheduleSpec:\n{summary}"


def _arguments(d: Definition) -> str:
    defaults = {n: "" if default is hyper.REQUIRED else f" = {default!r}" for n, default in d.defaults.items()}
    return ", ".join(f"{name}: {kind}{defaults[name]}" for name, kind in _types(d).items())


def _types(d: Definition) -> dict[str, str]:
    structural = d.structural if isinstance(d, Optimizer) else frozenset()
    return {n: type_of(a, live=isinstance(d, Optimizer) and n not in structural) for n, a in d.annotations.items()}


def _spelt(d: Definition) -> dict[str, str]:
    """What other frameworks call the hyperparameters, with the types: ``{"learning_rate": "_Number", "b1": "_Number"}``."""
    kinds = _types(d)
    found = {}
    for name, ours in {**COMMON, **d.spellings}.items():
        base, _, index = ours.partition("[")
        if base in kinds and name not in kinds:
            annotation = d.annotations[base]
            part = typing.get_args(annotation)[int(index[:-1])] if index else annotation
            found[name] = type_of(part, live=isinstance(d, Optimizer)) if index else kinds[base]
    return found


def _spellings(d: Definition) -> str:
    fields = ", ".join(f'"{name}": {kind}' for name, kind in _spelt(d).items())
    return f'\n_{d.name}_spellings = TypedDict("_{d.name}_spellings", {{{fields}}}, total=False)\n' if fields else ""


def type_of(annotation: Any, *, live: bool) -> str:
    """An annotation as a type checker reads it: without its range.  With `live`, a number may be a schedule or an array.

    >>> type_of(hyper.Betas, live=False), type_of(hyper.NonNegative | None, live=True)
    ('tuple[float, float]', '_Number | None')
    """
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return type_of(parts[0], live=live or any(allowed.learned for allowed in parts[1:]))
    if origin is typing.Literal:
        return _literal(parts)
    if origin is tuple:
        return f"tuple[{', '.join('...' if p is Ellipsis else type_of(p, live=live) for p in parts)}]"
    if origin in (typing.Union, types.UnionType):
        return " | ".join(dict.fromkeys(type_of(p, live=live) for p in parts))
    if annotation is float and live:
        return "_Number"
    return {float: "float", int: "int", bool: "bool", str: "str", type(None): "None", None: "None"}.get(annotation, "Any")


# ------------------------------------------------------------------------------------------------- the verbs
def _verbs() -> str:
    """The package itself: its names, and each verb with one overload per name."""
    import lossopt

    plain = [n for n in lossopt.__all__ if not n.startswith("get_")]
    homes = {n: getattr(lossopt, n).__module__ for n in plain}
    imports = "".join(f"from {homes[n]} import {n} as {n}\n" for n in sorted(plain, key=lambda n: (homes[n], n)))
    groups = "groups: Mapping[str, Mapping[str, Any]] | None = None"
    verbs = (
        _verb("get_loss", ("loss",), "backend: str | None = None", "reduction: str | None = None"),
        _verb("get_optimizer", ("optimizer", "transform"), "backend: str", f'params: Any = None, executor: str = "auto", {groups}'),
        _verb("get_schedule", ("schedule",), "backend: str | None = None", 'optimizer: Any = None, sets: str = "lr"'),
    )
    return f"{HEAD}{OF_THE_PACKAGE}{imports}{LIVE}\n__version__: str\n__all__: list[str]\n\n" + "\n".join(verbs)


def _verb(verb: str, kinds: tuple[Kind, ...], backend: str, extra: str) -> str:
    lines = []
    for kind in kinds:
        for d in definitions(kind):
            if isinstance(d, Optimizer) and d.wraps:
                continue  # it is given as a spec
            named = _join(extra, f"convention: {_literal(d.conventions)} = ...", _arguments(d))
            lines.append(f'@overload\ndef {verb}(name: Literal["{d.name}"], {backend}, *, {named}) -> Any:\n    """{_summary(d)}"""\n')
    lines.append(f"@overload\ndef {verb}(name: Any, {backend}, *, convention: str = ..., {extra}, **hyperparameters: Any) -> Any: ...\n")
    return "".join(lines)


def _join(*parts: str) -> str:
    return ", ".join(p for p in parts if p)


def _literal(values: Any) -> str:
    return f"Literal[{', '.join(repr(v) for v in values)}]".replace("'", '"')


def _summary(d: Definition) -> str:
    return d.doc.partition("\n")[0].replace("\\", "\\\\")


if __name__ == "__main__":
    for path in write(Path(__file__).parent):
        print(f"wrote {path}", file=sys.stderr)

"""What PyTorch's and Flax's modules are known to do differently by default, and what of it two forward passes show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lossopt.diff.finding import listed, relative, short
from lossopt.port_check.side import Seen

ONE = 1e-3
"""Numbers of float32 that are written as the same are within this."""


@dataclass(frozen=True)
class Known:
    """One difference.

    Attributes:
        what: the number or kind, in a sentence.
        torch, jax: what to type there to have the other's, by the other's value; a text for any has ``{value}``.
    """

    what: str
    torch: Mapping[str, str] | str
    jax: Mapping[str, str] | str


@dataclass(frozen=True)
class Difference:
    """One of them, found: what it is, and what to type on either side."""

    what: str
    torch: str
    jax: str

    def __str__(self) -> str:
        return f"{self.what}: in JAX {self.jax}, or in PyTorch {self.torch}"


EXACT, TANH = "exact", "the tanh approximation"
BATCH, RUNNING = "those of the batch", "the running ones"

KNOWN: dict[str, Known] = {
    # nn.LayerNorm and nn.GroupNorm have 1e-5, nnx.LayerNorm, nnx.GroupNorm and nnx.RMSNorm 1e-6; both BatchNorms have 1e-5;
    # nn.RMSNorm has the machine epsilon.
    "eps": Known("the eps of a normalisation", "eps={value}", "epsilon={value}"),
    # nn.GELU() is exact; nnx.gelu and jax.nn.gelu are not unless they are told to be.
    "gelu": Known("gelu", {EXACT: "nn.GELU()", TANH: 'nn.GELU(approximate="tanh")'},
                  {EXACT: "nnx.gelu(x, approximate=False)", TANH: "nnx.gelu(x, approximate=True)"}),
    "statistics": Known("what a BatchNorm normalises with", {BATCH: "model.train()", RUNNING: "model.eval()"},
                        {BATCH: "model.train()", RUNNING: "model.eval()"}),
    # Either framework draws in training mode, from a generator of its own.
    "dropout": Known("dropout", "model.eval(), or p=0.0", "model.eval(), or rate=0.0 (linen: deterministic=True)"),
}  # fmt: skip
"""What changes the outputs of one batch."""


def differences(torch: Sequence[Seen], jax: Sequence[Seen]) -> list[Difference]:
    """The known differences that both passes show."""
    found = [one for kind in ("eps", "gelu") for one in _by_order(kind, _of(kind, torch), _of(kind, jax))]
    found += _drawn(_of("dropout", torch), _of("dropout", jax))
    return found + _sets("statistics", _of("statistics", torch), _of("statistics", jax))


def to_look_at(torch: Sequence[Seen], jax: Sequence[Seen]) -> list[str]:
    """What cannot be seen and is often the reason."""
    if _of("convolution", torch) and _of("convolution", jax):
        return ["where a convolution's output is flattened, Flax has the channels last: x.transpose(0, 3, 1, 2).reshape(len(x), -1) "
                "stands as PyTorch's"]  # fmt: skip
    return []


def unseen(torch: Sequence[Seen], jax: Sequence[Seen]) -> list[str]:
    """What no update shows, and evaluation will."""
    x, y = ({s.value for s in _of("momentum", side) if isinstance(s.value, float)} for side in (torch, jax))
    if len(x) == len(y) == 1 and relative(u := x.pop(), v := y.pop()) > ONE:
        return [f"BatchNorm's running averages will differ, which no training step shows: momentum={short(u)} in PyTorch is "
                f"momentum={short(1 - u)} in Flax, and here it is {short(1 - v)}"]  # fmt: skip
    return []


def _of(kind: str, side: Sequence[Seen]) -> list[Seen]:
    return [s for s in side if s.kind == kind]


def _by_order(kind: str, torch: list[Seen], jax: list[Seen]) -> list[Difference]:
    """The n-th of one side is the n-th of the other, where there are as many; else their values are compared as a set."""
    if len(torch) != len(jax):
        return _sets(kind, torch, jax)
    pairs: dict[tuple[str, str], list[str]] = {}
    for x, y in zip(torch, jax, strict=True):
        if not _same(x.value, y.value):
            pairs.setdefault((_said(x.value), _said(y.value)), []).append(x.where)
    return [_difference(kind, x, y, [w for w in where if w], len(where), len(torch)) for (x, y), where in pairs.items()]


def _sets(kind: str, torch: list[Seen], jax: list[Seen]) -> list[Difference]:
    if not torch or not jax:
        return []
    x, y = sorted({_said(s.value) for s in torch}), sorted({_said(s.value) for s in jax})
    return [] if x == y else [_difference(kind, " and ".join(x), " and ".join(y), [], 0, 0)]


def _drawn(torch: list[Seen], jax: list[Seen]) -> list[Difference]:
    if not torch and not jax:
        return []
    typed = KNOWN["dropout"]
    assert isinstance(typed.torch, str)
    assert isinstance(typed.jax, str)
    who = "both sides draw" if torch and jax else "the PyTorch model draws" if torch else "the JAX model draws"
    names = listed(list(dict.fromkeys(s.where for s in torch if s.where)))
    what = f"{who} dropout{f' ({names})' if names else ''}, and each framework draws its own"
    return [Difference(what, typed.torch, typed.jax)]


def _difference(kind: str, x: str, y: str, names: list[str], count: int, of: int) -> Difference:
    known = KNOWN[kind]
    some = f" ({listed(list(dict.fromkeys(names)))})" if names else f" ({count} of {of})" if count < of else ""
    return Difference(f"{known.what} is {x} in PyTorch{some} and {y} in JAX", _typed(known.torch, y), _typed(known.jax, x))


def _typed(texts: Mapping[str, str] | str, value: str) -> str:
    return texts.format(value=value) if isinstance(texts, str) else texts.get(value, "the same")


def _same(x: float | str, y: float | str) -> bool:
    return relative(x, y) < ONE if isinstance(x, float) and isinstance(y, float) else x == y


def _said(x: float | str) -> str:
    return x if isinstance(x, str) else short(x)

"""Foreign names of hyperparameters to ours, once, at the border."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lossopt.errors import ArgumentError, suggest

if TYPE_CHECKING:
    from lossopt.definition import Definition

COMMON = {
    "learning_rate": "lr",
    "epsilon": "eps",
    "b1": "betas[0]",
    "b2": "betas[1]",
    "beta1": "betas[0]",
    "beta2": "betas[1]",
    "beta_1": "betas[0]",
    "beta_2": "betas[1]",
}
"""Spellings of optax and keras that mean the same in every definition; the rest stand beside their definition."""

FOREIGN = {
    "decay": "alpha",
    "rho": "alpha",
    "global_clipnorm": "max_norm",
    "decay_steps": "T_max",
    "transition_steps": "step_size",
    "decay_rate": "gamma",
    "boundaries_and_scales": "milestones",
    "weight_decay_rate": "weight_decay",
    "mu": "momentum",
    "from_logits": "",
    "y_true": "targets",
    "y_pred": "predictions",
    "logits": "predictions",
    "input": "predictions",
    "labels": "targets",
    "target": "targets",
}
"""What people type, and what it is called here; used in error messages when a definition does not accept it."""


def to_canonical(definition: Definition, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """`given` in canonical names.  ``b1=0.8`` becomes ``betas=(0.8, <the default>)``; an unknown name is an error."""
    spellings = {**COMMON, **definition.spellings}
    out: dict[str, Any] = {}
    used: dict[str, str] = {}
    for name, value in given.items():
        canonical = name if name in defaults else spellings.get(name, name)
        base, _, index = canonical.partition("[")
        if base not in defaults:
            raise ArgumentError(_unknown(definition, name, defaults))
        if canonical in used or (base in used and not index) or (index and base in given):
            other = used.get(canonical) or used.get(base) or base
            raise ArgumentError(f"{definition.name}() got {base} twice: as {other!r} and as {name!r}")
        used[canonical] = name
        if index:
            used.setdefault(base, name)
            pair = list(out.get(base, defaults[base]))
            pair[int(index[:-1])] = value
            value = tuple(pair)
        out[base] = value
    return out


def _unknown(definition: Definition, name: str, defaults: Mapping[str, Any]) -> str:
    foreign = FOREIGN.get(name)
    known = f"; {name!r} is called {foreign!r} here." if foreign in defaults else suggest(name, defaults)
    takes = ", ".join(defaults) if defaults else "no hyperparameters"
    return f"{definition.name}() has no {name!r}{known or '.'} It takes: {takes}"

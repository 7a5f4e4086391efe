"""The learning rates of a spec that has several, and the ``lr`` that drives them together.

PyTorch's LR schedulers, and the loops and loggers around them, read and set ``group["lr"]``.  ``route(muon(), adamw())`` has
``muon.lr`` and ``adamw.lr`` instead.  Its groups hold an ``lr`` beside them: it begins as the first of them that is not 0, and
a change of it changes all of them by the same factor, as a scheduler does with the lrs of separate groups.  Each can be set by
itself as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lossopt.definition import Spec
from lossopt.errors import InputError


def begin(group: dict[str, Any], spec: Spec) -> dict[str, Any]:
    """A group with an ``lr`` where its spec has several; ``lr_base`` is the lr at which they are what they say."""
    own = names(spec.flat)
    if not own or "lr" in group:
        return group
    first = next((lr for n in own if (lr := float(group[n]))), 0.0)
    return {**group, "lr": first, "lr_base": first}


def names(group: Mapping[str, Any]) -> list[str]:
    """``["muon.lr", "adamw.lr"]``; none where there is one, which is called ``lr``."""
    return [n for n in group if n.endswith(".lr") and not n.startswith("initial_") and group[n] is not None]


def now(group: Mapping[str, Any]) -> dict[str, Any]:
    """What each learning rate is, with what has become of ``lr``.

    Raises:
        InputError: they were all 0, so that nothing says how they follow ``lr``.
    """
    if "lr_base" not in group or group["lr"] == group["lr_base"]:
        return {}
    own, bases = names(group), group
    if bases["lr_base"] == 0:  # one of our schedules has been there: what they were before
        bases = {n: group.get(f"initial_{n}", 0.0) for n in own} | {"lr_base": group.get("initial_lr", 0.0)}
    if bases["lr_base"] == 0:
        raise InputError(f"lr of a group has changed from 0 to {float(group['lr'])}, and {' and '.join(own)} were 0 too: which follows "
                         "it how is not known; set them by their own names")  # fmt: skip
    return {n: bases[n] * (group["lr"] / bases["lr_base"]) for n in own}


def set_each(group: dict[str, Any], at: Callable[[float], float], lr: float) -> None:
    """Each learning rate from its own base, where ``lr`` becomes `lr`; what a schedule adds to a base is added to each."""
    if "lr_base" in group:
        for n in names(group):
            group[n] = at(group.setdefault(f"initial_{n}", group[n]))
        group["lr_base"] = lr

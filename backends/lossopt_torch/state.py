"""Where a spec's slots stand in a torch optimizer: ``state[p]["exp_avg"]``, and what all share in the first group."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from lossopt import carry
from lossopt.definition import Spec
from lossopt.vector import State, Vector

Active = list[tuple[dict[str, Any], Tensor]]
Path = tuple[Any, ...]


class Slots:
    """Between a spec's State and the plain dictionaries of a torch optimizer."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._conditions = [
            spec.flat_names[path, slot.needs] for path, s in spec.walk() for slot in s.definition.slots if slot.needs is not None
        ]
        self._known: tuple[Any, tuple[State, Mapping[Path, str]]] | None = None

    def prepare(self, optimizer: torch.optim.Optimizer, active: Active, lend: Callable[[], carry.Run]) -> None:
        """Make the slots that are not there yet: of new parameters, and those that a number brought to life.

        ``param_groups[0]["momentum"] = 0.9`` after a start without momentum gives sgd its buffer, as in torch.optim.

        Args:
            lend: gives the run as at the start, where a scheduled hyperparameter stands as its schedule, which may begin at
                0.  It is called only when something may be missing.
        """
        conditions = tuple(tuple(bool(g[n]) for n in self._conditions) for g in optimizer.param_groups)
        key = (tuple(id(p) for _, p in active), conditions)
        if self._known is not None and self._known[0] == key:
            return
        run = lend()
        fresh = [i for i, (_, p) in enumerate(active) if p not in optimizer.state]
        if fresh:
            begun = carry.start(self.spec, run.some(fresh), Vector(_widen(active[i][1]) for i in fresh))
            self.store(optimizer, [active[i] for i in fresh], begun, first=True)
        blank = carry.start(self.spec, run, Vector(torch.empty_like(_widen(p), device="meta") for _, p in active))
        names = slot_names(blank)
        blank.map(lambda path, slot: _fill(optimizer, active, names[path], slot))
        self._known = key, (blank.map(lambda _, slot: isinstance(slot, Vector)), names)

    def forget(self) -> None:
        """Look anew at the next `prepare`: the state has been replaced."""
        self._known = None

    def collect(self, optimizer: torch.optim.Optimizer, active: Active) -> State:
        """The State that the rule sees, after `prepare`."""
        assert self._known is not None
        shared, (skeleton, names) = _shared(optimizer), self._known[1]

        def slot(path: Path, per_parameter: bool) -> Any:
            name = names[path]
            return Vector(optimizer.state[p].get(name) for _, p in active) if per_parameter else shared[name]

        return skeleton.map(slot)

    def store(self, optimizer: torch.optim.Optimizer, active: Active, state: State, *, first: bool = False) -> None:
        """Keep a State.  A slot is never the parameter itself, its gradient, or another slot: those get a copy.

        A slot keeps its dtype, as in JAX: a number that a condition chose is a float64 tensor, and would widen that of a scalar
        parameter.
        """
        shared, names = _shared(optimizer), slot_names(state)
        seen = {id(t) for _, p in active for t in (p, p.grad)}

        def own(value: Any, before: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            if isinstance(before, Tensor) and value.dtype != before.dtype:
                value = value.to(before.dtype)
            kept = value.clone() if id(value) in seen else value
            seen.add(id(kept))
            return kept

        def keep(path: Path, value: Any) -> None:
            if isinstance(value, Vector):
                for (_, p), leaf in zip(active, value.leaves, strict=True):
                    if leaf is not None:
                        own_state = optimizer.state[p]
                        own_state[names[path]] = own(leaf, own_state.get(names[path]))
            elif not (first and names[path] in shared):
                shared[names[path]] = own(value, shared.get(names[path]))

        for _, p in active:
            optimizer.state[p]  # a rule without slots leaves a mark too, so that it starts once
        state.map(keep)
        if not shared:
            optimizer.param_groups[0].pop("shared", None)


def _fill(optimizer: torch.optim.Optimizer, active: Active, name: str, slot: Any) -> None:
    """Zeros where a parameter lacks a slot; only a slot under a condition can be lacking, and those begin at zero."""
    for (_, p), leaf in zip(active, slot.leaves if isinstance(slot, Vector) else (), strict=False):
        if leaf is not None and name not in optimizer.state[p]:
            optimizer.state[p][name] = torch.zeros_like(_widen(p))


def slot_names(state: State) -> dict[Path, str]:
    """``exp_avg`` where no other slot of a parameter has that name, ``inners.1.exp_avg`` where one has."""
    owners: dict[Path, frozenset[Any]] = {}
    state.map(lambda path, slot: owners.setdefault(path, _owners(slot)))
    return dict(_slot_names(tuple(owners.items())))


@functools.cache
def _slot_names(owners: tuple[tuple[Path, frozenset[Any]], ...]) -> tuple[tuple[Path, str], ...]:
    def short(path: Path) -> str:
        last = max((i for i, part in enumerate(path) if part in ("inner", "inners")), default=-1)
        return ".".join(map(str, path[last + 1 + (path[last] == "inners") :] if last >= 0 else path))

    def clashes(path: Path, mine: frozenset[Any]) -> bool:
        return any(other != path and short(other) == short(path) and theirs & mine for other, theirs in owners)

    return tuple((path, ".".join(map(str, path)) if clashes(path, mine) else short(path)) for path, mine in owners)


def _owners(slot: Any) -> frozenset[Any]:
    """Which parameters have a slot; what is shared is everybody's."""
    return frozenset(i for i, v in enumerate(slot.leaves) if v is not None) if isinstance(slot, Vector) else frozenset(["shared"])


def _shared(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    return optimizer.param_groups[0].setdefault("shared", {})


def _widen(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x

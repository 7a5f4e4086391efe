"""The parameters of one device and dtype: what a recording asks of all of them in one operation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lossopt.recording.log import Log
from lossopt_torch.measures import Norms, dense, foreach_copy, foreach_sub, is_plain, local, norms


class Alike:
    """Parameters of one device and dtype that an optimizer has: what is asked of all of them at once."""

    def __init__(self, named: Sequence[tuple[str, Tensor]], log: Log) -> None:
        self._log = log
        self.names, self.params = tuple(name for name, _ in named), [p for _, p in named]
        self.plain = all(is_plain(p) for p in self.params)
        self._watch: _Watched | None = None
        self._moving: tuple[tuple[int, ...], Alike] | None = None

    @property
    def local(self) -> list[Tensor]:
        return self.params if self.plain else [local(p) for p in self.params]

    def gradients(self) -> tuple[tuple[str, ...], list[Tensor]]:
        grads = [(name, g) for name, p in zip(self.names, self.params, strict=True) if (g := p.grad) is not None]
        found = [g if self.plain and g.layout is torch.strided else dense(g) for _, g in grads]
        return self.names if len(grads) == len(self.names) else tuple(name for name, _ in grads), found

    def moving(self) -> Alike:
        """Those that can move."""
        chosen = tuple(i for i, p in enumerate(self.params) if p.requires_grad)
        if len(chosen) == len(self.params):
            return self
        if self._moving is None or self._moving[0] != chosen:
            self._moving = chosen, Alike([(self.names[i], self.params[i]) for i in chosen], self._log)
        return self._moving[1]

    def watch(self) -> None:
        """Remember the parameters as they are."""
        if self._watch is None:
            self._watch = _Watched(self, self._log)
        self._watch.copy()

    def moved(self) -> list[Norms]:
        """The norms of what they have moved by since."""
        assert self._watch is not None
        return self._watch.moved()


class _Watched:
    """What the updates of some parameters are measured by: the whole of small ones, and some elements of large ones.

    The copies are views of one block that is kept, since a new block for every step costs as much as the copy.
    """

    def __init__(self, alike: Alike, log: Log) -> None:
        self._alike = alike
        places = [log.watched[name] for name in alike.names]
        self._whole = [i for i, at in enumerate(places) if at is None]
        self._some = [(i, torch.as_tensor(at, device=alike.params[i].device)) for i, at in enumerate(places) if at is not None]
        held = alike.local
        block = torch.empty(sum(held[i].numel() for i in self._whole), dtype=held[0].dtype, device=held[0].device)
        parts = block.split([held[i].numel() for i in self._whole]) if self._whole else ()
        self._copies = [part.view(held[i].shape) for i, part in zip(self._whole, parts, strict=True)]
        self._taken: list[Tensor] = []
        self._names = tuple(alike.names[i] for i in (*self._whole, *(i for i, _ in self._some)))

    def copy(self) -> None:
        held = self._alike.local
        if self._copies:
            foreach_copy(self._copies, [held[i] for i in self._whole])
        self._taken = self._take(held)

    def moved(self) -> list[Norms]:
        held = self._alike.local
        if self._copies:
            foreach_sub(self._copies, [held[i] for i in self._whole])
        taken = [before.sub_(now) for before, now in zip(self._taken, self._take(held), strict=True)]
        return [norms(self._names, [*self._copies, *taken])]

    def _take(self, held: Sequence[Tensor]) -> list[Tensor]:
        return [torch.take(held[i], at) for i, at in self._some]

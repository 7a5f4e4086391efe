"""The parameters of one device and dtype: what a recording asks of all of them in one operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

from lossopt.recording.log import Log
from lossopt.recording.plan import count, thinned
from lossopt_torch.measures import Norms, dense, foreach_copy, foreach_sub, is_plain, local, norms_of_rows


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

    def watch(self) -> Norms:
        """Remember the parameters as they are; their norms."""
        if self._watch is None:
            self._watch = _Watched(self, self._log)
        return self._watch.begin()

    def moved(self) -> Norms:
        """The norms of what they have moved by since."""
        assert self._watch is not None
        return self._watch.moved()


class _Watched:
    """What parameters and their updates are measured by: small ones whole, and some elements of large ones.

    The copies are views of one block that is kept, since a new block for every step costs as much as the copy.  Those of one size
    lie side by side in it: their norms are one operation, on all cores.
    """

    def __init__(self, alike: Alike, log: Log) -> None:
        self._alike = alike
        apart, held = [log.distances[name] for name in alike.names], alike.local
        counts = [count(tuple(x.shape), d) for x, d in zip(held, apart, strict=True)]
        self._order = sorted(range(len(held)), key=lambda i: counts[i])
        self._distances, sizes = [apart[i] for i in self._order], [counts[i] for i in self._order]
        self._names = tuple(alike.names[i] for i in self._order)
        block = torch.empty(sum(sizes), dtype=held[0].dtype, device=held[0].device)
        self._at, self._seen = tuple[int, ...](), list[Tensor]()
        self._copies = [part.view(x.shape) for part, x in zip(block.split(sizes), self._look(held), strict=True)]
        self._by_size = [part.view(many, -1) if part.numel() else part.new_zeros(many, 1) for part, many in _alike_in(block, sizes)]

    def begin(self) -> Norms:
        foreach_copy(self._copies, self._look(self._alike.local))
        return self._measured()

    def moved(self) -> Norms:
        foreach_sub(self._copies, self._look(self._alike.local))
        return self._measured()

    def _measured(self) -> Norms:
        return Norms(self._names, torch.cat([norms_of_rows(x) for x in self._by_size]))

    def _look(self, held: Sequence[Tensor]) -> list[Tensor]:
        """The elements, as views: they are made anew when a parameter has moved elsewhere."""
        at = tuple(x.data_ptr() for x in held)
        if at != self._at:
            self._at, self._seen = at, [thinned(held[i].detach(), d) for i, d in zip(self._order, self._distances, strict=True)]
        return self._seen


def _alike_in(block: Tensor, sizes: Sequence[int]) -> list[tuple[Tensor, int]]:
    """The parts of a block that hold tensors of one size, and how many; sizes ascend."""
    counts = Counter(sizes)
    return list(zip(block.split([size * count for size, count in counts.items()]), counts.values(), strict=True))

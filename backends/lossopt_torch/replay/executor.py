"""`Replay` carries a spec's recorded program over a torch optimizer's parameters; `why_not` says when it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import torch
from torch import Tensor

from lossopt.definition import Spec
from lossopt_torch.replay.graph import Graph
from lossopt_torch.replay.numbers import HostProgram
from lossopt_torch.replay.program import HOST, TORCH, Constants, Program, blocks_body, function, lists_body
from lossopt_torch.replay.schedule import phases, whole
from lossopt_torch.replay.symbols import PARAM, Live, RecordingWords, Symbol, Unrecordable, record

BLOCK = 1 << 18
"""Elements of a block: a block of each operand stays in the cache from one call to the next.  Smaller blocks lose more
to the start of each call's threads than they gain (32,768: 1.5 times slower)."""

SMALL = 4096
"""Tensors of fewer elements go in lists: there the calls cost more than the memory."""

PLANS = 16
"""How many programs are kept.  A rule has one, or a few where it treats a number such as 0 by itself."""

Entry = tuple[Mapping[str, Any], Tensor, Tensor, dict[str, Any]]
"""A parameter group, a parameter, its gradient, and its slots by name (with ``step``, if the rule asks for it)."""

Member = tuple[Tensor, Tensor, dict[str, Any]]


def why_not(spec: Spec, params: Iterable[Tensor]) -> str | None:
    """The reason why these parameters cannot be updated by replay, in words; None if they can.

    Raises:
        DefinitionError: the rule branches on a number.
    """
    rule = spec.definition
    if rule.wraps:
        return f"{rule.name} wraps other rules"
    if rule.plural:
        return f"{rule.name} reads all parameters at once"
    if asked := [name for name in rule.asks if name != "step"]:
        return f"{rule.name} asks for {asked[0]!r}"
    try:
        _rehearse(spec)
    except Unrecordable as reason:
        return f"{rule.name} {reason}"
    return next(filter(None, map(_why_not_tensor, params)), None)


def _why_not_tensor(param: Tensor) -> str | None:
    if type(param) not in (Tensor, torch.nn.Parameter):
        return f"a parameter is a {type(param).__name__}, which has operations of its own"
    if param.layout is not torch.strided:
        return f"a parameter is not dense ({param.layout})"
    if param.dtype not in (torch.float32, torch.float64):
        return f"a parameter is {param.dtype}; replay takes torch.float32 and torch.float64"
    return None


def _rehearse(spec: Spec) -> None:
    """Record the spec as it stands, at step 1."""
    tensors, numbers = _slots_at_start(spec)
    structure, live = _split(spec, _at_start(spec.flat))
    record(spec, structure, live, tensors, numbers, 1 if "step" in spec.definition.asks else None)


def _slots_at_start(spec: Spec) -> tuple[tuple[str, ...], dict[str, float]]:
    """The names of the slots that are tensors, and the slots that are numbers with their first values."""
    rule, hyperparameters = spec.definition, _at_start(spec.flat)
    if rule.start is None:
        return tuple(slot.name for slot in rule.slots if slot.present(hyperparameters)), {}
    graph, host = Graph(), HostProgram(rule.name)
    words = RecordingWords(host, graph)
    started = rule.start(words, Symbol(words, graph.input(PARAM)), **{name: hyperparameters[name] for name in rule.structural})
    tensors = tuple(name for name, value in started.items() if isinstance(value, Symbol))
    return tensors, {name: host.scalar(value).value for name, value in started.items() if name not in tensors}


def _at_start(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters at the first step: a schedule's first value."""

    def first(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(first, value))
        return value(0) if callable(value) else value

    return {name: first(value) for name, value in hyperparameters.items()}


def _split(spec: Spec, hyperparameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
    """Hyperparameters with a `Live` for each number, and those numbers; switches and whole numbers stay as they are."""
    live: dict[str, float] = {}

    def part(name: str, value: Any, annotation: Any) -> Any:
        if isinstance(value, tuple | list):
            return tuple(part(f"{name}[{i}]", v, None) for i, v in enumerate(value))
        if value is None or isinstance(value, bool | str) or (isinstance(value, int) and _whole(annotation)):
            return value
        live[name] = float(value)
        return Live(name)

    annotations = spec.definition.annotations
    return {name: part(name, hyperparameters[name], annotations[name]) for name in spec.hyperparameters}, live


def _whole(annotation: Any) -> bool:
    return annotation is int or int in get_args(annotation)


@dataclass(frozen=True)
class Plan:
    """A recording, ready to run: the host's arithmetic, and the tensors' for blocks and for lists."""

    numbers: Program
    guards: tuple[bool, ...]
    slots: tuple[str, ...]
    new_numbers: tuple[str, ...]
    blocks: Program
    lists: Program
    registers: tuple[str, ...]

    @classmethod
    def make(cls, spec: Spec, structure: Mapping[str, Any], live: Mapping[str, float], slots: tuple[str, ...],
             numbers: Mapping[str, float], step: int | None) -> Plan:  # fmt: skip
        name = f"replay of {spec.definition.name}"
        recorded = record(spec, structure, live, slots, numbers, step)
        passes, everything = phases(recorded.graph, recorded.outputs), whole(recorded.graph, recorded.outputs)
        registers = tuple(sorted({r for phase in passes for r in phase.registers}))
        inputs, constants = list(recorded.graph.inputs), Constants()
        in_blocks = blocks_body([*inputs, *registers], passes, constants)
        in_lists = lists_body(inputs, everything, constants)
        host = recorded.host.source([list(constants.scalars.values()), list(recorded.numbers.values())])
        return cls(
            Program(f"{name}: numbers", host, HOST), tuple(recorded.host.guards.values()), slots, tuple(recorded.numbers),
            Program(f"{name}: blocks", function(["tensors", *constants.names], in_blocks), TORCH),
            Program(f"{name}: lists", function([*inputs, *constants.names], in_lists), TORCH), registers,
        )  # fmt: skip

    def __repr__(self) -> str:
        return "\n".join(map(str, (self.numbers, self.blocks, self.lists)))


class Replay:
    """A singular rule, replayed in place.

    A program is recorded when numbers first need it and kept; a changed lr, betas or eps needs no new one.
    ``print(replay.plans[0])`` shows the source.

    Args:
        spec: one for which `why_not` gives None.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._number_slots = tuple(_slots_at_start(spec)[1])
        self._plans: dict[Any, list[Plan]] = {}
        self._scratch: dict[tuple[torch.dtype, torch.device, str], Tensor] = {}

    def __reduce__(self) -> Any:
        return (Replay, (self.spec,))

    @property
    def plans(self) -> list[Plan]:
        """The programs recorded so far, the latest used of each kind first."""
        return [plan for kept in self._plans.values() for plan in kept]

    def step(self, entries: Iterable[Entry]) -> None:
        """Update parameters and slots in place; ``step`` and number slots are put anew into the dicts of slots.

        Gradients are read, never written.  Nothing waits for a device.  The caller holds ``torch.no_grad``.
        """
        for group, slots, bucket in self._buckets(entries):
            step = slots["step"] + 1 if "step" in slots else None
            numbers = {n: slots[n] for n in self._number_slots}
            plan, constants, new_numbers = self._plan(group, slots, numbers, step)
            small, large = [], []
            for columns in _columns(bucket, plan.slots):
                flat = _flat(columns)
                small.append(columns) if flat is None else large.append(flat)
            if large:
                plan.blocks.run(self._rows(large, plan.registers), *constants)
            if small:
                plan.lists.run(*map(list, zip(*small, strict=True)), *constants)
            changed = dict(zip(plan.new_numbers, new_numbers, strict=True)) | ({} if step is None else {"step": step})
            if changed:
                for _, _, own in bucket:
                    own.update(changed)

    def _buckets(self, entries: Iterable[Entry]) -> Iterable[tuple[Mapping[str, Any], dict[str, Any], list[Member]]]:
        """Parameters that share every host number and the names of their slots; a group and slots to read those from."""
        buckets: dict[Any, tuple[Mapping[str, Any], dict[str, Any], list[Member]]] = {}
        for group, param, grad, slots in entries:
            key = (id(group), len(slots), slots.get("step"), *[slots[n] for n in self._number_slots])
            found = buckets.get(key)
            if found is None:
                buckets[key] = found = (group, slots, [])
            found[2].append((param, grad, slots))
        return buckets.values()

    def _plan(self, group: Mapping[str, Any], slots: Mapping[str, Any], numbers: Mapping[str, float],
              step: int | None) -> tuple[Plan, tuple[float, ...], tuple[float, ...]]:  # fmt: skip
        """The plan whose guards hold for these numbers, and the numbers that it computes."""
        structure, live = _split(self.spec, group)
        names = tuple(n for n in slots if n != "step" and n not in numbers)
        values = [*live.values(), *numbers.values(), *([] if step is None else [step])]
        kept = self._plans.setdefault((tuple(structure.values()), names, tuple(numbers)), [])
        for i, plan in enumerate(kept):
            guards, constants, new_numbers = plan.numbers.run(*values)
            if guards == plan.guards:
                if i:
                    kept.insert(0, kept.pop(i))
                return plan, constants, new_numbers
        plan = Plan.make(self.spec, structure, live, names, numbers, step)
        kept.insert(0, plan)
        del kept[PLANS:]
        _, constants, new_numbers = plan.numbers.run(*values)
        return plan, constants, new_numbers

    def _rows(self, tensors: Sequence[Sequence[Tensor]], registers: Sequence[str]) -> Iterator[list[tuple[Tensor, ...]]]:
        """For each parameter its blocks: views of the flat tensors, and scratch of the same length."""
        for flat in tensors:
            param, count = flat[0], flat[0].numel()
            scratch = [self._register(name, min(count, BLOCK), param) for name in registers]
            if count <= BLOCK:
                yield [(*flat, *scratch)]
                continue
            rows = [(*row, *scratch) for row in zip(*(t.split(BLOCK) for t in flat), strict=True)]
            rest = rows[-1][0].numel()
            if rest < BLOCK:
                rows[-1] = (*rows[-1][: len(flat)], *(r[:rest] for r in scratch))
            yield rows

    def _register(self, name: str, count: int, like: Tensor) -> Tensor:
        key = (like.dtype, like.device, name)
        if key not in self._scratch or self._scratch[key].numel() < count:
            self._scratch[key] = torch.empty(count, dtype=torch.bool if name[0] == "m" else like.dtype, device=like.device)
        whole = self._scratch[key]
        return whole if whole.numel() == count else whole[:count]


def _columns(bucket: Sequence[Member], slots: Sequence[str]) -> Iterator[tuple[Tensor, ...]]:
    return ((param, grad, *[own[name] for name in slots]) for param, grad, own in bucket)


def _flat(tensors: tuple[Tensor, ...]) -> list[Tensor] | None:
    """The tensors as one dimension each, for blocks; None where they are better off, or can only go, in a list.

    On an accelerator everything goes in lists: there each block would be a kernel launch.  A list's scratch is as large
    as its tensors, as that of PyTorch's foreach optimizers is.  Views are made anew at every step, since gradients are new
    tensors then: under 2 % of a step, and no stale pointer can be kept.
    """
    param = tensors[0]
    if param.numel() < SMALL or param.device.type != "cpu":
        return None
    if all(t.is_contiguous() for t in tensors):
        return [t.view(-1) for t in tensors]
    channels_last = torch.channels_last if param.dim() == 4 else torch.channels_last_3d if param.dim() == 5 else None
    if channels_last and all(t.is_contiguous(memory_format=channels_last) and t.stride() == param.stride() for t in tensors):
        return [t.as_strided((t.numel(),), (1,)) for t in tensors]
    return None

"""In which order the nodes run and what each one overwrites: a slot in place, or a scratch register.

A reduction needs the whole tensor before the rest can go on, so a program over blocks falls into phases: each passes
over all blocks of a tensor.  A phase writes the slots whose new values it can compute and whose old values no later
phase reads, and computes again, from those, what an earlier phase had in scratch: that is cheaper than to keep it in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lossopt_torch.replay.graph import REDUCTIONS, Graph, Node, topological


@dataclass(frozen=True)
class Call:
    """One operation on named tensors: ``target = op(*operands)``."""

    op: str
    target: str
    operands: tuple[str, ...]
    node: Node


@dataclass(frozen=True)
class Phase:
    """Straight-line calls, and how many scratch registers of each kind they use."""

    calls: tuple[Call, ...]
    registers: tuple[str, ...]


def whole(graph: Graph, outputs: Mapping[str, Node]) -> Phase:
    """Everything in one phase, for whole tensors; reductions stand among the other calls."""
    return _arrange(outputs, (), {n: name for name, n in graph.inputs.items()})


def phases(graph: Graph, outputs: Mapping[str, Node]) -> list[Phase]:
    """One phase for each round of reductions that the outputs wait for, and a last one."""
    depth = _depths(outputs)
    written = {name: depth[node.index] for name, node in outputs.items()}  # slot -> the phase that writes it
    last = max(written.values(), default=0)
    sums = [[n for n in topological(outputs.values()) if n.op in REDUCTIONS and depth[n.index] == p + 1] for p in range(last + 1)]
    while True:
        made: list[Phase] = []
        known = {n: name for name, n in graph.inputs.items()}
        for p in range(last + 1):
            goals = {name: outputs[name] for name, when in written.items() if when == p}
            lost = [name for name, n in graph.inputs.items() if n in topological([*goals.values(), *sums[p]], known)]
            if lost:
                written.update(dict.fromkeys(lost, p))  # this phase still reads the old value
                break
            made.append(_arrange(goals, sums[p], known))
            known = {n: name for n, name in known.items() if name not in goals}
            known.update({node: name for name, node in goals.items()})
            known.update({call.node: call.target for call in made[-1].calls if call.node.reduced})
        else:
            return made


def _depths(outputs: Mapping[str, Node]) -> dict[int, int]:
    """How many rounds of reductions each node waits for."""
    depth: dict[int, int] = {}
    for n in topological(outputs.values()):
        depth[n.index] = max((depth[a.index] for a in n.args), default=0) + (n.op in REDUCTIONS)
    return depth


def _arrange(goals: Mapping[str, Node], sums: Sequence[Node], known: Mapping[Node, str]) -> Phase:
    order, slot_of = _order(goals, sums, known)
    wanted = [*goals.values(), *sums]
    last_use = {a.index: i for i, n in enumerate(order) for a in n.args} | {n.index: len(order) for n in wanted}
    names = {n.index: name for n, name in known.items()}
    free: dict[str, list[str]] = {"r": [], "m": []}  # scratch, and scratch masks
    registers: list[str] = []
    calls: list[Call] = []
    for i, n in enumerate(order):
        operands = tuple(names[a.index] for a in n.args)
        dying = [names[a.index] for a in dict.fromkeys(n.args) if last_use[a.index] == i and names[a.index] in registers]
        kind = "m" if n.mask else "r"
        for register in reversed(dying):  # the first operand's is taken first: in place
            free[register[0]].append(register)
        if n.reduced:
            target = f"z{n.index}"
        elif n.index in slot_of:
            target = slot_of[n.index]
        elif free[kind]:
            target = free[kind].pop()
        else:
            target = f"{kind}{sum(r[0] == kind for r in registers)}"
            registers.append(target)
        names[n.index] = target
        calls.append(Call(n.op, target, operands, n))
    for name, node in goals.items():
        if slot_of.get(node.index) != name:
            calls.append(Call("copy", name, (names[node.index],), node))
    return Phase(tuple(calls), tuple(registers))


def _order(goals: Mapping[str, Node], sums: Sequence[Node], known: Mapping[Node, str]) -> tuple[list[Node], dict[int, str]]:
    """An order in which every reader of a slot's old value comes before the node that overwrites it.

    Where there is none (the new value is needed by a reader of the old one, or two slots wait for each other) the new
    value goes to scratch and is copied at the end.  Also says which nodes write a slot directly.
    """
    nodes = topological([*goals.values(), *sums], known)
    inside = {n.index for n in nodes}
    arguments = {n.index: {a.index for a in n.args} & inside for n in nodes}
    old = {name: n for n, name in known.items()}
    readers = {name: {n.index for n in nodes if old.get(name) in n.args} - {node.index} for name, node in goals.items()}
    slot_of = {node.index: name for name, node in goals.items() if not readers[name] & _descendants(node.index, arguments)}
    done: dict[int, Node] = {}
    while len(done) < len(nodes):
        waiting = [n for n in nodes if n.index not in done]
        ready = [n for n in waiting if arguments[n.index] <= done.keys() and readers.get(slot_of.get(n.index, ""), set()) <= done.keys()]
        if ready:
            done[ready[0].index] = ready[0]
        else:
            slot_of.pop(next(n.index for n in waiting if n.index in slot_of and arguments[n.index] <= done.keys()))
    return list(done.values()), slot_of


def _descendants(index: int, arguments: Mapping[int, set[int]]) -> set[int]:
    """Who needs a node, directly or not; `arguments` are in the order of recording."""
    found = {index}
    for other, needed in arguments.items():
        if needed & found:
            found.add(other)
    return found - {index}

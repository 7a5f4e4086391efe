"""How rules are carried, without a framework: `start`, `update` and `eval_point` walk a spec's tree.

A backend's optimizer flattens its parameters into a Vector, says its words and where each hyperparameter stands (a
`Run`), calls `update`, and stores what comes back.  Nothing here knows what an array is.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lossopt import noise
from lossopt.definition import Optimizer, Spec, keywords
from lossopt.errors import ArgumentError, suggest
from lossopt.spelling import COMMON
from lossopt.vector import Lifted, State, Vector

Path = tuple[int, ...]
Executor = Callable[..., tuple[Vector, State]]


@dataclass(frozen=True)
class Run:
    """What a carrier lends for one update.

    Attributes:
        leaf: the words of one parameter.
        lifted: the same words over all parameters.
        names: each parameter's name.
        shapes: each parameter's shape.
        hyperparameters: for each parameter, flat name -> value.
        flat_names: (path in the spec, name) -> flat name.
        extras: what rules may ask for besides step and inner: value, metric, evaluate, hessian.
        shared_step: one count for all parameters (optax), or one for each (torch).
        executor: how a singular rule runs over the parameters; None is one parameter after the other.
    """

    leaf: Any
    lifted: Lifted
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    hyperparameters: tuple[Mapping[str, Any], ...]
    flat_names: Mapping[tuple[Path, str], str]
    extras: Mapping[str, Any] = field(default_factory=dict)
    shared_step: bool = True
    executor: Executor | None = None

    def vector(self, leaves: Any) -> Vector:
        return self.lifted.vector(leaves)

    def of_leaf(self, path: Path, fn: Callable[..., Any], leaf: int) -> dict[str, Any]:
        """The hyperparameters that `fn` names, for one parameter."""
        given = self.hyperparameters[leaf]
        return {n: given[self.flat_names[path, n]] for n in keywords(fn)}

    def of_all(self, path: Path, fn: Callable[..., Any]) -> dict[str, Any]:
        """The hyperparameters that `fn` names, for all: a Vector of numbers where groups differ."""
        return {n: self._common(self.flat_names[path, n]) for n in keywords(fn)}

    def _common(self, flat: str) -> Any:
        values = [h[flat] for h in self.hyperparameters]
        first = values[0] if values else None
        if all(v is first or (not hasattr(v, "shape") and not hasattr(first, "shape") and v == first) for v in values):
            return first
        return self.vector(values)

    def some(self, chosen: Sequence[int]) -> Run:
        """The same run for some of the parameters."""
        return replace(
            self,
            names=tuple(self.names[i] for i in chosen),
            shapes=tuple(self.shapes[i] for i in chosen),
            hyperparameters=tuple(self.hyperparameters[i] for i in chosen),
        )


# ------------------------------------------------------------------------------------------------- the three walks
def start(spec: Spec, run: Run, params: Vector, path: Path = ()) -> State:
    """The state before the first update."""
    rule = spec.definition
    if rule.plural:
        state = _start_slots(rule, run.lifted, params, run.of_all(path, rule.start or rule.text))
        inner = tuple(_start_inner(spec, run, params, path, j) for j in range(len(spec.inner)))
        if inner:
            state = state.extend(inner=inner[0]) if "inner" in rule.asks else state.extend(inners=inner)
        zero: Any = run.leaf.first_step()
    else:
        each = [_start_slots(rule, run.leaf, p, run.of_leaf(path, rule.start or rule.text, i)) for i, p in enumerate(params.leaves)]
        state = _gather(each, run, dict.fromkeys(name for own in each for name, _ in own.items()))
        zero = run.leaf.first_step() if run.shared_step else run.vector(run.leaf.first_step() for _ in each)
    return state.extend(step=zero) if "step" in rule.asks else state


def update(spec: Spec, run: Run, grads: Vector, state: State, params: Vector, path: Path = ()) -> tuple[Vector, State]:
    """One update of the whole tree: what to add to each parameter, and the next state."""
    rule = spec.definition
    if "step" in rule.asks:
        state = state.replace(step=state.step + 1)
    if not rule.plural:
        return (run.executor or one_by_one)(spec, run, grads, state, params, path)
    given = dict(run.extras)
    if "step" in rule.asks:
        given["step"] = run.leaf.lend_step(state.step)
    if "noise" in rule.asks:
        given["noise"] = _noise_of_all(run, params)
    if spec.inner:
        lent = tuple(_lend(spec, run, path, j) for j in range(len(spec.inner)))
        given["inner"], given["inners"] = lent[0], lent
    hyperparameters = run.of_all(path, rule.text)
    delta, new = rule.text(run.lifted, grads, state, params, *asked(spec, given), **hyperparameters)
    _check_shared(rule, hyperparameters, state, new)
    return delta, new


def eval_point(spec: Spec, run: Run, state: State, params: Vector, path: Path = ()) -> Vector:
    """Where to evaluate the model: the point of the outermost rule that has one, else the parameters."""
    rule = spec.definition
    point = rule.eval_point
    if point and rule.plural:
        return point(run.lifted, state, params, **run.of_all(path, point))
    if point:
        leaves = enumerate(params.leaves)
        return run.vector(point(run.leaf, leaf_state(state, i), p, **run.of_leaf(path, point, i)) for i, p in leaves)
    inner = (state.inner,) if "inner" in rule.asks else state.inners if "inners" in rule.asks else ()
    for j, (wrapped, own) in enumerate(zip(spec.inner, inner, strict=True)):
        part = _part(spec, run, path, j)
        if part is None:
            params = eval_point(wrapped, run, own, params, (*path, j))
        elif part:
            params = params.put(part, eval_point(wrapped, run.some(part), _narrow(own, part), params.take(part), (*path, j)))
    return params


def one_by_one(spec: Spec, run: Run, grads: Vector, state: State, params: Vector, path: Path) -> tuple[Vector, State]:
    """A singular rule on one parameter after the other: what every faster executor is held to."""
    rule, results = spec.definition, []
    if "noise" in rule.asks:
        noise.check_names(run.names)
    for i, (grad, param) in enumerate(zip(grads.leaves, params.leaves, strict=True)):
        own = leaf_state(state, i)
        given = {**run.extras, "step": run.leaf.lend_step(own.step)} if "step" in own else dict(run.extras)
        if "noise" in rule.asks:
            given["noise"] = _noise(run, i, param)
        results.append(rule.text(run.leaf, grad, own, param, *asked(spec, given), **run.of_leaf(path, rule.text, i)))
    new = _gather([own for _, own in results], run, dict(state.items()))
    shared = {n: v for n, v in state.items() if not isinstance(v, Vector)}
    return run.vector(delta for delta, _ in results), new.replace(**shared)


def asked(spec: Spec, given: Mapping[str, Any]) -> list[Any]:
    """The positional arguments that a rule asks for by name; None for what these hyperparameters do without."""
    rule = spec.definition
    for name in rule.asks:
        if given.get(name) is None and spec.wants(name):
            raise ArgumentError(f"{rule.name} needs {name!r}{HOW_TO_GIVE.get(name, '')}")
    return [given[name] if spec.wants(name) else None for name in rule.asks]


def _noise(run: Run, i: int, param: Any) -> Callable[[int, Any], Any]:
    """``noise(seed, step)`` for one parameter: by its name, so that neither its place nor a route to another rule matters."""
    return lambda seed, step: run.leaf.normal(param, noise.key_of(int(seed), run.names[i]), step)


def _noise_of_all(run: Run, params: Vector) -> Callable[[Any, Any], Vector]:
    """``noise(seed, step)`` for all; where groups differ, each parameter has its own seed."""
    noise.check_names(run.names)
    each = run.vector(_noise(run, i, p) for i, p in enumerate(params.leaves))
    return lambda seed, step: each.map(lambda draw, own: draw(own, step), each, seed)


HOW_TO_GIVE = {
    "value": ": give the loss to this update, value=loss (torch: step(closure) or step(value=loss))",
    "metric": ": give the metric to this update, metric=...",
    "example_grads": ": give the gradient of each example, on a leading axis (torch: in p.grad_sample; jax: "
                     "jax.vmap(jax.grad(f), in_axes=(None, 0)))",
    "hessian": ": give the diagonal of the Hessian to this update, hessian=..., one array for each parameter, or a function of "
               "the step that estimates it",
    "evaluate": ": give the loss function to this update (torch: step(closure); jax: value_fn=f; numpy: evaluate=f)",
}


# ------------------------------------------------------------------------------------------------- slots
def leaf_state(state: State, i: int) -> State:
    """The slots of one parameter; a slot that this parameter lacks (None) is not there."""
    own = {n: v.leaves[i] if isinstance(v, Vector) else v for n, v in state.items()}
    return State(**{n: v for n, v in own.items() if v is not None})


def _start_slots(rule: Optimizer, ops: Any, param: Any, hyperparameters: Mapping[str, Any]) -> State:
    if rule.start:
        return rule.start(ops, param, **hyperparameters)
    return State(**{slot.name: ops.zeros_like(param) for slot in rule.slots if slot.present(hyperparameters)})


def _gather(each: Sequence[State], run: Run, names: Iterable[str]) -> State:
    return State(**{n: run.vector(getattr(own, n) if n in own else None for own in each) for n in names})


def _check_shared(rule: Optimizer, hyperparameters: Mapping[str, Any], old: State, new: State) -> None:
    """One number for all parameters has to stay one; a hyperparameter that differs between groups may have made many of it."""
    for name, value in new.items():
        if isinstance(value, Vector) and not isinstance(getattr(old, name), Vector):
            differing = ", ".join(n for n, v in hyperparameters.items() if isinstance(v, Vector))
            raise ArgumentError(
                f"{rule.name} keeps one {name} for all parameters, so {differing} cannot differ between groups: give it outside of groups"
            )


# ------------------------------------------------------------------------------------------------- wrapped rules
def _part(spec: Spec, run: Run, path: Path, j: int) -> tuple[int, ...] | None:
    """The parameters that the j-th wrapped rule sees; None is all of them."""
    parts = spec.definition.parts
    return parts(run.names, run.shapes, **run.of_all(path, parts))[j] if parts else None


def _start_inner(spec: Spec, run: Run, params: Vector, path: Path, j: int) -> State:
    part = _part(spec, run, path, j)
    if part is None:
        return start(spec.inner[j], run, params, (*path, j))
    if not part:
        return State()
    return _spread(start(spec.inner[j], run.some(part), params.take(part), (*path, j)), part, len(params.leaves))


def _lend(spec: Spec, run: Run, path: Path, j: int) -> Callable[..., tuple[Vector, State]]:
    """The j-th wrapped rule, as its wrapper calls it.  What a rule does not see passes through unchanged, or is taken of `others`."""
    part = _part(spec, run, path, j)

    def inner(grads: Vector, state: State, params: Vector, others: Vector | None = None, **extras: Any) -> tuple[Vector, State]:
        lent = replace(run, extras={**run.extras, **extras}) if extras else run
        if part is None:
            return update(spec.inner[j], lent, grads, state, params, (*path, j))
        unseen = grads if others is None else others
        if not part:
            return unseen, state
        if lent.extras.get("evaluate") is not None:
            lent = replace(lent, extras={**lent.extras, "evaluate": _evaluate_part(lent.extras["evaluate"], params, part)})
        if lent.extras.get("hessian") is not None:
            whole = lent.extras["hessian"]
            lent = replace(lent, extras={**lent.extras, "hessian": lambda step: whole(step).take(part)})
        delta, new = update(spec.inner[j], lent.some(part), grads.take(part), _narrow(state, part), params.take(part), (*path, j))
        return unseen.put(part, delta), _spread(new, part, len(params.leaves))

    return inner


def _evaluate_part(evaluate: Callable[..., Any], params: Vector, part: Sequence[int]) -> Callable[[Vector], tuple[Any, Vector]]:
    """`evaluate` for a rule that sees some parameters: the others stay where they are."""

    def at(point: Vector) -> tuple[Any, Vector]:
        value, grads = evaluate(params.put(part, point))
        return value, grads.take(part)

    return at


def _narrow(state: State, chosen: Sequence[int]) -> State:
    return state.map(lambda _, slot: slot.take(chosen) if isinstance(slot, Vector) else slot)


def _spread(state: State, chosen: Sequence[int], count: int) -> State:
    """The slots of a part, as long as the whole: None where the part has no parameter."""

    def long(_: Any, slot: Any) -> Any:
        if not isinstance(slot, Vector):
            return slot
        at = dict(zip(chosen, slot.leaves, strict=True))
        return type(slot)(at.get(i) for i in range(count))

    return state.map(long)


# ------------------------------------------------------------------------------------------------- groups
Groups = Mapping[str, Mapping[str, Any]]


def check_groups(spec: Spec, groups: Groups) -> dict[str, dict[str, Any]]:
    """Groups in canonical flat names, each value in range; what no rule of the spec takes is an error."""
    by_flat = {flat: key for key, flat in spec.flat_names.items()}
    specs = dict(spec.walk())
    spellings = {k: v for _, s in spec.walk() for k, v in {**COMMON, **s.definition.spellings}.items()}
    checked: dict[str, dict[str, Any]] = {}
    for pattern, changes in groups.items():
        checked[pattern] = {}
        for name, value in changes.items():
            flat = name if name in by_flat else spellings.get(name, name)
            if flat not in by_flat:
                near = suggest(name, by_flat) or "."
                raise ArgumentError(f"groups[{pattern!r}]: {spec!r} has no {name!r}{near} It has: {', '.join(by_flat)}")
            path, own = by_flat[flat]
            definition = specs[path].definition
            if own in definition.structural:
                raise ArgumentError(f"groups[{pattern!r}]: {own} decides the shape of {definition.name}'s state; it is one for all")
            checked[pattern][flat] = definition.resolve({own: value}, specs[path].convention)[own]
    return checked


def match_groups(groups: Groups, names: Sequence[str], also: Sequence[str] | None = None) -> list[tuple[str, ...]]:
    """For each parameter the patterns that match its name, in order; a pattern that matches nothing is an error.

    Args:
        groups: hyperparameters by pattern.
        names: each parameter's name.
        also: each parameter's other name, in PyTorch, which a pattern may match too.
    """
    known = list(zip(names, also or names, strict=True))
    matched = [tuple(p for p in groups if any(matches(name, p) for name in both)) for both in known]
    for pattern in groups:
        if not any(pattern in found for found in matched):
            raise ArgumentError(f"groups[{pattern!r}] matched 0 of {len(names)} parameters{suggest(pattern.strip('*.'), names) or '.'}"
                                f" Names are like {names[0]!r}" if names else f"groups[{pattern!r}]: there are no parameters")  # fmt: skip
    return matched


def matches(name: str, pattern: str) -> bool:
    """Whether a parameter's name matches a pattern (shell wildcards, case counts)."""
    return fnmatch.fnmatchcase(name, pattern)

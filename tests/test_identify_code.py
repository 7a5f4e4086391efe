"""What `lossopt identify` tells to type does what was identified: every native line is run beside the referee."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest
import torch

import lossopt
from lossopt import registry
from lossopt.definition import Optimizer, Spec
from lossopt.identify import confusion
from lossopt.identify.candidates import takes_vectors
from lossopt.identify.code import code
from lossopt.identify.natives import ARGUMENTS, FIXED_LR
from lossopt.parity.problem import Problem

STEPS = 6
BOUND = 1e-10
FURTHER = {
    ("muon", "torch"): (0.02, "torch.optim.Muon iterates in bfloat16"),
    ("asgd", "torch"): (1e-7, "torch keeps eta and mu in its default dtype, float32"),
    ("nadam", "torch"): (1e-7, "torch keeps the product of momenta in float32"),
    ("nadamw", "torch"): (1e-7, "torch keeps the product of momenta in float32"),
    ("galore", "jax"): (1e-5, "optax finds the subspace in float32"),
    ("adafactor", "jax"): (1e-7, "optax computes 1 - t**-0.8 in float32"),
    ("madgrad", "jax"): (1e-7, "optax takes the root of the step in float32"),
}
"""How far a framework's own is off, relative to the movement, where that is by more than float64's roundings, and why."""

NOT_RUN = {
    "noisy_sgd": "draws other random numbers from the same seed",
    "sparse_adam": "torch.optim.SparseAdam takes sparse gradients only",
}


def lines() -> Iterator[tuple[Spec, str]]:
    for name in registry.own_names("optimizer"):
        d = registry.definition(name, "optimizer")
        assert isinstance(d, Optimizer)
        if not (d.per_example or "hessian" in d.asks or name in NOT_RUN):
            yield from ((spec, framework) for convention in d.conventions for spec in confusion.specs(name, convention)
                        for framework in ("torch", "jax") if not code(spec, framework).startswith("lossopt"))  # fmt: skip


def slope(own: Problem, p: dict[str, np.ndarray], t: int) -> tuple[dict[str, np.ndarray], float]:
    """The gradient, and the loss."""
    g = {n: own.weight[n] * (p[n] - own.target[n]) + own.noise[n][t] for n in p}
    return g, sum(float((0.5 * own.weight[n] * (p[n] - own.target[n]) ** 2).sum()) for n in p)


def in_torch(typed: str, own: Problem) -> dict[str, np.ndarray]:
    params = [torch.nn.Parameter(torch.tensor(x)) for x in own.start.values()]
    optimizer = eval(typed, {"torch": torch, "params": params})  # noqa: S307 - what a user would type
    for t in range(STEPS):
        g, value = slope(own, {n: q.detach().numpy() for n, q in zip(own.start, params, strict=True)}, t)
        for q, x in zip(params, g.values(), strict=True):
            q.grad = torch.tensor(x)
        optimizer.step(lambda value=value: torch.tensor(value))
    return {n: q.detach().numpy() for n, q in zip(own.start, params, strict=True)}


def in_jax(typed: str, own: Problem) -> dict[str, np.ndarray]:
    tx = optax.with_extra_args_support(eval(typed, {"optax": optax}))  # noqa: S307 - what a user would type
    p: Any = {n: jnp.asarray(x) for n, x in own.start.items()}
    state = tx.init(p)
    for t in range(STEPS):
        g, value = slope(own, {n: np.asarray(x) for n, x in p.items()}, t)
        update, state = tx.update({n: jnp.asarray(x) for n, x in g.items()}, state, p, value=jnp.asarray(value))
        p = optax.apply_updates(p, update)
    return {n: np.asarray(x) for n, x in p.items()}


def by_the_referee(spec: Spec, own: Problem) -> dict[str, np.ndarray]:
    made, p = lossopt.get_optimizer(spec, "numpy"), dict(own.start)
    state = made.init(p)
    for t in range(STEPS):
        g, value = slope(own, p, t)
        update, state = made.update(g, state, p, **({"value": value} if "value" in spec.asks else {}))
        p = {n: p[n] + update[n] for n in p}
    return p


@pytest.mark.usefixtures("x64")
@pytest.mark.filterwarnings("ignore")  # of frameworks, about what they will change
@pytest.mark.parametrize(("spec", "framework"), list(lines()), ids=lambda x: x if isinstance(x, str) else repr(x)[:80])
def test_what_is_typed_does_what_was_found(spec: Spec, framework: str) -> None:
    own = confusion.problem(not takes_vectors(spec.definition.text), STEPS)
    run: Callable[[str, Problem], dict[str, np.ndarray]] = in_torch if framework == "torch" else in_jax
    with np.errstate(all="ignore"):
        found, true = run(code(spec, framework), own), by_the_referee(spec, own)
    moved = max(float(np.abs(true[n] - own.start[n]).max()) for n in true)
    off = max(float(np.abs(found[n] - true[n]).max()) for n in true) / moved
    assert off < FURTHER.get((spec.definition.name, framework), (BOUND, ""))[0]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_framework_has_these_arguments(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    made = getattr({"torch.optim": torch.optim, "optax": optax, "optax.contrib": optax.contrib}[module], attribute)
    taken = inspect.signature(made).parameters
    assert not {a.partition("=")[2] or a for a in ARGUMENTS[name].split()} - set(taken)
    if name not in FIXED_LR:
        assert next(iter(taken)) == ("params" if module == "torch.optim" else "learning_rate")


def test_every_framework_optimizer_that_a_page_names_can_be_typed_or_is_left_out() -> None:
    pages = [registry.definition(name, "optimizer").elsewhere for name in registry.own_names("optimizer")]
    named = {page.get(k, "").partition(";")[0].split(",")[0].strip() for page in pages for k in ("torch", "optax")}
    theirs = {name for name in named if name.startswith(("torch.optim.", "optax."))}
    assert theirs - set(ARGUMENTS) == {"torch.optim.LBFGS", "optax.lbfgs", "optax.rprop", "optax.contrib.dpsgd", "optax.contrib.sophia",
                                       "optax.optimistic_adam"}  # fmt: skip
    assert set(ARGUMENTS) - theirs == set()

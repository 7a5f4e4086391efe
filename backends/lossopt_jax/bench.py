"""Variants to race in JAX: optax's own and ours, both jitted with donated buffers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lossopt import registry
from lossopt.bench import Variant
from lossopt.recording.record import record

OWN: dict[str, Callable[[], Any]] = {
    "adamw": lambda: optax.adamw(1e-3),
    "sgd": lambda: optax.sgd(1e-3, 0.9),
    "rmsprop": lambda: optax.rmsprop(1e-3),
    "adagrad": lambda: optax.adagrad(1e-3),
    "lion": lambda: optax.lion(1e-3, weight_decay=0.1),
    "lamb": lambda: optax.lamb(1e-3, weight_decay=0.01),
}
HYPER: dict[str, dict[str, Any]] = {"sgd": {"momentum": 0.9}, "lion": {"weight_decay": 0.1}, "lamb": {"weight_decay": 0.01}}


def variants(name: str, shapes: Sequence[tuple[int, ...]]) -> list[Variant]:
    """optax's own optimizer and ours under optax's conventions, so that the arithmetic is the same."""
    ours = registry.get_optimizer(name, "jax", lr=1e-3, convention="optax", **HYPER.get(name, {}))
    return [
        _variant(f"optax.{name}", OWN[name](), shapes, baseline=True),
        _variant("lossopt", ours, shapes, baseline=False),
    ]


def _variant(label: str, tx: Any, shapes: Sequence[tuple[int, ...]], *, baseline: bool) -> Variant:
    rng = np.random.default_rng(0)
    params = {f"p{i}": jnp.asarray(0.02 * rng.standard_normal(s, np.float32)) for i, s in enumerate(shapes)}
    grads = jax.tree.map(lambda p: p + 0.01, params)
    held = [params, jax.jit(tx.init)(params)]

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def update(params: Any, state: Any, grads: Any) -> Any:
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    compiled = update.lower(*held, grads).compile()
    held[1] = jax.tree.map(lambda x: jnp.array(x, copy=True), held[1])  # no two leaves of a donated tree are one buffer

    def step() -> None:
        held[:] = compiled(*held, grads)
        jax.block_until_ready(held[0])

    memory = compiled.memory_analysis()
    return Variant(label, step, baseline, None if memory is None else int(memory.temp_size_in_bytes))


# ------------------------------------------------------------------------------------------------- losses
def loss_variants(name: str, tokens: int, features: int, classes: int) -> list[Variant]:
    """The composition with optax's own loss, which holds all logits, and ours."""
    rng = np.random.default_rng(0)
    x, matrix = (jnp.asarray(rng.standard_normal(shape, np.float32)) for shape in ((tokens, features), (classes, features)))
    inputs = x, 0.02 * matrix, jnp.asarray(rng.integers(0, classes, tokens))

    def variant(label: str, loss: Callable[..., Any], *, baseline: bool = False) -> Variant:
        compiled = jax.jit(jax.value_and_grad(loss, argnums=(0, 1))).lower(*inputs).compile()
        memory = compiled.memory_analysis()

        def step() -> None:
            jax.block_until_ready(compiled(*inputs))

        return Variant(label, step, baseline, None if memory is None else int(memory.temp_size_in_bytes))

    def whole(x: Any, matrix: Any, labels: Any) -> Any:
        return optax.losses.softmax_cross_entropy_with_integer_labels(x @ matrix.T, labels).mean()

    return [
        variant("optax, of x @ w.T", whole, baseline=True),
        variant("lossopt", registry.get_loss(name, "jax")),
        variant("lossopt, label_smoothing=0.1", registry.get_loss(name, "jax", label_smoothing=0.1)),
    ]


# ------------------------------------------------------------------------------------------------- recordings
def recorded_stepper(inputs: int, width: int, layers: int, rows: int,
                     options: dict[str, Any] | None) -> tuple[Callable[[], None], Callable[[], None]]:  # fmt: skip
    """A training step of a chain of layers, recorded if there are options for that, and what ends it."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((rows, inputs), np.float32), rng.integers(0, width, rows)
    sizes = [inputs] + [width] * (layers - 1)
    params = [(jnp.asarray(rng.standard_normal((size, width)) / size**0.5, jnp.float32), jnp.zeros(width)) for size in sizes]
    recorded = None if options is None else record(options.pop("folder"), optax.adamw(1e-4), **options)
    tx = optax.with_extra_args_support(recorded or optax.adamw(1e-4))
    held: list[Any] = [params, tx.init(params)]

    def loss(params: Any, x: Any, y: Any) -> Any:
        for matrix, bias in params:
            x = jnp.tanh(x @ matrix + bias)
        return optax.losses.softmax_cross_entropy_with_integer_labels(x, y).mean()

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def update(params: Any, state: Any, x: Any, y: Any) -> Any:
        value, grads = jax.value_and_grad(loss)(params, x, y)
        updates, state = tx.update(grads, state, params, value=value)
        return optax.apply_updates(params, updates), state

    def step() -> None:
        if recorded is not None:
            recorded.run.batch(x, y)
        held[:] = update(*held, x, y)
        jax.block_until_ready(held)

    return step, (lambda: None) if recorded is None else recorded.run.close

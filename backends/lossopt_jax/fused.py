"""linear_cross_entropy in JAX, some samples at a time: the definition's own text on every chunk, and its gradient.

The sum's derivative is stated by a custom JVP whose rule takes each chunk's gradient while its logits are there.  A JVP,
unlike a VJP, leaves forward mode and derivatives of any order: the rule is made of what JAX can differentiate again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from lossopt.definition import Loss
from lossopt.losses.shared.parts import rows_at_a_time

Text = Callable[..., tuple[Any, Any]]


def linear_cross_entropy(definition: Loss, words: Any, inputs: tuple[Any, ...], hyperparameters: Mapping[str, Any],
                         reduction: str) -> Callable[[], Any] | None:  # fmt: skip
    """The loss in chunks, ready to be called; None where one chunk holds it all."""
    x, matrix, targets = inputs
    lead, classes = x.shape[:-1], matrix.shape[0]
    rows = rows_at_a_time(hyperparameters["chunk_size"], classes)
    x = x.reshape(-1, x.shape[-1])
    if len(x) <= rows:
        return None
    targets = targets.reshape(len(x), *targets.shape[len(lead):])
    bias, weight = (None if v is None else jnp.asarray(v, x.dtype) for v in (hyperparameters["linear_bias"], hyperparameters["weight"]))
    fixed = {k: v for k, v in hyperparameters.items() if k not in ("linear_bias", "weight")}

    def text(x: Any, matrix: Any, bias: Any, weight: Any, targets: Any) -> tuple[Any, Any]:
        values, weights = definition.text(words, x, matrix, targets, linear_bias=bias, weight=weight, **fixed)
        return values, jnp.ones_like(values) if weights is None else weights

    if reduction == "none":
        return lambda: _values(text, rows, x, matrix, bias, weight, targets).reshape(lead)

    def reduced() -> Any:
        total, count = _total(text, rows)(x, matrix, bias, weight, targets)
        return total if reduction == "sum" else total / count

    return reduced


def _values(text: Text, rows: int, x: Any, matrix: Any, bias: Any, weight: Any, targets: Any) -> Any:
    """Value by value; the backward pass computes each chunk's logits once more."""
    step = jax.checkpoint(lambda x, targets: text(x, matrix, bias, weight, targets)[0])
    return _in_chunks(lambda carry, *chunk: (carry, step(*chunk)), (), rows, x, targets)[1]


def _total(text: Text, rows: int) -> Callable[..., tuple[Any, Any]]:
    """The sum of the values, and what their mean divides it by."""

    def summed(*arrays: Any) -> tuple[Any, Any]:
        values, weights = text(*arrays)
        return jnp.sum(values), jnp.sum(weights)

    @jax.custom_jvp
    def total(x: Any, matrix: Any, bias: Any, weight: Any, targets: Any) -> tuple[Any, Any]:
        def step(carry: Any, x: Any, targets: Any) -> tuple[Any, Any]:
            return _plus(carry, summed(x, matrix, bias, weight, targets)), ()

        return _in_chunks(step, _zeros(x, 2), rows, x, targets)[0]

    def rule(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        x, matrix, bias, weight, targets = primals
        live = [i for i, tangent in enumerate(tangents) if tangent is not None and not isinstance(tangent, SymbolicZero)]
        if live and live[-1] > 2:  # class weights, or probabilities: as large as the logits themselves
            return jax.jvp(summed, primals, tuple(map(_instantiated, tangents)))
        gradient = jax.value_and_grad(summed, argnums=live, has_aux=True)

        def step(carry: Any, x: Any, targets: Any) -> tuple[Any, Any]:
            found, slopes = gradient(x, matrix, bias, weight, targets)
            by_row = slopes[0] if live[0] == 0 else ()
            return _plus(carry, (found, slopes[live[0] == 0:])), by_row

        shared = tuple(jnp.zeros_like(primals[i]) for i in live if i > 0)
        (found, slopes), by_row = _in_chunks(step, (_zeros(x, 2), shared), rows, x, targets)
        slopes = ((by_row,) if live[0] == 0 else ()) + slopes
        change = sum(jnp.vdot(slope, tangents[i], precision="highest") for i, slope in zip(live, slopes, strict=True))
        return found, (change, jnp.zeros_like(found[1]))

    total.defjvp(rule, symbolic_zeros=True)
    return total


def _in_chunks(step: Callable[..., tuple[Any, Any]], carry: Any, rows: int, *arrays: Any) -> tuple[Any, Any]:
    """``step(carry, chunk of each array) -> (carry, out)`` over the first axis; the outs, which are arrays or (), end to end."""
    whole = len(arrays[0]) // rows * rows
    chunks = [a[:whole].reshape(-1, rows, *a.shape[1:]) for a in arrays]
    carry, outs = jax.lax.scan(lambda carry, chunk: step(carry, *chunk), carry, chunks)
    outs = jax.tree.map(lambda out: out.reshape(whole, *out.shape[2:]), outs)
    if whole < len(arrays[0]):
        carry, last = step(carry, *(a[whole:] for a in arrays))
        outs = jax.tree.map(lambda *parts: jnp.concatenate(parts), outs, last)
    return carry, outs


def _plus(a: Any, b: Any) -> Any:
    return jax.tree.map(jnp.add, a, b)


def _zeros(like: Any, count: int) -> tuple[Any, ...]:
    return (jnp.zeros_like(like, shape=()),) * count


def _instantiated(tangent: Any) -> Any:
    of: Any = tangent  # a symbolic zero has the shape and dtype of its array, which its stubs do not say
    return jnp.zeros(of.shape, of.dtype) if isinstance(tangent, SymbolicZero) else tangent

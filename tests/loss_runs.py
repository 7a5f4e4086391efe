"""A loss with its gradients in each framework, and what the frameworks give held together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

import lossopt_torch.losses
from lossopt import get_loss
from lossopt.losses.spec import LossSpec, evaluate

TEXT = SimpleNamespace(words=lossopt_torch.losses.words, carry=lossopt_torch.losses.carry, native=lambda *_: None)
"""PyTorch without its own functions."""
BACKENDS = ("numpy", "jax", "torch")
MAKE: dict[str, Callable[..., Any]] = {"numpy": np.asarray, "jax": jnp.asarray, "torch": torch.as_tensor}
"""An array of each backend."""
INF, NAN = float("inf"), float("nan")


def plain_torch(spec: LossSpec) -> Callable[..., Any]:
    """The loss's own text in PyTorch, whatever PyTorch has for it."""
    return lambda *arrays: evaluate(spec.definition, TEXT, arrays, spec.hyperparameters, spec.reduction)


def in_torch(fn: Callable[..., Any], arrays: Sequence[Any], wrt: Sequence[int] = (0,)) -> tuple[Any, list[Any]]:
    tensors = [torch.tensor(x) for x in arrays]
    for i in wrt:
        tensors[i].requires_grad_()
    values = fn(*tensors)
    grads = torch.autograd.grad(values.sum(), [tensors[i] for i in wrt])
    return values.detach().numpy(), [g.numpy() for g in grads]


def in_jax(fn: Callable[..., Any], arrays: Sequence[Any], wrt: Sequence[int] = (0,), *, jit: bool = True) -> tuple[Any, list[Any]]:
    def total(*given: Any) -> Any:
        values = fn(*given)
        return jnp.sum(values), values

    run = jax.value_and_grad(total, argnums=tuple(wrt), has_aux=True)
    (_, values), grads = (jax.jit(run) if jit else run)(*map(jnp.asarray, arrays))
    return np.asarray(values), [np.asarray(g) for g in grads]


def everywhere(name: str, arrays: Sequence[Any], wrt: Sequence[int] = (0,), **options: Any) -> dict[str, tuple[Any, list[Any]]]:
    """Value and gradients in PyTorch (its own functions, and the text) and JAX (compiled, and not)."""
    spec = get_loss(name, **options)
    return {
        "torch": in_torch(spec, arrays, wrt),
        "torch text": in_torch(plain_torch(spec), arrays, wrt),
        "jax jit": in_jax(spec, arrays, wrt),
        "jax": in_jax(spec, arrays, wrt, jit=False),
    }


def close(found: Any, wanted: Any, rtol: float = 1e-12, atol: float = 1e-15) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(wanted), rtol=rtol, atol=atol)

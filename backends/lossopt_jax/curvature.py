"""The diagonal of a Hessian, estimated: what sophia is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from lossopt import noise
from lossopt_jax.optimizers import scalar_dtype, split
from lossopt_jax.words import Words


def hutchinson(loss_fn: Callable[[Any], Any], params: Any, *, step: Any = 0, samples: int = 1, seed: int = 0) -> Any:
    """Hutchinson's estimate of the Hessian's diagonal: the mean of ``s * (H s)`` over vectors s of random signs.

    It costs about two gradients for each vector, and can be traced: ``tx.update(grads, state, params, hessian=lambda step:
    hutchinson(loss_fn, params, step=step))``.  The signs are those of the other backends, for
    parameters of the same name and shape: a weight that PyTorch stores transposed draws others there.

    Args:
        loss_fn: ``params -> loss``.
        params: a tree.
        step: which signs are drawn: another one for each estimate.
        samples: how many vectors are averaged.
        seed: of the signs.

    Example:
        >>> import jax.numpy as jnp
        >>> hutchinson(lambda p: jnp.sum(p**4) / 4, jnp.array([1.0, -2.0]))
        Array([ 3., 12.], dtype=float32)
    """
    names, leaves, treedef = split(params)
    words = Words(scalar_dtype(leaves))

    def signs(sample: int) -> Any:
        drawn = (words.normal(jnp.asarray(x), noise.key_of(seed, n), step * samples + sample) for n, x in zip(names, leaves, strict=True))
        return treedef.unflatten([jnp.where(x < 0, -1, 1).astype(x.dtype) for x in drawn])

    def product(s: Any) -> Any:
        return jax.tree.map(jnp.multiply, s, jax.jvp(jax.grad(loss_fn), (params,), (s,))[1])

    each = [product(signs(sample)) for sample in range(samples)]
    return jax.tree.map(lambda *parts: sum(parts[1:], parts[0]) / samples, *each)
